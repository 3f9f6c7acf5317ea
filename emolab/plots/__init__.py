"""Figures from arrays and tables, without Qt: the same on paper, in the report and in the window.

    style      paper sizes, the two looks, the five states; `Drawing`: figure, caption and words
    labels     which states were reported, overall and by participant
    changes    boxes and swarms of features by state; swarm says where its points go
    tests      coefficients and effect sizes with their intervals
    signals    one session over time; its protocol, planned and actual

Each takes a table or arrays and a `Look`, and returns a `Drawing`: `save` writes PNG, SVG or PDF, the same
bytes each time. No text may lie on another: `tests/plots/studies.py: check` holds every figure to it.

What may enter: functions that take numbers and return a matplotlib `Figure`. What may not: recordings,
studies, Qt, pyplot (its global state leaks between figures and opens windows).
"""
