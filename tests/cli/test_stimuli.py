"""`emolab stimuli`: a bank with anything wrong is told line by line, and a piece of one's own enters one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from emolab.composer import audio
from emolab.composer.clipcheck import prepare_clip
from emolab.protocol.bank import ClipEntry, read_manifest, write_manifest
from tests.cli.command import emolab, finish, start

RATE_HZ = 48_000
Sound = NDArray[np.int16]


def write_piece(path: Path, seconds: float = 33.0, pitch_hz: float = 220.0) -> Path:
    """A plain piece of music: a tone that swells twice a second."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = 0.2 * np.sin(2 * np.pi * pitch_hz * times_s) * (0.6 + 0.4 * np.sin(4 * np.pi * times_s))
    soundfile.write(path, wave, RATE_HZ)
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """A clip with nothing wrong: `(n, 2)` int16."""
    return audio.to_pcm(prepare_clip(write_piece(tmp_path_factory.mktemp("good") / "piece.wav")))


def make_bank(folder: Path, clips: dict[str, Sound | None], sha256: dict[str, str] | None = None) -> Path:
    """A manifest naming these clips; None for one whose file is not there."""
    entries = []
    for position, (name, samples) in enumerate(clips.items()):
        file = f"clips/{name}.flac"
        if samples is not None:
            audio.write_flac(folder / file, samples, RATE_HZ)
        checksum = (sha256 or {}).get(name) or ("" if samples is None else audio.pcm_sha256(samples))
        entries.append(ClipEntry(name, "neutral", name, "test", "CC0", checksum, None, file, position))
    folder.mkdir(exist_ok=True)
    return write_manifest(folder / "manifest.csv", entries).path


def clipped(samples: Sound) -> Sound:
    return np.clip(samples.astype(np.int32) * 40, -32768, 32767).astype(np.int16)


WRONG: dict[str, tuple[Callable[[Sound], Sound | None], str]] = {
    "missing": (lambda samples: None, "is not there; run 'emolab stimuli render', or restore the file"),
    "length": (lambda samples: samples[: 29 * RATE_HZ], "lasts 29.000 s instead of 30.000 s"),
    "clipped": (clipped, "is clipped (samples at full scale)"),
    "silent": (lambda samples: samples * 0, "is silent; render it or add it again"),
    "loudness": (lambda samples: (samples / 2).astype(np.int16), "instead of -23.0 ± 0.5"),
}


@pytest.mark.parametrize("code", WRONG)
def test_check_tells_what_is_wrong_with_a_clip_in_a_line_of_its_own(
    tmp_path: Path, good: Sound, code: str
) -> None:
    spoil, sentence = WRONG[code]
    bank = make_bank(tmp_path, {"good": good, "bad": spoil(good)})
    said = emolab("stimuli", "check", "--bank", bank)
    assert said.code == 1 and not said.err
    lines = [
        line for line in said.out.splitlines() if line.startswith(f"{tmp_path / 'clips' / 'bad.flac'}: ")
    ]
    assert sum(sentence in line for line in lines) == 1
    assert "good.flac" not in said.out
    facts = emolab("stimuli", "check", "--bank", bank, "--json")
    assert facts.code == 1 and facts.json["good"] is False and facts.json["clips"] == 2
    assert code in [finding["code"] for finding in facts.json["findings"]]


def test_check_finds_the_same_sound_under_two_names(tmp_path: Path, good: Sound) -> None:
    said = emolab("stimuli", "check", "--bank", make_bank(tmp_path, {"one": good, "two": good}))
    assert said.code == 1
    assert f"two.flac: holds the same sound as {tmp_path / 'clips' / 'one.flac'}" in said.out


def test_check_finds_a_sound_that_is_not_the_one_entered(tmp_path: Path, good: Sound) -> None:
    bank = make_bank(tmp_path, {"one": good}, sha256={"one": "0" * 64})
    said = emolab("stimuli", "check", "--bank", bank)
    assert said.code == 1
    assert "one.flac: does not sound as the manifest's checksum says" in said.out


def test_check_finds_a_file_that_is_no_sound(tmp_path: Path, good: Sound) -> None:
    bank = make_bank(tmp_path, {"one": good})
    (tmp_path / "clips" / "one.flac").write_bytes(b"fLaC and no more")
    said = emolab("stimuli", "check", "--bank", bank)
    assert said.code == 1
    assert "one.flac: cannot be read as sound" in said.out


