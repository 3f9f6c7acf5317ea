"""The folder an analysis writes to: its own, one analysis at a time, nothing of an older one left in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.analysis import kept
from emolab.analysis.folder import drop_old, own
from emolab.core.errors import ConfigError


def test_a_folder_is_made_and_may_be_written_to_again(tmp_path: Path):
    out = tmp_path / "Ergebnisse, größte" / ("ö" * 100)
    for _ in range(2):
        with own(out):
            kept.save(out, [], [])
    assert (out / "figures").is_dir() and (out / "tables").is_dir()


@pytest.mark.parametrize("name", ["clips.csv", "report.html", "sessions.json", "figures/mine.png"])
def test_what_no_analysis_wrote_is_not_written_over(tmp_path: Path, name: str):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("a year of work")
    with pytest.raises(ConfigError, match=r"would be lost"), own(tmp_path):
        pass
    assert path.read_text() == "a year of work"


def test_other_files_beside_it_do_no_harm(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with own(tmp_path):
        assert (tmp_path / "figures").is_dir() and (tmp_path / "tables").is_dir()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["participants.jsonl", "study.json", "P001_session-0.h5"])
def test_a_study_s_own_folder_is_refused(tmp_path: Path, name: str):
    (tmp_path / name).write_text("")
    with pytest.raises(ConfigError, match=r"such as .*analysis"), own(tmp_path):
        pass


def test_two_analyses_at_once_do_not_mix(tmp_path: Path):
    with own(tmp_path), pytest.raises(ConfigError, match="another analysis writes"), own(tmp_path):
        pass
    with own(tmp_path):
        pass


def test_figures_of_the_analysis_before_go_and_no_other_file_does(tmp_path: Path):
    with own(tmp_path):
        for name in ("figures/old.svg", "figures/new.svg", "figures/mine.svg", "report.html"):
            (tmp_path / name).write_text("")
        kept.save(tmp_path, [], [], ["figures/old.svg", "figures/new.svg", "report.html", "../outside.txt"])
        drop_old(tmp_path, ["figures/new.svg"])
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"new.svg", "mine.svg"}
    assert (tmp_path / "report.html").exists()
