"""The tidy table: a row a clip, a column a figure, with what each column means beside it.

    clips.parquet, clips.csv         a row a clip heard: who, which, said, figures, changes from the rest
    baselines.parquet, baselines.csv the rests themselves, a row a session
    columns.csv                      name, unit, what it says, source

A missing figure is an empty cell (NaN), never a zero. Units and provenance stand in the Parquet file's
own metadata, under `emolab`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emolab.analysis import banks
from emolab.analysis.measure import Measured
from emolab.analysis.modalities import MODALITIES
from emolab.core.label import STATE_KEYS
from emolab.signals.feature import Feature
from emolab.study.export.whole import whole

WHO = (
    Feature("participant", "", "pseudonym"),
    Feature("session", "", "number of the session, from 0"),
    Feature("number", "", "which clip of the session, from 1"),
    Feature("clip", "", "the clip heard"),
    Feature(
        "clip_lufs",
        "LUFS",
        "loudness of the clip's own sound; how far it was turned up is not known",
        banks.SOURCE,
    ),
    Feature("state_intended", "", "what the clip was chosen for"),
    Feature("state_reported", "", "what the participant said, or the chosen analyst decided; empty: nothing"),
    Feature("word", "", "the word chosen for it, if any"),
    Feature("response_s", "s", "from the question to the answer"),
    Feature("file", "", "the recording it is in; a session that was resumed has several"),
    Feature("start_s", "s", "heard from, clock of that recording"),
    Feature("end_s", "s", "heard to, clock of that recording"),
    Feature("is_whole", "", "heard to its end"),
    Feature("is_conflict", "", "a face says the opposite of the report"),
    Feature("is_used", "", "counts in figures and tests"),
)


def columns() -> tuple[Feature, ...]:
    """Every column of the table of clips, in order."""
    found = list(WHO)
    for kind, modality in MODALITIES.items():
        for feature in modality.features:
            found.append(feature)
            what = f"change from the rest of: {feature.what}"
            if feature.is_total:
                what += ", both as they would be were all of it usable, the rest scaled to the clip's length"
            unit = "LU" if feature.unit == "LUFS" else feature.unit
            found.append(Feature(f"d_{feature.name}", unit, what, feature.source, feature.is_extra))
        found.append(
            Feature(f"good_{kind}", "", f"share of the clip in which {modality.title.lower()} is usable")
        )
    return tuple(found)


def clips(every: Sequence[Measured], drop_conflicts: bool = False) -> pd.DataFrame:
    """All clips of all sessions, in order; the same columns whatever was recorded.

    `drop_conflicts`: clips that a face contradicts stay in the table and are not used.
    """
    names = [column.name for column in columns()]
    table = pd.DataFrame([row for one in every for row in one.rows], columns=names)
    table["clip_lufs"] = [
        banks.level_lufs(str(one.header.get("bank", "")), row["clip"]) for one in every for row in one.rows
    ]
    for name in ("state_intended", "state_reported"):
        table[name] = pd.Categorical(table[name], categories=list(STATE_KEYS), ordered=True)
    for name in ("is_whole", "is_conflict"):
        table[name] = table[name].astype(bool)
    table["is_used"] = table["is_whole"] & ~(table["is_conflict"] & drop_conflicts)
    return table


def baselines(every: Sequence[Measured]) -> pd.DataFrame:
    """The rests, a row a session that had one."""
    rows = [
        {
            "participant": one.participant,
            "session": one.session,
            "state_reported": one.baseline_state,
            "start_s": one.window.start_s,
            "end_s": one.window.end_s,
            "why": one.window.why,
            **one.baseline,
        }
        for one in every
        if one.window is not None
    ]
    return pd.DataFrame(rows)


def write(table: pd.DataFrame, folder: Path, name: str, provenance: Mapping[str, Any]) -> list[Path]:
    """A table as Parquet and CSV, each whole or not at all; returns the files."""
    units = {column.name: column.unit for column in columns() if column.name in table}
    told = {b"emolab": json.dumps({"units": units, "provenance": dict(provenance)}).encode()}
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    parquet, csv = folder / f"{name}.parquet", folder / f"{name}.csv"
    with whole(parquet) as beside:
        pq.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **told}), beside)
    with whole(csv) as beside:
        table.to_csv(beside, index=False, float_format="%.9g", lineterminator="\n")
    return [parquet, csv]


def write_columns(folder: Path) -> Path:
    """What each column means, as a table."""
    path = folder / "columns.csv"
    rows = [(column.name, column.unit, column.what, column.source) for column in columns()]
    with whole(path) as beside:
        pd.DataFrame(rows, columns=["name", "unit", "what", "source"]).to_csv(
            beside, index=False, lineterminator="\n"
        )
    return path
