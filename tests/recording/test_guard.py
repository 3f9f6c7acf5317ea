"""What a session file may claim to hold: as much as its bytes can have been packed from, and no more."""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.errors import RecordingError
from emolab.recording import guard

TALL, WIDE = 60, 80
FRAMES = 20_000  # 192 MB of them
DARK = np.zeros((TALL, WIDE), np.uint16)  # 32 bytes once packed
NOISE = np.random.default_rng(1).integers(0, 1 << 16, (TALL, WIDE), np.uint16)  # not packed at all


def _made(path: Path, frame: NDArray[np.uint16], there: int) -> Path:
    """A table that claims `FRAMES` frames, of which the first `there` are, in a file that is large enough."""
    packed = zlib.compress(frame.tobytes())
    with h5py.File(path, "w") as file:
        frames = file.create_dataset(
            "frames", (FRAMES, TALL, WIDE), np.uint16, chunks=(1, TALL, WIDE), compression="gzip"
        )
        for at in range(there):
            frames.id.write_direct_chunk((at, 0, 0), packed)
        file["others"] = np.arange(1 << 18)
    return path


@pytest.mark.parametrize(
    ("frame", "there"),
    [(NOISE, 100), (DARK, FRAMES)],
    ids=["the first of them show it", "all of them together show it"],
)
def test_frames_that_can_be_there_are_believed(tmp_path: Path, frame: NDArray[np.uint16], there: int) -> None:
    path = _made(tmp_path / "frames.h5", frame, there)
    with h5py.File(path) as file:
        guard.check(file, path)


@pytest.mark.parametrize(("frame", "there"), [(NOISE, 10), (DARK, FRAMES // 10), (DARK, 0)])
def test_frames_that_cannot_be_there_are_not(tmp_path: Path, frame: NDArray[np.uint16], there: int) -> None:
    path = _made(tmp_path / "frames.h5", frame, there)
    with h5py.File(path) as file, pytest.raises(RecordingError, match=r"a table of \(20000, 60, 80\) in"):
        guard.check(file, path)
