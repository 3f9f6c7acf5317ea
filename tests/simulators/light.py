"""The light of a virtual screen, seen as fast as one likes: pixels straight out of Xvfb's own memory.

`Xvfb -fbdir FOLDER` keeps its screen in `FOLDER/Xvfb_screen0`, a window dump (XWD, version 7) that
changes as programs paint. Nothing is asked of the display server, so looking does not disturb it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LOOK_S = 0.0005


class Picture:
    """A part of the screen: `x,y,width,height` in pixels."""

    def __init__(self, path: Path, place: str) -> None:
        head = np.fromfile(path, ">u4", 25)
        size, height, row_bytes, colours = int(head[0]), int(head[5]), int(head[12]), int(head[19])
        flat = np.memmap(path, np.uint8, "r", size + colours * 12, (height, row_bytes))
        left, top, wide, tall = (int(part) for part in place.split(","))
        self._pixels = flat.reshape(height, -1, 4)[top : top + tall, left : left + wide]

    def grey(self, step: int = 1) -> NDArray[np.uint8]:
        """Its green as it is now, every `step`-th pixel."""
        return np.array(self._pixels[::step, ::step, 1])

    def colours(self) -> NDArray[np.uint8]:
        """It as it is now: `(height, width, 3)`, blue, green, red."""
        return np.array(self._pixels[:, :, :3])


class Lamp:
    """Whether the middle of a picture is bright, now and in the last seconds. Looks in a thread."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._changes: deque[tuple[int, bool]] = deque([(0, False)], maxlen=100)
        threading.Thread(target=self._watch, daemon=True).start()

    def was_on(self, monotonic_ns: float) -> bool:
        """Whether it was bright at that moment."""
        return next((on for at_ns, on in reversed(list(self._changes)) if at_ns <= monotonic_ns), False)

    def _watch(self) -> None:
        tall, wide = self._picture._pixels.shape[:2]
        while True:
            is_on = bool(self._picture._pixels[tall // 2, wide // 2, 1] > 127)
            if is_on != self._changes[-1][1]:
                self._changes.append((time.monotonic_ns(), is_on))
            time.sleep(LOOK_S)
