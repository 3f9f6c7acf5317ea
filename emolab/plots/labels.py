"""Which states were reported: all together, and by each participant."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.plots.style import (
    LEAST_PT,
    LIGHT,
    MISSING_LOOK,
    PAGE_IN,
    SMALL_PT,
    STATE_LOOKS,
    Drawing,
    Look,
    StateLook,
    check_states,
    contrasting,
    place,
    styled,
)

ROW_IN = 0.165
OVERALL_IN = 2.3
LOOKS = (*STATE_LOOKS.values(), MISSING_LOOK)


def labels(
    table: pd.DataFrame,
    label: str = "state_reported",
    shares: pd.DataFrame | None = None,
    look: Look = LIGHT,
) -> Drawing:
    """Counts of each state overall (left) and stacked for each participant (right), Fig. 2 of the paper.

    `shares`: intervals to draw on the left, as `stats.labels.distribution(table).table()` gives them.
    Clips without a report are counted as such.
    """
    absent = [name for name in ("participant", label) if name not in table.columns]
    if absent or table.empty:
        raise DataError(f"the table lacks {', '.join(absent) or 'clips'}; no labels can be drawn")
    check_states(table[label].dropna())
    counts = _counts(table, label)
    names, each = list(counts.index), counts.to_numpy()
    tall = max(len(names) * ROW_IN, 1.5)
    with styled(look):
        figure = Figure((PAGE_IN, tall + 0.95))
        _overall(place(figure, 0.55, 0.55, OVERALL_IN - 0.15, tall), each.sum(0), shares, look)
        longest = max(len(name) for name in names)
        left = OVERALL_IN + 0.75 + 0.062 * min(longest, 20)
        _people(place(figure, left, 0.55, PAGE_IN - left - 0.5, tall), names, each, look)
        _legend(figure, bool(each[:, -1].any()), look)
    reports = int(each[:, :-1].sum())
    missing = int(each[:, -1].sum())
    caption = (
        f"Reported states: overall ({reports} reports) and of each of {len(names)} participants; n is the "
        f"number of clips. {missing} of {int(each.sum())} clips have no report."
    )
    if shares is not None:
        caption += " Bars of error: 95 % intervals that resample participants."
    told = [f"{look_.words} {count}" for look_, count in zip(LOOKS, each.sum(0), strict=True)]
    alt = f"Clips by reported state over {len(names)} participants: {', '.join(told)}."
    return Drawing(figure, caption, alt, look)


def _counts(table: pd.DataFrame, label: str) -> pd.DataFrame:
    states = table[label].astype(object).where(table[label].notna(), "missing")
    counts = pd.crosstab(table["participant"].astype(str), states)
    return counts.reindex(columns=[*STATE_KEYS, "missing"], fill_value=0)


def _overall(axes: Axes, counts: NDArray[np.int64], shares: pd.DataFrame | None, look: Look) -> None:
    shown = len(counts) if counts[-1] else len(counts) - 1
    of = max(int(counts[:-1].sum()), 1)
    tops = counts.astype(float)
    for at in range(shown):
        _bar(axes, LOOKS[at], at, counts[at], look)
    if shares is not None:
        overall = shares[shares["participant"].isna()].set_index("state")
        for at, key in enumerate(STATE_KEYS):
            low, high = (float(overall.loc[key, name]) * of for name in ("low_clustered", "high_clustered"))
            if np.isfinite([low, high]).all():
                axes.plot([at, at], [low, high], color=look.text, lw=0.9, marker="_", ms=4, mew=0.9)
                tops[at] = max(tops[at], high)
    for at in range(shown):
        share = f"\n{100 * counts[at] / of:.0f} %" if at < len(STATE_KEYS) else ""
        axes.annotate(
            f"{counts[at]}{share}", (at, tops[at]), (0, 2), textcoords="offset points", ha="center",
            va="bottom", fontsize=LEAST_PT, linespacing=1.05,
        )  # fmt: skip
    axes.set_ylim(0, max(float(tops[:shown].max()) * 1.22, 1.0))
    axes.set_xlim(-0.55, shown - 0.45)
    axes.set_xticks(range(shown), [_short(LOOKS[at].words) for at in range(shown)], fontsize=LEAST_PT)
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.set_ylabel("clips")
    axes.set_title("All participants")


def _short(words: str) -> str:
    return {"most negative": "−2", "less negative": "−1", "neutral": "0", "less positive": "+1",
            "most positive": "+2"}.get(words, "none")  # fmt: skip


def _bar(axes: Axes, one: StateLook, at: float, count: float, look: Look) -> None:
    axes.bar(at, count, 0.78, color=_fill(one, look), hatch=one.hatch or None, ec=_ink(one, look), lw=0.6)


def _fill(one: StateLook, look: Look) -> str:
    return look.panel if one is MISSING_LOOK else one.colour


def _ink(one: StateLook, look: Look) -> str:
    """Of the pattern and the border."""
    if one is MISSING_LOOK:
        return look.muted
    return {"most_negative": "#A98BD6", "less_negative": "#FFFFFF"}.get(_key(one), look.panel)


def _key(one: StateLook) -> str:
    return next((key for key, look in STATE_LOOKS.items() if look is one), "missing")


def _people(axes: Axes, names: list[str], each: NDArray[np.int64], look: Look) -> None:
    rows = np.arange(len(names))
    left = np.zeros(len(names))
    longest = int(each.sum(1).max())
    for at, one in enumerate(LOOKS):
        widths = each[:, at]
        axes.barh(
            rows, widths, 0.78, left, color=_fill(one, look), hatch=one.hatch or None,
            ec=_ink(one, look), lw=0.5,
        )  # fmt: skip
        for row in rows[widths >= max(1, 0.025 * longest)]:
            ink = look.muted if one is MISSING_LOOK else contrasting(one.colour)
            text = axes.text(
                left[row] + widths[row] / 2, row, str(widths[row]), ha="center", va="center_baseline",
                fontsize=LEAST_PT, color=ink,
            )  # fmt: skip
            if one.hatch:
                text.set_bbox({"fc": one.colour, "ec": "none", "boxstyle": "square,pad=0.2"})
        left += widths
    for row in rows:
        axes.annotate(
            f"n = {int(left[row])}", (left[row], row), (3, 0), textcoords="offset points",
            va="center_baseline", fontsize=LEAST_PT, color=look.muted,
        )  # fmt: skip
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.004 * longest)
    axes.set_yticks(rows, [_cut(name) for name in names], fontsize=LEAST_PT)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("clips")
    axes.spines["left"].set_visible(False)
    axes.set_title("By participant")


def _cut(name: str) -> str:
    """A long name without its middle: participants of a study differ at the end."""
    return name if len(name) <= 20 else f"{name[:9]}…{name[-10:]}"


def _legend(figure: Figure, has_missing: bool, look: Look) -> None:
    handles = [
        Patch(
            fc=_fill(one, look), ec=_ink(one, look), hatch=one.hatch or None, lw=0.6,
            label=f"{_short(one.words)} {one.words}",
        )
        for one in LOOKS[:-1]
    ]  # fmt: skip
    if has_missing:
        handles.append(Patch(fc=look.panel, ec=look.muted, lw=0.6, label="no report"))
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=6,
        bbox_to_anchor=(0.5, 0.0),
        fontsize=SMALL_PT,
        borderpad=0.1,
    )
