"""A camera's newest picture, small and without writing on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from emolab.core.ring import FrameSlot
from emolab.gui import theme
from emolab.gui.widgets.frame_view import thermal_image

PICTURES_S = 0.2  # five pictures a second tell that a camera lives


class Thumbnail(QWidget):
    """Draws when `refresh` is called. `slot` gives the frames, or None as long as there are none."""

    def __init__(
        self, slot: Callable[[], FrameSlot | None], name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._slot = slot
        self._image: QImage | None = None
        self._time_s = -1.0
        self.setAccessibleName(f"picture of {name}")
        self.setFixedSize(theme.px(96), theme.px(72))
        theme.notifier().changed.connect(self.update)

    def refresh(self) -> None:
        """Take the newest frame, if there is a newer one."""
        slot = self._slot()
        newest = slot.read() if slot is not None else None
        if slot is None or newest is None or 0 <= newest[0] - self._time_s < PICTURES_S:
            return
        self._time_s, frame = newest
        if frame.ndim == 2:
            self._image, _ = thermal_image(frame * slot.scale + slot.offset)
        else:
            frame = np.ascontiguousarray(frame)
            height, width = frame.shape[:2]
            self._image = QImage(frame.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is not None:
            painter.fillRect(self.rect(), QColor(theme.palette().ground))
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            box = QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2,
                         size.width(), size.height())  # fmt: skip
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(box, self._image)
