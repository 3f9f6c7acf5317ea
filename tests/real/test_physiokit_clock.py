"""PhysioKit's own recordings P12 and P22, lines sent by their device clock over a link made of arithmetic.

As `test_physiokit_replay`, but no time passes: all five minutes of each, however busy the machine is.
Needs `EMOLAB_REAL_DATA`, see there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.recording.inspect import inspect
from tests.simulators.clocks import Device, plain_board, serial_info, stored
from tests.simulators.replayed_board import lines

ROOT = os.environ.get("EMOLAB_REAL_DATA")
FILES = sorted(path for who in ("P12", "P22") for path in Path(ROOT).rglob(f"{who}/*.csv")) if ROOT else []
ROUNDING_S = 1e-9  # the device tells whole milliseconds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILES, reason="set EMOLAB_REAL_DATA to a folder with PhysioKit's sample_data"),
]


def recorded(path: Path, folder: Path, burst_s: float) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """The device's times and what `inspect` says of them."""
    device_s = np.array([at_s for at_s, _ in lines(path)]) + 1.0
    device = Device(burst_s=burst_s, rest_s=0.003)
    chunks = plain_board(device, device_s, device_s > 0)
    (facts,) = inspect(stored(folder / "s.h5", serial_info(250.0), chunks))["streams"]
    return device_s, facts


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:12])
def test_rate_and_gaps_are_found(path: Path, tmp_path: Path) -> None:
    device_s, found = recorded(path, tmp_path, 0.0)
    true_hz = (len(device_s) - 1) / float(device_s[-1] - device_s[0])
    wide_s = device_s[:-1][np.diff(device_s) >= 0.008 - ROUNDING_S]
    over_s = device_s[:-1][np.diff(device_s) > 0.008 + ROUNDING_S]
    some_s = device_s[:-1][np.diff(device_s) >= 0.006 - ROUNDING_S]
    gaps_s = np.array([gap["from_s"] for gap in found["gap_list"]])
    listed = sum(int(np.abs(gaps_s - at_s).min() < 0.02) for at_s in wide_s)
    sound = sum(int(np.abs(some_s - at_s).min() < 0.02) for at_s in gaps_s)
    off_ppm = (found["true_rate_hz"] / true_hz - 1) * 1e6
    print(
        f"{path.name[:12]} true {true_hz:.3f} found {found['true_rate_hz']:.3f} Hz ({off_ppm:+.1f} ppm); "
        f"{listed} of {len(wide_s)} gaps of 8 ms listed; {sound} of {len(gaps_s)} listed are 6 ms or more "
        f"(of {len(some_s)}); lost {found['lost_estimate']}"
    )
    assert abs(off_ppm) < 1000
    assert all(np.abs(gaps_s - at_s).min() < 0.02 for at_s in over_s)
    assert listed >= len(wide_s) - 1  # the machine's own stalls hide one of exactly 8 ms now and then
    assert sound >= 0.5 * len(gaps_s)
    assert found["lost_estimate"]["low"] == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:12])
def test_the_rate_is_found_through_bursts_too(path: Path, tmp_path: Path) -> None:
    device_s, found = recorded(path, tmp_path, 0.016)
    true_hz = (len(device_s) - 1) / float(device_s[-1] - device_s[0])
    print(
        f"{path.name[:12]} true {true_hz:.3f} found {found['true_rate_hz']:.3f} Hz, {found['lost_estimate']}"
    )
    assert found["true_rate_hz"] == pytest.approx(true_hz, rel=1e-3)
    assert found["lost_estimate"]["low"] == 0
