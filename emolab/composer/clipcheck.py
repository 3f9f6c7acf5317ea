"""What is wrong with a clip, one line each with its remedy; and a laboratory's own piece made into a clip.

A finding that is `grave` makes a bank unfit for a session. The one that is not: a composed clip whose
samples differ from the shipped checksum by the last bit, which cannot be heard and may come from a
processor whose arithmetic rounds otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from emolab.composer import bank
from emolab.composer.audio import (
    TARGET_LUFS,
    Samples,
    cut,
    fade,
    loudness_lufs,
    normalise,
    pcm_sha256,
    read,
    stereo,
    to_pcm,
    true_peak_dbtp,
)
from emolab.composer.pieces import RATE_HZ, SECONDS, catalogue
from emolab.core.errors import ConfigError, DataError

Code = Literal[
    "missing",
    "unreadable",
    "length",
    "rate",
    "channels",
    "clipped",
    "silent",
    "loudness",
    "checksum",
    "rounding",
    "duplicate",
]

LOUDNESS_TOLERANCE_LU = 0.5
LENGTH_TOLERANCE_S = 0.001
SILENCE_DBFS = -60.0
LONGEST_SILENCE_S = 3.0
SILENT_SHARE = 0.9  # of a clip's length: it is silent, whatever sounds in the rest
CLIPPED_RUN = 3  # so many samples in a row at full scale are no accident
CLIPPED_DBTP = 0.0


@dataclass(frozen=True)
class Finding:
    """One thing wrong with one clip. `str()` of it is the line to print."""

    path: Path
    code: Code
    text: str
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def check_clip(
    path: Path | str,
    expected_seconds: float = SECONDS,
    expected_sha256: str | None = None,
    expected_rate_hz: int = RATE_HZ,
    target_lufs: float = TARGET_LUFS,
    piece_id: str | None = None,
) -> list[Finding]:
    """Everything wrong with a clip, gravest first; an empty list for a clip fit to be played.

    `expected_sha256`: of the sound, as `audio.pcm_sha256` gives it; None does not compare. `piece_id`:
    of a composed clip, rendered again when the checksum is off, to tell rounding from another sound.
    """
    path = Path(path)
    if not path.is_file():
        return [Finding(path, "missing", "is not there; run 'emolab stimuli render', or restore the file")]
    try:
        samples, rate_hz = read(path)
    except DataError:
        text = "cannot be read as sound; render or add it again"
        return [Finding(path, "unreadable", text)]
    if len(samples) == 0:
        return [Finding(path, "unreadable", "holds no samples; render or add it again")]
    found = [
        *_form(path, samples, rate_hz, expected_seconds, expected_rate_hz),
        *_levels(path, samples, rate_hz, target_lufs),
    ]
    if expected_sha256 is not None and pcm_sha256(samples) != expected_sha256:
        found.append(_checksum_finding(path, samples, expected_sha256, piece_id))
    return found


def _form(path: Path, samples: Samples, rate_hz: int, seconds: float, expected_hz: int) -> list[Finding]:
    found = []
    lasts_s = len(samples) / rate_hz
    if abs(lasts_s - seconds) > LENGTH_TOLERANCE_S:
        text = f"lasts {lasts_s:.3f} s instead of {seconds:.3f} s; cut it anew with 'emolab stimuli add'"
        found.append(Finding(path, "length", text))
    if rate_hz != expected_hz:
        text = f"has {rate_hz} Hz instead of {expected_hz} Hz; convert it with 'emolab stimuli add'"
        found.append(Finding(path, "rate", text))
    if samples.shape[1] != 2:
        text = f"has {samples.shape[1]} channel(s) instead of 2; convert it with 'emolab stimuli add'"
        found.append(Finding(path, "channels", text))
    return found


def _levels(path: Path, samples: Samples, rate_hz: int, target: float) -> list[Finding]:
    quiet_s = _longest_silence_s(samples, rate_hz)
    whole_s = len(samples) / rate_hz
    if quiet_s > SILENT_SHARE * whole_s:
        return [Finding(path, "silent", "is silent; render it or add it again from another part")]
    found = []
    if _is_clipped(samples):
        text = "is clipped (samples at full scale); add it again from a source that is not overdriven"
        found.append(Finding(path, "clipped", text))
    if quiet_s > LONGEST_SILENCE_S:
        text = f"is silent for {quiet_s:.1f} s on end; choose another part of the piece"
        found.append(Finding(path, "silent", text))
    try:
        level = loudness_lufs(samples, rate_hz)
    except DataError as error:
        return [*found, Finding(path, "loudness", str(error))]
    if not abs(level - target) <= LOUDNESS_TOLERANCE_LU:
        text = f"is at {level:.1f} LUFS instead of {target:.1f} ± {LOUDNESS_TOLERANCE_LU}; "
        found.append(Finding(path, "loudness", text + "normalise it with 'emolab stimuli add'"))
    return found


def _is_clipped(samples: Samples) -> bool:
    full = np.abs(samples) >= 1.0 - 1.5 / 32768.0
    runs = full[CLIPPED_RUN - 1 :].copy()
    for back in range(1, CLIPPED_RUN):
        runs &= full[CLIPPED_RUN - 1 - back : len(full) - back]
    return bool(np.any(runs)) or true_peak_dbtp(samples) > CLIPPED_DBTP


def _longest_silence_s(samples: Samples, rate_hz: int) -> float:
    """The longest run of tenths of a second whose level stays below −60 dBFS."""
    step = max(rate_hz // 10, 1)
    tenths = samples[: len(samples) // step * step].reshape(-1, step * samples.shape[1])
    if len(tenths) == 0:
        return 0.0
    quiet = np.sqrt(np.mean(tenths**2, axis=1)) < 10.0 ** (SILENCE_DBFS / 20.0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return float(np.max(edges[1::2] - edges[::2], initial=0)) * step / rate_hz


def _checksum_finding(path: Path, samples: Samples, expected: str, piece_id: str | None) -> Finding:
    text = f"does not sound as the manifest's checksum says ({expected[:12]}…); "
    if piece_id is None or piece_id not in {piece.id for piece in catalogue()}:
        return Finding(
            path, "checksum", text + "restore the file, or add it again if it was changed on purpose"
        )
    composed = to_pcm(bank.render(piece_id)).astype(np.int32)
    if composed.shape == samples.shape:
        off = np.abs(composed - to_pcm(samples))
        if int(off.max()) <= 1:
            count = int(np.count_nonzero(off.any(axis=1)))
            text = (
                f"differs from the manifest's checksum in {count} sample(s), by the last of 16 bits only: "
                "this machine rounds otherwise, nothing to do"
            )
            return Finding(path, "rounding", text, grave=False)
    return Finding(path, "checksum", text + "run 'emolab stimuli render' to make it again")


def find_duplicates(paths: Iterable[Path | str]) -> list[tuple[Path, ...]]:
    """Groups of files that hold the very same sound, whatever their names and encoders.

    Missing and unreadable files are passed over: `check_clip` reports those.
    """
    same: dict[str, list[Path]] = defaultdict(list)
    for path in map(Path, paths):
        try:
            samples, _ = read(path)
        except DataError:
            continue
        same[pcm_sha256(samples)].append(path)
    return [tuple(group) for group in same.values() if len(group) > 1]


def duplicate_findings(paths: Iterable[Path | str]) -> list[Finding]:
    """A finding for each file that repeats the sound of an earlier one."""
    return [
        Finding(again, "duplicate", f"holds the same sound as {group[0]}; replace one of the two")
        for group in find_duplicates(paths)
        for again in group[1:]
    ]


def prepare_clip(
    source_file: Path | str, start_s: float = 0.0, seconds: float = SECONDS, rate_hz: int = RATE_HZ
) -> Samples:
    """A part of any sound file as a clip: two channels, `rate_hz`, faded 1 s, −23 LUFS; `(n, 2)`.

    Raises `ConfigError` for a start before 0 or no length, `DataError` when the file cannot be read, is
    too short or silent there; each names the file.
    """
    if not (0.0 <= start_s < np.inf and 0.0 < seconds < np.inf):
        raise ConfigError(
            f"a clip of {source_file} cannot start at {start_s:g} s and last {seconds:g} s; "
            "give a start of 0 or later and a length"
        )
    samples, source_hz = read(source_file)
    try:
        # cut first, so that only what is wanted is resampled
        piece = stereo(cut(samples, source_hz, start_s, seconds), source_hz, rate_hz)
        wanted = round(seconds * rate_hz)
        exact = np.zeros((wanted, 2))
        exact[: len(piece)] = piece[:wanted]
        made = normalise(fade(exact, rate_hz, min(bank.FADE_S, seconds / 4.0)), rate_hz)
        if _longest_silence_s(made, rate_hz) > SILENT_SHARE * seconds:
            raise DataError(
                f"the piece is silent after {start_s:g} s but for a moment; choose another part of it"
            )
        return made
    except DataError as error:
        raise DataError(f"{source_file}: {error}") from error


def check_bank(
    folder: Path, clips: Sequence[tuple[str, str, str | None]], seconds: float = SECONDS
) -> list[Finding]:
    """Every finding of a bank. `clips`: (id, file relative to `folder`, sha256 or None), one each."""
    found: list[Finding] = []
    for piece_id, file, sha256 in clips:
        found.extend(check_clip(folder / file, seconds, sha256, piece_id=piece_id))
    return [*found, *duplicate_findings(folder / file for _, file, _ in clips)]
