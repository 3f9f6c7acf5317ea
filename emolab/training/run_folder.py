"""The folder of a run: whose it is, who writes into it now, and files that are whole or not there.

    config.json         what was asked, of which data (their SHA-256), by which program and commit
    folds.json          which trial is tested, held back, learnt from or left out in which fold
    metrics.json        every figure, beside what chance does; the same run gives the same bytes
    predictions.parquet a row a tested trial: key, participant, song, fold, seed, label, guesses
    card.md             all of it for people, with alarms
    figures/            confusion, learning, calibration
    fold-00/ …          what learnt there (card and weights), `people.json` from whom, and `result.json`
    final/              what learnt from all rows, likewise

A fold counts as done when its `result.json` is there, which is written last.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import emolab
from emolab.core.disk import is_ours, sync_folder
from emolab.core.errors import ConfigError, DataError

CONFIG, FOLDS, METRICS, CARD = "config.json", "folds.json", "metrics.json", "card.md"
PREDICTIONS, FIGURES = "predictions.parquet", "figures"
RESULT, PROGRESS, PEOPLE = "result.json", "progress.json", "people.json"
FINAL, CHECK = "final", "check"
LOCK = ".run.lock"
FORMAT = 1


@contextlib.contextmanager
def own(folder: Path) -> Iterator[None]:
    """Make the folder and have it to oneself. Raises `ConfigError` when it cannot be written or is taken."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("ab")
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder with --out"
        ) from error
    with lock:
        if not is_ours(lock):
            raise ConfigError(
                f"{folder} is being written by another process; wait for it, or take another --out"
            )
        yield


def begin(out: Path, config: Mapping[str, Any]) -> None:
    """Note what is asked, or see that a run begun here before was asked the same.

    Raises `ConfigError` where another run, or something else, lies there.
    """
    before = read_json(out / CONFIG)
    if before is None:
        if there := sorted(path.name for path in out.iterdir() if path.name != LOCK):
            raise ConfigError(f"{out} holds {there[0]}, which no run has written; choose another --out")
        write_json(out / CONFIG, config)
        return
    for part in ("order", "data_sha256"):
        if part in config and before.get(part) != config[part]:
            raise ConfigError(f"{out} holds a run with {_other(before, config, part)}; choose another --out")


def check_same(out: Path, config: Mapping[str, Any]) -> None:
    """The same before the data are read: raises `ConfigError` where `begin` would."""
    if (out / CONFIG).is_file():
        begin(out, {"order": config["order"]})


def _other(before: Mapping[str, Any], config: Mapping[str, Any], part: str) -> str:
    if part == "data_sha256":
        return "other data: trials, ratings or signals have changed since"
    old, new = before.get(part) or {}, config[part]
    names = [name for name in new if old.get(name) != new[name]]
    return "other " + ", ".join(f"{name} ({old.get(name)!r}, not {new[name]!r})" for name in names)


def fold_folder(out: Path, number: int, seed: int, seeds: int) -> Path:
    """Of one fold; with several seeds it tells which."""
    return out / (f"fold-{number:02d}" + (f"-seed-{seed}" if seeds > 1 else ""))


def write_json(path: Path, facts: Any) -> None:
    """Whole on the disk, or not at all."""
    write_text(path, json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """The same for words."""
    half = path.with_name(path.name + ".part")
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    sync_folder(path.parent)


def read_json(path: Path) -> Any:
    """What `write_json` wrote, None where there is nothing. Raises `DataError` for what is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path} cannot be read ({error}); delete it, and run the same command again"
        ) from error


def program() -> dict[str, Any]:
    """Which emolab, from which commit; None where it was installed from a package."""
    place = Path(emolab.__file__).parents[1]
    found: dict[str, Any] = {"version": emolab.__version__, "commit": None, "is_changed": None}
    if (place / ".git").exists():
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            found["commit"] = _git(place, "rev-parse", "HEAD") or None
            found["is_changed"] = bool(_git(place, "status", "--porcelain", "--untracked-files=no", "emolab"))
    return found


def _git(place: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(place), *words], capture_output=True, text=True, timeout=20)
    return done.stdout.strip() if done.returncode == 0 else ""
