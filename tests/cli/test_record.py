"""`emolab record`, `demo`, `inspect` and `recover`: what they print, and what is refused before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.recording.reader import Session
from tests.cli.command import Said, emolab, simulated

pytestmark = pytest.mark.usefixtures("stimuli")

STREAM_KEYS = (
    "name",
    "kind",
    "samples",
    "nominal_rate_hz",
    "true_rate_hz",
    "first_s",
    "last_s",
    "gaps",
    "lost",
    "corrupt",
)
REAL = '[[instrument]]\nkind = "microphone"\nname = "voice"\ndevice = "no such card"\n'


def record(study: Path, *more: object, protocol: object = "quick", participant: object = "P001") -> Said:
    devices = () if "--devices" in more else ("--devices", simulated(study.parent))
    speed = () if "--speed" in more else ("--speed", 40)
    return emolab(
        "record",
        protocol,
        "--study",
        study,
        "--participant",
        participant,
        "--headless",
        *devices,
        *speed,
        *more,
    )


def test_demo_tells_what_its_file_holds_and_ends_with_its_path(demo: Said) -> None:
    path = Path(demo.last)
    assert demo.code == 0, demo.err
    assert path.is_file() and path.parts[-2:] == ("P001", "P001_session-0.h5")
    assert "trials: 5 of 5 done, 0 skipped" in demo.out and "verdict: good" in demo.out


def test_inspect_tells_the_facts_of_the_contract(recorded: Path) -> None:
    said = emolab("inspect", recorded, "--json")
    assert said.code == 0 and not said.err
    facts = said.json
    assert facts["file"] == str(recorded)
    assert facts["complete"] is True and facts["verdict"] == "good"
    assert 60 < facts["duration_s"] < 90
    assert facts["trials"] == {"planned": 5, "done": 5, "skipped": 0}
    kinds = {stream["kind"] for stream in facts["streams"]}
    assert kinds == {"eda", "respiration", "ppg", "rgb", "thermal", "audio"}
    for stream in facts["streams"]:
        assert set(STREAM_KEYS) <= set(stream)
        assert (stream["gaps"], stream["lost"], stream["corrupt"]) == (0, 0, 0)
        assert stream["samples"] > 0 and stream["first_s"] < 0.5 < stream["last_s"]
    board = next(stream for stream in facts["streams"] if stream["kind"] == "eda")
    assert (board["nominal_rate_hz"], board["true_rate_hz"]) == (250, pytest.approx(254.9, rel=1e-3))
    assert [set(answer) for answer in facts["answers"]] == [{"clip", "state", "word", "response_s"}] * 6
    assert all(answer["response_s"] > 0 for answer in facts["answers"])


def test_inspect_for_people_is_a_page(recorded: Path) -> None:
    said = emolab("inspect", recorded)
    assert said.code == 0
    assert "trials: 5 of 5 done" in said.out and "board/gsr" in said.out


def test_the_file_keeps_protocol_devices_and_seed(recorded: Path) -> None:
    with Session.open(recorded) as session:
        header = session.header
        assert (header.participant, header.session, header.seed, header.speed) == ("P001", 0, 1, 40.0)
        assert "name: quick" in header.protocol_text
        assert 'stream = "thermal"' in header.devices_text


def test_a_second_demo_in_the_same_folder_takes_the_next_participant(recorded: Path, tmp_path: Path) -> None:
    from emolab.session import folder

    assert folder.next_pseudonym(recorded.parents[1]) == "P002"


def test_a_sound_file_needs_no_recovery(recorded: Path) -> None:
    before = recorded.read_bytes()
    said = emolab("recover", recorded)
    assert said.code == 0 and "is sound; nothing was changed" in said.out
    assert emolab("recover", recorded, "--json").json["mended"] is False
    assert recorded.read_bytes() == before


@pytest.mark.parametrize("verb", ["inspect", "recover"])
def test_what_is_no_session_is_told_in_one_sentence(tmp_path: Path, verb: str) -> None:
    (tmp_path / "letter.h5").write_text("Dear all")
    said = emolab(verb, tmp_path / "letter.h5")
    assert said.code == 2 and not said.out
    assert "no emolab session; choose a file that emolab recorded" in said.complaint
    said = emolab(verb, tmp_path / "none.h5")
    assert said.complaint == f"there is no session file {tmp_path / 'none.h5'}; check the spelling"


def test_a_recording_without_a_participant_has_no_reports(tmp_path: Path) -> None:
    said = record(tmp_path / "study")
    assert said.code == 0, said.err
    facts = emolab("inspect", said.last, "--json").json
    assert facts["complete"] and facts["trials"]["done"] == 5
    assert {answer["state"] for answer in facts["answers"]} == {None}
    again = record(tmp_path / "study")  # the same session once more
    assert again.code == 2 and not again.out
    assert "P001 has a session 0 already" in again.complaint
    assert "take session 1, or another pseudonym (the next free one is P002)" in again.complaint
    assert emolab("inspect", said.last, "--json").json == facts, "the first recording is as it was"


REFUSED: dict[str, tuple[dict[str, object], tuple[object, ...], str]] = {
    "a name": ({"participant": "Anna"}, (), "'Anna' cannot be a pseudonym; use letters, digits and hyphens"),
    "a path as pseudonym": ({"participant": "../P1"}, (), "cannot be a pseudonym"),
    "a session the bank has no clips for": ({}, ("--session", 7), "session 7"),
    "a session before the first": ({}, ("--session", -1), "session -1 is none; count from 0"),
    "a seed too large": ({}, ("--seed", 2**70), "take a whole number from 0 to"),
    "a language nobody wrote": ({}, ("--language", "tlh"), "tlh"),
    "a protocol nobody wrote": ({"protocol": "emomusik"}, (), "there is no protocol 'emomusik'"),
    "a device file that is not there": ({}, ("--devices", "none.toml"), "'emolab doctor --write FILE'"),
    "no speed": ({}, ("--speed", 0), "--speed 0 is none; give a number above 0"),
    "a speed beyond all bounds": ({}, ("--speed", "inf"), "--speed inf is none"),
    "no number as speed": ({}, ("--speed", "nan"), "--speed nan is none"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_before_anything_begins(tmp_path: Path, what: str) -> None:
    named, more, sentence = REFUSED[what]
    said = record(tmp_path / "study", *more, **named)  # type: ignore[arg-type]
    assert said.code == 2 and not said.out
    assert sentence in said.complaint
    assert not list(tmp_path.glob("study/**/*.h5"))


def test_real_instruments_refuse_another_speed(tmp_path: Path) -> None:
    devices = tmp_path / "real.toml"
    devices.write_text(REAL)
    said = record(tmp_path / "study", "--devices", devices, "--speed", 2)
    assert said.code == 2
    assert said.complaint == f"{devices} names real instruments, which run at speed 1; leave --speed out"


def test_demo_takes_speed_zero_for_a_mistake_not_for_the_usual_one(tmp_path: Path) -> None:
    said = emolab("demo", "--headless", "--protocol", "quick", "--speed", 0, "--out", tmp_path)
    assert said.code == 2 and "--speed 0 is none" in said.complaint


def test_windows_without_a_display_are_refused_before_an_engine_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emolab.cli.windowed.has_display", lambda: False)
    monkeypatch.setattr("emolab.cli.console.has_display", lambda: False)
    said = emolab("demo", "--protocol", "quick", "--out", tmp_path / "study")
    assert said.code == 2
    assert "there is no display for the windows; 'emolab demo --headless'" in said.complaint
    assert not (tmp_path / "study" / ".emolab" / "engine.json").exists()
