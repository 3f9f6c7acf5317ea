"""What was computed from a trial's arrays, kept on disk: found again by content and parameters, not by name.

    kept = ArrayCache(folder, most_bytes=2 << 30)
    make = lambda: decompose(conductance, 4.0)
    found = kept.get_or_make("cvxeda", {"y": conductance}, {"rate_hz": 4.0}, make)
    found["tonic"], found["phasic"]

An entry's name is the SHA-256 of the task, the arrays (name, type, shape, every byte) and the parameters, so
another corpus with the same signal finds it, and another parameter does not. A task whose maths changes is
given another name, such as "cvxeda-2". Entries are npz without pickles behind their own SHA-256, written
aside and renamed: several processes may share a folder, and at worst compute the same twice. One that is
damaged is made anew. When the folder has grown over its bound, those that were not asked for longest are
erased. An entry does not say whose signal it is of, so nothing of participants of our own studies is kept
here.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np
import platformdirs
from numpy.typing import NDArray

from emolab.core.errors import DataError, shown

MOST_BYTES = 4 << 30
TO_SHARE = 0.9  # of the bound, what is left after erasing
EVERY = 64  # entries written between two looks at the folder
OLD_S = 3600.0  # a half of an entry that old is of a process that was killed
SEAL = 32  # bytes of SHA-256 before an entry
DAMAGE = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error, NotImplementedError)

Arrays = Mapping[str, NDArray[Any]]

log = logging.getLogger(__name__)


def key_of(task: str, arrays: Arrays, parameters: Mapping[str, Any]) -> str:
    """64 hexadecimal digits that stand for a task, the content of arrays, and parameters.

    Raises `DataError` for arrays of objects and for parameters that JSON cannot tell exactly.
    """
    mark = hashlib.sha256()
    try:
        told = json.dumps([task, dict(parameters)], sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"parameters of {shown(task)} cannot be kept ({error}); give words and numbers"
        ) from error
    _feed(mark, told.encode())
    for name, values in sorted(arrays.items()):
        given = np.ascontiguousarray(values)
        if given.dtype.hasobject:
            raise DataError(f"array {name!r} of {shown(task)} holds objects; give numbers")
        _feed(mark, name.encode())
        _feed(mark, f"{given.dtype.str} {np.shape(values)}".encode())
        _feed(mark, given.tobytes())
    return mark.hexdigest()


def keep_whole(path: Path, write: Callable[[IO[bytes]], object]) -> bool:
    """Write a file aside and rename it: other processes may do the same at the same time.

    False, and a line in the log, where the folder cannot be written to: what is kept can be done without.
    """
    try:
        _write_whole(path, write)
    except OSError as error:
        log.warning("nothing can be kept in %s (%s)", path.parent, error)
        return False
    return True


def _write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Raises `OSError`, and leaves no half."""
    aside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as half:
            aside = Path(half.name)
            write(half)
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            if aside is not None:
                aside.unlink()
        raise


class ArrayCache:
    """Entries in `folder` (by default the user's cache), of `most_bytes` together."""

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self.folder = (
            Path(platformdirs.user_cache_dir("emolab")) / "arrays" if folder is None else Path(folder)
        )
        self.most_bytes = most_bytes
        self._written = 0
        self._is_told = False  # that the folder cannot be written to: an entry is made for every trial

    def get_or_make(
        self, task: str, arrays: Arrays, parameters: Mapping[str, Any], make: Callable[[], Arrays]
    ) -> dict[str, NDArray[Any]]:
        """What `make` gives for them, or gave before. What it raises is not kept."""
        key = key_of(task, arrays, parameters)
        found = self.get(key)
        if found is None:
            found = {name: np.asarray(values) for name, values in make().items()}
            self.put(key, found)
        return found

    def get(self, key: str) -> dict[str, NDArray[Any]] | None:
        """An entry's arrays; None when it is not there, or damaged: then it is erased."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        try:
            found = _unpacked(content)
        except DAMAGE as error:
            log.warning("%s is damaged (%s) and will be made anew", path, error)
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)  # asked for just now
        return found

    def put(self, key: str, arrays: Arrays) -> None:
        """Keep arrays under a key. A folder that cannot be written to is told once, and done without.

        Raises `DataError` for arrays of objects.
        """
        if any(np.asarray(values).dtype.hasobject for values in arrays.values()):
            raise DataError("arrays of objects cannot be kept; give numbers")
        content = _packed(arrays)
        if len(content) > self.most_bytes:
            return
        try:
            _write_whole(self._path(key), lambda half: half.write(content))
        except OSError as error:
            log.log(
                logging.DEBUG if self._is_told else logging.WARNING,
                "nothing can be kept in %s (%s); what is computed is computed again the next time",
                self.folder,
                error,
            )
            self._is_told = True
            return
        self._written += 1
        if self._written % EVERY == 1:
            self.tidy()

    def tidy(self) -> None:
        """Erase what a killed process left, and the entries not asked for longest, until the rest fits."""
        entries = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):  # another process erased it
                state = path.stat()
                if path.suffix == ".kept":
                    entries.append((state.st_mtime, state.st_size, path))
                elif path.suffix == ".part" and time.time() - state.st_mtime > OLD_S:
                    path.unlink()
        whole = sum(size for _, size, _ in entries)
        if whole <= self.most_bytes:
            return
        for _, size, path in sorted(entries):
            if whole <= self.most_bytes * TO_SHARE:
                break
            with suppress(OSError):
                path.unlink()
            whole -= size

    def _path(self, key: str) -> Path:
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise DataError(f"{shown(key)} is no key; make it with key_of")
        return self.folder / key[:2] / f"{key}.kept"


def _packed(arrays: Arrays) -> bytes:
    """An npz behind its own SHA-256: a flipped bit is seen, also where the zip would not see it."""
    out = io.BytesIO()
    named: dict[str, Any] = {f"a_{name}": values for name, values in arrays.items()}
    np.savez(out, **named)
    content = out.getvalue()
    return hashlib.sha256(content).digest() + content


def _unpacked(content: bytes) -> dict[str, NDArray[Any]]:
    if hashlib.sha256(content[SEAL:]).digest() != content[:SEAL]:
        raise ValueError("it is not what was written")
    with np.load(io.BytesIO(content[SEAL:]), allow_pickle=False) as stored:
        return {name.removeprefix("a_"): stored[name] for name in stored.files}


def _feed(mark: Any, part: bytes) -> None:
    """A part behind its length: no two rows of parts look the same."""
    mark.update(len(part).to_bytes(8, "little"))
    mark.update(part)
