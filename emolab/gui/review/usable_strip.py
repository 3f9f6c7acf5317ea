"""A strip under a curve: how usable its signal is, ten seconds at a time.

Colour says it, and height as well: a thin line is well, one twice as high asks to be looked at, a full
block cannot be used. Where a pixel covers more than ten seconds the worst of them is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from emolab.gui import theme
from emolab.signals.finding import level_of
from emolab.signals.usable import WINDOW_S

TALL_PX = 6
LEVELS = {"well": 1 / 3, "look": 2 / 3, "act": 1.0}  # share of the height


def paint(pixels: NDArray[np.uint8], shares: tuple[float, ...], from_s: float, to_s: float) -> None:
    """Onto `pixels` `(tall, wide, 4)`, of `from_s` to `to_s`; nothing before zero and after the end."""
    tall, wide = pixels.shape[:2]
    grades = _grades(shares)
    edges = np.floor((from_s + np.arange(wide + 1) * (to_s - from_s) / wide) / WINDOW_S).astype(np.int64)
    first, last = edges[:-1], np.minimum(np.maximum(edges[1:], edges[:-1] + 1), len(grades))
    there = (first >= 0) & (first < len(grades))
    worst = np.full(wide, -1)
    if there.any():
        columns = np.flatnonzero(there)
        pairs = np.stack([first[columns], last[columns]], axis=1).ravel()
        worst[columns] = np.maximum.reduceat(np.append(grades, -1), pairs)[::2]
    for at, (name, share) in enumerate(LEVELS.items()):
        colour = QColor(theme.HEALTH[name].colour)
        rows = max(round(share * tall), 1)
        pixels[tall - rows :, worst == at] = (colour.blue(), colour.green(), colour.red(), 255)


@lru_cache(64)
def _grades(shares: tuple[float, ...]) -> NDArray[np.int64]:
    """The place of each share's level in `LEVELS`; of eight hours it is not asked anew at every move."""
    places = list(LEVELS)
    return np.array([places.index(level_of(share)) for share in shares])


def words(shares: Sequence[float], time_s: float) -> str:
    """What a strip says at a moment; empty where it says nothing."""
    at = int(time_s // WINDOW_S)
    if not 0 <= at < len(shares):
        return ""
    look = theme.HEALTH[level_of(shares[at])]
    return f"{look.symbol} {look.word}, {shares[at]:.0%} of these {WINDOW_S:.0f} s can be used"
