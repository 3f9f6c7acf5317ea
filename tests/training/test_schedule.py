from __future__ import annotations

from itertools import pairwise

import pytest

from emolab.training.schedule import authors_rate, trapezoid_rate


@pytest.mark.parametrize(("epoch", "rate"), [(0, 0.01), (80, 0.01), (81, 0.01), (85, 0.009), (90, 0.0081)])
def test_the_authors_rate_falls_by_a_tenth_every_five_epochs_after_80(epoch: int, rate: float) -> None:
    assert authors_rate(epoch) == pytest.approx(rate, rel=1e-12)


def test_a_shorter_run_goes_through_the_authors_rates_in_shorter_steps() -> None:
    assert [authors_rate(epoch, epochs=250) for epoch in range(250)] == [authors_rate(e) for e in range(250)]
    short = [authors_rate(epoch, epochs=25) for epoch in range(25)]
    assert short == [authors_rate(10 * epoch) for epoch in range(25)]
    assert short[8] == 0.01 and short[-1] == pytest.approx(0.01 * 0.9**32)


def test_the_trapezoid_rises_stays_and_falls_to_nothing() -> None:
    rates = [trapezoid_rate(k / 1000, 0.1) for k in range(1001)]
    assert 0 < rates[0] < 0.03
    assert rates[100:600] == [0.1] * 500
    assert rates[800] == pytest.approx(0.05)
    assert rates[1000] == 0
    assert all(late <= early for early, late in pairwise(rates[600:]))
