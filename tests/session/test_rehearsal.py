"""A study without waiting is a study: real files, the same rules, and the truth is in their streams."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from emolab.core.errors import ConfigError
from emolab.core.label import STATES
from emolab.devices.simulation.effect import EFFECTS
from emolab.recording.inspect import inspect
from emolab.recording.lanes import intended, reported
from emolab.recording.reader import Session
from emolab.review.timeline import Timeline
from emolab.session import rehearsal
from emolab.session.prepare import StartRequest, check
from emolab.session.rehearsal import Order, devices_text, rehearse, rehearse_one
from emolab.study import participants, rehearsed
from emolab.study.check import check as check_study
from emolab.study.sessions import truth_path

QUICK = Order(Path("nowhere"), 2, 5, protocol="quick", effect=EFFECTS["surprise"])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two participants of the whole EmoMusic protocol."""
    folder = tmp_path_factory.mktemp("rehearsed") / "study"
    rehearse(Order(folder, 2, seed=3, effect=EFFECTS["surprise"]), jobs=1)
    return folder


@pytest.fixture(scope="module")
def recording(study: Path) -> Path:
    return study / "P002" / "P002_session-0.h5"


@pytest.fixture(scope="module")
def truth(recording: Path) -> dict[str, Any]:
    return json.loads(truth_path(recording).read_text(encoding="utf-8"))


def test_the_files_are_good_and_the_study_is_in_order(study: Path) -> None:
    for who in ("P001", "P002"):
        facts = inspect(study / who / f"{who}_session-0.h5")
        assert (facts["verdict"], facts["reasons"]) == ("good", [])
        assert (facts["outcome"], facts["complete"], facts["participant"]) == ("complete", True, who)
        assert facts["trials"] == {"planned": 15, "done": 15, "skipped": 0}
        assert len(facts["answers"]) == 16 and all(answer["state"] for answer in facts["answers"])
        assert [stream["kind"] for stream in facts["streams"]] == [
            "eda", "respiration", "ppg", "ppg", "thermal",
        ]  # fmt: skip
    assert check_study(study) == []
    assert [path.name for path in (study / ".emolab").iterdir()] == []


def test_fifteen_clips_come_in_runs_with_neutral_between_the_opposites(study: Path) -> None:
    heard = {}
    for who in ("P001", "P002"):
        with Session.open(study / who / f"{who}_session-0.h5") as session:
            onsets = [event.data for event in session.events if event.kind == "clip_onset"]
        runs = [(key, len(list(run))) for key, run in groupby(onset["state"] for onset in onsets)]
        assert sorted(runs) == sorted((state.key, 3) for state in STATES)
        groups = [key.partition("_")[2] or key for key, _ in runs]
        assert groups[2] == "neutral" and groups[0] == groups[1] != groups[3] == groups[4]
        heard[who] = [onset["clip"] for onset in onsets]
        assert len(set(heard[who])) == 15
    assert heard["P001"] != heard["P002"]


def test_the_file_says_in_header_streams_and_events_that_nobody_was_there(recording: Path) -> None:
    with Session.open(recording) as session:
        assert session.header.speed != 1.0 and session.header.started_utc.year == 2000
        assert "simulated" in session.header.devices_text
        assert all(stream.info.instrument["simulated"] for stream in session.streams.values())
        told = {event.kind: event.data for event in session.events}
    assert (told["session_started"]["answers"], told["session_started"]["rehearsal"]) == (
        "simulated",
        "surprise",
    )
    assert told["consent"]["by"] == "simulated"
    assert rehearsed.read(recording.parents[1]) is not None


def test_the_review_opens_it(recording: Path, truth: dict[str, Any]) -> None:
    with Timeline(recording) as line:
        assert line.wait()
        assert [track.name for track in line.tracks] == [
            "board/gsr", "board/respiration", "board/ppg_finger", "board/ppg_ear",
        ]  # fmt: skip
        assert [label.state for label in line.intended] == [clip["state"] for clip in truth["clips"]]
        said = [label.state for label in line.reported if label.clip in {c["clip"] for c in truth["clips"]}]
        assert said == [answer["state"] for answer in truth["answers"][1:]]


def test_times_are_true_and_uneven_and_the_device_counted(recording: Path, truth: dict[str, Any]) -> None:
    with Session.open(recording) as session:
        board = session.streams["board"]
        times_s, counter, device_us = board.times_s(), board.counter(), board.device_us()
        assert np.array_equal(counter, np.arange(len(board)))
        assert device_us is not None
        np.testing.assert_allclose(np.diff(device_us) * 1e-6, np.diff(times_s), atol=2e-6)
        steps_ms = np.diff(times_s) * 1e3
        assert steps_ms.mean() == pytest.approx(1e3 / 254.9, rel=1e-5) and steps_ms.std() > 0.1
        for name, stream in session.streams.items():
            assert len(stream) == truth["streams"][name]["samples"]
            assert stream.times_s()[-1] == pytest.approx(truth["until_s"], abs=0.6)
            assert {"lost": 0, "corrupt": 0}.items() <= truth["streams"][name].items()


