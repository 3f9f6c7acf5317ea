"""One session over time: planned against actual, and its signals with the clips behind them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from emolab.analysis.measure import Measured
from emolab.analysis.modalities import MODALITIES
from emolab.analysis.page import Part, Picture, Section
from emolab.core.event import Event
from emolab.core.label import STATE_KEYS
from emolab.plots import signals as drawn
from emolab.protocol.order import needs_washout
from emolab.recording.reader import Session
from emolab.signals.finding import level_of
from emolab.signals.usable import WINDOW_S

SHORT = {"ppg": "pulse", "respiration": "breath", "eda": "skin"}
KINDS = {"rest": "rest", "play": "clip", "rate": "report", "pause": "pause"}


def timeline(one: Measured, recordings: Sequence[Path]) -> Section:
    """The session's own two figures; `recordings`: its files."""
    own = [row for row in one.rows if row["file"] == one.files[0]]  # later parts have clocks of their own
    clips = pd.DataFrame(
        [{name: row[name] for name in ("number", "start_s", "end_s", "state_reported")} for row in own],
        columns=["number", "start_s", "end_s", "state_reported"],
    )
    parts: list[Part] = []
    planned, actual = steps(recordings)
    if planned or actual:
        parts.append(
            Picture("protocol", "Planned against actual.", lambda look: drawn.protocol(planned, actual, look))
        )
    names = {kind: name for kind, name in one.sources.items() if kind in SHORT}
    quality = {
        MODALITIES[kind].title: [
            drawn.Stretch(at * WINDOW_S, (at + 1) * WINDOW_S, level_of(share))
            for at, share in enumerate(shares)
        ]
        for kind, shares in one.quality.items()
    }

    @cache
    def strips() -> list[drawn.Strip]:
        with Session.open(recordings[0]) as session:
            read = {kind: session.signal(name) for kind, name in names.items()}
        return [
            drawn.Strip(SHORT[kind], kind, got.channel.unit, got.times_s, got.values)
            for kind, got in read.items()
        ]

    if names:
        parts.append(
            Picture(
                "session", "The session.", lambda look: drawn.session(strips(), clips, quality, look=look)
            )
        )
    return Section("session", "The session over time", parts)


def steps(recordings: Sequence[Path]) -> tuple[list[drawn.Part], list[drawn.Part]]:
    """The steps as planned, by the protocol's own times, and as they went; on the first part's clock."""
    every: list[Event] = []
    actual: list[drawn.Part] = []
    protocol: Any = {}
    began_utc = None
    for path in recordings:
        with Session.open(path) as session:
            began_utc = began_utc or session.header.started_utc
            later_s = (session.header.started_utc - began_utc).total_seconds()
            events = session.events
            protocol = protocol or _protocol(session.header.protocol_text)
        actual += _actual(events, later_s)
        every += events
    return _planned(every, protocol, actual), actual


def _actual(events: Sequence[Event], later_s: float) -> list[drawn.Part]:
    found, begun = [], {}
    for event in events:
        step = event.data.get("step")
        if event.kind == "step_started":
            begun[step] = event
        elif event.kind == "step_ended" and step in begun:
            start = begun.pop(step)
            kind = KINDS.get(str(start.data.get("kind")))
            if kind:
                state = start.data.get("state")
                from_s, to_s = start.time_s + later_s, event.time_s + later_s
                found.append(drawn.Part(from_s, to_s, kind, state if state in STATE_KEYS else None))
    return found


def _protocol(text: str) -> Any:
    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError:
        return {}


def _planned(events: Sequence[Event], protocol: Any, actual: Sequence[drawn.Part]) -> list[drawn.Part]:
    """The rest, then each planned clip with its whole report window: the longest it can take.

    Between states of opposite sign the wash-out, as `session_plan` lays it.
    """
    started = next((event for event in events if event.kind == "session_started"), None)
    rest = next((part for part in actual if part.kind == "rest"), None)
    try:
        trials = list(started.data["trials"]) if started else []
        rest_s, clip_s = float(protocol["rest"]["duration_s"]), float(protocol["clips"]["duration_s"])
        report_s, has_report = float(protocol["report"]["window_s"]), bool(protocol["rest"].get("report"))
        washout_s = float((protocol.get("order") or {}).get("washout_s") or 0.0)
    except (AttributeError, KeyError, TypeError, ValueError):
        return []
    at_s = rest.start_s if rest else 0.0
    found = [drawn.Part(at_s, at_s + rest_s, "rest")]
    at_s += rest_s
    if has_report:
        found.append(drawn.Part(at_s, at_s + report_s, "report"))
        at_s += report_s
    previous = None
    for trial in trials:
        state = trial.get("state") if trial.get("state") in STATE_KEYS else None
        if previous and state and needs_washout(previous, state):
            found.append(drawn.Part(at_s, at_s + washout_s, "pause"))
            at_s += washout_s
        previous = state
        found.append(drawn.Part(at_s, at_s + clip_s, "clip", state))
        found.append(drawn.Part(at_s + clip_s, at_s + clip_s + report_s, "report"))
        at_s += clip_s + report_s
    return found
