"""The last seconds of one channel, scrolling, drawn from a shared ring."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QVBoxLayout, QWidget

from emolab.core.ring import SampleRing
from emolab.gui import theme
from emolab.gui.widgets.envelope import envelope
from emolab.gui.widgets.steady_range import SteadyRange

WINDOWS_S = (10.0, 30.0, 120.0)
SPARE_ROWS = 1.2  # read so many times the rows the window should hold


class ScrollPlot(QWidget):
    """Draws when `refresh` is called; a redraw costs a few points per column, whatever the rate.

    `ring`: gives the ring, or None as long as there is none. `channel`: its column. `kind`
    decides the colour. `title` and `unit` stand at the left.
    """

    def __init__(
        self,
        ring: Callable[[], SampleRing | None],
        channel: int,
        kind: str,
        title: str,
        unit: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._ring, self._channel, self._kind = ring, channel, kind
        self._title, self._unit = title, unit
        self._span_s = WINDOWS_S[0]
        self._is_frozen = False
        self._range = SteadyRange(1e-3 if unit != "counts" else 4.0)
        self._newest: tuple[int, int] = (0, -1)
        self._plot = pg.PlotWidget(background=None)
        self._curve = self._plot.plot(connect="finite")
        self._set_up()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        theme.notifier().changed.connect(self._restyle)
        self._restyle()

    @property
    def is_frozen(self) -> bool:
        """True while the picture stands."""
        return self._is_frozen

    @property
    def span_s(self) -> float:
        """Seconds shown."""
        return self._span_s

    def set_span(self, seconds: float) -> None:
        """Show the last `seconds`."""
        self._span_s = seconds
        self._newest = (0, -1)
        self._plot.setXRange(-seconds, 0, padding=0)

    def set_frozen(self, is_frozen: bool) -> None:
        """Let the picture stand, or go on."""
        self._is_frozen = is_frozen

    def set_source(self, ring: Callable[[], SampleRing | None], channel: int) -> None:
        """Draw another ring or channel from now on."""
        self._ring, self._channel = ring, channel
        self._range.forget()
        self._newest = (0, -1)

    def drawn(self) -> tuple[NDArray, NDArray]:
        """The points drawn: seconds before the newest moment, and values."""
        x, y = self._curve.getData()
        return (np.empty(0), np.empty(0)) if x is None else (x, y)

    def refresh(self, now_s: float) -> None:
        """Draw the window that ends at `now_s` on the session clock."""
        ring = self._ring()
        if self._is_frozen or ring is None:
            return
        times_s, rows = ring.newest(_rows_of(ring, self._span_s))
        end_s = max(now_s, float(times_s[-1])) if len(times_s) else now_s
        first = int(np.searchsorted(times_s, end_s - self._span_s))
        times_s, values = times_s[first:], rows[first:, self._channel]
        x, y = envelope(times_s, values, self._span_s, max(self.width(), 100))
        self._curve.setData(x - end_s, y)
        if len(values) and np.isfinite(values).any():
            low, high = self._range.update(float(np.nanmin(values)), float(np.nanmax(values)), end_s)
            self._plot.setYRange(low, high, padding=0)

    def _set_up(self) -> None:
        item = self._plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.disableAutoRange()
        item.setClipToView(False)
        item.getAxis("left").enableAutoSIPrefix(False)
        item.getAxis("bottom").enableAutoSIPrefix(False)
        self._plot.setXRange(-self._span_s, 0, padding=0)
        self.setAccessibleName(f"{self._title}, live curve in {self._unit or 'no unit'}")

    def _restyle(self) -> None:
        colours = theme.palette()
        self._plot.setBackground(colours.sunken)
        curve = theme.signal_colour(self._kind)
        self._curve.setPen(pg.mkPen(curve, width=1.5 * theme.scale()))
        item = self._plot.getPlotItem()
        small = QFont(self.font())
        small.setPixelSize(theme.px(theme.SIZES.small))
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setTickFont(small)
            axis.setPen(QColor(colours.line))
            axis.setTextPen(QColor(colours.muted))
        item.getAxis("left").setWidth(theme.px(72))
        item.getAxis("bottom").setHeight(theme.px(20))
        label = f"{self._title} ({self._unit})" if self._unit else self._title
        item.setLabel("left", label, color=colours.text, **{"font-size": f"{theme.px(theme.SIZES.small)}px"})


def _rows_of(ring: SampleRing, span_s: float) -> int:
    """How many rows make up `span_s`, from the times of the newest ones."""
    times_s, _ = ring.newest(64)
    if len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return ring.capacity
    rate_hz = (len(times_s) - 1) / (times_s[-1] - times_s[0])
    return min(ring.capacity, int(span_s * rate_hz * SPARE_ROWS) + 64)
