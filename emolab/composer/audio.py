"""Sound files and sound levels: read, write, cut, fade, loudness, checksum.

Samples are floats of −1..1 in an array `(n, channels)`. Loudness is the integrated loudness of
EBU R 128 / ITU-R BS.1770-4 (LUFS); the true peak is read from the signal at four times its rate, as
BS.1770 Annex 2 asks (dBTP).

A clip's checksum is that of its sound, not of its file: the SHA-256 of the decoded samples as 16-bit
little-endian integers, channels interleaved. Two encoders may pack the same sound into different
FLAC bytes; the checksum stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import resample_poly

from emolab.composer.exact import ease, from_db
from emolab.core.disk import sync_folder
from emolab.core.errors import DataError

Samples = NDArray[np.float64]

TARGET_LUFS = -23.0  # EBU R 128
CEILING_DBTP = -1.0  # EBU R 128
GAIN_STEP_DB = 0.01  # gains are rounded to this, so that they are the same on every machine
SHORTEST_S = 0.4  # one gating block of BS.1770
MOST_CHANNELS = 5  # of which BS.1770 knows the weights
_FULL_SCALE = 32768.0


def read(path: Path | str) -> tuple[Samples, int]:
    """The samples `(n, channels)` and rate in hertz of any sound file that libsndfile reads.

    Raises `DataError` when the file is missing, no sound file, or damaged.
    """
    if not Path(path).is_file():  # libsndfile says no more than "System error"
        raise DataError(f"there is no sound file {path}; check the spelling")
    _check_name(path)
    try:
        samples, rate_hz = soundfile.read(str(path), dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:  # TypeError: NAME.raw has no header
        raise DataError(
            f"{path} cannot be read as sound ({error}); give a WAV, FLAC, OGG or MP3 file"
        ) from error
    return samples, int(rate_hz)


def to_pcm(samples: NDArray[np.floating] | NDArray[np.int16]) -> NDArray[np.int16]:
    """The samples rounded to 16-bit integers, as they are stored and hashed; int16 passes through."""
    if samples.dtype == np.int16:
        return samples  # type: ignore[return-value]
    return np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1.0).astype(np.int16)


def pcm_sha256(samples: NDArray[np.floating] | NDArray[np.int16]) -> str:
    """The checksum of a sound: SHA-256 over 16-bit little-endian interleaved samples, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(to_pcm(samples), dtype="<i2").tobytes()).hexdigest()


