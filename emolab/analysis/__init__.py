"""From recordings to the figures and the test of the EmoMusic paper, for one session or a whole study.

    study       `analyse`: all of it, into a folder; `opened`: the report made again of what was measured
    measure     one session: a row for the rest, a row for each clip (windows, modalities, labels)
    twice       a study's recordings counted once: copies left out, rivals told
    cameras     how both cameras lie, and heads measured where the colour camera sees them
    banks       how loud the clips themselves are
    table       the tidy table, with units and provenance
    findings    what the statistics say of it
    report      the page, section by section (sections/), and page: how it becomes HTML
    kept        what was measured, so that an unchanged session is not measured twice
    ready       compiles what measuring needs, at the end of set-up

What may enter: whatever reads recordings and judges them afterwards, without Qt. The arithmetic itself
is in `signals` (of one stretch of signal), `stats` (of tables) and `plots` (on paper). One more kind of
signal is an entry in `modalities.MODALITIES`; its features, figures and tables follow from that.
"""
