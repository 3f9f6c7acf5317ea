"""Is this recording good? Facts about a session file, and a verdict with its reasons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.event import Event
from emolab.core.stream import Tally
from emolab.recording.guard import damage_told
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.recorder import OVERRUN, UNFIT

GAP_FLOOR_S = 0.02  # below that a step is the machine's jitter
RATE_TOLERANCE = 0.02
LOST_TOLERANCE = 0.05
MANY = 500_000  # times beyond this number are thinned for the rate
PIECE = 1 << 20
LATE_S = 5.0  # a stream may begin so much after the session, and end so much before it


def inspect(path: Path) -> dict[str, Any]:
    """What a session file holds, and whether it can be used; all JSON-able.

    One entry in `streams` a channel, named `board/gsr` where a stream has several. `lost` and
    `corrupt` count from the session's start; `gaps` are steps in time of more than three samples
    that the stream did not catch up with. `true_rate_hz` is fitted robustly to the samples'
    times, None below three samples. `verdict`: `good`, `look` (usable, but read `reasons`) or
    `bad`. Raises as `Session.open` does.
    """
    with damage_told(path), Session.open(path) as session:
        events = session.events
        begin_s, end_s = _span(session, events)
        facts = [_stream_facts(stream, events) for stream in session.streams.values()]
        report: dict[str, Any] = {
            "file": str(path),
            "complete": session.complete,
            "outcome": session.outcome,
            "participant": session.header.participant,
            "session": session.header.session,
            "protocol": session.header.protocol,
            "started_utc": session.header.started_utc.isoformat(),
            "bytes": path.stat().st_size,
            "duration_s": round(end_s - begin_s, 6),
            "streams": [
                {"name": name, "kind": kind, **fact}
                for stream, fact in zip(session.streams.values(), facts, strict=True)
                for name, kind in _channels(stream)
            ],
            "trials": _trials(events),
            "answers": [
                {"clip": a.clip, "state": a.state, "word": a.word, "response_s": a.response_s}
                for a in session.answers
            ],
            "recovery": dict(session.recovery),
        }
        named = dict(zip(session.streams, facts, strict=True))
        report["verdict"], report["reasons"] = _verdict(report, named, begin_s, end_s, events)
        json.dumps(report, allow_nan=False)  # a number that is none is damage, too
    return report


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


def text(report: dict[str, Any]) -> str:
    """The report as a page for people."""
    trials, answers, minutes = report["trials"], report["answers"], report["duration_s"] / 60
    protocol = report["protocol"] or "no protocol"
    given = sum(answer["state"] is not None for answer in answers)
    lines = [
        f"{report['file']}  ({report['bytes'] / 1e6:.1f} MB)",
        f"participant {report['participant']}, session {report['session']}, {protocol}: "
        f"{report['outcome']}, {minutes:.1f} min",
        f"trials: {trials['done']} of {trials['planned']} done, {trials['skipped']} skipped; "
        f"answers: {given} of {len(answers)} given",
        "",
        f"{'stream':<24}{'kind':<12}{'samples':>10}{'Hz':>10}{'announced':>11}"
        f"{'from s':>10}{'to s':>10}{'gaps':>6}{'lost':>7}{'corrupt':>9}",
    ]
    for s in report["streams"]:
        lines.append(
            f"{s['name']:<24}{s['kind']:<12}{s['samples']:>10}{_number(s['true_rate_hz']):>10}"
            f"{_number(s['nominal_rate_hz']):>11}{_number(s['first_s']):>10}{_number(s['last_s']):>10}"
            f"{s['gaps']:>6}{s['lost']:>7}{s['corrupt']:>9}"
        )
    lines += ["", f"verdict: {report['verdict']}", *(f"  - {reason}" for reason in report["reasons"])]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _channels(stream: RecordedStream) -> list[tuple[str, str]]:
    channels = stream.info.channels
    if len(channels) == 1:
        return [(stream.name, channels[0].kind)]
    return [(f"{stream.name}/{channel.name}", channel.kind) for channel in channels]


@dataclass(frozen=True)
class _Timeline:
    """A stream's times, thinned where they are many: `rows`, `times_s` `(m,)`; `gaps`: rows of all."""

    rows: NDArray[np.intp]
    times_s: NDArray[np.float64]
    gaps: NDArray[np.intp]
    gap_times_s: tuple[float, ...]  # when the stream fell silent
    last_s: float | None


def _timeline(stream: RecordedStream) -> _Timeline:
    """Read the times piece by piece; pieces overlap, so that a gap at a seam is judged by what follows."""
    thin = max(1, len(stream) // MANY)
    kept, gaps, silent_s = [], [], []
    held = np.zeros(0)
    first = 0  # row of held[0]
    for piece_us in stream.time_slices_us():
        start = first + len(held)
        kept.append(piece_us[-start % thin :: thin] / 1e6)
        held = np.concatenate([held, piece_us / 1e6])
        is_last = start + len(piece_us) == len(stream)
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
        float(held[-1]) if len(held) else None,
    )


