"""What an analyst's key means: which label it changes, or where a new one goes. Rules over values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from emolab.core.label import STATES, state_of_word
from emolab.recording.labels import TimedLabel
from emolab.recording.trials import Trial

Span = tuple[float, float]
LEAST_COVERED = 0.5  # of a clip, as in `agreement`: a label of less tells of a moment in it


@dataclass(frozen=True)
class Proposal:
    """A change not yet made. `name` None: a label to add; else the one that `label` takes the place of.

    `differs_from`: what is said there now by the analyst, or else by the participant of a clip of which
    the label covers half or more, when that is something else; then a reason is asked for.
    """

    name: str | None
    label: TimedLabel
    differs_from: TimedLabel | None = None


def propose(
    rank: int,
    mine: Mapping[str, TimedLabel],
    selected: str | None,
    marked: Span | None,
    cursor_s: float,
    every: Sequence[Trial],
) -> Proposal:
    """What giving the state `rank` (−2 … 2) does.

    The selected label of mine changes; else a stretch that was marked gets a label; else my label at
    the cursor changes; else the clip heard at the cursor gets one; else the moment does.
    """
    state = next(one.key for one in STATES if one.rank == rank)
    if selected in mine and selected is not None:
        return _changed(selected, mine[selected], state, every)
    if marked is not None:
        return _added(TimedLabel(*marked, clip=_clip_of(marked, every), state=state), every)
    here = _at(mine, cursor_s)
    if here is not None:
        return _changed(here, mine[here], state, every)
    trial = next((t for t in every if t.start_s <= cursor_s <= t.end_s), None)
    if trial is not None:
        same = next((name for name, label in mine.items() if label.clip == trial.clip), None)
        if same is not None and mine[same].start_s == trial.start_s:
            return _changed(same, mine[same], state, every)
        return _added(TimedLabel(trial.start_s, trial.end_s, clip=trial.clip, state=state), every)
    return Proposal(None, TimedLabel(cursor_s, cursor_s, state=state))


def with_word(label: TimedLabel, word: str | None) -> TimedLabel:
    """The label saying this word of Table I, with the state it belongs to; None takes the word away."""
    if word is None:
        return replace(label, word=None)
    return replace(label, state=state_of_word(word).key, word=word)


def _added(label: TimedLabel, every: Sequence[Trial]) -> Proposal:
    return Proposal(None, label, _contradicted(label, every))


def _changed(name: str, before: TimedLabel, state: str, every: Sequence[Trial]) -> Proposal:
    after = replace(before, state=state, word=before.word if before.state == state else None)
    if before.state is None:
        return Proposal(name, after, _contradicted(after, every))
    return Proposal(name, after, before if before.state != state else None)


def _contradicted(label: TimedLabel, every: Sequence[Trial]) -> TimedLabel | None:
    """What the participant said, and the label does not, of a clip of which it covers half or more."""
    for trial in every:
        shared_s = min(label.end_s, trial.end_s) - max(label.start_s, trial.start_s)
        covers = shared_s > 0.0 and shared_s >= LEAST_COVERED * (trial.end_s - trial.start_s) - 1e-9
        if covers and trial.said is not None and trial.said.state != label.state:
            return trial.said
    return None


def _at(mine: Mapping[str, TimedLabel], time_s: float) -> str | None:
    found = [
        name
        for name, label in mine.items()
        if label.start_s <= time_s <= label.end_s and not label.is_moment and not label.trace
    ]
    return max(found, key=lambda name: mine[name].start_s) if found else None


def _clip_of(marked: Span, every: Sequence[Trial]) -> str | None:
    """The clip a stretch lies in."""
    return next((t.clip for t in every if t.start_s <= marked[0] and marked[1] <= t.end_s), None)
