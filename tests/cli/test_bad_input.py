"""Every bad input gets one clear sentence with the remedy, before the session where it can be known."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.cli import engine
from emolab.cli.main import run
from emolab.composer.audio import write_flac
from emolab.core import shipped
from emolab.recording.reader import Session
from emolab.session.client import find_engine
from tests.cli.command import Said, emolab, finish, simulated, start
from tests.session.live import engine_on
from tests.session.live import start as begin

pytestmark = pytest.mark.usefixtures("stimuli")

PTYS = pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")


def record(study: Path, devices: Path, *more: object, protocol: object = "quick", speed: float = 40) -> Said:
    return emolab(
        "record", protocol, "--study", study, "--participant", "P001", "--devices", devices, "--headless",
        "--speed", speed, *more,
    )  # fmt: skip


def refused(said: Said, study: Path) -> str:
    """The sentence of a recording that did not begin and left nothing behind."""
    assert said.code == 2 and not said.out, said
    assert not list(study.glob("**/*.h5"))
    assert find_engine(study) is None
    return said.complaint


# protocols


def altered(folder: Path, before: str, after: str) -> Path:
    """The quick protocol with one passage changed."""
    text = shipped.protocol("quick").read_text(encoding="utf-8")
    assert text.count(before) == 1
    path = folder / "mine.yaml"
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("before", "after", "key", "remedy"),
    [
        ("cap_s: 90", "cap_sec: 90", "cap_sec", "unknown key; did you mean 'cap_s'?"),
        ("window_s: 8", "window_s: 8\n  windw: 1", "report.windw", "unknown key"),
        ("duration_s: 10\n", "duration_s: ten\n", "rest.duration_s", "must be a number"),
        (
            "baseline_window_s: [0, 10]",
            "baseline_window_s: [0, 11]",
            "rest.baseline_window_s",
            "within the rest",
        ),
        ("cap_s: 90", "cap_s: 40", "clips.per_state", "raise the cap or shorten rest, clips or reports"),
        ("bank: shipped", "bank: none.csv", "clips.bank", "there is no manifest"),
        ("language: en", "language: tlh", "texts.language", "add that file or choose"),
    ],
)
def test_a_fault_in_a_protocol_names_file_line_key_and_remedy(
    tmp_path: Path, before: str, after: str, key: str, remedy: str
) -> None:
    path = altered(tmp_path, before, after)
    sentence = refused(record(tmp_path / "study", simulated(tmp_path), protocol=path), tmp_path / "study")
    place = re.match(rf"{re.escape(str(path))}:(\d+): {re.escape(key)}: ", sentence)
    assert place is not None, sentence
    named = key.split(".")[-1]
    assert named in path.read_text(encoding="utf-8").splitlines()[int(place[1]) - 1]
    assert remedy in sentence
    assert emolab("plan", path, "--participant", 1).complaint == sentence


def test_a_file_that_is_no_protocol_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shopping.yaml"
    path.write_text("- milk\n- bread\n")
    sentence = refused(record(tmp_path / "study", simulated(tmp_path), protocol=path), tmp_path / "study")
    assert sentence == f"{path}:1: holds no keys; start from a copy of a shipped file"


# clips


@pytest.fixture
def own_clips(tmp_path: Path, stimuli: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of clips that a test may spoil."""
    folder = tmp_path / "stimuli"
    unfinished = shutil.ignore_patterns("*.part")  # other tests may be composing there
    shutil.copytree(stimuli / "clips", folder / "clips", ignore=unfinished)
    monkeypatch.setenv("EMOLAB_STIMULI", str(folder))
    return folder / "clips"


def first_clip(clips: Path) -> Path:
    planned = emolab("plan", "quick", "--participant", "P001", "--json").json["trials"]
    path = clips / f"{planned[0]['clip']}.flac"
    assert path.is_file()
    return path


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def too_short(path: Path) -> None:
    write_flac(path, np.zeros((48_000, 2), np.int16), 48_000)


def no_sound(path: Path) -> None:
    path.write_text("la la la")


@pytest.mark.parametrize("spoil", [cut_off, too_short, no_sound])
def test_a_damaged_clip_is_told_before_the_session(
    tmp_path: Path, own_clips: Path, spoil: Callable[[Path], None]
) -> None:
    path = first_clip(own_clips)
    spoil(path)
    sentence = refused(record(tmp_path / "study", simulated(tmp_path)), tmp_path / "study")
    assert sentence.startswith(f"clip {path} ") and "run 'emolab stimuli check'" in sentence


