"""`emolab validate` as a child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emolab.gui.verb import Verb


class Checker(Verb):
    """One check at a time. The child writes its lane; a stopped one writes nothing."""

    what = "the check"
    stopped = "The check was stopped; nothing was written."

    def start(self, recording: Path, baseline: bool = False) -> None:
        """Check a recording; nothing happens while another check runs."""
        self.run(["validate", str(recording), *(["--baseline"] if baseline else [])])

    def trouble(self, told: Any) -> str:
        """Why no clip could be judged, or none of it kept."""
        return str(told["problem"] or told["not_kept"] or "")
