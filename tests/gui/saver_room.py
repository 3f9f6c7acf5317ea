"""A desktop that can be asked to leave its screens lit.

    python -m tests.gui.saver_room LOG      # "ready", then a line a wish

On the bus named by DBUS_SESSION_BUS_ADDRESS. Not a test: `test_lit` runs it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import ClassInfo, QCoreApplication, QObject, Slot
from PySide6.QtDBus import QDBusConnection

NAME, PLACE = "org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"


@ClassInfo({"D-Bus Interface": NAME})
class Desktop(QObject):
    """Notes who wishes what."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    @Slot(str, str, result=int)
    def Inhibit(self, program: str, why: str) -> int:
        """A cookie."""
        self.note(f"wish of {program}: {why}")
        return 7

    def note(self, what: str) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{what}\n")


def main(log: Path) -> None:
    """Serve until killed."""
    app = QCoreApplication([])
    bus, desktop = QDBusConnection.sessionBus(), Desktop(log)
    assert bus.registerObject(PLACE, desktop, QDBusConnection.RegisterOption.ExportAllSlots)
    assert bus.registerService(NAME)
    desktop.note("ready")
    app.exec()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
