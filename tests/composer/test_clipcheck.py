from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.composer import audio, bank, clipcheck
from emolab.composer.clipcheck import Finding, check_clip, prepare_clip
from emolab.core.errors import ConfigError, DataError
from tests.composer.sounds import RATE_HZ, tone

SECONDS = 5.0


def good() -> np.ndarray:
    return audio.normalise(tone(SECONDS), RATE_HZ)


def checked(folder: Path, sound: np.ndarray, rate_hz: int = RATE_HZ, **expected: str) -> list[Finding]:
    path = folder / "clip.flac"
    audio.write_flac(path, sound, rate_hz)
    return check_clip(path, SECONDS, **expected)


def codes(found: list[Finding]) -> list[str]:
    return [finding.code for finding in found]


def test_a_good_clip_has_no_finding(tmp_path: Path) -> None:
    assert checked(tmp_path, good(), expected_sha256=audio.pcm_sha256(good())) == []


def test_each_finding_is_one_line_with_the_file_and_what_to_do(tmp_path: Path) -> None:
    (found,) = check_clip(tmp_path / "gone.flac")

    assert found.code == "missing" and found.grave
    assert str(found).startswith(str(tmp_path / "gone.flac"))
    assert "run 'emolab stimuli render'" in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize("content", [b"", b"not a sound", b"fLaC" + bytes(50)])
def test_a_damaged_file_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.flac"
    path.write_bytes(content)

    assert codes(check_clip(path)) == ["unreadable"]


