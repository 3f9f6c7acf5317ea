"""Skin conductance of public recordings: responses where one sees them, Grove's counts the right way up.

mixue-t/NeuroKit @ f2bb345, `data/bio_eventrelated_100hz.csv` in µS, 100 Hz, four events; PhysiologicAILab/
PhysioKit @ b15f4d7, `sample_data`, counts of a Grove GSR sensor, which fall when conductance rises.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emolab.signals.eda.conductance import conductance
from emolab.signals.eda.skin import read_skin

ROOT = Path(os.environ.get("EMOLAB_REAL_DATA", "/nowhere"))
EVENTS = ROOT / "NeuroKit" / "data" / "bio_eventrelated_100hz.csv"
# those with responses that the eye finds at once
FALLING = sorted(
    path for who in ("P11", "P21_B", "P21_C", "P21_b", "P22_B", "P22_C", "P22_b")
    for path in (ROOT / "PhysioKit" / "sample_data").glob(f"P*/{who}*.csv")
)  # fmt: skip
EVERY = sorted((ROOT / "PhysioKit" / "sample_data").glob("P*/P*.csv"))


@pytest.mark.skipif(not EVENTS.is_file(), reason="set EMOLAB_REAL_DATA to a folder with NeuroKit/data")
def test_the_large_responses_begin_where_one_sees_them() -> None:
    values = np.genfromtxt(EVENTS, delimiter=",", names=True)["EDA"]
    skin = read_skin(values, np.arange(len(values)) / 100.0, "uS")
    assert skin.conductance.is_good.all() and skin.status == "solved"
    large = skin.responses.chosen(skin.responses.amplitudes * skin.scale > 1.5)
    for seen_s in (13.2, 45.5, 68.4):
        assert np.abs(large.onsets_s - seen_s).min() < 0.5
    assert 6 <= len(large) <= 12


@pytest.mark.skipif(not FALLING, reason="set EMOLAB_REAL_DATA to a folder with PhysioKit/sample_data")
@pytest.mark.parametrize("path", FALLING, ids=lambda path: path.name[:12])
def test_grove_counts_are_turned(path: Path) -> None:
    rows = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(0, 4))
    rows = rows[np.isfinite(rows).all(axis=1)]
    skin = read_skin(rows[:, 0], (rows[:, 1] - rows[0, 1]) / 1000.0, adc_range=(0.0, 4095.0))
    assert skin.conductance.is_turned and skin.status == "solved"
    assert skin.good_share(-np.inf, np.inf) > 0.9 and len(skin.responses) > 10


@pytest.mark.skipif(not EVERY, reason="set EMOLAB_REAL_DATA to a folder with PhysioKit/sample_data")
@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name[:12])
def test_skin_on_a_grove_is_not_taken_for_an_electrode_off(path: Path) -> None:
    """P21_A passes the middle of the range, P12 is above it throughout."""
    rows = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(0, 4))
    rows = rows[np.isfinite(rows).all(axis=1)]
    times_s = (rows[:, 1] - rows[0, 1]) / 1000.0
    told = conductance(rows[:, 0], times_s, adc_range=(0.0, 4095.0), is_falling=True)
    assert "off" not in told.lost and told.is_good.mean() > 0.9
