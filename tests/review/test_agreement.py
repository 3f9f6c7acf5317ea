"""How far lanes agree: what a unit is, what a lane says of it, and figures that are told to be undefined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS, PredictedLabel
from emolab.recording.labels import TimedLabel
from emolab.recording.predicted import KIND, Guess
from emolab.recording.predicted import to_label as guess_label
from emolab.recording.trials import Trial
from emolab.review.agreement import compare
from emolab.review.checks import Check, to_label
from emolab.review.lanes import Lane
from emolab.stats.agreement import cohen, krippendorff

TRIALS = [Trial(number + 1, f"c{number}", 40.0 * number, 40.0 * number + 30) for number in range(8)]


def lane(name: str, ranks: Sequence[int | None]) -> Lane:
    """A lane that says a state of each clip, None for nothing."""
    labels = {
        str(trial.number): TimedLabel(trial.start_s, trial.end_s, clip=trial.clip, state=STATE_KEYS[rank + 2])
        for trial, rank in zip(TRIALS, ranks, strict=True)
        if rank is not None
    }
    return Lane(name, "analyst", labels)


ANNA, BEN = [-2, -1, 0, 1, 2, -2, 0, 1], [-2, -2, 0, 2, 2, None, 0, 0]


def test_each_pair_and_all_lanes_are_compared_over_the_clips_both_judged() -> None:
    found = compare([lane("anna", ANNA), lane("ben", BEN), lane("cy", ANNA)], TRIALS)
    figures = {(one.name, one.lanes): one.agreement for one in found.figures}
    both = [(a + 2, b + 2) for a, b in zip(ANNA, BEN, strict=True) if b is not None]
    truth = cohen([a for a, _ in both], [b for _, b in both], 5, "linear")
    assert figures["κ, linear", ("anna", "ben")] == truth and truth.units == 7
    ratings = np.array([ANNA, [np.nan if b is None else b for b in BEN], ANNA], float)
    assert figures["Krippendorff's α, ordinal", ("anna", "ben", "cy")] == krippendorff(ratings, "ordinal")
    perfect = figures["Cohen's κ", ("anna", "cy")]
    assert perfect is not None and perfect.value == 1.0
    assert "clips as heard: 8, judged by two lanes or more: 8" in found.windowing


def test_a_label_counts_where_it_covers_half_a_unit() -> None:
    half = Lane("half", "analyst", {"1": TimedLabel(0.0, 15.0, state="neutral")})
    less = Lane("less", "analyst", {"1": TimedLabel(0.0, 14.9, state="neutral")})
    judged = compare([half, less], TRIALS).judged
    assert judged[0, 0] == 0.0 and np.isnan(judged[0, 1]) and np.isnan(judged[1:]).all()


def test_windows_cut_the_labelled_part_of_the_session() -> None:
    one = Lane("one", "analyst", {"1": TimedLabel(10.0, 20.0, state="neutral")})
    halves = {
        "1": TimedLabel(10.0, 14.0, state="neutral"),
        "2": TimedLabel(14.0, 20.0, state="less_positive"),
    }
    two = Lane("two", "analyst", halves)
    found = compare([one, two], TRIALS, window_s=2.0)
    np.testing.assert_array_equal(found.judged, [[0, 0], [0, 0], [0, 1], [0, 1], [0, 1]])


def test_a_trace_is_judged_by_its_mean_in_each_window() -> None:
    trace = tuple((t / 10, -1 + t / 50, 0.5) for t in range(101))
    drawn = Lane("drawn", "analyst", {"1": TimedLabel(0.0, 10.0, trace=trace)})
    said = Lane("said", "analyst", {"1": TimedLabel(0.0, 10.0, valence=0.25)})
    found = compare([drawn, said], TRIALS, "valence", 5.0)
    np.testing.assert_allclose(found.judged, [[-0.5, 0.25], [0.5, 0.25]], atol=1e-9)
    assert {one.name for one in found.figures} >= {"ICC(2,1)", "Krippendorff's α, interval"}


def test_a_face_is_compared_by_its_three_groups() -> None:
    checks = [
        Check("c0", 0.0, 30.0, "neutral", "negative", 0.9, (0.8, 0.1, 0.1)),
        Check("c1", 40.0, 70.0, "neutral", "unknown", 0.2, None, "no face"),
        Check("c2", 80.0, 110.0, "neutral", "positive", 0.9, (0.1, 0.1, 0.8)),
    ]
    face = Lane("face-small", "model", {str(i): to_label(check, ()) for i, check in enumerate(checks)})
    judged = compare([lane("anna", ANNA), face], TRIALS, "group").judged
    np.testing.assert_array_equal(judged[:3], [[-1, -1], [-1, np.nan], [0, 1]])


def guessed(target: str) -> Lane:
    """The lane of a classifier that calls every other clip negative, the lower end of any scale."""
    labels = {}
    for trial in TRIALS:
        called, sure = ("neutral", (0.1, 0.8, 0.1)) if trial.number % 2 else ("negative", (0.8, 0.1, 0.1))
        said = PredictedLabel(trial.clip, called, sure, "svm")
        guess = Guess(trial.start_s, trial.end_s, said, ("negative", "neutral", "positive"))
        labels[str(trial.number)] = guess_label(guess, target)
    return Lane(f"svm-{target}", "model", labels, {"kind": KIND, "target": target})


def test_of_classifiers_those_of_groups_and_of_valence_tell_a_group() -> None:
    lanes = [lane("anna", ANNA), *map(guessed, ("valence", "group", "arousal"))]
    found = compare(lanes, TRIALS, "group")
    np.testing.assert_array_equal(found.judged[:2], [[-1, 0, 0, np.nan], [-1, -1, -1, np.nan]])
    assert "nothing of group says svm-arousal" in found.windowing
    states = compare([lane("anna", ANNA), lane("ben", BEN), guessed("arousal")], TRIALS)
    assert "nothing of state says svm-arousal" in states.windowing


def test_what_cannot_be_told_says_why() -> None:
    found = compare([lane("anna", ANNA), lane("nobody", [None] * 8)], TRIALS)
    assert all(one.agreement is None and "0 units" in one.why for one in found.figures)
    same = compare([lane("anna", [1] * 8), lane("ben", [1] * 8)], TRIALS)
    kappa = next(one for one in same.figures if one.name == "Cohen's κ")
    assert kappa.why == "everything was called the same"


@pytest.mark.parametrize(("what", "window_s"), [("mood", None), ("state", 0.0), ("state", float("nan"))])
def test_what_makes_no_sense_is_refused(what: str, window_s: float | None) -> None:
    with pytest.raises(ConfigError):
        compare([lane("anna", ANNA), lane("ben", BEN)], TRIALS, what, window_s)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="two lanes"):
        compare([lane("anna", ANNA)], TRIALS)


def test_a_lane_that_says_nothing_of_it_has_no_rows_and_is_named() -> None:
    labels = {str(t.number): TimedLabel(t.start_s, t.end_s, arousal=0.5) for t in TRIALS}
    svm = Lane("svm", "model", labels)
    found = compare([lane("anna", ANNA), lane("ben", BEN), svm], TRIALS)
    assert {one.lanes for one in found.figures} == {("anna", "ben")}
    assert found.windowing.endswith("; nothing of state says svm") and found.lanes[-1] == "svm"
    alone = compare([lane("anna", ANNA), svm], TRIALS)
    assert alone.figures == () and "nothing of state says svm" in alone.windowing
