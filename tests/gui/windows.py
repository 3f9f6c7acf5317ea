"""The end of a window under test, or of another of Qt's things."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject


def destroy(thing: QObject) -> None:
    """Destroy it here and now: the garbage collector may run in a thread, which would take Qt along."""
    thing.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
