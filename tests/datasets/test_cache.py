"""What was computed once is found again by content, in any process, and never half or damaged."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.datasets import cache as room
from emolab.datasets.cache import ArrayCache, key_of

SIGNAL = {"y": np.arange(100.0)}


class Maker:
    """Counts how often it had to work."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> dict[str, Any]:
        self.count += 1
        return {"tonic": np.arange(100.0) / 3, "driver": np.ones((2, 3), np.float32), "steps": 7}


@pytest.fixture
def kept(tmp_path: Path) -> ArrayCache:
    return ArrayCache(tmp_path / "kept")


def files(kept: ArrayCache) -> list[Path]:
    return sorted(path for path in kept.folder.rglob("*") if path.is_file())


def test_it_is_made_once_and_comes_back_bit_by_bit(kept: ArrayCache) -> None:
    make = Maker()
    first = kept.get_or_make("cvxeda", SIGNAL, {"rate_hz": 4.0}, make)
    again = ArrayCache(kept.folder).get_or_make("cvxeda", SIGNAL, {"rate_hz": 4.0}, make)
    assert make.count == 1 and list(first) == list(again) == ["tonic", "driver", "steps"]
    for name, values in first.items():
        assert again[name].dtype == values.dtype and again[name].shape == values.shape
        assert again[name].tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("task", "arrays", "parameters"),
    [
        ("cvxeda-2", SIGNAL, {"rate_hz": 4.0}),
        ("cvxeda", SIGNAL, {"rate_hz": 8.0}),
        ("cvxeda", SIGNAL, {"rate_hz": 4.0, "alpha": 1}),
        ("cvxeda", {"x": SIGNAL["y"]}, {"rate_hz": 4.0}),
        ("cvxeda", {"y": SIGNAL["y"] + np.eye(1, 100, 50)[0] * 1e-12}, {"rate_hz": 4.0}),
        ("cvxeda", {"y": SIGNAL["y"].reshape(10, 10)}, {"rate_hz": 4.0}),
        ("cvxeda", {"y": SIGNAL["y"].view(np.int64)}, {"rate_hz": 4.0}),
        ("cvxeda", {"y": SIGNAL["y"][:50], "z": SIGNAL["y"][50:]}, {"rate_hz": 4.0}),
    ],
    ids=["task", "parameter", "more", "name", "a bit", "shape", "type", "parts"],
)
def test_whatever_is_different_has_another_key(task: str, arrays: Any, parameters: Any) -> None:
    assert key_of(task, arrays, parameters) != key_of("cvxeda", SIGNAL, {"rate_hz": 4.0})


def test_order_and_memory_layout_make_no_other_key() -> None:
    square = np.arange(6.0).reshape(2, 3)
    one = key_of("t", {"a": square, "b": square}, {"x": 1, "y": 2})
    assert key_of("t", {"b": np.asfortranarray(square), "a": square}, {"y": 2, "x": 1}) == one
    assert key_of("t", {"a": np.float64(3.0)}, {}) != key_of("t", {"a": np.array([3.0])}, {})


def test_what_has_no_certain_content_is_refused(kept: ArrayCache) -> None:
    with pytest.raises(DataError, match="array 'y' of 't' holds objects"):
        key_of("t", {"y": np.array([object()])}, {})
    with pytest.raises(DataError, match="parameters of 't' cannot be kept"):
        key_of("t", {}, {"solver": object()})
    with pytest.raises(DataError, match="arrays of objects cannot be kept"):
        kept.get_or_make("t", {}, {}, lambda: {"a": np.array([object()])})
    for wrong in ("../../etc/passwd", "A" * 64, ""):
        with pytest.raises(DataError, match="is no key"):
            kept.get(wrong)


def test_what_could_not_be_made_is_not_kept(kept: ArrayCache) -> None:
    def fail() -> dict[str, Any]:
        raise DataError("flat")

    with pytest.raises(DataError, match="flat"):
        kept.get_or_make("t", SIGNAL, {}, fail)
    assert not kept.folder.exists()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 255), st.booleans())
