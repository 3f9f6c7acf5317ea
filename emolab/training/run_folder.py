"""The folder of a run: whose it is, who writes into it now, and files that are whole or not there.

    config.json         what was asked, of which data (their SHA-256), begun by which program and commit
    folds.json          which trial is tested, held back, learnt from or left out in which fold
    metrics.json        every figure, beside what chance does; the same run gives the same bytes
    predictions.parquet a row a tested trial: key, participant, song, fold, seed, label, guesses
    card.md             all of it for people, with alarms
    figures/            confusion, learning, calibration
    fold-00/ …          what learnt there (card and weights), `people.json` from whom, and `result.json`: what
                        it guessed, and by which programs it was learnt
    final/              what learnt from all rows, likewise

A fold counts as done when its `result.json` is there, a run when `metrics.json` is: they are written last,
when all else is on the disk.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import emolab
from emolab.core.disk import is_ours, sync_folder
from emolab.core.errors import ConfigError, DataError

CONFIG, FOLDS, METRICS, CARD = "config.json", "folds.json", "metrics.json", "card.md"
PREDICTIONS, FIGURES = "predictions.parquet", "figures"
RESULT, PROGRESS, PEOPLE = "result.json", "progress.json", "people.json"
FINAL, CHECK, FOLD = "final", "check", "fold-"
LOCK = ".run.lock"
FORMAT = 1
NOT_NOTED: Mapping[str, Any] = {"version": None, "commit": None, "is_changed": None}  # by older programs


@contextlib.contextmanager
def own(folder: Path) -> Iterator[None]:
    """Make the folder and have it to oneself. Raises `ConfigError` when it cannot be written or is taken.

    Where the block raises an error before anything was learnt, what it began is taken back.
    """
    try:
        made = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        before = _names(folder)
        lock = (folder / LOCK).open("ab")
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder with --out"
        ) from error
    with lock:
        if not is_ours(lock) or not _is_there(lock, folder / LOCK):
            raise ConfigError(
                f"{folder} is being written by another process; wait for it, or take another --out"
            )
        try:
            yield
        except Exception:
            if os.name == "nt":  # where a file that is open cannot be erased
                lock.close()
            _take_back(folder, before, made)
            raise


def _is_there(lock: BinaryIO, path: Path) -> bool:
    """Whether a lock is the one that others look for, and not one that was taken back before it was ours."""
    with contextlib.suppress(FileNotFoundError):
        return os.name == "nt" or os.path.samestat(os.fstat(lock.fileno()), path.stat())
    return False


def _take_back(folder: Path, before: set[str], made: Sequence[Path]) -> None:
    """Erase a run's beginning and the folders `made` for it, unless there is more of it than that."""
    with contextlib.suppress(OSError):
        begun = {one for name in (CONFIG, FOLDS) for one in (name, f"{name}.part")}
        if (new := _names(folder) - before) <= {LOCK, *begun}:
            for name in sorted(new, reverse=True):
                (folder / name).unlink()
            for one in made:
                one.rmdir()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def begin(out: Path, config: Mapping[str, Any]) -> None:
    """Note what is asked, or see that a run begun here before was asked the same.

    Raises `ConfigError` where another run, or something else, lies there.
    """
    before = read_json(out / CONFIG, "copy it back, or choose another --out")  # without it nobody knows
    if before is None:
        _check_empty(out)
        write_json(out / CONFIG, config)
        return
    if not isinstance(before, dict) or not isinstance(before.get("order"), dict):
        raise ConfigError(f"{out / CONFIG} is not as a run has written it; choose another --out")
    for part in ("order", "data_sha256"):
        if part in config and before.get(part) != config[part]:
            raise ConfigError(f"{out} holds a run with {_other(before, config, part)}; choose another --out")


def check_same(out: Path, config: Mapping[str, Any]) -> None:
    """The same before the data are read, and without a trace: raises `ConfigError` where `begin` would."""
    if (out / CONFIG).is_file():
        begin(out, {"order": config["order"]})
    elif out.is_dir():
        _check_empty(out)


def _check_empty(out: Path) -> None:
    """Raises `ConfigError` where something lies that no run has written, or nobody may look."""
    ours = (LOCK, f"{CONFIG}.part")  # the second of a run that was killed in its first write
    try:
        there = sorted(path.name for path in out.iterdir() if path.name not in ours)
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be read ({error.strerror or error}); choose another folder with --out"
        ) from error
    if there:
        raise ConfigError(f"{out} holds {there[0]}, which no run has written; choose another --out")


def _other(before: Mapping[str, Any], config: Mapping[str, Any], part: str) -> str:
    if part == "data_sha256":
        return "other data: trials, ratings or signals have changed since"
    old, new = before.get(part) or {}, config[part]
    names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
    told = {"people": "number of participants"}
    return "other " + ", ".join(
        f"{told.get(name, name)} ({old.get(name)!r}, not {new.get(name)!r})" for name in names
    )


def fold_folder(out: Path, number: int, seed: int, seeds: int) -> Path:
    """Of one fold; with several seeds it tells which."""
    return out / (f"{FOLD}{number:02d}" + (f"-seed-{seed}" if seeds > 1 else ""))


def write_json(path: Path, facts: Any) -> None:
    """Whole on the disk, or not at all."""
    write_text(path, json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """The same for words."""
    half = path.with_name(path.name + ".part")
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
    put(half, path)


def put(half: Path, path: Path) -> None:
    """Let the written file `half` be `path`, once it is on the disk."""
    with half.open("rb+") as file:
        os.fsync(file.fileno())
    half.replace(path)
    sync_folder(path.parent)


def read_json(path: Path, remedy: str = "delete it, and run the same command again") -> Any:
    """What `write_json` wrote, None where there is nothing. Raises `DataError` for what is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read ({error}); {remedy}") from error


def program() -> dict[str, Any]:
    """Which emolab this process runs, from which commit; None where it was installed from a package.

    `version`, `commit`, `is_changed` (against the commit), as they were at the first call: a checkout that
    moves on changes nothing of a program that runs.
    """
    return dict(_program())


def program_words(one: Mapping[str, Any]) -> str:
    """A program in words, for people; two that say the same are taken for the same."""
    if one["version"] is None:
        return "an emolab that did not note which"
    changed = ", with changes that are not committed" if one["is_changed"] else ""
    return f"emolab {one['version']}, commit {one['commit'] or 'from a package'}{changed}"


def joined(before: Sequence[Mapping[str, Any]], *now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Programs `before` and `now`, each once, in the order in which they come."""
    found: list[dict[str, Any]] = []
    for one in (*before, *now):
        if one not in found:
            found.append(dict(one))
    return found


@functools.cache
def _program() -> Mapping[str, Any]:
    place = Path(emolab.__file__).parents[1]
    found: dict[str, Any] = {"version": emolab.__version__, "commit": None, "is_changed": None}
    if (place / ".git").exists():
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            found["commit"] = _git(place, "rev-parse", "HEAD") or None
            found["is_changed"] = bool(_git(place, "status", "--porcelain", "--untracked-files=no", "emolab"))
    return found


def _git(place: Path, *words: str) -> str:
    asked = ["git", "--no-optional-locks", "-C", str(place), *words]  # in the way of nobody who commits
    done = subprocess.run(asked, capture_output=True, text=True, timeout=20)
    return done.stdout.strip() if done.returncode == 0 else ""
