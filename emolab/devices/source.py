"""What every instrument is to the rest of emolab: something opened, read and closed.

A source is used by one thread, its pump. `read` blocks at most `timeout_s` and returns the
samples that arrived, or None when none did. When the instrument fails, `read` (or `open`) raises
a `DeviceError`; the pump then closes it, tries `open` again until it is back, and writes the gap
down. `close` may be called twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from emolab.core.clock import Clock
from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo


@runtime_checkable
class Source(Protocol):
    """One instrument, one stream."""

    @property
    def info(self) -> StreamInfo:
        """The stream it delivers. Complete (frame size, true model) once `open` has returned."""

    def open(self) -> None:
        """Connect. Raises `DeviceNotFound`, `DeviceTimeout` or `DeviceError` with the remedy."""

    def read(self, timeout_s: float) -> Chunk | None:
        """The samples that arrived, waiting at most `timeout_s`. Raises `DeviceError` when it is gone."""

    def close(self) -> None:
        """Let go of the port. Idempotent, never raises."""


@runtime_checkable
class Teller(Protocol):
    """A source that has more to tell than rows of numbers: marker texts, measured clock offsets."""

    def told(self) -> list[Event]:
        """Events since the last call, in order; the pump asks after each `read`."""


@runtime_checkable
class Settler(Protocol):
    """A source that holds its first rows back until it knows their times, and then delivers them at once."""

    @property
    def is_settling(self) -> bool:
        """Whether rows come that are held back; False while none come."""


class Maker(Protocol):
    """How `devices.build` makes a source from one `[[instrument]]` table of a device file."""

    def from_config(self, config: Mapping[str, Any], clock: Clock) -> Source:
        """The source, not yet opened. Raises `ConfigError` naming the key that is wrong."""
