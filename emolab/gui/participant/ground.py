"""The grey behind everything, set so that each page gives off the same light.

Text is brighter than its ground, so a page with more text lights the face more. The ground of
a page is therefore darkened until the mean luminance of the whole page is that of the plain
ground. One step of an 8-bit grey is 3 % of its light; finer steps are made by mixing two
neighbouring greys in a 16 × 16 pattern (Bayer 1973), which no eye resolves.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QBrush, QImage, QPainter, QPixmap, QRegion
from PySide6.QtWidgets import QWidget

from emolab.gui import theme

TILE = 16
_WEIGHTS = (0.2126, 0.7152, 0.0722)  # red, green, blue; WCAG 2.2
_MEASURED_LINES = 1080  # larger pages are measured at a smaller scale
_RGB = tuple(int(theme.PARTICIPANT.ground[i : i + 2], 16) for i in (1, 3, 5))


def target() -> float:
    """The mean luminance every page has, 0 to 1."""
    return theme.luminance(theme.PARTICIPANT.ground)


def plain_level() -> float:
    """The level of a ground with nothing on it."""
    return float(_RGB[1])


def mean_luminance(image: QImage) -> float:
    """Mean luminance of a picture, 0 to 1, in linear light."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)  # must outlive the view of its pixels
    pixels = _pixels(image)
    light = _linear()
    return float(sum(w * light[pixels[..., 2 - i]].mean() for i, w in enumerate(_WEIGHTS)))


def level_for(page: QWidget, size: QSize) -> float:
    """The ground level (0 to 255, in fractions) under which `page` has the target luminance."""
    share = min(1.0, _MEASURED_LINES / max(size.height(), 1))
    image = QImage(size * share, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.scale(share, share)
    page.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    painter.end()
    pixels = _pixels(image)
    drawn = pixels[pixels[..., 3] > 0].astype(np.float64)
    bare = 1 - len(drawn) / (image.width() * image.height())

    def light_at(level: int) -> float:
        return _light_of(drawn, level) * (1 - bare) + _plain(level) * bare

    low, high = 0, 255
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if light_at(middle) <= target() else (low, middle)
    below, above = light_at(low), light_at(high)
    return low + min(max((target() - below) / (above - below), 0.0), 1.0)


@cache
def brush(level: float) -> QBrush:
    """A brush of the grey `level`; fractions are mixed from the two greys beside it."""
    low = int(level)
    share = level - low
    tile = np.empty((TILE, TILE, 4), np.uint8)
    tile[...] = (*reversed(_grey(low)), 255)
    tile[_bayer() < share] = (*reversed(_grey(low + 1)), 255)
    image = QImage(tile.data, TILE, TILE, TILE * 4, QImage.Format.Format_RGB32).copy()
    return QBrush(QPixmap.fromImage(image))


def quantised(level: float) -> float:
    """`level` rounded to what the pattern can show."""
    return round(level * TILE * TILE) / (TILE * TILE)


def _grey(level: int) -> tuple[int, int, int]:
    """The ground's own tint at another level; level 0 to 255 is its green."""
    return tuple(min(max(level + value - _RGB[1], 0), 255) for value in _RGB)  # type: ignore[return-value]


def _plain(level: int) -> float:
    return sum(w * theme.linear(v) for w, v in zip(_WEIGHTS, _grey(level), strict=True))


def _light_of(drawn: NDArray[np.float64], level: int) -> float:
    """Mean luminance of `(n, 4)` premultiplied BGRA pixels over the ground `level`."""
    if len(drawn) == 0:
        return 0.0
    seen_through = 1 - drawn[:, 3] / 255
    grey, light = _grey(level), _linear()
    total = 0.0
    for i, weight in enumerate(_WEIGHTS):
        shown = np.clip(drawn[:, 2 - i] + seen_through * grey[i], 0, 255)
        total += weight * float(light[np.rint(shown).astype(np.uint8)].mean())
    return total


def _pixels(image: QImage) -> NDArray[np.uint8]:
    flat = np.frombuffer(image.constBits(), np.uint8, image.height() * image.bytesPerLine())
    return flat.reshape(image.height(), -1)[:, : image.width() * 4].reshape(image.height(), image.width(), 4)


@cache
def _linear() -> NDArray[np.float64]:
    return np.array([theme.linear(value) for value in range(256)])


@cache
def _bayer() -> NDArray[np.float64]:
    pattern = np.zeros((1, 1))
    while len(pattern) < TILE:
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return (pattern + 0.5) / TILE**2
