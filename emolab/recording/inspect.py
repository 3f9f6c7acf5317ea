"""Is this recording good? Facts about a session file, and a verdict with its reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emolab.core.event import Event
from emolab.recording import onset_facts
from emolab.recording.guard import damage_told
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.stream_facts import stream_facts

RATE_TOLERANCE = 0.02
LOST_TOLERANCE = 0.05
DRIFT_TOLERANCE_PPM = 1000.0
LATENCY_TOLERANCE_MS = 1000.0
LATE_S = 5.0  # a stream may begin so much after the session, and end so much before it


def inspect(path: Path) -> dict[str, Any]:
    """What a session file holds, and whether it can be used; all JSON-able.

    One entry in `streams` a channel, named `board/gsr` where a stream has several. Its times are
    the best there are (`RecordedStream.times_s`); `refined` tells whether they differ from those
    stamped live, else `not_refined` why.

        true_rate_hz       samples a second, None below three samples
        drift_ppm          how fast the device's clock runs, and `drift_of` what against what
        jitter_ms          SD of the live stamps about the fit
        latency_ms         p50 and p99 from a chunk's last sample until the program had it;
        late               chunks of more than 250 ms
        lost, corrupt, duplicated, reopened     as the instrument counted, from the session's start
        lost_estimate      value, low, high: samples missing where nothing counted them
        gaps, gap_times_s  steps of more than three samples (20 ms at least), not caught up with
        gap_list           from_s, to_s, missing of each interval that lacks a sample (the first
                           200 of `incomplete_spans`); they are never closed up

    `onsets`: when each clip was heard, as `onset_facts` tells it.
    `consent`: which text was shown (language, version, sha256 of its file in the study, None in older
    recordings) and given_s, when it was agreed to, by whom (window: a person, or simulated); None where
    none was shown.
    `verdict`: `good`, `look` (usable, but read `reasons`) or `bad`. Raises as `Session.open` does.
    """
    with damage_told(path), Session.open(path) as session:
        return inspect_open(session)


def inspect_open(session: Session) -> dict[str, Any]:
    """What `inspect` tells, of a session that is open: what is read of it for that is kept meanwhile."""
    path = session.path
    with damage_told(path):
        events = session.events
        begin_s, end_s = _span(session, events)
        facts = [stream_facts(stream, events) for stream in session.streams.values()]
        report: dict[str, Any] = {
            "file": str(path),
            "complete": session.complete,
            "outcome": session.outcome,
            "participant": session.header.participant,
            "session": session.header.session,
            "protocol": session.header.protocol,
            "speed": session.header.speed,
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
            "onsets": onset_facts.onset_facts(events),
            "consent": _consent(events),
            "recovery": dict(session.recovery),
        }
        named = dict(zip(session.streams, facts, strict=True))
        report["verdict"], report["reasons"] = _verdict(report, named, begin_s, end_s, events)
        json.dumps(report, allow_nan=False)  # a number that is none is damage, too
    return report


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
        f"consent: {_consent_words(report['consent'])}",
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
    lines += ["", *_clock_lines(report["streams"])]
    if report["onsets"]:
        lines += ["", *onset_facts.lines(report["onsets"])]
    lines += ["", f"verdict: {report['verdict']}", *(f"  - {reason}" for reason in report["reasons"])]
    return "\n".join(lines)


def _consent(events: Sequence[Event]) -> dict[str, Any] | None:
    """The consent text that was shown, and when the participant agreed to it."""
    given = next((event for event in events if event.kind == "consent"), None)
    started = next((event.data for event in events if event.kind == "session_started"), {})
    shown = given.data if given is not None else started.get("consent")
    if not isinstance(shown, Mapping) or (given is None and started.get("resumes")):
        return None
    told = {key: shown.get(key) for key in ("language", "version", "sha256")}
    by = given.data.get("by", "window") if given is not None else None
    return {**told, "given_s": None if given is None else round(given.time_s, 6), "by": by}


def _consent_words(consent: dict[str, Any] | None) -> str:
    if consent is None:
        return "no text was shown"
    which = f"version {consent['version']} ({consent['language']}), SHA-256 {consent['sha256']}"
    if not consent["sha256"]:
        which = f"text in {consent['language']!r}, its version was not recorded"
    given_s = consent["given_s"]
    by = " by the simulated participant" if consent["by"] == "simulated" else ""
    return f"{which}; " + ("not agreed to" if given_s is None else f"agreed to at {given_s:.1f} s{by}")


def _clock_lines(streams: Sequence[dict[str, Any]]) -> list[str]:
    """How each stream keeps time; channels of one stream share a line."""
    lines = [
        f"{'times':<24}{'drift ppm':>11}{'jitter ms':>11}{'delay ms':>10}{'p99':>9}{'late':>6}"
        f"{'duplicated':>12}  missing"
    ]
    told = set()
    for s in streams:
        name = s["name"].split("/")[0]
        if name in told:
            continue
        told.add(name)
        delay = s["latency_ms"]
        lines.append(
            f"{name:<24}{_number(s['drift_ppm']):>11}{_number(s['jitter_ms']):>11}"
            f"{_number(delay['p50']):>10}{_number(delay['p99']):>9}{s['late']:>6}{s['duplicated']:>12}"
            f"  {_missing(s)}"
        )
    return lines


def _missing(s: dict[str, Any]) -> str:
    """Where samples are missing, in a few words."""
    words = []
    if estimate := s["lost_estimate"]:
        words.append(f"{estimate['value']} ({estimate['low']} to {estimate['high']})")
    if spans := s["gap_list"]:
        shown = ", ".join(f"{gap['from_s']:.3f}-{gap['to_s']:.3f} s" for gap in spans[:3])
        more = s["incomplete_spans"] - 3
        words.append(shown + (f" and {more} more" if more > 0 else ""))
    return "; ".join(words) or "none"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _channels(stream: RecordedStream) -> list[tuple[str, str]]:
    channels = stream.info.channels
    if len(channels) == 1:
        return [(stream.name, channels[0].kind)]
    return [(f"{stream.name}/{channel.name}", channel.kind) for channel in channels]


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
    look += _standstills(events)
    left_out = next(
        (event.data.get("left_out", ()) for event in events if event.kind == "session_started"), ()
    )
    for name, facts in streams.items():
        worse, worth = _stream_reasons(name, facts, begin_s, end_s, report["speed"] == 1)
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
    if broken := sum(onset["underruns"] > 0 for onset in report["onsets"]):
        look.append(f"The sound dropped out during {broken} of {len(report['onsets'])} clips.")
    if missing := sum(answer["state"] is None for answer in report["answers"]):
        look.append(f"{missing} of {len(report['answers'])} reports were not given in time.")
    return bad, look


def _standstills(events: Sequence[Event]) -> list[str]:
    """In how far the computer slept, or was stopped, while the session ran."""
    still = [event for event in events if event.kind == "stood_still"]
    if not still:
        return []
    told = [event.data.get("seconds") for event in still]
    seconds = sum(lasted for lasted in told if isinstance(lasted, int | float))
    clips = ", ".join(str(event.data["clip"]) for event in still if event.data.get("clip"))
    broken = f"; it broke off {clips}" if clips else ""
    times = "once" if len(still) == 1 else f"{len(still)} times"
    return [
        f"The computer stood still {times}, for {seconds:.0f} s, first at {still[0].time_s:.1f} s{broken}."
    ]


def _stream_reasons(
    name: str, facts: dict[str, Any], begin_s: float, end_s: float, is_real_time: bool
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
    estimate = facts["lost_estimate"]
    if estimate and estimate["low"] > facts["lost"]:
        share = estimate["low"] / (estimate["low"] + facts["samples"])
        (bad if share > LOST_TOLERANCE else look).append(
            f"{name} lacks about {estimate['value']} samples ({estimate['low']} to {estimate['high']}), "
            "by its pauses."
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
    if is_real_time and (facts["latency_ms"]["p99"] or 0) > LATENCY_TOLERANCE_MS:
        look.append(
            f"{name} was read up to {facts['latency_ms']['p99'] / 1000:.1f} s late; the machine is too busy."
        )
    if (facts["drift_of"] or "").startswith("the device") and abs(facts["drift_ppm"]) > DRIFT_TOLERANCE_PPM:
        look.append(f"{name}'s clock is off by {facts['drift_ppm']:.0f} ppm; its times are right.")
    nominal_hz, rate_hz = facts["nominal_rate_hz"], facts["true_rate_hz"]
    if nominal_hz and rate_hz and abs(rate_hz / nominal_hz - 1) > RATE_TOLERANCE:
        look.append(
            f"{name} runs at {rate_hz:.2f} Hz, not the {nominal_hz:g} Hz announced; its times are right."
        )
    return bad, look
