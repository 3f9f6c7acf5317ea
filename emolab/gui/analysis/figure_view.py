"""A figure that tells what is under the pointer, zooms into a drawn box, and is saved as it is seen."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backend_bases import MouseEvent
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg, NavigationToolbar2QT
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolTip, QWidget

from emolab.analysis.page import FORMS, Picture
from emolab.gui import theme
from emolab.gui.widgets.panel import Panel, text
from emolab.plots.style import LOOKS


class Canvas(FigureCanvasQTAgg):  # type: ignore[misc, unused-ignore]
    """The figure itself, as wide as there is room, in its own proportions."""

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture.draw(LOOKS[theme.palette().name]).figure)
        self._width_in, height_in = self.figure.get_size_inches()
        self._proportion = height_in / self._width_in
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(picture.name)
        self.setAccessibleDescription(picture.printed.alt)
        self.mpl_connect("motion_notify_event", self._tell)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(width * self._proportion)

    def sizeHint(self) -> QSize:
        return QSize(self.width(), self.heightForWidth(self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        width = event.size().width()
        height = self.heightForWidth(width)
        self.setFixedHeight(height)  # which may come back here before the next line
        # texts grow with the figure: the window shows the page, not another drawing
        self.figure.dpi = width / self._width_in * self.device_pixel_ratio
        super().resizeEvent(QResizeEvent(QSize(width, height), event.oldSize()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls

    def _tell(self, event: MouseEvent) -> None:
        """Say whose point is under the pointer: figures carry their points' words as `tips`."""
        for axes in self.figure.axes:
            if event.inaxes is not axes:
                continue
            for points in axes.collections:
                tips = getattr(points, "tips", None)
                if tips is None:
                    continue
                is_hit, which = points.contains(event)
                if is_hit:
                    at = QPoint(round(event.x / self.device_pixel_ratio), 0)
                    at.setY(self.height() - round(event.y / self.device_pixel_ratio))
                    QToolTip.showText(self.mapToGlobal(at), str(tips[int(which["ind"][0])]), self)
                    return
        QToolTip.hideText()


class FigureView(Panel):
    """A canvas with its caption and what can be done with it."""

    saveRequested = Signal(object)  # this view

    def __init__(self, picture: Picture, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setAccessibleName(picture.title)
        self.picture = picture
        self.canvas = Canvas(picture)
        self._tools = NavigationToolbar2QT(self.canvas, self, coordinates=False)
        self._tools.hide()  # its pictures are of another world; its zoom is good
        self.zoom_button, self.whole_button = QPushButton("Zoom"), QPushButton("Whole")
        self.zoom_button.setCheckable(True)
        self.zoom_button.setToolTip("Draw a box around what to look at")
        self.zoom_button.toggled.connect(lambda _on: self._tools.zoom())
        self.whole_button.clicked.connect(lambda: self._tools.home())
        self.save_button = QPushButton("Save…")
        self.save_button.clicked.connect(lambda: self.saveRequested.emit(self))
        foot = QHBoxLayout()
        caption = text(picture.caption, "muted", wraps=True)
        caption.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        foot.addWidget(caption, 1)
        for button in (self.zoom_button, self.whole_button, self.save_button):
            theme.role(button, "quiet")
            foot.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self.canvas)
        self.body.addLayout(foot)

    def save_to(self, path: Path) -> list[Path]:
        """Write it for paper (light), in the form its name ends with, else in each; returns the files."""
        form = path.suffix.removeprefix(".").lower()
        if form in FORMS:
            return self.picture.save(path.with_suffix(""), [form])
        return self.picture.save(path)
