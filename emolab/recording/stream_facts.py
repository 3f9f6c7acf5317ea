"""What one recorded stream tells of itself: its rate, clock, gaps, losses and delays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.event import Event
from emolab.core.stream import Tally
from emolab.recording import layout
from emolab.recording.losses import OVERRUN, UNFIT
from emolab.recording.reader import RecordedStream
from emolab.recording.times.refine import refine

GAP_FLOOR_S = 0.02  # below that a step is the machine's jitter
STEP = 1.5  # periods: where times were refined, a longer interval lacks a sample
LATE_S = 0.25  # a chunk in hand so long after its last sample was taken is late
MANY = 500_000  # times beyond this number are thinned for the rate
PIECE = 1 << 20
LISTED = 200

Floats = NDArray[np.float64]


def stream_facts(stream: RecordedStream, events: Sequence[Event]) -> dict[str, Any]:
    """The facts of one stream, all JSON-able; `inspect.inspect` tells what each is."""
    fit = _fit(stream)
    line = _timeline(stream)
    rate_hz = _rate_hz(stream, line, fit)
    spans = _missing(stream, rate_hz, line.gaps)
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
        "gap_times_s": [round(time_s, 6) for time_s in line.gap_times_s[:50]],
        "incomplete_spans": len(spans),
        "gap_list": [
            {"from_s": round(from_s, 6), "to_s": round(to_s, 6), "missing": missing}
            for from_s, to_s, missing in spans[:LISTED]
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


def find_gaps(times_s: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows before which time jumped by more than three samples, and was not caught up with within 0.25 s."""
    if len(times_s) < 3:
        return np.zeros(0, np.intp)
    steps = np.diff(times_s)
    usual_s = float(np.median(steps))
    jumps = np.flatnonzero(steps > max(3 * usual_s, GAP_FLOOR_S))
    ahead = np.minimum(jumps + _caught_up_rows(usual_s), len(times_s) - 1)
    expected_s = (ahead - jumps) * usual_s
    return jumps[times_s[ahead] - times_s[jumps] - expected_s > (steps[jumps] - usual_s) / 2] + 1


def _caught_up_rows(usual_s: float) -> int:
    return 2 + int(0.25 / max(usual_s, 1e-5))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


def _fit(stream: RecordedStream) -> dict[str, Any]:
    """The facts of the fit; of a file that was never ended, of what is there so far."""
    _, _, facts = stream.fit()
    if not facts and len(stream):
        facts = {**refine(stream).facts, "refined": False, "why": "the session has not ended"}
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


def _rate_hz(stream: RecordedStream, line: _Timeline, fit: dict[str, Any]) -> float | None:
    """Samples a second: from the fit, or for frames and short streams from their times."""
    if "rate_hz" in fit and not stream.info.is_image:
        return float(fit["rate_hz"])
    return true_rate_hz(line.times_s, _ticks(stream, line.rows), np.searchsorted(line.rows, line.gaps))


@dataclass(frozen=True)
class _Timeline:
    """A stream's times, thinned where they are many: `rows`, `times_s` `(m,)`; `gaps`: rows of all;
    `ends_s`: of each chunk's last row."""

    rows: NDArray[np.intp]
    times_s: Floats
    gaps: NDArray[np.intp]
    gap_times_s: tuple[float, ...]  # when the stream fell silent
    ends_s: Floats
    first_s: float | None
    last_s: float | None


def _timeline(stream: RecordedStream) -> _Timeline:
    """Read the times piece by piece; pieces overlap, so that a gap at a seam is judged by what follows."""
    thin = max(1, len(stream) // MANY)
    kept, gaps, ends_s = [], [], []
    silent_s: list[float] = []
    chunk_starts = stream.arrivals()[0]
    chunk_ends = np.append(chunk_starts[1:], len(stream))[: len(chunk_starts)] - 1
    chunk_ends = chunk_ends[chunk_ends < len(stream)]
    held = np.zeros(0)
    first = 0  # row of held[0]
    for piece_s in stream.time_slices_s():
        start = first + len(held)
        kept.append(piece_s[-start % thin :: thin])
        within = (chunk_ends >= start) & (chunk_ends < start + len(piece_s))
        ends_s.append(piece_s[chunk_ends[within] - start])
        held = np.concatenate([held, piece_s])
        is_last = start + len(piece_s) == len(stream)
        usual_s = float(np.median(np.diff(held))) if len(held) > 1 else 0.0
        overlap = 0 if is_last else min(_caught_up_rows(usual_s) + 1, len(held) - 1)
        sure = len(held) - overlap  # before this row there is enough to judge by
        found = find_gaps(held)
        found = found[found < sure]
        gaps.append(found + first)
        silent_s += held[found - 1].tolist()
        first += sure - 1
        held = held[sure - 1 :]
    return _Timeline(
        np.arange(0, len(stream), thin),
        np.concatenate(kept) if kept else np.zeros(0),
        np.concatenate(gaps) if gaps else np.zeros(0, np.intp),
        tuple(silent_s),
        np.concatenate(ends_s) if ends_s else np.zeros(0),
        float(kept[0][0]) if kept else None,
        float(held[-1]) if len(held) else None,
    )


def _missing(
    stream: RecordedStream, rate_hz: float | None, gaps: NDArray[np.intp]
) -> list[tuple[float, float, int]]:
    """Intervals in which samples are missing: the times before and after, and how many."""
    if rate_hz is None:
        return []
    is_refined = len(stream.fit()[0]) > 0
    spans: list[tuple[float, float, int]] = []
    start = 0
    for times_s, counter in _pieces(stream):
        steps_s = np.diff(times_s)
        missing = np.rint(steps_s * rate_hz).astype(np.int64) - 1
        if counter is not None:
            taken = np.diff(counter)
            lacks = (taken > 1) | (is_refined & (steps_s * rate_hz > STEP))
            missing = np.where(taken > 1, taken - 1, missing)
        elif is_refined:
            lacks = steps_s * rate_hz > STEP
        else:
            lacks = np.zeros(len(steps_s), np.bool_)
            lacks[gaps[(gaps > start) & (gaps < start + len(times_s))] - start - 1] = True
        for at in np.flatnonzero(lacks).tolist():
            spans.append((float(times_s[at]), float(times_s[at + 1]), max(int(missing[at]), 0)))
        start += len(times_s) - 1
    return spans


def _pieces(stream: RecordedStream) -> Iterator[tuple[Floats, NDArray[np.int64] | None]]:
    """Times and counter, each piece beginning with the last row of the one before."""
    has_counter = stream.columns.is_used("counter")
    before_s, before = np.zeros(0), np.zeros(0, np.int64)
    start = 0
    for piece_s in stream.time_slices_s():
        counter = None
        if has_counter and (told := stream.counter(start, start + len(piece_s))) is not None:
            counter = None if (told == layout.MISSING).any() else np.concatenate([before, told])
            before = told[-1:]
        times_s = np.concatenate([before_s, piece_s])
        if counter is not None and len(counter) != len(times_s):
            counter = None
        yield times_s, counter
        before_s = piece_s[-1:]
        start += len(piece_s)


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
