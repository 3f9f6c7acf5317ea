"""`emolab synctest` from the command line: what it says, keeps, and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emolab.cli import synctest
from emolab.core import clock
from emolab.core.clock import PacedClock
from emolab.session.player import SilentPlayer
from tests.cli.command import emolab, simulated


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound that nobody hears, on any machine, twelve times faster than life."""
    monkeypatch.setattr(clock, "SessionClock", lambda: PacedClock(12.0))
    monkeypatch.setattr(synctest, "_sound", lambda *_: SilentPlayer())


def test_instruments_that_show_nothing_fall_short_and_become_no_baseline(tmp_path: Path, quiet: None) -> None:
    study = tmp_path / "study"
    said = emolab(
        "synctest", "--devices", simulated(tmp_path), "--study", study,
        "--headless", "--seconds", 10, "--json",
    )  # fmt: skip
    assert said.code == 1
    told = said.json
    assert told["level"] == "act" and not told["is_baseline"] and not told["was_stopped"]
    assert told["given"]["click"] >= 5 and "flash" not in told["given"]
    assert [finding["code"] for finding in told["findings"]] == ["untimed"]
    assert "cameras were not tested" in told["notes"][0]
    assert told["software"]["emolab"] and len(told["devices"]["sha256"]) == 64
    kept = json.loads((study / ".emolab" / "synctest.json").read_text(encoding="utf-8"))
    assert kept["baseline"] is None and len(kept["history"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--headless", "--silent"], "neither a screen to flash nor a sound output"),
        (["--headless", "--seconds", 2], "2 s is not sensible"),
        (["--headless", "--trigger", "board/ppg_ear"], "STREAM/CHANNEL=flash"),
        (["--headless", "--trigger", "board/ppg=click"], "no channel 'ppg'"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_one_sentence(
    tmp_path: Path, quiet: None, arguments: list[object], words: str
) -> None:
    said = emolab("synctest", "--devices", simulated(tmp_path), *arguments)
    assert said.code == 2
    assert words in said.err


def test_help_warns_of_the_flashes() -> None:
    said = emolab("synctest", "--help")
    assert said.code == 0
    assert "epilepsy" in said.out
