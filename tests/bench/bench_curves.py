"""Curves on the screen, side by side with pyqtgraph and mne-qt-browser, on the same arrays.

    python -m tests.bench.bench_curves [--frames 30] [--rounds 5] [--peers DIR] [--json FILE]

Six signals; each frame shows another place, a two-hundredth of the width further on. The review's chart as it
is; pyqtgraph with one plot of six `PlotDataItem`s, its own peak down-sampling, clipToView, no check for
NaN, pens a pixel wide, no antialiasing, no grid, which is as fast as it gets; mne-qt-browser as it comes,
its own down-sampling to peaks. Each in a window of 1366 x 500 on the offscreen platform. A frame is timed
from the change of range until its pixels are there, on the wall's clock and on this thread's alone; the
rounds take turns. In every signal there are spikes of one sample; which of them are in the pictures is
counted.

Goals: chart at least 2 x pyqtgraph at 5 and 20 min, 3 x at 3 h; 5 x mne-qt-browser from 5 min on; 0.9 x
of either at 10 s; every spike visible. The peers are no part of emolab; to get mne-qt-browser:

    pip install --no-deps --target DIR mne mne-qt-browser decorator pooch tqdm qtpy qdarkstyle \
        scooby darkdetect platformdirs requests
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject, QRectF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QWidget

from emolab.gui import theme
from emolab.gui.review.chart import Chart
from emolab.gui.review.span import Span
from emolab.review.curves import Track
from emolab.signals.pyramid import Pyramid, View

WIDE_PX, TALL_PX = 1366, 500
SIGNALS = 6
SPIKES = 12  # in sight, of each signal
SHIFT = 1 / 200  # of the width, from frame to frame
KINDS = ("eda", "ppg", "respiration", "thermal", "audio", "lsl")
GOALS = {"10 s": 0.9, "5 min": 2.0, "20 min": 2.0, "20 min, 1 kHz": 2.0, "3 h": 3.0, "3 h, 1 kHz": 3.0}
GOAL_MNE = 5.0
LACKS = (
    "mne-qt-browser is not here: pip install --no-deps --target DIR mne mne-qt-browser decorator pooch "
    "tqdm qtpy qdarkstyle scooby darkdetect platformdirs requests, then --peers DIR"
)


@dataclass(frozen=True)
class Case:
    """So many seconds in sight of a recording that is a little longer; `whole_s` when far longer."""

    name: str
    seen_s: float
    rate_hz: float
    whole_s: float = 0.0


CASES = (
    Case("10 s", 10, 250, 1200),
    Case("5 min", 300, 250, 1200),
    Case("20 min", 1200, 250),
    Case("20 min, 1 kHz", 1200, 1000),
    Case("3 h", 10_800, 250),
    Case("3 h, 1 kHz", 10_800, 1000),
)


@dataclass(frozen=True)
class Signals:
    """Times, values `(signals, n)` within one of zero but for spikes to four, and when those are."""

    times_s: NDArray[np.float64]
    values: NDArray[np.float32]
    spikes_s: NDArray[np.float64]
    rate_hz: float


def signals(case: Case) -> Signals:
    """Waves with noise, as long as the case asks for and half as much again to move along."""
    long_s = max(case.whole_s, 1.3 * case.seen_s)
    times_s = np.arange(int(long_s * case.rate_hz)) / case.rate_hz
    rng = np.random.default_rng(11)
    values = np.empty((SIGNALS, len(times_s)), np.float32)
    count = round(SPIKES * long_s / case.seen_s)
    spikes = np.sort(rng.choice(len(times_s), count, replace=False))
    for at in range(SIGNALS):
        wave = np.sin(2 * np.pi * (0.2 + 0.3 * at) * times_s)
        values[at] = 0.6 * wave + rng.normal(0, 0.1, len(times_s))
        values[at, spikes] = 4.0
    return Signals(times_s, values, times_s[spikes], case.rate_hz)


class Chart6:
    """The review's chart over pyramids, as a `Timeline` gives them."""

    name = "emolab"

    def __init__(self, told: Signals, case: Case) -> None:
        self.problems: dict[str, str] = {}
        self.tracks = tuple(Track(f"signal {at}", "made", at, kind, "") for at, kind in enumerate(KINDS))
        begun_s = time.perf_counter()
        self._pyramids = {
            track.name: Pyramid(told.times_s, told.values[track.channel]) for track in self.tracks
        }
        self.built_s = time.perf_counter() - begun_s
        self._span = Span(0.0, float(told.times_s[-1]))
        self._span.show(0.0, case.seen_s)
        self.widget = Chart(self, self._span)  # type: ignore[arg-type]  # all of a Timeline that it asks for
        self.painted: QWidget = self.widget

    def view(self, track: str, from_s: float, to_s: float, pixels: int) -> View:
        return self._pyramids[track].view(from_s, to_s, pixels)

    def value_at(self, track: str, time_s: float) -> float:
        return self._pyramids[track].value_at(time_s)

    def is_ready(self, track: str) -> bool:
        return True

    def show(self, from_s: float, to_s: float) -> None:
        self._span.show(from_s, to_s)

    def x_of(self, time_s: float) -> float:
        return self.widget.x_of(time_s)

    def band(self, at: int) -> tuple[QRectF, QColor]:
        """Where only a spike of a signal reaches, and in which colour."""
        lane = self.widget._lane(at)
        top = QRectF(lane.left(), lane.top() + 3, lane.width(), 0.3 * lane.height())
        return top, QColor(theme.signal_colour(KINDS[at]))


