"""Sessions written for other programs, each by a child process that outlives the window it was asked in."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from emolab.core.program import emolab

log = logging.getLogger(__name__)


class Exporter(QObject):
    """`said(sentence)` when an export begins and when it ends."""

    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._children: list[QProcess] = []
        self._is_closing = False

    def start(self, recording: Path, to: str, folder: Path) -> None:
        """`emolab export` as a child; what it says at the end is said."""
        child = QProcess(self)
        child.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        child.finished.connect(lambda code, _status: self._end(child, recording, folder, code))
        self._children.append(child)
        self.said.emit("Exporting … It goes on when this window is closed.")
        told = ["--to", to, "--out", str(folder)]
        program, *words = emolab("export", recording, *told)
        child.start(program, words)

    def close(self) -> None:
        """Wait for what is still being written: half an export is worse than a wait. Idempotent."""
        self._is_closing = True
        for child in [*self._children]:
            child.waitForFinished(-1)

    def _end(self, child: QProcess, recording: Path, folder: Path, code: int) -> None:
        self._children.remove(child)
        lines = bytes(child.readAll().data()).decode(errors="replace").strip().splitlines()
        child.deleteLater()
        if not code:
            self.said.emit(f"{len(lines)} files of {recording.stem} written into {folder}.")
            return
        why = lines[-1] if lines else "The export ended without a word."
        if self._is_closing:
            log.error("export of %s into %s: %s", recording, folder, why)  # no window is left to say it in
        self.said.emit(why)
