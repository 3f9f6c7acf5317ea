"""What became of sessions that broke off: they are whole again, and can be gone on with."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.widgets import words
from emolab.gui.widgets.panel import Remark
from emolab.session.mend import Mended


class MendedBar(QFrame):
    """A line under the header of the set-up page, until it is dismissed. Hidden with nothing to tell."""

    resumeRequested = Signal(str, int)  # participant, session
    folderRequested = Signal(object)  # Path of the file

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self._newest: Mended | None = None
        self._remark = Remark()
        self.resume_button = QPushButton("&Go on with it")
        self.folder_button = QPushButton("Show the files")
        self.dismiss_button = QPushButton("Dismiss")
        theme.role(self.dismiss_button, "quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(8))
        row.setSpacing(theme.px(8))
        row.addWidget(self._remark, 1, Qt.AlignmentFlag.AlignVCenter)
        for button in (self.resume_button, self.folder_button, self.dismiss_button):
            row.addWidget(button)
        self.resume_button.clicked.connect(self._resume)
        self.folder_button.clicked.connect(self._show_files)
        self.dismiss_button.clicked.connect(self.clear)
        self.clear()

    @property
    def sentence(self) -> str:
        """What is told now, empty when nothing is."""
        return "" if self.isHidden() else self._remark.sentence

    def clear(self) -> None:
        """Nothing to tell."""
        self._newest = None
        self.hide()

    def show_work(self, count: int) -> None:
        """So many files are being made whole."""
        what = "A session that broke off is" if count == 1 else f"{count} sessions that broke off are"
        self._tell(f"{what} being made whole …", "look", None)

    def show_mended(self, mended: Sequence[Mended]) -> None:
        """Tell what became of them, the newest last; the buttons are for the newest."""
        if not mended:
            self.clear()
            return
        failed = [one for one in mended if one.error]
        if failed:
            self._tell(f"A session could not be made whole. {failed[-1].error}", "act", failed[-1])
            return
        newest = mended[-1]
        reach = "nothing was recorded yet"
        if newest.until_s is not None:
            reach = f"all of it up to {words.clock(newest.until_s)}"
        lost = f" but {words.counted(newest.dropped, 'damaged row')}" if newest.dropped else ""
        more = len(mended) - 1
        others = f" So {'is one other' if more == 1 else f'are {more} others'}." if more else ""
        self._tell(
            f"Session {newest.session} of {newest.participant} had broken off. Its file is whole again: "
            f"{reach}{lost}.{others}",
            "look",
            newest,
        )

    def _tell(self, sentence: str, level: str, newest: Mended | None) -> None:
        self._newest = newest
        self._remark.say(sentence, "act" if level == "act" else "look")
        self.resume_button.setVisible(newest is not None and newest.can_resume)
        self.folder_button.setVisible(newest is not None)
        self.dismiss_button.setVisible(newest is not None)
        self.show()

    def _resume(self) -> None:
        if self._newest is not None:
            self.resumeRequested.emit(self._newest.participant, self._newest.session)

    def _show_files(self) -> None:
        if self._newest is not None:
            self.folderRequested.emit(self._newest.path)
