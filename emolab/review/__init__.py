"""A past recording: everything that happens afterwards, without Qt.

    timeline    a whole recording on one time line: any stretch of any signal, any frame, at once
    desk        where an analyst works: labels as their ledger makes them, with undo across restarts
    merge       the ledgers of a copy brought home
    validate    what the face says of each clip, beside what the participant said; a lane of its own
    checks      what came of that: verdicts, agreement, the conflicts to look at
    film        the colour video of a session, as far as it can be read

The recording is opened for reading only, and what a person said is never overwritten: an analyst
adds a lane of their own. What a label and its ledger are is told in the recording room.
"""
