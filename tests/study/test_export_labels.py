"""Labels in the formats of others: what is said, by whom or what, and in which act."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel
from emolab.recording.reader import Session
from emolab.review.desk import Desk
from emolab.study.export import export
from emolab.study.export.outgoing import outgoing, standing
from tests.study.made import BY, TRACE, bids_errors, label, record

VALIDATOR = shutil.which("bids-validator-deno") or ""


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with labels of an analyst and of a model."""
    recording = record(tmp_path_factory.mktemp("study") / "P07_session-2.h5")
    label(recording)
    return recording


def test_a_label_comes_with_the_act_that_made_it_what_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "P1_session-0.h5", "anna")
    name = desk.add(TimedLabel(0.0, 4.0), "first")
    later = desk.split(name, 2.0, "second")
    desk.change(later, TimedLabel(2.0, 4.0, state="neutral"), "third")
    expected = {name: ("second", 2), later: ("third", 3)}
    assert {p.key: (p.why, p.act) for p in standing(desk.ledger.acts)} == expected
    desk.undo()
    assert {p.key: (p.why, p.act) for p in standing(desk.ledger.acts)}[later] == ("second", 2)
    desk.undo()
    assert {p.key: (p.why, p.act) for p in standing(desk.ledger.acts)} == {name: ("first", 1)}
    desk.redo()
    desk.redo()
    assert {p.key: (p.why, p.act) for p in standing(desk.ledger.acts)} == expected
    desk.remove(name)
    desk.undo()
    assert {p.key: (p.why, p.act) for p in standing(desk.ledger.acts)} == expected


def test_the_table_of_labels_tells_all_of_each(labelled: Path, tmp_path: Path) -> None:
    files = {path.name: path for path in export(labelled, "csv", tmp_path)}
    with files["P07_session-2_labels.csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    anna = [row for row in rows if row["lane"] == "anna"]
    assert [(row["start_s"], row["end_s"], row["state"], row["word"], row["why"]) for row in anna] == [
        ("0.500000", "2.500000", "less_positive", "thrill", "looked again"),
        ("2.750000", "2.750000", "", "", ""),
    ]
    assert json.loads(anna[1]["tags"]) == ["blink"]
    acts = label_ledger.read(label_ledger.folder_of(labelled) / "anna.jsonl").acts
    assert (anna[0]["act"], anna[0]["act_sha256"]) == ("2", acts[1].hash)
    assert anna[0]["utc"] == acts[1].utc.isoformat()
    face = [row for row in rows if row["kind"] == "model"]
    assert {row["model"] for row in face} == {"fer-small"}
    assert [(row["weights_sha256"], row["state"]) for row in face] == [
        (BY["weights_sha256"], "most_negative"), (BY["weights_sha256"], "neutral"),
    ]  # fmt: skip
    with files["P07_session-2_traces.csv"].open(encoding="utf-8", newline="") as file:
        points = [
            (float(r["time_s"]), float(r["valence"]), float(r["arousal"])) for r in csv.DictReader(file)
        ]
    np.testing.assert_allclose(points, TRACE, atol=1e-6)
    assert [point[1:] for point in points] == [point[1:] for point in TRACE]


def test_xdf_has_a_stream_a_lane_and_the_trace_sample_exact(labelled: Path, tmp_path: Path) -> None:
    (path,) = export(labelled, "xdf", tmp_path)
    found, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    streams = {stream["info"]["name"][0]: stream for stream in found}
    for name in ("anna", "face fer-small"):
        labels = Desk(labelled, name).labels
        stream = streams[f"labels-{name}"]
        said = [json.loads(row[0]) for row in stream["time_series"]]
        came = {one["label"]: one for one in said}
        assert stream["info"]["type"] == ["Markers"]
        assert stream["time_stamps"].tolist() == [labels[one["label"]].start_s for one in said]
        fields = ("start_s", "end_s", "clip", "state", "word", "valence", "arousal", "tags", "note", "trace")
        for key, one in labels.items():
            assert TimedLabel.from_fields({k: came[key][k] for k in fields if k in came[key]}) == one
    trace = streams["trace-anna"]
    assert trace["time_stamps"].tolist() == [point[0] for point in TRACE]
    assert trace["time_series"].tolist() == [[*point[1:], 1.0] for point in TRACE]
    assert json.loads(streams["labels-face fer-small"]["time_series"][0][0])["by"] == BY


def test_bids_has_labels_and_traces_as_a_derivative(labelled: Path, tmp_path: Path) -> None:
    export(labelled, "bids", tmp_path)
    home = tmp_path / "derivatives" / "labels"
    (path,) = home.rglob("*_events.tsv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [float(row["onset"]) for row in rows] == sorted(float(row["onset"]) for row in rows)
    points = [row for row in rows if row["trial_type"] == "trace_point"]
    assert [(float(r["valence"]), float(r["arousal"])) for r in points] == [point[1:] for point in TRACE]
    np.testing.assert_allclose([float(r["onset"]) for r in points], [p[0] for p in TRACE], atol=1e-6)
    (first,) = (row for row in rows if row["lane"] == "anna" and row["why"] == "looked again")
    assert (first["duration"], first["state"], first["clip"], first["act"]) == (
        "2.000000", "less_positive", "a", "2",
    )  # fmt: skip
    assert {row["weights_sha256"] for row in rows if row["kind"] == "model"} == {BY["weights_sha256"]}
    sidecar = json.loads(path.with_suffix(".json").read_text())
    assert set(rows[0]) <= set(sidecar)


@pytest.mark.skipif(not VALIDATOR, reason="pip install bids-validator-deno, and have it on the path")
def test_the_bids_validator_finds_no_error_in_data_set_nor_derivative(labelled: Path, tmp_path: Path) -> None:
    export(labelled, "bids", tmp_path)
    assert bids_errors(VALIDATOR, tmp_path) == []
    assert bids_errors(VALIDATOR, tmp_path / "derivatives" / "labels") == []


def test_a_damaged_ledger_is_left_out_and_told(tmp_path: Path) -> None:
    recording = record(tmp_path / "P07_session-2.h5", seconds=1)
    label(recording)
    ledger = label_ledger.folder_of(recording) / "anna.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"thrill", b"shrill", 1))
    with Session.open(recording) as session:
        told = outgoing(session)
    assert [lane.name for lane in told.lanes] == ["intended", "reported", "face fer-small"]
    (trouble,) = told.troubles
    assert "labels of anna are left out" in trouble and "line 3" in trouble
