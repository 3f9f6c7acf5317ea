"""A study analysed: everything written, told and kept; whose labels count; who is left out and why."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from emolab.analysis import kept, table
from emolab.analysis.findings import find
from emolab.analysis.measure import Measured
from emolab.analysis.study import Asked, opened
from emolab.analysis.study import analyse as analyse_with_figures
from emolab.cli.main import run
from emolab.core.errors import ConfigError, RecordingError
from emolab.core.label import STATE_KEYS
from emolab.recording.label_ledger import Ledger, folder_of
from emolab.recording.labels import Change, TimedLabel
from emolab.study import exports_made
from emolab.study.sessions import session_path

analyse = partial(analyse_with_figures, forms=())  # drawing them into three files each takes longest


def test_everything_is_written_and_nothing_measured_twice(study_of: Callable[..., Path], tmp_path: Path):
    study, out = study_of("P001", "P002", "P003"), tmp_path / "out"
    found = analyse_with_figures(study, out)
    assert len(found.table) == 45
    assert {path.suffix for path in (out / "figures").iterdir()} == {".svg", ".png", ".pdf"}
    assert (out / "report.html").stat().st_size > 100_000
    clips = pd.read_parquet(out / "clips.parquet")
    as_text = pd.read_csv(out / "clips.csv")
    assert list(clips.columns) == list(as_text.columns) == [column.name for column in table.columns()]
    assert clips["hr_mean"].to_numpy() == pytest.approx(as_text["hr_mean"].to_numpy())
    told = json.loads(pq.read_schema(out / "clips.parquet").metadata[b"emolab"])
    assert told["units"]["d_face_t_mean"] == "°C"
    assert told["provenance"]["sessions"] == [f"P00{n}_session-0.h5" for n in (1, 2, 3)]
    assert {made.folder for made in exports_made.made(study)} == {out}

    before = json.loads((out / "sessions.json").read_text())["sessions"]
    asked: list[tuple[int, int, str]] = []
    again = analyse(study, out, tell=lambda done, total, what: asked.append((done, total, what)))
    assert asked[0] == (0, 0, "reading sessions")
    assert json.loads((out / "sessions.json").read_text())["sessions"] == before
    assert list((out / "figures").iterdir()) == []  # of no figures nothing old stays
    assert len(exports_made.made(study)) == 3
    pd.testing.assert_frame_equal(again.table, found.table)
    assert [section.title for section in opened(study, out).sections] == [
        section.title for section in found.page.sections
    ]


def test_one_broken_file_stops_no_other(
    study_of: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, out = study_of("P001", "P002"), tmp_path / "out"
    broken = session_path(study, "P002", 0)
    broken.write_bytes(broken.read_bytes()[:20_000])
    assert run(["analyse", str(study), "--out", str(out), "--workers", "1", "--json", "--figures", ""]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["clips"] == 15
    assert "P002_session-0.h5" in told["troubles"][0]
    assert "P002_session-0.h5" in (out / "report.html").read_text()


def test_an_analyst_s_decision_counts_where_it_was_asked_for(study_of: Callable[..., Path], tmp_path: Path):
    study = study_of("P001")
    path = session_path(study, "P001", 0)
    first = analyse(study, tmp_path / "one").table.iloc[0]
    other = next(key for key in STATE_KEYS if key != first["state_reported"])
    label = TimedLabel(float(first["start_s"]), float(first["end_s"]), clip=first["clip"], state=other)
    Ledger.open(path, "anna").append("edit", (Change("1", None, label),))
    by_anna = analyse(study, tmp_path / "two", Asked("anna")).table
    assert by_anna.iloc[0]["state_reported"] == other
    again = analyse(study, tmp_path / "one").table
    assert again.iloc[0]["state_reported"] == first["state_reported"]
    with pytest.raises(ConfigError, match=r"nobody called 'bert'.*anna"):
        analyse(study, tmp_path / "three", Asked("bert"))


def test_labels_that_were_tampered_with_are_not_used(study_of: Callable[..., Path], tmp_path: Path):
    study = study_of("P001")
    path = session_path(study, "P001", 0)
    label = TimedLabel(320.0, 350.0, state="neutral")
    Ledger.open(path, "anna").append("edit", (Change("1", None, label),))
    ledger = folder_of(path) / "anna.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"neutral", b"Neutral"))
    with pytest.raises(ConfigError, match="anna"):
        analyse(study, tmp_path / "out", Asked("anna"))


def test_conflicts_with_the_face_are_left_out_only_when_asked(study_of: Callable[..., Path], tmp_path: Path):
    study, out = study_of("P001"), tmp_path / "out"
    path = session_path(study, "P001", 0)
    table = analyse(study, out).table
    at = int(table["state_reported"].str.endswith("_positive").argmax())  # the first that was said to be so
    clip = table.iloc[at]
    tagged = TimedLabel(
        float(clip["start_s"]), float(clip["end_s"]), clip=clip["clip"], tags=("negative", "conflict")
    )
    Ledger.open(path, "face-small").append("edit", (Change("1", None, tagged),), by={"model": "small"})
    kept_in = analyse(study, out).table
    assert kept_in["is_conflict"].tolist() == [row == at for row in range(15)]
    assert kept_in["is_used"].all()
    left_out = analyse(study, out, Asked(drop_conflicts=True)).table
    assert left_out["is_used"].sum() == 14
    assert left_out.iloc[at]["state_reported"] == clip["state_reported"]


def test_what_is_kept_comes_back_as_it_was(measured: list[Measured], tmp_path: Path):
    broken = Measured("P9", 0, ("P9.h5",), trouble="is not there")
    bare = replace(measured[0], window=None, baseline={}, rows=measured[0].rows[:1])
    every = [*measured, broken, bare]
    keys = [str(number) for number in range(len(every))]
    kept.save(tmp_path, keys, every)
    back = kept.load(tmp_path)
    assert list(back) == keys
    pd.testing.assert_frame_equal(table.clips(list(back.values())), table.clips(every))
    assert back["3"] == broken
    assert back["4"].window is None
    (tmp_path / "sessions.json").write_text("{")
    assert kept.load(tmp_path) == {}


def test_facts_of_an_instrument_that_are_no_numbers_stop_no_analysis(tmp_path: Path):
    """Its driver may say anything, and a recording keeps it as it was said."""
    facts = {"instruments": {"board": {"gain": math.nan, "limits": [0.5, math.inf]}}}
    kept.save(tmp_path, ["0"], [Measured("P9", 0, ("P9.h5",), header=facts)])
    back = kept.load(tmp_path)["0"]
    assert back.header == {"instruments": {"board": {"gain": None, "limits": [0.5, None]}}}


def test_a_study_without_a_session_or_a_place_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="check the spelling"):
        analyse(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds no session"):
        analyse(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(RecordingError):
        (tmp_path / "P001_session-0.h5").write_bytes(b"")
        analyse(tmp_path / "P001_session-0.h5", tmp_path / "out")


def test_a_folder_that_cannot_be_written_is_told(rehearsed: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="choose another folder"):
        analyse(session_path(rehearsed, "P001", 0), tmp_path / "file")


def test_one_session_alone_is_analysed_with_what_cannot_be_said(rehearsed: Path, tmp_path: Path):
    found = analyse(session_path(rehearsed, "P001", 0), tmp_path / "out")
    assert len(found.table) == 15
    page = (tmp_path / "out" / "report.html").read_text()
    assert "One participant only" in page or "cannot be computed" in page


def test_a_table_without_a_single_report_gives_sentences_not_errors(measured: list[Measured]):
    rows = tuple({**row, "state_reported": None} for row in measured[0].rows)
    found = find(table.clips([replace(measured[0], rows=rows)]))
    assert found.logit is None and found.effects == {}
    assert all(found.troubles.values())


def test_no_signal_at_all_gives_a_report_too(measured: list[Measured]):
    rows = tuple(
        {
            name: math.nan if isinstance(value, float) and "_s" not in name[-2:] else value
            for name, value in row.items()
        }
        for row in measured[0].rows
    )
    found = find(table.clips([replace(measured[0], rows=rows)]))
    assert found.labels is not None and found.logit is None


@pytest.mark.parametrize("where", ["analysis", "../outside"])
def test_who_withdraws_is_told_to_be_in_the_figures_still(
    study_of: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
):
    study = study_of("P001", "P002")
    out = (study / where).resolve()
    analyse(study, out)
    assert run(["study", "withdraw", str(study), "P001", "--yes-erase", "P001"]) == 1
    told = capsys.readouterr().out
    assert f"P001 still counts in the figures and tables of {out}" in told
    assert f"'emolab analyse {study} --out {out}'" in told
    assert "Still names P001" not in told
    again = analyse(study, out)
    assert set(again.table["participant"]) == {"P002"}
    assert "P001" not in "".join(path.read_text() for path in out.rglob("*.csv"))
    assert "P001" not in (out / "sessions.json").read_text() + (out / "report.html").read_text()


def test_an_analysis_that_is_not_at_hand_is_told_when_somebody_withdraws(
    study_of: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, out = study_of("P001", "P002"), tmp_path / "out"
    exports_made.register(study, "P001_session-0", exports_made.ANALYSIS, out, [])
    assert run(["study", "withdraw", str(study), "P001", "--yes-erase", "P001"]) == 1
    assert f"analysis in {out}; make it anew, or erase it, where it is now" in capsys.readouterr().out


def test_what_was_measured_before_it_was_stopped_is_not_measured_again(
    study_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    study, out = study_of("P001", "P002"), tmp_path / "out"
    monkeypatch.setattr("emolab.analysis.study.KEEP_S", 0.0)

    def stop(done: int, total: int, what: str) -> None:
        if done == 1:
            assert len(kept.load(out)) == 1  # already then: a kill asks nobody
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyse(study, out, tell=stop)
    assert not (out / "report.html").exists()
    asked: list[tuple[int, int, str]] = []
    found = analyse(study, out, tell=lambda done, total, what: asked.append((done, total, what)))
    assert asked[:2] == [(0, 1, "reading sessions"), (1, 1, "session 1 of 1")]
    assert len(found.table) == 30


def test_a_part_without_its_first_is_analysed_and_told(study_of: Callable[..., Path], tmp_path: Path):
    study = study_of("P001", "P002")
    path = session_path(study, "P002", 0)
    path.rename(path.with_name("P002_session-0_part-2.h5"))
    found = analyse(study, tmp_path / "out")
    assert [one.files for one in found.sessions] == [
        ("P001_session-0.h5",),
        ("P002_session-0_part-2.h5",),
    ]
    assert any("what came before it is missing" in remark for remark in found.sessions[1].remarks)


def test_faces_that_cannot_be_believed_matter_when_conflicts_are_left_out(
    study_of: Callable[..., Path], tmp_path: Path
):
    study, out = study_of("P001", "P002"), tmp_path / "out"
    path = session_path(study, "P001", 0)
    face = TimedLabel(320.0, 350.0, tags=("negative", "conflict"))
    Ledger.open(path, "face-small").append("edit", (Change("1", None, face),), by={"model": "small"})
    ledger = folder_of(path) / "face-small.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"conflict", b"concrete"))
    assert len(analyse(study, out).table) == 30
    left_out = analyse(study, out, Asked(drop_conflicts=True))
    assert len(left_out.table) == 15
    assert "what faces say of it cannot be known" in left_out.sessions[0].trouble
    assert len(analyse(study, out).table) == 30  # and it was not measured again for that
