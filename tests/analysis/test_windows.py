"""Which part of the rest changes are counted from."""

from __future__ import annotations

import pytest

from emolab.analysis.windows import baseline

REST = (10.0, 310.0)


def _bad_from(from_s: float, to_s: float):
    """A good share of 1 outside a stretch and 0 inside it."""

    def share(start_s: float, end_s: float) -> float:
        bad_s = max(0.0, min(end_s, to_s) - max(start_s, from_s))
        return 1 - bad_s / (end_s - start_s)

    return share


def test_the_fifth_minute_is_taken_when_the_pulse_is_good():
    found = baseline(REST, lambda _start_s, _end_s: 1.0)
    assert found is not None
    assert (found.start_s, found.end_s, found.why) == (250.0, 310.0, "")


def test_a_little_bad_pulse_changes_nothing():
    found = baseline(REST, _bad_from(250.0, 261.0))
    assert found is not None
    assert found.start_s == 250.0 and found.good == pytest.approx(1 - 11 / 60)


def test_a_bad_fifth_minute_gives_way_to_the_latest_good_one():
    found = baseline(REST, _bad_from(280.0, 310.0))
    assert found is not None
    assert (found.start_s, found.end_s, found.good) == (220.0, 280.0, 1.0)
    assert found.why == "the settled part has 50% bad pulse, this one 0%"


def test_a_rest_without_any_pulse_keeps_its_fifth_minute():
    found = baseline(REST, lambda _start_s, _end_s: 0.0)
    assert found is not None
    assert (found.start_s, found.good) == (250.0, 0.0)


def test_the_protocol_may_name_another_part():
    found = baseline(REST, lambda _start_s, _end_s: 1.0, (100.0, 130.0))
    assert found is not None
    assert (found.start_s, found.end_s) == (110.0, 140.0)


def test_a_rest_that_ended_a_frame_early_is_whole():
    found = baseline((10.0, 309.98), lambda _start_s, _end_s: 1.0)
    assert found is not None and found.why == ""


@pytest.mark.parametrize(
    ("long_s", "taken", "why"),
    [
        (120.0, (60.0, 120.0), "the last 60 s of a rest of 120 s"),
        (40.0, (0.0, 40.0), "the rest lasted 40 s only"),
        (10.0, None, ""),
    ],
)
def test_a_short_rest_gives_what_it_has(long_s: float, taken: tuple[float, float] | None, why: str):
    found = baseline((0.0, long_s), lambda _start_s, _end_s: 1.0)
    assert (None if found is None else (found.start_s, found.end_s)) == taken
    assert found is None or found.why == why
