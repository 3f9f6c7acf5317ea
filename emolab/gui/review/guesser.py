"""`emolab predict` as a child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emolab.gui.verb import Verb


class Guesser(Verb):
    """One classifier at a time. The child writes its lane; a stopped one writes nothing.

    `told`: what the last one answered, as `emolab predict --json` prints it.
    """

    what = "the classifier"
    stopped = "The classifier was stopped; nothing was written."

    told: dict[str, Any] | None = None

    def start(
        self, recording: Path, run: str, window_s: float = 0.0, hop_s: float = 0.0, music: str = ""
    ) -> None:
        """Let a run's model judge a recording; nothing happens while another one does.

        `music`: a table of the clips' figures, or their folder, for a model that wants them.
        """
        self.told = None
        windows = ["--window", str(window_s), "--hop", str(hop_s)] if window_s else []
        heard = ["--music", music] if music else []
        self.run(["predict", run, str(recording), *windows, *heard])

    def trouble(self, told: Any) -> str:
        """Why its lane was not kept."""
        self.told = told
        return str(told["not_kept"] or "")
