"""The pre-flight: ten seconds of looking at everything before a session, while nothing is recorded.

It runs in a thread of its own beside the engine's, taps the hub, and leaves its results in
`checks`. Red results stop the start until they are mended, their stream is left out, or the
experimenter types why the session is to be recorded nevertheless; that is then in the file.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.devices.machine import disk
from emolab.session import awake
from emolab.session.player import SoundPlayer
from emolab.session.prepare import NEVERTHELESS, StartRequest, lay_out
from emolab.session.snapshot import CheckView
from emolab.session.takes import Takes

if TYPE_CHECKING:
    from emolab.session.engine import Engine

log = logging.getLogger(__name__)

SECONDS = 10.0
MOST_SECONDS = 120.0
POLL_S = 0.02
PATIENCE_S = 20.0  # a paced clock may stand still while an instrument is slow
LISTENING_SHARE = 0.8  # of the progress shown


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
    """One look at an engine that is set up, its `number` from 1. `checks` is empty until it is over."""

    def __init__(self, engine: Engine, request: PreflightRequest) -> None:
        self.request = request
        self.checks: tuple[CheckView, ...] = ()
        self.progress = 0.0
        self.number: int = 1 if engine.preflight is None else engine.preflight.number + 1
        self._engine = engine
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._work, name="preflight", daemon=True)

    @property
    def is_busy(self) -> bool:
        """Whether it still looks."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; returns at once. Raises `ConfigError` when the session asked for cannot be laid out."""
        self._study, self._bank, self._plan = lay_out(self.request.session, self._engine.study)
        self._thread.start()

    def cancel(self, wait_s: float = 0.0) -> None:
        """Stop looking; there will be no results."""
        self._cancelled.set()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _work(self) -> None:
        try:
            found = tuple(self._look())
        except Exception as error:  # whatever it is, the experimenter must hear that nothing was checked
            log.exception("the pre-flight failed")
            what = f"the pre-flight failed: {type(error).__name__}: {error}"
            remedy = "Run it again; the engine's log has the details."
            found = (CheckView("pre-flight", "look", what, remedy),)
        if not self._cancelled.is_set():
            self.checks = found
        self.progress = 1.0

    def _look(self) -> Iterator[CheckView]:
        from emolab.session import checks  # SciPy comes with it: a second that the engine's start saves

        engine, request = self._engine, self.request
        is_for_window = request.session.answers == "window"
        clocks, underruns = checks.ClockReading.now(), engine.player.underruns()
        takes = self._listen()
        if self._cancelled.is_set():
            return
        yield from self._of_streams(takes)
        plays = isinstance(engine.player, SoundPlayer)
        dry = engine.player.underruns() - underruns
        yield checks.sound_check(engine.sound_fault, plays or bool(engine.sound_fault), dry)
        yield checks.screen_check(request.screens, is_for_window, engine.screen)
        yield checks.clock_check(clocks, checks.ClockReading.now())
        yield checks.power_check(awake.battery(), awake.refusal())
        bytes_per_s = sum(take.bytes_per_s() for take in takes.of.values())
        yield from checks.disk_checks(disk(engine.study, measure=True), bytes_per_s, self._plan.cap_s)
        self.progress = (1 + LISTENING_SHARE) / 2
        yield from checks.clip_checks(self._bank, [clip.id for clip in self._plan.trials], engine.settings)

    def _listen(self) -> Takes:
        """Tap the hub for the seconds asked for."""
        engine, seconds = self._engine, self.request.seconds
        wanted = [name for name, pump in engine.pumps.items() if pump.status.state != "left_out"]
        streams = [engine.hub.streams[name] for name in wanted if name in engine.hub.streams]
        takes = Takes((state.info, state.tally) for state in streams)
        start_s = engine.clock.now_s()
        deadline = time.monotonic() + seconds / min(engine.clock.speed, 1.0) + PATIENCE_S
        with engine.hub.tapped(takes.take):
            while (past_s := engine.clock.now_s() - start_s) < seconds and time.monotonic() < deadline:
                self.progress = LISTENING_SHARE * past_s / seconds
                if self._cancelled.wait(POLL_S):
                    break
        return takes

    def _of_streams(self, takes: Takes) -> Iterator[CheckView]:
        """Each instrument: what its light says when it is red, else its rate, then its signals."""
        from emolab.session import checks

        lights = {light.name: light for light in self._engine.health()}
        for name, light in lights.items():
            if light.is_left_out:
                continue
            if light.level == "act" or name not in takes.of:
                what = light.message.rstrip(".") or f"{name} is not open"
                yield CheckView(name, "act", what, "Mend it and Retry, or leave it out.", name)
                continue
            yield checks.rate_check(takes.of[name], self.request.seconds)
            yield from checks.signal_checks(takes.of[name])


def begin(engine: Engine, request: PreflightRequest) -> None:
    """Let an engine that is set up look at itself. Raises `ConfigError` when it cannot now."""
    if engine.phase != "setup":
        raise ConfigError("the pre-flight is for before the session; this engine has begun its own already")
    if engine.preflight is not None and engine.preflight.is_busy:
        raise ConfigError("the pre-flight is running already; wait for it")
    preflight = Preflight(engine, request)
    preflight.start()
    engine.preflight = preflight


def reds(engine: Engine) -> list[CheckView]:
    """What is red now: the lights, and what the last pre-flight left red of streams still in."""
    lights = [
        CheckView(light.name, "act", light.message, f"Retry it, or leave {light.name} out.", light.name)
        for light in engine.health()
        if light.level == "act"
    ]
    out = {name for name, pump in engine.pumps.items() if pump.status.state == "left_out"}
    known = {light.name for light in lights} | out
    left = engine.preflight.checks if engine.preflight is not None else ()
    return lights + [check for check in left if check.level == "act" and check.stream not in known]


def gate(engine: Engine, override: str) -> Event | None:
    """Whether an engine may start: the `override` event to record, or None when nothing is red.

    Raises `ConfigError` with all that is red when there is no reason to override it, and for a
    stream that has never delivered, which cannot be recorded at all.
    """
    if engine.preflight is not None and engine.preflight.is_busy:
        raise ConfigError("the pre-flight is still running; wait for it")
    red, reason = reds(engine), override.strip()
    if red and not reason:
        listed = " ".join(_sentence(check) for check in red)
        raise ConfigError(f"{listed} {NEVERTHELESS}")
    if silent := _silent(engine):
        raise ConfigError(
            f"{', '.join(silent)} has not delivered anything yet and cannot be recorded; wait a moment, "
            "or leave it out"
        )
    if not red:
        return None
    facts = [{"name": check.name, "what": check.what} for check in red]
    data = {"what": "; ".join(check.name for check in red), "reason": reason, "checks": facts}
    return Event(engine.clock.now_s(), "override", data=data)


def _silent(engine: Engine) -> list[str]:
    """The instruments that are to be recorded but have never delivered."""
    silent = []
    for name, pump in engine.pumps.items():
        state = engine.hub.streams.get(name)
        has_come = state is not None and (state.last_s is not None or state.info.may_be_silent)
        if pump.status.state != "left_out" and not has_come:
            silent.append(name)
    return silent


def _sentence(check: CheckView) -> str:
    return f"{check.what.rstrip('.')}. {check.remedy}".strip()
