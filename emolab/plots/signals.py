"""One session over time: its signals over the clips, how good they were, and plan against actual."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.plots.style import (
    LEAST_PT,
    LEVELS,
    LIGHT,
    PAGE_IN,
    SIGNAL_COLOURS,
    SMALL_PT,
    STATE_LOOKS,
    Drawing,
    Look,
    check_states,
    contrasting,
    place,
    styled,
)

Floats = NDArray[np.float64]

STRIP_IN = 0.72
BAND_IN = 0.17
LEFT_IN = 0.95
PIXELS = 1600  # of the time axis on paper; more samples than that are drawn as their least and greatest
GAP = 20.0  # usual steps: no line is drawn over a longer pause


@dataclass(frozen=True)
class Strip:
    """One signal: `kind` gives the colour (eda, ppg, respiration, thermal, audio), `unit` "" for none."""

    name: str
    kind: str
    unit: str
    times_s: Floats
    values: Floats


@dataclass(frozen=True)
class Stretch:
    """A signal between two moments: `level` well, look or act."""

    start_s: float
    end_s: float
    level: str


@dataclass(frozen=True)
class Part:
    """A step of the protocol: `kind` in words (rest, clip, report, …), `state` what a clip is coloured by."""

    start_s: float
    end_s: float
    kind: str
    state: str | None = None


def session(
    strips: Sequence[Strip],
    clips: pd.DataFrame,
    quality: Mapping[str, Sequence[Stretch]],
    look: Look = LIGHT,
) -> Drawing:
    """The signals of a session below each other, clips coloured by the reported state, quality at the foot.

    `clips`: rows of the tidy table (`number`, `start_s`, `end_s`, `state_reported`). `quality`: by the
    name of the strip. A signal without samples keeps its place and says so.
    """
    if not strips:
        raise DataError("no signal to draw; was anything recorded?")
    check_states(clips["state_reported"].dropna())
    span = _span(strips, clips)
    tall = BAND_IN + len(strips) * STRIP_IN + 0.1 + BAND_IN * len(quality)
    with styled(look):
        figure = Figure((PAGE_IN, tall + 0.68))
        y = tall + 0.62 - BAND_IN
        wide = PAGE_IN - LEFT_IN - 0.12
        _band(place(figure, LEFT_IN, y, wide, BAND_IN), clips, span, look)
        for strip in strips:
            y -= STRIP_IN
            axes = place(figure, LEFT_IN, y + 0.05, wide, STRIP_IN - 0.07)
            _draw(axes, strip, clips, span, look)
        y -= 0.1 + BAND_IN * len(quality)
        axes = place(figure, LEFT_IN, y, wide, max(BAND_IN * len(quality), 0.02))
        shares = _quality(axes, quality, look)
        _minutes(axes, span)
        _legend(figure, bool(clips["state_reported"].isna().any()), bool(quality), look)
    told = ", ".join(f"{name} {share:.0%} well" for name, share in shares.items())
    minutes = (span[1] - span[0]) / 60
    caption = "Signals of the session; behind them the clips in the colour of the reported state" + (
        f"; below, how usable each signal was ({told.replace('%', ' %')})." if told else "."
    )
    alt = (
        f"{len(strips)} signals over {minutes:.0f} minutes with {len(clips)} clips, "
        f"{int(clips['state_reported'].isna().sum())} without a report"
        + (f"; usable: {told.replace('%', ' %')}." if told else ".")
    )
    return Drawing(figure, caption, alt, look)


def protocol(planned: Sequence[Part], actual: Sequence[Part], look: Look = LIGHT) -> Drawing:
    """Two bars, what was planned and what happened, over the same minutes."""
    parts = [*planned, *actual]
    if not parts:
        raise DataError("no step of the protocol to draw")
    check_states(part.state for part in parts if part.state)
    ends = [max((part.end_s for part in bar), default=math.nan) for bar in (planned, actual)]
    span = (min(0.0, *(part.start_s for part in parts)), max(part.end_s for part in parts))
    if not span[1] > span[0]:
        raise DataError("no step of the protocol lasts; there is nothing to draw")
    with styled(look):
        figure = Figure((PAGE_IN, 1.45))
        axes = place(figure, LEFT_IN, 0.68, PAGE_IN - LEFT_IN - 0.12, 0.66)
        for row, bar in enumerate((planned, actual)):
            for part in bar:
                _part(axes, part, row, span, look)
            if not bar:
                axes.text(span[0], row, " none", fontsize=SMALL_PT, color=look.muted, va="center_baseline")
        axes.set_ylim(1.5, -0.5)
        axes.set_yticks([0, 1], ["planned", "actual"], fontsize=SMALL_PT)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        _minutes(axes, span)
        _legend(figure, any(p.kind == "clip" and not p.state for p in parts), False, look)
    counts = [sum(part.kind == "clip" for part in bar) for bar in (planned, actual)]
    words = (
        f"Planned {counts[0]} clips, ending after {_clock(ends[0])}; "
        f"actual {counts[1]}, ending after {_clock(ends[1])} (minutes:seconds)."
    )
    return Drawing(figure, f"Protocol as planned and as it went; thin: reports. {words}", words, look)


def _span(strips: Sequence[Strip], clips: pd.DataFrame) -> tuple[float, float]:
    moments = [float(end) for strip in strips if len(strip.times_s) for end in strip.times_s[[0, -1]]]
    moments += [*clips["start_s"].astype(float), *clips["end_s"].astype(float)]
    finite = [moment for moment in moments if math.isfinite(moment)]
    if not finite or max(finite) <= min(finite):
        raise DataError("the session has neither samples nor clips to draw")
    return min(finite), max(finite)


def _colour(state: object, look: Look) -> str:
    return STATE_LOOKS[state].colour if isinstance(state, str) else look.panel


def _band(axes: Axes, clips: pd.DataFrame, span: tuple[float, float], look: Look) -> None:
    """The clips on top, with their numbers where there is room."""
    axes.set_xlim(*span)
    axes.set_ylim(0, 1)
    axes.axis("off")
    for row in clips.itertuples():
        _block(axes, Part(row.start_s, row.end_s, "clip", row.state_reported), 0.5, 1.0, look)
        if (row.end_s - row.start_s) / (span[1] - span[0]) > 0.016:
            colour = _colour(row.state_reported, look)
            ink = contrasting(colour) if isinstance(row.state_reported, str) else look.text
            middle = (row.start_s + row.end_s) / 2
            text = axes.text(middle, 0.5, str(row.number), fontsize=LEAST_PT, color=ink, ha="center")
            text.set_verticalalignment("center_baseline")
            if isinstance(row.state_reported, str) and STATE_LOOKS[row.state_reported].hatch:
                text.set_bbox({"fc": colour, "ec": "none", "boxstyle": "square,pad=0.1"})
    axes.text(
        -0.012, 0.5, "clips", transform=axes.transAxes, ha="right", va="center_baseline", fontsize=SMALL_PT
    )


def _block(axes: Axes, part: Part, y: float, height: float, look: Look) -> None:
    """A clip: its state's colour and pattern, or an empty box with no report."""
    known = isinstance(part.state, str)
    hatch = STATE_LOOKS[part.state].hatch[:4] if known else ""  # type: ignore[index]
    axes.barh(
        y, part.end_s - part.start_s, height, part.start_s, color=_colour(part.state, look),
        hatch=hatch or None, ec=look.panel if known else look.muted, lw=0.5,
    )  # fmt: skip


