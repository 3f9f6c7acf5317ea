"""The pulse's rate against the heart's own current, and one pulse against the other.

mixue-t/NeuroKit @ f2bb345, `data/bio_resting_5min_100hz.csv`: ECG and PPG of five minutes at 100 Hz.
PhysiologicAILab/PhysioKit @ b15f4d7, `sample_data`: PPG of finger and ear, five minutes each.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, find_peaks, sosfiltfilt

from emolab.signals.ppg import Pulse, read_pulse

NAMED = os.environ.get("EMOLAB_REAL_DATA", "")
ROOT = Path(NAMED)
HEART = ROOT / "NeuroKit" / "data" / "bio_resting_5min_100hz.csv"
BOARDS = sorted(ROOT.glob("PhysioKit/sample_data/P[12]2/*.csv")) if NAMED else []


def waves_s(ecg: np.ndarray, rate_hz: float) -> np.ndarray:
    """R waves, by the energy of the steep part of the ECG."""
    steep = sosfiltfilt(butter(2, (8, 20), "bandpass", fs=rate_hz, output="sos"), ecg)
    energy = np.convolve(steep**2, np.ones(9) / 9, "same")
    peaks, _ = find_peaks(energy, distance=0.35 * rate_hz, height=0.25 * np.percentile(energy, 99))
    return np.array([at - 6 + np.argmax(ecg[max(at - 6, 0) : at + 7]) for at in peaks]) / rate_hz


@pytest.mark.skipif(
    not (NAMED and HEART.is_file()), reason="set EMOLAB_REAL_DATA to a folder with NeuroKit/data"
)
def test_the_pulses_rate_is_the_hearts() -> None:
    columns = np.genfromtxt(HEART, delimiter=",", names=True)
    times_s = np.arange(len(columns)) / 100.0
    r_s = waves_s(columns["ECG"], 100.0)
    assert len(r_s) == pytest.approx(432, abs=1)
    read = read_pulse(columns["PPG"], times_s)
    assert not read.is_inverted and read.good_share(0, 300) > 0.99
    delay_s = np.median(read.beats_s[2:-2] - r_s[np.searchsorted(r_s, read.beats_s[2:-2]) - 1])
    assert 0.2 < delay_s < 0.6
    off = []
    for start_s in range(0, 271, 10):
        rr_s = np.diff(r_s[(r_s >= start_s) & (r_s < start_s + 30)])
        then = read.over(start_s + delay_s, start_s + delay_s + 30)
        off.append(abs(then["hr_mean"] - np.mean(60 / rr_s)))
    assert np.mean(off) < 0.15 and max(off) < 0.5


def both(path: Path) -> tuple[Pulse, Pulse, float]:
    rows = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=range(5))
    rows = rows[np.isfinite(rows).all(axis=1)]
    times_s = (rows[:, 4] - rows[0, 4]) / 1000
    return read_pulse(rows[:, 2], times_s), read_pulse(rows[:, 3], times_s), float(times_s[-1])


@pytest.mark.skipif(
    not BOARDS, reason="set EMOLAB_REAL_DATA to a folder with PhysioKit/sample_data/P12 and P22"
)
@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.name[:12])
def test_finger_and_ear_tell_of_the_same_heart(path: Path) -> None:
    finger, ear, end_s = both(path)
    of_finger, of_ear = finger.over(0, end_s), ear.over(0, end_s)
    assert not finger.is_inverted and not ear.is_inverted
    assert ear.good_share(0, end_s) > 0.98 and finger.good_share(0, end_s) > 0.9
    assert 60 < of_ear["hr_mean"] < 100
    assert of_finger["hr_mean"] == pytest.approx(of_ear["hr_mean"], abs=0.6)
    windows = np.arange(0, end_s - 30, 15)
    off = [abs(finger.over(s, s + 30)["hr_mean"] - ear.over(s, s + 30)["hr_mean"]) for s in windows]
    assert np.nanmedian(off) < 0.5
    assert np.mean(np.isnan(off)) < 0.1
