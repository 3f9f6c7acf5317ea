"""Who said what about an emotion.

The five states and their fifteen words are Table I of the EmoMusic paper after refinement. What
a person said, what a model guessed, what the stimulus intended and what an analyst decided are
types of their own: none can be mistaken for another, and none overwrites another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emolab.core.errors import DataError

Group = Literal["negative", "neutral", "positive"]


@dataclass(frozen=True)
class State:
    """One of the five steps: `rank` −2..2, `key` as stored, its three words, its group."""

    rank: int
    key: str
    words: tuple[str, str, str]
    group: Group


STATES: tuple[State, ...] = (
    State(-2, "most_negative", ("sad", "disgust", "angry"), "negative"),
    State(-1, "less_negative", ("fear", "scared", "nervous"), "negative"),
    State(0, "neutral", ("neutral", "peace", "calm"), "neutral"),
    State(1, "less_positive", ("surprise", "excited", "thrill"), "positive"),
    State(2, "most_positive", ("happiness", "delighted", "enjoy"), "positive"),
)
STATE_KEYS: tuple[str, ...] = tuple(state.key for state in STATES)
_BY_KEY = {state.key: state for state in STATES}
_BY_WORD = {word: state for state in STATES for word in state.words}


def state(key: str) -> State:
    """The state stored under `key`. Raises `DataError` naming the five keys."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise DataError(f"{key!r} is no state; the states are {', '.join(STATE_KEYS)}") from None


def state_of_word(word: str) -> State:
    """The one state a word of Table I belongs to. Raises `DataError` for any other word."""
    try:
        return _BY_WORD[word]
    except KeyError:
        raise DataError(f"{word!r} is none of the fifteen words: {', '.join(_BY_WORD)}") from None


@dataclass(frozen=True)
class IntendedLabel:
    """What the stimulus was chosen for."""

    clip: str
    state: str


@dataclass(frozen=True)
class RatedLabel:
    """What the participant said about a clip (`clip` None: about the baseline).

    `state` None means no report was given in time: missing, never imputed. `response_s`: from
    the question's onset to the confirmation. `changes`: choices unmade before confirming.
    """

    clip: str | None
    state: str | None
    word: str | None
    response_s: float | None
    changes: int = 0


@dataclass(frozen=True)
class PredictedLabel:
    """What a model guessed, with its probabilities over `STATE_KEYS` or its own classes."""

    clip: str | None
    state: str
    probabilities: tuple[float, ...]
    model: str


@dataclass(frozen=True)
class ReviewedLabel:
    """What an analyst decided afterwards, and why."""

    clip: str | None
    state: str
    analyst: str
    reason: str
