"""What the experimenter sees: one window of five pages, made of panels.

    window        the pages and the menu; shows what a snapshot asks for
    flow          what happens when something is asked for: studies, devices files, engine, start
    desk          the connection to an engine: start, attach, hang up, end
    start_page    choose a study, try the demo, go back to a running session
    setup_page    participant_panel, protocol_panel, room_panel, instruments_panel (instrument_row),
                  preflight_panel (check_row) over the instruments, start_bar;
                  override asks why, when something is red; mended_bar: what had broken off
    run_page      run_header, banner, signals_panel (strip_chart), watch_panel, log_panel,
                  health_bar, action_bar (armed_button)
    finish_page   what was recorded, answers, note, next participant
    lost_page     the engine has died: what is kept, how to recover it
    readiness     why a session may not start yet, as rules over values
    planning      the plan in words
    readout       what a classifier makes of the newest seconds, read out beside the curves; reading: which
    number_field, sparkline, thumbnail   small shapes the pages share
    seat, identify, dialogs, menus, chores, memory   the participant's window, questions, errands

Panels take values (`show_snapshot`, `show_plan`) and emit intentions (`startRequested`); none of
them talks to the engine or knows another. Only `flow` connects the two. A new fact on a page is
a field of `Snapshot` and a line in the panel that shows it; a new intention is a signal here and
a line in `flow`.
"""
