"""What the participant sees: one page at a time, full screen, and always the same light.

    window     the full-screen window: its screen, its keys, its commands to the engine
    canvas     shows a `StageView` at any size and says when it has truly been painted
    pages      text, consent, listening and waiting pages
    rate       the report: five wide buttons with the words of the scale
    controls   outlined buttons and the box to tick, large enough for a finger
    keys       which key a person means, on any keyboard
    fit        font sizes at which words and texts fit their places
    ground     the grey behind everything, set so that each page gives off the same light
    mirror     the same page, small, for the experimenter

Light on the face disturbs cameras, thermal pictures and pupils. So the ground of each page is
chosen such that the mean luminance of the whole page stays the same, whatever text is on it
(`ground`), and nothing moves but the bar of the time left. All sizes follow the window's
(1.0 at 1920 × 1080). All texts come with the `StageView`, in the participant's language.

A new page is one class with `set_view`, `set_unit` and `press`, and one line in `canvas.PAGES`.
What may not enter: smileys (they prime), digits that count down, colours that mean something.
"""
