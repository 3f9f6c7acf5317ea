"""A verb of the command line as a child process: the window stays light, and the child can be stopped."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal

from emolab.core.program import emolab

_PROGRESS = re.compile(r"(\d+)% ([^\r\n]*)")
_ERROR = re.compile(r"emolab: ([^\r\n]+)")
_CLOSES_MS = 5000


class Verb(QObject):
    """One child at a time. Each kind says what it is called and what its answer (`--json`) means.

    `what`: the child in words, `the check`. `stopped`: said when it was stopped. `answers_with`: the exit
    codes with which it has printed its answer.
    """

    progressed = Signal(int, str)  # percent, what is done now
    ended = Signal(str)  # a sentence, empty when all went well

    what = "the child"
    stopped = "It was stopped."
    answers_with: tuple[int, ...] = (0,)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child: QProcess | None = None
        self._said = ""
        self._was_stopped = False

    @property
    def is_running(self) -> bool:
        """Whether one is on its way."""
        return self._child is not None

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
            child.waitForFinished(_CLOSES_MS)

    def trouble(self, told: Any) -> str:
        """What went wrong although it answered, from its answer; empty when nothing did."""
        return ""

    def way(self, percent: int, what: str) -> int:
        """How much of all is done, where the child's own figure is not that."""
        return percent

    def run(self, words: Sequence[str]) -> None:
        """Start `emolab WORDS --json --progress`; nothing happens while another one runs."""
        if self._child is not None:
            return
        self._said, self._was_stopped = "", False
        child = self._child = QProcess(self)
        child.readyReadStandardError.connect(self._listen)
        child.finished.connect(self._end)
        child.errorOccurred.connect(self._fail)
        program, *words = emolab(*words, "--json", "--progress")
        child.start(program, words)
        if self._child is not None:  # else it could not be started, and that was said
            self.progressed.emit(0, "starting")

    def _listen(self) -> None:
        if self._child is None:
            return
        self._said += bytes(self._child.readAllStandardError().data()).decode(errors="replace")
        if found := _PROGRESS.findall(self._said):
            percent, what = found[-1]
            self.progressed.emit(self.way(int(percent), what), what.strip())

    def _end(self, code: int, status: QProcess.ExitStatus) -> None:
        child = self._child
        if child is None:
            return
        self._said += bytes(child.readAllStandardError().data()).decode(errors="replace")
        self._child = None
        child.deleteLater()
        if self._was_stopped:
            self.ended.emit(self.stopped)
        elif status == QProcess.ExitStatus.CrashExit or code not in self.answers_with:
            self.ended.emit(self._last_word(code))
        else:
            try:
                trouble = self.trouble(json.loads(bytes(child.readAllStandardOutput().data())))
            except (ValueError, KeyError, TypeError):  # an error nobody foresaw ends with 1 as well
                trouble = self._last_word(code)
            self.ended.emit(trouble)

    def _last_word(self, code: int) -> str:
        if lines := _ERROR.findall(self._said):
            return str(lines[-1])
        lines = [line.strip() for line in re.split(r"[\r\n]+", self._said) if not _PROGRESS.search(line)]
        words = [line for line in lines if line]
        return words[-1] if words else f"{self.what.capitalize()} ended without a word (code {code})."

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._child is not None:
            self._said = f"emolab: {self.what} could not be started: {self._child.errorString()}"
            self._end(-1, QProcess.ExitStatus.CrashExit)
