"""The console's menus as data: every action with its words and its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from emolab import __version__
from emolab.gui import theme
from emolab.gui.actions import Action, key_table
from emolab.gui.console import dialogs

if TYPE_CHECKING:
    from emolab.gui.console.flow import Flow

HELD = ("Esc, held", "Stop the session")


def menus(flow: Flow) -> dict[str, list[Action]]:
    """Title of each menu to its actions; single keys work on the run page only."""
    window = flow.window
    run, hand = window.run, window.run.hand
    found = {
        "&Study": [
            Action("next", "Start, or next participant", "Ctrl+Return", lambda: _primary(flow)),
            Action("other", "Other study…", "Ctrl+O", flow.leave_study),
            Action("review", "Review a session…", "Ctrl+L", flow.ask_review),
            Action("analyse", "Analyse the study…", "Ctrl+Shift+A", flow.analyse_study),
            Action("close", "Close the console", "Ctrl+Q", window.closeRequested.emit),
        ],
        "Sess&ion": [
            Action("check", "Check everything", "F5", window.setup.check_button.click),
            Action("pause", "Pause at next step, or resume", "P", hand.pause_or_resume),
            Action("skip", "Skip this step", "S", hand.skip_button.arm),
            Action("repeat", "Repeat this step", "R", hand.repeat_button.arm),
            Action("mark", "Mark this moment", "M", hand.mark),
            Action("words", "Write a note", "N", hand.words_field.setFocus),
            Action("freeze", "Freeze the curves", "F", run.signals.freeze_button.toggle),
            Action("classifier", "Read out a classifier", "C", run.signals.classifier_button.toggle),
            Action("which", "Which classifier to read out…", "Ctrl+Shift+C", flow.reading.ask),
            Action("retry", "Retry what is not well", "Ctrl+R", flow.retry),
            Action("move", "Participant's page to the next screen", "Ctrl+Shift+P", flow.move_participant),
            Action("stop", "Stop the session…", "Ctrl+Shift+S", flow.stop_by_word),
        ],
        "&View": [
            Action("dark", "Dark", "", lambda: _dress("dark")),
            Action("light", "Light", "", lambda: _dress("light")),
            Action("system", "As the system", "", lambda: _dress("system")),
            Action("full", "Full screen", "F11", lambda: _toggle_full(flow)),
        ],
    }
    keys = [action for actions in found.values() for action in actions]
    found["&Help"] = [
        Action("keys", "Keys", "F1", lambda: dialogs.show_keys(window, [*key_table(keys), HELD])),
        Action(
            "about", f"emolab {__version__}", "", lambda: window.notice.say(f"emolab {__version__}", "well")
        ),
    ]
    return found


def _primary(flow: Flow) -> None:
    """The one thing to do next on the page shown."""
    window = flow.window
    button = {"setup": window.setup.start_button, "finish": window.finish.next_button}.get(window.page)
    if button is not None:
        button.click()


def _dress(name: theme.ThemeName) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, name, theme.scale())


def _toggle_full(flow: Flow) -> None:
    window = flow.window
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()
