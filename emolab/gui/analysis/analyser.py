"""`emolab analyse` as a child process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emolab.gui.verb import Verb

_MEASURING = 0.8  # of the way; drawing is the rest


class Analyser(Verb):
    """One analysis at a time. What is measured of each session is kept, so a stopped one goes on quickly."""

    what = "the analysis"
    stopped = "The analysis was stopped."
    answers_with = (0, 1)  # 1: a session could not be read, and is named

    def start(self, place: Path, out: Path, options: Sequence[str]) -> None:
        """Analyse `place` into `out`; nothing happens while another one runs."""
        self.run(["analyse", str(place), "--out", str(out), *options])

    def way(self, percent: int, what: str) -> int:
        """How much of all is done: figures are drawn when everything was measured."""
        if what.startswith(("drawing", "writing")):
            return round(100 * _MEASURING + percent * (1 - _MEASURING))
        return round(percent * _MEASURING)

    def trouble(self, told: Any) -> str:
        """What could not be read."""
        return "; ".join(str(trouble) for trouble in told["troubles"])
