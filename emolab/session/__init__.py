"""A live recording: everything that happens now, without Qt, in a process of its own.

    engine        the process: one thread does all in turn, and windows are answered (`commands`, `view`)
    live_session  begins a session, goes on with it, and ends it so that its file is whole, whatever happens
    laboratory    how things stand: instruments, sound, windows, what holds it up, the session if there is one
    rings         where the shared rings lie; those of killed engines are swept away
    pump          one thread a source: blocking read, reopen when it went away, offer to the hub
    hub           hands each chunk to the recorder, the rings and the health page; never blocks
    outlets       offers streams and events to other programs (LSL), when asked; never waited for
    player        plays a clip so that its onset is known
    live_clock    true rate, drift and jitter of each device while it runs
    health        judges each stream: well, look, act, with the remedy
    watch         once a second: disk, room, date, sound card (sought again when it has gone)
    diskroom      how much room a disk has, asked where a drive that hangs holds up nobody
    headroom      how much room is left; what is shown goes first, what is recorded never
    awake         asks the system that the computer does not go to sleep meanwhile
    wallclock     notices when the computer's date is set
    standstill    notices that the engine stood still, before what was due happens all at once; pauses
    judging       what a stream's signals are worth: `signals` told what the instrument says of itself
    readiness     the pre-flight: everything looked at before a session; red needs a typed reason (`checks`)
    resume        what is left of a session that broke off
    rehearsal     a whole study of simulated participants, made without waiting
    occupied      who is being recorded now, so that nobody erases it
    mend          files that were never closed are made whole when their study is opened again
    synctest      how late each instrument shows flashes and clicks; synctest_report judges and keeps it
    snapshot      what a window is told and what it may ask, as one JSON line each
    address       where the engine of a study listens
    owner         whose study it is when the engine named there does not answer
    link          the local connection between engine and windows
    client        the window's end of it: start an engine, or attach to the one that runs

The data path goes one way: source → pump → hub → recorder and rings. Back go only commands.
A window may die at any moment; the engine does not notice but for an event in the file.
"""
