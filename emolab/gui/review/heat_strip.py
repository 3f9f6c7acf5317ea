"""A strip under skin conductance: where a network looked (Grad-CAM), from nothing to most.

It tells where evidence was found, not that there was any. Where windows overlap, the greatest is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from emolab.gui import theme

TALL_PX = 8


@dataclass(frozen=True)
class Heat:
    """Of one window: `values`, 0 to 1, in equal parts from `from_s` to `to_s`."""

    from_s: float
    to_s: float
    values: tuple[float, ...]


def paint(pixels: NDArray[np.uint8], heats: Sequence[Heat], from_s: float, to_s: float) -> None:
    """Onto `pixels` `(tall, wide, 4)`, of `from_s` to `to_s`; nothing where no window was judged."""
    wide = pixels.shape[1]
    seen = np.full(wide, -1.0)
    times_s = from_s + (np.arange(wide) + 0.5) * (to_s - from_s) / wide
    for heat in heats:
        if heat.to_s <= from_s or heat.from_s >= to_s or not heat.values:
            continue
        first, last = np.searchsorted(times_s, (heat.from_s, heat.to_s))
        share = (times_s[first:last] - heat.from_s) / (heat.to_s - heat.from_s)
        places = np.minimum((share * len(heat.values)).astype(int), len(heat.values) - 1)
        seen[first:last] = np.maximum(seen[first:last], np.asarray(heat.values)[places])
    there = seen >= 0
    pixels[:, there, :3] = _ramp()[np.rint(255 * np.clip(seen[there], 0, 1)).astype(int)]


def _ramp() -> NDArray[np.uint8]:
    """`(256, 3)`, blue green red: from a shade above the ground to the skin's colour, strongly."""
    low = QColor(theme.mix(theme.palette().sunken, theme.palette().text, 0.10))
    high = QColor(theme.mix(theme.signal_colour("eda"), theme.palette().text, 0.45))
    ends = np.array([[one.blue(), one.green(), one.red()] for one in (low, high)], np.float64)
    return np.rint(ends[0] + np.linspace(0, 1, 256)[:, None] * (ends[1] - ends[0])).astype(np.uint8)


def words(heats: Sequence[Heat], time_s: float, name: str) -> str:
    """What the strip says at a moment; empty where it says nothing."""
    found = [heat for heat in heats if heat.from_s <= time_s < heat.to_s and heat.values]
    if not found:
        return ""
    values = [
        one.values[
            min(int((time_s - one.from_s) / (one.to_s - one.from_s) * len(one.values)), len(one.values) - 1)
        ]
        for one in found
    ]
    return f"{name} looked here {max(values):.0%} as much as where it looked most (Grad-CAM)"
