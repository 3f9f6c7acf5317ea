"""Many points handed to Qt at once."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPolygonF
from shiboken6 import VoidPtr


def unbroken(x: NDArray, y: NDArray) -> list[QPolygonF]:
    """A curve in pieces that have no gap inside; `x`, `y`: `(n,)` pixels, NaN in `y` is a gap."""
    gaps = np.flatnonzero(~np.isfinite(y))
    pieces = np.split(np.arange(len(y)), gaps) if len(gaps) else [np.arange(len(y))]
    found = []
    for piece in pieces:
        inside = piece[np.isfinite(y[piece])]
        if len(inside) > 1:
            found.append(polygon(x[inside], y[inside]))
    return found


def polygon(x: NDArray, y: NDArray) -> QPolygonF:
    """Points `(n,)` as Qt draws them, copied in one go."""
    made = QPolygonF()
    made.resize(len(x))
    address: Any = made.data()
    memory: Any = cast(Any, VoidPtr)(address, len(x) * 16, True)
    points = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)
    points[:, 0], points[:, 1] = x, y
    return made
