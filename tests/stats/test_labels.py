"""Shares and tables of labels, with every clip accounted for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.stats.labels import MISSING, crossing, distribution, share_of
from tests.stats.tables import choices, measured


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_four_shares_of_newcombe(count: int, of: int, low: float, high: float) -> None:
    """Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I."""
    found = share_of(count, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(1, 500))
def test_share_lies_within_its_interval_and_that_within_nought_and_one(count: int, of: int) -> None:
    if count > of:
        with pytest.raises(DataError):
            share_of(count, of)
    else:
        found = share_of(count, of)
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_every_clip_is_counted_once() -> None:
    table = choices(0, 6)
    table.loc[[1, 2, 50], "state_reported"] = None
    found = distribution(table)
    assert (found.clips, found.reported) == (90, 87)
    assert sum(one.count for one in found.overall) == 90 == sum(one.count for one in found.people)
    missing = found.overall[-1]
    assert (missing.state, missing.count, missing.of) == (MISSING, 3, 90)
    assert {one.of for one in found.overall[:-1]} == {87}
    assert sum(one.share.value for one in found.overall[:-1]) == pytest.approx(1)
    assert [one.participant for one in found.people[::6]] == [f"P{one:03d}" for one in range(1, 7)]
    assert [one.state for one in found.people[:6]] == [*STATE_KEYS, MISSING]


def test_people_who_always_say_the_same_widen_the_interval_of_participants() -> None:
    rows = [
        {"participant": f"P{person}", "state_reported": "neutral" if person % 2 else "most_positive"}
        for person in range(12)
        for _ in range(15)
    ]
    neutral = distribution(pd.DataFrame(rows)).overall[2]
    wilson, people = neutral.share, neutral.by_participant
    assert people.high - people.low > 3 * (wilson.high - wilson.low)


def test_what_everybody_reports_alike_often_is_not_certain() -> None:
    rows = [
        {"participant": f"P{person}", "state_reported": "neutral" if clip < 3 else "less_positive"}
        for person in range(6)
        for clip in range(12)
    ]
    shares = {one.state: one.by_participant for one in distribution(pd.DataFrame(rows)).overall}
    assert shares["neutral"].low < 0.18 and shares["neutral"].high > 0.35
    assert shares["most_negative"].low == 0 and shares["most_negative"].high > 0.04, "nobody is not never"


def test_participant_who_never_answered_has_no_shares() -> None:
    table = pd.concat([choices(1, 2), choices(2, 1).assign(participant="silent", state_reported=None)])
    found = distribution(table)
    silent = [one for one in found.people if one.participant == "silent"]
    assert [one.count for one in silent] == [0, 0, 0, 0, 0, 15]
    assert np.isnan(silent[0].share.value) and silent[-1].share.value == 1


def test_what_was_meant_by_what_was_said() -> None:
    table = measured(0, 4)
    assert np.array_equal(crossing(table).counts.to_numpy(), np.eye(5, 6, dtype=int) * 12)
    assert crossing(table).same.share.value == 1 and crossing(table).kappa.value == 1
    table.loc[:2, "state_reported"] = None
    table.loc[3:4, "state_reported"] = "neutral"
    table.loc[5, "state_intended"] = None
    found = crossing(table)
    assert (
        found.counts.loc["most_negative", MISSING] == 3 and found.counts.loc["less_negative", "neutral"] == 2
    )
    assert found.left_out == 1 and found.counts.to_numpy().sum() == 59
    assert (found.same.count, found.same.of) == (54, 56)
    assert found.kappa.value < 1


def test_reports_that_ignore_what_was_meant_agree_by_chance() -> None:
    generator = np.random.default_rng(3)
    table = measured(3, 24).assign(state_reported=generator.choice(STATE_KEYS, 24 * 15))
    found = crossing(table)
    assert found.same.by_participant.low < 0.2 < found.same.by_participant.high
    assert found.kappa.low < 0 < found.kappa.high


def test_table_of_a_report() -> None:
    table = distribution(choices(4, 3)).table()
    assert len(table) == 6 * 4 and table["participant"].isna().sum() == 6
    assert list(table.columns[:5]) == ["participant", "state", "count", "of", "share"]


def test_no_clip_at_all_is_told() -> None:
    with pytest.raises(DataError, match="no clip"):
        distribution(choices(5, 1).iloc[:0])


def test_people_without_any_report_make_no_share_nought() -> None:
    """A draw of participants none of whom reported anything has no share: not one of 0."""
    rows = [
        {"participant": f"P{person}", "state_reported": "neutral" if person < 3 else None}
        for person in range(10)
        for _ in range(15)
    ]
    neutral = distribution(pd.DataFrame(rows)).overall[2]
    assert (neutral.share.value, neutral.by_participant.high) == (1.0, 1.0)
    assert neutral.by_participant.low == neutral.share.low > 0.9
