"""`emolab preflight`, and `record --preflight --override`: what they print and how they exit."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.devices.simulated import demo_device_file
from emolab.recording.reader import Session
from tests.cli.command import SIMULATED, Said, emolab

pytestmark = pytest.mark.usefixtures("stimuli")

SLOW = SIMULATED + "true_rate_hz = 100\n"


def devices(folder: Path, text: str) -> Path:
    path = folder / "devices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def look(folder: Path, text: str, *more: object) -> Said:
    file = devices(folder, text)
    quick = ("--study", folder / "study", "--seconds", 5, "--speed", 40)
    return emolab("preflight", "quick", "--devices", file, *quick, *more)


def test_a_sound_laboratory_is_green_line_by_line_and_leaves_no_trace(tmp_path: Path) -> None:
    said = look(tmp_path, demo_device_file())
    assert said.code == 0 and not said.err
    assert "● board delivers 254.9 Hz, nothing lost" in said.out
    assert "● camera shows a lit face" in said.out and "● all 5 clips sound" in said.out
    assert "■" not in said.out
    assert not (tmp_path / "study").exists()


def test_red_exits_with_1_and_says_what_to_do(tmp_path: Path) -> None:
    said = look(tmp_path, SLOW)
    assert said.code == 1
    lines = said.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("■"))
    assert "board delivers 100.0 Hz, announced as 250 Hz" in lines[at]
    assert lines[at + 1].startswith("    ") and lines[at + 1].endswith(".")


def test_an_instrument_that_is_not_there_is_red_beside_all_the_rest(tmp_path: Path) -> None:
    gone = SIMULATED + 'faults = [{ kind = "unplug", at_s = 0, for_s = 9999 }]\n'
    facts = look(tmp_path, gone, "--json")
    assert facts.code == 1 and facts.json["level"] == "act"
    levels = {check["name"]: check["level"] for check in facts.json["checks"]}
    assert levels["board"] == "act" and levels["clips"] == "well" and "disk" in levels
    assert set(facts.json["checks"][0]) == {"name", "level", "what", "remedy", "stream"}


def test_wrong_use_exits_with_2(tmp_path: Path) -> None:
    assert emolab("preflight").code == 2
    assert (
        "no-such-protocol"
        in emolab(
            "preflight", "no-such-protocol", "--devices", devices(tmp_path, SIMULATED), "--study", tmp_path
        ).complaint
    )
    assert "'seconds' is 0.0" in look(tmp_path, SIMULATED, "--seconds", 0).complaint


def test_record_refuses_on_red_and_records_the_reason_it_is_given(tmp_path: Path) -> None:
    file, study = devices(tmp_path, SLOW), tmp_path / "study"
    session = ("record", "quick", "--devices", file, "--study", study, "--participant", "P001")
    headless = (*session, "--headless", "--answers", "simulated", "--speed", 40, "--preflight")
    refused = emolab(*headless)
    assert refused.code == 2 and "announced as 250 Hz" in refused.err.splitlines()[-1]
    assert not list(study.glob("P*"))
    said = emolab(*headless, "--override", "the board is old")
    assert said.code == 0, said.err
    with Session.open(Path(said.last)) as recorded:
        (told,) = [event for event in recorded.events if event.kind == "override"]
    assert told.data["reason"] == "the board is old"
