"""Belts of real people: PhysioKit's railed ones give nothing, NeuroKit's resting ones breathe.

PhysiologicAILab/PhysioKit @ b15f4d7, `sample_data`; mixue-t/NeuroKit @ f2bb345,
`data/bio_resting_*_100hz.csv`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emolab.signals.respiration import read_breath

ROOT = Path(os.environ.get("EMOLAB_REAL_DATA", ""))
IS_GIVEN = bool(os.environ.get("EMOLAB_REAL_DATA"))
BELTS = (
    sorted(path for who in ("P12", "P22") for path in ROOT.glob(f"**/sample_data/{who}/*.csv"))
    if IS_GIVEN
    else []
)
RESTING = sorted(ROOT.glob("**/bio_resting_*_100hz.csv")) if IS_GIVEN else []


@pytest.mark.skipif(
    not BELTS, reason="set EMOLAB_REAL_DATA to a folder with PhysioKit/sample_data/P12 and P22"
)
@pytest.mark.parametrize("adc_range", [None, (0.0, 4095.0)])
@pytest.mark.parametrize("path", BELTS, ids=lambda path: path.name[:12])
def test_a_railed_belt_gives_no_number(path: Path, adc_range: tuple[float, float] | None) -> None:
    rows = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=range(5))
    rows = rows[np.isfinite(rows).all(axis=1)]
    times_s = (rows[:, 4] - rows[0, 4]) / 1000
    breath = read_breath(rows[:, 1], times_s, adc_range=adc_range)
    assert breath.good_share(0.0, times_s[-1]) == 0.0
    assert np.isnan(list(breath.over(0.0, times_s[-1]).values())).all()


@pytest.mark.skipif(
    not RESTING, reason="set EMOLAB_REAL_DATA to a folder with NeuroKit/data/bio_resting_*_100hz.csv"
)
@pytest.mark.parametrize("path", RESTING, ids=lambda path: path.name)
def test_people_at_rest_breathe_6_to_22_times_a_minute(path: Path) -> None:
    columns = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    belt = np.genfromtxt(path, delimiter=",", skip_header=1)[:, columns.index("RSP")]
    times_s = np.arange(len(belt)) / 100.0
    breath = read_breath(belt, times_s, unit="V")
    assert breath.good_share(0.0, times_s[-1]) > 0.98
    rates = [breath.over(at, at + 30.0)["rsp_rate_mean"] for at in np.arange(0.0, times_s[-1] - 30.0, 30.0)]
    assert min(rates) > 5.5 and max(rates) < 22.0
