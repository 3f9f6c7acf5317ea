"""What the tests found: coefficients and effect sizes as points with their intervals, p beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emolab.core.errors import DataError
from emolab.plots.style import (
    LIGHT,
    PAGE_IN,
    SMALL_PT,
    STATE_LOOKS,
    TEXT_PT,
    Drawing,
    Look,
    number,
    p_words,
    place,
    styled,
)

Measure = Literal["hedges_g", "cohen_dz", "rank_biserial"]

MEASURES: Mapping[str, str] = {
    "hedges_g": "Hedges' g",
    "cohen_dz": "Cohen's dz",
    "rank_biserial": "rank-biserial correlation",
}
ROW_IN = 0.19
GROUP_IN = 0.27  # the line that names a group
FIRST_IN = 1.25  # where the axis begins
LAST_IN = 4.55  # and ends; texts stand beyond
GREATEST_SPAN = 8.0  # of the median interval: wider ones end in an arrow


@dataclass(frozen=True)
class _Span:
    value: float
    low: float
    high: float
    is_main: bool


@dataclass(frozen=True)
class _Row:
    state: str
    words: str
    spans: tuple[_Span, ...]
    texts: tuple[str, ...]


def coefficients(table: pd.DataFrame, names: Mapping[str, str], look: Look = LIGHT) -> Drawing:
    """Forest plot of the multinomial logit: for each predictor the states against the reference.

    `table`: `Logit.table()`. `names`: predictor to words. Filled with a thick line: interval by
    participant; hollow with a thin one: clips taken for independent, as in the paper.
    """
    _need(table, "state", "predictor", "coefficient", "low", "high", "low_clustered", "high_clustered")
    groups = {
        words: [_coefficient(row) for _, row in table[table["predictor"] == name].iterrows()]
        for name, words in names.items()
    }
    with styled(look):
        heads = ("p", "Holm", "p, by\nparticipant", "Holm, by\nparticipant")
        figure, axes = _forest(groups, heads, look)
        axes.set_xlabel("log odds against the reference, for one SD more")
        odds = axes.secondary_xaxis("top", functions=(lambda x: x, lambda x: x))
        ticks = _odds(*axes.get_xlim())
        odds.set_xticks([math.log(tick) for tick in ticks], [number(tick) for tick in ticks])
        odds.set_xlabel("odds ratio", color=look.text)
        _legend(figure, ("errors by participant", "clips independent"), look)
    main = [row for rows in groups.values() for row in rows]
    alt = "; ".join(
        f"{words}: " + ", ".join(_span_words(row) for row in rows) for words, rows in groups.items() if rows
    )
    caption = (
        f"Multinomial logit, {len(main)} coefficients with 95 % intervals. Filled, thick: errors clustered "
        "by participant; hollow, thin: clips taken for independent. Holm over all of them."
    )
    return Drawing(figure, caption, f"Coefficients with intervals by participant. {alt}.", look)


def effect_sizes(
    table: pd.DataFrame, names: Mapping[str, str], measure: Measure = "hedges_g", look: Look = LIGHT
) -> Drawing:
    """Effect sizes of each feature, state against state.

    `table`: `Effects.table()` of one feature or of several below each other. `names`: feature to words.
    """
    _need(table, "feature", "state", "other", "participants", "p", "p_holm", measure)
    groups = {
        words: [
            _effect(row, measure, table["other"].nunique() > 1)
            for _, row in table[table["feature"] == name].iterrows()
        ]
        for name, words in names.items()
    }
    with styled(look):
        figure, axes = _forest(groups, ("people", "p", "Holm"), look)
        axes.set_xlabel(f"{MEASURES[measure]}, 95 % interval")
    others = {str(other) for other in table["other"]}
    against = f" against {STATE_LOOKS[others.pop()].words}" if len(others) == 1 else ""
    caption = (
        f"{MEASURES[measure]} of each state{against}, over the participants who have both, with 95 % "
        "intervals; p of Wilcoxon's signed-rank test, raw and after Holm for each feature."
    )
    alt = "; ".join(
        f"{words}: " + ", ".join(_span_words(row) for row in rows) for words, rows in groups.items() if rows
    )
    return Drawing(figure, caption, f"{MEASURES[measure]}{against}. {alt}.", look)


def _odds(low: float, high: float) -> list[float]:
    """Round odds ratios between two log odds, the roundest first, not too near to one another."""
    ticks: list[float] = []
    for tick in (1.0, *(10.0**k for n in range(1, 9) for k in (n, -n)), 2.0, 0.5, 5.0, 0.2, 1.5, 0.7):
        at = math.log(tick)
        if low <= at <= high and all(abs(at - math.log(one)) > 0.13 * (high - low) for one in ticks):
            ticks.append(tick)
    return sorted(ticks)


def _need(table: pd.DataFrame, *columns: str) -> None:
    absent = [name for name in columns if name not in table.columns]
    if absent or table.empty:
        raise DataError(f"the table lacks {', '.join(absent) or 'rows'}; nothing can be drawn")


def _coefficient(row: pd.Series) -> _Row:
    by_participant = _Span(row["coefficient"], row["low_clustered"], row["high_clustered"], True)
    plain = _Span(row["coefficient"], row["low"], row["high"], False)
    texts = tuple(p_words(row[name]) for name in ("p", "p_holm", "p_clustered", "p_holm_clustered"))
    return _Row(row["state"], STATE_LOOKS[row["state"]].words, (by_participant, plain), texts)


def _effect(row: pd.Series, measure: str, with_other: bool) -> _Row:
    words = STATE_LOOKS[row["state"]].words
    if with_other:
        words = f"{words} − {STATE_LOOKS[row['other']].words}"
    span = _Span(row[measure], row[f"{measure}_low"], row[f"{measure}_high"], True)
    return _Row(
        row["state"], words, (span,), (str(row["participants"]), p_words(row["p"]), p_words(row["p_holm"]))
    )


def _forest(groups: Mapping[str, Sequence[_Row]], heads: Sequence[str], look: Look) -> tuple[Figure, Axes]:
    """A line for each row under its group's name; texts to the right."""
    longest = max((len(row.words) for rows in groups.values() for row in rows), default=0)
    first = max(FIRST_IN, 0.35 + 0.058 * longest)
    has_two = any(len(row.spans) > 1 for rows in groups.values() for row in rows)
    tall = sum(GROUP_IN + ROW_IN * max(len(rows), 1) for rows in groups.values()) + 0.05
    figure = Figure((PAGE_IN, tall + (1.12 if has_two else 0.75)))
    axes = place(figure, first, 0.62 if has_two else 0.42, LAST_IN - first, tall)
    axes.set_ylim(0, tall)
    low, high = _limits(groups)
    axes.set_xlim(low, high)
    axes.axvline(0, color=look.muted, lw=0.7, ls=(0, (4, 3)), zorder=1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    step = (PAGE_IN - LAST_IN - 0.14) / len(heads)
    places = [LAST_IN + 0.08 + step * (at + 0.5) for at in range(len(heads))]

    def write(x_in: float, y: float, words: str, **how: Any) -> None:
        axes.text(
            (x_in - first) / (LAST_IN - first), y / tall, words, transform=axes.transAxes,
            **{"va": "center_baseline", "fontsize": SMALL_PT, **how},
        )  # fmt: skip

    for x_in, head in zip(places, heads, strict=True):
        write(x_in, tall + 0.06, head, ha="center", va="baseline", color=look.muted, linespacing=1.0)
    y = tall
    for words, rows in groups.items():
        y -= GROUP_IN
        ground = {"fc": look.ground, "ec": "none", "boxstyle": "square,pad=0.1"}
        write(0.08, y + 0.09, words, fontsize=TEXT_PT, fontweight="bold", bbox=ground)
        if not rows:
            write(0.2, y - ROW_IN / 2, "no figures", color=look.muted)
            y -= ROW_IN
        for row in rows:
            y -= ROW_IN
            write(0.2, y + ROW_IN / 2, row.words)
            for x_in, text in zip(places, row.texts, strict=True):
                write(x_in, y + ROW_IN / 2, text, ha="center")
            _spans(axes, y + ROW_IN / 2, row, (low, high), look)
    return figure, axes


def _limits(groups: Mapping[str, Sequence[_Row]]) -> tuple[float, float]:
    spans = [span for rows in groups.values() for row in rows for span in row.spans]
    ends = np.array([[span.low, span.high] for span in spans if math.isfinite(span.low + span.high)])
    values = np.array([span.value for span in spans if math.isfinite(span.value)])
    low, high = float(min(values.min(initial=0), 0)), float(max(values.max(initial=0), 0))
    if len(ends):
        most = GREATEST_SPAN / 2 * float(np.median(ends[:, 1] - ends[:, 0]))
        low = min(low, max(float(ends[:, 0].min()), low - most))
        high = max(high, min(float(ends[:, 1].max()), high + most))
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _spans(axes: Axes, y: float, row: _Row, limits: tuple[float, float], look: Look) -> None:
    style = STATE_LOOKS[row.state]
    shift = 0.03 if len(row.spans) > 1 else 0.0
    for span in row.spans:
        at = y + (shift if span.is_main else -shift)
        if math.isfinite(span.low + span.high):
            ends = np.clip([span.low, span.high], *limits)
            axes.plot(
                ends,
                [at, at],
                color=look.text if span.is_main else look.muted,
                lw=1.5 if span.is_main else 0.8,
            )
            for end, is_beyond, mark in (
                (ends[0], span.low < ends[0], "<"),
                (ends[1], span.high > ends[1], ">"),
            ):
                if is_beyond:
                    axes.plot(end, at, mark, ms=4, color=look.text, clip_on=False)
        if math.isfinite(span.value):
            axes.plot(
                span.value, at, style.marker, ms=5 if span.is_main else 3, mew=0.6, mec=look.text,
                mfc=style.colour if span.is_main else look.panel, zorder=4,
            )  # fmt: skip
    if not any(math.isfinite(span.value) for span in row.spans):
        box = {"fc": look.panel, "ec": "none", "boxstyle": "square,pad=0.1"}
        axes.text(
            0,
            y,
            "no figure",
            fontsize=SMALL_PT,
            color=look.muted,
            va="center_baseline",
            ha="center",
            bbox=box,
        )


def _legend(figure: Figure, words: tuple[str, str], look: Look) -> None:
    handles = [
        Line2D(
            [], [], color=look.text, lw=1.5, marker="o", ms=4.5, mfc=look.muted, mec=look.text, label=words[0]
        ),
        Line2D(
            [], [], color=look.muted, lw=0.8, marker="o", ms=3, mfc=look.panel, mec=look.text, label=words[1]
        ),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=2, bbox_to_anchor=(0.5, 0.0), borderpad=0.1)


def _span_words(row: _Row) -> str:
    span = row.spans[0]
    if not math.isfinite(span.value):
        return f"{row.words} none"
    return f"{row.words} {number(span.value)} ({number(span.low)} to {number(span.high)})"
