"""What the face says of a clip, and how that goes with what the person said.

Seven classes become three, frames become a clip (EmoMusic paper, part on facial validation): a frame
without exactly one face, or whose face the detector is not sure of, tells nothing; with fewer than half
of the frames left nothing is said of the clip, and why is told. A verdict never changes a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError, DataError
from emolab.faces.fer import CLASSES, GROUP_OF, GROUPS
from emolab.faces.reader import FaceTrack

Floats = NDArray[np.float64]
Aggregation = Literal["sum", "argmax", "mean_logit"]
Verdict = Literal["agree", "weak", "conflict", "unknown"]

AGGREGATIONS: tuple[Aggregation, ...] = ("sum", "argmax", "mean_logit")
VERDICTS: tuple[Verdict, ...] = ("agree", "weak", "conflict", "unknown")
UNKNOWN = "unknown"
LEAST_CONFIDENCE = 0.5  # of the detector
LEAST_VALID = 0.5  # of a clip's frames
LEAST_PROBABILITY = 1e-6  # a class is never quite impossible: its logarithm is needed

# What is held of a participant before anything is seen: the face is at rest unless it tells otherwise. At
# rest itself just this comes out; to be called anything else a face must make it twice as likely.
REST_PRIOR = {"negative": 0.25, "neutral": 0.5, "positive": 0.25}
LEAST_AT_REST = 0.02  # of each class: less cannot be told from a minute of video

_MEMBERS = np.array([[GROUP_OF[name] == group for group in GROUPS] for name in CLASSES], np.float64)
_PRIOR = _MEMBERS / _MEMBERS.sum(0) @ np.array([REST_PRIOR[group] for group in GROUPS])


@dataclass(frozen=True)
class ClipFace:
    """What the face says of a stretch of video.

    `group`: of `GROUPS`, or `unknown`, and then `why`. `probabilities`: mean over the valid frames of
    negative, neutral, positive; None without any. `coverage`: share of the frames that are valid.
    """

    group: str
    probabilities: tuple[float, float, float] | None
    coverage: float
    frames: int
    why: str = ""

    @property
    def confidence(self) -> float:
        """Mean probability of the group it was given, 0 when unknown."""
        if self.probabilities is None or self.group == UNKNOWN:
            return 0.0
        return self.probabilities[GROUPS.index(self.group)]


def three(probabilities: NDArray[np.floating], agg: Aggregation = "sum") -> Floats:
    """Negative, neutral, positive from seven classes: `(n, 7)` to `(n, 3)`, rows sum to 1.

    `sum` adds up, which favours the four negative classes; `mean_logit` compares the mean logit of each
    group. `argmax` labels frames by the likeliest class (`groups_of`); its three are those of `sum`.
    """
    seven = _seven(probabilities)
    if agg != "mean_logit":
        summed = seven @ _MEMBERS
        return summed / summed.sum(1, keepdims=True)
    logits = np.log(np.maximum(seven, LEAST_PROBABILITY)) @ (_MEMBERS / _MEMBERS.sum(0))
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def groups_of(probabilities: NDArray[np.floating], agg: Aggregation = "sum") -> NDArray[np.int64]:
    """The group of each frame, as a place in `GROUPS`: `(n, 7)` to `(n,)`."""
    check_known(agg, AGGREGATIONS, "way from seven classes to three")
    if agg == "argmax":
        return _MEMBERS.argmax(1)[_seven(probabilities).argmax(1)]
    return three(probabilities, agg).argmax(1)


def valid(track: FaceTrack) -> NDArray[np.bool_]:
    """Which frames tell something: exactly one face, of which the detector is sure enough."""
    return (
        (track.count == 1) & (track.confidence >= LEAST_CONFIDENCE) & np.isfinite(track.probabilities).all(1)
    )


def judge(
    track: FaceTrack, agg: Aggregation = "sum", rest: Floats | None = None, filmed: float = 1.0
) -> ClipFace:
    """What the face says of these frames; `rest`: what it said at rest, from `at_rest`.

    `filmed`: share of the clip of which there are frames at all; coverage is of the whole. The label is
    that of most valid frames; among equally many that with the largest mean probability.
    """
    frames, sound = len(track), valid(track)
    if not frames:
        return ClipFace(UNKNOWN, None, 0.0, 0, "there is no video of it")
    coverage = float(sound.mean()) * filmed
    if not sound.any():
        return ClipFace(UNKNOWN, None, 0.0, frames, _missing(track))
    seven = track.probabilities[sound].astype(np.float64)
    if rest is not None:
        seven = against_rest(seven, rest)
    negative, neutral, positive = three(seven, agg).mean(0).tolist()
    mean = (negative, neutral, positive)
    if coverage < LEAST_VALID:
        missing = "there is no video of the rest" if filmed < sound.mean() else _missing(track)
        why = f"one face is seen in {coverage:.0%} of it, {LEAST_VALID:.0%} are needed; otherwise {missing}"
        return ClipFace(UNKNOWN, mean, coverage, frames, why)
    votes = np.bincount(groups_of(seven, agg), minlength=len(GROUPS))
    best = max(range(len(GROUPS)), key=lambda group: (votes[group], mean[group]))
    return ClipFace(GROUPS[best], mean, coverage, frames)


def at_rest(track: FaceTrack, filmed: float = 1.0) -> Floats | None:
    """What the face says while the participant rests: the mean `(7,)`; None when too little was seen."""
    sound = valid(track)
    if not len(track) or sound.mean() * filmed < LEAST_VALID:
        return None
    mean: Floats = track.probabilities[sound].astype(np.float64).mean(0)
    return mean


def against_rest(probabilities: NDArray[np.floating], rest: Floats) -> Floats:
    """Probabilities `(n, 7)` for a participant whose face says `rest` `(7,)` when there is nothing to say.

    Bayes' rule with what the model says at rest for its own prior, and `REST_PRIOR` in its place: a
    face that looks sad at rest is not sad, unless it is more so than then.
    """
    usual = np.maximum(rest, LEAST_AT_REST)
    odds = np.maximum(_seven(probabilities), LEAST_PROBABILITY) / (usual / usual.sum()) * _PRIOR
    return odds / odds.sum(1, keepdims=True)


def agreement(said: str | None, face: str) -> Verdict:
    """How what was said goes with the face: `weak` when just one of them is neutral."""
    if said not in GROUPS or face not in GROUPS:
        return "unknown"
    if said == face:
        return "agree"
    return "weak" if "neutral" in (said, face) else "conflict"


def check_known(name: str, known: Sequence[str], what: str) -> None:
    """Raise `ConfigError` naming what is known when `name` is not."""
    if name not in known:
        raise ConfigError(f"unknown {what} {name!r}; known are {', '.join(known)}")


def _seven(probabilities: NDArray[np.floating]) -> Floats:
    seven = np.asarray(probabilities, np.float64)
    if seven.ndim != 2 or seven.shape[1] != len(CLASSES):
        raise DataError(
            f"probabilities are {seven.shape}; a row a frame with {len(CLASSES)} classes is needed"
        )
    return seven


def _missing(track: FaceTrack) -> str:
    """Why frames tell nothing, by the most frequent reason."""
    reasons = {
        "no face is seen": int(np.sum(track.count == 0)),
        "several faces are seen": int(np.sum(track.count > 1)),
        "the detector is not sure that it is a face": int(
            np.sum((track.count == 1) & ~(track.confidence >= LEAST_CONFIDENCE))
        ),
        "the expression model gives no probabilities of it": int(
            np.sum(
                (track.count == 1)
                & (track.confidence >= LEAST_CONFIDENCE)
                & ~np.isfinite(track.probabilities).all(1)
            )
        ),
    }
    return max(reasons, key=lambda reason: reasons[reason])