class Plot6:
    """pyqtgraph: one plot, six curves above one another."""

    name = "pyqtgraph"

    def __init__(self, told: Signals, case: Case) -> None:
        import pyqtgraph

        pyqtgraph.setConfigOptions(antialias=False)
        self.widget = pyqtgraph.PlotWidget(background="k")
        item = self.widget.getPlotItem()
        self._box = item.getViewBox()
        item.hideAxis("left")
        item.hideButtons()
        item.setMenuEnabled(False)
        begun_s = time.perf_counter()
        for at in range(SIGNALS):
            curve = pyqtgraph.PlotDataItem(
                told.times_s,
                told.values[at] / 5 + (SIGNALS - 1 - at),
                pen=pyqtgraph.mkPen("w", width=1),
                skipFiniteCheck=True,
            )
            item.addItem(curve)
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)
        self.widget.setYRange(-0.5, SIGNALS - 0.1, padding=0)
        self.widget.setXRange(0, case.seen_s, padding=0)
        self.built_s = time.perf_counter() - begun_s
        self.painted: QWidget = self.widget.viewport()

    def show(self, from_s: float, to_s: float) -> None:
        self.widget.setXRange(from_s, to_s, padding=0)

    def x_of(self, time_s: float) -> float:
        return self._place(time_s, 0.0)[0]

    def band(self, at: int) -> tuple[QRectF, QColor]:
        low, high = (self._place(0.0, SIGNALS - 1 - at + level)[1] for level in (0.45, 0.75))
        return QRectF(0, high, self.widget.width(), low - high), QColor("white")

    def _place(self, time_s: float, level: float) -> tuple[float, float]:
        from pyqtgraph import Point

        found = self.widget.mapFromScene(self._box.mapViewToScene(Point(time_s, level)))
        return float(found.x()), float(found.y())


class Browser6:
    """mne-qt-browser on a `RawArray`; a lane is one high and values grow downwards."""

    name = "mne-qt-browser"

    def __init__(self, told: Signals, case: Case) -> None:
        import mne

        mne.set_log_level("ERROR")
        mne.viz.set_browser_backend("qt", verbose=False)
        info = mne.create_info([f"signal {at}" for at in range(SIGNALS)], told.rate_hz, "misc")
        begun_s = time.perf_counter()
        raw = mne.io.RawArray(told.values.astype(np.float64), info, verbose=False)
        self.widget = raw.plot(
            duration=case.seen_s, start=0.0, n_channels=SIGNALS, scalings={"misc": 5.0}, show=False,
            block=False, overview_mode="hidden", show_scrollbars=False, show_scalebars=False, theme="light",
            precompute=False, remove_dc=False,
        )  # fmt: skip
        self.built_s = time.perf_counter() - begun_s
        self._plot = self.widget.mne.plt
        self.painted: QWidget = self.widget.mne.view.viewport()
        self.widget.mne.overview_bar.hide()

    def show(self, from_s: float, to_s: float) -> None:
        self._plot.setXRange(from_s, to_s, padding=0)

    def x_of(self, time_s: float) -> float:
        return self._place(time_s, 0.0)[0]

    def band(self, at: int) -> tuple[QRectF, QColor]:
        ends = sorted(self._place(0.0, at + 1 - level)[1] for level in (0.2, 0.33))
        is_dark = (
            self.widget.grab().toImage().pixelColor(self.widget.width() // 2, round(ends[0])).lightness()
            < 128
        )
        colour = QColor("white" if is_dark else "black")
        return QRectF(0, ends[0], self.widget.width(), ends[1] - ends[0]), colour

    def _place(self, time_s: float, level: float) -> tuple[float, float]:
        from pyqtgraph import Point

        view = self.widget.mne.view
        found = view.mapFromScene(self.widget.mne.viewbox.mapViewToScene(Point(time_s, level)))
        found = view.viewport().mapTo(self.widget, found)
        return float(found.x()), float(found.y())


class _Painted(QObject):
    """Counts how often a widget was painted."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def frames(shown: Any, case: Case, count: int, begin_s: float) -> tuple[list[float], list[float]]:
    """Milliseconds of each frame: by the wall's clock, and of this thread alone."""
    wall, own = [], []
    watch = _Painted()
    shown.painted.installEventFilter(watch)
    for number in range(count):
        from_s = begin_s + number * SHIFT * case.seen_s
        before, begun_s, begun_own_s = watch.count, time.perf_counter(), time.thread_time()
        shown.show(from_s, from_s + case.seen_s)
        while watch.count == before:
            QApplication.processEvents()
        wall.append(1e3 * (time.perf_counter() - begun_s))
        own.append(1e3 * (time.thread_time() - begun_own_s))
    shown.painted.removeEventFilter(watch)
    return wall, own


def spikes(shown: Any, told: Signals, case: Case, begin_s: float) -> tuple[int, int]:
    """How many spikes are in the picture, and how many should be."""
    found = wanted = 0
    for shift in (0.0, 0.11, 0.2337):
        from_s = begin_s + shift * case.seen_s
        shown.show(from_s, from_s + case.seen_s)
        QApplication.processEvents()
        image = shown.widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., :3]
        edge_s = 0.01 * case.seen_s
        sought = told.spikes_s[
            (told.spikes_s > from_s + edge_s) & (told.spikes_s < from_s + case.seen_s - edge_s)
        ]
        for at in range(SIGNALS):
            band, colour = shown.band(at)
            rows = pixels[round(band.top()) : max(round(band.bottom()), round(band.top()) + 1)].astype(int)
            ink = np.array([colour.blue(), colour.green(), colour.red()])
            ground = np.median(rows.reshape(-1, 3), axis=0)
            near = np.abs(rows - ink).sum(axis=2) < 0.6 * np.abs(ground - ink).sum()
            columns = near.mean(axis=0) > 0.5  # a stroke through the band, not a dot
            for spike_s in sought:
                x = round(shown.x_of(float(spike_s)))
                found += bool(columns[max(x - 2, 0) : x + 3].any())
                wanted += 1
    return found, wanted


