"""Whether a laboratory is ready for its session: the pre-flight, what is red, and whether that lets it start.

The pre-flight taps the hub for ten seconds and judges what came (`checks`). Red results stop the start until
they are mended, their stream is left out, or the experimenter types why the session is to be recorded
nevertheless; that is then in the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.devices.machine import disk
from emolab.protocol.bank import Bank
from emolab.protocol.session_plan import SessionPlan
from emolab.session import awake
from emolab.session.laboratory import Laboratory
from emolab.session.player import SoundPlayer
from emolab.session.preflight import Preflight, PreflightRequest
from emolab.session.prepare import NEVERTHELESS, lay_out
from emolab.session.snapshot import CheckView
from emolab.session.takes import Takes

POLL_S = 0.02
PATIENCE_S = 20.0  # a paced clock may stand still while an instrument is slow
LISTENING_SHARE = 0.8  # of the progress shown


def begin(lab: Laboratory, request: PreflightRequest) -> Preflight:
    """Begin a pre-flight. Raises `ConfigError` when there can be none, or its session cannot be laid out."""
    last = lab.preflight
    if lab.phase != "setup":
        raise ConfigError("the pre-flight is for before the session; this engine has begun its own already")
    if last is not None and last.is_busy:
        raise ConfigError("the pre-flight is running already; wait for it")
    _, bank, plan = lay_out(request.session, lab.study)
    lab.preflight = Preflight(request, 1 if last is None else last.number + 1)
    lab.preflight.start(partial(_look, lab, bank, plan))
    return lab.preflight


def reds(lab: Laboratory) -> list[CheckView]:
    """What is red now: the lights, and what the last pre-flight left red of streams still in."""
    lights = [
        CheckView(light.name, "act", light.message, f"Retry it, or leave {light.name} out.", light.name)
        for light in lab.health()
        if light.level == "act"
    ]
    known = {light.name for light in lights} | set(lab.left_out())
    left = lab.preflight.checks if lab.preflight is not None else ()
    return lights + [check for check in left if check.level == "act" and check.stream not in known]


def gate(lab: Laboratory, override: str) -> Event | None:
    """Whether a session may start: the `override` event to record, or None when nothing is red.

    Raises `ConfigError` with all that is red when there is no reason to override it, and for a
    stream that has never delivered, which cannot be recorded at all.
    """
    if lab.preflight is not None and lab.preflight.is_busy:
        raise ConfigError("the pre-flight is still running; wait for it")
    red, reason = reds(lab), override.strip()
    if red and not reason:
        listed = " ".join(_sentence(check) for check in red)
        raise ConfigError(f"{listed} {NEVERTHELESS}")
    if silent := _silent(lab):
        raise ConfigError(
            f"{', '.join(silent)} has not delivered anything yet and cannot be recorded; wait a moment, "
            "or leave it out"
        )
    if not red:
        return None
    facts = [{"name": check.name, "what": check.what} for check in red]
    data = {"what": "; ".join(check.name for check in red), "reason": reason, "checks": facts}
    return Event(lab.clock.now_s(), "override", data=data)


def _look(lab: Laboratory, bank: Bank, plan: SessionPlan, preflight: Preflight) -> Iterator[CheckView]:
    from emolab.session import checks  # SciPy comes with it: a second that the engine's start saves

    is_for_window = preflight.request.session.answers == "window"
    clocks, underruns = checks.ClockReading.now(), lab.player.underruns()
    takes = _listen(lab, preflight)
    if preflight.wait(0):
        return
    yield from _of_streams(lab, takes, preflight.request.seconds)
    plays = isinstance(lab.player, SoundPlayer)
    dry = lab.player.underruns() - underruns
    yield checks.sound_check(lab.sound_fault, plays or bool(lab.sound_fault), dry)
    yield checks.screen_check(preflight.request.screens, is_for_window, lab.screen)
    yield checks.clock_check(clocks, checks.ClockReading.now())
    yield checks.power_check(awake.battery(), awake.refusal())
    bytes_per_s = sum(take.bytes_per_s() for take in takes.of.values())
    yield from checks.disk_checks(disk(lab.study, measure=True), bytes_per_s, plan.cap_s)
    preflight.progress = (1 + LISTENING_SHARE) / 2
    yield from checks.clip_checks(bank, [clip.id for clip in plan.trials], lab.settings)


def _listen(lab: Laboratory, preflight: Preflight) -> Takes:
    """Tap the hub for the seconds asked for."""
    seconds, left_out = preflight.request.seconds, lab.left_out()
    streams = [
        lab.hub.streams[name] for name in lab.pumps if name not in left_out and name in lab.hub.streams
    ]
    takes = Takes((state.info, state.tally) for state in streams)
    start_s = lab.clock.now_s()
    deadline = time.monotonic() + seconds / min(lab.clock.speed, 1.0) + PATIENCE_S
    with lab.hub.tapped(takes.take):
        while (past_s := lab.clock.now_s() - start_s) < seconds and time.monotonic() < deadline:
            preflight.progress = LISTENING_SHARE * past_s / seconds
            if preflight.wait(POLL_S):
                break
    return takes


def _of_streams(lab: Laboratory, takes: Takes, seconds: float) -> Iterator[CheckView]:
    """Each instrument: what its light says when it is red, else its rate, then its signals."""
    from emolab.session import checks

    for light in lab.health():
        name = light.name
        if light.is_left_out:
            continue
        if light.level == "act" or name not in takes.of:
            what = light.message.rstrip(".") or f"{name} is not open"
            yield CheckView(name, "act", what, "Mend it and Retry, or leave it out.", name)
            continue
        yield checks.rate_check(takes.of[name], seconds)
        yield from checks.signal_checks(takes.of[name])


def _silent(lab: Laboratory) -> list[str]:
    """The instruments that are to be recorded but have never delivered."""
    silent = []
    for name, pump in lab.pumps.items():
        state = lab.hub.streams.get(name)
        has_come = state is not None and (state.last_s is not None or state.info.may_be_silent)
        if pump.status.state != "left_out" and not has_come:
            silent.append(name)
    return silent


def _sentence(check: CheckView) -> str:
    return f"{check.what.rstrip('.')}. {check.remedy}".strip()