def _shade(axes: Axes, clips: pd.DataFrame, look: Look) -> None:
    for row in clips.itertuples():
        known = isinstance(row.state_reported, str)
        axes.axvspan(
            row.start_s, row.end_s, fc=_colour(row.state_reported, look) if known else "none",
            alpha=0.22 if known else 1.0, ec="none" if known else look.line, lw=0.5, zorder=0,
        )  # fmt: skip


def _draw(axes: Axes, strip: Strip, clips: pd.DataFrame, span: tuple[float, float], look: Look) -> None:
    axes.set_xlim(*span)
    axes.tick_params(labelbottom=False, length=2)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    times, values = thinned(np.asarray(strip.times_s, float), np.asarray(strip.values, float), span)
    finite = values[np.isfinite(values)]
    if len(finite):
        _shade(axes, clips, look)
        low, high = np.percentile(finite, [0.2, 99.8])  # a touch of the sensor hides nothing else
        room = 0.08 * (high - low) or max(abs(high), 1.0) * 0.1
        axes.set_ylim(low - room, high + room)
        colour = SIGNAL_COLOURS.get(strip.kind, look.text)
        axes.plot(times, values, color=colour, lw=0.6, solid_joinstyle="round")
        axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    else:
        axes.set_ylim(0, 1)
        axes.text(
            0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", va="center_baseline",
            fontsize=SMALL_PT, color=look.muted,
        )  # fmt: skip
        axes.set_yticks([])
    axes.tick_params(axis="y", labelsize=LEAST_PT)
    words = f"{strip.name}\n({strip.unit})" if strip.unit else strip.name
    axes.text(
        -0.075,
        0.5,
        words,
        transform=axes.transAxes,
        ha="right",
        va="center",
        fontsize=SMALL_PT,
        linespacing=1.1,
    )


