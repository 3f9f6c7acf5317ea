"""This program as a command, for what is to run in a process of its own."""

from __future__ import annotations

import sys


def emolab(*words: object) -> list[str]:
    """`emolab WORDS`, installed or frozen into one file."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "emolab"]
    return [*program, *map(str, words)]
