"""What the analyst sees: one session on one time line.

    reviews       opens recordings one after the other; what is remembered; exporter: written for others
    flow          what happens when something is asked for: the one place that knows all parts
    replay        play, step, seek, zoom
    labelling     keys and fields become acts in the ledger
    window        pictures and facts above, the time line below; menus, questions
    span          the stretch of time that all lanes show, and the cursor in it
    chart         all signals (raster: curves as pixels; ruler; usable_strip: how usable each is)
    lane_view     the lanes of labels (label_paint: colour says what, pattern who)
    overview      the whole session as a strip
    classifying   a classifier run beside the window (guesser, classifier_dialog, model_card, heat_strip)
    pictures      the cameras, each frame fetched in a thread (fetcher)
    transport     play, step, speed
    facts_panel   what is known of the clip at the cursor
    label_panel   state, word, valence and arousal (pad), tags, note
    why_bar, history_bar, header   the lines at the foot and at the top

Parts take values and emit intentions; none of them knows another, all share one `Span`. What a
recording holds comes from `review.timeline`, what a key means from `review.relabel`: arithmetic on
labels and signals stays in those rooms. A new lane is a line in `review.lanes`, a new key a line in
`menus`.
"""
