"""What there is to show things on: screens, and the signs that stand for levels in a terminal."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

SIGNS = {"well": "●", "look": "▲", "act": "■"}  # of levels, where a line has no colour
RED, PLAIN = "\033[1;31m", "\033[0m"  # of a terminal


def as_alarm(words: str) -> str:
    """A sentence with the shape of an alarm before it, red where a terminal shows it."""
    return f"{RED}■ {words}{PLAIN}" if sys.stdout.isatty() else f"■ {words}"


def has_display() -> bool:
    """Whether windows can open here. A display that is named must answer: Qt ends the program otherwise."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    if os.environ.get("WAYLAND_DISPLAY") and _answers("libwayland-client.so.0", "wl_display_connect", 1):
        return True
    return bool(os.environ.get("DISPLAY")) and _answers("libxcb.so.1", "xcb_connect", 2)


def _answers(library: str, connect: str, arguments: int) -> bool:
    """Whether the server that the environment names lets us in; True where its library is not there."""
    try:
        client = ctypes.CDLL(library)
    except OSError:
        return True  # Qt says what is missing
    call = getattr(client, connect)
    call.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(call(*[None] * arguments))
    if connect == "wl_display_connect":
        if connection:
            client.wl_display_disconnect(connection)
        return bool(connection)
    is_in = client.xcb_connection_has_error(connection) == 0
    client.xcb_disconnect(connection)
    return is_in


def screens() -> list[dict[str, Any]]:
    """Every screen by name, size in pixels and scale; empty without a display."""
    if not has_display():
        return []
    from PySide6.QtGui import QGuiApplication

    from emolab.gui.screens import screens as connected

    application = QGuiApplication.instance() or QGuiApplication(["emolab"])
    facts = [
        {
            "name": screen.name,
            "x": screen.geometry.x(),
            "y": screen.geometry.y(),
            "width": screen.geometry.width(),
            "height": screen.geometry.height(),
            "scale": screen.scale,
            "primary": screen.is_primary,
        }
        for screen in connected()
    ]
    del application
    return facts
