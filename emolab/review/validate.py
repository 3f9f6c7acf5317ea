"""What the face says of each clip, beside what the participant said of it.

    result = validate(path, "small")
    [(check.clip, check.face, check.said) for check in result.conflicts]     # the surest first

The colour video of a recording is read clip by clip; what came of it goes into a lane of its own,
`face-small`, with the hash of the weights. What the participant said is read only. Run again with the
same weights and settings it changes nothing. Where the face tells nothing its verdict is `unknown`, and
why is told; where weights are missing, that is so for every clip.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab import __version__
from emolab.core.errors import EmolabError, NoWeights
from emolab.core.event import Event
from emolab.faces import verdict
from emolab.faces.detect import Detector, Image, Mtcnn
from emolab.faces.fer import ExpressionModel, load
from emolab.faces.reader import FaceTrack, joined, stream
from emolab.faces.verdict import Aggregation, ClipFace
from emolab.recording import lanes
from emolab.recording.film import Film
from emolab.recording.reader import Session
from emolab.recording.recover import is_growing
from emolab.recording.trials import Trial, trials
from emolab.review.checks import POLICIES, Check, Policy, Validation, to_label
from emolab.review.desk import Desk

REST_S = 60.0  # of the rest, its end: the paper's minute
ASK_EVERY = 10  # frames between two questions whether to stop


class Cancelled(EmolabError):
    """Somebody wanted it to stop; nothing was written."""


def validate(
    path: Path,
    model: str | ExpressionModel = "small",
    *,
    agg: Aggregation = "sum",
    baseline: bool = False,
    policy: Policy = "flag",
    keep: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    detector: Detector | None = None,
) -> Validation:
    """Judge each clip of a recording by the face; for a thread or a process of its own.

    `model`: as `fer.load` takes it. `agg`: from seven classes to three. `baseline`: against the same
    face at rest. `policy`: whether conflicts stay in the analysis. `keep`: write the lane.
    `progress(done, total)`, in frames, is called every few seconds of video, `cancelled()` more often.

    Raises as `Session.open`, `Cancelled`, `MissingExtra` without torch, `ConfigError` for what is unknown.
    """
    verdict.check_known(agg, verdict.AGGREGATIONS, "way from seven classes to three")
    verdict.check_known(policy, POLICIES, "policy")
    with Session.open(path) as session:
        film = Film(session)
        events, damage = _events(session)
        ends_s = [event.time_s for event in events] + [film.end_s]
        heard = [trial for trial in trials(events, max(ends_s)) if trial.clip != lanes.BASELINE]
        name = model if isinstance(model, str) else model.card.name
        empty = Validation(path, name, "", agg, baseline, policy, tuple(_unseen(one) for one in heard))
        try:
            judge = load(model) if isinstance(model, str) else model
        except NoWeights as error:
            return replace(empty, problem=str(error), damage=tuple(damage))
        named = replace(empty, model=judge.card.name, weights=judge.card.weights_sha256)
        if film.missing:
            return replace(named, problem=film.missing, damage=(*damage, *film.damage))
        seen = _Seen(film, judge, detector or Mtcnn(), progress, cancelled)
        checks = _checks(seen, heard, lanes.rests(events)[:1] if baseline else None, agg)
        found = replace(named, clips=tuple(checks), damage=(*damage, *film.damage))
    return _kept(found) if keep else found


def lane_of(model: str) -> str:
    """The analyst under whose name a model's lane is kept."""
    return f"face-{re.sub(r'[^A-Za-z0-9_@+-]', '_', model)}"[:64]


@dataclass
class _Seen:
    """The film as detector and model see it; tells how far it is, and stops when asked to."""

    film: Film
    model: ExpressionModel
    detector: Detector
    progress: Callable[[int, int], None]
    cancelled: Callable[[], bool]
    total: int = 0
    done: int = 0

    def track(self, start_s: float, end_s: float) -> FaceTrack:
        """What is seen from `start_s` to `end_s`."""
        pieces = []
        for piece in stream(self._frames(start_s, end_s), self.model, self.detector):
            pieces.append(piece)
            self.done += len(piece)
            self.progress(self.done, self.total)
        return joined(pieces)

    def _frames(self, start_s: float, end_s: float) -> Iterator[tuple[float, Image | None]]:
        for number, frame in enumerate(self.film.read(start_s, end_s)):
            if number % ASK_EVERY == 0 and self.cancelled():
                raise Cancelled("stopped before all clips were judged; nothing was written")
            yield frame


def _checks(
    seen: _Seen, heard: Sequence[Trial], rests: Sequence[tuple[float, float]] | None, agg: Aggregation
) -> list[Check]:
    """A check a clip; `rests` None: not against the face at rest."""
    minutes = [(max(start_s, end_s - REST_S), end_s) for start_s, end_s in rests or ()]
    seen.total = seen.film.frames([*minutes, *((one.start_s, one.end_s) for one in heard)])
    seen.progress(0, seen.total)
    rest, cannot = None, ""
    if rests is not None:
        rest = _at_rest(seen, minutes)
        cannot = "" if rest is not None else "too little of the face is seen at rest to judge it against that"
    checks = []
    for one in heard:
        face = verdict.judge(
            seen.track(one.start_s, one.end_s), agg, rest, seen.film.share(one.start_s, one.end_s)
        )
        if cannot:
            face = replace(face, group=verdict.UNKNOWN, why=cannot)
        checks.append(_check(one, face))
    return checks


def _at_rest(seen: _Seen, minutes: Sequence[tuple[float, float]]) -> NDArray[np.float64] | None:
    if not minutes:
        return None
    return verdict.at_rest(seen.track(*minutes[0]), seen.film.share(*minutes[0]))


def _check(one: Trial, face: ClipFace) -> Check:
    said = one.said.state if one.said else None
    return Check(
        one.clip, one.start_s, one.end_s, said, face.group, face.coverage, face.probabilities, face.why
    )


def _unseen(one: Trial) -> Check:
    return Check(one.clip, one.start_s, one.end_s, one.said.state if one.said else None, verdict.UNKNOWN)


def _events(session: Session) -> tuple[list[Event], list[str]]:
    """What happened, and what of it, or after it, cannot be known."""
    events, lost = session.sound_events()
    damage = [f"{lost} events are damaged and left out"] if lost else []
    if not session.finished:
        is_live = is_growing(session.path)
        state = "it is still being recorded" if is_live else "the recording was not closed in order"
        damage.append(f"{state}; it is judged as far as it goes")
    return events, damage


def _kept(found: Validation) -> Validation:
    """The same with its lane written; a lane that cannot be written does not lose what was found."""
    lane = lane_of(found.model)
    against = "against rest" if found.baseline else "not against rest"
    settings = (f"weights {found.weights[:16]}", found.agg, against)
    by = {"model": found.model, "weights": found.weights, "agg": found.agg, "emolab": __version__}
    by |= {"baseline": "rest"} if found.baseline else {}
    try:
        desk = Desk(found.session, lane)
        desk.say((to_label(check, settings) for check in found.clips), "validate", by)
    except EmolabError as error:
        return replace(found, not_kept=str(error))
    return replace(found, lane=lane)
