"""Small things that several windows show, one a file; each takes values and emits intentions.

    health_light   one stream's state: shape, colour and word
    envelope       many samples as the few points a plot has columns for
    steady_range   limits of an axis that follow the signal without twitching
    frame_view     the newest picture of a camera; thermal pictures with degrees
    time_bar       the time left as a thin bar
    step_strip     the steps of a session from left to right, the present one plain to see
    panel, notice  a titled group, text that gives way, a sentence over the page
    words          numbers in words
    fact_table     rows of facts under their headings
    chooser        a list to choose from
    curve          many points handed to Qt at once
    hold_button    a button that must be held, for what cannot be undone

What may enter: a widget of use to two windows that can be tested with values alone. A widget
only one window needs stays with that window. Widgets that live from shared memory take a
function that gives the ring or slot (`lambda: bridge.ring("board")`), and draw when `refresh`
is called: their window owns the one timer.
"""
