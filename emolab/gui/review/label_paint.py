"""How a label looks: its colour says what was felt, its pattern who said it.

A person's is solid, a model's hatched, an intention outlined, an analyst's solid with a corner.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF

from emolab.gui import theme
from emolab.recording.labels import TimedLabel
from emolab.review.history import name_of
from emolab.review.lanes import Source

CORNER_PX = 9
FLAG_PX = 5
PAD_PX = 6
NARROW_PX = 4  # no pattern can be made out; of hours, hundreds are drawn
WORDS_PX = 28  # narrower ones hold no word, shortened though it may be
FLAG_WORDS_PX = 60  # room to the next flag: then a flag says what it is about


def paint_label(
    painter: QPainter,
    box: QRectF,
    label: TimedLabel,
    source: Source,
    words: str = "",
    is_selected: bool = False,
) -> None:
    """Draw `label` into `box`, with its words where there is room; a moment as a flag at the left edge."""
    if label.is_moment:
        _paint_flag(painter, box, label, is_selected, words)
        return
    colour = QColor(colour_of(label, source))
    if box.width() < theme.px(NARROW_PX) and not is_selected:
        painter.fillRect(box, colour)
        return
    box = box.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge = QPen(colour, theme.px(2 if source == "intention" else 1))
    painter.setPen(edge)
    painter.setBrush(_brush(colour, source))
    painter.drawRoundedRect(box, 3, 3)
    if source == "model":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(QColor(theme.palette().sunken), Qt.BrushStyle.BDiagPattern))
        painter.drawRoundedRect(box, 3, 3)
    elif source == "analyst":
        _paint_corner(painter, box)
    if label.trace:
        _paint_trace(painter, box, label)
    if is_selected:
        painter.setPen(QPen(QColor(theme.palette().text), theme.px(2)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 3, 3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if has_words(box, label):
        _paint_words(painter, box, label, source, colour, words or name_of(label))


def has_words(box: QRectF, label: TimedLabel) -> bool:
    """Whether words may be seen in `box`: of hours, most have no room."""
    return box.width() >= theme.px(FLAG_WORDS_PX if label.is_moment else WORDS_PX)


def colour_of(label: TimedLabel, source: Source = "person") -> str:
    """The colour of what was felt: the state's, else that of the nearest to the valence given.

    Of arousal alone: from grey to the colour of skin conductance. A model that says neither could not
    judge: the colour of lines.
    """
    if label.state:
        return theme.VALENCE_COLOURS[label.state]
    if label.valence is not None:
        steps = list(theme.VALENCE_COLOURS.values())
        return steps[round((label.valence + 1) * 2)]
    if label.arousal is not None and source == "model":
        return theme.mix(
            theme.VALENCE_COLOURS["neutral"], theme.SIGNAL_COLOURS["eda"], (label.arousal + 1) / 2
        )
    if source == "model":
        return theme.palette().line
    return theme.SIGNAL_COLOURS["mark"]


def _brush(colour: QColor, source: Source) -> QBrush:
    if source == "intention":
        faint = QColor(colour)
        faint.setAlphaF(0.12)
        return QBrush(faint)
    return QBrush(colour)


def _paint_corner(painter: QPainter, box: QRectF) -> None:
    side = min(theme.px(CORNER_PX), box.width() / 2)
    right, top = box.right(), box.top()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.palette().sunken))
    painter.drawPolygon(
        QPolygonF([QPointF(right - side, top), QPointF(right + 1, top), QPointF(right + 1, top + side)])
    )


def _paint_flag(painter: QPainter, box: QRectF, label: TimedLabel, is_selected: bool, words: str) -> None:
    half, x, y = theme.px(FLAG_PX), box.left(), box.top()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.palette().text if is_selected else colour_of(label)), theme.px(2)))
    painter.drawLine(QPointF(x, y), QPointF(x, box.bottom()))
    painter.setBrush(QColor(colour_of(label)))
    painter.drawPolygon(QPolygonF([QPointF(x, y), QPointF(x + 2 * half, y + half), QPointF(x, y + 2 * half)]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if box.width() > theme.px(FLAG_WORDS_PX) and words:
        room = box.adjusted(2 * half + 3, 0, 0, 0)
        painter.setPen(QColor(theme.palette().muted))
        shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_trace(painter: QPainter, box: QRectF, label: TimedLabel) -> None:
    """Valence as a full line, arousal as a dotted one, −1 at the bottom."""
    width_s = max(label.end_s - label.start_s, 1e-9)
    for column, style in ((1, Qt.PenStyle.SolidLine), (2, Qt.PenStyle.DotLine)):
        painter.setPen(QPen(QColor(theme.palette().text), theme.px(1), style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        points = [
            QPointF(
                box.left() + (point[0] - label.start_s) / width_s * box.width(),
                box.center().y() - point[column] * box.height() / 2,
            )
            for point in label.trace
        ]
        painter.drawPolyline(QPolygonF(points))


def _paint_words(
    painter: QPainter, box: QRectF, label: TimedLabel, source: Source, colour: QColor, words: str
) -> None:
    room = box.adjusted(theme.px(PAD_PX), 0, -theme.px(PAD_PX), 0)
    metrics = painter.fontMetrics()
    if metrics.horizontalAdvance(words) > room.width() and label.state:
        words = label.state.replace("_", " ")
    if room.width() < metrics.horizontalAdvance("neu…") or label.trace:
        return
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, int(room.width()))
    ground = theme.palette().sunken if source == "intention" else colour.name()
    if source == "model":  # hatching runs under the words: they get a ground of their own
        plate = QRectF(
            room.left() - 3, room.top() + 3, metrics.horizontalAdvance(shown) + 6, room.height() - 6
        )
        painter.fillRect(plate, colour)
    painter.setPen(QColor(theme.ink_on(ground)))
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