def _stream_facts(stream: RecordedStream, events: Sequence[Event]) -> dict[str, Any]:
    line = _timeline(stream)
    tallies = [tally for _, tally in stream.tally()]
    first, last = (tallies[0], tallies[-1]) if tallies else (Tally(), Tally())
    refused = sum(
        int(event.data.get("lost", 0))
        for event in events
        if event.kind == "gap"
        and event.data.get("stream") == stream.name
        and event.data.get("reason") in (OVERRUN, UNFIT)
    )
    rate_hz = true_rate_hz(line.times_s, _ticks(stream, line.rows), np.searchsorted(line.rows, line.gaps))
    return {
        "samples": len(stream),
        "nominal_rate_hz": stream.info.nominal_rate_hz,
        "true_rate_hz": None if rate_hz is None else round(rate_hz, 6),
        "first_s": float(line.times_s[0]) if len(stream) else None,
        "last_s": line.last_s,
        "gaps": len(line.gaps),
        "lost": last.lost - first.lost + refused,
        "corrupt": last.corrupt - first.corrupt,
        "duplicated": last.duplicated - first.duplicated,
        "reopened": last.reopened - first.reopened,
        "gap_times_s": [round(time_s, 6) for time_s in line.gap_times_s[:50]],
    }


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


def _span(session: Session, events: Sequence[Event]) -> tuple[float, float]:
    begin_s = next((event.time_s for event in events if event.kind == "session_started"), 0.0)
    ended = [event.time_s for event in events if event.kind == "session_ended"]
    if ended:
        return begin_s, ended[-1]
    last = [last_s for stream in session.streams.values() if (last_s := stream.last_s()) is not None]
    return begin_s, max([begin_s, *last, *(event.time_s for event in events)])


def _trials(events: Sequence[Event]) -> dict[str, int]:
    done = {
        _clip(event)
        for event in events
        if event.kind == "clip_ended" and event.data.get("how", "done") == "done"
    }
    skipped = {_clip(event) for event in events if event.kind == "trial_skipped"} - done
    planned = next((event.data.get("planned") for event in events if event.kind == "session_started"), None)
    if not isinstance(planned, int):
        planned = len(planned) if isinstance(planned, Sequence) else len(done) + len(skipped)
    return {"planned": planned, "done": len(done), "skipped": len(skipped)}


def _clip(event: Event) -> str:
    return str(event.data.get("clip", event.time_s))


def _verdict(
    report: dict[str, Any],
    streams: dict[str, dict[str, Any]],
    begin_s: float,
    end_s: float,
    events: Sequence[Event],
) -> tuple[str, list[str]]:
    bad, look = _session_reasons(report)
    left_out = next(
        (event.data.get("left_out", ()) for event in events if event.kind == "session_started"), ()
    )
    for name, facts in streams.items():
        worse, worth = _stream_reasons(name, facts, begin_s, end_s)
        if name in left_out:
            look.append(f"{name} was left out by the experimenter.")
        else:
            bad += worse
            look += worth
    return ("bad" if bad else "look" if look else "good"), bad + look


def _session_reasons(report: dict[str, Any]) -> tuple[list[str], list[str]]:
    bad: list[str] = []
    look: list[str] = []
    trials = report["trials"]
    if report["outcome"] == "recording":
        bad.append(
            "The file was not closed: the recording goes on, or was killed; then run 'emolab recover' on it."
        )
    elif not report["complete"]:
        look.append(f"The session was {report['outcome']} before its end.")
    if report["recovery"]:
        look.append("The file was mended after a crash.")
    if not report["streams"]:
        bad.append("No instrument was recorded.")
    if trials["planned"] and not trials["done"]:
        bad.append("No clip was heard to its end.")
    elif trials["done"] < trials["planned"]:
        look.append(f"{trials['done']} of {trials['planned']} clips were heard to their end.")
    if missing := sum(answer["state"] is None for answer in report["answers"]):
        look.append(f"{missing} of {len(report['answers'])} reports were not given in time.")
    return bad, look


def _stream_reasons(
    name: str, facts: dict[str, Any], begin_s: float, end_s: float
) -> tuple[list[str], list[str]]:
    if not facts["samples"]:
        return [f"{name} delivered nothing."], []
    bad: list[str] = []
    look: list[str] = []
    share = facts["lost"] / (facts["lost"] + facts["samples"])
    if facts["lost"] > 0:
        (bad if share > LOST_TOLERANCE else look).append(
            f"{name} lost {facts['lost']} samples ({share:.2%})."
        )
    if facts["corrupt"] > 0:
        look.append(f"{name} sent {facts['corrupt']} damaged samples; look at its cable.")
    if facts["gaps"]:
        look.append(f"{name} has {facts['gaps']} gaps, the first at {facts['gap_times_s'][0]:.1f} s.")
    if facts["reopened"] > 0:
        look.append(f"{name} went away and came back {facts['reopened']} times.")
    if facts["first_s"] - begin_s > LATE_S:
        look.append(f"{name} began {facts['first_s'] - begin_s:.0f} s after the session.")
    if end_s - facts["last_s"] > LATE_S:
        missing = (end_s - facts["last_s"]) / max(end_s - begin_s, 1e-9)
        reason = f"{name} ended {end_s - facts['last_s']:.0f} s before the session."
        (bad if missing > LOST_TOLERANCE else look).append(reason)
    nominal_hz, rate_hz = facts["nominal_rate_hz"], facts["true_rate_hz"]
    if nominal_hz and rate_hz and abs(rate_hz / nominal_hz - 1) > RATE_TOLERANCE:
        look.append(
            f"{name} runs at {rate_hz:.2f} Hz, not the {nominal_hz:g} Hz announced; its times are right."
        )
    return bad, look
