"""A whole study in the formats of others: every session, and what fails stops no other."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
import pyxdf

from emolab.core.errors import ConfigError
from emolab.recording.recover import recover
from emolab.study import exports_made
from emolab.study.export import FORMATS, Hide, export, export_all, tables
from emolab.study.export.deidentify import Codes
from emolab.study.export.outgoing import Outgoing
from tests.cli.command import emolab
from tests.recording import made
from tests.study.made import RAW, bids_errors, label, record, study

VALIDATOR = shutil.which("bids-validator-deno") or ""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three participants with a session each, of which the first went on after a break."""
    folder = study(tmp_path_factory.mktemp("some") / "music")
    header = replace(made.HEADER, participant="P001", session=1)
    record(folder / "P001" / "P001_session-1_part-2.h5", header, (made.BOARD,), seconds=1)
    label(folder / "P002" / "P002_session-1.h5")
    return folder


@pytest.fixture
def damaged(whole: Path, tmp_path: Path) -> Path:
    """The same study; the second participant's file is no session any more."""
    folder = tmp_path / "music"
    shutil.copytree(whole, folder)
    broken = folder / "P002" / "P002_session-1.h5"
    raw = bytearray(broken.read_bytes())
    raw[: len(raw) // 2] = b"\0" * (len(raw) // 2)
    broken.write_bytes(raw)
    return folder


@pytest.mark.parametrize("to", sorted(FORMATS))
def test_every_session_of_a_study_is_written(whole: Path, tmp_path: Path, to: str) -> None:
    told: list[tuple[str, int]] = []
    done = export_all(whole, to, tmp_path, on_done=lambda one, of: told.append((one.recording.stem, of)))
    names = ["P001_session-1", "P001_session-1_part-2", "P002_session-1", "P003_session-1"]
    assert told == [(name, 4) for name in names]
    for one in done:
        if to == "mp4" and one.recording.stem.endswith("part-2"):
            assert "holds no video" in one.troubles[0] and not one.files
        else:
            assert one.files and not one.troubles and all(path.stat().st_size for path in one.files)
    files = [path for one in done for path in one.files]
    assert len(set(files)) == len(files)  # none took another's place
    if to == "csv":
        assert (tmp_path / "P002" / "P002_session-1_board.csv").is_file()


@pytest.mark.skipif(not VALIDATOR, reason="pip install bids-validator-deno, and have it on the path")
def test_a_study_is_one_bids_data_set(whole: Path, tmp_path: Path) -> None:
    export_all(whole, "bids", tmp_path)
    assert [path.name for path in sorted(tmp_path.glob("sub-*"))] == ["sub-P001", "sub-P002", "sub-P003"]
    for run in ("run-1", "run-2"):
        assert len(list((tmp_path / "sub-P001").rglob(f"*_{run}_recording-board_physio.tsv.gz"))) == 1
    assert bids_errors(VALIDATOR, tmp_path) == []
    assert bids_errors(VALIDATOR, tmp_path / "derivatives" / "labels") == []


def test_one_damaged_session_stops_no_other_and_is_listed(damaged: Path, tmp_path: Path) -> None:
    said = emolab("export", damaged, "--to", "csv", "--out", tmp_path / "out", "--json")
    assert said.code == 1
    assert said.json["sessions"] == 4
    (trouble,) = said.json["troubles"]
    assert trouble.startswith("P002_session-1: ")
    folders = {Path(path).parent.name for path in said.json["files"]}
    assert folders == {"P001", "P003"}
    assert "3 of 4  P002_session-1: 0 files; " in said.err and "4 of 4  P003_session-1: 6 files" in said.err


def test_of_a_session_one_damaged_stream_stops_no_other(tmp_path: Path) -> None:
    path = record(tmp_path / "P1_session-0.h5", streams=(made.BOARD, RAW, made.THERMAL))
    raw = path.read_bytes()
    with h5py.File(path) as file:
        where = file["streams/board/samples"].id.get_chunk_info(0)
    damaged = bytearray(raw)
    damaged[where.byte_offset + 5 : where.byte_offset + 25] = bytes(20)
    path.write_bytes(damaged)
    for to, names in (
        ("csv", {"raw", "thermal", "events", "answers", "labels", "traces"}),
        ("bids", {"events", "physio"}), ("eaf", {"0"}), ("xdf", {"0"}), ("mp4", {"thermal"}),
    ):  # fmt: skip
        (done,) = export_all(path, to, tmp_path / to)
        assert {
            path.name.partition(".")[0].rpartition("_")[2].rpartition("-")[2] for path in done.files
        } == names
        troubles = [] if to in ("eaf", "mp4") else ["board"]
        assert [trouble.split()[0] for trouble in done.troubles] == troubles
    found, _ = pyxdf.load_xdf(str(next((tmp_path / "xdf").glob("*.xdf"))), dejitter_timestamps=False)
    counts = {stream["info"]["name"][0]: len(stream["time_stamps"]) for stream in found}
    assert (counts["board"], counts["raw"], counts["thermal"]) == (0, 300, 27)


def test_a_session_whose_labels_are_damaged_is_written_without_them_and_listed(
    whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "music"
    shutil.copytree(whole, folder)
    ledger = folder / "P002" / "P002_session-1.labels" / "anna.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"thrill", b"shrill", 1))
    said = emolab("export", folder / "P002" / "P002_session-1.h5", "--to", "csv", "--out", tmp_path / "out")
    assert said.code == 1
    assert "the labels of anna are left out" in said.complaint
    with (tmp_path / "out" / "P002_session-1_labels.csv").open(encoding="utf-8", newline="") as file:
        assert {row["lane"] for row in csv.DictReader(file)} == {"face fer-small"}


def test_a_participants_folder_is_exported_alone(whole: Path, tmp_path: Path) -> None:
    said = emolab("export", whole / "P003", "--to", "eaf", "--out", tmp_path / "out")
    assert said.code == 0 and said.out.split() == [str(tmp_path / "out" / "P003" / "P003_session-1.eaf")]


def test_a_folder_without_sessions_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = emolab("export", tmp_path / "empty", "--to", "csv", "--out", tmp_path / "out")
    assert said.code == 2 and "holds no session" in said.complaint


def test_what_was_exported_is_noted_in_the_study(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    shutil.copytree(whole, folder)
    (folder / ".emolab").mkdir()
    done = export_all(folder, "bids", tmp_path / "out")
    noted = exports_made.made(folder)
    for one in done:
        mine = [path for each in noted if each.session == one.recording.stem for path in each.files]
        assert sorted(mine) == sorted(one.files)
    assert {each.format for each in noted} == {"bids"}
    assert not any(path.name == "participants.tsv" for each in noted for path in each.files)


def test_a_file_is_noted_before_it_is_written(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "music"
    shutil.copytree(whole, folder)
    (folder / ".emolab").mkdir()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("emolab.study.export.xdf._events", killed)
    with pytest.raises(KeyboardInterrupt):
        export(folder / "P003" / "P003_session-1.h5", "xdf", tmp_path / "out")
    (noted,) = exports_made.made(folder)
    assert noted.files == (tmp_path / "out" / "P003_session-1.xdf",)


def test_options_that_do_not_go_together_are_told(whole: Path, tmp_path: Path) -> None:
    for more in (("--video", "blurred"), ("--key", tmp_path / "key.csv")):
        said = emolab("export", whole, "--to", "csv", "--out", tmp_path / "out", *more)
        assert said.code == 2 and "belong to --deidentify" in said.complaint
    with pytest.raises(ConfigError, match="the formats are"):
        export_all(whole, "edf", tmp_path)


@pytest.mark.parametrize("to", ["csv", "xdf", "bids", "eaf"])
def test_a_session_that_was_never_closed_is_written_and_told(tmp_path: Path, to: str) -> None:
    path = made.killed(tmp_path / "P1" / "P1_session-0.h5")
    (done,) = export_all(path, to, tmp_path / "out")
    (trouble,) = done.troubles
    assert done.files and "was not closed" in trouble and "run 'emolab recover' first" in trouble
    recover(path)
    (done,) = export_all(path, to, tmp_path / "out")
    assert done.files and not done.troubles


def test_what_lies_in_the_journal_alone_is_told_as_missing(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "P003" / "P003_session-1.h5"
    shutil.copytree(whole / "P003", path.parent)
    path.with_name(f".{path.name}.journal").write_bytes(b"more than the file")
    said = emolab("export", path, "--to", "csv", "--out", tmp_path / "out", "--json")
    assert said.code == 1 and said.json["files"]
    assert said.json["troubles"][0].startswith("P003_session-1: was not closed; what its journal holds")


@pytest.mark.parametrize("error", [OverflowError("too large"), ZeroDivisionError("by zero"), MemoryError()])
def test_whatever_goes_wrong_with_one_session_stops_no_other(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write = tables.write

    def falls(session: Outgoing, folder: Path) -> list[Path]:
        if session.header.participant == "P002":
            raise error
        return write(session, folder)

    monkeypatch.setattr(tables, "write", falls)
    done = export_all(whole, "csv", tmp_path)
    assert [bool(one.files) for one in done] == [True, True, False, True]
    assert "P002_session-1.h5" in done[2].troubles[0]


def part(folder: Path, number: int, name: str = "P001_session-1") -> Path:
    header = replace(made.HEADER, participant="P001", session=1)
    return record(folder / f"{name}_part-{number}.h5", header, (made.BOARD,), seconds=1)


def test_a_session_that_went_on_is_not_in_bids_twice(tmp_path: Path) -> None:
    home, out = study(tmp_path / "music", ("P001",)), tmp_path / "out"
    theirs = out / "sub-P001" / "ses-1" / "beh" / "sub-P001_ses-1_task-quick_beh.tsv"

    def names() -> list[str]:
        found = {path.name.partition("quick_")[2] for path in out.rglob("*quick_*") if path != theirs}
        return sorted({name.partition("_")[0] if name.startswith("run") else "whole" for name in found})

    export_all(home, "bids", out)
    theirs.write_text("what somebody else wrote", encoding="utf-8")
    assert names() == ["whole"]
    second = part(home / "P001", 2)
    export_all(home, "bids", out)
    assert names() == ["run-1", "run-2"]
    second.unlink()
    export_all(home, "bids", out)
    assert names() == ["whole"] and theirs.exists()


def test_a_later_part_written_alone_removes_nothing_of_the_first(tmp_path: Path) -> None:
    home, out = study(tmp_path / "music", ("P001",)), tmp_path / "out"
    export_all(home, "bids", out)
    before = {path for path in out.rglob("*quick_*") if path.is_file()}
    export_all(part(home / "P001", 2), "bids", out)
    assert before and all(path.exists() for path in before)
    assert any("_run-2_" in path.name for path in out.rglob("*quick_*"))


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_copy_inside_the_study_never_takes_the_place_of_the_recording(
    tmp_path: Path, is_hidden: bool
) -> None:
    home = study(tmp_path / "music", ("P001", "P002"))
    part(home / "P001", 2)
    shutil.copytree(home / "P001", home / "Backup")
    (home / "Backup" / "P001_session-1_part-2.h5").unlink()
    shutil.copy(home / "P001" / "P001_session-1.h5", home / "P001" / "P001_session-7.h5")
    for one in ("bids",) if not is_hidden else ("bids", "csv"):
        out = tmp_path / one
        done = export_all(home, one, out, Hide(Codes()) if is_hidden else None)
        refused = {each.recording.relative_to(home).as_posix(): each for each in done if each.troubles}
        assert set(refused) == {"Backup/P001_session-1.h5", "P001/P001_session-7.h5"} and len(done) == 5
        for each in refused.values():
            assert not each.files and f"as {home / 'P001' / 'P001_session-1.h5'}," in each.troubles[0]
        if one == "bids":
            assert len(list(out.glob("sub-*/**/*_run-?_events.tsv"))) == 2


def test_damaged_files_that_were_kept_are_not_exported_with_the_participant(
    whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "P003"
    shutil.copytree(whole / "P003", folder)
    shutil.copy(folder / "P003_session-1.h5", folder / "P003_session-1.damaged.h5")
    done = export_all(folder, "csv", tmp_path / "out")
    assert [one.recording.name for one in done] == ["P003_session-1.h5"]