def test_a_damaged_entry_is_made_anew(kept: ArrayCache, at: int, flip: int, is_cut: bool) -> None:
    make = Maker()
    whole = kept.get_or_make("t", SIGNAL, {}, make)
    (path,) = files(kept)
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at] ^= flip
    path.write_bytes(content[:at] if is_cut else content)
    before = make.count
    again = kept.get_or_make("t", SIGNAL, {}, make)
    assert make.count == before + 1
    assert again["tonic"].tobytes() == whole["tonic"].tobytes()
    assert kept.get_or_make("t", SIGNAL, {}, make).keys() == whole.keys() and make.count == before + 1


def test_a_pickle_in_an_entry_is_not_loaded(kept: ArrayCache) -> None:
    key = key_of("t", SIGNAL, {})
    kept.put(key, {"a": np.zeros(1)})
    (path,) = files(kept)
    path.write_bytes(room._packed({"a": np.array([{"any": "thing"}], object)}))  # sealed, and still refused
    assert kept.get(key) is None and files(kept) == []


def test_the_folder_stays_within_its_bound_and_keeps_what_was_asked_for(tmp_path: Path) -> None:
    kept = ArrayCache(tmp_path, most_bytes=100_000)
    keys = [key_of("t", {}, {"k": k}) for k in range(20)]
    for age, key in enumerate(keys):
        kept.put(key, {"a": np.zeros(1000)})
        then = time.time() - 1000 + age
        os.utime(tmp_path / key[:2] / f"{key}.kept", (then, then))
    assert kept.get(keys[0]) is not None
    kept.tidy()
    assert sum(path.stat().st_size for path in files(kept)) <= 90_000
    assert kept.get(keys[0]) is not None and kept.get(keys[-1]) is not None and kept.get(keys[1]) is None
    kept.put(keys[1], {"a": np.zeros(20_000)})  # larger than all there is room for
    assert kept.get(keys[1]) is None


def test_many_entries_are_tidied_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "EVERY", 4)
    kept = ArrayCache(tmp_path, most_bytes=50_000)
    for k in range(40):
        kept.put(key_of("t", {}, {"k": k}), {"a": np.zeros(1000)})
    assert sum(path.stat().st_size for path in files(kept)) <= 50_000 + 4 * 9000


def test_what_a_killed_process_left_is_erased_and_what_is_being_written_is_not(kept: ArrayCache) -> None:
    kept.put(key_of("t", {}, {}), {"a": np.zeros(3)})
    folder = files(kept)[0].parent
    old, new = folder / "tmpold.part", folder / "tmpnew.part"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    kept.tidy()
    assert not old.exists() and new.exists() and len(files(kept)) == 2


def test_a_full_disk_leaves_no_half(kept: ArrayCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    make = Maker()
    assert kept.get_or_make("t", SIGNAL, {}, make)["steps"] == 7 and files(kept) == []


def test_a_folder_that_cannot_be_written_to_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    make = Maker()
    kept = ArrayCache(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        assert kept.get_or_make("t", SIGNAL, {}, make)["steps"] == 7
    assert make.count == 1 and "nothing can be kept in" in caplog.text


def test_a_folder_that_cannot_be_written_to_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    make, kept = Maker(), ArrayCache(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        for k in range(20):
            kept.get_or_make("t", SIGNAL, {"k": k}, make)
    assert make.count == 20 and len(caplog.records) == 1
    assert f"nothing can be kept in {tmp_path / 'file'} (" in caplog.text


def test_a_folder_that_could_not_be_written_to_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    make, kept = Maker(), ArrayCache(tmp_path / "file")
    kept.get_or_make("t", SIGNAL, {"k": 0}, make)
    (tmp_path / "file").unlink()
    for _ in range(2):
        kept.get_or_make("t", SIGNAL, {"k": 1}, make)
    assert make.count == 2


def _busy(folder: Path, seed: int) -> int:
    """Asks for twelve entries again and again in an order of its own; how often what came was wrong."""
    kept = ArrayCache(folder, most_bytes=60_000)
    wrong = 0
    for k in np.random.default_rng(seed).integers(0, 12, 150).tolist():
        found = kept.get_or_make("t", {}, {"k": k}, lambda k=k: {"a": np.full(1000, float(k))})
        wrong += found["a"].tolist() != [float(k)] * 1000
        if k == 0:
            kept.tidy()
    return wrong


def test_several_processes_may_share_a_folder(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(_busy, [tmp_path] * 2, range(2))) == [0, 0]
    assert not list(tmp_path.rglob("*.part"))
