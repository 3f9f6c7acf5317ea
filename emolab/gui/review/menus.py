"""The review's menus as data: every action with its words and its key."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QApplication

from emolab.core.label import STATES
from emolab.gui import theme
from emolab.gui.actions import Action, key_table
from emolab.gui.console.dialogs import show_keys
from emolab.gui.review.flow import ReviewFlow


def menus(flow: ReviewFlow) -> dict[str, list[Action]]:
    """Title of each menu to its actions; single keys work wherever no text is typed."""
    found = {
        "&Session": [
            Action("open", "Open a session…", "Ctrl+O", flow.ask_session),
            Action("export", "Export…", "Ctrl+E", flow.export),
            Action("close", "Close", "Ctrl+Q", lambda: _close(flow)),
        ],
        "&Play": [
            Action("play", "Play, or pause", "Space", flow.replay.play_or_pause),
            Action("back", "A second back", "Left", lambda: flow.replay.step_s(-1.0)),
            Action("on", "A second on", "Right", lambda: flow.replay.step_s(1.0)),
            Action("page back", "A page back", "Shift+Left", lambda: flow.replay.step_pages(-1)),
            Action("page on", "A page on", "Shift+Right", lambda: flow.replay.step_pages(1)),
            Action("frame back", "A frame back", ",", lambda: flow.replay.step_frames(-1)),
            Action("frame on", "A frame on", ".", lambda: flow.replay.step_frames(1)),
            Action("clip before", "The clip before", "PgUp", lambda: flow.step_trials(-1)),
            Action("next clip", "The next clip", "PgDown", lambda: flow.step_trials(1)),
            Action("begin", "The begin", "Home", lambda: flow.seek(flow.span.begin_s)),
            Action("end", "The end", "End", lambda: flow.seek(flow.span.end_s)),
            Action("slower", "Slower", "Shift+,", lambda: flow.replay.step_speed(-1)),
            Action("faster", "Faster", "Shift+.", lambda: flow.replay.step_speed(1)),
        ],
        "&Label": _labels(flow),
        "&Check": [
            Action("check", "Check labels against the face", "F5", flow.check),
            Action("checks", "All verdicts…", "V", flow.show_checks),
            Action("conflict", "Next conflict", "N", flow.next_conflict),
            Action("classify", "Run a classifier…", "F6", flow.classifying.ask),
            Action("card", "The classifier's card…", "K", flow.show_card),
            Action("agreement", "Agreement between lanes…", "A", flow.show_agreement),
        ],
        "&View": [
            Action("closer", "Closer", "+", lambda: flow.replay.zoom(2)),
            Action("closer too", "Closer", "=", lambda: flow.replay.zoom(2)),
            Action("further", "Further", "-", lambda: flow.replay.zoom(-2)),
            Action("whole", "The whole session", "0", flow.span.whole),
            Action("clip", "This clip", "C", flow.show_clip),
            Action("scale", "Scale to the whole session, or to what is shown", "Y", flow.toggle_scale),
            Action("dark", "Dark", "", lambda: _dress("dark")),
            Action("light", "Light", "", lambda: _dress("light")),
            Action("system", "As the system", "", lambda: _dress("system")),
            Action("full", "Full screen", "F11", lambda: _toggle_full(flow)),
        ],
        "&Help": [
            Action("keys", "Keys", "?", lambda: show_keys(flow.window, key_table(every))),
            Action("keys too", "Keys", "F1", lambda: show_keys(flow.window, key_table(every))),
        ],
    }
    every = [action for actions in found.values() for action in actions]
    return found


def _labels(flow: ReviewFlow) -> list[Action]:
    """What an analyst says."""
    return [
        *(
            Action(
                one.key,
                one.key.replace("_", " ").capitalize(),
                str(one.rank + 3),
                partial(flow.give_state, one.rank),
            )
            for one in STATES
        ),
        Action("start", "It begins here", "[", lambda: flow.set_edge(is_end=False)),
        Action("stop", "It ends here", "]", lambda: flow.set_edge(is_end=True)),
        Action("moment", "Mark this moment", "M", flow.mark_moment),
        Action("split", "Split here", "S", flow.split),
        Action("trace", "Draw valence and arousal", "T", flow.toggle_drawing),
        Action("remove", "Remove the label", "Del", flow.remove),
        Action("note", "Write a note", "Ctrl+N", lambda: flow.window.labels.note_field.setFocus()),
        Action("undo", "Undo", "Ctrl+Z", flow.undo),
        Action("redo", "Redo", "Ctrl+Y", flow.redo),
        Action("history", "History…", "H", flow.show_history),
        Action("analyst", "Whose labels…", "", flow.ask_analyst),
    ]


def _close(flow: ReviewFlow) -> None:
    flow.window.close()


def _dress(name: theme.ThemeName) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, name, theme.scale())


def _toggle_full(flow: ReviewFlow) -> None:
    window = flow.window
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()