def test_a_missing_clip_of_a_laboratorys_own_bank_is_told_before_the_session(tmp_path: Path) -> None:
    manifest = tmp_path / "bank" / "manifest.csv"
    manifest.parent.mkdir()
    text = (shipped.folder("stimuli") / "manifest.csv").read_text(encoding="utf-8")
    manifest.write_text(re.sub(r"(?m)^(\w+)-(\d),", r"\1-own\2,", text), encoding="utf-8")
    protocol = altered(tmp_path, "bank: shipped", f"bank: {manifest}")
    sentence = refused(record(tmp_path / "study", simulated(tmp_path), protocol=protocol), tmp_path / "study")
    assert str(manifest.parent / "clips") in sentence and "-own" in sentence


def test_a_clip_that_vanishes_in_mid_session_costs_its_trial_and_no_more(
    tmp_path: Path, own_clips: Path
) -> None:
    from tests.session.live import events, go_on, step_kind
    from tests.session.live import finish as end

    with engine_on(tmp_path / "study") as engine:
        path = begin(engine)
        go_on(engine, lambda: step_kind(engine) == "rest")
        assert engine.prepared is not None
        lost = engine.prepared.plan.trials[2].id

        def play(file: Path, duration_s: float, requested_s: float, really=engine.player.play) -> None:  # type: ignore[no-untyped-def]
            if file.stem == lost:
                soundfile_gone(file)
            really(file, duration_s, requested_s)

        engine.player.play = play  # type: ignore[method-assign]
        facts = end(engine)
    assert facts["outcome"] == "complete"
    assert facts["trials"] == {"planned": 5, "done": 4, "skipped": 1}
    (error,) = events(path, "error")
    assert lost in error.data["message"]


def soundfile_gone(path: Path) -> None:
    """What a player says of a clip whose file has gone."""
    from emolab.session.player import load_clip

    path.unlink()
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.SoundFile(str(path))
    load_clip(path, 5.0)


# studies


def test_a_study_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("not a folder")
    said = record(tmp_path / "study", simulated(tmp_path))
    assert said.code == 2
    assert said.complaint.startswith(f"the study folder {tmp_path / 'study'} cannot be written")
    assert "choose another folder" in said.complaint


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs a folder nobody may write to, not even root"
)
def test_an_unwritable_study_folder_is_told() -> None:
    said = emolab("demo", "--headless", "--protocol", "quick", "--out", "/proc/emolab")
    assert said.code == 2
    assert "the study folder /proc/emolab cannot be written" in said.complaint


def test_a_file_in_the_place_of_the_participants_folder_is_told(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    (study / "P001").write_text("notes of 2019")
    sentence = refused(record(study, simulated(tmp_path)), study)
    assert sentence == f"{study / 'P001'} is a file where P001's folder belongs; move it away first"


def test_a_disk_that_is_nearly_full_is_told_before_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emolab.session.live_session.LEAST_FREE_BYTES", 1 << 60)
    sentence = refused(record(tmp_path / "study", simulated(tmp_path)), tmp_path / "study")
    assert re.search(r"has only \d+ MB left; free some, or choose a study folder on another disk", sentence)


def test_a_second_recording_on_a_study_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    study = tmp_path / "study"
    with engine_on(study) as engine:
        begin(engine)
        devices = simulated(tmp_path)
        said = finish(
            start(
                "record",
                "quick",
                "--study",
                study,
                "--participant",
                "P002",
                "--devices",
                devices,
                "--headless",
            )
        )
        assert said.code == 2 and not said.out
        assert said.complaint == (
            f"an engine (process {os.getpid()}) already runs on {study}; attach to it with 'emolab {study}', "
            "or stop it before starting another"
        )
        assert engine.phase == "running"


# device files


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no instrument; add one [[instrument]] table for each"),
        ("[[instrument]\n", "this is no TOML"),
        (
            '[[instrument]]\nkind = "phisiokit"\nname = "a"\n',
            "unknown kind 'phisiokit'; did you mean 'physiokit'?",
        ),
        ('[[instrument]]\nkind = "simulated"\nname = "a"\nstraem = "board"\n', "did you mean 'stream'?"),
        ('[[instrument]]\nkind = "simulated"\nstream = "board"\n', "has no 'name'; add a line name"),
        ('[[instrument]]\nkind = "simulated"\nname = "a/b"\nstream = "board"\n', "must begin with a letter"),
        ('[[instrument]]\nkind = "physiokit"\nname = "a"\n', "key 'port' is missing; add it"),
    ],
)
def test_a_fault_in_a_device_file_names_file_and_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "devices.toml"
    path.write_text(text)
    said = record(tmp_path / "study", path, speed=1)
    assert str(path) in refused(said, tmp_path / "study")
    assert sentence in said.complaint


