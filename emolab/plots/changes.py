"""How the body changed with each reported state: boxes, and every clip as a point of a swarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.plots.style import (
    COLUMN_IN,
    LEAST_PT,
    LIGHT,
    PAGE_IN,
    STATE_LOOKS,
    Drawing,
    Look,
    check_states,
    number,
    place,
    styled,
)
from emolab.plots.swarm import spread

Floats = NDArray[np.float64]

POINT_PT = 3.4
HEIGHT_IN = 2.1
MARKERS = "os^Dv<>P"  # a participant's own, while there are enough
FENCE = 3.0  # interquartile ranges beyond the box; what lies farther is drawn at the edge


@dataclass(frozen=True)
class _State:
    """One state's values of one feature, in the order of the table. `tips`: whose clip each is."""

    key: str
    values: Floats
    people: NDArray[np.str_]
    tips: NDArray[np.str_]


def changes(
    table: pd.DataFrame,
    features: Mapping[str, str],
    label: str = "state_reported",
    look: Look = LIGHT,
) -> Drawing:
    """A panel for each feature: box (median, quartiles, whiskers to 1.5 ranges) and swarm by state.

    `features`: column to words with the unit, such as `{"d_hr_mean": "Δ heart rate (bpm)"}`. States without
    a value keep their place. Values more than three interquartile ranges out are drawn as arrows at the
    edge; the caption counts them, and the clips without a value or a report.
    """
    absent = [name for name in ("participant", label, *features) if name not in table.columns]
    if absent or not features:
        raise DataError(f"the table lacks {', '.join(absent) or 'features to draw'}")
    check_states(table[label].dropna())
    people = sorted(table["participant"].astype(str).unique())
    markers = dict(zip(people, MARKERS, strict=False)) if len(people) <= len(MARKERS) else {}
    columns = 1 if len(features) == 1 else 2
    rows = -(-len(features) // columns)
    width = COLUMN_IN if columns == 1 else PAGE_IN
    beside = _beside(people, width)
    legend_in = max(0.3, 0.14 * -(-len(people) // beside)) if markers and len(people) > 1 else 0.05
    high = HEIGHT_IN + 0.68
    captions, alts = [], []
    with styled(look):
        figure = Figure((width, rows * high + legend_in))
        for at, (name, words) in enumerate(features.items()):
            row, column = divmod(at, columns)
            bottom = legend_in + (rows - 1 - row) * high + 0.52
            axes = place(figure, column * width / columns + 0.58, bottom, width / columns - 0.64, HEIGHT_IN)
            states = _states(table, name, label)
            farther = _panel(axes, states, words, markers, look, width / columns - 0.64)
            captions.append(_missing_words(table, name, words, label, farther))
            alts.append(_alt(states, words))
        if markers and len(people) > 1:
            _legend(figure, markers, beside, look)
    told = [one for one in captions if one]
    caption = (
        "Change from baseline by reported state; a point is a clip, boxes are quartiles with the median."
        + (f" {' '.join(told)}" if told else "")
        + _unreported(table, label)
    )
    return Drawing(figure, caption, " ".join(alts), look)


def _states(table: pd.DataFrame, name: str, label: str) -> list[_State]:
    values = _values(table, name)
    finite = np.isfinite(values)
    labels = table[label].astype(object).where(table[label].notna(), None).to_numpy()
    people = table["participant"].astype(str).to_numpy()
    tips = people if "clip" not in table else people + "\n" + table["clip"].astype(str).to_numpy()
    chosen = {key: finite & (labels == key) for key in STATE_KEYS}
    return [_State(key, values[own], people[own], tips[own]) for key, own in chosen.items()]


def _values(table: pd.DataFrame, name: str) -> Floats:
    return pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _panel(
    axes: Axes, states: list[_State], words: str, markers: Mapping[str, str], look: Look, width_in: float
) -> list[float]:
    """Draw one feature; returns the values that lie beyond its edges."""
    low, high = _limits(states)
    axes.set_xlim(-0.55, len(states) - 0.45)
    axes.set_ylim(low, high)
    axes.axhline(0, color=look.muted, lw=0.7, ls=(0, (4, 3)), zorder=1)
    axes.set_ylabel(words)
    axes.set_xticks(
        range(len(states)),
        [f"{STATE_LOOKS[one.key].words.replace(' ', chr(10))}\n" f"n = {len(one.values)}"
         if " " in STATE_LOOKS[one.key].words else f"{STATE_LOOKS[one.key].words}\n\nn = {len(one.values)}"
         for one in states],
        fontsize=LEAST_PT,
    )  # fmt: skip
    axes.tick_params(axis="x", length=0)
    slot_pt = 72 * width_in / (len(states) + 0.1)
    farther: list[float] = []
    for at, one in enumerate(states):
        inside = (one.values >= low) & (one.values <= high)
        farther += one.values[~inside].tolist()
        _box(axes, at, one.values, (low, high), STATE_LOOKS[one.key].colour, look)
        heights = (one.values[inside] - low) / (high - low) * 72 * HEIGHT_IN
        swarm = spread(heights, POINT_PT, 0.46 * slot_pt)
        x = at + swarm.x_pt / slot_pt
        _points(axes, x, one, inside, swarm.diameter_pt, markers, look)
        for edge, beyond in ((high, one.values[one.values > high]), (low, one.values[one.values < low])):
            _arrow(axes, at, edge, beyond, look)
    return farther


def _arrow(axes: Axes, at: int, edge: float, beyond: Floats, look: Look) -> None:
    """An arrow at the edge, with the value that lies beyond it, or how many do."""
    if len(beyond):
        words = number(float(beyond[0])) if len(beyond) == 1 else f"{len(beyond)} ×"
        up = bool(beyond[0] > edge)
        axes.plot(at, edge, "^" if up else "v", ms=5, color=look.text, clip_on=False, zorder=5)
        axes.annotate(
            words, (at, edge), (5, 0 if up else 4), textcoords="offset points", fontsize=LEAST_PT,
            va="center", zorder=5,
        )  # fmt: skip


def _limits(states: list[_State]) -> tuple[float, float]:
    """From the least to the greatest value, but no farther than the fences of all states' values together."""
    filled = [one.values for one in states if len(one.values)]
    if not filled:
        return -1.0, 1.0
    every = np.concatenate(filled)
    quartiles = np.percentile(every, [25, 75])
    span = float(quartiles[1] - quartiles[0])
    low, high = float(every.min()), float(every.max())
    if len(every) >= 8 and span > 0:
        low = max(low, float(quartiles[0]) - FENCE * span)
        high = min(high, float(quartiles[1]) + FENCE * span)
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.5
    return low - room, high + room


def _box(axes: Axes, at: int, values: Floats, limits: tuple[float, float], colour: str, look: Look) -> None:
    """Median, quartiles and whiskers; of fewer than five values nothing but the median."""
    if not len(values):
        return
    first, median, third = np.percentile(values, [25, 50, 75])
    if len(values) >= 5:
        reach = 1.5 * (third - first)
        low = float(values[values >= first - reach].min())
        high = float(values[values <= third + reach].max())
        for whisker in ([low, first], [third, high]):
            axes.plot([at, at], np.clip(whisker, *limits), color=look.muted, lw=0.8, zorder=2)
        shown = np.clip([first, third], *limits)
        axes.bar(at, shown[1] - shown[0], 0.72, bottom=shown[0], color=colour, alpha=0.28, lw=0, zorder=2)
        axes.bar(at, shown[1] - shown[0], 0.72, bottom=shown[0], fill=False, ec=look.muted, lw=0.8, zorder=2)
    if limits[0] <= median <= limits[1]:
        axes.plot([at - 0.36, at + 0.36], [median, median], color=look.text, lw=1.6, zorder=4)


def _points(
    axes: Axes,
    x: Floats,
    one: _State,
    inside: NDArray[np.bool_],
    diameter_pt: float,
    markers: Mapping[str, str],
    look: Look,
) -> None:
    """A mark for each clip; participants have their own while there are few of them."""
    values, people, tips = one.values[inside], one.people[inside], one.tips[inside]
    marks = np.array([markers.get(name, "o") for name in people])
    for mark in sorted(set(marks.tolist())):
        own = marks == mark
        size_pt = diameter_pt if mark == "o" else 0.85 * diameter_pt  # corners reach farther
        points = axes.scatter(
            x[own], values[own], s=size_pt**2, marker=mark, c=STATE_LOOKS[one.key].colour,
            edgecolors=look.text, linewidths=min(0.35, 0.12 * diameter_pt), zorder=3, clip_on=False,
        )  # fmt: skip
        told = zip(tips[own], values[own], strict=True)
        vars(points)["tips"] = [f"{tip}\n{number(float(value))}" for tip, value in told]  # for the pointer


def _beside(people: list[str], width_in: float) -> int:
    """How many of these names stand beside one another in the legend."""
    each_in = 0.3 + 0.062 * max(map(len, people), default=0)
    return max(1, min(len(people), 4 if width_in < 5 else 8, int(width_in / each_in)))


def _legend(figure: Figure, markers: Mapping[str, str], beside: int, look: Look) -> None:
    handles = [
        Line2D([], [], marker=mark, ls="", ms=4, mfc=look.panel, mec=look.text, mew=0.6, label=name)
        for name, mark in markers.items()
    ]
    figure.legend(
        handles=handles, loc="lower center", ncols=beside,
        bbox_to_anchor=(0.5, 0.0), fontsize=LEAST_PT, columnspacing=0.9, labelspacing=0.2, borderpad=0.1,
    )  # fmt: skip


def _missing_words(table: pd.DataFrame, name: str, words: str, label: str, farther: list[float]) -> str:
    values = _values(table, name)
    missing = int((table[label].notna().to_numpy() & ~np.isfinite(values)).sum())
    parts = []
    if missing:
        parts.append(f"could not be measured in {missing} of {int(table[label].notna().sum())} clips")
    if farther:
        worst = max(farther, key=abs)
        many = f"{len(farther)} values lie" if len(farther) > 1 else "1 value lies"
        parts.append(f"{many} beyond the edge (arrows, to {number(worst)})")
    return f"{words.split(' (')[0]}: {', '.join(parts)}." if parts else ""


def _unreported(table: pd.DataFrame, label: str) -> str:
    count = int(table[label].isna().sum())
    words = "1 clip without a report is" if count == 1 else f"{count} clips without a report are"
    return f" {words} not shown." if count else ""


def _alt(states: list[_State], words: str) -> str:
    told = [
        f"{STATE_LOOKS[one.key].words} {number(float(np.median(one.values)))} (n = {len(one.values)})"
        if len(one.values)
        else f"{STATE_LOOKS[one.key].words} none"
        for one in states
    ]
    return f"{words}, median by reported state: {', '.join(told)}."
