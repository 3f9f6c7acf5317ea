"""A pre-flight: a thread of its own that looks at everything before a session, while nothing is recorded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emolab.core.errors import ConfigError
from emolab.session.prepare import StartRequest
from emolab.session.snapshot import CheckView

log = logging.getLogger(__name__)

SECONDS = 10.0
MOST_SECONDS = 120.0


@dataclass(frozen=True)
class PreflightRequest:
    """What to look at: the session to come, for how long, and the screens a window has found."""

    session: StartRequest
    seconds: float = SECONDS
    screens: Sequence[Mapping[str, Any]] | None = None

    @classmethod
    def from_command(cls, command: Mapping[str, Any]) -> PreflightRequest:
        """The request in a window's `preflight` command. Raises `ConfigError` when it is garbled."""
        screens = command.get("screens")
        if screens is not None and not (
            isinstance(screens, list) and all(isinstance(screen, dict) for screen in screens)
        ):
            raise ConfigError("'screens' must be a list of objects with name, width and height")
        seconds = command.get("seconds", SECONDS)
        if not isinstance(seconds, int | float) or not 1.0 <= seconds <= MOST_SECONDS:
            raise ConfigError(f"'seconds' is {seconds!r}; give a number from 1 to {MOST_SECONDS:.0f}")
        return cls(StartRequest.from_command(command), float(seconds), screens)


class Preflight:
    """One of them, its `number` from 1. `checks` is empty until it is over, `progress` goes from 0 to 1."""

    def __init__(self, request: PreflightRequest, number: int) -> None:
        self.request, self.number = request, number
        self.checks: tuple[CheckView, ...] = ()
        self.progress = 0.0
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it still looks."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, look: Callable[[Preflight], Iterable[CheckView]]) -> None:
        """Begin; returns at once. `look` finds the results; it tells of its progress, and obeys `wait`."""
        self._thread = threading.Thread(target=self._work, args=(look,), name="preflight", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Let time pass, for the one who looks; whether nobody wants the results any more."""
        return self._cancelled.wait(seconds)

    def cancel(self, wait_s: float = 0.0) -> None:
        """Stop looking; there will be no results."""
        self._cancelled.set()
        if self._thread is not None:
            self._thread.join(wait_s)

    def _work(self, look: Callable[[Preflight], Iterable[CheckView]]) -> None:
        try:
            found = tuple(look(self))
        except Exception as error:  # whatever it is, the experimenter must hear that nothing was checked
            log.exception("the pre-flight failed")
            what = f"the pre-flight failed: {type(error).__name__}: {error}"
            remedy = "Run it again; the engine's log has the details."
            found = (CheckView("pre-flight", "look", what, remedy),)
        if not self._cancelled.is_set():
            self.checks = found
        self.progress = 1.0
