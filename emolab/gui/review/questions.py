"""What the review asks in a window of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QInputDialog,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.review.labelling import Labelling
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.panel import text
from emolab.review.history import told

FORMATS = {
    "csv": "Tables (CSV): every stream, events, answers, labels",
    "bids": "BIDS data set: physio and events, valid by its validator",
    "xdf": "XDF: all streams and labels in one file",
    "mp4": "Films (MP4): the video as it was recorded",
    "eaf": "ELAN: all lanes of labels",
}


def ask_session(parent: QWidget, near: Path) -> Path | None:
    """A recording."""
    found = QFileDialog.getOpenFileName(parent, "Open a session", str(near.parent), "Sessions (*.h5)")[0]
    return Path(found) if found else None


def ask_analyst(parent: QWidget, now: str) -> str:
    """A name; empty when it was left."""
    name, is_given = QInputDialog.getText(
        parent,
        "Whose labels",
        "Your name or initials. What you label is kept in a lane of this name:",
        text=now,
    )
    return name.strip() if is_given else ""


def show_history(parent: QWidget, labelling: Labelling, show_past: Callable[[int | None], None]) -> None:
    """All acts, newest first; choosing one shows the lane as it stood after it."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(f"History of {labelling.analyst}'s labels")
    dialog.resize(theme.px(620), theme.px(460))
    column = QVBoxLayout(dialog)
    column.addWidget(text("Choose an act to see the labels as they stood then.", "muted", wraps=True))
    acts = QListWidget()
    acts.setAccessibleName("acts, newest first")
    for act in reversed(labelling.acts):
        at = act.utc.astimezone().strftime("%Y-%m-%d %H:%M")
        by = f" · by {act.by.get('model', 'a model')}" if act.by else ""
        item = QListWidgetItem(f"{act.number}   {at}   {told(act)}{by}")
        item.setData(Qt.ItemDataRole.UserRole, act.number)
        item.setToolTip(f"hash {act.hash}")
        acts.addItem(item)
    if not labelling.acts:
        acts.addItem("Nothing was labelled yet.")
        acts.setEnabled(False)
    acts.currentItemChanged.connect(
        lambda item, _: show_past(item.data(Qt.ItemDataRole.UserRole)) if item is not None else None
    )
    column.addWidget(acts, 1)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    dialog.exec()
    show_past(None)


def ask_export(parent: QWidget) -> tuple[str, Path] | None:
    """A format, one of `FORMATS`, and a folder."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Export this session")
    column = QVBoxLayout(dialog)
    column.setSpacing(theme.px(12))
    formats = Chooser("format")
    formats.setMinimumWidth(theme.px(460))
    for key, words in FORMATS.items():
        formats.addItem(words, key)
    column.addWidget(formats)
    column.addWidget(text("The recording itself is not changed.", "muted"))
    buttons = QDialogButtonBox()
    buttons.addButton("Choose the folder…", QDialogButtonBox.ButtonRole.AcceptRole)
    buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return None
    folder = QFileDialog.getExistingDirectory(parent, "Export into", str(Path.home()))
    return (str(formats.currentData()), Path(folder)) if folder else None
