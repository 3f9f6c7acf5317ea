"""A head from frame to frame: where it was, a little further on, or looked for anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.signals.thermal.find import (
    Head,
    at_skin,
    closed_mask,
    coarse,
    find_head,
    likeness,
    read_head,
)

ANEW_S = 4.0  # however well it goes, the whole picture is looked at so often
ROUND = 0.35  # of the head: how far beyond it the next is looked for
MOVED, GROWN = 0.5, 0.25  # of the head, from frame to frame: more is another thing
FILLED, LIKE = 0.75, 0.3  # of the head's ellipse; how like a head it must stay
STILL = 0.05  # of the width: what moves less is mostly the pixels' steps
CALM = 0.2  # of such a move is believed at once


class Follower:
    """Follows one head through a film; give it the frames in order."""

    def __init__(self, per_c: float = 1.0) -> None:
        self._per_c = per_c
        self._head: Head | None = None  # of the frame before, smoothed, coarse
        self._looked_s = -np.inf

    def see(self, frame: NDArray[Any], time_s: float) -> Head | None:
        """The head in this frame `(h, w)`, in its pixels; None when there is none."""
        small, step = coarse(frame)
        head = self._near(small) if self._head is not None else None
        if head is None or not 0 <= time_s - self._looked_s < ANEW_S:
            head = self._anew(small, head)
            self._looked_s = time_s
        self._head = None if head is None else _smoothed(self._head, head)
        return None if self._head is None else self._head.scaled(step)

    def place(self, frame: NDArray[Any], box: NDArray[np.float64], time_s: float) -> Head:
        """The head in a box that another camera saw, `(4,)` left, top, right, bottom px of this frame."""
        small, step = coarse(frame)
        left, top, right, bottom = ((float(side) - step // 2) / step for side in box)
        is_cut = left < 0 or top < 0 or right > small.shape[1] or bottom > small.shape[0]
        head = Head(
            (left + right) / 2, (top + bottom) / 2, right - left, bottom - top, -np.inf, is_cut=is_cut
        )
        if self._head is None or not 0 <= time_s - self._looked_s < ANEW_S:
            head = at_skin(small, head, self._per_c)
            self._looked_s = time_s
        else:
            head = replace(head, level=self._head.level, limit=self._head.limit)
        self._head = _smoothed(self._head, head)
        return self._head.scaled(step)

    def lose(self) -> None:
        """Forget where it was."""
        self._head, self._looked_s = None, -np.inf

    def _near(self, small: NDArray[Any], is_new: bool = False) -> Head | None:
        """The head about where it was, by the level known; None when it is not like it was."""
        before = self._head
        assert before is not None
        reach_x, reach_y = (0.5 + ROUND) * before.width, (0.5 + ROUND) * before.height
        left, top = max(int(before.x - reach_x), 0), max(int(before.y - reach_y), 0)
        right, bottom = int(before.x + reach_x) + 2, int(before.y + reach_y) + 2
        part = small[top:bottom, left:right]
        warm = closed_mask((part > before.level) & (part < before.limit))
        count, labels = cv2.connectedComponents(warm, connectivity=4)
        if count < 2:
            return None
        label = 1
        if count > 2:
            row, column = round(before.y) - top, round(before.x) - left
            label = int(labels[row, column]) if row < len(labels) and column < labels.shape[1] else 0
            label = label or int(np.bincount(labels.ravel())[1:].argmax()) + 1
        found = read_head(labels, label, before.level)
        if found is None:
            return None
        like, filled = likeness(found, labels, label)
        if filled < FILLED or like < LIKE:
            return None
        head = replace(found, x=found.x + left, y=found.y + top, limit=before.limit, score=before.score)
        head = replace(head, is_cut=_is_cut(head, small.shape))
        return None if not is_new and _is_another(head, before) else head

    def _anew(self, small: NDArray[Any], near: Head | None) -> Head | None:
        raw = find_head(small, self._per_c, self._head)
        if raw is None:
            return None
        found = at_skin(small, raw, self._per_c)
        if near is not None and np.hypot(found.x - near.x, found.y - near.y) < 0.2 * near.width:
            return found if found.is_cut else replace(near, level=found.level, limit=found.limit)
        again = Follower(self._per_c)
        again._head = found
        head = again._near(small, is_new=True)  # by its skin it must look like a head as well
        return head if head is None or not _is_another(head, found) else raw


def _is_another(head: Head, before: Head) -> bool:
    """Whether it has moved or grown by more than a head does."""
    is_far = bool(np.hypot(head.x - before.x, head.y - before.y) > MOVED * before.width)
    return is_far or max(abs(head.width / before.width - 1), abs(head.height / before.height - 1)) > GROWN


def _is_cut(head: Head, shape: tuple[int, ...]) -> bool:
    """Whether the head reaches the border of the picture."""
    is_beside = head.x - head.width / 2 < 0 or head.x + head.width / 2 > shape[1] - 1
    is_above = head.y - head.height / 2 < -0.5 + 1e-9
    return is_beside or is_above or head.y + head.height / 2 > 1.03 * shape[0]


def _smoothed(before: Head | None, head: Head) -> Head:
    """A small move believed in part, a large one at once."""
    if before is None:
        return head
    moved = max(
        abs(head.x - before.x),
        abs(head.y - before.y),
        abs(head.width - before.width),
        abs(head.height - before.height) / 2,
    )
    trust = min(max(moved / (STILL * head.width), CALM), 1.0)

    def between(one: float, other: float) -> float:
        return one + trust * (other - one)

    return replace(
        head,
        x=between(before.x, head.x),
        y=between(before.y, head.y),
        width=between(before.width, head.width),
        height=between(before.height, head.height),
    )
