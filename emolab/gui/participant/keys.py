"""Which key a person means, whatever the keyboard's layout and its Num Lock.

A French or Czech keyboard gives other signs than digits in the row above the letters, and a number
pad without Num Lock gives arrows: "4" would move the choice. The key's place tells what is meant.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

_ONE = Qt.Key.Key_1.value
_PAD = (Qt.Key.Key_End, Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_Left, Qt.Key.Key_Clear)
_ROWS = {"win32": (2, 3, 4, 5, 6), "darwin": (18, 19, 20, 21, 23)}  # places of 1 to 5 above the letters
_LINUX = (10, 11, 12, 13, 14)  # X11 and Wayland alike: the kernel's codes and eight


def meant(event: QKeyEvent) -> int:
    """The key a person pressed: 1 to 5 by their places, any other as Qt tells it."""
    key, is_mac = event.key(), sys.platform == "darwin"
    if event.modifiers() & Qt.KeyboardModifier.KeypadModifier:
        pad = () if is_mac else _PAD  # its pad has no lock, and its arrows count as of the pad
        return _ONE + pad.index(Qt.Key(key)) if key in pad else key
    place = event.nativeVirtualKey() if is_mac else event.nativeScanCode()
    row = _ROWS.get(sys.platform, _LINUX)
    is_digit = Qt.Key.Key_0 <= key <= Qt.Key.Key_9  # a layout may have its digits elsewhere
    return _ONE + row.index(place) if place in row and not is_digit else key
