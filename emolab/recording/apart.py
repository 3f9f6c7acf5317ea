"""`inspect` and `recover` in a process of their own, for files whose history nobody knows.

HDF5 is a library in C that trusts what it reads. Of 1500 session files damaged at random ten made it
loop for ever; since `layout` keeps texts elsewhere, none of 2260 (`python -m tests.fuzz.files FOLDER
SECONDS SEED`), but older and foreign files remain. So the file is read by a second `emolab`, which may
take so much memory and time and no more; what happens to that one is told here in one sentence.
Nothing heavy is imported.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Literal

from emolab.core.errors import RecordingError
from emolab.core.program import emolab
from emolab.recording.places import places

MEMORY_BYTES = 4 << 30  # beyond what the program takes by itself; inspecting three hours takes a tenth
LEAST_S = 20.0  # of processor time
BYTES_A_SECOND = 1e6  # and a second more for each; mending is twenty times faster
HERE = "--here"  # the option that says: you are the process of its own
Verb = Literal["inspect", "recover"]
_TOO_LONG = 24  # SIGXCPU: the time allowed by `limit` is over
_WRONG = 2  # the command line's code for an error told in one sentence


def run(verb: Verb, path: Path) -> dict[str, Any]:
    """What `inspect.inspect` or `recover.recover` returns. Raises as `say` does."""
    report: dict[str, Any] = json.loads(say(verb, path, is_json=True)[0])
    return report


def say(verb: Verb, path: Path, *, is_json: bool) -> tuple[str, int]:
    """What the verb prints, and its exit code, 0 or 1.

    Raises `RecordingError` with its sentence, or one that says that the file brought the reader down.
    """
    if path.is_dir():
        raise RecordingError(f"{path} is a folder; give a recording in it, as STUDY/P014/P014_session-0.h5")
    options = ["--json"] if is_json else []
    with subprocess.Popen(
        emolab(verb, *options, HERE, "--", path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1", "HDF5_PLUGIN_PRELOAD": "::"},
    ) as reader:
        try:
            said, complained = reader.communicate(timeout=3 * _limit_s(path))
        except BaseException as error:
            reader.kill()
            reader.communicate()
            _tidy(path)
            if isinstance(error, subprocess.TimeoutExpired):
                raise _too_damaged(path, "reading it takes too long") from error
            raise
    if reader.returncode in (0, 1) and said:
        return said, reader.returncode
    _tidy(path)
    sentence = (complained.strip().splitlines() or [""])[-1]
    if reader.returncode == _WRONG and sentence.startswith("emolab: "):
        raise RecordingError(sentence.removeprefix("emolab: "))
    if reader.returncode == -_TOO_LONG:
        raise _too_damaged(path, "reading it takes too long")
    raise _too_damaged(path, f"it brought the program that read it down ({sentence or reader.returncode})")


def limit(path: Path) -> None:
    """Let this process take no more memory and time than such a file may cost."""
    try:
        import resource
    except ImportError:  # Windows: the time is kept from outside, the memory by `guard`
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        seconds = int(_limit_s(path))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def mending(path: Path, by: str = "") -> Path:
    """Where a file is mended before it takes the damaged one's place; `by` whom."""
    return path.with_name(f".{path.name}.{by}mending")


def _tidy(path: Path) -> None:
    for left in (mending(path), *path.parent.glob(f".{glob.escape(path.name)}.*mending")):
        with contextlib.suppress(OSError):
            left.unlink()


def _limit_s(path: Path) -> float:
    size = 0
    for each in (path, *places(path)):
        with contextlib.suppress(OSError):  # it is not there, which the reader will say
            size += each.stat().st_size
    return LEAST_S + size / BYTES_A_SECOND


def _too_damaged(path: Path, what: str) -> RecordingError:
    return RecordingError(
        f"{path} is too damaged: {what}; keep it, and ask for help with the emolab version that wrote it"
    )
