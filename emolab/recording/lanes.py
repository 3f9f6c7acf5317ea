"""What the stimulus intended and what the participant said, as lanes on the time line.

Both are read from the recording and are never written: a lane has no way to change it.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emolab.core.errors import DataError
from emolab.core.event import Event
from emolab.recording.labels import TimedLabel
from emolab.recording.onset_facts import onset_facts

BASELINE = "baseline"


def intended(events: Sequence[Event], end_s: float) -> list[TimedLabel]:
    """What each clip was chosen for, over the time it was heard; `end_s`: of the recording."""
    return [
        TimedLabel(start_s, stop_s, clip=clip, state=state)
        for clip, state, start_s, stop_s in _heard(events, end_s)
        if state
    ]


def reported(events: Sequence[Event], end_s: float) -> list[TimedLabel]:
    """What the participant said of each clip, over the time it was heard.

    The report on the rest is a label of the rest, its clip `baseline`; where the rest is in an earlier part
    of the session, a label of the moment at which it was given. A report that was not given in time is no
    label. Of several on one clip the last stands, for the playing before it.
    """
    said: dict[tuple[str, float], TimedLabel] = {}
    heard = defaultdict(list)
    for name, _, start_s, stop_s in _heard(events, end_s):
        heard[name].append((start_s, stop_s))
    rested = rests(events)
    for event in events:
        state = event.data.get("state")
        if event.kind != "answer" or not state:
            continue
        clip = event.data.get("clip")
        at = [(event.time_s, event.time_s)]
        found = (heard[clip] if isinstance(clip, str) else []) if clip else rested or at
        before = [stretch for stretch in found if stretch[0] <= event.time_s]
        if before:
            start_s, stop_s = before[-1]
            name = str(clip or BASELINE)
            said[name, start_s] = _said(start_s, stop_s, name, state, event.data.get("word") or None)
    return sorted(said.values(), key=lambda label: label.start_s)


def _said(start_s: float, stop_s: float, clip: str, state: str, word: str | None) -> TimedLabel:
    """A report; a state or word of another vocabulary, from elsewhere or damaged, is told in the note."""
    with contextlib.suppress(DataError):
        return TimedLabel(start_s, stop_s, clip=clip, state=state, word=word)
    with contextlib.suppress(DataError):
        return TimedLabel(start_s, stop_s, clip=clip, state=state, note=f"the word said is {word!r}")
    return TimedLabel(start_s, stop_s, clip=clip, note=f"said is {state!r}, {word!r}")


def _heard(events: Sequence[Event], end_s: float) -> list[tuple[str, str, float, float]]:
    """`(clip, state, start_s, stop_s)` of each playing."""
    found = []
    onsets = onset_facts(events)
    for onset, stop_s in zip(onsets, stops(onsets, events, end_s), strict=True):
        start_s = onset["fitted_s"]
        if start_s is not None:
            found.append((str(onset["clip"]), str(onset["state"] or ""), start_s, max(stop_s, start_s)))
    return found


def stops(onsets: Sequence[Mapping[str, Any]], events: Sequence[Event], end_s: float) -> list[float]:
    """When each playing of `onset_facts` ended, session clock; `end_s`: of the recording.

    Where the line that tells it is damaged its step's own end does, which is the same moment, else the next
    step or clip to begin; only what nothing follows lasted as long as the recording.
    """
    return [
        min(_after(onset, onsets, events), default=end_s) if onset["ended_s"] is None else onset["ended_s"]
        for onset in onsets
    ]


def _after(
    onset: Mapping[str, Any], onsets: Sequence[Mapping[str, Any]], events: Sequence[Event]
) -> Iterator[float]:
    """Moments after an onset by which its clip was over."""
    start_s, clip = onset["fitted_s"], onset["clip"]
    if start_s is None:
        return
    yield from (other["fitted_s"] for other in onsets if (other["fitted_s"] or 0.0) > start_s)
    for event in events:
        is_own = event.data.get("kind") == "play" and event.data.get("clip") == clip
        if event.time_s > start_s and event.kind == ("step_ended" if is_own else "step_started"):
            yield event.time_s


def rests(events: Sequence[Event]) -> list[tuple[float, float]]:
    """Where the participant rested before the first clip; of a rest that was made anew, the last time."""
    begun: dict[int, float] = {}
    found: dict[int, tuple[float, float]] = {}
    for event in events:
        if event.data.get("kind") != "rest":
            continue
        step = int(event.data["step"])
        if event.kind == "step_started":
            begun[step] = event.time_s
        elif event.kind == "step_ended" and step in begun:
            found[step] = (begun.pop(step), event.time_s)
    return list(found.values())
