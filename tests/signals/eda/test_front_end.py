"""Counts become the microsiemens that a resistor in the skin's place would be."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import ConfigError
from emolab.signals.eda.front_end import Divider, GroveGsr, Linear

SKIN_OHM = np.array([1e6, 5e5, 1e5, 5e4])
SKIN_US = 1e6 / SKIN_OHM


@pytest.mark.parametrize("skin", ["supply", "ground"])
def test_a_divider_tells_the_resistors_in_the_skins_place(skin: str) -> None:
    resistor_ohm = 1e5
    under = resistor_ohm if skin == "supply" else SKIN_OHM
    counts = 1024 * under / (SKIN_OHM + resistor_ohm)
    found = Divider(resistor_ohm, skin=skin).conductance_us(counts)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, SKIN_US, rtol=1e-12)


@pytest.mark.parametrize(("bits", "open_counts"), [(10, None), (12, None), (12, 2500.0)])
def test_the_grove_sensors_formula_is_undone(bits: int, open_counts: float | None) -> None:
    full, opened = 2.0**bits, open_counts or 2.0 ** (bits - 1)
    counts = (opened * SKIN_OHM - 1e4 * full) / (SKIN_OHM + 2e4)  # R = (full + 2x) 10k / (open − x)
    found = GroveGsr(bits, open_counts).conductance_us(counts)
    np.testing.assert_allclose(found, SKIN_US, rtol=1e-9)
    assert np.all(np.diff(counts) < 0)  # they fall when conductance rises


def test_the_figures_of_seeeds_page_at_ten_bits() -> None:
    assert GroveGsr().conductance_us(0.0) == pytest.approx(50.0)  # 20 kΩ
    assert GroveGsr().conductance_us(512.0) == 0.0  # no fingers
    assert GroveGsr().conductance_us(600.0) < 0.0


def test_a_linear_front_end_may_fall() -> None:
    np.testing.assert_allclose(Linear(-0.02, 40.0).conductance_us([0.0, 1000.0]), [40.0, 20.0])


def test_where_no_conductance_is_possible_it_is_unknown() -> None:
    assert np.isnan(Divider(1e5).conductance_us([1024.0, 2000.0])).all()
    assert np.isnan(Divider(1e5, skin="ground").conductance_us([0.0])).all()
    assert np.isnan(GroveGsr().conductance_us([np.nan])).all()


def test_impossible_front_ends_are_refused() -> None:
    with pytest.raises(ConfigError, match="calibrated"):
        Linear(0.0)
    with pytest.raises(ConfigError, match="above zero"):
        Divider(0.0)
    with pytest.raises(ConfigError, match="outside of 10 bits"):
        GroveGsr(10, 2048.0)
