"""Live plots: no peak is lost, gaps are seen, the axis is calm, and Qt keeps its references."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

from emolab.core.ring import SampleRing
from emolab.gui.console.strip_chart import Lane, StripChart
from emolab.gui.widgets.envelope import envelope
from emolab.gui.widgets.steady_range import SteadyRange


def test_envelope_keeps_a_peak_of_one_sample():
    times_s = np.arange(120_000) / 1000
    values = np.zeros(120_000)
    values[77_777] = 5.0
    x, y = envelope(times_s, values, 120.0, 800)
    assert len(x) <= 2 * 801
    assert y.max() == 5.0
    assert x[y.argmax()] == pytest.approx(77.777, abs=0.15)


def test_envelope_of_few_samples_is_the_samples():
    times_s, values = np.arange(50) / 10, np.arange(50.0)
    x, y = envelope(times_s, values, 10.0, 400)
    assert x.tolist() == times_s.tolist() and y.tolist() == values.tolist()


def test_peaks_keep_their_height_while_the_plot_scrolls():
    times_s = np.arange(40_000) / 1000
    values = np.random.default_rng(1).normal(size=40_000)
    first = dict(zip(*envelope(times_s[:30_000], values[:30_000], 30.0, 300), strict=True))
    later = dict(zip(*envelope(times_s[500:30_500], values[500:30_500], 30.0, 300), strict=True))
    common = [t for t in first if t in later and 1.0 < t < 29.0]
    assert len(common) > 250
    assert all(first[t] == later[t] for t in common)


def test_missing_samples_are_a_hole_in_the_curve():
    times_s = np.concatenate([np.arange(0, 2, 0.004), np.arange(4, 6, 0.004)])
    _, y = envelope(times_s, np.ones(len(times_s)), 10.0, 5000)
    assert np.isnan(y).sum() == 1


def test_axis_widens_at_once():
    axis = SteadyRange()
    axis.update(0.0, 1.0, now_s=0.0)
    low, high = axis.update(-3.0, 1.0, now_s=0.03)
    assert low < -3.0 and high > 1.0


def test_axis_narrows_only_after_a_while():
    axis = SteadyRange()
    wide = axis.update(0.0, 10.0, now_s=0.0)
    assert axis.update(4.0, 5.0, now_s=1.0) == wide
    assert axis.update(4.0, 5.0, now_s=2.5) == wide
    low, high = axis.update(4.0, 5.0, now_s=3.1)
    assert 3.5 < low < 4.0 and 5.0 < high < 5.5


def test_axis_of_a_flat_line_is_not_empty():
    low, high = SteadyRange(0.5).update(7.0, 7.0, now_s=0.0)
    assert high - low >= 0.5


@pytest.fixture
def ring(tmp_path):
    made = SampleRing.create(tmp_path / "board", ("skin", "pulse"), 40_000)
    times_s = np.arange(30_000) / 250
    made.write(times_s, np.stack([times_s, np.sin(times_s)], axis=1))
    return made


def test_none_keeps_its_references_while_plots_are_live(qtbot, dressed, ring):
    """PySide6 6.12.0 lost one to every void call and aborted after some seconds."""
    chart = StripChart(lambda name: ring)
    qtbot.addWidget(chart)
    chart.set_lanes([Lane("board", 0, "eda", "skin", "µS", SteadyRange(0.1))])
    chart.resize(600, 120)
    chart.show()
    chart.refresh(119.0)
    dressed.processEvents()
    gc.collect()  # the garbage of other tests refers to it, too
    before = sys.getrefcount(None)
    for i in range(200):
        chart.refresh(119.0 + i / 30)
        dressed.processEvents()
    assert sys.getrefcount(None) >= before - 20
