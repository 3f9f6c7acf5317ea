"""The windows attached to an engine, and when each last asked how things stand."""

from __future__ import annotations

import time


class Windows:
    """By their connections' numbers. `asked` is called by the link's threads, all else by the engine's."""

    def __init__(self) -> None:
        self._attached: set[int] = set()
        self._asked_s: dict[int, float] = {}  # monotonic

    def came(self, connection: int) -> None:
        """A participant's window has attached."""
        self._attached.add(connection)

    def gone(self, connection: int) -> bool:
        """A connection has ended; whether with it the last participant's window went."""
        self._asked_s.pop(connection, None)
        was_attached = connection in self._attached
        self._attached.discard(connection)
        return was_attached and not self._attached

    def asked(self, connection: int) -> None:
        """A window wants to know how things stand, so it lives."""
        self._asked_s[connection] = time.monotonic()

    def silent_s(self) -> float | None:
        """For how long no attached window has asked; None when there is none that asks."""
        asked_s = [self._asked_s[window] for window in self._attached if window in self._asked_s]
        return time.monotonic() - max(asked_s) if asked_s else None
