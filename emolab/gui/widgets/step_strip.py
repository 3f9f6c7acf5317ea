"""The steps of a session from left to right."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from emolab.gui import theme
from emolab.session.snapshot import StepView

_WEIGHTS = {"rest": 4.0, "play": 2.0, "rate": 1.0, "pause": 1.5, "mark": 0.4, "instruct": 1.5}
_TALL = 32


class StepStrip(QWidget):
    """One cell a step. Waiting: hollow. Now: taller, bright, with a pointer under it. Done: filled
    with a tick where there is room. Skipped: hollow, crossed out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: tuple[StepView, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("steps of the session")
        theme.notifier().changed.connect(self._restyle)

    def set_steps(self, steps: tuple[StepView, ...]) -> None:
        """Show these steps."""
        if steps == self._steps:
            return
        self._steps = steps
        present = next((s for s in steps if s.status == "now"), None)
        told = f"step {present.index + 1} of {len(steps)}: {present.name}" if present else ""
        self.setAccessibleDescription(told)
        self.update()

    def cells(self) -> list[tuple[StepView, QRectF]]:
        """Each step with its place."""
        if not self._steps:
            return []
        gap = max(1.0, theme.px(2))
        weights = [_WEIGHTS.get(step.kind, 1.0) for step in self._steps]
        room = self.width() - gap * (len(weights) - 1)
        left, placed = 0.0, []
        for step, weight in zip(self._steps, weights, strict=True):
            width = max(room * weight / sum(weights), 1.0)
            placed.append((step, QRectF(left, theme.px(2), width, theme.px(_TALL - 12))))
            left += width + gap
        return placed

    def _restyle(self) -> None:
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(480), theme.px(_TALL))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(theme.SIZES.small))
        for step, box in self.cells():
            _paint_cell(painter, step, box)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            under = next((s for s, box in self.cells() if box.left() <= event.pos().x() <= box.right()), None)
            if under is not None:
                QToolTip.showText(event.globalPos(), _sentence(under), self)
            return True
        return super().event(event)


def _sentence(step: StepView) -> str:
    parts = [
        f"{step.index + 1}. {step.name or step.kind}",
        step.title,
        step.state.replace("_", " "),
        step.status,
    ]
    return " · ".join(part for part in parts if part)


def _paint_cell(painter: QPainter, step: StepView, box: QRectF) -> None:
    colours = theme.palette()
    round_px = theme.px(2)
    fill = {"now": colours.accent, "done": theme.mix(colours.panel, colours.text, 0.32)}.get(step.status)
    edge = colours.accent if step.status == "now" else colours.edge
    painter.setPen(QPen(QColor(edge), 1))
    painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), round_px, round_px)
    if step.status == "skipped":
        painter.drawLine(box.bottomLeft(), box.topRight())
    if step.status == "now":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent))
        size = theme.px(4)
        middle, top = box.center().x(), box.bottom() + theme.px(2)
        painter.drawPolygon([QPointF(middle, top), QPointF(middle - size, top + size * 1.4),
                             QPointF(middle + size, top + size * 1.4)])  # fmt: skip
    text = str(step.trial) if step.kind == "play" and step.trial else step.name
    if step.status == "done" and step.kind != "play":
        text = f"{text} ✓"
    if painter.fontMetrics().horizontalAdvance(text) <= box.width() - 4:
        painter.setPen(QColor(colours.on_accent if step.status == "now" else colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
