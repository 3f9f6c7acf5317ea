"""From seven classes to three, from frames to a clip, and beside what was said (EmoMusic, validation)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays

from emolab.core.errors import ConfigError, DataError
from emolab.faces.fer import CLASSES
from emolab.faces.reader import FaceTrack
from emolab.faces.verdict import (
    AGGREGATIONS,
    GROUPS,
    REST_PRIOR,
    Aggregation,
    against_rest,
    agreement,
    at_rest,
    groups_of,
    judge,
    three,
)


def row(**named: float) -> list[float]:
    """Probabilities by class; what is left goes to all others alike."""
    left = (1 - sum(named.values())) / (len(CLASSES) - len(named))
    return [named.get(name, left) for name in CLASSES]


def track(
    rows: list[list[float]], count: list[int] | None = None, confidence: list[float] | None = None
) -> FaceTrack:
    """Frames that say so; those without exactly one face say nothing."""
    n = len(rows)
    counts = np.array(count or [1] * n)
    probabilities = np.array(rows, np.float32).reshape(n, 7)
    sure = np.array(confidence or [0.99] * n, np.float32)
    probabilities[counts != 1], sure[counts != 1] = np.nan, np.nan
    boxes = np.where(counts[:, None] == 1, 1.0, np.nan).astype(np.float32).repeat(4, 1)
    return FaceTrack(np.arange(n) / 30, probabilities, boxes, sure, counts, np.ones(n, bool))


HAPPY, SAD, CALM = row(happy=0.9), row(sad=0.9), row(neutral=0.9)
# alone each negative class is weaker than neutral, together they are stronger
MIXED = [0.16, 0.16, 0.16, 0.05, 0.16, 0.05, 0.26]

seven = arrays(np.float64, (5, 7), elements=some.floats(0.001, 1)).map(lambda p: p / p.sum(1, keepdims=True))


@settings(deadline=None)
@given(seven, some.sampled_from(AGGREGATIONS))
def test_three_probabilities_sum_to_one(probabilities: np.ndarray, agg: Aggregation) -> None:
    made = three(probabilities, agg)
    assert made.shape == (5, 3) and (made >= 0).all()
    np.testing.assert_allclose(made.sum(1), 1)


@pytest.mark.parametrize("agg", AGGREGATIONS)
@pytest.mark.parametrize(("name", "group"), [
    ("angry", "negative"), ("disgust", "negative"), ("fear", "negative"), ("sad", "negative"),
    ("happy", "positive"), ("surprise", "positive"), ("neutral", "neutral"),
])  # fmt: skip
def test_each_class_belongs_to_its_group(name: str, group: str, agg: Aggregation) -> None:
    sure = np.array([row(**{name: 1.0})])
    assert GROUPS[groups_of(sure, agg)[0]] == group
    assert judge(track([row(**{name: 1.0})] * 3), agg).group == group


def test_adding_up_favours_the_four_negative_classes_and_the_others_do_not() -> None:
    said = {agg: GROUPS[groups_of(np.array([MIXED]), agg)[0]] for agg in AGGREGATIONS}
    assert said == {"sum": "negative", "argmax": "neutral", "mean_logit": "neutral"}
    np.testing.assert_allclose(three(np.array([MIXED])), [[0.64, 0.26, 0.10]])
    logits = [0.16, 0.26, 0.05]  # geometric means, which the softmax of mean logits leaves
    np.testing.assert_allclose(three(np.array([MIXED]), "mean_logit"), [np.array(logits) / sum(logits)])


def test_a_clip_is_what_most_of_its_frames_are() -> None:
    face = judge(track([HAPPY] * 3 + [SAD] * 2))
    assert face.group == "positive" and face.coverage == 1.0 and face.frames == 5
    assert face.probabilities is not None and sum(face.probabilities) == pytest.approx(1)
    assert face.confidence == face.probabilities[2] == pytest.approx((3 * (0.9 + 0.1 / 6) + 2 * 0.2 / 6) / 5)


def test_a_majority_stands_against_a_larger_mean() -> None:
    hardly_sad = row(sad=0.4, neutral=0.35, happy=0.2)
    face = judge(track([hardly_sad] * 3 + [CALM] * 2))
    assert face.probabilities is not None and face.probabilities[1] > face.probabilities[0]
    assert face.group == "negative"


@pytest.mark.parametrize("agg", AGGREGATIONS)
def test_a_tie_goes_to_the_larger_mean_probability(agg: Aggregation) -> None:
    glad, very_glad = row(happy=0.5, surprise=0.3), row(happy=0.49, surprise=0.49)
    grim = row(angry=0.24, disgust=0.24, fear=0.24, sad=0.24)
    assert judge(track([grim] * 2 + [very_glad] * 2), agg).group == "positive"
    assert judge(track([grim] * 2 + [glad] * 2), agg).group == "negative"
    assert judge(track([glad] * 2 + [grim] * 2), agg).group == "negative"


def test_frames_without_exactly_one_sure_face_do_not_count() -> None:
    rows = [HAPPY] * 4 + [SAD] * 4
    face = judge(track(rows, [1] * 4 + [0, 2, 1, 1], [0.99] * 6 + [0.49, 0.3]))
    assert (face.group, face.coverage) == ("positive", 0.5)
    assert judge(track(rows, confidence=[0.5] * 8)).coverage == 1.0


@pytest.mark.parametrize(("count", "why"), [
    ([1] * 4 + [0] * 6, "no face is seen"),
    ([1] * 4 + [2] * 6, "several faces are seen"),
    ([0] * 10, "no face is seen"),
    ([3] * 10, "several faces are seen"),
])  # fmt: skip
def test_with_less_than_half_of_the_frames_nothing_is_said(count: list[int], why: str) -> None:
    face = judge(track([HAPPY] * 10, count))
    assert face.group == "unknown" and why in face.why and face.confidence == 0.0
    assert face.coverage == pytest.approx(sum(c == 1 for c in count) / 10)


def test_just_half_of_the_frames_is_enough() -> None:
    assert judge(track([HAPPY] * 10, [1] * 5 + [0] * 5)).group == "positive"


def test_time_without_video_counts_against_the_clip() -> None:
    face = judge(track([HAPPY] * 10), filmed=0.4)
    assert (face.group, face.coverage) == ("unknown", 0.4) and "no video" in face.why
    nothing = judge(track([]))
    assert (nothing.group, nothing.coverage, nothing.why) == ("unknown", 0.0, "there is no video of it")


def test_a_face_the_detector_doubts_is_told_as_such() -> None:
    assert "not sure" in judge(track([HAPPY] * 4, confidence=[0.2] * 4)).why


def test_a_face_that_always_looks_sad_is_at_rest_neutral() -> None:
    glum = row(sad=0.6, neutral=0.3)
    rest = at_rest(track([glum] * 20))
    assert rest is not None
    assert judge(track([glum] * 20)).group == "negative"
    face = judge(track([glum] * 20), rest=rest)
    assert face.group == "neutral"
    np.testing.assert_allclose(face.probabilities, list(REST_PRIOR.values()), atol=1e-6)
    for agg in AGGREGATIONS:
        assert judge(track([glum] * 20), agg, rest).group == "neutral"


def test_what_differs_from_rest_is_seen_although_the_plain_rule_does_not_see_it() -> None:
    glum, brighter = row(sad=0.6, neutral=0.3), row(sad=0.45, neutral=0.2, happy=0.28)
    rest = at_rest(track([glum] * 20))
    assert judge(track([brighter] * 20)).group == "negative"
    assert judge(track([brighter] * 20), rest=rest).group == "positive"
    assert judge(track([row(sad=0.97)] * 20), rest=rest).group != "positive"


def test_what_was_never_seen_at_rest_does_not_outweigh_everything() -> None:
    rest = np.array(row(neutral=1.0))
    hardly = against_rest(np.array([row(neutral=0.98, happy=0.01)]), rest)
    assert GROUPS[groups_of(hardly)[0]] == "neutral"


def test_too_little_of_a_rest_is_none() -> None:
    assert at_rest(track([CALM] * 10, [1] * 4 + [0] * 6)) is None
    assert at_rest(track([])) is None
    assert at_rest(track([CALM] * 10), filmed=0.3) is None


@pytest.mark.parametrize(("said", "face", "verdict"), [
    ("negative", "negative", "agree"), ("neutral", "neutral", "agree"), ("positive", "positive", "agree"),
    ("negative", "neutral", "weak"), ("neutral", "positive", "weak"), ("positive", "neutral", "weak"),
    ("neutral", "negative", "weak"), ("negative", "positive", "conflict"),
    ("positive", "negative", "conflict"), ("positive", "unknown", "unknown"), (None, "positive", "unknown"),
    (None, "unknown", "unknown"),
])  # fmt: skip
def test_a_verdict_for_each_pair(said: str | None, face: str, verdict: str) -> None:
    assert agreement(said, face) == verdict


def test_wrong_use_is_told() -> None:
    with pytest.raises(ConfigError, match="known are sum, argmax, mean_logit"):
        groups_of(np.array([HAPPY]), "mean")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="7 classes"):
        three(np.zeros((2, 6)))


def test_a_model_that_gives_no_numbers_is_told_as_the_reason() -> None:
    lost = track([[np.nan] * 7] * 4)
    found = judge(lost)
    assert (found.group, found.probabilities) == ("unknown", None)
    assert found.why == "the expression model gives no probabilities of it"
    assert judge(track([HAPPY] * 2 + [[np.nan] * 7] * 6)).why.endswith("otherwise " + found.why)
