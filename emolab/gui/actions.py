"""Menu entries and keys as data: a table of `Action`, made into Qt's by `install`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget


@dataclass(frozen=True)
class Action:
    """One thing the user can ask for. `shortcut` as Qt writes it ("Ctrl+M"), empty for none."""

    key: str
    text: str
    shortcut: str
    callback: Callable[[], None]
    hint: str = ""


def install(widget: QWidget, actions: Iterable[Action], menu: QMenu | None = None) -> dict[str, QAction]:
    """Give `widget` (and `menu`) the actions; returns Qt's by key, to switch them on and off."""
    made: dict[str, QAction] = {}
    for action in actions:
        entry = QAction(action.text, widget)
        entry.setObjectName(action.key)
        entry.setToolTip(action.hint or action.text)
        if action.shortcut:
            entry.setShortcut(QKeySequence(action.shortcut))
        entry.triggered.connect(_without_argument(action.callback))
        widget.addAction(entry)
        if menu is not None:
            menu.addAction(entry)
        made[action.key] = entry
    return made


def key_table(actions: Iterable[Action]) -> list[tuple[str, str]]:
    """`(keys, what they do)` for a page that shows all keys, actions without keys left out."""
    shown = QKeySequence.SequenceFormat.NativeText
    return [(QKeySequence(a.shortcut).toString(shown), a.text) for a in actions if a.shortcut]


def _without_argument(callback: Callable[[], None]) -> Callable[[bool], None]:
    return lambda _checked: callback()
