"""One recorded session that all tests of the command line may look at, and none may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Said, emolab


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, stimuli: Path) -> Said:
    """What `emolab demo` says of a quick session with the simulated participant."""
    study = tmp_path_factory.mktemp("demo") / "study"
    return emolab("demo", "--headless", "--protocol", "quick", "--speed", "40", "--out", study)


@pytest.fixture(scope="session")
def recorded(demo: Said) -> Path:
    """Its file."""
    return Path(demo.last)
