"""XDF recordings, as LabRecorder and emolab write them, read in.

    intake    an XDF recording as a session
    file      what stands in such a file, as far as it can be read
    clock     the clocks of its senders, laid onto the recorder's

Writing them is `study.export.xdf`.
"""
