"""The report, section by section: each function makes one of an analysis, for readers in a hurry.

    protocol    planned against actual
    timeline    one session alone: its steps and its signals
    health      how good each stream is, a row a session
    labels      what was said (Fig. 2)
    changes     what the body did (Figs. 3 and 4)
    tests       whether it tells the states apart
    deviations  what was not as planned, and what was left out
    methods     a paragraph for the paper, numbers filled in
    provenance  software, devices, files
    figures     how numbers are written

What was found stands first, in `report`, which puts the sections in their order. A new one is a function
that returns a `Section`, and a line there.
"""
