from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from emolab.composer import audio
from emolab.composer.adopt import adopt_clip, own
from emolab.composer.clipcheck import check_clip
from emolab.core.errors import ConfigError, DataError
from tests.composer.sounds import tone


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "Ode an die Freude (live).wav"
    soundfile.write(path, tone(8.0, 44_100, channels=1), 44_100)
    return path


def test_a_song_becomes_a_clip_and_a_row(tmp_path: Path, song: Path) -> None:
    row = adopt_clip(song, "most_positive", tmp_path / "bank", 1.0, 5.0, licence="CC-BY-4.0")

    assert (row.id, row.state) == ("most_positive-Ode_an_die_Freude_live", "most_positive")
    assert (row.title, row.source) == ("Ode an die Freude (live)", song.name)
    assert row.licence == "CC-BY-4.0"
    assert check_clip(tmp_path / "bank" / row.file, 5.0, row.sha256) == []
    assert row.loudness_lufs == pytest.approx(-23.0, abs=0.1)


def test_an_existing_clip_is_never_overwritten(tmp_path: Path, song: Path) -> None:
    row = adopt_clip(song, "neutral", tmp_path, 0.0, 5.0, clip_id="mine")
    before = (tmp_path / row.file).read_bytes()

    with pytest.raises(ConfigError, match=r"mine\.flac is already there"):
        adopt_clip(song, "neutral", tmp_path, 2.0, 5.0, clip_id="mine")

    assert (tmp_path / row.file).read_bytes() == before


def test_the_same_sound_is_not_taken_twice(tmp_path: Path, song: Path) -> None:
    adopt_clip(song, "neutral", tmp_path, 0.0, 5.0, clip_id="one")
    (tmp_path / "clips" / "broken.flac").write_bytes(b"")

    with pytest.raises(ConfigError, match=r"same clip as .*one\.flac"):
        adopt_clip(song, "neutral", tmp_path, 0.0, 5.0, clip_id="two")

    assert not (tmp_path / "clips" / "two.flac").exists()


@pytest.mark.parametrize("clip_id", ["", "../up", "a b", "ü/x"])
def test_ids_that_are_no_file_names_are_refused(tmp_path: Path, song: Path, clip_id: str) -> None:
    with pytest.raises(ConfigError, match="is no clip id"):
        adopt_clip(song, "neutral", tmp_path, clip_id=clip_id)


def test_an_unknown_state_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'joyful' is no state; the states are most_negative"):
        adopt_clip(tmp_path / "none.wav", "joyful", tmp_path)


def test_a_song_too_short_leaves_nothing_behind(tmp_path: Path, song: Path) -> None:
    with pytest.raises(DataError, match=r"8\.00 s, too short to take 30 s"):
        adopt_clip(song, "neutral", tmp_path / "bank")

    assert not (tmp_path / "bank").exists()


def test_the_clip_is_the_part_asked_for(tmp_path: Path) -> None:
    sound = tone(10.0)
    sound[: 48_000 * 5] *= 0.0001
    soundfile.write(tmp_path / "late.wav", sound, 48_000, subtype="FLOAT")

    row = adopt_clip(tmp_path / "late.wav", "neutral", tmp_path, 5.0, 5.0)

    clip, _ = audio.read(tmp_path / row.file)
    assert abs(clip[60_000:62_000]).max() == pytest.approx(abs(clip[180_000:182_000]).max(), rel=0.01)


def test_pieces_whose_names_hold_no_letters_of_an_id_are_numbered(tmp_path: Path) -> None:
    """After the 35 composed ones, which an analysis of several banks would take them for."""
    ids = []
    for nth, name in enumerate(("茉莉花", "月亮代表我的心", "月亮 live", "花 live", "花 live")):
        piece = tmp_path / f"{name}.wav"
        soundfile.write(piece, tone(8.0, 44_100), 44_100)
        ids.append(adopt_clip(piece, "most_positive", tmp_path / "bank", 1.0 + nth / 5000, 5.0).id)
    assert ids == [
        "most_positive-8",
        "most_positive-9",
        "most_positive-live",
        "most_positive-live-2",
        "most_positive-live-3",
    ]


def test_a_name_that_is_taken_is_refused_with_the_option_that_helps(tmp_path: Path, song: Path) -> None:
    adopt_clip(song, "neutral", tmp_path, 0.0, 5.0)
    with pytest.raises(ConfigError, match="give another id with --id"):
        adopt_clip(song, "neutral", tmp_path, 2.0, 5.0)


def test_who_comes_second_to_a_bank_is_told_when_it_takes_long(tmp_path: Path) -> None:
    with (
        own(tmp_path / "bank"),
        pytest.raises(ConfigError, match="another emolab adds clips to"),
        own(tmp_path / "bank", patience_s=0.1),
    ):
        pass
    with own(tmp_path / "bank", patience_s=0.0):
        pass


def test_a_file_that_is_called_as_a_composed_clip_gets_another_id(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "1.wav", tone(31.0), 48_000)
    assert adopt_clip(tmp_path / "1.wav", "neutral", tmp_path / "bank").id == "neutral-1-2"
