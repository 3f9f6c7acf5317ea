from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emolab import composer
from emolab.composer import audio, bank, pieces
from emolab.composer.clipcheck import check_clip
from emolab.core import shipped
from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS

SAMPLE = ("most_negative-7", "less_negative-2", "neutral-4", "less_positive-2", "most_positive-3")


def manifest() -> dict[str, dict[str, str]]:
    with (shipped.folder("stimuli") / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def assert_fit(folder: Path, name: str) -> None:
    row = bank.render_clip(name, folder)
    samples, rate_hz = audio.read(folder / row.file)
    assert (samples.shape, rate_hz) == ((1_440_000, 2), 48_000)
    assert check_clip(folder / row.file, 30.0, manifest()[name]["sha256"]) == []
    assert row.loudness_lufs == pytest.approx(-23.0, abs=0.05)
    assert audio.true_peak_dbtp(samples) < -1.0
    # the first and last second are ramps: their ends are silent, nothing starts with a click
    assert np.max(np.abs(samples[:480])) < 0.001 and np.max(np.abs(samples[-480:])) < 0.001


def test_the_catalogue_has_seven_titled_pieces_for_each_state() -> None:
    catalogue = composer.catalogue()

    assert [piece.id for piece in catalogue] == [f"{state}-{n}" for state in STATE_KEYS for n in range(1, 8)]
    assert len({piece.title for piece in catalogue}) == 35
    assert {(piece.source, piece.licence) for piece in catalogue} == {("emolab composer", "CC0-1.0")}


def test_the_shipped_manifest_lists_the_catalogue() -> None:
    rows = manifest()

    assert list(rows) == [piece.id for piece in composer.catalogue()]
    for piece in composer.catalogue():
        row = rows[piece.id]
        assert tuple(row) == bank.COLUMNS
        assert (row["state"], row["file"], row["title"]) == (piece.state, piece.file, piece.title)
        assert abs(float(row["loudness_lufs"]) + 23.0) <= 0.5
    assert len({row["sha256"] for row in rows.values()}) == 35


@pytest.mark.parametrize("name", SAMPLE)
def test_a_rendered_clip_is_fit_and_is_the_shipped_one(tmp_path: Path, name: str) -> None:
    assert_fit(tmp_path, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [piece.id for piece in composer.catalogue()])
def test_every_clip_is_fit_and_is_the_shipped_one(tmp_path: Path, name: str) -> None:
    assert_fit(tmp_path, name)


def test_rendering_twice_gives_the_very_same_samples() -> None:
    first, second = (audio.to_pcm(composer.render("less_negative-3")) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_a_processor_without_vector_units_gives_the_very_same_samples() -> None:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__  # type: ignore[attr-defined]

    code = "from emolab.composer import audio, bank\nprint(audio.pcm_sha256(bank.render('less_positive-7')))"
    able = " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))
    root = Path(bank.__file__).parents[2]
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": able, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=240, check=True
    )

    assert done.stdout.strip() == manifest()["less_positive-7"]["sha256"]


@pytest.mark.parametrize(("seconds", "rate_hz"), [(5.0, 48_000), (12.34, 44_100)])
def test_a_piece_can_have_another_length_and_rate(seconds: float, rate_hz: int) -> None:
    sound = composer.render("most_positive-1", seconds, rate_hz)

    assert sound.shape == (round(seconds * rate_hz), 2)
    assert audio.loudness_lufs(sound, rate_hz) == pytest.approx(-23.0, abs=0.1)


def test_both_ears_hear_something_of_their_own() -> None:
    sound = composer.render("neutral-1")

    alike = np.corrcoef(sound.T)[0, 1]
    assert alike < 0.95
    level = np.sqrt((sound**2).mean(axis=0))
    assert 0.6 < level[0] / level[1] < 1.7


def test_a_bank_is_written_with_progress_and_rows_that_read_back(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    wanted = [pieces.piece(name) for name in ("neutral-1", "neutral-2")]

    rows = bank.render_bank(tmp_path, wanted, lambda done, total, piece: told.append((done, total, piece.id)))
    bank.write_rows(tmp_path / "manifest.csv", rows)

    assert told == [(1, 2, "neutral-1"), (2, 2, "neutral-2")]
    with (tmp_path / "manifest.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["sha256"] for row in read] == [row.sha256 for row in rows]
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == [
        "neutral-1.flac",
        "neutral-2.flac",
    ]


def test_an_unknown_piece_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'joy-1' is no piece.*most_negative-1 to most_positive-7"):
        composer.render("joy-1")