def test_the_true_beats_are_in_the_pulse(recording: Path, truth: dict[str, Any]) -> None:
    with Session.open(recording) as session:
        times_s, pulse = session.streams["board"].times_s(), session.streams["board"].values("ppg_ear")
    peaks, _ = find_peaks(gaussian_filter1d(pulse, 4), distance=100, prominence=150)
    expected_s = np.array(truth["beats_s"]) + truth["systole_after_beat_s"]["ear"]
    expected_s = expected_s[(expected_s > 1.0) & (expected_s < truth["until_s"] - 1.0)]
    off_s = np.abs(times_s[peaks][:, np.newaxis] - expected_s).min(axis=0)
    assert len(expected_s) > 700 and off_s.max() < 0.03
    assert abs(len(peaks) - len(truth["beats_s"])) <= 2


def test_the_true_temperatures_are_in_the_frames(recording: Path, truth: dict[str, Any]) -> None:
    with Session.open(recording) as session:
        thermal = session.streams["thermal"]
        times_s, celsius = thermal.times_s(as_stamped=True), thermal.values()
        x, y, width, height = thermal.info.instrument["roi"]["forehead"]
    forehead_c = celsius[:, y : y + height, x : x + width].mean(axis=(1, 2))
    for clip in (*truth["clips"], truth["rest"]):
        heard = (times_s >= clip["onset_s"]) & (times_s < clip["onset_s"] + clip["duration_s"])
        assert forehead_c[heard].mean() == pytest.approx(clip["face_c"], abs=0.02)


def test_what_was_planted_follows_what_was_reported(truth: dict[str, Any]) -> None:
    said = {answer["clip"]: answer["state"] for answer in truth["answers"]}
    assert truth["effect"]["name"] == "surprise"
    assert [clip["felt"] for clip in truth["clips"]] == [said[clip["clip"]] for clip in truth["clips"]]


def test_the_planted_effect_is_in_the_means_and_in_no_other(tmp_path: Path) -> None:
    """Forty people are warmer in surprise by what is left of 0.25 °C after a quick approach."""
    order = Order(tmp_path, 40, seed=1, effect=EFFECTS["surprise"])
    beside = 0
    change: dict[str, list[list[float]]] = {state.key: [] for state in STATES}
    names = ("face_c", "nose_c", "heart_bpm", "breath_per_min", "tonic_us")
    for number in range(1, 41):
        truth = rehearsal.truth(order, f"P{number:03d}")
        for clip in truth["clips"]:
            beside += clip["felt"] != clip["state"]
            change[clip["felt"]].append([clip[name] - truth["rest"][name] for name in names])
    assert 50 < beside < 140  # of 600 clips are felt, and reported, as their neighbours
    means = {key: np.mean(rows, axis=0) for key, rows in change.items()}
    errors = {key: np.std(rows, axis=0) / len(rows) ** 0.5 for key, rows in change.items()}
    for key in change:
        for column, name in enumerate(names):
            planted = 0.22 if (key, name) == ("less_positive", "face_c") else 0.0
            off = means[key][column] - means["neutral"][column] - planted
            assert abs(off) < 4.5 * np.hypot(errors[key][column], errors["neutral"][column]), (key, name)


def held(path: Path) -> dict[str, bytes]:
    """All attributes and columns of a file, by their names."""
    found: dict[str, bytes] = {}

    def look(name: str, what: h5py.Group | h5py.Dataset) -> None:
        found.update({f"{name} {key}": np.asarray(value).tobytes() for key, value in what.attrs.items()})
        if isinstance(what, h5py.Dataset):
            found[name] = what[:].tobytes()

    with h5py.File(path) as file:
        look("", file)
        file.visititems(look)
    del found[" commit"]  # of the checkout, which may move on meanwhile
    return found


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    """Even where they are made by processes of their own; another seed, or person, gives others."""
    one, other, third = (replace(QUICK, study=tmp_path / name / "study") for name in ("a", "b", "c"))
    told: list[Path] = []
    paths = rehearse(one, 1, told.append)
    again = rehearse(other, 2)
    assert told == paths and [path.name for path in paths] == ["P001_session-0.h5", "P002_session-0.h5"]
    for mine, theirs in zip(paths, again, strict=True):
        assert len(held(mine)) > 40 and held(mine) == held(theirs)
        assert truth_path(mine).read_bytes() == truth_path(theirs).read_bytes()
    column = "streams/board/samples"
    assert held(paths[0])[column] != held(paths[1])[column]
    assert held(paths[0])[column] != held(rehearse(replace(third, seed=6), 1)[0])[column]


def test_the_truth_alone_is_that_of_the_file(tmp_path: Path) -> None:
    order = replace(QUICK, study=tmp_path / "study")
    path = rehearse(order, 1)[0]
    told = json.loads(truth_path(path).read_text(encoding="utf-8"))
    alone = json.loads(json.dumps(rehearsal.truth(replace(order, study=tmp_path / "empty"), "P001")))
    assert alone.pop("streams") == {} and told.pop("streams")
    assert alone == told
    assert not (tmp_path / "empty").exists()