# ports


def board_at(folder: Path, port: object) -> Path:
    path = folder / "board.toml"
    path.write_text(
        f'[[instrument]]\nkind = "physiokit"\nname = "board"\nport = "{port}"\nchannels = ["gsr"]\n'
    )
    return path


def test_a_missing_port_is_told_soon_and_with_those_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOST_PATIENCE_S", 0.2)
    said = record(tmp_path / "study", board_at(tmp_path, tmp_path / "ttyNONE"), speed=1)
    sentence = refused(said, tmp_path / "study")
    assert f"there is no port {tmp_path / 'ttyNONE'}; plug the board's USB cable in" in sentence
    assert sentence.endswith(f". Mend it, or take it out of {tmp_path / 'board.toml'}.")


@PTYS
def test_a_busy_port_is_told_with_who_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import serial

    monkeypatch.setattr(engine, "LOST_PATIENCE_S", 0.2)
    master, slave = os.openpty()
    port = os.ttyname(slave)
    holder = serial.Serial(port, exclusive=True)
    try:
        said = record(tmp_path / "study", board_at(tmp_path, port), speed=1)
    finally:
        holder.close()
        os.close(master)
        os.close(slave)
    sentence = refused(said, tmp_path / "study")
    assert f"port {port} is held by" in sentence and "close that program" in sentence


def test_a_silent_instrument_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "OPEN_TIMEOUT_S", 0.5)
    path = tmp_path / "devices.toml"
    faults = 'faults = [{ kind = "stall", at_s = 0, for_s = 100 }]'
    path.write_text(f'[[instrument]]\nkind = "simulated"\nname = "board"\nstream = "board"\n{faults}\n')
    sentence = refused(record(tmp_path / "study", path, speed=1), tmp_path / "study")
    assert "board" in sentence and "Mend it, or take it out of" in sentence


# a disk that fills while a session runs


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize(
    ("most_bytes", "words", "outcome"),
    [
        (2_500_000, "could not be made from its journal", "complete"),  # which is smaller, and has it all
        (1_200_000, "can no longer be written", "interrupted"),
    ],
)
def test_a_disk_that_fills_up_in_mid_session_keeps_what_was_recorded(
    tmp_path: Path, most_bytes: int, words: str, outcome: str
) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    study, devices = tmp_path / "study", tmp_path / "devices.toml"
    devices.write_text('[[instrument]]\nkind = "simulated"\nname = "voice"\nstream = "audio"\n')
    said = finish(
        start(
            "record", "quick", "--study", study, "--participant", "P001", "--devices", devices, "--headless",
            "--speed", 40, before=limit,
        )
    )  # fmt: skip
    path = study / "P001" / "P001_session-0.h5"
    assert (said.code, said.last) == (1, str(path)), said
    assert said.complaint.startswith(f"The recording stopped: {path} {words} (")
    assert f"run 'emolab recover {path}'" in said.complaint
    assert emolab("recover", path).code == 0
    with Session.open(path) as session:
        stream = session.streams["voice"]
        assert len(stream.samples()) == len(stream) > 48_000
        assert session.outcome == outcome
        assert session.events[0].kind == "session_started"


@pytest.mark.parametrize("spelling", ["elsewhere/../out/key.csv", "link/key.csv"])
def test_a_key_among_the_data_is_refused_however_it_is_spelt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("out", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    order = ("--to", "csv", "--out", "out", "--deidentify", "--key", spelling)
    assert "keep it elsewhere" in emolab("export", tmp_path / "nothing.h5", *order).complaint


@pytest.mark.parametrize("words", [["inspect"], ["recover"], ["merge", "."]])
@pytest.mark.parametrize("place", [".", "/", "study"])
def test_a_folder_where_a_recording_is_wanted_is_told_so(
    words: list[str],
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "study").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run([*words, place]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_study_cannot_be_where_a_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").touch()
    assert run(["study", "new", str(tmp_path / "notes")]) == 2
    assert "is a file; give the study a folder of its own" in capsys.readouterr().err
