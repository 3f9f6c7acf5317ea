"""What came of looking at the face: a check a clip, and how face and reports go together over them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from emolab.core.errors import DataError
from emolab.core.label import state
from emolab.faces.fer import GROUPS
from emolab.faces.verdict import UNKNOWN, VERDICTS, Aggregation, Verdict, agreement
from emolab.recording.labels import TimedLabel
from emolab.stats.agreement import Agreement, Weights, cohen

Policy = Literal["flag", "drop"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


@dataclass(frozen=True)
class Check:
    """One clip: what was said and what the face says.

    `said`: the state reported, None for none. `face`: of `fer.GROUPS`, or `unknown`. `coverage`: share of
    the clip of which one face is seen, None where nobody looked. `probabilities`: negative, neutral,
    positive, means over the frames. `why`: the reason for an `unknown`.
    """

    clip: str
    start_s: float
    end_s: float
    said: str | None
    face: str
    coverage: float | None = None
    probabilities: tuple[float, float, float] | None = None
    why: str = ""

    @property
    def group(self) -> str | None:
        """What was said, as one of `fer.GROUPS`."""
        return state(self.said).group if self.said else None

    @property
    def verdict(self) -> Verdict:
        """How the two go together."""
        return agreement(self.group, self.face)

    @property
    def confidence(self) -> float:
        """Mean probability of what the face says; 0 when unknown."""
        if self.face == UNKNOWN or self.probabilities is None:
            return 0.0
        return self.probabilities[GROUPS.index(self.face)]


@dataclass(frozen=True)
class Validation:
    """All clips of a session; can be sent from process to process.

    `model`, `weights`: name and SHA-256, the latter empty when there were none. `baseline`: judged
    against the face at rest. `problem`: why no clip at all could be judged. `damage`: what of the
    recording could not be read. `lane`: whose lane tells it, empty when none was written, and then
    `not_kept` says why if it should have been.
    """

    session: Path
    model: str
    weights: str
    agg: Aggregation
    baseline: bool
    policy: Policy
    clips: tuple[Check, ...]
    problem: str = ""
    damage: tuple[str, ...] = ()
    lane: str = ""
    not_kept: str = ""

    @property
    def conflicts(self) -> tuple[Check, ...]:
        """What to look at: the clips where face and report contradict each other, the surest first."""
        found = [check for check in self.clips if check.verdict == "conflict"]
        return tuple(sorted(found, key=lambda check: (-check.confidence, check.start_s)))

    @property
    def remaining(self) -> tuple[Check, ...]:
        """The clips that stay in the analysis under the policy; labels are never changed."""
        return tuple(c for c in self.clips if self.policy == "flag" or c.verdict != "conflict")

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many clips have each verdict."""
        return {verdict: sum(c.verdict == verdict for c in self.clips) for verdict in VERDICTS}

    @property
    def agreeing(self) -> float | None:
        """Share of the clips with a verdict on which both say the same; None without any."""
        judged = len(self._pairs)
        return self.counts["agree"] / judged if judged else None

    @property
    def table(self) -> tuple[tuple[int, ...], ...]:
        """Clips by what was said (rows) and what the face says (columns), both as `fer.GROUPS`."""
        cells = np.zeros((len(GROUPS), len(GROUPS)), np.int64)
        for said, face in self._pairs:
            cells[said, face] += 1
        return tuple(tuple(row) for row in cells.tolist())

    @cached_property
    def kappa(self) -> Agreement:
        """Cohen's kappa, with an interval by a bootstrap over clips."""
        return self._kappa("none")

    @cached_property
    def kappa_linear(self) -> Agreement:
        """The same where neutral counts as half way between negative and positive."""
        return self._kappa("linear")

    @property
    def _pairs(self) -> list[tuple[int, int]]:
        return [
            (GROUPS.index(check.group), GROUPS.index(check.face))
            for check in self.clips
            if check.group and check.face != UNKNOWN
        ]

    def _kappa(self, weights: Weights) -> Agreement:
        pairs = np.array(self._pairs, np.int64).reshape(-1, 2)
        return cohen(pairs[:, 0], pairs[:, 1], len(GROUPS), weights)


def to_label(check: Check, settings: Sequence[str]) -> TimedLabel:
    """A check as it stands in its lane.

    The face's three groups are no states, so it is told in tags; `valence` is positive less negative.
    """
    tags = [check.face, check.verdict]
    valence = None
    if check.probabilities is not None:
        tags += [f"{name} {p:.4f}" for name, p in zip(GROUPS, check.probabilities, strict=True)]
        if check.face != UNKNOWN:
            valence = round(check.probabilities[2] - check.probabilities[0], 4)
    if check.coverage is not None:
        tags.append(f"coverage {check.coverage:.4f}")
    return TimedLabel(
        check.start_s, check.end_s, check.clip, valence=valence, tags=(*tags, *settings), note=check.why
    )


def from_label(label: TimedLabel, said: str | None) -> Check:
    """The check that `to_label` told of, for a clip of which `said` is the state reported."""
    if not label.tags or label.tags[0] not in (*GROUPS, UNKNOWN):
        raise DataError(f"the label at {label.start_s:.1f} s was not made by 'emolab validate'")
    told: dict[str, Any] = {}
    for tag in label.tags[2:]:
        name, _, value = tag.rpartition(" ")
        if name in (*GROUPS, "coverage"):
            told[name] = float(value)
    three = (told["negative"], told["neutral"], told["positive"]) if "negative" in told else None
    clip, face, coverage = label.clip or "", label.tags[0], told.get("coverage")
    return Check(clip, label.start_s, label.end_s, said, face, coverage, three, label.note)
