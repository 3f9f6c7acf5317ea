"""Labels as a BIDS derivative: what the stimulus, the participant, analysts and models said, in one table.

    derivatives/labels/dataset_description.json
    derivatives/labels/sub-P014/ses-0/beh/sub-P014_ses-0_task-emomusic_events.tsv + .json

A row a label; a label with a trace of valence and arousal is followed by its points as they were drawn,
`trial_type` `trace_point` with onset, valence and arousal: no grid, nothing resampled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import emolab
from emolab.core.label import STATES
from emolab.study.export.bids_text import cell, table, write_json
from emolab.study.export.outgoing import Outgoing

VERSION = "1.10.0"
FOLDER = Path("derivatives", "labels")
COLUMNS: dict[str, dict[str, Any]] = {
    "onset": {"Description": "where the label begins", "Units": "s"},
    "duration": {"Description": "0 for a moment", "Units": "s"},
    "trial_type": {
        "Description": "what the row is",
        "Levels": {
            "label": "something said about a stretch or a moment",
            "trace_point": "a point of the valence and arousal drawn with the label of that name",
        },
    },
    "lane": {"Description": "which lane it is on"},
    "kind": {
        "Description": "what sort of lane",
        "Levels": {
            "intended": "what the clip was chosen for",
            "reported": "what the participant said",
            "analyst": "what a person said afterwards",
            "model": "what a model said",
        },
    },
    "who": {"Description": "the stimulus, the participant, the analyst or the model"},
    "label": {"Description": "what the label is called on its lane"},
    "clip": {"Description": "the clip it is about"},
    "state": {
        "Description": "one of five states",
        "Levels": {state.key: f"rank {state.rank:+d}: {', '.join(state.words)}" for state in STATES},
    },
    "word": {"Description": "the word inside the state"},
    "valence": {"Description": "-1 (unpleasant) to 1 (pleasant)"},
    "arousal": {"Description": "-1 (calm) to 1 (excited)"},
    "tags": {"Description": "free words, separated by |"},
    "note": {"Description": "a remark"},
    "why": {"Description": "the reason given for the label"},
    "model": {"Description": "the model that judged"},
    "weights_sha256": {"Description": "the hash of the weights it judged with"},
    "act": {"Description": "the line of the lane's ledger that made the label what it is"},
    "utc": {"Description": "when that was"},
    "act_sha256": {"Description": "the hash of that line, which stands for all before it"},
}


def write(session: Outgoing, folder: Path, place: Path, title: str) -> list[Path]:
    """Add a session's labels to the derivative of the data set in `folder`; `place`: inside it."""
    home = folder / FOLDER
    path = home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    description = home / "dataset_description.json"
    if not description.exists():
        told = {
            "Name": f"{title}: labels",
            "BIDSVersion": VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "emolab", "Version": emolab.__version__}],
        }
        write_json(description, told)
    rows = sorted(_rows(session), key=lambda row: row[0])
    table(path, ["\t".join(COLUMNS), *("\t".join(map(cell, row)) for row in rows)])
    sidecar = path.with_suffix(".json")
    write_json(sidecar, {"TaskName": session.header.protocol or "music"} | COLUMNS)
    return [path, sidecar]


def _rows(session: Outgoing) -> Iterator[Sequence[Any]]:
    for lane in session.lanes:
        for placed in lane.labels:
            label = placed.label
            where = (lane.name, lane.kind, lane.who, placed.key)
            yield (
                label.start_s, label.end_s - label.start_s, "label", *where,
                label.clip, label.state, label.word,
                _exact(label.valence), _exact(label.arousal), "|".join(label.tags), label.note, placed.why,
                placed.model, placed.weights_sha256, placed.act,
                placed.utc.isoformat() if placed.utc else None, placed.act_sha256,
            )  # fmt: skip
            for time_s, valence, arousal in label.trace:
                point = (_exact(valence), _exact(arousal))
                yield (time_s, 0.0, "trace_point", *where, None, None, None, *point, *(None,) * 8)


def _exact(value: float | None) -> str | None:
    return None if value is None else repr(value)
