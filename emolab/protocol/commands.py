"""What the runner says and hears: commands out, answers in, its status at any moment.

All times are seconds on the session clock. A command carries the moment it was due, which is
exact, not the moment somebody asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emolab.core.errors import DataError
from emolab.core.label import RatedLabel, state, state_of_word
from emolab.protocol.steps import Step

Phase = Literal["waiting", "running", "paused", "holding", "finished", "aborted"]
Outcome = Literal["complete", "aborted", "interrupted"]
How = Literal["done", "skipped", "aborted"]
Progress = Literal["waiting", "now", "done", "skipped"]


@dataclass(frozen=True)
class Answer:
    """What the participant did at `time_s`: choose a state (and perhaps one of its words), or confirm.

    Raises `DataError` when the state is none, or the word is not one of the state's.
    """

    kind: Literal["choose", "confirm"]
    state: str | None
    word: str | None
    time_s: float

    def __post_init__(self) -> None:
        if self.kind not in ("choose", "confirm"):
            raise DataError(f"an answer is 'choose' or 'confirm', not {self.kind!r}")
        if self.kind == "choose":
            chosen = state(self.state or "")
            if self.word and state_of_word(self.word) != chosen:
                raise DataError(
                    f"{self.word!r} is no word of {chosen.key}; its words are {', '.join(chosen.words)}"
                )


@dataclass(frozen=True)
class Show:
    """Begin a step. `planned_s`: when the plan had it, None before the rest's onset is known.

    `closes_s`: when it ends by itself if shown at once, None when it waits for the participant.
    """

    index: int
    step: Step
    time_s: float
    planned_s: float | None
    closes_s: float | None


@dataclass(frozen=True)
class Close:
    """The step shown has ended."""

    index: int
    step: Step
    time_s: float
    how: How


@dataclass(frozen=True)
class Choice:
    """The participant chose, or chose anew. `clip` None: the baseline report."""

    index: int
    clip: str | None
    state: str
    word: str | None
    response_s: float
    time_s: float


@dataclass(frozen=True)
class Rated:
    """The report on a clip, or on the baseline, is settled; `label.state` None: missing."""

    label: RatedLabel
    index: int
    time_s: float


@dataclass(frozen=True)
class TrialSkipped:
    """A clip that is not heard, or not to its end, and has no report."""

    clip: str
    state: str
    reason: str
    time_s: float


@dataclass(frozen=True)
class Paused:
    """The experimenter's pause has begun."""

    time_s: float
    reason: str


@dataclass(frozen=True)
class Resumed:
    """The experimenter's pause is over."""

    time_s: float
    reason: str


@dataclass(frozen=True)
class Held:
    """The program holds the session, for `reason`."""

    time_s: float
    reason: str


@dataclass(frozen=True)
class Released:
    """`reason` holds the session no more."""

    time_s: float
    reason: str


@dataclass(frozen=True)
class Marked:
    """A moment worth finding again."""

    text: str
    time_s: float


@dataclass(frozen=True)
class Finished:
    """The last command of a session."""

    outcome: Outcome
    time_s: float


Command = (
    Show | Close | Choice | Rated | TrialSkipped | Paused | Resumed | Held | Released | Marked | Finished
)


@dataclass(frozen=True)
class RunnerStatus:
    """Where the session is.

    `phase`: `waiting` for a person (not begun, or on a page with a button), `running` a step,
    `paused` or `holding` before the step `index`, `finished`, or `aborted` (also interrupted).
    `index`, `step`: the step shown or about to be; −1 and None outside the session.
    `opened_s`: its true onset as far as reported. `closes_s`: None when it waits.
    `run_started_s`: onset of the rest, what the cap counts from. `ends_s`: latest end as things
    stand. `will_pause`: a pause or hold is asked for and takes effect before the next timed step.
    `held_by`: reasons that hold. `chosen`, `word`: the choice on the open report, `is_confirmed`
    when it is settled. `skipped`: trials skipped so far. `progress`: one entry a step.
    """

    phase: Phase
    index: int
    step: Step | None
    opened_s: float
    closes_s: float | None
    run_started_s: float | None
    ends_s: float | None
    will_pause: bool
    held_by: tuple[str, ...]
    chosen: str | None
    word: str | None
    is_confirmed: bool
    skipped: tuple[int, ...]
    progress: tuple[Progress, ...]
