"""The analysis of a study in a window: the report's sections, its figures to be touched.

    window        what is seen: choices above, sections at the left, one of them at the right
    flow          what happens when something is asked for
    analyser      `emolab analyse` as a child process, which can be stopped
    section_view  one section: words, tables, figures
    figure_view   a figure that tells what is under the pointer, zooms, and is saved

What is shown is `emolab.analysis.page.Page`, the same that becomes the HTML report.
"""
