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
from pathlib import Path

from emolab.session.awake import let_go

log = logging.getLogger(__name__)

_SAVER = ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver")


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
        if process is not None:
            let_go(process)


def hold() -> None:
    """What the program does: say the wish, print what the desktop answers, hold on until its input ends."""
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    app = QCoreApplication([])
    bus = QDBusConnection.sessionBus()
    wish = QDBusMessage.createMethodCall(*_SAVER, "Inhibit")
    wish.setArguments(["emolab", "A session is being recorded"])
    answer = bus.call(wish)
    is_lit = answer.type() == answer.MessageType.ReplyMessage
    print("lit" if is_lit else answer.errorMessage(), flush=True)
    if is_lit:  # else there is nothing to hold on to
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
