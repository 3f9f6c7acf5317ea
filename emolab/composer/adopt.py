"""A laboratory's own piece becomes a clip of its bank."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from emolab.composer.audio import loudness_lufs, pcm_sha256, read, to_pcm, write_flac
from emolab.composer.bank import ClipRow
from emolab.composer.clipcheck import prepare_clip
from emolab.composer.pieces import RATE_HZ, SECONDS, catalogue
from emolab.core.disk import alone
from emolab.core.errors import ConfigError, DataError
from emolab.core.label import state as state_of

UNSTATED_LICENCE = "not stated"
PATIENCE_S = 60.0  # a clip is entered within some seconds


@contextlib.contextmanager
def own(folder: Path, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Make a bank's folder and have it to oneself; who comes second waits.

    Raises `ConfigError` when it cannot be written, or is not let go of in time.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(alone(folder / "bank", patience_s))
        except TimeoutError as error:
            raise ConfigError(
                f"another emolab adds clips to {folder} and takes long; try again later"
            ) from error
        except OSError as error:
            raise ConfigError(
                f"the bank {folder} cannot be written ({error.strerror or error}); choose another with --bank"
            ) from error
        yield


def adopt_clip(
    source_file: Path | str,
    state: str,
    folder: Path,
    start_s: float = 0.0,
    seconds: float = SECONDS,
    title: str | None = None,
    clip_id: str | None = None,
    licence: str = UNSTATED_LICENCE,
) -> ClipRow:
    """Cut, fade and normalise a sound file into `folder/clips/<id>.flac`; returns its manifest row.

    The id is `<state>-<file name>` unless given, numbered where that is a composed clip's, or where the name
    has letters that no id may have and what is left of it is taken or nothing; the row's `source` is the
    file's name. Raises `DataError` for a state that is none of the five, or a source too short, silent or
    unreadable; `ConfigError` for an id taken or unfit as a file name, or a sound the bank already holds.
    """
    source = Path(source_file)
    state_of(state)
    named = clip_id if clip_id is not None else _named_after(source, state, folder)
    if not named or named != _plain(named):
        raise ConfigError(f"{named!r} is no clip id; use letters, digits, '-' and '_', or leave it out")
    file = f"clips/{named}.flac"
    if (folder / file).exists():
        raise ConfigError(
            f"{folder / file} is already there; give another id with --id, or remove that clip first"
        )
    pcm = to_pcm(prepare_clip(source, start_s, seconds))
    sha256 = pcm_sha256(pcm)
    _refuse_known(folder / "clips", sha256, source)
    write_flac(folder / file, pcm, RATE_HZ)
    loudness = loudness_lufs(pcm / 32768.0, RATE_HZ)
    return ClipRow(named, state, file, title or source.stem, source.name, licence, sha256, loudness)


def _named_after(source: Path, state: str, folder: Path) -> str:
    plain = _plain(source.stem)
    named = f"{state}-{plain}"
    composed = {piece.id for piece in catalogue()}  # an analysis would take it for that clip
    if plain and named not in composed:
        is_all = all(sign.isascii() or not sign.isalnum() for sign in source.stem)
        if is_all or not (folder / f"clips/{named}.flac").exists():
            return named
    numbered = (f"{named}-{n}" if plain else f"{named}{n}" for n in count(2 if plain else 1))
    return next(
        each for each in numbered if each not in composed and not (folder / f"clips/{each}.flac").exists()
    )


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")


def _refuse_known(clips: Path, sha256: str, source: Path) -> None:
    for there in sorted(clips.glob("*.flac")):
        try:
            known = pcm_sha256(read(there)[0])
        except DataError:
            continue  # a damaged neighbour is the check's business
        if known == sha256:
            raise ConfigError(f"{source} gives the same clip as {there}; choose another part or piece")
