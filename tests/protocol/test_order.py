"""The order of states: counterbalanced, and the same on every machine."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS, state
from emolab.protocol.order import mirror_pairs, needs_washout, run_order, sequences, shuffled, state_sequence
from emolab.protocol.steps import NeutralPosition

THOUSANDS_OF_SEEDS = range(2000)
NEGATIVE, POSITIVE = ("most_negative", "less_negative"), ("most_positive", "less_positive")


def is_negative_first(sequence: tuple[str, ...]) -> bool:
    return next(state(key).rank for key in sequence if key != "neutral") < 0


def test_there_are_eight_sequences_with_neutral_in_the_middle() -> None:
    assert len(set(sequences())) == 8
    for sequence in sequences():
        assert sorted(sequence) == sorted(STATE_KEYS)
        assert sequence[2] == "neutral"
        assert set(sequence[:2]) in (set(NEGATIVE), set(POSITIVE))


def test_mirror_pairs_are_reversals() -> None:
    assert len(mirror_pairs()) == 4
    assert all(one == other[::-1] for one, other in mirror_pairs())


@pytest.mark.parametrize(
    ("position", "count", "places"), [("first", 8, {0}), ("last", 8, {4}), ("rotate", 24, {0, 2, 4})]
)
def test_neutral_may_stand_elsewhere(position: NeutralPosition, count: int, places: set[int]) -> None:
    assert len(set(sequences(position))) == count
    assert {sequence.index("neutral") for sequence in sequences(position)} == places


def test_an_unknown_position_of_neutral_is_refused() -> None:
    with pytest.raises(ConfigError, match="centre"):
        sequences("centre")  # type: ignore[arg-type]


def test_every_block_of_eight_from_number_one_uses_each_sequence_once() -> None:
    for seed in THOUSANDS_OF_SEEDS:
        for first in (1, 9, 17):
            used = [state_sequence(p, seed) for p in range(first, first + 8)]
            assert set(used) == set(sequences()), f"seed {seed}, from {first}"


@pytest.mark.parametrize("position", ["middle", "first", "last"])
def test_studies_of_8_and_24_participants_use_each_sequence_equally_often(position: NeutralPosition) -> None:
    for seed in range(500):
        for size in (8, 24):
            used = Counter(state_sequence(p, seed, position) for p in range(1, size + 1))
            assert used == dict.fromkeys(sequences(position), size // 8), f"seed {seed}"


def test_every_block_of_eight_has_each_state_twice_at_each_outer_place() -> None:
    for seed in range(100):
        for first in (1, 9, 17):
            used = [state_sequence(p, seed) for p in range(first, first + 8)]
            for place in (0, 1, 3, 4):
                assert Counter(s[place] for s in used) == dict.fromkeys((*NEGATIVE, *POSITIVE), 2)


@pytest.mark.parametrize("position", ["middle", "first", "last", "rotate"])
def test_after_every_even_number_both_halves_came_first_equally_often(position: NeutralPosition) -> None:
    for seed in range(500):
        first = [is_negative_first(state_sequence(p, seed, position)) for p in range(1, 25)]
        assert all(sum(first[:even]) == even // 2 for even in range(0, 25, 2)), f"seed {seed}"


def test_rotate_uses_each_of_24_sequences_once_in_24_participants() -> None:
    for seed in range(200):
        for first in (1, 25):
            assert len({state_sequence(p, seed, "rotate") for p in range(first, first + 24)}) == 24


@pytest.mark.parametrize("position", ["middle", "first", "last", "rotate"])
def test_number_0_is_the_last_of_the_block_before(position: NeutralPosition) -> None:
    every = set(sequences(position))
    for seed in range(100):
        assert {state_sequence(p, seed, position) for p in range(1 - len(every), 1)} == every
        assert state_sequence(0, seed, position) in every


def test_rule_1_counts_the_blocks_from_0_as_it_always_did() -> None:
    for seed in range(200):
        for first in (0, 8, 16):
            used = {state_sequence(p, seed, rule=1) for p in range(first, first + 8)}
            assert used == set(sequences()), f"seed {seed}, from {first}"


def test_a_rule_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="by rule 3, this emolab knows 1, 2; use a newer emolab"):
        state_sequence(1, 0, rule=3)


@settings(deadline=None)
@given(st.integers(), st.integers(0, 10**6), st.sampled_from(["middle", "first", "last", "rotate"]))
def test_opposites_touch_only_where_a_washout_is_called_for(
    seed: int, participant: int, position: NeutralPosition
) -> None:
    sequence = state_sequence(participant, seed, position)
    washouts = sum(needs_washout(before, after) for before, after in pairwise(sequence))
    assert washouts == (0 if sequence.index("neutral") == 2 else 1)


def test_lists_differ_between_blocks_and_seeds() -> None:
    lists = {
        tuple(state_sequence(p, seed) for p in range(8 * b + 1, 8 * b + 9))
        for seed in range(20)
        for b in range(5)
    }
    assert len(lists) > 80  # 384 lists are possible; a hundred draws repeat a few


def test_all_24_orders_of_pairs_are_drawn() -> None:
    draws = Counter(tuple(shuffled(range(4), seed, "pairs", "middle", 0)) for seed in range(2400))
    assert len(draws) == 24
    assert min(draws.values()) > 60 and max(draws.values()) < 150  # 100 each, give or take five sigma


@settings(deadline=None)
@given(st.lists(st.integers()), st.integers())
def test_shuffling_keeps_every_item(items: list[int], key: int) -> None:
    assert sorted(shuffled(items, key)) == sorted(items)


def test_order_is_the_same_on_every_machine() -> None:
    """Known answers: a change here means that running studies change their orders.

    Those of rule 1 are what emolab gave before there was another.
    """
    assert shuffled(range(7), 1, "bank", "neutral") == [4, 3, 5, 6, 0, 2, 1]
    assert (
        state_sequence(0, 1, rule=1)
        == state_sequence(1, 1)
        == (
            "less_positive",
            "most_positive",
            "neutral",
            "most_negative",
            "less_negative",
        )
    )
    rotated = ("neutral", "most_negative", "less_negative", "most_positive", "less_positive")
    assert state_sequence(14, 2024, "rotate", rule=1) == state_sequence(15, 2024, "rotate") == rotated


def test_clips_of_a_run_are_ordered_by_participant_session_and_state() -> None:
    clips = tuple("abcdefg")
    orders = {tuple(run_order(clips, 1, p, s, key)) for p in range(4) for s in range(3) for key in STATE_KEYS}
    assert len(orders) == 60
    assert run_order(clips, 1, 2, 0, "neutral") == run_order(clips, 1, 2, 0, "neutral")
