"""One window after the other: the review that is open now, and what is remembered from last time."""

from __future__ import annotations

import getpass
import json
import logging
import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from emolab.core.errors import EmolabError
from emolab.gui.garbage import Collector
from emolab.gui.review.exporter import Exporter
from emolab.gui.review.flow import ReviewFlow
from emolab.gui.review.menus import menus
from emolab.gui.review.window import ReviewWindow

log = logging.getLogger(__name__)


class Reviews(QObject):
    """Opens recordings for review. `memory`: a small JSON file. `analyst`: else the one of last time."""

    left = Signal()  # the window was closed
    turned = Signal(object)  # ReviewWindow: this one is shown now

    def __init__(self, memory: Path, sound: str | int | None = None, analyst: str | None = None) -> None:
        super().__init__()
        self._memory, self._sound = memory, sound
        self._facts = _read(memory)
        self.analyst = analyst or str(self._facts.get("analyst") or user_name())
        self.flow: ReviewFlow | None = None
        self.exporter = Exporter(self)
        self.exporter.said.connect(self._say)
        self._collector = Collector(self)  # decoding threads must not collect the window's garbage

    def open(self, recording: Path) -> ReviewWindow:
        """The window of a recording. Raises `RecordingError` when it cannot be opened."""
        flow = ReviewFlow(recording.expanduser().resolve(), self.analyst, self._sound)
        flow.window.set_menus(menus(flow))
        flow.analystChosen.connect(self._keep_analyst)
        flow.sessionWanted.connect(self.turn_to)
        flow.exportWanted.connect(self.exporter.start)
        flow.window.left.connect(self._window_left)
        self.flow = flow
        return flow.window

    def turn_to(self, recording: Path) -> None:
        """Show another recording in the place of this one; the one that is open stays if that fails."""
        before = self.flow
        assert before is not None
        if recording == before.recording:
            return
        try:
            window = self.open(recording)
        except EmolabError as error:
            before.window.notice.say(str(error), "act")
            before.window.header.show_again()
            return
        window.setGeometry(before.window.geometry())
        if before.window.isMaximized():
            window.showMaximized()
        else:
            window.show()
        self.turned.emit(window)
        before.window.close()
        before.window.deleteLater()
        before.deleteLater()

    def close(self) -> None:
        """Let go of everything; an export under way is waited for. Idempotent."""
        self.exporter.close()
        if self.flow is not None:
            self.flow.close()
        self._collector.stop()

    def _window_left(self) -> None:
        if self.flow is not None and self.sender() in (None, self.flow.window):
            self.left.emit()

    def _say(self, sentence: str) -> None:
        """In whichever window is shown now."""
        if self.flow is not None:
            self.flow.window.notice.say(sentence)

    def _keep_analyst(self, name: str) -> None:
        self.analyst = self._facts["analyst"] = name
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._memory.write_text(json.dumps(self._facts, ensure_ascii=False), encoding="utf-8")
        except OSError as error:
            log.warning("%s cannot be written: %s", self._memory, error)


def user_name() -> str:
    """The user's name on this computer as an analyst's, `analyst` when there is none that fits."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return re.sub(r"[^A-Za-z0-9 _@.+-]", "", name).strip(" .")[:64] or "analyst"


def _read(memory: Path) -> dict[str, Any]:
    try:
        facts = json.loads(memory.read_text(encoding="utf-8"))
        return facts if isinstance(facts, dict) else {}
    except (OSError, ValueError):
        return {}