def test_a_good_bank_passes(tmp_path: Path, good: Sound) -> None:
    bank = make_bank(tmp_path, {"one": good})
    said = emolab("stimuli", "check", "--bank", bank)
    assert (said.code, said.last) == (0, f"{bank}: 1 clips, nothing to mend")
    assert emolab("stimuli", "check", "--bank", bank, "--json").json["findings"] == []


def test_the_composed_clips_pass(stimuli: Path, tmp_path: Path) -> None:
    from emolab.core import shipped

    shipped_bank = read_manifest(shipped.folder("stimuli") / "manifest.csv")
    there = [entry for entry in shipped_bank.entries if (stimuli / entry.file).is_file()][:3]
    assert len(there) == 3
    bank = write_manifest(tmp_path / "manifest.csv", there)
    said = emolab("stimuli", "check", "--bank", bank.path)
    assert said.code == 0, said.out


def test_the_shipped_bank_names_35_clips_and_what_is_not_composed_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOLAB_STIMULI", str(tmp_path))
    said = emolab("stimuli", "check")
    assert said.code == 1
    assert said.out.count("is not there; run 'emolab stimuli render'") == 35
    assert said.last == "'emolab stimuli render' composes the shipped clips on this machine"


def test_a_manifest_that_is_none_is_told_in_one_sentence(tmp_path: Path) -> None:
    said = emolab("stimuli", "check", "--bank", tmp_path / "none.csv")
    assert said.code == 2 and "check the path of the clip bank" in said.complaint


@pytest.mark.parametrize("word", ["fear", "less_negative", "Scared"])
def test_add_takes_a_state_or_a_word_of_table_i_and_has_a_bank_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("EMOLAB_STIMULI", str(tmp_path / "data"))
    piece = write_piece(tmp_path / "Night ride.wav")
    said = emolab("stimuli", "add", piece, "--state", word, "--start", 1.5, "--licence", "CC BY 4.0")
    assert said.code == 0, said.err
    manifest = tmp_path / "data" / "own" / "manifest.csv"
    (entry,) = read_manifest(manifest).entries
    assert (entry.state, entry.title, entry.licence) == ("less_negative", "Night ride", "CC BY 4.0")
    assert said.last == str(manifest.parent / entry.file)
    assert f"bank: {manifest}" in said.out, "how a protocol uses it"
    samples, rate_hz = soundfile.read(said.last, dtype="int16")
    assert (rate_hz, samples.shape) == (RATE_HZ, (30 * RATE_HZ, 2))
    assert audio.loudness_lufs(samples / 32768, RATE_HZ) == pytest.approx(-23, abs=0.5)
    assert emolab("stimuli", "check", "--bank", manifest).code == 0


def test_add_enters_one_piece_after_the_other_but_none_twice(tmp_path: Path) -> None:
    bank = tmp_path / "bank" / "manifest.csv"
    low, high = write_piece(tmp_path / "low.wav"), write_piece(tmp_path / "high.wav", pitch_hz=440)
    for piece in (low, high):
        assert emolab("stimuli", "add", piece, "--state", "calm", "--bank", bank).code == 0
    before = bank.read_bytes()
    again = tmp_path / "again.wav"
    again.write_bytes(low.read_bytes())
    said = emolab("stimuli", "add", again, "--state", "calm", "--bank", bank)
    assert said.code == 2 and "gives the same clip as" in said.complaint
    said = emolab("stimuli", "add", low, "--state", "calm", "--bank", bank, "--start", 2)
    assert said.code == 2 and "is already there" in said.complaint
    assert bank.read_bytes() == before
    assert [entry.position for entry in read_manifest(bank).entries] == [0, 1]


