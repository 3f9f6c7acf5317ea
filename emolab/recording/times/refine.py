"""The best times of a recorded stream, from all of it at once: what live stamps become afterwards.

Live, a sample's time is learnt from the past alone; the first seconds are a guess. With the whole
recording at hand the device's clock is laid onto the session's anew (`timing`), and lines lost by
boards that count nothing are found (`missing`). Which streams have their times refined, an instrument
says by `stamped_by` in its description:

    arrival   times were learnt from when samples arrived (serial boards): fitted to the arrivals,
              from below
    driver    the driver stamped each block, roughly (sound): fitted to the stamps
    nothing   stamps are as good as they come (frames, LSL, simulated): kept, only judged

and a clock found uneven keeps its stamps, too. A stretch of one clock ends where the instrument
went away and came back: each has its own fit, and what lies between is never closed up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.recording.reader import RecordedStream
from emolab.recording.times.missing import Steps, find_steps
from emolab.recording.times.observed import Chunks, observe
from emolab.recording.times.timing import CRYSTAL_S, SHORT_POINTS, SHORT_S, Floats, Line, fit_line

UNEVEN = 0.5  # of a sample's period: a clock that strays further (p95), and further than
UNEVEN_MS = 10.0  # this, is none
CAMERA_S = 4.0  # cameras change their rate with the light


@dataclass(frozen=True)
class Refined:
    """Times as a polyline over the device's count, and what the fit tells of the device.

    `ticks`, `times_us`: its corners, both growing; empty when times stay as stamped. `facts`:
    JSON-able, as `layout` tells.
    """

    ticks: Floats
    times_us: Floats
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Part:
    """One stretch of one clock with its fit. `steps` for boards without a count."""

    chunks: Chunks
    line: Line
    steps: Steps | None

    def at(self, ticks: NDArray[np.int64]) -> Floats:
        """Times of `ticks`."""
        return self.line.at(ticks) if self.steps is None else self.steps.at(ticks)

    def seconds(self) -> float:
        """How long its counts took; the pauses of a board that paces itself are part of its rate."""
        paused_s = 0.0 if self.steps is None or self.steps.is_whole else float(self.steps.seconds.sum())
        return float(self.line.times_s[-1] - self.line.times_s[0]) + paused_s

    def corners(self) -> tuple[NDArray[np.int64], Floats]:
        """Between these counts, or rows, times are even; and those times."""
        chunks = self.chunks
        inner = np.rint(self.line.ticks).astype(np.int64)
        if self.steps is not None:
            inner = np.concatenate([inner, self.steps.rows - 1, self.steps.rows])
        turns = np.flatnonzero(np.diff(chunks.skipped)) + 1  # rows go on there, ticks leap
        inner = np.concatenate([inner, chunks.ticks[turns - 1], chunks.first_ticks[turns]])
        first, last = int(chunks.first_ticks[0]), int(chunks.ticks[-1])
        ticks = np.unique(np.concatenate([[first, last], inner[(inner > first) & (inner < last)]]))
        where = np.searchsorted(chunks.first_ticks, ticks, side="right") - 1
        if chunks.by == "row":
            there = ticks <= chunks.ticks[where]  # the others were skipped: no row has them
            ticks, where = ticks[there], where[there]
        return ticks - chunks.skipped[where], self.at(ticks)


def refine(stream: RecordedStream, ends_us: NDArray[np.int64] | None = None) -> Refined:
    """The best times of a stream that is no longer recorded.

    `ends_us`: `(chunks,)` the stamp of each chunk's last row, where they are at hand: reading
    those of an hour of sound takes seconds. Raises `RecordingError` where the file is damaged.
    """
    how = str(stream.info.instrument.get("stamped_by", ""))
    chunks = observe(stream, skips_are_corrupt=how == "arrival", ends_us=ends_us)
    if len(chunks) < SHORT_POINTS or chunks.stamps_s[-1] - chunks.stamps_s[0] < SHORT_S:
        return _kept({}, "too short to be fitted")
    if stream.info.nominal_rate_hz is None:
        return _kept({}, "it announced no rate")
    parts = [_fitted(stream, part, how) for part in chunks.stretches()]
    facts = _facts(stream, parts)
    if not how:
        return _kept(facts, "the instrument's own stamps are kept")
    if how != "arrival" and facts["jitter_p95_ms"] > max(1e3 * UNEVEN / facts["rate_hz"], UNEVEN_MS):
        return _kept(facts, "its stamps follow no even clock")
    corners = [part.corners() for part in parts]
    ticks = np.concatenate([ticks for ticks, _ in corners]).astype(np.float64)
    times_us = 1e6 * np.concatenate([times_s for _, times_s in corners])
    # stretches may overlap by the errors of their fits
    growing_us = np.maximum.accumulate(times_us - 1e-3 * np.arange(len(ticks))) + 1e-3 * np.arange(len(ticks))
    return Refined(ticks, growing_us, {"refined": True, "why": "", **facts})


def _kept(facts: dict[str, Any], why: str) -> Refined:
    return Refined(np.zeros(0), np.zeros(0), {"refined": False, "why": why, **facts})


def _fitted(stream: RecordedStream, chunks: Chunks, how: str) -> _Part:
    """The fit of one stretch."""
    period_s = 1e-6 if chunks.by == "device_us" else 1 / (stream.info.nominal_rate_hz or 1.0)
    if how != "arrival":
        finest_s = CAMERA_S if stream.info.is_image else CRYSTAL_S
        return _Part(
            chunks,
            fit_line(chunks.ticks, chunks.stamps_s, period_s, is_late=False, finest_s=finest_s),
            None,
        )
    seen_s = chunks.arrivals_s - float(stream.info.instrument.get("latency_s") or 0.0)
    if chunks.by != "row":
        return _Part(chunks, fit_line(chunks.ticks, seen_s, period_s, is_late=True), None)
    steps = find_steps(chunks.ticks, chunks.first_ticks, seen_s, period_s)
    return _Part(chunks, steps.line, steps)


def _facts(stream: RecordedStream, parts: list[_Part]) -> dict[str, Any]:
    """What the fits tell of the device."""
    by = parts[0].chunks.by
    ticks = sum(float(part.line.ticks[-1] - part.line.ticks[0]) for part in parts)
    seconds = sum(part.seconds() for part in parts)
    error_s = np.concatenate([part.chunks.stamps_s - part.at(part.chunks.ticks) for part in parts])
    nominal_hz = float(stream.info.nominal_rate_hz or 1.0)
    announced_hz = 1e6 if by == "device_us" else nominal_hz
    a_row = np.median(np.concatenate([part.chunks.ticks_a_row() for part in parts]))
    rate_hz = ticks / seconds / (float(a_row) if by == "device_us" else 1.0)
    return {
        "by": by,
        "stretches": len(parts),
        "rate_hz": rate_hz,
        "drift_ppm": (ticks / seconds / announced_hz - 1) * 1e6,
        "drift_of": "the device's clock against this computer's"
        if by == "device_us"
        else f"its samples against the {nominal_hz:g} Hz announced",
        "jitter_ms": float(np.std(error_s)) * 1e3,
        "jitter_p95_ms": float(np.quantile(np.abs(error_s - np.median(error_s)), 0.95)) * 1e3,
        "lost_estimate": _lost_estimate(parts, rate_hz, float(np.std(error_s))),
    }


def _lost_estimate(parts: list[_Part], rate_hz: float, jitter_s: float) -> dict[str, int] | None:
    """How many samples are missing where nothing counted them; None where a counter did."""
    if parts[0].chunks.by != "row" or parts[0].chunks.has_counter:
        return None
    value = low = high = 0
    for part in parts:
        if part.steps is not None:
            value += int(part.steps.missing.sum())
            low, high = low + part.steps.bounds[0], high + part.steps.bounds[1]
            continue
        lost = np.diff(part.chunks.skipped)
        lost = lost[lost > 0]
        either_way = int(np.ceil(2 * jitter_s * rate_hz))
        value += int(lost.sum())
        low += int(np.maximum(lost - either_way, 0).sum())
        high += int((lost + either_way).sum())
    return {"value": value, "low": low, "high": high}
