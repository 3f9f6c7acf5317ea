"""What a killed engine leaves in memory is removed by the next one, and nobody else's is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emolab.session import folder, rings
from emolab.session.rings import ALIVE, PREFIX, Rings, sweep

ROOT = Path(__file__).parents[2]
LIVES = """
import sys
from pathlib import Path

import pytest
from emolab.session.rings import Rings
rings = Rings(Path(sys.argv[1]))
(rings.folder / "board.ring").write_bytes(b"1")
print(rings.folder, flush=True)
sys.stdin.read()
"""


def grow_old(path: Path) -> None:
    os.utime(path, (time.time() - 60, time.time() - 60))


def test_the_rings_of_a_killed_engine_are_swept_and_those_of_a_living_one_are_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIVES, str(tmp_path)]
    engine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert engine.stdin is not None and engine.stdout is not None
    with engine.stdin, engine.stdout:
        left = Path(engine.stdout.readline().strip())
        grow_old(left)
        mine = Rings(tmp_path)
        assert left.is_dir() and mine.folder.is_dir(), "both live"
        engine.kill()
        engine.wait(60)
    assert (left / "board.ring").exists(), "a killed engine tidies nothing up"
    Rings(tmp_path).close()
    assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == [mine.folder.name]
    mine.close()
    mine.close()
    assert not list(tmp_path.iterdir())


def test_what_is_young_or_not_an_engines_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "YOUNG_S", 30.0)
    young, foreign, elsewhere = tmp_path / f"{PREFIX}a", tmp_path / f"{PREFIX}b", tmp_path / "emolab-demo-x"
    for path in (young, foreign, elsewhere):
        path.mkdir()
    (young / ALIVE).touch()
    (elsewhere / ALIVE).touch()
    grow_old(foreign)
    grow_old(elsewhere)
    sweep(tmp_path)
    assert young.is_dir() and foreign.is_dir() and elsewhere.is_dir()


def test_half_made_copies_of_a_killed_engine_are_removed_from_the_study(tmp_path: Path) -> None:
    kept = ("P001_session-0.h5", ".P001_session-0.h5.mending", ".notes.packing", "P001_session-0.damaged.h5")
    left = (".P001_session-0.h5.packing", ".P001_session-1_part-2.h5.starting")
    (tmp_path / "P001").mkdir()
    for name in kept + left:
        (tmp_path / "P001" / name).touch()
    folder.tidy(tmp_path)
    assert {path.name for path in (tmp_path / "P001").iterdir()} == set(kept)


def test_the_spare_folder_lies_on_disk_and_goes_with_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    memory, disk = tmp_path / "memory", tmp_path / "disk"
    memory.mkdir()
    disk.mkdir()
    monkeypatch.setattr(rings, "memory_folder", lambda: memory)
    monkeypatch.setattr(rings.tempfile, "gettempdir", lambda: str(disk))
    mine = Rings()
    assert mine.folder.parent == memory and mine.spare.parent == disk
    grow_old(mine.spare)
    sweep(disk)
    assert mine.spare.is_dir(), "it is locked as the other is"
    mine.close()
    assert not [*memory.iterdir(), *disk.iterdir()]
