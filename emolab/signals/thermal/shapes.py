"""The loops over a coarse picture's pixels: a region's outline read from the top, means in an ellipse.

Compiled by Numba: in NumPy each would cost ten times as long, twenty passes over some thousand pixels.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

# height over width: hairline to chin 1.3, a bald head 1.4 to 1.5 (Farkas 1994, Anthropometry of the head)
TALL, TALLEST, LEAST_TALL = 1.35, 1.5, 1.1
NECK = 0.55  # of the head's width: an ellipse is narrower just above its end
BROAD = 0.92  # of the rows' widths this quantile is the head's; a tuft of hair is none
LEAST_PX = 4.0


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def outline(labels: NDArray[np.int32], label: int) -> tuple[bool, float, float, float, float, bool]:
    """`(is head, middle column, first row, width, height, goes beyond the picture)` of a region."""
    rows, columns = labels.shape
    left, wide = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    top = last = -1
    for row in range(rows):
        begin = end = -1
        for column in range(columns):
            if labels[row, column] == label:
                if begin < 0:
                    begin = column
                end = column
        if begin >= 0:
            left[row], wide[row] = begin, end - begin + 1
            top = row if top < 0 else top
            last = row
    nothing = (False, 0.0, 0.0, 0.0, 0.0, False)
    if top < 0 or last - top < 3:
        return nothing
    widest, stop = 0, last + 1
    for row in range(top, last + 1):
        widest = max(widest, wide[row])
        if row > top and row - top + 1 >= widest:
            stop = row + 1
            break
    ordered = np.sort(wide[top:stop])
    place = BROAD * (len(ordered) - 1)
    under = int(place)
    above = min(under + 1, len(ordered) - 1)
    width = ordered[under] + (place - under) * (ordered[above] - ordered[under])
    if width < LEAST_PX:
        return nothing
    begin = top
    while begin < last and wide[begin] < 0.25 * width:
        begin += 1
    total, count = 0.0, 0
    is_cut = begin == 0
    for row in range(begin, stop):
        if wide[row] >= 0.7 * width:
            total += left[row] + (wide[row] - 1) / 2
            count += 1
        is_cut |= wide[row] > 0 and (left[row] == 0 or left[row] + wide[row] == columns)
    if not count:
        return nothing
    tall = float(last - begin + 1)
    near_end = wide[min(begin + max(int(0.95 * tall + 0.5) - 1, 0), last)]
    is_bare = LEAST_TALL * width <= tall <= TALLEST * width and near_end < NECK * width
    height = tall if is_bare else TALL * width
    is_cut |= begin + height > 1.03 * rows
    return True, total / count, float(begin), float(width), float(height), is_cut


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def likeness(
    labels: NDArray[np.int32], label: int, x: float, y: float, width: float, height: float
) -> tuple[float, float, float]:
    """`(filled, about, flat)` of a region and a head's ellipse, down to the cheeks: beards are cool.

    How much of the ellipse lies between the region's left and right ends (glasses and a cold nose are holes,
    no ends), how much of the ring about it is warm, and how wide the topmost tenth is, in widths of the head.
    """
    rows, columns = labels.shape
    inside = count_in = about = count_about = 0
    top_wide, top_rows = 0.0, 0
    first, last = max(int(y - 0.75 * height), 0), min(int(y + 0.1 * height) + 1, rows)
    left, right = max(int(x - 0.75 * width), 0), min(int(x + 0.75 * width) + 2, columns)
    for row in range(first, last):
        begin = end = -1
        for column in range(columns):
            if labels[row, column] == label:
                begin = column if begin < 0 else begin
                end = column
        depth = (row - (y - height / 2 + 0.5)) / height
        if -0.01 <= depth < 0.1:
            top_wide += end - begin + 1 if begin >= 0 else 0
            top_rows += 1
        up = (2 * (row - y) / height) ** 2
        for column in range(left, right):
            radius2 = up + (2 * (column - x) / width) ** 2
            if radius2 < 0.85:
                inside += begin >= 0 and begin <= column <= end
                count_in += 1
            elif 1.3 < radius2 < 2.0:
                about += labels[row, column] > 0
                count_about += 1
    return inside / max(count_in, 1), about / max(count_about, 1), top_wide / max(top_rows, 1) / width


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def means(
    values: NDArray[np.float32],
    labels: NDArray[np.int32],
    label: int,
    x: float,
    y: float,
    width: float,
    height: float,
) -> tuple[float, float, float]:
    """Means of an ellipse's upper part, of the ring about that, and of the ring's part above the ellipse.

    Within the ellipse what belongs to the region counts: no glasses.
    """
    inside = about = above = 0.0
    count_in = count_about = count_above = 0
    first, last = max(int(y - 0.75 * height), 0), min(int(y + 0.1 * height) + 1, values.shape[0])
    left, right = max(int(x - 0.75 * width), 0), min(int(x + 0.75 * width) + 2, values.shape[1])
    for row in range(first, last):
        up = (2 * (row - y) / height) ** 2
        for column in range(left, right):
            across = (2 * (column - x) / width) ** 2
            if up + across < 0.85:
                if labels[row, column] == label:
                    inside += values[row, column]
                    count_in += 1
            elif 1.3 < up + across < 2.0:
                about += values[row, column]
                count_about += 1
                if across < 0.25:
                    above += values[row, column]
                    count_above += 1
    mean_about = about / max(count_about, 1)
    return inside / max(count_in, 1), mean_about, above / count_above if count_above else mean_about
