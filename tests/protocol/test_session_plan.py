"""One participant's session: the eight invariants of the order, the steps, their times."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS, state
from emolab.protocol.session_plan import SessionPlan, resolve_clip_paths, rest_of, session_plan
from emolab.protocol.steps import Instruct, NeutralPosition, Pause, Play, Rate, Rest, longest_s
from tests.protocol.worlds import bank, plan, study

POSITIONS = ("middle", "first", "last", "rotate")


def assert_order_holds(laid_out: SessionPlan, per_state: int = 3) -> None:
    """Invariants (i) to (iv) of one session."""
    assert len({clip.id for clip in laid_out.trials}) == len(laid_out.trials)
    assert Counter(clip.state for clip in laid_out.trials) == dict.fromkeys(STATE_KEYS, per_state)
    runs = [key for key, _ in groupby(clip.state for clip in laid_out.trials)]
    assert len(runs) == 5
    music = [step for step in laid_out.steps if isinstance(step, Play | Pause)]
    for before, after in pairwise(music):
        if isinstance(before, Play) and isinstance(after, Play):
            assert state(before.clip.state).rank * state(after.clip.state).rank >= 0


def test_order_holds_for_a_hundred_seeds_and_24_participants() -> None:
    for seed in range(100):
        orders = []
        for participant in range(1, 25):
            laid_out = plan(participant=participant, seed=seed)
            assert_order_holds(laid_out)
            orders.append(tuple(clip.id for clip in laid_out.trials))
        assert len(set(orders)) == 24, f"seed {seed}: two participants have the same order"


@settings(max_examples=500, deadline=None)
@given(st.integers(), st.integers(0, 10**4), st.integers(0, 2), st.sampled_from(POSITIONS))
def test_order_holds_for_any_seed(
    seed: int, participant: int, session: int, position: NeutralPosition
) -> None:
    laid_out = plan(participant=participant, session=session, seed=seed, neutral_position=position)
    assert_order_holds(laid_out, per_state=(3, 3, 1)[session])
    assert laid_out == plan(participant=participant, session=session, seed=seed, neutral_position=position)
    ends_s = laid_out.planned_times_s[-1]
    promised_s = ends_s - (laid_out.planned - laid_out.guaranteed) * 60
    assert promised_s <= laid_out.cap_s


def test_three_sessions_let_a_participant_hear_the_whole_bank_once() -> None:
    heard = [clip.id for session in range(3) for clip in plan(participant=14, session=session).trials]
    assert sorted(heard) == sorted(entry.id for entry in bank().entries)


def test_a_fourth_session_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"session 3 has no clips left: .* sessions 0 to 2"):
        plan(session=3)


def test_seven_participants_hear_every_clip_three_times() -> None:
    heard = Counter(clip.id for participant in range(7) for clip in plan(participant=participant).trials)
    assert set(heard.values()) == {3} and len(heard) == 35


def test_steps_follow_the_protocol() -> None:
    steps = plan().steps
    assert [type(step) for step in steps[:4]] == [Instruct, Instruct, Rest, Rate]
    assert [type(step) for step in steps[4:-1]] == [Play, Rate] * 15
    assert steps[-1] == Instruct("thanks", "thanks")
    assert steps[2] == Rest("rest", 300, (240, 300))
    assert steps[3] == Rate("baseline report", None, 0, 30, True)
    assert [step.trial for step in steps if isinstance(step, Play)] == list(range(1, 16))


def test_planned_times_count_from_the_rest_with_full_report_windows() -> None:
    laid_out = plan()
    assert laid_out.planned_times_s[:6] == (0, 0, 0, 300, 330, 360)
    for (step, at_s), (_, next_s) in pairwise(zip(laid_out.steps, laid_out.planned_times_s, strict=True)):
        assert next_s - at_s == (longest_s(step) or 0)


@pytest.mark.parametrize("position", ["first", "last"])
def test_a_washout_stands_between_the_opposite_halves(position: NeutralPosition) -> None:
    laid_out = plan(neutral_position=position)
    (at,) = (i for i, step in enumerate(laid_out.steps) if isinstance(step, Pause))
    before, after = laid_out.steps[at - 1], laid_out.steps[at + 1]
    assert isinstance(before, Rate) and before.clip and isinstance(after, Play)
    assert state(before.clip.state).rank * state(after.clip.state).rank < 0
    assert laid_out.needed_mean_report_s == 26.25


def test_without_a_baseline_report_the_first_clip_follows_the_rest() -> None:
    assert isinstance(plan(has_baseline_report=False).steps[3], Play)


def test_the_price_of_neutral_in_the_middle_is_said() -> None:
    assert "the price of neutral in the middle: it is always clips 7 to 9" in plan().arithmetic


def test_the_facts_for_the_command_line() -> None:
    facts = json.loads(json.dumps(plan(participant=14, seed=5).to_dict()))
    assert (facts["planned"], facts["guaranteed"], facts["needed_mean_report_s"], facts["cap_s"]) == (
        15,
        14,
        28.125,
        1200,
    )
    assert len(facts["trials"]) == 15
    assert set(facts["trials"][0]) >= {"clip", "state"}


def test_the_quick_protocol_is_five_short_clips_that_always_fit() -> None:
    laid_out = plan("quick")
    assert (laid_out.planned, laid_out.guaranteed) == (5, 5)
    assert {clip.duration_s for clip in laid_out.trials} == {5}
    assert laid_out.planned_times_s[-1] <= laid_out.cap_s == 90


def test_a_bank_with_too_few_clips_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"has 2 clips of state 'most_negative' but emomusic\.yaml plays 3"):
        session_plan(study(), bank(2), 0, 0, 1)


@pytest.mark.parametrize(
    ("participant", "session", "said"),
    [(-1, 0, "participants are numbered from 1"), (0, -1, "sessions are numbered from 0")],
)
def test_negative_numbers_are_refused(participant: int, session: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        session_plan(study(), bank(), participant, session, 1)


def test_participant_0_has_a_plan() -> None:
    for position in POSITIONS:
        assert_order_holds(plan(participant=0, neutral_position=position))


def test_both_rules_play_the_same_clips_in_another_order_of_states() -> None:
    """So that nobody who has a session of each hears a clip twice."""
    old, new = (session_plan(study(), bank(), 1, 0, 0, rule) for rule in (1, 2))
    assert (old.order_rule, new.order_rule) == (1, 2) and old.sequence != new.sequence
    for key in STATE_KEYS:
        assert [c for c in old.trials if c.state == key] == [c for c in new.trials if c.state == key]
    assert "The order is that of rule 1" in old.arithmetic and "rule" not in new.arithmetic


def test_a_plan_is_of_the_newest_rule_unless_told_otherwise() -> None:
    assert plan(participant=1).to_dict()["order_rule"] == 2


def test_clip_paths_are_found_in_a_folder_or_by_a_function(tmp_path: Path) -> None:
    for entry in bank().entries:
        (tmp_path / entry.file).touch()
    in_folder = resolve_clip_paths(plan(), bank(), tmp_path)
    assert all(clip.path == tmp_path / f"{clip.id}.flac" for clip in in_folder.trials)
    shown = [step.clip for step in in_folder.steps if isinstance(step, Play)]
    assert tuple(shown) == in_folder.trials
    assert resolve_clip_paths(plan(), bank(), lambda entry: tmp_path / entry.file) == in_folder


def test_a_clip_without_its_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.flac; run 'emolab stimuli render'"):
        resolve_clip_paths(plan(), bank(), tmp_path)


def test_a_clip_that_was_heard_is_replaced_by_the_next_of_its_state() -> None:
    before = plan(participant=4, seed=2)
    gone = before.trials[0]
    after = session_plan(study(), bank(), 4, 0, 2, heard={gone.id})
    assert_order_holds(after)
    assert {clip.id for clip in before.trials} - {clip.id for clip in after.trials} == {gone.id}


def test_a_clip_comes_again_only_when_no_other_of_its_state_is_left() -> None:
    heard = {entry.id for entry in bank().entries if entry.id != "neutral-4"}
    again = session_plan(study(), bank(), 4, 0, 2, heard=heard)
    assert_order_holds(again)
    assert "neutral-4" in {clip.id for clip in again.trials}
    others = {clip.id for clip in plan(participant=4, seed=2).trials if clip.state != "neutral"}
    assert {clip.id for clip in again.trials if clip.state != "neutral"} == others


def test_a_session_that_was_begun_stays_as_it_was_laid_out() -> None:
    was = plan(participant=4, seed=2)
    trials = [(clip.id, clip.state) for clip in was.trials]
    assert session_plan(study(), bank(), 4, 0, 2, begun_with=trials) == was
    assert session_plan(study(), bank(9), 4, 0, 2, begun_with=trials) == was


def test_a_washout_stands_between_opposites_that_meet_in_what_is_left() -> None:
    whole = plan()
    states = [clip.state for clip in whole.trials]
    begun = {clip.id for clip in whole.trials[1:9]}  # all but the first of the negative half, and neutral
    left = rest_of(whole, begun, 100, is_rested=True, has_baseline=True)
    assert [type(step) for step in left.steps[:5]] == [Instruct, Play, Rate, Pause, Play]
    assert longest_s(left.steps[3]) == 30 and states[0] != states[9]
    assert sum(isinstance(step, Pause) for step in left.steps) == 1


def test_no_washout_stands_before_the_first_clip_of_what_is_left() -> None:
    whole = plan(neutral_position="last")
    at = next(i for i, step in enumerate(whole.steps) if isinstance(step, Pause))
    begun = {step.clip.id for step in whole.steps[:at] if isinstance(step, Play)}
    left = rest_of(whole, begun, 100, is_rested=True, has_baseline=True)
    assert [type(step) for step in left.steps[:3]] == [Instruct, Play, Rate]
    assert not any(isinstance(step, Pause) for step in left.steps)


@pytest.mark.parametrize(("elapsed_s", "guaranteed"), [(0, 14), (1000, 3), (1100, 1), (1150, 0), (1300, 0)])
def test_what_is_left_guarantees_what_fits(elapsed_s: float, guaranteed: int) -> None:
    whole = plan()
    left = rest_of(whole, {whole.trials[0].id}, elapsed_s, is_rested=True, has_baseline=True)
    assert (left.planned, left.guaranteed) == (14, guaranteed)
