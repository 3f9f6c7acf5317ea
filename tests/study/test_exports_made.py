"""The list of exports: what was exported is found again, in a study that has moved as well."""

from __future__ import annotations

import shutil
from pathlib import Path

from emolab.study import exports_made


def test_an_export_is_found_again_when_the_study_has_moved(tmp_path: Path) -> None:
    study, away = tmp_path / "study", tmp_path / "away"
    (study / ".emolab").mkdir(parents=True)
    inside = study / "out" / "P014_session-0.xdf"
    exports_made.register(study, "P014_session-0", "xdf", inside.parent, [inside])
    exports_made.register(study, "P014_session-1", "csv", away, [away / "P014_session-1_board.csv"])
    moved = Path(shutil.move(study, tmp_path / "elsewhere"))
    first, second = exports_made.made(moved)
    assert first.files == (moved / "out" / "P014_session-0.xdf",)
    assert (second.participant, second.format, second.folder) == ("P014", "csv", away)


def test_forgetting_one_participant_keeps_the_others(tmp_path: Path) -> None:
    for who in ("P01", "P014", "P01"):
        exports_made.register(tmp_path, f"{who}_session-0", "csv", tmp_path, [tmp_path / f"{who}.csv"])
    exports_made.forget(tmp_path, "P01")
    assert [export.participant for export in exports_made.made(tmp_path)] == ["P014"]


def test_half_a_line_of_a_killed_process_hides_no_other(tmp_path: Path) -> None:
    path = exports_made.list_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b'{"utc": "2026-01-01", "session": "P0')
    exports_made.register(tmp_path, "P014_session-0", "csv", tmp_path, [])
    assert [export.session for export in exports_made.made(tmp_path)] == ["P014_session-0"]


def test_a_recording_that_lies_in_no_study_belongs_to_none(tmp_path: Path) -> None:
    lone = tmp_path / "P014" / "P014_session-0.h5"
    assert exports_made.study_of(lone) is None
    (tmp_path / ".emolab").mkdir()
    assert exports_made.study_of(lone) == tmp_path
