"""How the simulated participant uses the five buttons.

Most answers are the state the clip was made for; some are the neighbouring one, some come after a
change of mind. Response times are those of people who must find a word first: a few seconds, with
a long tail, and never past the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from emolab.core.errors import ConfigError
from emolab.core.label import STATES, State, state

POLICIES = ("simulated", "none")
ERROR_SHARE = 0.15  # answers one step beside the state intended
WAVERING_SHARE = 0.15  # answers after a change of mind
RESPONSE_RANGE_S = (3.0, 12.0)
WINDOW_SHARE = 0.85  # of the window, used at most


@dataclass(frozen=True)
class Act:
    """One deed at `time_s`, session clock: `choose` a state with its word, or `confirm` the choice."""

    time_s: float
    kind: Literal["choose", "confirm"]
    state: str = ""
    word: str = ""


@dataclass(frozen=True)
class SimulatedAnswer:
    """What the participant will do in one report window; no acts when no report is given.

    `clip` None: the baseline. `intended`: the clip's state. `state`, `word`: what is confirmed.
    """

    clip: str | None
    intended: str | None
    opened_s: float
    acts: tuple[Act, ...]

    @property
    def state(self) -> str | None:
        """The state confirmed, None when no report is given."""
        return self._chosen[-1].state if self._chosen else None

    @property
    def word(self) -> str | None:
        """The word confirmed, None when no report is given."""
        return self._chosen[-1].word if self._chosen else None

    @property
    def response_s(self) -> float | None:
        """From the question's onset to the confirmation."""
        return self.acts[-1].time_s - self.opened_s if self.acts else None

    @property
    def changes(self) -> int:
        """Choices unmade before confirming."""
        return max(len(self._chosen) - 1, 0)

    @property
    def _chosen(self) -> list[Act]:
        return [act for act in self.acts if act.kind == "choose"]


def answer(
    rng: np.random.Generator,
    clip: str | None,
    intended: str | None,
    opened_s: float,
    window_s: float,
    policy: str = "simulated",
) -> SimulatedAnswer:
    """What is answered about `clip`, drawn from `rng`; `intended` None (the baseline) counts as neutral.

    Raises `ConfigError` for a policy that is none of `POLICIES`, `DataError` for an unknown state.
    """
    if policy not in POLICIES:
        raise ConfigError(f"unknown way to answer {policy!r}; known are {', '.join(POLICIES)}")
    true_state = state(intended or "neutral")
    if policy == "none":
        return SimulatedAnswer(clip, intended, opened_s, ())
    final = _neighbour(rng, true_state) if rng.random() < ERROR_SHARE else true_state
    response_s = float(np.clip(np.exp(rng.normal(np.log(5.5), 0.35)), *RESPONSE_RANGE_S))
    response_s = min(response_s, WINDOW_SHARE * window_s)
    thought_s = response_s * rng.uniform(0.55, 0.75)  # the rest is spent finding the button to confirm
    chosen = [(thought_s, final)]
    if rng.random() < WAVERING_SHARE:
        chosen.insert(0, (thought_s * rng.uniform(0.5, 0.8), _neighbour(rng, final)))
    acts = [
        Act(opened_s + after_s, "choose", what.key, what.words[rng.integers(len(what.words))])
        for after_s, what in chosen
    ]
    return SimulatedAnswer(clip, intended, opened_s, (*acts, Act(opened_s + response_s, "confirm")))


def _neighbour(rng: np.random.Generator, what: State) -> State:
    near = [other for other in STATES if abs(other.rank - what.rank) == 1]
    return near[rng.integers(len(near))]
