"""Where a session's samples and events go: opened once, written to, closed once.

A sink is used by one thread. Everything offered before `close` returns is in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo


class Sink(Protocol):
    """The session file as the engine sees it."""

    def open(self, streams: Sequence[StreamInfo]) -> None:
        """Make the file with every stream prepared. Raises `RecordingError` if it exists already."""

    def write(self, chunk: Chunk) -> None:
        """Append samples of one stream."""

    def mark(self, event: Event) -> None:
        """Append an event."""

    def flush(self) -> None:
        """Make all that was written survive the death of this process."""

    def close(self) -> None:
        """Finish the file. Idempotent."""