def compare(case: Case, makers: Sequence[Callable[..., Any]], count: int, rounds: int) -> dict[str, Any]:
    """Figures of one case: each peer's median and p95, spikes seen, and how many times as fast we are."""
    told = signals(case)
    begin_s = min(0.2 * case.whole_s, 600.0) if case.whole_s else 0.0
    peers = []
    for make in makers:
        shown = make(told, case)
        shown.widget.resize(WIDE_PX, TALL_PX)
        shown.widget.show()
        QApplication.processEvents()
        frames(shown, case, 3, begin_s + 0.05 * case.seen_s)
        peers.append(shown)
    wall: dict[str, list[float]] = {shown.name: [] for shown in peers}
    own: dict[str, list[float]] = {shown.name: [] for shown in peers}
    ratios: dict[str, list[float]] = {shown.name: [] for shown in peers[1:]}
    for _ in range(rounds):
        medians = {}
        for shown in peers:
            for _ in range(5):  # what the one before still has to do is not held against this one
                QApplication.processEvents()
            taken, taken_own = frames(shown, case, count, begin_s)
            wall[shown.name] += taken
            own[shown.name] += taken_own
            medians[shown.name] = statistics.median(taken_own)
        for name in ratios:
            ratios[name].append(medians[name] / medians["emolab"])
    found: dict[str, Any] = {}
    for shown in peers:
        seen, wanted = spikes(shown, told, case, begin_s)
        found[shown.name] = {
            "median_ms": statistics.median(wall[shown.name]),
            "p95_ms": float(np.percentile(wall[shown.name], 95)),
            "own_median_ms": statistics.median(own[shown.name]),
            "built_s": shown.built_s,
            "spikes": [seen, wanted],
        }
        if shown.name in ratios:
            found[shown.name]["times_as_long"] = statistics.median(ratios[shown.name])
            found[shown.name]["rounds"] = ratios[shown.name]
        shown.widget.close()
        shown.widget.deleteLater()
    QApplication.processEvents()
    return found


def line(case: Case, name: str, told: dict[str, Any]) -> str:
    """One row of the table."""
    seen, wanted = told["spikes"]
    text = (
        f"{case.name:<15}{name:<16}{told['median_ms']:8.2f}{told['p95_ms']:8.2f}{told['own_median_ms']:8.2f}"
        f"   {seen}/{wanted}"
    )
    if "times_as_long" in told:
        goal = GOALS[case.name] if name == "pyqtgraph" or case.name == "10 s" else GOAL_MNE
        verdict = "well" if told["times_as_long"] >= goal else "MISSED"
        rounds = f"{min(told['rounds']):.1f} to {max(told['rounds']):.1f}"
        text += f"   {told['times_as_long']:6.1f} x ({rounds}; goal {goal:g}) {verdict}"
    return text


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--frames", type=int, default=30)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--cases", nargs="*", help="only these, such as '3 h'")
    options.add_argument("--peers", type=Path, metavar="DIR", help="where mne-qt-browser was installed to")
    options.add_argument("--json", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.peers:
        sys.path.append(str(chosen.peers))
    makers: list[Callable[..., Any]] = [Chart6, Plot6]
    try:
        import mne_qt_browser  # noqa: F401

        makers.append(Browser6)
    except ImportError:
        print(LACKS)
    app = QApplication.instance() or QApplication([])
    theme.apply(app)  # type: ignore[arg-type]
    print(f"{'in sight':<15}{'':<16}{'median':>8}{'p95 ms':>8}{'own':>8}   spikes   as long as the chart")
    found = {}
    for case in CASES:
        if chosen.cases and case.name not in chosen.cases:
            continue
        found[case.name] = compare(case, makers, chosen.frames, chosen.rounds)
        for name, told in found[case.name].items():
            print(line(case, name, told), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
