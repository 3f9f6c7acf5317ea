"""What the participant sees, small, for the experimenter."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.gui.participant.canvas import StageCanvas
from emolab.session.snapshot import StageView

PAGE = QSize(1280, 720)
LEAST_MS = 200  # the time bar moves five times a second here; that is enough to see it move


class StageMirror(QWidget):
    """The participant's page, drawn from the same widgets and scaled down. Takes no input."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = StageCanvas(is_live=False)
        self._canvas.resize(PAGE)
        self._view: StageView | None = None
        self._picture = QPixmap()
        self._elapsed = QElapsedTimer()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("what the participant sees")
        self.show_waiting()

    def show_view(self, view: StageView, now_s: float) -> None:
        """Show what the participant's screen shows at `now_s`; call it with every snapshot."""
        is_new = view != self._view
        if not is_new and (view.page != "rate" or self._elapsed.elapsed() < LEAST_MS):
            return
        self._view = view
        self._canvas.show_view(view)
        self._canvas.set_now(now_s)
        self.setAccessibleDescription(f"{view.page}: {view.title or view.text}")
        self._take()

    def show_waiting(self) -> None:
        """Show that no engine answers."""
        self._view = None
        self._canvas.show_waiting()
        self._take()

    def _take(self) -> None:
        self._elapsed.restart()
        ratio = self.devicePixelRatioF()
        page = QPixmap(PAGE)
        self._canvas.render(page, QPoint())
        size = PAGE.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio) * ratio
        smooth = Qt.TransformationMode.SmoothTransformation
        self._picture = page.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, smooth)
        self._picture.setDevicePixelRatio(ratio)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 180)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._take()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        size = self._picture.deviceIndependentSize().toSize()
        box = QRect(QPoint(0, 0), size)
        box.moveCenter(self.rect().center())
        painter.drawPixmap(box, self._picture)
        painter.end()
