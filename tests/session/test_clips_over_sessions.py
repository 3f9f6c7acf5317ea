"""Nobody hears a clip twice: over sessions and parts, whatever the seed, and however the bank grows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emolab.core import shipped
from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS
from emolab.protocol.bank import ClipEntry, read_manifest, write_manifest
from emolab.recording.reader import Session
from emolab.session import resume
from emolab.session.prepare import StartRequest, check, lay_out
from tests.session.test_resume import PAGES_S, Part, record

WHOLE = Part(5000.0)
SHIPPED = read_manifest(shipped.folder("stimuli") / "manifest.csv").entries


@pytest.fixture
def protocol(tmp_path: Path) -> str:
    """The EmoMusic protocol with a bank of its own, which holds the shipped clips at first."""
    path = tmp_path / "mine.yaml"
    text = shipped.protocol("emomusic").read_text(encoding="utf-8")
    assert "bank: shipped" in text
    path.write_text(text.replace("bank: shipped", "bank: manifest.csv"), encoding="utf-8")
    write_manifest(tmp_path / "manifest.csv", SHIPPED)
    return str(path)


def grown(state: str, count: int = 1) -> list[ClipEntry]:
    one = ClipEntry("", state, "a new one", "us", "CC0", "", None, "", 0)
    return [replace(one, id=f"{state}-new-{n}", file=f"{state}-new-{n}.flac") for n in range(count)]


def request(protocol: str, participant: str, session: int = 0, seed: int = 0) -> StartRequest:
    return StartRequest(protocol, participant, session, seed, answers="simulated")


def heard(study: Path, participant: str, session: int, part: int = 1) -> list[str]:
    end = "" if part == 1 else f"_part-{part}"
    with Session.open(study / participant / f"{participant}_session-{session}{end}.h5") as recording:
        return resume.heard(recording.events)


def planned(study: Path | None, asked: StartRequest) -> list[str]:
    return [clip.id for clip in lay_out(asked, study)[2].trials]


@pytest.mark.parametrize("participant", ["P001", "P002", "P003"])
def test_nobody_hears_a_clip_again_after_the_bank_grew(
    tmp_path: Path, protocol: str, participant: str
) -> None:
    study = tmp_path / "study"
    record(study, WHOLE, request(protocol, participant))
    write_manifest(tmp_path / "manifest.csv", [*SHIPPED, *grown("neutral"), *grown("most_negative", 2)])
    record(study, WHOLE, request(protocol, participant, 1))
    third = planned(study, request(protocol, participant, 2))
    clips = [*heard(study, participant, 0), *heard(study, participant, 1), *third]
    assert len(clips) == len(set(clips)) == 15 + 15 + 5
    assert [sum(clip.startswith(state) for clip in third) for state in STATE_KEYS] == [1] * 5


def test_a_bank_that_grew_lasts_for_another_session_of_clips_not_heard(tmp_path: Path, protocol: str) -> None:
    study = tmp_path / "study"
    for session in range(3):
        record(study, WHOLE, request(protocol, "P001", session))
    write_manifest(
        tmp_path / "manifest.csv", [*SHIPPED, *(clip for state in STATE_KEYS for clip in grown(state, 3))]
    )
    before = {clip for session in range(3) for clip in heard(study, "P001", session)}
    assert len(before) == 35
    assert not before & set(planned(study, request(protocol, "P001", 3)))


def test_a_participant_keeps_the_seed_whichever_is_asked_for_later(tmp_path: Path) -> None:
    record(tmp_path, WHOLE, request("emomusic", "P001", seed=5))
    later = lay_out(request("emomusic", "P001", 1, seed=7), tmp_path)[2]
    assert later.seed == 5
    assert later.trials == lay_out(request("emomusic", "P001", 1, seed=5))[2].trials
    assert "The seed is 5, with which this participant began, not 7." in later.arithmetic
    path = record(tmp_path, Part(PAGES_S + 10), request("emomusic", "P001", 1, seed=7))
    with Session.open(path) as recording:
        assert recording.header.seed == 5 == recording.events[0].data["seed"]
    assert lay_out(request("emomusic", "P002", 1, seed=7), tmp_path)[2].seed == 7


def test_whoever_has_no_recording_is_laid_out_as_without_a_study(tmp_path: Path) -> None:
    record(tmp_path, WHOLE, request("emomusic", "P001", seed=5))
    for number in range(2, 26):
        asked = request("emomusic", f"P{number:03}", seed=3)
        assert lay_out(asked, tmp_path)[2] == lay_out(asked)[2]


@pytest.mark.parametrize("participant", ["P001", "P002", "P003"])
def test_a_session_goes_on_with_the_clips_it_was_begun_with(
    tmp_path: Path, protocol: str, participant: str
) -> None:
    study = tmp_path / "study"
    whole = planned(study, request(protocol, participant))
    record(study, Part(PAGES_S + 500), request(protocol, participant))
    write_manifest(
        tmp_path / "manifest.csv",
        [*(clip for state in STATE_KEYS for clip in grown(state, 3)), *SHIPPED],
    )
    record(study, WHOLE, replace(request(protocol, participant), resume=True))
    assert heard(study, participant, 0) + heard(study, participant, 0, part=2) == whole


def test_a_session_whose_clip_is_in_the_bank_no_more_says_which(tmp_path: Path, protocol: str) -> None:
    study = tmp_path / "study"
    last = planned(study, request(protocol, "P001"))[-1]
    record(study, Part(PAGES_S + 500), request(protocol, "P001"))
    write_manifest(tmp_path / "manifest.csv", [clip for clip in SHIPPED if clip.id != last])
    with pytest.raises(
        ConfigError, match=f"no clip '{last}', with which this session was begun; put it back"
    ):
        check(replace(request(protocol, "P001"), resume=True), study)
