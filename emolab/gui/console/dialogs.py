"""The few questions the console asks in a window of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLineEdit,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.widgets.panel import text

CLOSE, STOP, STAY = "close", "stop", "stay"
STOP_WORD = "stop"
KEY_ROWS = 18  # of a column of keys: all fit on a small screen


def ask(dialog: QDialog) -> bool:
    """Whether a dialog is accepted. It holds up its own window only: the participant's goes on hearing."""
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    is_accepted = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return is_accepted


def ask_closing(parent: QWidget) -> str:
    """A session runs and the window is to be closed: `close`, `stop` (end the session first) or `stay`."""
    return _ask_going(
        parent,
        "The recording goes on. Start emolab again to attach.",
        "The participant's page closes with this window",
        "Close, the recording goes on",
    )


def ask_leaving(parent: QWidget) -> str:
    """A session runs and its study is to be left: `close`, `stop` or `stay`, as for the window."""
    return _ask_going(
        parent,
        "The recording goes on. Attach to it again from the start page.",
        "The participant's page closes when you leave",
        "Leave, the recording goes on",
    )


def _ask_going(parent: QWidget, told: str, closes: str, go: str) -> str:
    box = QMessageBox(parent)
    box.setWindowTitle("A session is running")
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(told)
    box.setInformativeText(f"{closes}; a session that a participant answers then waits before the next clip.")
    close = box.addButton(go, QMessageBox.ButtonRole.AcceptRole)
    stop = box.addButton("Stop the session first…", QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    ask(box)
    clicked = box.clickedButton()
    return CLOSE if clicked is close else STOP if clicked is stop else STAY


def ask_stopping(parent: QWidget) -> bool:
    """Whether the session is to be ended: the word must be typed, for hands that cannot hold a key."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Stop the session")
    column = QVBoxLayout(dialog)
    column.setSpacing(theme.px(12))
    column.addWidget(
        text("The session ends here. What is recorded is kept and the file is closed in order.", wraps=True)
    )
    column.addWidget(text(f"Type {STOP_WORD} and press Enter.", "message"))
    field = QLineEdit()
    field.setAccessibleName(f"type {STOP_WORD} to end the session")
    column.addWidget(field)
    buttons = QDialogButtonBox()
    confirm = buttons.addButton("Stop the session", QDialogButtonBox.ButtonRole.AcceptRole)
    buttons.addButton("Go on", QDialogButtonBox.ButtonRole.RejectRole)
    theme.role(confirm, "danger")
    confirm.setEnabled(False)
    field.textChanged.connect(lambda typed: confirm.setEnabled(typed.strip().lower() == STOP_WORD))
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    field.setFocus()
    return ask(dialog)


def show_keys(parent: QWidget, keys: Sequence[tuple[str, str]]) -> None:
    """All keys and what they do."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Keys")
    grid = QGridLayout(dialog)
    grid.setHorizontalSpacing(theme.px(24))
    for at, (key, what) in enumerate(keys):
        row, column = at % KEY_ROWS, at // KEY_ROWS * 2
        label = text(key)
        label.setFont(theme.font(bold=True))
        grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(text(what.replace("&", "")), row, column + 1)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    grid.addWidget(buttons, grid.rowCount(), 0, 1, grid.columnCount())
    ask(dialog)


def ask_study(parent: QWidget, near: Path | None) -> Path | None:
    """A folder to open as a study."""
    return _ask_folder(parent, "Open a study folder", near or Path.home())


def ask_new_study(parent: QWidget, near: Path | None) -> Path | None:
    """A folder that does not exist yet; it is made."""
    dialog = QFileDialog(parent, "Name the new study folder", str(near.parent if near else Path.home()))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.selectFile("study")
    path = _ask_path(dialog)
    if path is not None:
        path.mkdir(parents=True, exist_ok=True)
    return path


def ask_protocol(parent: QWidget, near: Path | None) -> Path | None:
    """A protocol file."""
    return _ask_file(parent, "Protocol", near, "Protocols (*.yaml *.yml)")


def ask_recording(parent: QWidget, near: Path | None) -> Path | None:
    """A recording to review."""
    return _ask_file(parent, "Review a session", near, "Sessions (*.h5)")


def ask_classifier(parent: QWidget, now: str, own: str) -> str | None:
    """The folder of a run, or `own` for the classifier that comes with emolab; None for no change."""
    box = QMessageBox(parent)
    box.setWindowTitle("Classifier to read out")
    box.setText("Which classifier shall be read out beside the curves?")
    told = "the one that comes with emolab" if now == own else now
    box.setInformativeText(f"Now: {told}\nIt is looked at beside the engine; nothing waits for it.")
    shipped = box.addButton("emolab's own", QMessageBox.ButtonRole.AcceptRole)
    mine = box.addButton("A run of mine…", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    ask(box)
    if box.clickedButton() is shipped:
        return own
    if box.clickedButton() is not mine:
        return None
    near = Path.home() if now == own else Path(now).parent
    found = _ask_folder(parent, "The folder of a run ('emolab train --out')", near)
    return str(found) if found is not None else None


def ask_devices(parent: QWidget, near: Path | None) -> Path | None:
    """A devices file."""
    return _ask_file(parent, "Devices file", near, "Devices (*.toml)")


def _ask_file(parent: QWidget, title: str, near: Path | None, kinds: str) -> Path | None:
    dialog = QFileDialog(parent, title, str(near or Path.home()), kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _ask_path(dialog)


def _ask_folder(parent: QWidget, title: str, near: Path) -> Path | None:
    dialog = QFileDialog(parent, title, str(near))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _ask_path(dialog)


def _ask_path(dialog: QFileDialog) -> Path | None:
    """An instance, since Qt's own `getOpenFileName` and its like hold up every window."""
    return Path(dialog.selectedFiles()[0]) if ask(dialog) else None
