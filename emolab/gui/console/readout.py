"""A classifier read out while a session is recorded: a child process, the newest line of it.

The child looks at the memory that windows share with the engine, at the lowest priority; the recorder does
not know of it. What has come while this window was busy is dropped but for the last line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal

from emolab.core.errors import EmolabError
from emolab.core.program import emolab
from emolab.training.opened import DEFAULT, look

_CLOSES_MS = 3000
NOT_KNOWN = "Whether it has learnt from this participant is not known."


class ReadOut(QObject):
    """One child at a time; `start` and `stop` it, at most one of it lives."""

    said = Signal(str, str)  # the newest words, and what there is to know of them
    ended = Signal(str)  # why; empty when it was stopped or the session has ended

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child: QProcess | None = None
        self._left = b""  # half a line
        self._warning = ""
        self._is_unknown = False  # whether it has learnt from who sits here

    @property
    def is_running(self) -> bool:
        """Whether one is on its way."""
        return self._child is not None

    def start(self, study: Path, participant: str = "", run: str = DEFAULT) -> None:
        """Read out what is recorded in a study; nothing happens while another one does."""
        if self._child is not None:
            return
        try:
            known = look(run)
        except EmolabError as error:
            self.ended.emit(str(error))
            return
        mine = known.learnt_from(study / participant / "session", participant)
        self._warning, self._is_unknown = "■ in its training · " if mine else "", mine is None
        child = self._child = QProcess(self)
        self._left = b""
        child.readyReadStandardOutput.connect(self._listen)
        child.finished.connect(self._end)
        child.errorOccurred.connect(self._fail)
        self.said.emit(f"{known.name}: waiting for skin conductance", known.card())
        program, *words = emolab("predict", run, "--live", study, "--json")
        child.start(program, words)

    def stop(self) -> None:
        """End it. Idempotent."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.waitForFinished(_CLOSES_MS)
            child.deleteLater()
            self.ended.emit("")

    def _listen(self) -> None:
        if self._child is None:
            return
        *lines, self._left = (self._left + bytes(self._child.readAllStandardOutput().data())).split(b"\n")
        if not lines:
            return
        try:
            told = json.loads(lines[-1])
            self.said.emit(
                self._warning + words(told), tip(told) + (f"\n{NOT_KNOWN}" if self._is_unknown else "")
            )
        except (ValueError, KeyError, TypeError):  # of no line of ours
            return

    def _end(self, code: int, status: QProcess.ExitStatus) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        complaint = bytes(child.readAllStandardError().data()).decode(errors="replace").strip()
        child.deleteLater()
        failed = code != 0 or status == QProcess.ExitStatus.CrashExit
        last = complaint.splitlines()[-1].removeprefix("emolab: ") if complaint else ""
        self.ended.emit((last or f"The read-out ended without a word (code {code}).") if failed else "")

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._child is not None:
            child, self._child = self._child, None
            self.ended.emit(f"The read-out could not be started: {child.errorString()}")


def words(told: dict[str, Any]) -> str:
    """A line in words: `svm: high arousal .58 · last 30 s`."""
    length_s = told["to_s"] - told["from_s"]
    if told["predicted"] is None:
        return f"{told['model']}: cannot judge the last {length_s:.0f} s"
    sure = f"{max(told['probabilities'].values()):.2f}".removeprefix("0")
    target = told["target"] if told["target"] in ("valence", "arousal") else ""
    said = " ".join(filter(None, (str(told["predicted"]).replace("_", " "), target, sure)))
    return f"{told['model']}: {said} · last {length_s:.0f} s"


def tip(told: dict[str, Any]) -> str:
    """What else there is to know of a line."""
    lines = [f"from {told['from_s']:.0f} to {told['to_s']:.0f} s, {told['usable']:.0%} of it usable"]
    lines += [str(told["why"])] if told["why"] else []
    lines += [f"{name} {p:.2f}" for name, p in (told["probabilities"] or {}).items()]
    lines.append("A guess near chance: nothing in the session follows it, and nothing of it is recorded.")
    return "\n".join(lines)
