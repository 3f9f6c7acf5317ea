"""What `emolab predict` says in red: that a model may know the person it judges."""

from __future__ import annotations

import sys

RED, PLAIN = "\033[1;31m", "\033[0m"
WARNING = (
    "{who} was among those from whom this model has learnt: what it says here it may remember, and it says "
    "nothing about how well it does"
)
NOT_KNOWN = (
    "whether {who} was among those from whom this model has learnt is not known: nobody noted it beside its "
    "weights"
)


def warning(in_training: bool | None, who: str) -> str:
    """What is to be told of whom a model has learnt from; empty where it was not from `who`."""
    words = {True: WARNING, False: "", None: NOT_KNOWN}[in_training]
    return words.format(who=who or "this participant")


def as_alarm(words: str) -> str:
    """A sentence with the shape of an alarm before it, red where a terminal shows it."""
    return f"{RED}■ {words}{PLAIN}" if sys.stdout.isatty() else f"■ {words}"
