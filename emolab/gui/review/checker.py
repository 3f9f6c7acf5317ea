"""`emolab validate` as a child process: the window stays light, and a check can be stopped at any moment."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

_PERCENT = re.compile(r"(\d+)% of the video")


class Checker(QObject):
    """One check at a time. The child writes its lane; `ended` says why, when it could not."""

    progressed = Signal(str)  # `34 %`
    ended = Signal(str)  # a sentence, empty when all went well

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child: QProcess | None = None
        self._said = ""
        self._was_stopped = False

    @property
    def is_running(self) -> bool:
        """Whether a check is on its way."""
        return self._child is not None

    def start(self, recording: Path, baseline: bool = False) -> None:
        """Check a recording; nothing happens while another check runs."""
        if self._child is not None:
            return
        self._said, self._was_stopped = "", False
        child = self._child = QProcess(self)
        child.readyReadStandardError.connect(self._listen)
        child.finished.connect(self._end)
        child.errorOccurred.connect(self._fail)
        told = ["-m", "emolab", "validate", str(recording), "--json", "--progress"]
        child.start(sys.executable, [*told, *(["--baseline"] if baseline else [])])
        self.progressed.emit("0 %")

    def stop(self) -> None:
        """End it; nothing is written."""
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
        assert self._child is not None
        self._said += bytes(self._child.readAllStandardError().data()).decode(errors="replace")
        if found := _PERCENT.findall(self._said):
            self.progressed.emit(f"{found[-1]} %")

    def _end(self, code: int) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.deleteLater()
        said = [line for line in re.split(r"[\r\n]+", self._said) if line.strip()]
        lines = [line.removeprefix("emolab: ") for line in said if not _PERCENT.search(line)]
        if self._was_stopped:
            self.ended.emit("The check was stopped; nothing was written.")
        elif code:
            self.ended.emit(lines[-1] if lines else "The check ended without a word.")
        else:
            self.ended.emit(_problem(bytes(child.readAllStandardOutput().data())))

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(-1)


def _problem(told: bytes) -> str:
    """Why no clip could be judged, or none of it kept; empty when all went well."""
    try:
        found = json.loads(told)
        return str(found["problem"] or found["not_kept"] or "")
    except (ValueError, KeyError, TypeError):
        return ""