def test_a_truncated_flac_is_found(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    audio.write_flac(path, np.random.default_rng(1).normal(0, 0.07, (5 * RATE_HZ, 2)), RATE_HZ)
    path.write_bytes(path.read_bytes()[:200_000])

    assert set(codes(check_clip(path, SECONDS))) & {"unreadable", "length"}


@pytest.mark.parametrize("seconds", [4.99, 5.01])
def test_ten_milliseconds_too_few_or_too_many_are_found(tmp_path: Path, seconds: float) -> None:
    assert codes(checked(tmp_path, audio.normalise(tone(seconds), RATE_HZ))) == ["length"]


def test_another_rate_is_found(tmp_path: Path) -> None:
    sound = audio.normalise(tone(SECONDS, rate_hz=44_100), 44_100)

    assert codes(checked(tmp_path, sound, 44_100)) == ["rate"]


def test_a_single_channel_is_found(tmp_path: Path) -> None:
    assert codes(checked(tmp_path, audio.normalise(tone(SECONDS, channels=1), RATE_HZ))) == ["channels"]


def test_clipping_is_found_even_when_short(tmp_path: Path) -> None:
    sound = good()
    sound[1000:1004, 1] = 1.0

    assert codes(checked(tmp_path, sound)) == ["clipped"]


def test_a_peak_just_below_full_scale_is_not_clipping(tmp_path: Path) -> None:
    sound = good()
    sound[1000:1008] = 0.7 * np.hanning(8)[:, np.newaxis]

    assert checked(tmp_path, sound) == []


def test_silence_is_one_finding_and_not_three(tmp_path: Path) -> None:
    assert codes(checked(tmp_path, np.zeros((5 * RATE_HZ, 2)))) == ["silent"]


def test_a_long_silent_stretch_is_found(tmp_path: Path) -> None:
    sound = tone(SECONDS)
    sound[RATE_HZ : round(4.3 * RATE_HZ)] = 0.0

    (found,) = checked(tmp_path, audio.normalise(sound, RATE_HZ))

    assert found.code == "silent" and "3.3 s on end" in found.text


@pytest.mark.parametrize(
    ("off_db", "expected"), [(-0.6, ["loudness"]), (-0.4, []), (0.4, []), (0.6, ["loudness"])]
)
def test_half_a_loudness_unit_is_the_limit(tmp_path: Path, off_db: float, expected: list[str]) -> None:
    assert codes(checked(tmp_path, good() * 10 ** (off_db / 20))) == expected


def test_another_sound_than_the_checksum_says_is_found(tmp_path: Path) -> None:
    (found,) = checked(tmp_path, good(), expected_sha256=hashlib.sha256(b"").hexdigest())

    assert found.code == "checksum" and found.grave


def test_a_changed_composed_clip_is_grave_but_a_last_bit_is_not(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    pcm = audio.to_pcm(bank.render("neutral-2"))
    shipped = audio.pcm_sha256(pcm)
    pcm[700_000, 0] += 1
    audio.write_flac(path, pcm, RATE_HZ)
    (rounding,) = check_clip(path, expected_sha256=shipped, piece_id="neutral-2")
    pcm[700_000, 0] += 1
    audio.write_flac(path, pcm, RATE_HZ)
    (changed,) = check_clip(path, expected_sha256=shipped, piece_id="neutral-2")

    assert rounding.code == "rounding" and not rounding.grave and "1 sample(s)" in rounding.text
    assert changed.code == "checksum" and changed.grave


def test_duplicates_are_found_whatever_their_format(tmp_path: Path) -> None:
    pcm = audio.to_pcm(good())
    audio.write_flac(tmp_path / "a.flac", pcm, RATE_HZ)
    soundfile.write(tmp_path / "b.wav", pcm, RATE_HZ)
    audio.write_flac(tmp_path / "c.flac", pcm[::-1], RATE_HZ)
    paths = [tmp_path / name for name in ("a.flac", "b.wav", "c.flac", "none.flac")]

    assert clipcheck.find_duplicates(paths) == [(tmp_path / "a.flac", tmp_path / "b.wav")]
    (found,) = clipcheck.duplicate_findings(paths)
    assert found.path == tmp_path / "b.wav" and "a.flac" in found.text


def test_a_bank_is_checked_clip_by_clip(tmp_path: Path) -> None:
    audio.write_flac(tmp_path / "a.flac", good(), RATE_HZ)
    audio.write_flac(tmp_path / "b.flac", good(), RATE_HZ)
    clips = [("a", "a.flac", None), ("b", "b.flac", None), ("c", "c.flac", None)]

    found = clipcheck.check_bank(tmp_path, clips, SECONDS)

    assert [(finding.path.name, finding.code) for finding in found] == [
        ("c.flac", "missing"),
        ("b.flac", "duplicate"),
    ]


@pytest.mark.parametrize(
    ("suffix", "rate_hz", "channels"),
    [("wav", 44_100, 1), ("ogg", 44_100, 2), ("flac", 96_000, 2), ("mp3", 48_000, 2), ("wav", 22_050, 6)],
)
def test_any_sound_file_becomes_a_sound_clip(
    tmp_path: Path, suffix: str, rate_hz: int, channels: int
) -> None:
    source = tmp_path / f"song.{suffix}"
    soundfile.write(source, tone(8.0, rate_hz, channels=channels), rate_hz)

    clip = prepare_clip(source, 1.5, SECONDS)
    audio.write_flac(tmp_path / "clip.flac", clip, RATE_HZ)

    assert clip.shape == (5 * RATE_HZ, 2)
    assert np.all(np.abs(clip[[0, -1]]) < 1e-4)
    assert check_clip(tmp_path / "clip.flac", SECONDS) == []


def test_a_piece_too_short_is_refused_with_its_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", tone(4.0), RATE_HZ)

    with pytest.raises(
        DataError, match=r"short\.wav: the piece lasts 4\.00 s, too short to take 30 s from 1 s on"
    ):
        prepare_clip(tmp_path / "short.wav", 1.0)


def test_a_silent_part_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros((6 * RATE_HZ, 2)), RATE_HZ)

    with pytest.raises(DataError, match=r"quiet\.wav: .*silent"):
        prepare_clip(tmp_path / "quiet.wav", 0.0, SECONDS)
    moment = np.concatenate([np.zeros((10 * RATE_HZ, 2)), tone(1.0), np.zeros((49 * RATE_HZ, 2))])
    soundfile.write(tmp_path / "moment.wav", moment, RATE_HZ)
    with pytest.raises(DataError, match=r"moment\.wav: .*silent after 10 s but for a moment"):
        prepare_clip(tmp_path / "moment.wav", 10.0)


@pytest.mark.parametrize(("start_s", "seconds"), [(-1.0, 5.0), (0.0, 0.0), (0.0, -3.0), (float("nan"), 5.0)])
def test_impossible_times_are_refused(tmp_path: Path, start_s: float, seconds: float) -> None:
    with pytest.raises(ConfigError, match="give a start of 0 or later"):
        prepare_clip(tmp_path / "any.wav", start_s, seconds)
