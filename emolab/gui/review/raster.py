"""Curves as pixels, by the column: what lies between two edges of a pixel, drawn with soft ends.

Qt strokes a line of thousands of points in milliseconds; this takes tens of microseconds whatever the
number, since a column is a range of values and a range is a run of pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emolab.signals.pyramid import View

Floats = NDArray[np.float32]
THIN_PX = 1.3  # of the line where the curve is flat
SPARSE = 0.08  # samples a pixel: fewer are shown as dots besides


def columns(view: View, from_s: float, to_s: float, width: int) -> tuple[Floats, Floats]:
    """Least and greatest value of the curve in each of `width` columns; NaN where it is not.

    Between samples the curve is a straight line, so a column without any shows where that goes.
    """
    low = np.full(width, np.nan, np.float32)
    high = low.copy()
    times_s = view.times_s
    if len(times_s) < 2 or to_s <= from_s:
        return low, high
    edges_s = np.linspace(from_s, to_s, width + 1)
    with np.errstate(invalid="ignore"):
        at_low = np.interp(edges_s, times_s, view.low, left=np.nan, right=np.nan).astype(np.float32)
        at_high = (
            at_low
            if view.is_exact
            else np.interp(edges_s, times_s, view.high, left=np.nan, right=np.nan).astype(np.float32)
        )
    np.minimum(at_low[:-1], at_low[1:], out=low)
    np.maximum(at_high[:-1], at_high[1:], out=high)
    places = np.searchsorted(times_s, edges_s)
    full = np.flatnonzero(places[1:] > places[:-1])
    if len(full):
        starts, end = places[:-1][full], int(places[full[-1] + 1])
        low[full] = np.fmin(low[full], np.fmin.reduceat(view.low[:end], starts))
        high[full] = np.fmax(high[full], np.fmax.reduceat(view.high[:end], starts))
    column_s = (to_s - from_s) / width
    for before_s, after_s in view.holes_s[np.diff(view.holes_s, axis=1)[:, 0] > 2 * column_s]:
        inside = slice(*np.searchsorted(edges_s, (before_s, after_s)) + np.array((0, -1)))
        low[inside] = high[inside] = np.nan
    return low, high


def paint(
    pixels: NDArray[np.uint8],
    low: Floats,
    high: Floats,
    limits: tuple[float, float],
    colour: tuple[int, int, int],
    thin_px: float = THIN_PX,
) -> None:
    """Draw a curve into `pixels` `(h, w, 4)` BGRA, the whole of which spans `limits`, bottom to top."""
    height = len(pixels)
    if not height:
        return
    span = max(limits[1] - limits[0], 1e-30)
    top = (limits[1] - high) * np.float32((height - 1) / span)
    bottom = (limits[1] - low) * np.float32((height - 1) / span)
    pad = np.maximum((thin_px - (bottom - top)) / 2, 0)
    top, bottom = top - pad + np.float32(0.5), bottom + pad + np.float32(0.5)
    is_seen = np.isfinite(top)
    if not is_seen.any():
        return
    top = np.clip(np.where(is_seen, top, 0), 0, height)
    bottom = np.clip(np.where(is_seen, bottom, 0), 0, height)
    upper, lower = top.astype(np.int16), bottom.astype(np.int16)  # rows of the two ends
    ink = np.array([*colour[::-1], 255], np.uint8)
    rows = np.arange(height, dtype=np.int16)[:, None]
    np.copyto(pixels.view(np.uint32)[..., 0], ink.view(np.uint32)[0], where=(rows > upper) & (rows < lower))
    _mix(pixels, upper, np.minimum(bottom, upper + 1) - top, ink)
    _mix(pixels, lower, np.where(lower > upper, bottom - lower, 0), ink)


def _mix(pixels: NDArray[np.uint8], rows: NDArray[np.int16], cover: Floats, ink: NDArray[np.uint8]) -> None:
    """Lay so much ink on one pixel of each column."""
    places = np.minimum(rows, len(pixels) - 1), np.arange(len(rows))
    ground = pixels[places].astype(np.float32)
    pixels[places] = ground + cover[:, None].astype(np.float32) * (ink - ground)


def limits_of(low: Floats, high: Floats) -> tuple[float, float] | None:
    """Least and greatest of all columns, a little apart; None where nothing is."""
    if not np.isfinite(low).any():
        return None
    least, most = float(np.nanmin(low)), float(np.nanmax(high))
    margin = 0.06 * (most - least) or max(abs(most) * 1e-3, 1e-9)
    return least - margin, most + margin
