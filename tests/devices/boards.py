"""Simulated boards as programs of their own, for the tests of the drivers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from emolab.core.stream import Chunk
from emolab.devices.source import Source


@contextmanager
def playing(simulator: str, log: Path, *options: str) -> Iterator[str]:
    """The port of `tests.simulators.<simulator>`, which has ended when the block is left."""
    command = [sys.executable, "-m", f"tests.simulators.{simulator}", "--log", str(log), *options]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(60)


def logged(log: Path, *what: str) -> list[tuple[int, list[int]]]:
    """When each sample of these sorts was captured (monotonic ns), and its numbers."""
    lines = [line.rstrip("\n").split("\t") for line in log.read_text().splitlines()]
    return [(int(line[0]), [int(text) for text in line[3].split(",")]) for line in lines if line[2] in what]


def read_until(source: Source, done: Callable[[list[Chunk]], bool]) -> list[Chunk]:
    """Chunks of an open source up to the one with which `done` is true, or until it fails."""
    chunks: list[Chunk] = []
    try:
        while not done(chunks):
            chunk = source.read(0.2)
            if chunk is not None:
                chunks.append(chunk)
    except OSError:
        pass
    return chunks


def wait_for(path: Path) -> None:
    """Return when `path` exists, at most a minute later."""
    ends_s = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < ends_s, f"{path} has not come back"
        time.sleep(0.01)
