"""A Linux desktop leaves its screens lit and unlocked while the participant's window is open.

    lit = Lit()
    lit.keep()      # org.freedesktop.ScreenSaver.Inhibit, which GNOME, KDE, Xfce, MATE and Cinnamon answer
    lit.let_go()

In a rest nobody touches a key, and after as many minutes a desktop would show its lock to the participant.
The wish lives as long as its connection to the desktop, which a program of its own holds: a desktop that does
not answer holds up no window, and the program ends with the window's process, however that ends. macOS and
Windows hear it from the engine (`session.awake`).
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_SAVER = ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver")
END_S = 1.0


class Lit:
    """One window's. `process`: what holds the wish, None when there is none."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        """Ask the desktop, in the background. Nothing where there is none to ask."""
        if self.process is not None or not _has_desktop():
            return
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "emolab.gui.lit"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl+C in a terminal is for the window
            )
        except OSError as error:
            log.info("the desktop cannot be asked for lit screens: %s", error)

    def let_go(self) -> None:
        """Let the desktop do as it likes. Idempotent."""
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:  # the desktop has not answered yet
            process.kill()
            process.wait()


def hold() -> None:
    """What the program does: say the wish, print what the desktop answers, wait for the end of its input."""
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    app = QCoreApplication([])
    bus = QDBusConnection.sessionBus()
    wish = QDBusMessage.createMethodCall(*_SAVER, "Inhibit")
    wish.setArguments(["emolab", "A session is being recorded"])
    answer = bus.call(wish)
    print("lit" if answer.type() == answer.MessageType.ReplyMessage else answer.errorMessage(), flush=True)
    sys.stdin.read()
    del app


def _has_desktop() -> bool:
    """Whether a desktop can be asked; without an address, asking would start one."""
    if not sys.platform.startswith("linux"):
        return False
    usual = Path(os.environ.get("XDG_RUNTIME_DIR", "")) / "bus"
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or (usual.is_absolute() and usual.exists())


if __name__ == "__main__":
    hold()
