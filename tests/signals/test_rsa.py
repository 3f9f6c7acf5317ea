"""A heart made to follow the breath by so many milliseconds is told to do so."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.signals.respiration import Breath, read_breath
from emolab.signals.rsa import RSA_FEATURES, read_rsa
from tests.signals.made import Array, counts

T = np.arange(0.0, 180.0, 1 / 50)
BREATH_S = 5.0


def breath() -> Breath:
    return read_breath(counts(2000.0 - 300.0 * np.cos(2 * np.pi * T / BREATH_S)), T)


def beats(swing_ms: float, mean_ms: float = 800.0) -> Array:
    """Beats whose intervals are shortest as breathing in ends and longest as breathing out does."""
    found = [0.3]
    while found[-1] < 179.0:
        turn = 2 * np.pi * found[-1] / BREATH_S
        found.append(found[-1] + (mean_ms + swing_ms / 2 * np.cos(turn + 0.3)) / 1000.0)
    return np.array(found)


@pytest.mark.parametrize("swing_ms", [30.0, 80.0, 150.0])
def test_the_swing_is_told(swing_ms: float) -> None:
    # some six beats a breath miss the very longest and shortest by some per cent
    figures = read_rsa(breath(), beats(swing_ms)).over(20.0, 160.0)
    assert figures["rsa_mean"] == pytest.approx(0.93 * swing_ms, rel=0.1)
    assert figures["rsa_ln"] == pytest.approx(np.log(figures["rsa_mean"]))


def test_a_heart_that_does_not_care_has_none() -> None:
    rsa = read_rsa(breath(), beats(0.0))
    figures = rsa.over(20.0, 160.0)
    assert figures["rsa_mean"] == 0.0 and figures["rsa_sd"] == 0.0
    assert np.isnan(figures["rsa_ln"])  # what is left of the arithmetic is no difference
    assert rsa.good_share(20.0, 160.0) == pytest.approx(1.0, abs=0.02)


def test_intervals_that_are_not_to_be_trusted_are_left_out() -> None:
    at_s = beats(80.0)
    rr_ms = np.diff(at_s, prepend=np.nan) * 1000
    whole = read_rsa(breath(), at_s, rr_ms).over(20.0, 160.0)
    rr_ms[50] = np.nan
    rr_ms[90] = 2500.0
    assert read_rsa(breath(), at_s, rr_ms).over(20.0, 160.0)["rsa_mean"] == pytest.approx(
        whole["rsa_mean"], rel=0.05
    )


def test_no_beats_no_number() -> None:
    for at_s in (np.zeros(0), beats(80.0)[:3]):
        rsa = read_rsa(breath(), at_s)
        assert np.isnan(list(rsa.over(20.0, 160.0).values())).all()
        assert rsa.good_share(20.0, 160.0) == 0.0
        assert list(rsa.over(20.0, 160.0)) == [feature.name for feature in RSA_FEATURES]


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(DataError, match="do not ascend"):
        read_rsa(breath(), [3.0, 2.0])
    with pytest.raises(DataError, match="3 intervals but 2 beats"):
        read_rsa(breath(), [1.0, 2.0], [800.0, 800.0, 800.0])
