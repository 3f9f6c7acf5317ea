"""How loud a clip is comes from its bank, wherever that can be found."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolab.analysis import banks, table
from emolab.analysis.measure import Measured
from emolab.composer import audio
from emolab.protocol.bank import ClipEntry, write_manifest


def manifest(folder: Path, *levels_lufs: float | None) -> Path:
    entries = [
        ClipEntry(f"own-{number}", "neutral", "a", "b", "c", "", level, f"own-{number}.flac", 0)
        for number, level in enumerate(levels_lufs)
    ]
    write_manifest(folder / "manifest.csv", entries)
    return folder / "manifest.csv"


def test_the_bank_is_read_from_the_protocol():
    assert banks.bank_of("clips:\n  bank: shipped\n") == "shipped"
    for text in ("", "clips: 3", "[", "rest: {}"):
        assert banks.bank_of(text) == ""


def test_shipped_clips_are_as_loud_as_their_manifest_says(measured: list[Measured]):
    clips = table.clips(measured)
    assert clips["clip_lufs"].to_numpy() == pytest.approx(np.full(len(clips), -23.0), abs=0.01)


def test_a_bank_of_ones_own(tmp_path: Path):
    path = manifest(tmp_path, -23.0, -19.5)
    assert banks.level_lufs(str(path), "own-1") == -19.5
    manifest(tmp_path, -23.0, -18.25)
    assert banks.level_lufs(str(path), "own-1") == -18.25


def test_a_clip_without_a_figure_is_measured_in_its_file(tmp_path: Path):
    path = manifest(tmp_path, None, None)
    wave = 10 ** (-30 / 20) * np.sin(2 * np.pi * 1000.0 * np.arange(5 * 48_000) / 48_000)
    audio.write_flac(tmp_path / "own-0.flac", np.stack([wave, wave], axis=1), 48_000)
    assert banks.level_lufs(str(path), "own-0") == pytest.approx(-30.0, abs=0.1)
    assert math.isnan(banks.level_lufs(str(path), "own-1"))  # its file is not there


def test_what_cannot_be_found_is_empty(tmp_path: Path, measured: list[Measured]):
    path = manifest(tmp_path, -23.0)
    for bank, clip in [
        (str(path), "another"),
        (str(tmp_path / "none.csv"), "own-0"),
        ("bank/manifest.csv", "own-0"),
        ("", "own-0"),
        (str(tmp_path), "own-0"),
    ]:
        assert math.isnan(banks.level_lufs(bank, clip))
    lost = replace(measured[0], header={**measured[0].header, "bank": "elsewhere/manifest.csv"})
    assert table.clips([lost])["clip_lufs"].isna().all()
