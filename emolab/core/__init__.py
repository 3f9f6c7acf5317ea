"""The vocabulary every other room speaks: numpy and the standard library, nothing else.

    errors      the tree of what can go wrong, and which builtin each one also is
    clock       the one session clock (real, or paced for simulated sessions)
    stream      what a stream is (StreamInfo, Channel) and what flows through it (Chunk, Tally)
    event       something that happened at a moment: planned and actual time, and facts
    label       who said what about an emotion; the five states and their fifteen words
    registry    names to classes, imported on demand
    disk        what must be asked of the disk by hand
    ring        the newest samples of a stream in shared memory, one writer, many readers
    settings    what the user set once, read once
    executor    many tasks at once: here, in processes, on a Dask cluster (loaded when asked for)
    program     this program as a command, for what is to run in a process of its own
    shipped     where the protocols and stimuli that come with emolab lie

What enters here is a word two rooms need to talk to each other. A helper that only one
room needs stays with that room.
"""