def test_a_rehearsal_that_was_broken_off_is_gone_on_with_and_may_grow(tmp_path: Path) -> None:
    order = replace(QUICK, study=tmp_path)
    first, second = rehearse(order, 1)
    raw, made_ns = first.read_bytes(), first.stat().st_mtime_ns
    second.unlink()
    half = tmp_path / ".emolab" / "rehearsing" / second.name
    half.parent.mkdir(parents=True)
    half.write_bytes(raw[:5000])  # what a kill leaves
    told: list[Path] = []
    paths = rehearse(replace(order, participants=3), 1, told.append)
    assert [path.name for path in told] == ["P002_session-0.h5", "P003_session-0.h5"]
    assert first.stat().st_mtime_ns == made_ns
    assert all(inspect(path)["verdict"] == "good" for path in paths) and not half.exists()
    assert check_study(tmp_path) == []


def test_what_a_kill_leaves_looks_like_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(rehearsal.SessionWriter, "write", die)
    with pytest.raises(Killed):
        rehearse(replace(QUICK, study=tmp_path), 1)
    assert list(tmp_path.glob("*/*.h5")) == []


def test_a_study_with_participants_is_never_rehearsed_in(tmp_path: Path) -> None:
    participants.allocate(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match=r"1 participants already \(from P001 on\).*in a new folder"):
        rehearse(replace(QUICK, study=tmp_path), 1)
    assert sorted(tmp_path.rglob("*")) == before


def test_nobody_real_is_recorded_in_a_rehearsal(study: Path) -> None:
    for answers in ("window", "none"):
        with pytest.raises(ConfigError, match=r"nobody in it is real\. Record in a folder of its own"):
            check(StartRequest("quick", "P077", answers=answers), study)


def test_two_rehearsals_are_not_mixed(tmp_path: Path) -> None:
    rehearse(replace(QUICK, study=tmp_path, participants=1), 1)
    with pytest.raises(ConfigError, match="already, with other effect and seed; choose a new folder"):
        rehearse(replace(QUICK, study=tmp_path, seed=6, effect=EFFECTS["none"]), 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"participants": 0}, "0 participants are none"),
        ({"participants": 20_000}, "20000 participants are none; take 1 to 10000"),
        ({"protocol": "slow"}, "no protocol 'slow'"),
        ({"seed": -1}, "seed -1 is none"),
        ({"devices_text": '[[instrument]]\nkind = "microphone"\nname = "m"'}, "simulated instruments only"),
        ({"devices_text": devices_text(("board",)).replace("jitter", "jiter")}, "did you mean 'jitter_ms'"),
    ],
)
def test_what_cannot_be_rehearsed_is_told_before_anything_is_written(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        rehearse(replace(QUICK, study=tmp_path / "study", **change), 1)
    assert not (tmp_path / "study").exists()


def test_instruments_may_fail_on_purpose(tmp_path: Path) -> None:
    text = devices_text().replace(
        'name = "board"', 'name = "board"\nfaults = [{ kind = "unplug", at_s = 20, for_s = 6.5 }]'
    )
    path = rehearse(replace(QUICK, study=tmp_path, participants=1, devices_text=text), 1)[0]
    with Session.open(path) as session:
        times_s = session.streams["board"].times_s()
        gaps = np.flatnonzero(np.diff(times_s) > 0.1)
        assert len(gaps) == 1 and times_s[gaps[0]] == pytest.approx(20.0, abs=0.01)
        assert 26.5 <= times_s[gaps[0] + 1] <= 26.5 + rehearsal.STEP_S + 0.01
        assert session.streams["board"].tally()[-1][1].reopened == 1
        assert session.outcome == "complete"


def test_all_four_streams_can_be_had(tmp_path: Path) -> None:
    text = devices_text(("board", "rgb", "thermal", "audio"), 9.0)
    order = replace(QUICK, study=tmp_path, participants=1, devices_text=text, effect=EFFECTS["lively"])
    (path,) = rehearse(order, 1)
    facts = inspect(path)
    assert facts["verdict"] == "good", facts["reasons"]
    assert [(s["name"], round(s["true_rate_hz"])) for s in facts["streams"][4:]] == [
        ("rgb", 10), ("thermal", 9), ("audio", 48000),
    ]  # fmt: skip


def test_labels_of_a_rehearsal_stand_where_the_clips_were(recording: Path, truth: dict[str, Any]) -> None:
    with Session.open(recording) as session:
        end_s = truth["until_s"]
        meant, said = intended(session.events, end_s), reported(session.events, end_s)
    assert [label.start_s for label in meant] == pytest.approx(
        [c["onset_s"] for c in truth["clips"]], abs=1e-6
    )
    assert len(said) == 16


def test_one_who_is_not_in_the_list_is_not_made(study: Path) -> None:
    with pytest.raises(ConfigError, match="never a name"):
        rehearse_one(Order(study, 2, seed=3, effect=EFFECTS["surprise"]), "Anna")
