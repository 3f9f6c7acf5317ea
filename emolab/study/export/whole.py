"""A file appears under its name only when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_tell: ContextVar[Callable[[Path], None] | None] = ContextVar("tell", default=None)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yields a place beside `path` to write to; what was written takes the name when all went well."""
    if (tell := _tell.get()) is not None:
        tell(path)
    beside = path.with_name(f".{path.name}.part")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def telling(tell: Callable[[Path], None]) -> Iterator[None]:
    """`tell` hears of every file inside, before it is begun."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)
