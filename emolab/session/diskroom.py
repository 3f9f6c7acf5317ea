"""How much room a disk has left, asked in a thread: a network drive that hangs would hold up whoever asks."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path


class DiskRoom:
    """`free_bytes` of a folder's disk: as last told, 0 when it has gone."""

    def __init__(self) -> None:
        self.free_bytes = 0
        self._asking: threading.Thread | None = None

    def look(self, folder: Path) -> int:
        """Ask again, unless the last question is still open; returns what is known."""
        if self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask, args=(folder,), name="disk room", daemon=True)
            self._asking.start()
            self._asking.join(0.05)
        return self.free_bytes

    def _ask(self, folder: Path) -> None:
        try:
            self.free_bytes = shutil.disk_usage(folder).free
        except OSError:  # the recorder says so in its own words
            self.free_bytes = 0
