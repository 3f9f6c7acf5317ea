from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.composer import audio
from emolab.core.errors import DataError
from tests.composer.sounds import RATE_HZ, tone


def test_a_sine_has_the_loudness_that_ebu_tech_3341_states() -> None:
    # a stereo 1 kHz sine of -23 dBFS peak reads -23 LUFS
    sine = tone(20.0, amplitude=10 ** (-23 / 20))

    assert audio.loudness_lufs(sine, RATE_HZ) == pytest.approx(-23.0, abs=0.1)


def test_silence_is_infinitely_soft() -> None:
    assert audio.loudness_lufs(np.zeros((RATE_HZ, 2)), RATE_HZ) == float("-inf")
    assert audio.true_peak_dbtp(np.zeros((RATE_HZ, 2))) == float("-inf")


def test_loudness_of_more_channels_than_bs_1770_weighs_is_refused() -> None:
    with pytest.raises(DataError, match="5 channels, there are 6"):
        audio.loudness_lufs(np.full((RATE_HZ, 6), 0.1), RATE_HZ)


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(1000))
    with pytest.raises(DataError, match=r"clip\.raw cannot be read as sound"):
        audio.read(tmp_path / "clip.raw")


def test_a_clip_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(audio.os, "fsync", lambda handle: done.append("synced"))
    monkeypatch.setattr(Path, "replace", lambda a, b: (done.append("named"), replace(a, b))[1])
    audio.write_flac(tmp_path / "clip.flac", tone(1.0), RATE_HZ)
    assert done == ["synced", "named", "synced"]


def test_loudness_of_a_click_is_refused() -> None:
    with pytest.raises(DataError, match=r"needs 0\.4 s"):
        audio.loudness_lufs(tone(0.2), RATE_HZ)


def test_true_peak_sees_between_the_samples() -> None:
    # a quarter of the rate, sampled at 45°: samples reach 0.707 of the wave
    quarter = np.sin(2 * np.pi * (np.arange(RATE_HZ) / 4 + 0.125))[:, np.newaxis] * 0.5

    assert np.max(np.abs(quarter)) == pytest.approx(0.5 / np.sqrt(2))
    assert audio.true_peak_dbtp(quarter[100:-100]) == pytest.approx(-6.02, abs=0.3)


@pytest.mark.parametrize("amplitude", [0.003, 0.1, 0.9])
def test_normalising_reaches_the_target_from_any_level(amplitude: float) -> None:
    sound = audio.normalise(tone(3.0, amplitude=amplitude), RATE_HZ)

    assert audio.loudness_lufs(sound, RATE_HZ) == pytest.approx(-23.0, abs=0.02)


def test_normalising_holds_peaks_below_the_ceiling() -> None:
    sound = tone(10.0, amplitude=0.02)
    sound[RATE_HZ * 2 :: RATE_HZ] = 0.9  # a click each second: 33 dB above the rest

    louder = audio.normalise(sound, RATE_HZ)

    assert audio.true_peak_dbtp(louder) <= -1.0
    assert audio.loudness_lufs(louder, RATE_HZ) == pytest.approx(-23.0, abs=0.5)


def test_normalising_silence_is_refused() -> None:
    with pytest.raises(DataError, match="silent"):
        audio.normalise(np.zeros((RATE_HZ, 2)), RATE_HZ)


def test_fade_rises_and_falls_evenly_and_leaves_the_middle() -> None:
    faded = audio.fade(np.ones((4 * RATE_HZ, 2)), RATE_HZ, 1.0)

    assert faded[0, 0] < 1e-6 and faded[-1, 0] < 1e-6
    assert np.all(np.diff(faded[:RATE_HZ, 0]) >= 0)
    assert faded[RATE_HZ // 2, 0] == pytest.approx(0.5, abs=1e-4)
    np.testing.assert_array_equal(faded, faded[::-1])
    np.testing.assert_array_equal(faded[RATE_HZ : 3 * RATE_HZ], 1.0)


def test_cut_takes_just_the_part_asked_for() -> None:
    ramp = np.arange(5 * RATE_HZ, dtype=float)[:, np.newaxis]

    part = audio.cut(ramp, RATE_HZ, 1.5, 2.0)

    assert part.shape == (2 * RATE_HZ, 1)
    assert part[0, 0] == 1.5 * RATE_HZ


@pytest.mark.parametrize(
    ("start_s", "seconds"),
    [
        (4.5, 1.0),
        (-0.1, 1.0),
        (0.0, 0.0),
        (9.0, 1.0),
        (np.inf, 1.0),
        (np.nan, 1.0),
        (1e305, 1.0),
        (0.0, np.inf),
    ],
)
def test_cut_refuses_what_is_not_there(start_s: float, seconds: float) -> None:
    with pytest.raises(DataError, match="too short"):
        audio.cut(tone(5.0), RATE_HZ, start_s, seconds)


def test_flac_gives_back_the_very_samples_and_checksum(tmp_path: Path) -> None:
    sound = np.random.default_rng(3).uniform(-1, 1, (10_000, 2))
    path = tmp_path / "deep" / "clip.flac"

    audio.write_flac(path, sound, RATE_HZ)
    back, rate_hz = audio.read(path)

    assert rate_hz == RATE_HZ
    assert np.max(np.abs(back - sound)) <= 1.0 / 32768
    assert audio.pcm_sha256(back) == audio.pcm_sha256(sound)


def test_the_checksum_is_of_the_sound_and_not_of_the_file(tmp_path: Path) -> None:
    pcm = audio.to_pcm(tone(1.0))
    soundfile.write(tmp_path / "a.wav", pcm, RATE_HZ)
    audio.write_flac(tmp_path / "b.flac", pcm, RATE_HZ)

    sums = {audio.pcm_sha256(audio.read(tmp_path / name)[0]) for name in ("a.wav", "b.flac")}

    assert len(sums) == 1
    pcm[500, 1] += 1
    assert audio.pcm_sha256(pcm) not in sums


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.flac"
    audio.write_flac(path, tone(0.1), RATE_HZ)
    before = path.read_bytes()

    def full_disk(name: str, *_: object, **__: object) -> None:
        Path(name).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile, "write", full_disk)
    with pytest.raises(DataError, match=r"clip\.flac cannot be written.*free some disk"):
        audio.write_flac(path, tone(0.2), RATE_HZ)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    text = tmp_path / "song.mp3"
    text.write_text("not music")

    with pytest.raises(DataError, match=r"song\.mp3 cannot be read"):
        audio.read(text)
    with pytest.raises(DataError, match=r"there is no sound file .*none\.wav; check the spelling"):
        audio.read(tmp_path / "none.wav")


def test_stereo_resamples_without_moving_the_tone() -> None:
    mono = tone(2.0, rate_hz=44_100, channels=1)

    both = audio.stereo(mono, 44_100, 48_000)

    assert both.shape == (96_000, 2)
    np.testing.assert_array_equal(both[:, 0], both[:, 1])
    spectrum = np.abs(np.fft.rfft(both[:, 0]))
    assert np.argmax(spectrum) * 0.5 == pytest.approx(997.0, abs=0.5)
