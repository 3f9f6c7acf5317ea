"""Which clips a multinomial logit can use, and why not the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.stats.likelihood import is_finite
from emolab.stats.separation import separated
from emolab.stats.table import Floats, need, numbers

Scale = Literal["table", "participant"]


@dataclass(frozen=True)
class Rows:
    """What goes into the likelihood.

    `x (n, m)`: z-scored predictors, the constant last. `codes (n,)`: the place of each row's state in
    `states`, the reference first. `groups (n,)`: its participant. `index`: its row in the table.
    """

    x: Floats
    codes: NDArray[np.intp]
    groups: NDArray[np.intp]
    states: tuple[str, ...]
    index: pd.Index
    left_out: dict[str, int]
    notes: tuple[str, ...]


def usable(table: pd.DataFrame, predictors: Sequence[str], label: str, reference: str, scale: Scale) -> Rows:
    """The complete rows of states that can be estimated; `DataError` when nothing can be."""
    if not predictors or len(set(predictors)) < len(predictors):
        raise DataError("a multinomial logit needs predictors, each named once")
    need(table, [label, "participant", *predictors])
    rows, left_out = _complete(table, predictors, label)
    rows = _scaled(rows, predictors, scale, left_out)
    states, notes = _states(rows["state"], reference)
    x, codes = _design(rows, predictors, states)
    while not is_finite(x, codes, len(states)):
        unbounded = [states[code] for code in separated(x, codes, len(states))]
        if not unbounded:
            break
        before = len(rows)
        rows, note = _without(rows, states, unbounded)
        notes.append(note)
        left_out[f"a state told apart without a fault: {words(unbounded)}"] = before - len(rows)
        rows = _scaled(rows, predictors, scale, left_out)  # their mean and SD are others now
        states = _states(rows["state"], reference)[0]
        x, codes = _design(rows, predictors, states)
    unknowns = (len(states) - 1) * x.shape[1]
    if len(x) <= unknowns:
        raise DataError(
            f"{len(x)} clips are too few for {unknowns} coefficients; record {unknowns + 1 - len(x)} more "
            "at least, or take fewer predictors"
        )
    groups = np.unique(rows["participant"].astype(str), return_inverse=True)[1].astype(np.intp)
    return Rows(x, codes, groups, states, rows.index, left_out, tuple(notes))


def words(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _complete(
    table: pd.DataFrame, predictors: Sequence[str], label: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    rows = pd.DataFrame(
        {"state": table[label].astype(object), "participant": table["participant"].astype(object)}
        | {name: numbers(table, name) for name in predictors},
        index=table.index,
    )
    left_out: dict[str, int] = {}
    for name in ("state", "participant", *predictors):
        missing = rows[name].isna()
        if missing.any():
            left_out["no report" if name == "state" else f"no {name}"] = int(missing.sum())
            rows = rows[~missing]
    if rows.empty:
        reasons = ", ".join(f"{count} rows with {reason}" for reason, count in left_out.items())
        said = table[label].notna().to_numpy()
        if not said.any():
            raise DataError(
                f"no clip has a report ({reasons or 'the table is empty'}); the test needs what was reported"
            )
        lacking = [name for name in predictors if np.isnan(numbers(table, name)[said]).all()]
        remedy = (
            f"leave out {words(lacking)}, which no clip with a report has"
            if lacking
            else "none has all at once: take fewer predictors"
        )
        raise DataError(f"no clip has a report and {words(predictors)} ({reasons}); {remedy}")
    return rows, left_out


def _scaled(
    rows: pd.DataFrame, predictors: Sequence[str], scale: Scale, left_out: dict[str, int]
) -> pd.DataFrame:
    """z scores; a participant whose values do not differ has none."""
    names = list(predictors)
    if scale == "participant":
        varies = (rows.groupby("participant")[names].transform("std") > 0).all(axis=1)
        if not varies.all():
            why = "one value only of its participant"
            left_out[why] = left_out.get(why, 0) + int((~varies).sum())
        rows = rows[varies]
        if rows.empty:
            raise DataError("no participant has two clips that differ; scale over the whole table")
        by_person = rows.groupby("participant")[names]
        return rows.assign(**(rows[names] - by_person.transform("mean")) / by_person.transform("std"))
    spread = rows[names].std()
    for name in names:
        if not spread[name] > 1e-12 * max(1.0, rows[name].abs().max()):
            raise DataError(
                f"{name} is the same in all {len(rows)} clips and can tell no state; leave it out"
            )
    return rows.assign(**(rows[names] - rows[names].mean()) / spread)


def _states(labels: pd.Series, reference: str) -> tuple[tuple[str, ...], list[str]]:
    """The states of these rows, the reference first, and a note on those nobody reported."""
    present = set(labels)
    if reference not in present:
        raise DataError(
            f"nobody reported {reference!r}, against which the others are tested; choose another reference"
        )
    if len(present) < 2:
        raise DataError(f"only {reference!r} was reported; a test needs two states at least")
    absent = [key for key in STATE_KEYS if key not in present]
    notes = [f"Nobody reported {words(absent)}: no equation for it."] if absent else []
    return (reference, *(key for key in STATE_KEYS if key in present and key != reference)), notes


def _design(
    rows: pd.DataFrame, predictors: Sequence[str], states: Sequence[str]
) -> tuple[Floats, NDArray[np.intp]]:
    place = {state: code for code, state in enumerate(states)}
    x = np.column_stack([rows[list(predictors)].to_numpy(np.float64), np.ones(len(rows))])
    if np.linalg.matrix_rank(x, tol=1e-8 * math.sqrt(len(x))) < x.shape[1]:
        raise DataError(f"{words(predictors)} are sums of one another; leave one out")
    return x, rows["state"].map(place).to_numpy(np.intp)


def _without(
    rows: pd.DataFrame, states: tuple[str, ...], unbounded: Sequence[str]
) -> tuple[pd.DataFrame, str]:
    kept = [state for state in states if state not in unbounded]
    counts = rows["state"].value_counts()
    named = words([f"{key} (n = {counts[key]})" for key in unbounded])
    if len(kept) < 2:
        raise DataError(
            f"the predictors tell {named} apart from {states[0]} without a fault, as happens with few "
            "clips; no coefficient is finite. Record more, or take fewer predictors"
        )
    note = (
        f"The predictors tell {named} apart without a fault, as happens with few clips: no coefficient "
        "of it is finite, and it is left out."
    )
    return rows[rows["state"].isin(kept)], note
