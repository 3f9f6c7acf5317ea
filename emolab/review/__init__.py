"""A past recording: everything that happens afterwards, without Qt.

    labels      what can stand on the time line: intervals, points, traces; and what a change to them is
    ledger      one analyst's acts on one session, each chained to the one before by its hash
    desk        where an analyst works: labels as the ledger makes them, with undo across restarts
    lanes       what the stimulus intended and the participant said, as lanes beside the analysts'
    merge       the ledgers of a copy brought home

The recording is opened for reading only, and what a person said is never overwritten: an analyst
adds a lane of their own. A new kind of lane is a function in `lanes` that makes labels.
"""
