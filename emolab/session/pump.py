"""One thread a source: read, offer to the hub, and when the instrument goes away, bring it back.

    opening ──open──▸ open ──DeviceError──▸ lost ──open──▸ open …
        any state ──leave_out──▸ left_out ──retry──▸ opening

A failure is an event in the file and a sentence on the instrument's light; the thread itself
never dies of one. An instrument that opens again is back when it delivers again: a board that hangs
has a port all the same.

The status is changed by this thread and by those that call `retry` and `leave_out`, under one lock; what
was left out stays so until it is retried, whatever this thread was doing meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from emolab.core.clock import Clock
from emolab.core.errors import EmolabError
from emolab.core.event import Event
from emolab.core.stream import Tally
from emolab.devices.source import Settler, Source, Teller
from emolab.session.hub import Hub

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.1
RETRY_S = 0.5


@dataclass(frozen=True)
class PumpStatus:
    """How the instrument stands. `message`: why it is lost, with the remedy. All times are session times.

    `since_s`: when it was opened or left out. `is_awaited`: open again, but it has not delivered yet; the
    message is that of its loss. `is_settling`: rows come, and are held back until their times are known.
    `lost_s`: when it was first lost, until it is found, however often it is tried meanwhile; None when it is
    not away. What is left out is missed by nobody and so not away: `retry` moves `lost_s` on by that time,
    and one that was not lost before comes back without a `device_found`.
    """

    state: Literal["opening", "open", "lost", "left_out"]
    message: str = ""
    since_s: float = 0.0
    reopened: int = 0
    is_awaited: bool = False
    is_settling: bool = False
    lost_s: float | None = None


class Pump:
    """Runs one source. `report` receives the events it has to tell, from the pump's thread."""

    def __init__(
        self, name: str, source: Source, clock: Clock, hub: Hub, report: Callable[[Event], None]
    ) -> None:
        self.name = name
        self.status = PumpStatus("opening")
        self._source, self._clock, self._hub, self._report = source, clock, hub, report
        self._teller = source if isinstance(source, Teller) else None
        self._settler = source if isinstance(source, Settler) else None
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._poke = threading.Event()
        self._opened_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"pump-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def retry(self) -> None:
        """Try to open again now; an instrument that was left out comes back in."""
        with self._changing:
            status = self.status
            if status.state == "left_out" and status.lost_s is not None:
                status = replace(status, lost_s=status.lost_s + self._clock.now_s() - status.since_s)
            if status.state != "open":
                self.status = replace(status, state="opening", message="")
        self._poke.set()

    def leave_out(self) -> None:
        """Close the instrument and let it be."""
        with self._changing:
            if self.status.state != "left_out":
                now_s = self._clock.now_s()
                self.status = replace(self.status, state="left_out", message="", since_s=now_s)
        self._poke.set()

    def stop(self) -> None:
        """Ask the thread to end; `join` waits for it."""
        self._stopping.set()
        self._poke.set()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread ended in time, or was never started."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        was_open = False
        while not self._stopping.is_set():
            state = self.status.state
            if state == "left_out":
                self._source.close()
                self._wait(60.0)
            elif state == "open":
                self._read()
                was_open = True
                continue
            else:
                self._open(again=was_open)
        self._source.close()

    def _open(self, *, again: bool) -> None:
        try:
            self._source.open()
            if self.status.state == "left_out":
                self._source.close()
                return
            self._hub.open(self._source.info)
        except Exception as error:
            self._source.close()
            self._fail(error)
            self._wait(RETRY_S)
            return
        self._opened_s = self._clock.now_s()
        if again:
            is_wanted = self._become(state="open", is_awaited=True, is_settling=False)
        else:
            is_wanted = self._become(state="open", message="", since_s=self._opened_s, lost_s=None)
        if not is_wanted:
            self._source.close()
        elif again and self._source.info.may_be_silent:
            self._found()

    def _become(self, **changes: Any) -> bool:
        """Change the status from this thread; False when the instrument has been left out meanwhile."""
        with self._changing:
            is_wanted = self.status.state != "left_out"
            if is_wanted:
                self.status = replace(self.status, **changes)
        return is_wanted

    def _found(self) -> None:
        """It delivers again: tell for how long it was away, if it was, and how much of that it settled."""
        now_s, status = self._clock.now_s(), self.status
        is_wanted = self._become(
            message="",
            since_s=self._opened_s,
            reopened=status.reopened + 1,
            is_awaited=False,
            is_settling=False,
            lost_s=None,
        )
        if is_wanted and status.lost_s is not None:
            away_s, settling_s = now_s - status.lost_s, now_s - self._opened_s
            data = {"stream": self.name, "away_s": round(away_s, 3), "settling_s": round(settling_s, 3)}
            self._report(Event(now_s, "device_found", data=data))

    def _read(self) -> None:
        try:
            chunk = self._source.read(READ_TIMEOUT_S)
        except Exception as error:
            self._source.close()
            if not self._stopping.is_set() and self.status.state == "open":
                self._fail(error)
            return
        if chunk is not None and len(chunk):
            if self.status.is_awaited:
                self._found()
            if self.status.reopened:
                tally = chunk.tally or Tally()
                chunk = replace(chunk, tally=replace(tally, reopened=self.status.reopened))
            try:
                self._hub.offer(chunk)
            except Exception:  # the recorder counts what it refuses; the next chunk may find its way
                log.exception("a chunk of %s could not be handed on", self.name)
        if self._settler is not None and self._settler.is_settling != self.status.is_settling:
            self._become(is_settling=self._settler.is_settling)
        if self._teller is not None:
            for event in self._teller.told():
                self._report(event)

    def _fail(self, error: Exception) -> None:
        """The pump is one of the three doors where errors are caught: a light, an event, a log line."""
        if isinstance(error, EmolabError):
            message = str(error)
        else:
            log.exception("instrument %s failed in a way its driver does not know", self.name)
            message = f"{self.name} failed: {type(error).__name__}: {error}; the engine's log has the details"
        now_s, lost_s = self._clock.now_s(), self.status.lost_s
        is_wanted = self._become(
            state="lost",
            message=message,
            is_awaited=False,
            is_settling=False,
            lost_s=now_s if lost_s is None else lost_s,
        )
        if is_wanted and lost_s is None:  # told once, not at every attempt
            self._report(Event(now_s, "device_lost", data={"stream": self.name, "reason": message}))

    def _wait(self, seconds: float) -> None:
        self._poke.wait(seconds)
        self._poke.clear()
