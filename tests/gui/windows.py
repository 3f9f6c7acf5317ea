"""A window under test let work for a while, and its end, or that of another of Qt's things and threads."""

from __future__ import annotations

import threading
import time

from PySide6.QtCore import QCoreApplication, QEvent, QObject

PATIENCE_MS = 60_000  # for what must come


def settle(seconds: float) -> None:
    """Let all windows work for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QCoreApplication.processEvents()
        time.sleep(0.01)


def join_errands() -> None:
    """Wait for the console's threads: what they emit when it is gone would fail another test."""
    for thread in threading.enumerate():
        if thread.name in ("connect", "chore", "end"):
            thread.join(60)


def destroy(thing: QObject) -> None:
    """Destroy it here and now: the garbage collector may run in a thread, which would take Qt along."""
    thing.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
