"""A past recording: everything that happens afterwards, without Qt.

    timeline    a whole recording on one time line: any stretch of any signal, any frame, at once
    player      where the replay is (sound, speaker: what is heard with it)
    happenings  what happened besides the trials
    lanes       who said what: events, intended, reported, models, analysts
    curves      its signals as pyramids, read piece by piece, only what is new when it grows
    usability   how usable each signal of the body is, ten seconds at a time
    desk        where an analyst works: labels as their ledger makes them, with undo across restarts
    relabel     what a key means: which label changes, or where a new one goes
    history     acts in words
    merge       the ledgers of a copy brought home
    validate    what the face says of each clip (checks)
    guesses     what a classifier says of clips or windows
    agreement   how far lanes agree

The recording is opened for reading only, and what a person said is never overwritten: an analyst
adds a lane of their own. What a label and its ledger are is told in the recording room.
"""
