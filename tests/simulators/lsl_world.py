"""LSL for tests: a network of this machine alone, and of this test process and its children alone.

Importing this file configures liblsl, which reads its configuration at the first outlet or inlet:
import it before anything is sent. Senders are processes of their own (`lsl_sender.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SENDER = Path(__file__).with_name("lsl_sender.py")


def configuration(scope: str = "machine") -> str:
    """A liblsl configuration; `scope` `link` also asks the other hosts of the same network."""
    session = f"emolab-test-{uuid.uuid4().hex}"
    return f"[multicast]\nResolveScope = {scope}\n[lab]\nSessionID = {session}\n[log]\nlevel = -3\n"


if "EMOLAB_TEST_LSL" not in os.environ:
    _folder = tempfile.TemporaryDirectory(prefix="emolab-test-lsl-")
    _file = Path(_folder.name) / "lsl_api.cfg"
    _file.write_text(configuration(), encoding="utf-8")
    os.environ["LSLAPICFG"] = str(_file)


class Sender:
    """A running sender: what it said when it was ready, and a way to let it act."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the sender died at its start"
        self.told: dict[str, Any] = json.loads(line)

    def go(self) -> float:
        """Let it send; returns the stamp of its first sample, on its own clock."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


@contextmanager
def sender(*prefix: str, environment: dict[str, str] | None = None, **plan: Any) -> Iterator[Sender]:
    """A sender with this plan (see `lsl_sender.py`); `prefix`: a command to run it under."""
    process = subprocess.Popen(
        [*prefix, sys.executable, str(SENDER), json.dumps(plan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield Sender(process)
    finally:
        process.kill()
        process.wait(60)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
