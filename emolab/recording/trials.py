"""What a session asked and was told, clip by clip, as the review looks at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from emolab.core.event import Event
from emolab.recording.labels import TimedLabel
from emolab.recording.lanes import BASELINE, reported, stops
from emolab.recording.onset_facts import onset_facts


@dataclass(frozen=True)
class Trial:
    """One clip heard, or the rest before the first (`clip` is `baseline`, `number` 0).

    `start_s`, `end_s`: heard from and to, session clock. `intended`: what the clip was chosen for,
    None for the rest. `said`: what the participant reported, None when nothing was reported in time.
    `response_s`: from the question to the confirmation. `changes`: choices unmade before it.
    `how`: done, skipped, aborted or silenced, None when nothing tells. `onset_ms`: the
    measured onset less the fitted one, None where nothing listened.
    """

    number: int
    clip: str
    start_s: float
    end_s: float
    intended: str | None = None
    said: TimedLabel | None = None
    response_s: float | None = None
    changes: int = 0
    how: str | None = None
    onset_ms: float | None = None
    was_asked: bool = True  # and answered, or the time for it ran out


def trials(events: Sequence[Event], end_s: float) -> list[Trial]:
    """Every playing in order, the rest first when the participant rested; `end_s`: of the recording."""
    said = {(label.clip, label.start_s): label for label in reported(events, end_s)}
    found = []
    rests = [label for (clip, _), label in said.items() if clip == BASELINE]
    answers = defaultdict(list)  # by clip, None of the rest
    for event in events:
        if event.kind == "answer" and isinstance(clip := event.data.get("clip") or None, str | None):
            answers[clip].append(event)
    for rest in rests[:1]:
        told = next(iter(answers[None]), None)
        response_s, changes = _answer_facts(told)
        found.append(
            Trial(0, BASELINE, rest.start_s, rest.end_s, None, rest, response_s, changes, how="done")
        )
    onsets = onset_facts(events)
    playings = defaultdict(list)  # by clip
    for each in onsets:
        if each["fitted_s"] is not None:
            playings[str(each["clip"])].append(each["fitted_s"])
    for number, (onset, stop_s) in enumerate(zip(onsets, stops(onsets, events, end_s), strict=True), 1):
        start_s = onset["fitted_s"]
        if start_s is None:
            continue
        clip = str(onset["clip"])
        again_s = next((s for s in playings[clip] if s > start_s), float("inf"))
        told = next((e for e in answers[clip] if start_s <= e.time_s < again_s), None)
        measured_s = onset["measured_s"]
        response_s, changes = _answer_facts(told)
        found.append(
            Trial(
                number,
                clip,
                start_s,
                max(stop_s, start_s),
                intended=onset["state"] or None,
                said=said.get((clip, start_s)),
                how=onset["how"],
                onset_ms=None if measured_s is None else (measured_s - start_s) * 1e3,
                response_s=response_s,
                changes=changes,
                was_asked=told is not None,
            )
        )
    return found


def trial_at(every: Sequence[Trial], time_s: float) -> Trial | None:
    """The trial heard at a moment, or the last one begun before it: its report comes after the clip."""
    begun = [trial for trial in every if trial.start_s <= time_s]
    return begun[-1] if begun else None


def _answer_facts(told: Event | None) -> tuple[float | None, int]:
    """How long the answer took, and how many choices were unmade before it."""
    if told is None:
        return None, 0
    response_s = told.data.get("response_s")
    return None if response_s is None else float(response_s), int(told.data.get("changes") or 0)
