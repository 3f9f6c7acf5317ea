"""`emolab rehearse`: a study folder made on the command line, as a live simulated session would fill it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emolab.recording.reader import Session
from tests.cli.command import emolab


def rehearse(study: Path, *arguments: object) -> Any:
    return emolab("rehearse", study, "--protocol", "quick", "--jobs", 1, *arguments)


def test_a_study_is_made_and_its_files_are_told(tmp_path: Path) -> None:
    said = rehearse(tmp_path / "study", "--participants", 3, "--seed", 4, "--streams", "thermal", "--json")
    assert said.code == 0
    paths = [Path(path) for path in said.json]
    assert [path.name for path in paths] == [f"P00{number}_session-0.h5" for number in (1, 2, 3)]
    assert said.err.count("\n") == 3 and "P003_session-0 (3, " in said.err
    for path in paths:
        assert emolab("inspect", path).code == 0
    assert emolab("study", "check", tmp_path / "study").out == "all is in order\n"
    told = json.loads((tmp_path / "study" / "rehearsal.json").read_text(encoding="utf-8"))
    assert (told["seed"], told["effect"]["name"], told["effect"]["follows"]) == (4, "lively", "stimulus")
    with Session.open(paths[0]) as session:
        assert [*session.streams] == ["thermal"]


def test_it_holds_what_a_live_simulated_session_holds(tmp_path: Path, recorded: Path) -> None:
    """The same events in the same order with the same facts, and the same answers, but for the clock."""
    said = rehearse(tmp_path, "--participants", 1, "--seed", 1, "--streams", "board,rgb,thermal,audio")
    with Session.open(Path(said.last)) as mine, Session.open(recorded) as live:
        for ours, theirs in zip(mine.events, live.events, strict=True):
            assert ours.kind == theirs.kind
            known = {key for key in theirs.data if not key.endswith("_s")}
            assert known | {"rehearsal"} >= {key for key in ours.data if not key.endswith("_s")} >= known
            assert all(ours.data[key] == theirs.data[key] for key in known - {"residual_ms"})
        assert [(a.clip, a.state, a.word, a.changes) for a in mine.answers] == [
            (a.clip, a.state, a.word, a.changes) for a in live.answers
        ]
        for name, stream in mine.streams.items():
            other = live.streams[{"rgb": "camera", "audio": "microphone"}.get(name, name)]
            assert (stream.info.channels, stream.info.sample_shape) == (
                other.info.channels, other.info.sample_shape,
            )  # fmt: skip


def test_an_own_effect_and_own_instruments_are_read_from_files(tmp_path: Path) -> None:
    effect, devices = tmp_path / "warm.toml", tmp_path / "lab.toml"
    effect.write_text("[states.neutral]\nnose_c = 1.0\n", encoding="utf-8")
    devices.write_text(
        '[[instrument]]\nkind = "simulated"\nname = "skin"\nstream = "board"\n', encoding="utf-8"
    )
    said = rehearse(tmp_path / "s", "--participants", 1, "--effect", effect, "--devices", devices)
    with Session.open(Path(said.last)) as session:
        assert [*session.streams] == ["skin"]
        assert session.events[0].data["rehearsal"] == "warm"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--effect", "joy"], "there is no effect 'joy'; known are lively, none, surprise"),
        (["--streams", "board,eeg"], "'eeg' is none of board, thermal, rgb, audio"),
        (["--streams", ","], "at most once, and one at least"),
        (["--streams", "rgb,rgb"], "at most once, and one at least"),
        (["--participants", "0"], "0 participants are none"),
        (["--jobs", "-2"], "--jobs -2 is none"),
        (["--thermal-rate", "-3"], "'rate_hz'"),
        (["--thermal-rate", "nan"], "'rate_hz'"),
        (["--thermal-rate", "0"], "'rate_hz'"),
        (["--devices", "nowhere.toml"], "cannot read the device file nowhere.toml"),
        (["--session", "3"], "session 3 has no clips left"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    said = emolab("rehearse", tmp_path / "study", *arguments)
    assert said.code == 2 and sentence in said.complaint
    assert not (tmp_path / "study").exists()


def test_a_recording_of_somebody_real_is_refused_in_there(tmp_path: Path, stimuli: Path) -> None:
    rehearse(tmp_path, "--participants", 1, "--streams", "board")
    devices = tmp_path / "devices.toml"
    devices.write_text('[[instrument]]\nkind = "simulated"\nname = "b"\nstream = "board"\n', encoding="utf-8")
    said = emolab(
        "record", "quick", "--study", tmp_path, "--participant", "P001", "--session", 1, "--devices", devices,
        "--headless",
    )  # fmt: skip
    assert said.code == 2 and "is a rehearsal, made by 'emolab rehearse'" in said.complaint
