"""The command `emolab`, one verb per file.

    main      the table of verbs; the door where errors become one line and an exit code
    console   `emolab [STUDY]`, the windows
    engine    `emolab engine`, the process behind them; an engine of a command's own
    record    `emolab record`: a session from the command line
    headless, windowed   its two ways: in this process, or in windows before an engine of its own
    demo      `emolab demo`: a whole session with the simulated participant
    preflight `emolab preflight`: is everything there for a session, ten seconds long
    calibrate `emolab calibrate thermal`: how the thermal camera lies to the colour camera
    synctest  `emolab synctest`: how late each instrument shows flashes and clicks
    plan      `emolab plan`: what a participant will hear, and the arithmetic
    inspect   `emolab inspect` and `emolab recover`: what a file holds, and mending one
    train     `emolab train MODEL`: a model learns from a corpus; train_fer: expression models from faces
    compare   `emolab compare RUN…`: runs side by side, and whether they differ
    export    `emolab export`: sessions in the formats of others
    import_xdf  `emolab import`: an XDF recording as a session
    study     `emolab study`: pseudonyms, consent texts, check; study_private: identities, withdrawing
    doctor    `emolab doctor`: what this machine has, and what to fix
    stimuli   `emolab stimuli check|add|render`: the clip bank

A verb reads its arguments, calls one function of a lower room, and prints. Exit codes: 0 well,
1 the thing checked or recorded falls short, 2 wrong use, or something failed. `--json` prints one JSON value
and nothing else on standard output. Verbs are imported when they are called, so that `emolab
--help` shows within half a second: a new one is a file here and a line in `main.VERBS`.
"""
