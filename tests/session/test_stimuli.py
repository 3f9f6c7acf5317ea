"""Where the clips of a bank lie: beside its manifest, or composed here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from emolab.core import shipped
from emolab.core.settings import Settings
from emolab.protocol.bank import ClipEntry, read_manifest, write_manifest
from emolab.session import stimuli
from emolab.session.checks import clip_checks

FIRST = read_manifest(shipped.folder("stimuli") / "manifest.csv").entries[0]
OWN_FILE = replace(FIRST, file="clips/own_piece.flac", sha256="")
OWN_SOUND = replace(FIRST, title="My own Bach", sha256="0" * 64)


def test_a_composed_clip_lies_in_the_render_folder_unless_it_is_beside_the_manifest(tmp_path: Path) -> None:
    bank, user = write_manifest(tmp_path / "manifest.csv", [FIRST]), Settings(stimuli=tmp_path / "render")
    assert stimuli.clip_path(bank, FIRST.id, user) == tmp_path / "render" / FIRST.file
    assert stimuli.missing(bank, [FIRST.id], user) == [FIRST.id]
    beside = tmp_path / FIRST.file
    beside.parent.mkdir()
    beside.touch()
    assert stimuli.clip_path(bank, FIRST.id, user) == beside
    assert stimuli.missing(bank, [FIRST.id], user) == []


@pytest.mark.parametrize("own", [OWN_FILE, OWN_SOUND], ids=["another file", "another sound"])
def test_an_own_piece_under_the_id_of_a_composed_one_is_missing_when_its_file_is(
    tmp_path: Path, own: ClipEntry
) -> None:
    """Else another piece would be played, or composed without end into a file nobody looks for."""
    bank, user = write_manifest(tmp_path / "manifest.csv", [own]), Settings(stimuli=tmp_path / "render")
    composed = tmp_path / "render" / own.file
    composed.parent.mkdir(parents=True)
    composed.touch()
    assert stimuli.clip_path(bank, own.id, user) == tmp_path / own.file
    assert stimuli.missing(bank, [own.id], user) == []
    (found,) = clip_checks(bank, [own.id], user)
    assert found.level == "act" and found.what == f"{tmp_path / own.file} is not there"
    assert "Restore the file" in found.remedy


def test_clips_are_composed_by_a_process_that_gives_way_and_leaves_no_half_one(tmp_path: Path) -> None:
    rendering = stimuli.Rendering(Settings(stimuli=tmp_path))
    rendering.start()
    until(lambda: rendering.progress.startswith("Composing the clips, once: 2 of 35"))
    (composer,) = [one for one in psutil.Process().children() if "render" in one.cmdline()]
    assert composer.nice() != psutil.Process().nice()
    rendering.stop()
    assert not rendering.is_busy and not composer.is_running() and rendering.progress == ""
    assert 2 <= len(list((tmp_path / "clips").iterdir())) < 35
    assert not list((tmp_path / "clips").glob("*.part"))


def test_why_clips_cannot_be_composed_is_told(tmp_path: Path) -> None:
    (tmp_path / "clips").write_text("a file where the folder should be")
    rendering = stimuli.Rendering(Settings(stimuli=tmp_path))
    rendering.start()
    until(lambda: not rendering.is_busy)
    assert rendering.progress.startswith(f"The clips could not be composed: {tmp_path / 'clips'}")


def until(comes_true: Callable[[], bool], patience_s: float = 120.0) -> None:
    ends_s = time.monotonic() + patience_s
    while not comes_true():
        assert time.monotonic() < ends_s
        time.sleep(0.02)
