"""One thread a source: read, offer to the hub, and when the instrument goes away, bring it back.

    opening ──open──▸ open ──DeviceError──▸ lost ──open──▸ open …
        any state ──leave_out──▸ left_out ──retry──▸ opening

A failure is an event in the file and a sentence on the instrument's light; the thread itself
never dies of one. An instrument that opens again is back when it delivers again: a board that hangs
has a port all the same.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

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
    """How the instrument stands. `message`: why it is lost, with the remedy. `since_s`: session time.

    `is_awaited`: open again, but it has not delivered yet; message and since are those of its loss.
    `is_settling`: rows come, and are held back until their times are known.
    """

    state: Literal["opening", "open", "lost", "left_out"]
    message: str = ""
    since_s: float = 0.0
    reopened: int = 0
    is_awaited: bool = False
    is_settling: bool = False


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
        self._stopping = threading.Event()
        self._poke = threading.Event()
        self._opened_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"pump-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def retry(self) -> None:
        """Try to open again now; an instrument that was left out comes back in."""
        if self.status.state != "open":
            self.status = replace(self.status, state="opening", message="")
        self._poke.set()

    def leave_out(self) -> None:
        """Close the instrument and let it be."""
        self.status = replace(self.status, state="left_out", message="", since_s=self._clock.now_s())
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
            if self.status.state == "left_out":
                if was_open:
                    self._source.close()
                self._wait(60.0)
            elif self.status.state == "open":
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
                return
            self._hub.open(self._source.info)
        except Exception as error:
            self._source.close()
            self._fail(error, tell=not again and self.status.state == "opening")
            self._wait(RETRY_S)
            return
        self._opened_s = self._clock.now_s()
        if again:
            self.status = replace(self.status, state="open", is_awaited=True, is_settling=False)
            if self._source.info.may_be_silent:
                self._found()
        else:
            self.status = PumpStatus("open", since_s=self._opened_s, reopened=self.status.reopened)

    def _found(self) -> None:
        """The instrument is back: tell for how long it was away, and how much of that it took to settle."""
        now_s = self._clock.now_s()
        away_s, settling_s = now_s - self.status.since_s, now_s - self._opened_s
        data = {"stream": self.name, "away_s": round(away_s, 3), "settling_s": round(settling_s, 3)}
        self._report(Event(now_s, "device_found", data=data))
        self.status = PumpStatus("open", since_s=self._opened_s, reopened=self.status.reopened + 1)

    def _read(self) -> None:
        try:
            chunk = self._source.read(READ_TIMEOUT_S)
        except Exception as error:
            self._source.close()
            if not self._stopping.is_set() and self.status.state == "open":
                self._fail(error, tell=not self.status.is_awaited)
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
            self.status = replace(self.status, is_settling=self._settler.is_settling)
        if self._teller is not None:
            for event in self._teller.told():
                self._report(event)

    def _fail(self, error: Exception, *, tell: bool) -> None:
        """The pump is one of the three doors where errors are caught: a light, an event, a log line."""
        if isinstance(error, EmolabError):
            message = str(error)
        else:
            log.exception("instrument %s failed in a way its driver does not know", self.name)
            message = f"{self.name} failed: {type(error).__name__}: {error}; the engine's log has the details"
        if self.status.state == "left_out":
            return
        now_s = self._clock.now_s()
        was_lost = self.status.state == "lost" or self.status.is_awaited
        since_s = self.status.since_s if was_lost else now_s
        self.status = PumpStatus("lost", message, since_s, self.status.reopened)
        if tell:
            self._report(Event(now_s, "device_lost", data={"stream": self.name, "reason": message}))

    def _wait(self, seconds: float) -> None:
        self._poke.wait(seconds)
        self._poke.clear()
