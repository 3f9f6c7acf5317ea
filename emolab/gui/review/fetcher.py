"""Frames fetched in a thread of their own: the window never waits for a decoder."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from PySide6.QtCore import QObject, Signal

from emolab.core.errors import EmolabError
from emolab.review.timeline import Timeline

NEAR = 4  # frames on from the last one: it plays


class Fetcher(QObject):
    """Gives the frames of one camera. Only the newest wish counts: what was asked before is dropped."""

    fetched = Signal(int, float, object)  # index, time_s, frame; in the thread that made the fetcher
    failed = Signal(int, str)

    def __init__(self, line: Timeline, camera: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._line, self._camera = line, camera
        self._lock = threading.Condition()
        self._wish: float | None = None
        self._last: int | None = None
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name=f"frames of {camera}", daemon=True)
        self._thread.start()

    def ask(self, time_s: float) -> None:
        """The frame that is seen at a moment; nothing comes when it is the one that came last."""
        with self._lock:
            self._wish = time_s
            self._lock.notify()

    def forget(self) -> None:
        """Give the next one even if it is the same."""
        with self._lock:
            self._last = None

    def close(self) -> None:
        """End the thread. Idempotent."""
        with self._lock:
            self._is_closing = True
            self._lock.notify()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            with self._lock:
                while self._wish is None and not self._is_closing:
                    self._lock.wait()
                if self._is_closing or self._wish is None:
                    return
                time_s, self._wish = self._wish, None
            if self._fetch(time_s):
                self._decode_next()

    def _fetch(self, time_s: float) -> bool:
        """Fetch what is seen at a moment; whether it was the frame after the one before."""
        index = -1
        try:
            if not self._line.frame_count(self._camera):
                return False
            index, before = self._line.frame_index(self._camera, time_s), self._last
            if index == before:
                return False
            frame: Any = self._line.frame(self._camera, index)
            self._last = index
            at_s = self._line.frame_time_s(self._camera, index)
        except (EmolabError, OSError, ValueError, IndexError) as error:
            self._last = index
            self._tell(self.failed, index, str(error))
            return False
        self._tell(self.fetched, index, at_s, frame)
        return before is not None and 0 < index - before <= NEAR

    def _decode_next(self) -> None:
        """While it plays: have the next frame ready before it is due."""
        with contextlib.suppress(EmolabError, OSError, ValueError, IndexError):  # told when it is asked for
            if self._wish is None and self._last is not None:
                self._line.frame(self._camera, self._last + 1)

    def _tell(self, signal: Any, *facts: Any) -> None:
        if not self._is_closing:
            signal.emit(*facts)
