"""Samples looked at before anything is made of them."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.signals.ppg.grid import NEEDS
from emolab.signals.samples import checked
from tests.signals.made import pulse_wave

STEPS = np.arange(600)


@pytest.mark.parametrize(
    "times_s",
    [STEPS / 20.0, np.linspace(0.0, 599 / 20.0, 600), STEPS / (20.0 * (1 - 50e-6)), STEPS * 0.05],
    ids=["even", "linspace", "a clock 50 ppm slow", "steps added"],
)
def test_a_pulse_that_comes_just_as_often_as_it_must_is_read(times_s: np.ndarray) -> None:
    values, at_s = checked(pulse_wave(times_s), times_s, "the pulse", NEEDS)
    assert len(values) == len(at_s) == 600


def test_a_pulse_that_comes_too_seldom_is_not() -> None:
    times_s = STEPS / 18.0
    with pytest.raises(DataError, match="comes 18 times a second; 20 are needed"):
        checked(pulse_wave(times_s), times_s, "the pulse", NEEDS)
