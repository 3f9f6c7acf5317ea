"""`emolab` as a user runs it: in this process, where that is all the same, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from emolab.cli import main
from emolab.session.address import read_address
from emolab.session.client import EngineClient

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0  # a started command may load for half a minute before it does anything
SIMULATED = '[[instrument]]\nkind = "simulated"\nname = "board"\nstream = "board"\n'


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line on standard output."""
        return self.out.rstrip("\n").split("\n")[-1]

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON value and nothing else."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one sentence on standard error."""
        (line,) = self.err.strip().split("\n")
        assert line.startswith("emolab: "), line
        return line.removeprefix("emolab: ")


def emolab(*arguments: object) -> Said:
    """Run a command line in this process."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main.run([str(argument) for argument in arguments])
        except SystemExit as leaving:  # argparse
            code = int(leaving.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


def start(
    *arguments: object, before: Callable[[], None] | None = None, **environment: str
) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "emolab", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        preexec_fn=before,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = PATIENCE_S) -> Said:
    """Wait for a started command; it is killed when it takes longer."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return Said(process.returncode, out, err)


def wait_until(claim: Callable[[], bool], what: str) -> None:
    """Raises `AssertionError` with `what` when that never happens."""
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def watch(study: Path) -> EngineClient:
    """A window's connection to the engine of a started command, as soon as it answers."""
    found = list[EngineClient]()

    def answers() -> bool:
        if (address := read_address(study)) is not None:
            with suppress(OSError):
                found.append(EngineClient(address, PATIENCE_S))
        return bool(found)

    wait_until(answers, "no engine came")
    return found[0]


def simulated(folder: Path) -> Path:
    """A device file with one simulated board."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "devices.toml"
    path.write_text(SIMULATED, encoding="utf-8")
    return path
