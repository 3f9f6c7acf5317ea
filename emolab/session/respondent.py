"""Who answers: a person at the window, the simulated participant, or nobody.

A respondent says beforehand what it will do by itself during a step; what a person does comes
from the window as commands instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from emolab.core.clock import Clock
from emolab.protocol.steps import Clip, Instruct, Rate, Step

if TYPE_CHECKING:
    from emolab.devices.simulated import SimulatedParticipant

READING_S = 2.0  # how long the simulated participant looks at a page of text


@dataclass(frozen=True)
class Act:
    """One deed at `time_s`: go on from a page, choose a state and word, or confirm the choice."""

    time_s: float
    kind: Literal["proceed", "choose", "confirm"]
    state: str = ""
    word: str = ""


class Respondent(Protocol):
    """What a run asks of whoever sits there."""

    def begin(self, seed: int, participant: str) -> None: ...

    def rest(self, onset_s: float) -> None: ...

    def hear(self, clip: Clip, onset_s: float, duration_s: float) -> None: ...

    def acts(self, step: Step, opened_s: float) -> list[Act]:
        """What it will do during `step`, in order of time."""

    def write_truth(self, path: Path, zero_s: float) -> None:
        """Keep what was really so, where that is known."""


class Person:
    """Somebody at the window: does nothing by itself."""

    def begin(self, seed: int, participant: str) -> None:
        pass

    def rest(self, onset_s: float) -> None:
        pass

    def hear(self, clip: Clip, onset_s: float, duration_s: float) -> None:
        pass

    def acts(self, step: Step, opened_s: float) -> list[Act]:
        return []

    def write_truth(self, path: Path, zero_s: float) -> None:
        pass


class Nobody(Person):
    """Goes on from pages of text and never reports: for recording without a participant."""

    def acts(self, step: Step, opened_s: float) -> list[Act]:
        return [Act(opened_s + READING_S, "proceed")] if isinstance(step, Instruct) else []


class SimulatedRespondent(Nobody):
    """The simulated participant, whose body the simulated instruments measure."""

    def __init__(self, body: SimulatedParticipant) -> None:
        self._body = body

    def begin(self, seed: int, participant: str) -> None:
        self._body.begin(seed, participant)

    def rest(self, onset_s: float) -> None:
        self._body.rest(onset_s)

    def hear(self, clip: Clip, onset_s: float, duration_s: float) -> None:
        self._body.hear(clip.id, clip.state, onset_s, duration_s)

    def acts(self, step: Step, opened_s: float) -> list[Act]:
        if not isinstance(step, Rate):
            return super().acts(step, opened_s)
        clip, state = (step.clip.id, step.clip.state) if step.clip else (None, None)
        answer = self._body.answer(clip, state, opened_s, step.window_s)
        return [Act(act.time_s, act.kind, act.state, act.word) for act in answer.acts]

    def write_truth(self, path: Path, zero_s: float) -> None:
        self._body.write_truth(path, zero_s)


def respondent_for(answers: str, clock: Clock) -> Respondent:
    """Who answers: `window` a person, `simulated` the simulated participant, `none` nobody."""
    if answers == "simulated":
        from emolab.devices.simulated import participant_for

        return SimulatedRespondent(participant_for(clock))
    return Nobody() if answers == "none" else Person()