def thinned(times_s: Floats, values: Floats, span: tuple[float, float]) -> tuple[Floats, Floats]:
    """At most four points for each pixel of the time axis, with NaN where the signal pauses.

    Of each pixel's samples the least and the greatest stay, in their order, so every peak is drawn.
    """
    if len(times_s) != len(values):
        raise DataError(f"{len(times_s)} times for {len(values)} values")
    if len(times_s) > 4 * PIXELS:
        known = np.isfinite(values)
        edges = np.linspace(*span, PIXELS + 1)[:-1]
        starts = np.unique(np.searchsorted(times_s, edges))
        starts = starts[starts < len(times_s)]
        starts = starts if starts[0] == 0 else np.insert(starts, 0, 0)
        least = _first_of(np.minimum, np.where(known, values, np.inf), starts)
        most = _first_of(np.maximum, np.where(known, values, -np.inf), starts)
        holes = np.flatnonzero(~known & np.append(True, known[:-1]))  # the first of each hole tells it
        kept = np.unique(np.concatenate([least, most, holes]))
    else:
        kept = np.arange(len(times_s))
    steps = np.diff(times_s)
    if not len(steps):
        return times_s[kept], values[kept]
    pauses = np.flatnonzero(steps > max(GAP * float(np.median(steps)), 0.2))
    at = np.searchsorted(kept, pauses, "right")
    return (
        np.insert(times_s[kept], at, times_s[pauses] + np.median(steps)),
        np.insert(values[kept], at, np.nan),
    )


def _first_of(which: np.ufunc, values: Floats, starts: NDArray[np.intp]) -> NDArray[np.intp]:
    """The first place of the least, or the greatest, of each stretch."""
    lengths = np.diff(starts, append=len(values))
    places = np.flatnonzero(values == np.repeat(which.reduceat(values, starts), lengths))
    return places[np.searchsorted(places, starts)]


def _quality(axes: Axes, quality: Mapping[str, Sequence[Stretch]], look: Look) -> dict[str, float]:
    """A row for each signal; what is not well is thicker, too. Returns the share of time that was well."""
    shares = {}
    for row, (name, stretches) in enumerate(quality.items()):
        for one in stretches:
            if one.level not in LEVELS:
                raise DataError(f"{one.level!r} is no quality; the levels are {', '.join(LEVELS)}")
            thick = {"well": 0.3, "look": 0.6, "act": 0.9}[one.level]
            axes.barh(row, one.end_s - one.start_s, thick, one.start_s, color=LEVELS[one.level], lw=0)
        total = sum(one.end_s - one.start_s for one in stretches)
        well = sum(one.end_s - one.start_s for one in stretches if one.level == "well")
        shares[name] = well / total if total else 0.0
    axes.set_ylim(len(quality) - 0.45, -0.55)
    axes.set_yticks(range(len(quality)), list(quality), fontsize=LEAST_PT)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return shares


def _part(axes: Axes, part: Part, row: int, span: tuple[float, float], look: Look) -> None:
    if part.kind == "clip":
        _block(axes, part, row, 0.7, look)
        return
    axes.barh(row, part.end_s - part.start_s, 0.7 if part.kind != "report" else 0.25, part.start_s,
              color=look.line, lw=0)  # fmt: skip
    if (part.end_s - part.start_s) / (span[1] - span[0]) > 0.012 * len(part.kind):
        axes.text(
            (part.start_s + part.end_s) / 2,
            row,
            part.kind,
            fontsize=LEAST_PT,
            ha="center",
            va="center_baseline",
        )


def _minutes(axes: Axes, span: tuple[float, float]) -> None:
    axes.set_xlim(*span)
    minutes = (span[1] - span[0]) / 60
    steps = (1 / 6, 0.5, 1, 2, 5, 10, 15, 30, 60, 120)
    step = 60 * next((one for one in steps if minutes / one <= 12), 240)
    ticks = np.arange(math.ceil(span[0] / step), math.floor(span[1] / step) + 1) * step
    axes.set_xticks(
        ticks, [f"{tick / 60:g}" if step >= 60 else _clock(tick) for tick in ticks], fontsize=LEAST_PT
    )
    axes.set_xlabel("minutes of the session", labelpad=1)


def _clock(moment_s: float) -> str:
    if not math.isfinite(moment_s):
        return "–"
    whole_s = int(abs(moment_s))
    return f"{'−' if moment_s <= -1 else ''}{whole_s // 60}:{whole_s % 60:02d}"


def _legend(figure: Figure, has_missing: bool, has_quality: bool, look: Look) -> None:
    handles = [
        Patch(fc=one.colour, ec=look.panel, hatch=one.hatch[:4] or None, lw=0.5, label=one.words)
        for one in STATE_LOOKS.values()
    ]
    if has_missing:
        handles.append(Patch(fc=look.panel, ec=look.muted, lw=0.5, label="no report"))
    if has_quality:
        thick = {"well": "well", "look": "look (thicker)", "act": "act (thickest)"}
        handles += [Patch(fc=colour, lw=0, label=thick[word]) for word, colour in LEVELS.items()]
    figure.legend(
        handles=handles, loc="lower center", ncols=9, bbox_to_anchor=(0.5, 0.0), fontsize=LEAST_PT,
        columnspacing=0.7, handlelength=1.0, handletextpad=0.3, borderpad=0.1,
    )  # fmt: skip
