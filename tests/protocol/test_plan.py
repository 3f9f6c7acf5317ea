"""The arithmetic of a session."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import ConfigError
from emolab.protocol.plan import bank_positions, clips_that_fit, participant_number, plan_session


def test_the_default_session_plans_15_and_guarantees_14() -> None:
    plan = plan_session()
    assert (plan.planned, plan.guaranteed, plan.needed_mean_report_s) == (15, 14, 28.125)


def test_clips_that_fit_is_the_table_of_the_paper() -> None:
    table = {30: 15, 25: 16, 20: 18, 15: 20, 10: 22, 5: 25, 0: 30}
    assert {r: clips_that_fit(r) for r in table} == table


def test_a_session_of_35_clips_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(ConfigError, match="35 clips") as refusal:
        plan_session(per_state=7)
    message = str(refusal.value)
    assert "only 14 are guaranteed" in message
    assert "300 + 35 × 30 = 1350 s > 1200 s" in message  # even with reports that take no time
    assert "35 × (30 s clip + 30 s report) = 2430 s > 1200 s" in message
    assert "at most 3 for each state" in message


def test_the_plan_says_why_15_are_planned_and_14_guaranteed() -> None:
    words = plan_session().arithmetic
    assert "300 s rest + 30 s baseline report + 15 × (30 s clip + 30 s report) = 1230 s > 1200 s cap" in words
    assert "14 clips take at most 1170 s" in words
    assert "(1200 − 300 − 15 × 30) / 16 = 28.125 s" in words
    assert "the 15 reports before it must average 28 s" in words


def test_a_washout_counts_in_the_plan() -> None:
    plan = plan_session(washout=30)
    assert (plan.planned, plan.guaranteed, plan.needed_mean_report_s) == (15, 14, 26.25)
    with pytest.raises(ConfigError, match="only 13 are guaranteed"):
        plan_session(washout=31, per_state=3)


def test_a_plan_that_always_fits_needs_no_short_reports() -> None:
    plan = plan_session(cap=90, rest=10, clip=5, report=8)
    assert (plan.planned, plan.guaranteed, plan.needed_mean_report_s) == (5, 5, 8)


def test_without_a_baseline_report_its_time_is_free() -> None:
    plan = plan_session(has_baseline_report=False)
    assert (plan.planned, plan.guaranteed, plan.needed_mean_report_s) == (15, 15, 30)


@pytest.mark.parametrize("steps", [{"cap": 389}, {"rest": 1111}, {"clip": 900}, {"report": 900}])
def test_steps_that_cannot_fit_at_all_are_refused(steps: dict) -> None:
    with pytest.raises(ConfigError, match=r"not one clip fits: .* s cap"):
        plan_session(**steps)


@pytest.mark.parametrize("name", ["cap", "clip", "report"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_times_that_are_no_times_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        plan_session(**{name: value})


def test_a_bank_too_small_is_refused() -> None:
    with pytest.raises(ConfigError, match="3 clips of each state are planned but the bank has 2"):
        plan_session(bank=2, per_state=3)


@settings(deadline=None)
@given(
    cap=st.integers(100, 4000),
    rest=st.integers(0, 600),
    clip=st.integers(1, 60),
    report=st.integers(1, 60),
    per_state=st.integers(1, 7),
)
def test_an_accepted_plan_keeps_its_promise(
    cap: int, rest: int, clip: int, report: int, per_state: int
) -> None:
    try:
        plan = plan_session(cap, rest, clip, report, per_state=per_state)
    except ConfigError:
        return
    assert plan.guaranteed in (plan.planned, plan.planned - 1)
    assert rest + report + plan.guaranteed * (clip + report) <= cap
    shortest_s = rest + plan.planned * clip + (plan.planned + 1) * plan.needed_mean_report_s
    assert shortest_s <= cap + 1e-6
    assert 0 <= plan.needed_mean_report_s <= report


def test_three_sessions_exhaust_the_bank_without_a_clip_heard_twice() -> None:
    for participant in range(24):
        sessions = [bank_positions(participant, s, 3, 7, 7) for s in range(4)]
        assert [len(positions) for positions in sessions] == [3, 3, 1, 0]
        assert sorted(chain(*sessions)) == list(range(7))


def test_seven_participants_use_every_clip_three_times() -> None:
    for first in range(10):
        used = [i for participant in range(first, first + 7) for i in bank_positions(participant, 0, 3, 7, 7)]
        assert sorted(used) == sorted([*range(7)] * 3)


def test_positions_are_those_of_the_rule() -> None:
    assert bank_positions(2, 1, 3, 7, 7) == ((6 + 3) % 7, (6 + 4) % 7, (6 + 5) % 7)


@pytest.mark.parametrize(("pseudonym", "number"), [("P014", 14), ("P000", 0), ("7", 7), ("study2-P031", 31)])
def test_the_number_of_a_participant_is_in_the_pseudonym(pseudonym: str, number: int) -> None:
    assert participant_number(pseudonym) == number


def test_a_pseudonym_without_a_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="'anna' holds no number"):
        participant_number("anna")


def test_a_last_clip_that_could_never_start_is_not_planned() -> None:
    assert plan_session(100, 0, 19, 4).planned == 5  # 5 × 19 + 4 = 99
    with pytest.raises(
        ConfigError, match=r"5 clips are planned .* 0 \+ 5 × 20 = 100 s, and 4 s for the last"
    ):
        plan_session(100, 0, 20, 4)
