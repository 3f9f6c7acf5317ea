"""PhysioKit's own recordings P12 and P22: the dead belt is told, the pulses are found.

PhysiologicAILab/PhysioKit @ b15f4d7, `sample_data`: EDA, Resp, PPG Finger, PPG Ear in counts of a
12-bit converter and the board's milliseconds, five minutes each. `Resp` of both sits near the rail.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.signals.finding import Quality
from emolab.signals.quality import judge

ROOT = Path(os.environ.get("EMOLAB_REAL_DATA", ""))
FOLDERS = [ROOT / "PhysioKit" / "sample_data", ROOT / "sample_data"]
DATA = next((folder for folder in FOLDERS if os.environ.get("EMOLAB_REAL_DATA") and folder.is_dir()), None)
FILES = sorted(path for who in ("P12", "P22") for path in DATA.glob(f"{who}/*.csv")) if DATA else []
KINDS = {"EDA": "eda", "Resp": "respiration", "PPG Finger": "ppg", "PPG Ear": "ppg"}
SPAN_S = 10.0

pytestmark = pytest.mark.skipif(
    not FILES, reason="set EMOLAB_REAL_DATA to a folder with PhysioKit/sample_data/P12 and P22"
)


def judged(path: Path, channel: str, adc_range: tuple[float, float] | None) -> list[Quality]:
    """The quality of each ten seconds of a channel."""
    rows: NDArray[np.float64] = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=range(5))
    rows = rows[np.isfinite(rows).all(axis=1)]
    times_s = (rows[:, 4] - rows[0, 4]) / 1000
    values = rows[:, list(KINDS).index(channel)]
    found = []
    for start_s in np.arange(0.0, times_s[-1] - SPAN_S, SPAN_S):
        at = (times_s >= start_s) & (times_s < start_s + SPAN_S)
        found.append(judge(values[at], times_s[at], kind=KINDS[channel], adc_range=adc_range, name=channel))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:12])
def test_the_railed_belt_is_told_in_every_window(path: Path) -> None:
    known = judged(path, "Resp", (0.0, 4095.0))
    assert len(known) >= 28
    assert all(quality.level == "act" and quality.codes[0] == "near_rail" for quality in known)
    guessed = judged(path, "Resp", None)
    assert all(quality.level == "look" and quality.codes[0] == "near_rail" for quality in guessed)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:12])
def test_the_ears_pulse_is_well_nine_times_of_ten(path: Path) -> None:
    levels = Counter(quality.level for quality in judged(path, "PPG Ear", (0.0, 4095.0)))
    assert levels["well"] >= 0.9 * levels.total()
    assert levels["act"] == 0


@pytest.mark.parametrize(
    "path", [f for f in FILES if f.name[:5] in ("P22_B", "P22_b")], ids=lambda p: p.name[:12]
)
def test_the_finger_pulse_that_its_amplifier_cut_is_told(path: Path) -> None:
    codes = Counter(code for quality in judged(path, "PPG Finger", (0.0, 4095.0)) for code in quality.codes)
    assert codes["clipped"] >= 10


@pytest.mark.parametrize(
    "path", [f for f in FILES if f.name.startswith("P12")], ids=lambda path: path.name[:12]
)
def test_the_mains_in_the_skin_conductance_are_told(path: Path) -> None:
    found = judged(path, "EDA", (0.0, 4095.0))
    hums = [quality for quality in found if "mains" in quality.codes]
    assert len(hums) >= 0.9 * len(found)
    assert all("50 Hz" in quality.findings[0].what for quality in hums)
