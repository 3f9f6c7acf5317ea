"""When a session is measured again: whenever anything its figures come from has changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emolab.analysis import kept
from emolab.analysis.measure import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    path = tmp_path / "P001_session-0.h5"
    path.write_bytes(b"any recording")
    return Job(path)


@pytest.fixture(autouse=True)
def _a_new_process() -> Iterator[None]:
    kept._surroundings.cache_clear()
    yield
    kept._surroundings.cache_clear()


def _key_with(monkeypatch: pytest.MonkeyPatch, name: str, value: Any, job: Job) -> str:
    monkeypatch.setattr(kept, name, value)
    kept._surroundings.cache_clear()
    return kept.key(job)


def test_another_library_measures_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    before, made_with = kept.key(job), kept.made_with()
    assert kept.key(job) == before
    for library in ("scipy", "statsmodels", "opencv-python-headless"):
        newer = {**made_with, library: "99.1"}
        assert _key_with(monkeypatch, "made_with", lambda newer=newer: newer, job) != before
    assert _key_with(monkeypatch, "made_with", lambda: made_with, job) == before


def test_an_extra_that_was_installed_since_measures_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    made_with = kept.made_with()
    without = _key_with(monkeypatch, "find_spec", lambda _name: None, job)
    with_it = _key_with(monkeypatch, "find_spec", lambda _name: object(), job)
    assert without != with_it
    assert {"torch", "facenet_pytorch"} == set(kept.OPTIONAL)
    assert kept.made_with() == made_with


def test_all_of_the_own_code_that_measures_is_in_the_key() -> None:
    told = "import sys, emolab.analysis.measure as m; "
    told += "print(*(o.__file__ for n, o in sys.modules.items() if n.startswith('emolab.')), sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
    used = {Path(line).resolve() for line in loaded.splitlines()}
    assert len(used) > 50
    assert sorted(used - {path.resolve() for path in kept.code_files()}) == []
