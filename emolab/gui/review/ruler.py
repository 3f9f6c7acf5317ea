"""The ruler under the curves: round moments of the session, so many that their words do not touch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from emolab.gui import theme

RULER_PX = 24
STEPS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600,
           900, 1800, 3600, 7200, 14400)  # fmt: skip
APART_PX = 84


@dataclass(frozen=True)
class Ruler:
    """From and to, and where the curves are."""

    from_s: float
    to_s: float
    plot: QRectF

    @property
    def step_s(self) -> float:
        """Seconds between two marks."""
        least_s = (self.to_s - self.from_s) * theme.px(APART_PX) / max(self.plot.width(), 1)
        return next((step_s for step_s in STEPS_S if step_s >= least_s), STEPS_S[-1])

    def moments_s(self) -> list[float]:
        """Where the marks are."""
        first = math.ceil(self.from_s / self.step_s)
        last = math.floor(self.to_s / self.step_s)
        return [number * self.step_s for number in range(first, last + 1)]

    def x_of(self, time_s: float) -> float:
        """Pixels from the left."""
        return self.plot.left() + (time_s - self.from_s) / (self.to_s - self.from_s) * self.plot.width()


def paint_ruler(painter: QPainter, ruler: Ruler) -> None:
    """Lines through the plot, and the moments' words under it."""
    colours = theme.palette()
    step_s, half = ruler.step_s, theme.px(APART_PX) / 2
    for moment_s in ruler.moments_s():
        x = round(ruler.x_of(moment_s)) + 0.5
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawLine(QPointF(x, 0), QPointF(x, ruler.plot.bottom()))
        box = QRectF(x - half, ruler.plot.bottom(), 2 * half, theme.px(RULER_PX))
        if box.right() > ruler.plot.right() + half / 2:
            continue
        painter.setPen(QColor(colours.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, moment(moment_s, step_s))


def moment(time_s: float, step_s: float = 1.0) -> str:
    """`07:42`, `1:02:03`, with as many decimals as the step needs: `07:42.318`."""
    places = 0 if step_s >= 1 else 1 if step_s >= 0.1 else 2 if step_s >= 0.01 else 3
    sign, whole = ("−" if time_s < 0 else ""), round(abs(time_s) * 10**places)
    seconds, rest = divmod(whole, 10**places)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f".{rest:0{places}d}" if places else ""
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{sign}{head}:{seconds:02d}{tail}"