def write_flac(path: Path | str, samples: NDArray[np.floating] | NDArray[np.int16], rate_hz: int) -> None:
    """Write 16-bit FLAC, whole or not at all: a crash or a power cut never leaves half a clip under its name.

    Raises `DataError` when the folder cannot be written.
    """
    path = Path(path)
    _check_name(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(str(part), to_pcm(samples), rate_hz, format="FLAC", subtype="PCM_16")
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(
            f"{path} cannot be written ({error}); free some disk or choose another folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _check_name(path: Path | str) -> None:
    """libsndfile opens no file whose name is not in the system's own signs."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"the name {str(path)!r} is not UTF-8 text; rename the file (or its folder), then give it again"
        ) from error


def loudness_lufs(samples: NDArray[np.floating], rate_hz: int) -> float:
    """The integrated loudness in LUFS, −inf for silence.

    Raises `DataError` below 0.4 s or above five channels.
    """
    if samples.ndim > 1 and samples.shape[1] > MOST_CHANNELS:
        raise DataError(
            f"loudness is defined for {MOST_CHANNELS} channels, there are {samples.shape[1]}; "
            "mix them down to two"
        )
    if len(samples) < SHORTEST_S * rate_hz:
        raise DataError(
            f"loudness needs {SHORTEST_S} s of sound, there are {len(samples) / rate_hz:.3f} s; "
            "give a longer piece"
        )
    if not np.any(samples):
        return float("-inf")
    return float(pyloudnorm.Meter(rate_hz).integrated_loudness(np.asarray(samples, np.float64)))


def true_peak_dbtp(samples: NDArray[np.floating]) -> float:
    """The peak of the signal between its samples too, in dB below full scale (−inf for silence)."""
    if not np.any(samples):
        return float("-inf")
    between = np.max(np.abs(resample_poly(np.asarray(samples, np.float64), 4, 1, axis=0)))
    return float(20.0 * np.log10(max(between, np.max(np.abs(samples)))))


def normalise(samples: NDArray[np.floating], rate_hz: int, target: float = TARGET_LUFS) -> Samples:
    """The same sound at `target` LUFS, its true peak held below −1 dBTP.

    One gain for the whole piece, rounded to 0.01 dB; only where that would push peaks above the
    ceiling are those turned down for some milliseconds. Raises `DataError` for silence.
    """
    level = loudness_lufs(samples, rate_hz)
    if not np.isfinite(level):
        raise DataError("the piece is silent, so no gain brings it to a loudness; choose another part of it")
    louder = _amplified(samples, target - level)
    for _ in range(4):
        if true_peak_dbtp(louder) <= CEILING_DBTP:
            return louder
        louder = _held_below(louder, rate_hz, from_db(CEILING_DBTP - 0.3))
        louder = _amplified(louder, min(target - loudness_lufs(louder, rate_hz), 1.0))
    return _held_below(louder, rate_hz, from_db(CEILING_DBTP - 0.5))


def _amplified(samples: NDArray[np.floating], gain_db: float) -> Samples:
    rounded_db = round(gain_db / GAIN_STEP_DB) * GAIN_STEP_DB
    return np.asarray(samples, np.float64) * from_db(rounded_db)


def _held_below(samples: Samples, rate_hz: int, ceiling: float) -> Samples:
    """A look-ahead limiter: the gain each peak needs, held 5 ms around it and smoothed."""
    reach = max(round(0.005 * rate_hz), 1)
    peaks = np.max(np.abs(samples), axis=1)
    gain = np.minimum(1.0, ceiling / np.maximum(peaks, ceiling))
    gain = uniform_filter1d(minimum_filter1d(gain, 2 * reach + 1), reach)
    return samples * gain[:, np.newaxis]


def fade(samples: NDArray[np.floating], rate_hz: int, seconds: float = 1.0) -> Samples:
    """The sound with a smooth rise and fall of `seconds` at its ends (each at most half of it)."""
    faded = np.array(samples, np.float64)
    length = min(round(seconds * rate_hz), len(faded) // 2)
    if length:
        ramp = ease(length).astype(np.float64)[:, np.newaxis]
        faded[:length] *= ramp
        faded[-length:] *= ramp[::-1]
    return faded


def cut(samples: NDArray[np.floating], rate_hz: int, start_s: float, seconds: float) -> Samples:
    """`seconds` of sound from `start_s` on. Raises `DataError` when the piece ends before that."""
    first, count = (round(n) if np.isfinite(n) else -1 for n in (start_s * rate_hz, seconds * rate_hz))
    if first < 0 or count < 1 or first + count > len(samples):
        raise DataError(
            f"the piece lasts {len(samples) / rate_hz:.2f} s, too short to take {seconds:g} s "
            f"from {start_s:g} s on; start earlier or give a longer piece"
        )
    return np.array(samples[first : first + count], np.float64)


def stereo(samples: NDArray[np.floating], from_hz: int, to_hz: int) -> Samples:
    """Any sound as two channels at another rate; of more than two channels the first two are kept."""
    both = np.asarray(samples, np.float64)
    both = np.repeat(both[:, :1], 2, axis=1) if both.shape[1] == 1 else both[:, :2]
    if from_hz == to_hz:
        return both
    common = int(np.gcd(from_hz, to_hz))
    return np.asarray(resample_poly(both, to_hz // common, from_hz // common, axis=0))
