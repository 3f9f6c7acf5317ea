"""The end of a window under test."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget


def destroy(window: QWidget) -> None:
    """Destroy it here and now: the garbage collector may run in a thread, which would take Qt along."""
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
