"""What there is to show things on: screens, and the signs that stand for levels in a terminal."""

from __future__ import annotations

import os
import sys
from typing import Any

SIGNS = {"well": "●", "look": "▲", "act": "■"}  # of levels, where a line has no colour


def has_display() -> bool:
    """Whether windows can open here."""
    return not sys.platform.startswith("linux") or any(
        os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    )


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
