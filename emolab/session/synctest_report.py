"""What a timing test means: judged against the laboratory's baseline, kept in the study, told in a table.

STUDY/.emolab/synctest.json holds the `baseline` and the `history` of all tests, the newest last. The
first test in which something answered becomes the baseline; a later one only when that is asked for.
A constant delay is no fault, it can be subtracted; what counts is that it stays what it was.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from emolab import __version__
from emolab.core.errors import ConfigError
from emolab.session.synctest import Answer, Outcome
from emolab.signals.finding import Finding, Quality, worst

OFFSET_MS = 2.0  # a changed buffer or cable moves sound by more; nobody's body by less
SURE = 3.0  # standard errors
ACT_TIMES = 3.0  # what is so far beyond the limit for a look wants doing something
JITTER_TIMES, JITTER_MS = 2.0, 0.3  # than in the baseline, and this much anyhow
STEADY_MS = 2.0  # or a sample's length: what a sound instrument keeps to
DRIFT_MS_PER_MIN = 3.0  # 50 ppm; two crystals differ by less, a session is 20 minutes long
FOUND_SHARE = 0.9
LEAST_ANSWERS = 8  # fewer tell neither drift nor jitter
LIBRARIES = ("numpy", "scipy", "opencv-python-headless", "sounddevice", "pyserial", "PySide6-Essentials")


def report(
    outcome: Outcome, seconds: float, devices: Path, text: str, notes: Sequence[str]
) -> dict[str, Any]:
    """The facts of one test, JSON-able, not yet judged.

    `text`: of the device file. `notes`: sentences on what was left out.
    """
    return {
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "was_stopped": outcome.was_stopped,
        "devices": {"file": devices.name, "sha256": hashlib.sha256(text.encode()).hexdigest()},
        "software": _software(),
        "screen": outcome.screen,
        "sound": dict(outcome.sound),
        "given": dict(outcome.given),
        "lost": dict(outcome.lost),
        "notes": list(notes),
        "streams": [_row(answer) for answer in outcome.answers],
    }


def judge(facts: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> dict[str, Any]:
    """The facts with `level` and `findings` for the whole and for each stream, and its `change_ms`."""
    before = {_key(row): row for row in baseline["streams"]} if baseline else {}
    rows = []
    for row in facts["streams"]:
        known = before.get(_key(row))
        quality = Quality.of(_of_row(row, known))
        change = _change(row, known)
        rows.append(
            {
                **row,
                "change_ms": None if change is None else round(change, 3),
                "level": quality.level,
                "findings": [asdict(f) for f in quality.findings],
            }
        )
    general = list(_of_all(facts, baseline))
    level = worst([*(row["level"] for row in rows), *(f.level for f in general)])
    return {**facts, "streams": rows, "findings": [asdict(f) for f in general], "level": level}


class Baseline:
    """The file of a study's timing tests. Raises `ConfigError` when it cannot be read."""

    def __init__(self, study: Path) -> None:
        self.path = study / ".emolab" / "synctest.json"
        self._kept: dict[str, Any] = {"baseline": None, "history": []}
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if kept["baseline"] is not None:
                judge(kept["baseline"], kept["baseline"])  # has all that later tests are judged by
            self._kept = {"baseline": kept["baseline"], "history": list(kept["history"])}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{self.path} is not what a timing test leaves ({error}); move it away to begin anew"
            ) from error

    @property
    def facts(self) -> Mapping[str, Any] | None:
        """The baseline's report; None before the first."""
        return self._kept["baseline"]  # type: ignore[no-any-return]

    def keep(self, judged: Mapping[str, Any], *, as_baseline: bool) -> bool:
        """Add a test to the history; whether it is the baseline now."""
        answered = any(row["found"] for row in judged["streams"]) and not judged["was_stopped"]
        becomes = answered and (as_baseline or self.facts is None)
        if becomes:
            self._kept["baseline"] = judged
        self._kept["history"].append(judged)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(self._kept, ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(self.path)
        return becomes


def table(judged: Mapping[str, Any], signs: Mapping[str, str]) -> str:
    """The test for people: a line a stream, and below what is to be said."""
    width = max([12, *(len(_name(row)) for row in judged["streams"])])
    head = f"  {'':<{width}}  answers to      found   offset      ± SD      p95   drift/min    change"
    lines = [head] if judged["streams"] else []
    for row in judged["streams"]:
        line = f"{signs[row['level']]} {_name(row):<{width}}  {row['stimulus']:<10}"
        line += f" {row['found']:>4} of {row['given']:<3}"
        if row["found"]:
            change = "" if row["change_ms"] is None else f"{row['change_ms']:+.2f} ms"
            line += (
                f" {row['offset_ms']:7.2f} ms {row['jitter_ms']:6.2f} {row['p95_ms']:8.2f}"
                f" {row['drift_ms_per_min']:+8.2f} ms {change:>10}"
            )
        lines.append(line)
    for finding in [*(f for row in judged["streams"] for f in row["findings"]), *judged["findings"]]:
        lines.append(f"{signs[finding['level']]} {finding['what']}")
        lines.append(f"    {finding['remedy']}")
    return "\n".join([*lines, *judged["notes"]])


def _of_row(row: Mapping[str, Any], known: Mapping[str, Any] | None) -> Iterator[Finding]:
    name, kind = _name(row), row["stimulus"]
    if not row["found"]:
        was = known is not None and known["found"]
        what = f"{name} shows no {kind}" + (", and it did in the baseline" if was else "")
        yield Finding("silent", "act" if was else "look", what, _hint(row), 0.0)
        return
    share = row["found"] / row["given"]
    if share < FOUND_SHARE:
        what = f"{name} shows {row['found']} of {row['given']} stimuli"
        yield Finding("missed", "look", what, _hint(row), share)
    if row["found"] < LEAST_ANSWERS:
        return
    if abs(row["drift_ms_per_min"]) - SURE * row["drift_error_ms_per_min"] > DRIFT_MS_PER_MIN:
        drift, ppm = row["drift_ms_per_min"], row["drift_ppm"]
        is_much = abs(drift) - SURE * row["drift_error_ms_per_min"] > ACT_TIMES * DRIFT_MS_PER_MIN
        what = f"{name} drifts by {drift:+.1f} ms a minute ({ppm:+.0f} ppm)"
        remedy = (
            "Run the test again after five minutes of warming up; if it stays, take another port or card."
        )
        yield Finding("drift", "act" if is_much else "look", what, remedy, drift)
    yield from _of_jitter(row, known)
    change = _change(row, known)
    if known is None or change is None:
        return
    errors_ms = row["offset_error_ms"], known["offset_error_ms"]
    limit = max(OFFSET_MS, row["step_ms"] / 2, SURE * math.hypot(*errors_ms))
    if abs(change) > limit:
        what = f"{name} is {abs(change):.1f} ms {'later' if change > 0 else 'earlier'} than in the baseline"
        remedy = "Undo what was changed (driver, buffer, cable, screen), or set a new baseline with --save."
        yield Finding("moved", "act" if abs(change) > ACT_TIMES * limit else "look", what, remedy, change)


def _of_jitter(row: Mapping[str, Any], known: Mapping[str, Any] | None) -> Iterator[Finding]:
    jitter_ms, name = row["jitter_ms"], _name(row)
    if known is not None and known["found"]:
        usual_ms = JITTER_TIMES * known["jitter_ms"]
        what = f"{name} jitters by {jitter_ms:.1f} ms, {known['jitter_ms']:.1f} in the baseline"
    else:
        usual_ms = max(STEADY_MS, row["step_ms"])
        what = f"{name} jitters by {jitter_ms:.1f} ms"
    if jitter_ms > usual_ms + JITTER_MS:
        is_much = jitter_ms > ACT_TIMES * usual_ms + JITTER_MS
        remedy = "Close other programs, take the instrument off a shared hub, and run the test again."
        yield Finding("jitter", "act" if is_much else "look", what, remedy, jitter_ms)


def _of_all(facts: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> Iterator[Finding]:
    for message in facts["lost"].values():
        yield Finding("lost", "act", message.rstrip("."), "Mend it, or take it out of the device file.", 0.0)
    if not any(row["found"] for row in facts["streams"]):
        remedy = "Let a camera see the participant's screen, a microphone hear the sound, or wire a trigger."
        yield Finding("untimed", "act", "no stream shows any stimulus, so nothing was timed", remedy, 0.0)
    if facts["was_stopped"]:
        yield Finding("stopped", "act", "the test was stopped early", "Run it again to its end.", 0.0)
    for trouble, count in (("ran dry", "underruns"), ("slipped by milliseconds", "slipped_ms")):
        if value := facts["sound"].get(count, 0):
            what = f"the sound output {trouble} ({value:g}) during the test"
            yield Finding(count, "look", what, "Close other programs and run it again.", float(value))
    if baseline is None:
        return
    rows = {_key(row) for row in facts["streams"]}
    for row in baseline["streams"]:
        if row["found"] and _key(row) not in rows and row["stimulus"] in facts["given"]:
            what = f"{_name(row)} showed the {row['stimulus']} in the baseline and does not now"
            yield Finding("silent", "act", what, _hint(row), 0.0)
    if baseline["devices"]["sha256"] != facts["devices"]["sha256"]:
        what = f"the device file has changed since the baseline of {baseline['date_utc'][:10]}"
        yield Finding("devices", "look", what, "If that was meant, set a new baseline with --save.", 0.0)


def _row(answer: Answer) -> dict[str, Any]:
    late = answer.delay
    row: dict[str, Any] = {
        "stream": answer.stream,
        "channel": answer.channel,
        "stimulus": answer.kind,
        "step_ms": round(answer.step_ms, 4),
        "given": answer.given,
        "found": late.found if late is not None else 0,
    }
    for key in ("offset_ms", "offset_error_ms", "jitter_ms", "p95_ms"):
        row[key] = None if late is None else round(float(getattr(late, key)), 4)
    for key in ("drift_ms_per_min", "drift_error_ms_per_min", "drift_ppm"):
        row[key] = None if late is None else round(float(getattr(late, key)), 4)
    return row


def _change(row: Mapping[str, Any], known: Mapping[str, Any] | None) -> float | None:
    if known is None or not row["found"] or not known["found"]:
        return None
    return float(row["offset_ms"] - known["offset_ms"])


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["stream"], row["channel"], row["stimulus"]


def _name(row: Mapping[str, Any]) -> str:
    return row["stream"] if row["channel"] in ("rgb", "sound") else f"{row['stream']}/{row['channel']}"


def _hint(row: Mapping[str, Any]) -> str:
    if row["channel"] == "rgb":
        return "Let it see the participant's screen, or a mirror of it, without other light."
    if row["channel"] == "sound":
        return "Turn the loudspeaker up or put the microphone nearer; headphones want it inside a cup."
    return "Check the trigger's wire and its threshold."


def _software() -> dict[str, str]:
    versions = {"emolab": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