def test_add_refuses_what_cannot_become_a_clip(tmp_path: Path) -> None:
    bank = tmp_path / "bank" / "manifest.csv"
    short = write_piece(tmp_path / "short.wav", seconds=20)
    text = tmp_path / "text.wav"
    text.write_text("la la la")
    whole = write_piece(tmp_path / "whole.wav")
    for arguments, sentence in (
        ((short, "--state", "sad"), "short.wav"),
        ((text, "--state", "sad"), "text.wav"),
        ((tmp_path / "none.wav", "--state", "sad"), "none.wav"),
        ((whole, "--state", "sad", "--start", 10), "whole.wav"),
        ((whole, "--state", "sad", "--start", -1), "give a start of 0 or later"),
        ((whole, "--state", "sad", "--start", "inf"), "give a start of 0 or later"),
        ((whole, "--state", "sad", "--start", "nan"), "give a start of 0 or later"),
        ((whole, "--state", "sad", "--start", "1e305"), "whole.wav"),
        ((whole, "--state", "sad", "--id", "../up"), "is no clip id"),
        ((whole, "--state", "blue"), "less_negative (fear, scared, nervous)"),
    ):
        said = emolab("stimuli", "add", *arguments, "--bank", bank)
        assert said.code == 2 and not said.out
        assert sentence in said.complaint
    assert not bank.exists() and not list(tmp_path.glob("bank/**/*.flac"))


@pytest.mark.parametrize("option", ["--title", "--source", "--licence"])
def test_text_that_no_manifest_holds_is_refused_before_anything_is_made(tmp_path: Path, option: str) -> None:
    bank = tmp_path / "bank" / "manifest.csv"
    piece = write_piece(tmp_path / "piece.wav")
    said = emolab("stimuli", "add", piece, "--state", "sad", "--bank", bank, option, "Bach\tCello")
    assert said.code == 2 and not said.out
    assert f"{option} 'Bach\\tCello' is no text of one line; type it again" in said.complaint
    assert not bank.parent.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_file_whose_name_is_not_utf_8_is_refused_in_one_line(tmp_path: Path) -> None:
    bank = tmp_path / "bank" / "manifest.csv"
    piece, odd = write_piece(tmp_path / "piece.wav"), tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    (odd / "piece.wav").write_bytes(piece.read_bytes())
    piece.rename(tmp_path / os.fsdecode(b"caf\xe9.wav"))
    for file in (tmp_path / os.fsdecode(b"caf\xe9.wav"), odd / "piece.wav"):
        said = emolab("stimuli", "add", file, "--state", "sad", "--bank", bank)
        assert said.code == 2 and not said.out and "rename" in said.complaint
    assert not list(tmp_path.glob("bank/**/*.flac"))


def test_add_takes_an_id(tmp_path: Path) -> None:
    bank = tmp_path / "bank" / "manifest.csv"
    piece = write_piece(tmp_path / "茉莉花.wav")
    assert emolab("stimuli", "add", piece, "--state", "calm", "--bank", bank, "--id", "jasmine").code == 0
    assert [(entry.id, entry.file) for entry in read_manifest(bank).entries] == [
        ("jasmine", "clips/jasmine.flac")
    ]


def test_clips_added_at_once_are_all_entered(tmp_path: Path) -> None:
    bank = tmp_path / "bank" / "manifest.csv"
    pieces = [write_piece(tmp_path / f"{hz}.wav", pitch_hz=hz) for hz in (220, 330, 440)]
    running = [start("stimuli", "add", piece, "--state", "calm", "--bank", bank) for piece in pieces]
    said = [finish(process, timeout_s=180) for process in running]
    assert [one.code for one in said] == [0, 0, 0], [one.err for one in said]
    assert {entry.id for entry in read_manifest(bank).entries} == {
        "neutral-220",
        "neutral-330",
        "neutral-440",
    }
    assert [entry.position for entry in read_manifest(bank).entries] == [0, 1, 2]


def test_a_clip_whose_manifest_cannot_be_written_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emolab.protocol.bank.write_manifest", fail)
    piece, bank = write_piece(tmp_path / "piece.wav"), tmp_path / "bank" / "manifest.csv"
    said = emolab("stimuli", "add", piece, "--state", "sad", "--bank", bank)
    assert said.code == 2 and "No space left on device" in said.complaint
    assert not list(tmp_path.glob("bank/**/*.flac"))


def test_render_composes_what_is_not_there_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emolab import composer

    pieces = composer.catalogue()[:1]
    monkeypatch.setattr(composer, "catalogue", lambda: pieces)
    said = emolab("stimuli", "render", "--out", tmp_path)
    path = tmp_path / pieces[0].file
    assert said.code == 0 and said.last == str(tmp_path / "clips")
    assert "0 were there, 1 composed" in said.out and path.is_file()
    before = path.stat().st_mtime_ns
    assert "1 were there, 0 composed" in emolab("stimuli", "render", "--out", tmp_path).out
    assert path.stat().st_mtime_ns == before
