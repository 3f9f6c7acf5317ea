"""How a classifier learnt, what it confuses, and how far its probabilities may be believed.

curves(histories).save(path)                                # one list of epochs a fold
confusion([[60, 35], [40, 65]], ("low", "high")).save(path)
calibration(bins, 0.08).save(path)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emolab.core.errors import DataError
from emolab.plots.style import (
    COLUMN_IN,
    LIGHT,
    PAGE_IN,
    SIGNAL_COLOURS,
    SMALL_PT,
    Drawing,
    Look,
    contrasting,
    number,
    place,
    styled,
)

LEARNT, HELD_BACK = SIGNAL_COLOURS["eda"], SIGNAL_COLOURS["ppg"]
CELL_IN = 0.62
LONGEST_WORD = 10  # signs that fit under a cell


def curves(histories: Sequence[Sequence[Mapping[str, Any]]], look: Look = LIGHT) -> Drawing:
    """Loss and macro-F1 by epoch: each fold thin, the mean of those still learning thick.

    `histories`: a list of folds, each of epochs with `loss`, `valid_loss`, `valid_score`, None where there
    was nothing to tell. Raises `DataError` without an epoch.
    """
    if not any(histories):
        raise DataError("no epoch to draw")
    with styled(look):
        figure = Figure(figsize=(PAGE_IN, 2.3))
        left, right = place(figure, 0.65, 0.45, 2.75, 1.55), place(figure, 4.2, 0.45, 2.8, 1.55)
        _lines(left, histories, "loss", LEARNT, "learnt from")
        _lines(left, histories, "valid_loss", HELD_BACK, "held back", dashed=True)
        _lines(right, histories, "valid_score", HELD_BACK, "held back", dashed=True)
        left.set(title="Loss", xlabel="epoch", ylabel="cross-entropy")
        right.set(title="Macro-F1 of the rows held back", xlabel="epoch", ylim=(0, 1))
        left.legend(loc="best")
        if not right.lines:
            right.text(0.5, 0.5, "no rows were held back", ha="center", transform=right.transAxes)
    longest = max(len(one) for one in histories)
    alt = f"Learning curves of {len(histories)} folds over up to {longest} epochs."
    last = [one[-1]["loss"] for one in histories if one]
    caption = (
        "Thin: folds; thick: their mean, as long as all of them learn. The loss learnt from ended at "
        f"{number(float(np.mean(last)))}."
    )
    return Drawing(figure, caption, alt, look)


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], look: Look = LIGHT) -> Drawing:
    """Rows: what was said; columns: what was guessed; shares of a row with counts under them."""
    table = np.asarray(counts)
    if table.shape != (len(classes), len(classes)):
        raise DataError(f"{len(classes)} classes need as many rows and columns, not {table.shape}")
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    size = CELL_IN * len(classes)
    names = [name.replace("_", " ") for name in classes]
    with styled(look):
        is_upright = max(len(word) for name in names for word in name.split()) > LONGEST_WORD
        under = names if is_upright else [name.replace(" ", "\n") for name in names]
        lines = max(name.count("\n") for name in under) + 1
        below = 0.45 + 0.062 * max(map(len, names)) if is_upright else 0.43 + 0.12 * lines
        figure = Figure(figsize=(size + 1.4, size + below + 0.2))
        axes = place(figure, 1.2, below, size, size)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        for row in range(len(classes)):
            for column in range(len(classes)):
                share = float(shares[row, column])
                ground = "#08306B" if share > 0.55 else "#F7FBFF"
                axes.text(column, row, f"{share:.0%}\n{table[row, column]}", ha="center", va="center",
                          fontsize=SMALL_PT, color=contrasting(ground))  # fmt: skip
        axes.set_xticks(range(len(classes)), under, rotation=90 if is_upright else 0)
        axes.set_yticks(range(len(classes)), names)
        axes.set(xlabel="guessed", ylabel="said")
    told = "; ".join(
        f"of {name}, " + (f"{shares[k, k]:.0%} are found" if table[k].any() else "none was said")
        for k, name in enumerate(names)
    )
    return Drawing(
        figure, f"Confusion of {int(table.sum())} tested rows, all folds together.", f"{told}.", look
    )


def calibration(bins: Sequence[Mapping[str, Any]], error: float, look: Look = LIGHT) -> Drawing:
    """How often a guess is right by how sure it says to be; on the line it may be believed.

    `bins`: `confidence`, `accuracy`, `n`. `error`: the expected calibration error.
    """
    if not bins:
        raise DataError("no bin of confidence to draw")
    sure, right, n = (
        np.array([one[name] for one in bins], float) for name in ("confidence", "accuracy", "n")
    )
    with styled(look):
        figure = Figure(figsize=(COLUMN_IN, 2.6))
        axes = place(figure, 0.5, 0.45, 2.8, 1.9)
        low = min(float(sure.min()), float(right.min()))
        axes.plot([low, 1], [low, 1], color=look.muted, linewidth=0.8, linestyle="--")
        axes.plot(sure, right, color=LEARNT, linewidth=1.0)
        axes.scatter(sure, right, s=8 + 60 * n / n.max(), color=LEARNT, zorder=3)
        axes.set(title="Calibration", xlabel="probability of what is guessed", ylabel="how often it is right")
    caption = f"Points: bins of confidence, larger with more rows. Expected calibration error {error:.3f}."
    alt = f"Calibration over {len(bins)} bins of {int(n.sum())} rows, expected error {error:.3f}."
    return Drawing(figure, caption, alt, look)


def _lines(
    axes: Axes,
    histories: Sequence[Sequence[Mapping[str, Any]]],
    name: str,
    colour: str,
    label: str,
    dashed: bool = False,
) -> None:
    every = [np.array([one[name] for one in history], np.float64) for history in histories]  # None: NaN
    told = [values for values in every if not np.isnan(values).all()]
    for values in told:
        axes.plot(range(1, len(values) + 1), values, color=colour, linewidth=0.5, alpha=0.35)
    if told:
        shortest = min(len(values) for values in told)
        table = np.ma.masked_invalid([values[:shortest] for values in told])
        mean = table.mean(axis=0).filled(np.nan)  # an epoch of which no fold tells stays empty
        style = "--" if dashed else "-"
        axes.plot(range(1, shortest + 1), mean, color=colour, linewidth=1.6, linestyle=style, label=label)
