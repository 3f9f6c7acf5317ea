"""PhysioKit's own recordings P12 and P22, replayed through a pseudo-terminal by their device clock.

Needs `EMOLAB_REAL_DATA`, a folder that holds PhysioKit's `sample_data` somewhere below it
(PhysiologicAILab/PhysioKit, commit b15f4d7); skipped without. `EMOLAB_REAL_SECONDS` says how much of
each file is replayed (60; 300 is all). Four files are replayed at once; skipped, too, where the machine
is too busy to send each line when the board did.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.clock import SessionClock
from emolab.core.errors import DeviceError
from emolab.devices.physiokit import PhysioKit
from emolab.recording.header import SessionHeader
from emolab.recording.inspect import inspect
from emolab.recording.writer import SessionWriter
from tests.simulators.replayed_board import lines

SECONDS = float(os.environ.get("EMOLAB_REAL_SECONDS", "60"))
AT_ONCE = 4
LATE_S = 0.004  # one line in a hundred may be sent later than that

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2 * SECONDS + 240),
    pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows"),
    pytest.mark.filterwarnings("default::pytest.PytestUnhandledThreadExceptionWarning"),
]


@dataclass(frozen=True)
class Replayed:
    """One file: the board's own times, in seconds, and what `inspect` says of the recording."""

    name: str
    device_s: NDArray[np.float64]
    found: dict[str, Any]
    sent_late_s: NDArray[np.float64]  # by the simulator, on this machine

    @property
    def true_hz(self) -> float:
        return (len(self.device_s) - 1) / float(self.device_s[-1] - self.device_s[0])

    @property
    def offset_s(self) -> float:
        """What the session clock said at the board's first line, by the first sample's time."""
        return float(self.found["first_s"]) - float(self.device_s[0])


def files() -> list[Path]:
    """P12's and P22's recordings."""
    folder = os.environ.get("EMOLAB_REAL_DATA")
    if not folder:
        return []
    return sorted(path for path in Path(folder).rglob("P?2_*.csv") if path.parent.name in ("P12", "P22"))


def record(path: Path, target: Path) -> None:
    """Replay a file and record it until the board is unplugged."""
    command = [sys.executable, "-m", "tests.simulators.replayed_board", str(path), "--seconds", str(SECONDS)]
    command += ["--log", str(target.with_suffix(".log"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as player:
        try:
            assert player.stdout is not None
            port = player.stdout.readline().strip()
            source = PhysioKit.from_config(
                {"kind": "physiokit", "name": "board", "port": port, "adc_bits": 12}, SessionClock()
            )
            source.open()
            writer = SessionWriter(target, SessionHeader(path.stem))
            writer.open([source.info])
            try:
                while True:
                    if (chunk := source.read(0.5)) is not None:
                        writer.write(chunk)
            except DeviceError:  # the cable was pulled: the file has ended
                pass
            source.close()
            writer.close()
        finally:
            player.terminate()


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> list[Replayed]:
    if not files():
        pytest.skip("EMOLAB_REAL_DATA names no folder with PhysioKit's sample_data/P12 and P22")
    folder = tmp_path_factory.mktemp("replayed")
    targets = {path: folder / f"{path.stem}.h5" for path in files()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(record, targets.keys(), targets.values()))
    boards = [replay(path, target) for path, target in targets.items()]
    for board in boards:
        late_ms = np.quantile(board.sent_late_s, [0.5, 0.99, 1.0]) * 1e3
        print(
            f"{board.name:<36} sent late, ms: p50 {late_ms[0]:.1f} p99 {late_ms[1]:.1f} max {late_ms[2]:.1f}"
        )
    if max(np.quantile(board.sent_late_s, 0.99) for board in boards) > LATE_S:
        pytest.skip("this machine is too busy to replay the boards in time")
    return boards


def replay(path: Path, target: Path) -> Replayed:
    """What was sent, what was found, and how late lines left."""
    sent_ns = np.loadtxt(target.with_suffix(".log"), delimiter="\t", usecols=(0, 1), skiprows=1)
    return Replayed(
        path.stem,
        np.array([at_s for at_s, _ in lines(path) if at_s <= SECONDS]),
        inspect(target)["streams"][0],
        (sent_ns[:, 1] - sent_ns[:, 0]) / 1e9,
    )


def test_every_line_is_recorded(replayed: list[Replayed]) -> None:
    assert [board.found["samples"] for board in replayed] == [len(board.device_s) for board in replayed]
    assert all(board.found["corrupt"] == 0 for board in replayed)


def test_true_rates_are_found_to_a_thousandth(replayed: list[Replayed]) -> None:
    for board in replayed:
        print(f"{board.name:<36} true {board.true_hz:.3f} found {board.found['true_rate_hz']:.3f} Hz")
    for board in replayed:
        assert board.found["true_rate_hz"] == pytest.approx(board.true_hz, rel=1e-3)
        assert abs(board.found["true_rate_hz"] - 250) > 3


def test_gaps_over_eight_milliseconds_are_listed(replayed: list[Replayed]) -> None:
    steps = listed = sound = told = 0
    for board in replayed:
        wide_s = board.device_s[:-1][np.diff(board.device_s) >= 0.008 - 1e-9] + board.offset_s
        some_s = board.device_s[:-1][np.diff(board.device_s) >= 0.006 - 1e-9] + board.offset_s
        found_s = np.array([gap["from_s"] for gap in board.found["gap_list"]])
        steps += len(wide_s)
        listed += sum(bool(len(found_s)) and np.abs(found_s - at_s).min() < 0.05 for at_s in wide_s)
        told += len(found_s)
        sound += sum(bool(len(some_s)) and np.abs(some_s - at_s).min() < 0.05 for at_s in found_s)
    print(f"{listed} of {steps} intervals of 8 ms or more listed; {sound} of {told} listed are 6 ms or more")
    assert listed >= 0.8 * steps
    assert sound >= 0.5 * told


def test_a_board_that_paces_itself_is_not_said_to_have_lost_lines(replayed: list[Replayed]) -> None:
    for board in replayed:
        estimate = board.found["lost_estimate"]
        assert estimate["low"] == 0
        assert estimate["value"] < 0.002 * board.found["samples"]
