"""What was intended and what was said, on the time line."""

from __future__ import annotations

from emolab.core.event import Event
from emolab.recording.labels import TimedLabel
from emolab.recording.lanes import intended, reported, rests
from emolab.recording.trials import trials


def played(clip: str, state: str, start_s: float, stop_s: float) -> list[Event]:
    onset = {"clip": clip, "state": state, "requested_s": start_s - 0.1, "fitted_s": start_s}
    return [
        Event(start_s, "clip_onset", data=onset),
        Event(stop_s, "clip_ended", data={"clip": clip, "how": "done", "fitted_s": start_s}),
    ]


def answer(time_s: float, clip: str | None, state: str | None, word: str | None = None) -> Event:
    return Event(time_s, "answer", data={"clip": clip, "state": state, "word": word, "response_s": 2.0})


REST = [
    Event(5.0, "step_started", data={"step": 1, "kind": "rest"}),
    Event(305.0, "step_ended", data={"step": 1, "kind": "rest", "how": "done"}),
]
SESSION = [
    *REST, answer(310.0, None, "neutral", "calm"),
    *played("fear_1", "less_negative", 320.0, 350.0), answer(354.0, "fear_1", "neutral", "peace"),
    *played("joy_1", "most_positive", 360.0, 390.0), answer(399.0, "joy_1", None),
    *played("joy_2", "most_positive", 400.0, 430.0),
]  # fmt: skip


def test_a_clip_intends_its_state_while_it_is_heard() -> None:
    assert intended(SESSION, 440.0)[0] == TimedLabel(320.0, 350.0, clip="fear_1", state="less_negative")
    assert [label.clip for label in intended(SESSION, 440.0)] == ["fear_1", "joy_1", "joy_2"]


def test_what_was_said_stands_over_the_clip_it_was_said_of() -> None:
    assert reported(SESSION, 440.0) == [
        TimedLabel(5.0, 305.0, clip="baseline", state="neutral", word="calm"),
        TimedLabel(320.0, 350.0, clip="fear_1", state="neutral", word="peace"),
    ]


def test_a_report_on_the_rest_after_a_resume_stands_at_its_own_moment() -> None:
    after = [
        answer(3.0, None, "neutral", "calm"),
        *played("joy_1", "most_positive", 10.0, 40.0), answer(44.0, "joy_1", "neutral", "peace"),
    ]  # fmt: skip
    rest, clip = reported(after, 50.0)
    assert rest == TimedLabel(3.0, 3.0, clip="baseline", state="neutral", word="calm")
    assert (clip.clip, clip.start_s) == ("joy_1", 10.0)
    told = trials(after, 50.0)
    assert [(trial.number, trial.clip) for trial in told] == [(0, "baseline"), (1, "joy_1")]
    assert told[0].said == rest and told[0].response_s == 2.0


def test_a_report_before_the_rest_of_its_own_file_is_none_on_it() -> None:
    assert reported([answer(1.0, None, "neutral", "calm"), *REST], 400.0) == []


def test_a_rest_that_was_broken_off_and_made_anew_is_the_last() -> None:
    def step(kind: str, at_s: float, **more: str) -> Event:
        return Event(at_s, kind, data={"step": 2, "kind": "rest", **more})

    anew = [
        step("step_started", 1.0), step("step_ended", 90.0, how="aborted"),
        step("step_started", 700.0), step("step_ended", 1000.0, how="done"),
        answer(1004.0, None, "neutral", "calm"),
    ]  # fmt: skip
    assert rests(anew) == [(700.0, 1000.0)]
    assert [(label.start_s, label.end_s) for label in reported(anew, 1010.0)] == [(700.0, 1000.0)]


def test_a_report_that_was_not_given_is_no_label() -> None:
    assert "joy_1" not in [label.clip for label in reported(SESSION, 440.0)]


def test_a_clip_heard_twice_has_two_reports() -> None:
    twice = [
        *played("a", "neutral", 10.0, 20.0), answer(22.0, "a", "most_negative", "sad"),
        *played("a", "neutral", 30.0, 60.0), answer(63.0, "a", "less_negative", "fear"),
    ]  # fmt: skip
    assert [(label.start_s, label.word) for label in reported(twice, 70.0)] == [(10.0, "sad"), (30.0, "fear")]


def test_a_recording_that_ends_in_a_clip_ends_its_label() -> None:
    (label,) = intended(played("a", "neutral", 10.0, 40.0)[:1], 27.5)
    assert (label.start_s, label.end_s) == (10.0, 27.5)


def test_a_report_in_other_words_is_told_and_stops_nothing() -> None:
    onset = Event(1.0, "clip_onset", data={"clip": "a", "state": "neutral", "fitted_s": 1.0})
    for state, word, label in (
        ("less_positive", "calm", TimedLabel(1.0, 9.0, "a", "less_positive", note="the word said is 'calm'")),
        ("blissful", "calm", TimedLabel(1.0, 9.0, "a", note="said is 'blissful', 'calm'")),
    ):
        answer = Event(5.0, "answer", data={"clip": "a", "state": state, "word": word})
        assert reported([onset, answer], 9.0) == [label]


def test_a_report_of_what_is_no_clip_is_left_out() -> None:
    odd = Event(356.0, "answer", data={"clip": ["fear_1"], "state": "neutral", "word": None})
    assert reported([*SESSION, odd], 440.0) == reported(SESSION, 440.0)
    assert trials([*SESSION, odd], 440.0) == trials(SESSION, 440.0)
