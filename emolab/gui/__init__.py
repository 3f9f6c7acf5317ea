"""The windows: the only room that knows Qt.

    app           opens the windows and is the last door for errors
    theme         colours, sizes and one style sheet made from them; dark, light, 100 to 200 %
    bridge        the engine as the windows know it: a snapshot 30 times a second, commands back
    verb          a verb of the command line as a child: how far it is, its last word, stop
    errand        what a thread brings to a window that may have been closed meanwhile
    garbage       Python's garbage is collected in the window's thread only
    screens       which screens there are, and a participant window that stays on its own
    lit           asks a desktop not to darken or lock the screens meanwhile
    actions       menu entries and keys as data: `Action(key, text, shortcut, callback)`
    console/      what the experimenter sees: set-up, run, finish
    participant/  what the participant sees: one page at a time, full screen, constant light
    widgets/      small things both use: lights, live plots, camera picture, time line

Widgets receive values and emit intentions; what they show comes from a `Snapshot`, and they
keep no study state. Nothing here blocks: the engine is asked in a thread of the bridge, and
samples are read from shared rings. Colours and sizes come from `theme`, never as literals.

What may enter: a widget that can be understood with its file alone, its test and its
screenshot. A new page of the participant's is one class in `participant/` and one line in
`participant.canvas.PAGES`. What may not: arithmetic on signals, files, devices, waiting.
"""
