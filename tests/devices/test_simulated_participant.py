"""What the engine says to the simulated participant, what it answers, and what is kept as true."""

from __future__ import annotations

import gc
import json
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolab.core.errors import ConfigError, DataError
from emolab.core.label import STATE_KEYS, state, state_of_word
from emolab.devices.simulated import SimulatedParticipant, participant_for
from tests.devices.simulated_bench import SimulatedBench
from tests.fakes import FakeClock


def answers(n: int = 400, window_s: float = 30.0) -> list:
    person = SimulatedParticipant()
    person.begin(1, "P001")
    return [person.answer(f"{key}-{i}", key, 100.0, window_s) for i in range(n // 5) for key in STATE_KEYS]


@given(
    seed=st.integers(0, 10**6),
    clip=st.integers(0, 34),
    window_s=st.floats(0.5, 60.0),
    key=st.sampled_from([*STATE_KEYS, None]),
)
def test_an_answer_is_valid_and_within_its_window(seed, clip, window_s, key):
    person = SimulatedParticipant()
    person.begin(seed, "P001")
    given_answer = person.answer(f"clip-{clip}", key, 10.0, window_s)
    *chosen, confirmed = given_answer.acts
    times_s = [act.time_s for act in given_answer.acts]
    assert chosen and all(act.kind == "choose" for act in chosen)
    assert confirmed.kind == "confirm"
    assert times_s == sorted(times_s) and times_s[0] > 10.0 and times_s[-1] < 10.0 + window_s
    assert all(state_of_word(act.word).key == act.state for act in chosen)
    assert abs(state(given_answer.state).rank - state(key or "neutral").rank) <= 1
    assert given_answer.changes == len(chosen) - 1


def test_response_times_are_those_of_people():
    response_s = np.array([answer.response_s for answer in answers()])
    assert response_s.min() >= 3.0 and response_s.max() <= 12.0
    assert 5.0 < np.median(response_s) < 6.5
    assert response_s.std() > 1.0


def test_quick_windows_are_answered_too():
    assert all(answer.response_s < 6.0 for answer in answers(window_s=6.0))
    assert {answer.state for answer in answers(window_s=6.0)} == set(STATE_KEYS)


def test_some_answers_are_one_step_beside_and_some_change_their_mind():
    given_answers = answers()
    beside = np.mean([answer.state != answer.intended for answer in given_answers])
    wavering = np.mean([answer.changes > 0 for answer in given_answers])
    assert 0.09 < beside < 0.22
    assert 0.09 < wavering < 0.22
    assert len({answer.word for answer in given_answers}) == 15


def test_the_same_question_gets_the_same_answer_whatever_was_asked_before():
    one, other = SimulatedParticipant(), SimulatedParticipant(99)
    for person in (one, other):
        person.begin(4, "P007")
    one.answer("fear-1", "less_negative", 0.0, 30.0)
    assert one.answer("joy-2", "most_positive", 50.0, 30.0) == other.answer(
        "joy-2", "most_positive", 50.0, 30.0
    )
    other.begin(4, "P008")
    times_s = {other.answer(f"joy-{i}", "most_positive", 0.0, 30.0).response_s for i in range(5)}
    other.begin(4, "P007")
    assert times_s != {other.answer(f"joy-{i}", "most_positive", 0.0, 30.0).response_s for i in range(5)}


def test_nobody_answers_when_told_so():
    answer = SimulatedParticipant().answer("fear-1", "less_negative", 0.0, 30.0, policy="none")
    assert (answer.acts, answer.state, answer.word, answer.response_s, answer.changes) == (
        (),
        None,
        None,
        None,
        0,
    )
    with pytest.raises(ConfigError, match="known are simulated, none"):
        SimulatedParticipant().answer("fear-1", "less_negative", 0.0, 30.0, policy="guess")


def test_an_unknown_state_is_refused():
    with pytest.raises(DataError, match="no state"):
        SimulatedParticipant().hear("x", "bliss", 0.0, 30.0)
    with pytest.raises(DataError, match="no state"):
        SimulatedParticipant().answer("x", "bliss", 0.0, 30.0)


def test_beginning_while_instruments_watch_changes_nothing_already_seen():
    plain, begun = SimulatedBench("board"), SimulatedBench("board")
    for bench in (plain, begun):
        bench.source.open()
        bench.advance(10.0)
    begun.person.begin(77, "P042")
    for bench in (plain, begun):
        bench.advance(60.0)
    n = round(9.9 * 254.9)
    assert np.array_equal(plain.delivered().samples[:n], begun.delivered().samples[:n])
    assert not np.array_equal(plain.delivered().samples, begun.delivered().samples)
    between_s = np.diff(begun.person.body.beats())
    assert between_s.min() > 0.5 and between_s.max() < 1.3  # no beat twice, none left out
    assert begun.person.truth()["participant"] == "P042"


def test_a_clip_cut_short_ends_where_the_next_thing_begins():
    person = SimulatedParticipant()
    person.hear("a", "neutral", 10.0, 30.0)
    person.hear("b", "neutral", 25.0, 30.0)
    person.rest(40.0)
    assert [(clip["clip"], clip["duration_s"]) for clip in person.truth()["clips"]] == [
        ("a", 15.0),
        ("b", 15.0),
    ]


def test_the_truth_is_written_on_the_files_own_time(tmp_path):
    bench = SimulatedBench("board")
    bench.source.open()
    bench.person.rest(2.0)
    bench.advance(12.0)
    bench.person.answer(None, None, 12.0, 6.0)
    bench.person.hear("fear-1", "less_negative", 20.0, 10.0)
    bench.advance(40.0)
    bench.person.answer("fear-1", "less_negative", 30.0, 6.0)
    path = tmp_path / "truth.json"
    bench.person.write_truth(path, zero_s=2.0)
    written, truth = json.loads(path.read_text(encoding="utf-8")), bench.person.truth()
    assert written["rest"]["onset_s"] == 0.0
    assert written["rest"]["duration_s"] == pytest.approx(10.0)
    assert written["clips"][0]["onset_s"] == 18.0
    assert written["clips"][0]["duration_s"] == 10.0
    assert [answer["clip"] for answer in written["answers"]] == [None, "fear-1"]
    assert written["answers"][1]["opened_s"] == 28.0
    assert np.allclose(np.array(written["beats_s"]) + 2.0, truth["beats_s"])
    assert len(written["beats_s"]) > 30 and len(written["breaths_s"]) > 5
    assert written["answers"][1]["response_s"] == truth["answers"][1]["response_s"]
    assert written["streams"]["board"]["samples"] == len(bench.delivered().times_s)


def test_means_of_any_window_can_be_asked_for():
    bench = SimulatedBench("board")
    bench.source.open()
    bench.advance(30.0)
    facts = bench.person.means(10.0, 30.0)
    beats_s = bench.person.body.beats(10.0, 30.0)
    assert facts["heart_bpm"] == pytest.approx(
        60.0 * (len(beats_s) - 1) / (beats_s[-1] - beats_s[0]), abs=0.5
    )
    assert bench.person.means(100.0, 130.0) == {}


def test_a_session_that_is_over_is_forgotten():
    clock = FakeClock()
    person = weakref.ref(participant_for(clock))
    assert person() is not None
    del clock
    gc.collect()
    assert person() is None
