"""The folder an analysis is written to: its own, written by one at a time, with nothing old left in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from emolab.analysis import kept
from emolab.core.disk import is_ours
from emolab.core.errors import ConfigError

LOCK = ".analysis.lock"
FOLDERS = ("figures", "tables")
NAMES = ("report.html", *(f"{name}.{end}" for name in ("clips", "baselines") for end in ("parquet", "csv")))
OF_A_STUDY = ("participants.jsonl", "study.json", ".emolab", "*_session-*.h5")


@contextlib.contextmanager
def own(out: Path) -> Iterator[None]:
    """Make the folder and have it to oneself.

    Raises `ConfigError` when it cannot be written, holds what no analysis wrote, is a study's or a
    participant's, or when another analysis writes into it now.
    """
    try:
        if out.is_dir():
            _check(out)
        for name in FOLDERS:
            (out / name).mkdir(parents=True, exist_ok=True)
        lock = (out / LOCK).open("ab")
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be written ({error.strerror or error}); choose another folder"
        ) from error
    with lock:
        if not is_ours(lock):
            raise ConfigError(f"another analysis writes into {out}; wait for it, or choose another folder")
        yield


def drop_old(out: Path, written: Sequence[str]) -> None:
    """Erase figures and tables that the last analysis wrote here and this one did not."""
    for name in set(kept.files(out)) - set(written):
        path = out / name
        if path.parent.parent == out and path.parent.name in FOLDERS:
            with contextlib.suppress(OSError):
                path.unlink()


def _check(out: Path) -> None:
    for name in OF_A_STUDY:
        if next(out.glob(name), None):
            raise ConfigError(
                f"{out} is a study's own folder; choose one of its own for the analysis, such as "
                f"{out / 'analysis'}"
            )
    if kept.is_there(out):
        return
    there = [out / name for name in (*NAMES, kept.FILE) if (out / name).exists()]
    there += [path for name in FOLDERS for path in sorted((out / name).glob("*"))]
    if there:
        raise ConfigError(
            f"{there[0]} was written by no analysis and would be lost; choose another folder, or move it away"
        )
