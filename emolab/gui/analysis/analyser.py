"""`emolab analyse` as a child process: the window stays light, and it can be stopped at any moment."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

_PROGRESS = re.compile(r"(\d+)% ([^\r\n]*)")
_ERROR = re.compile(r"emolab: ([^\r\n]+)")
_MEASURING = 0.8  # of the way; drawing is the rest


class Analyser(QObject):
    """One analysis at a time. What is measured of each session is kept, so a stopped one goes on quickly."""

    progressed = Signal(int, str)  # percent, what is done now
    ended = Signal(str)  # a sentence, empty when all went well

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child: QProcess | None = None
        self._said = ""
        self._was_stopped = False

    @property
    def is_running(self) -> bool:
        """Whether one is on its way."""
        return self._child is not None

    def start(self, place: Path, out: Path, options: Sequence[str]) -> None:
        """Analyse `place` into `out`; nothing happens while another one runs."""
        if self._child is not None:
            return
        self._said, self._was_stopped = "", False
        child = self._child = QProcess(self)
        child.readyReadStandardError.connect(self._listen)
        child.finished.connect(self._end)
        child.errorOccurred.connect(self._fail)
        told = ["-m", "emolab", "analyse", str(place), "--out", str(out), "--json", "--progress", *options]
        child.start(sys.executable, told)
        self.progressed.emit(0, "starting")

    def stop(self) -> None:
        """End it; what was written before stays."""
        if self._child is not None:
            self._was_stopped = True
            self._child.kill()

    def close(self) -> None:
        """End it and wait. Idempotent."""
        child = self._child
        self.stop()
        if child is not None:
            child.waitForFinished(5000)

    def _listen(self) -> None:
        if self._child is None:
            return
        self._said += bytes(self._child.readAllStandardError().data()).decode(errors="replace")
        if found := _PROGRESS.findall(self._said):
            percent, what = found[-1]
            self.progressed.emit(_way(int(percent), what), what.strip())

    def _end(self, code: int) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.deleteLater()
        lines = _ERROR.findall(self._said)
        if self._was_stopped:
            self.ended.emit("The analysis was stopped.")
        elif code > 1:
            self.ended.emit(lines[-1] if lines else f"The analysis ended without a word (code {code}).")
        else:
            self.ended.emit(_trouble(bytes(child.readAllStandardOutput().data())))

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._child is not None:
            self._said = f"emolab: the analysis could not be started: {self._child.errorString()}"
            self._end(2)


def _way(percent: int, what: str) -> int:
    """How much of all is done: figures are drawn when everything was measured."""
    if what.startswith(("drawing", "writing")):
        return round(100 * _MEASURING + percent * (1 - _MEASURING))
    return round(percent * _MEASURING)


def _trouble(told: bytes) -> str:
    """What could not be read; empty when all went well."""
    try:
        return "; ".join(str(trouble) for trouble in json.loads(told)["troubles"])
    except (ValueError, KeyError, TypeError):
        return ""
