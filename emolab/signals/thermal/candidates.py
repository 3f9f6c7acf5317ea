"""Every warm shape of a coarse picture that might be a head, at every level at once.

Compiled by Numba as one loop: with OpenCV's components and Python's bookkeeping a picture takes four times
as long, most of it not in the pixels.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from emolab.signals.measures import Array
from emolab.signals.thermal.shapes import likeness, means, outline

SMALLEST = 0.12  # of the picture's height
CONTRAST_C = (1.5, 25.0)  # warmer than what is about it by; a radiator is warmer still
ROUND_TOP = 0.17  # how far the topmost tenth stays behind the width; screens and radiators have corners
X, Y, WIDTH, HEIGHT, LEVEL, LIMIT, IS_CUT, SCORE = range(8)  # columns of `candidates`


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def candidates(values: NDArray[np.float32], levels: NDArray[np.float32], span: float, per_c: float) -> Array:
    """`(k, 8)`: middle, size, level, limit, whether it is cut off, and how like a head each shape is.

    `values` `(h, w)`. A shape is connected, warmer than one of `levels`, by less than `span`; both are in
    the picture's units, of which `per_c` make a degree.
    """
    rows, columns = values.shape
    least_rows = SMALLEST * rows
    warm, spread = np.zeros((rows, columns), np.uint8), np.zeros((rows, columns), np.uint8)
    labels = np.zeros((rows, columns), np.int32)
    parents = np.zeros(rows * columns // 2 + 2, np.int32)
    found = np.zeros((16, 8))
    count = 0
    for level in levels:
        limit = float(level) + span
        limit32 = np.float32(limit)
        for row in range(rows):
            for column in range(columns):
                warm[row, column] = level < values[row, column] < limit32
        close(warm, spread)
        shapes = number(warm, labels, parents)
        areas, tops, ends = _extents(labels, shapes)
        for label in range(1, shapes + 1):
            if ends[label] - tops[label] < least_rows or areas[label] < least_rows**2 / 2:
                continue
            is_head, x, first, width, height, is_cut = outline(labels, label)
            if not is_head:
                continue
            y = first + height / 2 - 0.5
            if count == len(found):
                found = np.concatenate((found, np.zeros_like(found)))
            found[count, :LEVEL] = x, y, width, height
            found[count, LEVEL], found[count, LIMIT], found[count, IS_CUT] = level, limit, is_cut
            score = _score(values, labels, label, x, y, width, height, per_c)
            found[count, SCORE] = 0.8 * score if is_cut else score
            count += 1
    return found[:count]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def roundness(y: float, height: float, flat: float) -> float:
    """How round the top of a head is, 0.1 to 1; what is cut off there has no top."""
    return 0.9 if y - height / 2 < 0 else min(max((1.0 - flat) / ROUND_TOP, 0.1), 1.0)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _score(
    values: NDArray[np.float32],
    labels: NDArray[np.int32],
    label: int,
    x: float,
    y: float,
    width: float,
    height: float,
    per_c: float,
) -> float:
    """How like a head a region is, how much warmer than what is about it, how large, how near the middle."""
    rows, columns = values.shape
    inside, outside, above = means(values, labels, label, x, y, width, height)
    step_c = (inside - outside) / per_c
    if y - height / 2 > 1:  # a neck has something as warm above it
        step_c = min(step_c, (inside - above) / per_c)
    filled, about, flat = likeness(labels, label, x, y, width, height)
    like = max(filled - about, 0.0) * roundness(y, height, flat)
    score = like * min(max(step_c, 0.0) / CONTRAST_C[0], 1.0)
    score *= min(1.0, CONTRAST_C[1] / max(step_c, 1e-9)) ** 2
    score *= min(1.0, height / (0.2 * rows)) ** 0.5
    return score * (1.0 - 0.2 * min(abs(2 * x / columns - 1), 1.0))


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def close(warm: NDArray[np.uint8], spread: NDArray[np.uint8]) -> None:
    """Close what is a pixel or two wide, in place: grown by a pixel all round, then shrunk by one.

    `spread`: room for what is grown. Beyond the border there is nothing, neither warm nor cold.
    """
    rows, columns = warm.shape
    for row in range(rows):
        above, below = max(row - 1, 0), min(row + 1, rows - 1)
        for column in range(columns):
            spread[row, column] = warm[above, column] | warm[row, column] | warm[below, column]
    for row in range(rows):
        before = spread[row, 0]
        for column in range(columns):
            here = spread[row, column]
            after = spread[row, min(column + 1, columns - 1)]
            spread[row, column] = before | here | after
            before = here
    for row in range(rows):
        above, below = max(row - 1, 0), min(row + 1, rows - 1)
        for column in range(columns):
            warm[row, column] = spread[above, column] & spread[row, column] & spread[below, column]
    for row in range(rows):
        before = warm[row, 0]
        for column in range(columns):
            here = warm[row, column]
            after = warm[row, min(column + 1, columns - 1)]
            warm[row, column] = before & here & after
            before = here


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def number(warm: NDArray[np.uint8], labels: NDArray[np.int32], parents: NDArray[np.int32]) -> int:
    """How many connected regions are warm; their numbers, from 1 on, go into `labels`, 0 where it is cold.

    Connected is what shares a side. `parents`: room for one more than half as many numbers as pixels.
    """
    rows, columns = warm.shape
    last = 0
    for row in range(rows):
        for column in range(columns):
            if not warm[row, column]:
                labels[row, column] = 0
                continue
            left = labels[row, column - 1] if column else 0
            above = labels[row - 1, column] if row else 0
            if not left and not above:
                last += 1
                parents[last] = last
                labels[row, column] = last
            elif left and above and left != above:
                one, other = _root(parents, left), _root(parents, above)
                first = min(one, other)
                parents[one] = parents[other] = first
                labels[row, column] = first
            else:
                labels[row, column] = max(left, above)
    count = 0
    for at in range(1, last + 1):  # a parent is never above its child, so that it has its number already
        if parents[at] == at:
            count += 1
            parents[at] = count
        else:
            parents[at] = parents[parents[at]]
    for row in range(rows):
        for column in range(columns):
            labels[row, column] = parents[labels[row, column]]
    return count


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _root(parents: NDArray[np.int32], at: int) -> int:
    while parents[at] != at:
        at = parents[at]
    return at


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _extents(
    labels: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each region by its number: its pixels, its first row, and the row after its last."""
    areas, tops, ends = (
        np.zeros(count + 1, np.int64),
        np.zeros(count + 1, np.int64),
        np.zeros(count + 1, np.int64),
    )
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            label = labels[row, column]
            if not areas[label]:
                tops[label] = row
            areas[label] += 1
            ends[label] = row + 1
    return areas, tops, ends
