"""What one recorded stream tells of itself: its rate, clock, gaps, losses and delays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.event import Event
from emolab.core.stream import Tally
from emolab.recording.losses import OVERRUN, UNFIT
from emolab.recording.reader import RecordedStream
from emolab.recording.timeline import STEP, Leaps, Timeline, read_timeline
from emolab.recording.times.refine import refine

LATE_S = 0.25  # a chunk in hand so long after its last sample was taken is late
PIECE = 1 << 20
LISTED = 200

Floats = NDArray[np.float64]


def stream_facts(stream: RecordedStream, events: Sequence[Event]) -> dict[str, Any]:
    """The facts of one stream, all JSON-able; `inspect.inspect` tells what each is."""
    line = read_timeline(stream)
    fit = _fit(stream, line.ends_s)
    rate_hz = _rate_hz(stream, line, fit)
    incomplete, spans = _missing(line.leaps, rate_hz, is_refined=len(stream.fit()[0]) > 0)
    latency_ms = 1e3 * (stream.arrivals()[1][: len(line.ends_s)] - line.ends_s)
    tallies = [tally for _, tally in stream.tally()]
    first, last = (tallies[0], tallies[-1]) if tallies else (Tally(), Tally())
    p50, p99 = np.quantile(latency_ms, [0.5, 0.99]) if len(latency_ms) else (None, None)
    return {
        "samples": len(stream),
        "nominal_rate_hz": stream.info.nominal_rate_hz,
        "true_rate_hz": _rounded(rate_hz, 6),
        "drift_ppm": _rounded(fit.get("drift_ppm"), 2),
        "drift_of": fit.get("drift_of"),
        "jitter_ms": _rounded(fit.get("jitter_ms"), 4),
        "refined": bool(fit.get("refined")),
        "not_refined": fit.get("why") or None,
        "first_s": line.first_s,
        "last_s": line.last_s,
        "gaps": len(line.gaps),
        "lost": last.lost - first.lost + _refused(stream, events),
        "lost_estimate": fit.get("lost_estimate"),
        "corrupt": last.corrupt - first.corrupt,
        "duplicated": last.duplicated - first.duplicated,
        "reopened": last.reopened - first.reopened,
        "late": int(np.count_nonzero(latency_ms > 1e3 * LATE_S)),
        "latency_ms": {"p50": _rounded(p50, 3), "p99": _rounded(p99, 3)},
        "gap_times_s": [round(time_s, 6) for time_s in line.silent_s[:50].tolist()],
        "incomplete_spans": incomplete,
        "gap_list": [
            {"from_s": round(from_s, 6), "to_s": round(to_s, 6), "missing": missing}
            for from_s, to_s, missing in spans
        ],
    }


def true_rate_hz(
    times_s: NDArray[np.float64], ticks: NDArray[np.int64], gaps: NDArray[np.intp]
) -> float | None:
    """Samples a second, by the median slope between samples half a stretch apart (Theil 1950; Sen 1968).

    `ticks`: the device's counter, or row numbers; `gaps`: rows before which time jumped, each
    stretch between them is fitted alone. None when no stretch has three samples.
    """
    periods, weights = [], []
    for time_s, tick in zip(np.split(times_s, gaps), np.split(ticks, gaps), strict=True):
        half = len(time_s) // 2
        if len(time_s) < 3:
            continue
        taken = tick[half:] - tick[:-half]
        slopes = (time_s[half:] - time_s[:-half])[taken > 0] / taken[taken > 0]
        if len(slopes):
            periods.append(float(np.median(slopes)))
            weights.append(float(len(time_s)) ** 3)  # a slope's variance falls with the cube
    if not periods or (period_s := float(np.average(periods, weights=weights))) <= 0:
        return None
    return 1 / period_s


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


def _fit(stream: RecordedStream, ends_s: Floats) -> dict[str, Any]:
    """The facts of the fit; of a file that was never ended, of what is there so far.

    `ends_s`: when the last row of each chunk was stamped, if the times were never refined.
    """
    _, _, facts = stream.fit()
    if not facts and len(stream):
        is_whole = len(ends_s) == len(stream.arrivals()[0])
        ends_us = np.rint(1e6 * ends_s).astype(np.int64) if is_whole else None
        facts = {**refine(stream, ends_us).facts, "refined": False, "why": "the session has not ended"}
    return facts


def _refused(stream: RecordedStream, events: Sequence[Event]) -> int:
    """Samples that came but could not be recorded."""
    return sum(
        int(event.data.get("lost", 0))
        for event in events
        if event.kind == "gap"
        and event.data.get("stream") == stream.name
        and event.data.get("reason") in (OVERRUN, UNFIT)
    )


def _rate_hz(stream: RecordedStream, line: Timeline, fit: dict[str, Any]) -> float | None:
    """Samples a second: from the fit, or for frames and short streams from their times."""
    if "rate_hz" in fit and not stream.info.is_image:
        return float(fit["rate_hz"])
    return true_rate_hz(line.times_s, _ticks(stream, line.rows), np.searchsorted(line.rows, line.gaps))


def _missing(
    leaps: Leaps, rate_hz: float | None, is_refined: bool
) -> tuple[int, list[tuple[float, float, int]]]:
    """In how many intervals samples are missing; of the first the times before and after, and how many."""
    if rate_hz is None:
        return 0, []
    periods = (leaps.after_s - leaps.before_s) * rate_hz
    is_counted = leaps.taken > 1
    lacks = is_counted | (periods > STEP) if is_refined else np.ones(len(periods), np.bool_)
    missing = np.where(is_counted, leaps.taken, np.rint(periods).astype(np.int64)) - 1
    at = np.flatnonzero(lacks)
    first = at[:LISTED]
    told = zip(leaps.before_s[first], leaps.after_s[first], np.maximum(missing[first], 0), strict=True)
    return len(at), [(float(before_s), float(after_s), int(lost)) for before_s, after_s, lost in told]


def _ticks(stream: RecordedStream, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """The device's counter at these rows, or the rows themselves where it has none that only grows."""
    if not stream.columns.is_used("counter"):
        return rows
    pieces = [stream.counter(start, start + PIECE) for start in range(0, len(stream), PIECE)]
    if not pieces or any(piece is None for piece in pieces):
        return rows
    thin = int(rows[1] - rows[0]) if len(rows) > 1 else 1
    counter = np.concatenate(
        [piece[-at * PIECE % thin :: thin] for at, piece in enumerate(pieces) if piece is not None]
    )
    return rows if (np.diff(counter) <= 0).any() else counter
