"""Garbage is collected in the window's thread only.

Python collects cycles in whichever thread happens to allocate. When that is a worker, widgets
caught in a cycle are destroyed outside the thread they belong to, and Qt crashes.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 250


class Collector(QObject):
    """While it lives, cycles are collected from the event loop of its thread. `stop` ends that."""

    _living = 0

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        Collector._living += 1
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(LOOK_MS)

    def stop(self) -> None:
        """Leave it to Python again, once the last collector has stopped."""
        if self._timer.isActive():
            self._timer.stop()
            Collector._living -= 1
            if Collector._living == 0:
                gc.enable()

    def _look(self) -> None:
        """Collect the oldest generation that is due by Python's own thresholds."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
