"""Where the points of a swarm go: at their value, as near the middle as they can without touching."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_PT = 1.4  # diameter of the smallest point that can be told from dust
SHRINK = 0.88


@dataclass(frozen=True)
class Swarm:
    """`x_pt (n,)`: from the middle; `diameter_pt`: of all points; `is_free`: no two overlap."""

    x_pt: Floats
    diameter_pt: float
    is_free: bool


def spread(y_pt: Floats, diameter_pt: float, half_width_pt: float) -> Swarm:
    """Places for points at heights `y_pt (n,)` on paper, within `half_width_pt` to both sides.

    Points shrink until they fit. When even the smallest do not, they stand in rows and overlap.
    """
    diameter = diameter_pt
    while diameter >= min(LEAST_PT, diameter_pt):
        if _least_width(y_pt, diameter) <= 2 * half_width_pt:
            x = _places(y_pt, diameter)
            if float(np.abs(x).max(initial=0.0)) + diameter / 2 <= half_width_pt:
                return Swarm(x, diameter, True)
        diameter *= SHRINK
    return Swarm(_rows(y_pt, LEAST_PT, half_width_pt - LEAST_PT / 2), LEAST_PT, False)


def _least_width(y_pt: Floats, diameter: float) -> float:
    """What any swarm takes: points within half a diameter of height stand 0.87 diameters apart."""
    sorted_y = np.sort(y_pt)
    crowd = np.searchsorted(sorted_y, sorted_y + diameter / 2, "right") - np.arange(len(sorted_y))
    return (int(crowd.max(initial=1)) - 1) * math.sqrt(0.75) * diameter + diameter


def _places(y_pt: Floats, diameter: float) -> Floats:
    """From the lowest up, each point as near the middle as those that it would touch leave free."""
    order = np.argsort(y_pt, kind="stable")
    y, x = y_pt[order], np.zeros(len(y_pt))
    first = np.searchsorted(y, y - diameter, "right")
    for at in range(len(y)):
        near = slice(first[at], at)
        reach = np.sqrt(np.maximum(diameter**2 - (y[at] - y[near]) ** 2, 0))
        free = np.concatenate([[0.0], x[near] - reach, x[near] + reach])
        touches = np.abs(free[:, None] - x[near]) < reach - 1e-9
        free = free[~touches.any(1)]
        x[at] = free[np.lexsort((free, np.abs(free)))[0]]
    placed = np.empty(len(x))
    placed[order] = x
    return placed


def _rows(y_pt: Floats, height: float, half_width: float) -> Floats:
    """Points of nearly one height spread evenly over the whole slot."""
    x = np.zeros(len(y_pt))
    rows = np.floor(y_pt / height)
    for row in np.unique(rows):
        own = np.flatnonzero(rows == row)
        if len(own) > 1:
            x[own] = np.linspace(-half_width, half_width, len(own))
    return x
