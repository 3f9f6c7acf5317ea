"""What a key means: which label changes, or where a new one goes."""

from __future__ import annotations

from emolab.recording.labels import TimedLabel
from emolab.recording.trials import Trial
from emolab.review.relabel import propose, with_word

SAID = TimedLabel(5.0, 10.0, clip="a", state="neutral", word="calm")
TRIALS = [
    Trial(1, "a", 5.0, 10.0, intended="neutral", said=SAID),
    Trial(2, "b", 20.0, 30.0, intended="neutral", said=None),
]
MINE = {
    "1.0": TimedLabel(20.0, 30.0, clip="b", state="most_negative", word="sad"),
    "2.0": TimedLabel(12.0, 13.0),
}


def test_the_label_chosen_comes_first() -> None:
    made = propose(2, MINE, "1.0", (40.0, 41.0), 6.0, TRIALS)
    assert made.name == "1.0" and made.label == TimedLabel(20.0, 30.0, clip="b", state="most_positive")
    assert made.differs_from == MINE["1.0"]


def test_then_the_stretch_marked_with_the_clip_it_lies_in() -> None:
    made = propose(-2, MINE, None, (6.0, 7.0), 25.0, TRIALS)
    assert (made.name, made.label, made.differs_from) == (
        None, TimedLabel(6.0, 7.0, clip="a", state="most_negative"), None,
    )  # fmt: skip
    assert propose(-2, MINE, None, (4.0, 7.0), 25.0, TRIALS).label.clip is None


def test_then_my_label_at_the_cursor_and_a_first_state_needs_no_reason() -> None:
    made = propose(0, MINE, None, None, 12.5, TRIALS)
    assert made.name == "2.0" and made.label.state == "neutral" and made.differs_from is None


def test_then_the_clip_with_what_the_participant_said_of_it() -> None:
    made = propose(1, MINE, None, None, 6.0, TRIALS)
    assert made.label == TimedLabel(5.0, 10.0, clip="a", state="less_positive") and made.differs_from == SAID
    assert propose(0, MINE, None, None, 6.0, TRIALS).differs_from is None  # the same is said


def test_a_stretch_that_covers_half_a_clip_is_set_against_what_was_said_of_it() -> None:
    for marked in ((5.0, 10.0), (5.0, 7.5), (3.0, 9.0)):
        assert propose(1, {}, None, marked, 25.0, TRIALS).differs_from == SAID
        assert propose(0, {}, None, marked, 25.0, TRIALS).differs_from is None  # the same is said
    assert propose(1, {}, None, (7.6, 10.0), 25.0, TRIALS).differs_from is None  # tells of less than the clip
    assert propose(1, {}, None, (20.0, 30.0), 25.0, TRIALS).differs_from is None  # nothing was said of b
    told_later = Trial(0, "baseline", 12.0, 12.0, said=TimedLabel(12.0, 12.0, "baseline", "neutral"))
    assert propose(1, {}, None, (11.0, 13.0), 25.0, [told_later]).differs_from is None


def test_my_label_of_a_clip_without_a_state_is_set_against_what_was_said_of_it() -> None:
    mine = {"1.0": TimedLabel(5.0, 10.0, clip="a", valence=0.4)}
    for selected in (None, "1.0"):
        assert propose(1, mine, selected, None, 6.0, TRIALS).differs_from == SAID
        assert propose(0, mine, selected, None, 6.0, TRIALS).differs_from is None
    mine["1.0"] = TimedLabel(5.0, 10.0, clip="a", state="less_positive")
    assert propose(1, mine, None, None, 6.0, TRIALS).differs_from is None  # that was asked before


def test_then_the_moment() -> None:
    made = propose(1, {}, None, None, 2.5, TRIALS)
    assert made.label == TimedLabel(2.5, 2.5, state="less_positive")


def test_the_same_state_keeps_its_word_and_a_word_brings_its_state() -> None:
    assert propose(-2, MINE, "1.0", None, 0.0, TRIALS).label.word == "sad"
    assert with_word(MINE["1.0"], "enjoy").state == "most_positive"
    assert with_word(MINE["1.0"], None).word is None
