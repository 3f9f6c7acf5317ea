"""Judge each stream from two metres away: well, look, act, with the sentence that says what to do.

`act` (red) only for what needs a hand now: nothing comes. `look` (amber) for what lowers the
quality: samples lost in the last ten seconds, a rate far from the announced one, signals that are
worth little (see `signals`).
"""

from __future__ import annotations

import logging
import time

from emolab.core.ring import SampleRing
from emolab.session.hub import StreamState
from emolab.session.judging import worst_finding
from emolab.session.pump import PumpStatus
from emolab.session.snapshot import Level, StreamHealth

log = logging.getLogger(__name__)

SILENT_AFTER_S = 2.0
SILENT_SAMPLES = 3  # of a slow stream: so many are overdue before it is silent
LOSS_SPAN_S = 10.0
RATE_TOLERANCE = 0.15  # boards announced as 250 Hz run at 255 to 275
JUDGE_STEP_S = 1.0  # judging takes some milliseconds a stream
STARTING_S = 3.0


def judge(name: str, state: StreamState | None, pump: PumpStatus, now_s: float) -> StreamHealth:
    """The light of one instrument at `now_s`."""
    level, message = _verdict(name, state, pump, now_s)
    is_left_out = pump.state == "left_out"
    if state is None:
        return StreamHealth(name, "", level, message, is_left_out=is_left_out)
    info = state.info
    channels = state.ring.channels if isinstance(state.ring, SampleRing) else (info.channels[0].name,)
    units = ("dBFS",) if info.kind == "audio" else tuple(channel.unit for channel in info.channels)
    return StreamHealth(
        name=name,
        kind=info.kind,
        level=level,
        message=message,
        channels=channels,
        kinds=tuple(channel.kind for channel in info.channels),
        units=units,
        nominal_rate_hz=info.nominal_rate_hz,
        rate_hz=round(state.rate_hz(), 2),
        timekeeping=state.clock.found,
        samples=state.samples,
        lost=state.tally.lost,
        corrupt=state.tally.corrupt,
        reopened=pump.reopened,
        age_s=None if state.last_s is None else max(now_s - state.last_s, 0.0),
        is_image=info.is_image,
        ring=str(state.ring.path) if state.samples else "",
        is_left_out=is_left_out,
        may_be_silent=info.may_be_silent,
    )


def _verdict(name: str, state: StreamState | None, pump: PumpStatus, now_s: float) -> tuple[Level, str]:
    if pump.state == "left_out":
        return "look", f"{name} is left out of this session."
    if pump.state == "lost":
        return "act", pump.message
    if pump.state == "opening" or state is None:
        return "look", f"{name} is being opened."
    if pump.is_settling:
        return "look", f"{name} is heard; its times settle for some seconds, and all that comes is kept."
    if pump.is_awaited:
        return "act", pump.message or f"{name} is open again but has not delivered yet."
    nominal_hz, rate_hz = state.info.nominal_rate_hz, state.rate_hz()
    patience_s = SILENT_SAMPLES / nominal_hz if nominal_hz else 0.0
    opened_for_s = now_s - pump.since_s
    age_s = opened_for_s if state.last_s is None else min(now_s - state.last_s, opened_for_s)
    if age_s > max(SILENT_AFTER_S, patience_s) and not state.info.may_be_silent:
        return "act", f"{name} has been silent for {age_s:.0f} s. Check its cable and power, then Retry."
    if bad := state.lost_since(now_s - LOSS_SPAN_S):
        return "look", f"{name} lost {bad} samples in the last {LOSS_SPAN_S:.0f} s."
    is_begun = opened_for_s > max(STARTING_S, patience_s)
    if nominal_hz and is_begun and abs(rate_hz / nominal_hz - 1) > RATE_TOLERANCE:
        return "look", f"{name} runs at {rate_hz:.1f} Hz, announced as {nominal_hz:g} Hz."
    if state.hidden:
        return "look", f"{name} is recorded but not shown: {state.hidden}."
    return quality(state)


def quality(state: StreamState) -> tuple[Level, str]:
    """What the last seconds of a stream's signals are worth, judged once a second.

    Never red: a bad signal is still recorded, and red would stop the start (the pre-flight may).
    """
    if time.monotonic() - state.judged_s >= JUDGE_STEP_S:
        state.judged_s = time.monotonic()
        try:
            state.finding = worst_finding(state.info, state.ring)
        except Exception:  # a fault in what is only shown must never end a recording
            log.exception("stream %s cannot be judged", state.info.name)
    return ("well", "") if state.finding is None else ("look", f"{state.finding}")
