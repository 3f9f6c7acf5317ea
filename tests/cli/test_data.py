"""`emolab data` tells what a corpus is and where to ask for it, and what of a download is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emolab.datasets import DATASETS, deap, pmemo
from emolab.datasets.hku956 import Hku956
from tests.cli.command import emolab
from tests.datasets import test_deap, test_hku956, test_pmemo


def test_every_corpus_is_listed_with_its_licence_and_where_to_ask() -> None:
    facts = emolab("data", "list", "--json").json
    assert list(facts) == sorted(DATASETS)
    said = emolab("data", "list")
    assert said.code == 0
    for spec in facts.values():
        assert spec["published"]
        for word in ("name", "licence", "citation", "where"):
            assert spec[word] and spec[word] in said.out


def test_a_part_of_a_corpus_falls_short_and_says_of_what(tmp_path: Path) -> None:
    test_deap.write(tmp_path, 1)
    (tmp_path / "s02.dat").write_bytes(b"")
    said = emolab("data", "check", "deap", tmp_path)
    assert said.code == 1
    assert "trials             40 of 1280 published" in said.out
    assert "participants        1 of 32 published" in said.out
    assert "not there: s03.dat, s04.dat" in said.out and "s32.dat" in said.out
    assert "left out: s02: " in said.out and said.last.startswith("it is not whole; signals were not read")


def test_a_whole_corpus_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test_deap.write(tmp_path, 1)
    for what, count in {"trials": 40, "participants": 1}.items():
        monkeypatch.setitem(deap.COUNTS, what, count)
    said = emolab("data", "check", "deap", tmp_path, "--all", "--json")
    assert said.code == 0 and said.json["is_whole"] and said.json["is_read"]
    assert said.json["found"] == {"trials": 40, "participants": 1, "songs": 40}
    assert said.json["missing"] == said.json["left_out"] == []


def test_only_reading_all_finds_what_is_wrong_inside(tmp_path: Path) -> None:
    place = test_hku956.write(tmp_path / "HKU956")
    signal = place / test_hku956.SIGNALS / "hku1903" / "EDA" / "0_262957.csv"
    signal.write_text("1.0\nnothing\n")
    assert emolab("data", "check", "hku956", place, "--json").json["left_out"] == []
    (left_out,) = emolab("data", "check", "hku956", place, "--all", "--json").json["left_out"]
    assert left_out["key"] == "hku1903/0_262957" and "something else than numbers" in left_out["why"]


def test_songs_are_counted(tmp_path: Path) -> None:
    facts = emolab("data", "check", "pmemo", test_pmemo.write_2019(tmp_path), "--json").json
    assert facts["found"] == {"trials": 8, "participants": 2, "songs": 4}
    assert facts["published"]["songs"] == 767  # of 794 choruses those with means: no other is a trial
    assert "794 songs, 767 of them with mean ratings" in emolab("data", "list").out


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """PMEmo as published is as large as the one that the tests write."""
    for what, count in {"trials": 8, "participants": 2, "songs": 4}.items():
        monkeypatch.setitem(pmemo.COUNTS, what, count)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("write", [test_pmemo.write_2018, test_pmemo.write_2019])
def test_pmemo_of_either_layout_can_be_whole(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    said = emolab("data", "check", "pmemo", write(tmp_path), "--all", "--json")
    assert said.code == 0 and said.json["is_whole"]
    assert said.json["missing"] == said.json["left_out"] == []
    assert said.json["found"] == {"trials": 8, "participants": 2, "songs": 4}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("read", [(), ("--all",)])
def test_pmemo_without_one_dimension_or_the_music_is_not_whole(tmp_path: Path, read: tuple[str, ...]) -> None:
    place = test_pmemo.write_2018(tmp_path)
    shutil.rmtree(place / "EDA" / "Arousal")
    (place / "static_features.csv").unlink()
    said = emolab("data", "check", "pmemo", place, *read)
    assert said.code == 1 and said.last.startswith("it is not whole")
    assert "not there: EDA/Arousal, static_features.csv\n" in said.out
    assert "trials              0 of 8 published" in said.out
    assert "for valence         8\n" in said.out and "for arousal         0\n" in said.out
    why = "no skin conductance of it for arousal is there"
    assert said.out.count(why) == 1 and f"left out: 8 trials, such as 1/100012: {why}" in said.out
    facts = emolab("data", "check", "pmemo", place, "--json", *read).json
    assert facts["by_target"] == {"valence": 8, "arousal": 0}
    assert len({one["key"] for one in facts["left_out"]}) == len(facts["left_out"]) == 8


@pytest.mark.usefixtures("small")
def test_pmemo_with_one_recording_damaged_is_whole_until_all_is_read(tmp_path: Path) -> None:
    place = test_pmemo.write_2018(tmp_path)
    (place / "EDA" / "Arousal" / "2_100034_A.csv").write_text("time,eda\n0,broken\n")
    assert emolab("data", "check", "pmemo", place).code == 0
    facts = emolab("data", "check", "pmemo", place, "--all", "--json").json
    assert not facts["is_whole"] and facts["by_target"] == {"valence": 8, "arousal": 7}
    (left_out,) = facts["left_out"]
    assert left_out["key"] == "2/100034" and "2_100034_A.csv" in left_out["why"]


def test_what_is_left_out_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = test_hku956.write(tmp_path / "HKU956")
    folder = place / test_hku956.SIGNALS / "hku1903" / "EDA"
    (folder / "0_262957.csv").write_text("1.0\nnothing\n")
    with caplog.at_level("WARNING"):
        said = emolab("data", "check", "hku956", place, "--all")
        assert said.out.count("something else than numbers") == 1 and caplog.records == []
        assert [trial.ref.key for trial in Hku956(place).each()] and len(caplog.records) == 1  # as before


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_another_folder_is_wrong_use_and_says_where_to_get_it(tmp_path: Path, name: str) -> None:
    said = emolab("data", "check", name, tmp_path)
    assert said.code == 2 and str(tmp_path) in said.complaint and "expected are" in said.complaint


def test_an_unknown_corpus_lists_the_known() -> None:
    said = emolab("data", "check", "depa", "here")
    assert said.code == 2 and "deap" in said.complaint
