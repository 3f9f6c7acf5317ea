"""One session file, written and read: the only room that knows HDF5.

    header      what is known before the first sample: who, which protocol, which software
    layout      the file format itself, documented for somebody who has only h5py
    blocks      how rows get on disk so that a killed process loses under a second
    writer      SessionWriter: the `sink.Sink` of the engine, one thread, one file
    video       RGB frames to H.264 packets and back
    film        the colour video of a session, as far as it can be read
    recorder    Recorder: the thread that owns the writer, and the encoder threads
    losses      what could not be recorded, told as gaps
    journal     everything once more, only appended: what survives a power cut and a vanished drive
    entries, places   what it holds as bytes; where it lies
    rebuild, rescue   the session file made from it: afterwards, or at the end of the session
    trouble     what can be wrong with the disk meanwhile, in sentences
    pack        a finished file written again, smaller; the same code mends a damaged one
    columns     the same rows read back, only those that are safe
    guard       is this a file emolab could have written? asked before it is believed
    still       a file whose writer died, opened as if it had been closed in order
    reader      Session: a file opened afterwards, while it is written, or after a crash
    converter   what is known of the converter that a channel came from
    times/      when each sample was taken, worked out once all is known
    timeline    the times of a stream gone through once: gaps, and where samples may be missing
    stream_facts, inspect   is this recording good? facts of each stream, and a verdict
    onset_facts when each clip was asked for, played and heard
    labels      what can stand on the time line: intervals, moments, traces
    label_ledger  one analyst's acts on one session, each chained to the one before by its hash
    predicted   what a classifier said of a stretch, as it stands in its lane
    trials      what was asked and told, clip by clip
    lanes       what the stimulus intended and the participant said, as labels nothing can write to
    recover     a killed session made an ordinary file again
    apart       those two in a process of their own, for files whose history nobody knows
    copies      recordings that lie in a study more than once, and which of them counts

What may enter: anything that must know how a session lies on disk. What may not: windows,
instruments, feature computation. A new kind of stream needs nothing here as long as its samples
are rows of numbers or frames; a new table is one line in `layout.create` and one in `writer`.
A change of the format raises `layout.SCHEMA`, and `reader` keeps opening the older ones.
"""
