"""A window under test let work for a while, and its end, or that of another of Qt's things."""

from __future__ import annotations

import time

from PySide6.QtCore import QCoreApplication, QEvent, QObject


def settle(seconds: float) -> None:
    """Let all windows work for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QCoreApplication.processEvents()
        time.sleep(0.01)


def destroy(thing: QObject) -> None:
    """Destroy it here and now: the garbage collector may run in a thread, which would take Qt along."""
    thing.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
