"""A study of three simulated participants, made once for all tests of this room."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emolab.analysis.measure import Job, Measured, measure
from emolab.devices.simulation.effect import EFFECTS
from emolab.session.rehearsal import Order, devices_text, rehearse
from emolab.study.sessions import session_path


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study; nobody writes to it."""
    study = tmp_path_factory.mktemp("rehearsed") / "study"
    rehearse(Order(study, 3, seed=5, effect=EFFECTS["lively"]), jobs=1)
    return study


@pytest.fixture(scope="session")
def measured(rehearsed: Path) -> list[Measured]:
    """Its three sessions, measured."""
    return [measure(Job(session_path(rehearsed, f"P00{number}", 0))) for number in (1, 2, 3)]


@pytest.fixture
def study_of(rehearsed: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a study of one's own from these participants."""

    def make(*who: str) -> Path:
        study = tmp_path / "study"
        shutil.copytree(
            rehearsed, study, ignore=lambda _folder, names: set(names) & ({"P001", "P002", "P003"} - {*who})
        )
        return study

    return make


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Measured]:
    """A session of one simulated participant with a board and a microphone, and what is measured of it."""
    study = tmp_path_factory.mktemp("heard") / "study"
    devices = devices_text(("board", "audio")) + "rate_hz = 8000\n"
    (path,) = rehearse(Order(study, 1, seed=5, devices_text=devices), jobs=1)
    return path, measure(Job(path))
