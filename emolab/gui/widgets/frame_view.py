"""The newest picture of a camera."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.core.ring import FrameSlot
from emolab.gui import theme

# dark to bright through five hues, lightness even enough to be read in grey; our own points
_RAMP = ((0, 2, 10), (52, 14, 92), (140, 38, 100), (214, 74, 60), (248, 146, 24), (252, 238, 164))
SPREAD = (1.0, 99.0)  # percentiles that the ramp spans, so one hot pixel does not darken the face


class FrameView(QWidget):
    """Shows what `slot` gives when `refresh` is called, or what `show_frame` is given, as large as fits.

    `(h, w, 3)` frames are pictures. `(h, w)` frames are temperatures: drawn in a ramp from dark
    to bright, with the temperature in the middle and the ends of the ramp in °C.
    """

    def __init__(
        self,
        slot: Callable[[], FrameSlot | None],
        name: str,
        parent: QWidget | None = None,
        empty: str = "no picture yet",
    ) -> None:
        super().__init__(parent)
        self._slot, self.empty = slot, empty
        self._image: QImage | None = None
        self._degrees: tuple[float, float, float] | None = None
        self._time_s = -1.0
        self.setAccessibleName(f"picture of {name}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.notifier().changed.connect(self.update)

    @property
    def time_s(self) -> float:
        """Session time of the picture shown, negative before the first."""
        return self._time_s

    @property
    def reading(self) -> str:
        """Temperature in the middle as shown, empty for pictures."""
        return "" if self._degrees is None else f"{self._degrees[1]:.1f} °C"

    def refresh(self) -> None:
        """Take the newest frame, if there is a newer one."""
        slot = self._slot()
        newest = slot.read() if slot is not None else None
        if slot is None or newest is None or newest[0] == self._time_s:
            return
        time_s, frame = newest
        self.show_frame(time_s, frame * slot.scale + slot.offset if frame.ndim == 2 else frame)

    def show_frame(self, time_s: float, frame: NDArray | None) -> None:
        """Show a picture `(h, w, 3)` uint8 or temperatures `(h, w)` in °C; None for no picture."""
        self._time_s = time_s
        if frame is None:
            self._image, self._degrees = None, None
        elif frame.ndim == 2:
            self._image, self._degrees = thermal_image(frame)
            self.setAccessibleDescription(f"middle {self.reading}")
        else:
            frame = np.ascontiguousarray(frame)
            height, width = frame.shape[:2]
            self._image = QImage(frame.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(240), theme.px(180))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = theme.palette()
        painter.fillRect(self.rect(), QColor(colours.sunken))
        if self._image is None:
            painter.setPen(QColor(colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.empty)
        else:
            self._paint_picture(painter, self._image)
        painter.end()

    def _paint_picture(self, painter: QPainter, image: QImage) -> None:
        size = image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        box = QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2,
                     size.width(), size.height())  # fmt: skip
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, image)
        if self._degrees is None:
            return
        low, _, high = self._degrees
        painter.setPen(QPen(QColor("#FFFFFF"), 1))
        middle, arm = box.center(), theme.px(6)
        painter.drawLine(int(middle.x()) - arm, int(middle.y()), int(middle.x()) + arm, int(middle.y()))
        painter.drawLine(int(middle.x()), int(middle.y()) - arm, int(middle.x()), int(middle.y()) + arm)
        tag = f" {self.reading}   {low:.0f} to {high:.0f} "
        height = painter.fontMetrics().height() + 4
        band = QRectF(box.left(), box.bottom() - height, box.width(), height)
        painter.fillRect(band, QColor(0, 0, 0, 170))
        painter.drawText(band, Qt.AlignmentFlag.AlignCenter, tag)


def thermal_image(celsius: NDArray) -> tuple[QImage, tuple[float, float, float]]:
    """A temperature field `(h, w)` as a picture, and `(lowest, middle, highest)` in °C of it."""
    low, high = (float(v) for v in np.percentile(celsius, SPREAD))
    span = max(high - low, 0.5)
    index = np.clip((celsius - low) / span * 255, 0, 255).astype(np.uint8)
    pixels = np.ascontiguousarray(_ramp()[index])
    height, width = celsius.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    middle = celsius[height // 2 - 1 : height // 2 + 2, width // 2 - 1 : width // 2 + 2]
    return image, (low, float(np.mean(middle)), high)


@cache
def _ramp() -> NDArray[np.uint8]:
    at = np.linspace(0, 1, len(_RAMP))
    points = np.asarray(_RAMP, dtype=float)
    fine = np.linspace(0, 1, 256)
    return np.stack([np.interp(fine, at, points[:, i]) for i in range(3)], axis=1).astype(np.uint8)
