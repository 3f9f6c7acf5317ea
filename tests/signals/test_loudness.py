"""Sines of known level are as loud as EBU Tech 3341 says, at any time and in any pieces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.signals.loudness import LOUDNESS_FEATURES, Loudness, read_loudness

RATE_HZ = 48_000
EXACT_LU = 0.1  # EBU Tech 3341


def sine(*parts: tuple[float, float], rate_hz: int = RATE_HZ, hz: float = 1000.0) -> NDArray[np.float64]:
    """Two channels of one sine; `parts`: dBFS of its peak, and seconds."""
    level = np.concatenate([np.full(round(seconds * rate_hz), 10 ** (dbfs / 20)) for dbfs, seconds in parts])
    wave = level * np.sin(2 * np.pi * hz * np.arange(len(level)) / rate_hz)
    return np.stack([wave, wave], axis=1)


def figures(sound: NDArray, rate_hz: int = RATE_HZ) -> dict[str, float]:
    return read_loudness(sound, rate_hz).over(0.0, len(sound) / rate_hz)


@pytest.mark.parametrize(
    "parts,lufs",  # test cases 1 to 5 of EBU Tech 3341
    [
        ([(-23.0, 20.0)], -23.0),
        ([(-33.0, 20.0)], -33.0),
        ([(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
        ([(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
        ([(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
    ],
)
def test_the_cases_of_tech_3341(parts: list[tuple[float, float]], lufs: float) -> None:
    assert figures(sine(*parts, rate_hz=16_000), 16_000)["sound_lufs"] == pytest.approx(lufs, abs=EXACT_LU)


@pytest.mark.parametrize(
    "parts,range_lu", [([(-20.0, 20.0), (-30.0, 20.0)], 10.0), ([(-20.0, 20.0), (-15.0, 20.0)], 5.0)]
)
def test_the_range_of_tech_3342(parts: list[tuple[float, float]], range_lu: float) -> None:
    assert figures(sine(*parts, rate_hz=16_000), 16_000)["sound_range_lu"] == pytest.approx(range_lu, abs=1.0)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_it_is_what_pyloudnorm_says(rate_hz: int) -> None:
    rng = np.random.default_rng(3)
    sound = (
        rng.normal(0.0, 0.1, (5 * rate_hz, 2)) * np.repeat(rng.uniform(0.01, 1.0, 10), rate_hz // 2)[:, None]
    )
    assert figures(sound, rate_hz)["sound_lufs"] == pytest.approx(
        pyloudnorm.Meter(rate_hz).integrated_loudness(sound), abs=0.02
    )


def test_momentary_and_short_term_follow_a_step() -> None:
    loud = read_loudness(sine((-40.0, 5.0), (-20.0, 5.0)), RATE_HZ)
    times_s, momentary = loud.momentary()
    assert momentary[times_s < 4.95] == pytest.approx(-40.0, abs=EXACT_LU)
    assert momentary[times_s > 5.45] == pytest.approx(-20.0, abs=EXACT_LU)
    times_s, short = loud.short_term()
    assert short[times_s > 8.05] == pytest.approx(-20.0, abs=EXACT_LU)
    assert short[(times_s > 6.45) & (times_s < 6.55)] == pytest.approx(-23.0, abs=0.2)
    assert loud.over(0.0, 10.0)["sound_max_lufs"] == pytest.approx(-20.0, abs=EXACT_LU)
    half_s = loud.over(0.0, 6.5)  # of whose last 3 s one and a half are loud
    assert half_s["sound_max_lufs"] == pytest.approx(-20.0, abs=EXACT_LU)
    assert half_s["sound_short_lufs"] == pytest.approx(-23.0, abs=0.1)


def test_whole_numbers_and_floats_are_as_loud() -> None:
    sound = sine((-23.0, 2.0))
    assert figures(np.rint(sound * 32768).astype(np.int16))["sound_lufs"] == pytest.approx(
        -23.0, abs=EXACT_LU
    )
    assert figures(sound[:, 0])["sound_lufs"] == pytest.approx(-26.0, abs=EXACT_LU)  # one channel of two


def test_silence_has_its_share_and_no_loudness() -> None:
    quiet = figures(np.zeros((2 * RATE_HZ, 2)))
    assert quiet["sound_silence"] == 1.0 and np.isnan(quiet["sound_lufs"])
    half = figures(np.concatenate([np.zeros((5 * RATE_HZ, 2)), sine((-23.0, 5.0))]))
    assert half["sound_silence"] == pytest.approx(0.5, abs=0.05)
    assert half["sound_lufs"] == pytest.approx(-23.0, abs=0.3)


def test_pieces_are_one_sound() -> None:
    sound = sine((-30.0, 2.0), (-20.0, 3.0))
    times_s = 100.0 + np.arange(len(sound)) / RATE_HZ

    def pieces() -> Iterator[tuple[NDArray, NDArray]]:
        for start in range(0, len(sound), 7777):
            yield times_s[start : start + 7777], sound[start : start + 7777]

    whole, parts = read_loudness(sound, RATE_HZ, times_s=times_s), read_loudness(pieces(), RATE_HZ)
    np.testing.assert_allclose(parts.power, whole.power, rtol=1e-9)
    np.testing.assert_allclose(parts.times_s, whole.times_s, atol=1e-6)
    assert set(parts.pieces) == {0}
    even = read_loudness(((float(at_s[0]), samples) for at_s, samples in pieces()), RATE_HZ)
    np.testing.assert_allclose(even.power, whole.power, rtol=1e-9)
    np.testing.assert_allclose(even.times_s, whole.times_s, atol=1e-6)
    ends = read_loudness(((at_s[[0, -1]], samples) for at_s, samples in pieces()), RATE_HZ)
    np.testing.assert_allclose(ends.power, whole.power, rtol=1e-9)
    np.testing.assert_allclose(ends.times_s, whole.times_s, atol=1e-6)


def test_a_hole_between_pieces_that_tell_but_their_beginning() -> None:
    sound = sine((-20.0, 2.0))
    loud = read_loudness([(0.0, sound), (2.0, sound), (7.0, sound)], RATE_HZ)
    assert set(loud.pieces) == {0, 1}
    assert loud.good_share(4.0, 7.0) == pytest.approx(0.0, abs=1e-6)
    assert loud.over(2.0, 4.0)["sound_lufs"] == pytest.approx(-20.0, abs=EXACT_LU)


def test_a_hole_is_a_hole_and_no_block_crosses_it() -> None:
    sound = sine((-20.0, 4.0))
    times_s = np.arange(len(sound)) / RATE_HZ
    times_s[2 * RATE_HZ :] += 3.0
    loud: Loudness = read_loudness(sound, RATE_HZ, times_s=times_s)
    assert loud.good_share(2.0, 5.0) == pytest.approx(0.0, abs=0.01)
    assert loud.good_share(0.0, 7.0) == pytest.approx(4 / 7, abs=0.01)
    at_s, _ = loud.momentary()
    assert not np.any((at_s > 2.01) & (at_s < 5.39))
    assert np.isnan(list(loud.over(2.1, 4.9).values())).all()
    assert list(loud.over(5.0, 7.0)) == [feature.name for feature in LOUDNESS_FEATURES]
    assert loud.over(5.0, 7.0)["sound_lufs"] == pytest.approx(-20.0, abs=EXACT_LU)


def test_after_long_silence_nothing_is_left_and_music_counts_again() -> None:
    sound = np.concatenate([sine((-23.0, 2.0)), np.zeros((60 * RATE_HZ, 2)), sine((-23.0, 2.0))])
    loud = read_loudness(sound, RATE_HZ)
    assert (loud.power[600:610] == 0.0).all()  # not what a computer calls denormal
    assert loud.over(62.5, 64.0)["sound_lufs"] == pytest.approx(-23.0, abs=EXACT_LU)


def test_what_is_no_number_is_silence() -> None:
    sound = sine((-23.0, 2.0))
    sound[RATE_HZ : RATE_HZ + 100] = np.nan
    assert figures(sound)["sound_lufs"] == pytest.approx(-23.0, abs=0.3)


@pytest.mark.parametrize(
    "sound,rate_hz,times_s,says",
    [
        (np.zeros(100), RATE_HZ, None, "0.4 s"),
        (np.zeros(0), RATE_HZ, None, "0.4 s"),
        (np.zeros(9000), 4000, None, "8 kHz"),
        (np.zeros((RATE_HZ, 6)), RATE_HZ, None, "none of"),
        (np.zeros(RATE_HZ), RATE_HZ, np.zeros(3), "give one each"),
        (np.zeros(RATE_HZ), RATE_HZ, np.arange(RATE_HZ)[::-1] / RATE_HZ, "do not ascend"),
    ],
)
def test_what_has_no_loudness_says_why(
    sound: NDArray, rate_hz: float, times_s: NDArray | None, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        read_loudness(sound, rate_hz, times_s=times_s)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32])
def test_whole_numbers_are_as_loud_as_what_they_stand_for(kind: type[np.integer]) -> None:
    """Those without a sign have silence in the middle, as WAV files of eight bits."""
    wave = sine((-6.0, 5.0))
    half = 2.0 ** (8 * np.dtype(kind).itemsize - 1)
    middle = half if np.dtype(kind).kind == "u" else 0.0
    whole = np.rint(wave * (half - 1) + middle).astype(kind)
    assert figures(whole)["sound_lufs"] == pytest.approx(figures(wave)["sound_lufs"], abs=0.1)
