"""The fault campaign: what may go wrong while a session runs, and what its file must then say.

    python -m tests.faults                 every scenario, and the table: fault → expected → found
    python -m tests.faults --list          the table of what is expected, nothing is run
    python -m tests.faults unplug sound    those sessions only

    table     `FAULTS`: one entry a fault, to be read first
    sessions  what is done: each session runs the real engine in a process of its own, on real parts
    room      the engine and its instruments, each a program that can be stopped, killed or unplugged
    shift     a wall clock that can be set for one process tree (LD_PRELOAD), never the machine's

One more fault is one more entry in `FAULTS`: a sentence for what is done, one for the record, and a
check that reads the file. Several faults share a session where they do not disturb one another.
The test (`test_faults`) runs the entries one by one; what takes long only with `--campaign`.
"""
