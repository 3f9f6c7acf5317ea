"""Font sizes at which words and texts fit their places: shrink, then wrap, never cut."""

from __future__ import annotations

import html
from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication, QLabel

LEAST = 0.6  # words are shrunk to this share of their size; beyond that they wrap
LINE_PERCENT = 140


def font_of(pixels: float, bold: bool = False) -> QFont:
    """The system's own font at so many pixels."""
    font = QFont(QApplication.font())
    font.setPixelSize(max(round(pixels), 6))
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def fitting(pixels: float, words: Iterable[str], width_px: float) -> float:
    """Largest size up to `pixels` at which every word fits `width_px` on one line.

    Not below `LEAST` of it: there the caller wraps. One size for all words, so that none
    stands out for being short.
    """
    metrics = QFontMetrics(font_of(pixels))
    widest = max((metrics.horizontalAdvance(word) for word in words), default=0)
    share = width_px / widest if widest > width_px else 1.0
    return pixels * max(share * 0.99, LEAST) if share < 1.0 else pixels


def set_text(label: QLabel, text: str, pixels: float, colour: str, bold: bool = False) -> None:
    """Show plain `text` in a size and colour, its line breaks kept, blank lines as half a line."""
    size, weight = max(round(pixels), 6), 600 if bold else 400
    align = "center" if label.alignment() & Qt.AlignmentFlag.AlignHCenter else "left"
    rows = []
    for line in text.strip().splitlines():
        height = size if line.strip() else size // 2
        style = f"color:{colour}; font-size:{height}px; font-weight:{weight}; line-height:{LINE_PERCENT}%"
        rows.append(
            f'<p align="{align}" style="margin:0; {style}">{html.escape(line.strip()) or "&nbsp;"}</p>'
        )
    label.setText("".join(rows))
    label.setAccessibleName(text)
