"""`emolab train` and `emolab compare` as a user calls them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emolab.cli.train import place as place_of
from emolab.core.errors import ConfigError
from emolab.devices.simulation.effect import EFFECTS
from emolab.session.rehearsal import Order, devices_text, rehearse
from emolab.training import run_folder
from emolab.training.run import Made
from tests.cli.command import Said, emolab
from tests.training.corpora import by_chance, heard, write_hku956


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on the same folds of a corpus, one on others, and what they were made from."""
    folder = tmp_path_factory.mktemp("trained")
    write_hku956(folder / "HKU956", heard(6, 6, by_chance))
    for name, more in (("svm", ()), ("again", ()), ("songs", ("--group", "song"))):
        trained(folder, name, *more)
    trained(folder, "ratings", model="mlr")
    return folder


def trained(folder: Path, name: str, *more: object, model: str = "svm", target: str = "valence") -> Said:
    asked = ("--data", "hku956", "--root", folder / "HKU956", "--target", target, "--folds", 3)
    where = ("--cache", folder / "cache", "--out", folder / name, "--no-final")
    return emolab("train", model, *asked, *where, *more)


def test_a_run_tells_figures_beside_chance_and_where_its_card_is(place: Path) -> None:
    said = trained(place, "svm", "--progress")
    assert said.code == 0 and "% " in said.err and "reading trial 36 of 36" in said.err
    for words in (
        "macro-F1 0.",
        "balanced accuracy",
        "κ",
        "of the commonest class",
        "shuffled labels",
        "card.md",
    ):
        assert words in said.out
    assert trained(place, "svm", "--json").json["seeds"]["0"]["untested"] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("svm", "--data", "nowhere", "--target", "valence"), "neither a corpus"),
        (("svm", "--data", "hku956", "--target", "valence"), "--root DIR is missing"),
        (("svm", "--data", "hku956", "--root", "/nowhere", "--target", "valence"), "is no folder"),
        (("svm", "--data", "hku956", "--root", "{}", "--target", "state"), "has no target 'state'"),
        (
            ("svm", "--data", "hku956", "--root", "{}", "--target", "valence", "--epochs", 3),
            "leave --epochs out",
        ),
        (("svm", "--data", "hku956", "--root", "{}", "--target", "valence", "--half"), "leave --half out"),
        (("svm", "--data", "{}", "--target", "valence"), "in a study of our own nobody rated valence"),
        (("svm", "--data", "{}", "--target", "group"), "is no study with recordings"),
        (("mlr", "--data", "{}", "--target", "group"), "its targets are valence and arousal"),
        (("svm", "--data", "deap", "--root", "{}", "--target", "valence"), "{}"),
        (("music_svm", "--data", "hku956", "--root", "{}", "--target", "valence"), "give a table of them"),
        (("svm", "--data", "hku956", "--root", "{}", "--target", "valence", "--folds", 50), "folds"),
    ],
)
def test_what_cannot_be_is_one_sentence_with_the_remedy(
    place: Path, tmp_path: Path, arguments: tuple[object, ...], told: str
) -> None:
    corpus = str(place / "HKU956")
    filled = [str(word).replace("{}", corpus) for word in arguments]
    said = emolab("train", *filled, "--out", tmp_path / "run", "--cache", place / "cache")
    assert said.code == 2 and told.replace("{}", corpus) in said.complaint
    assert not (tmp_path / "run" / run_folder.METRICS).exists()


def test_an_unknown_model_or_option_names_the_known_ones(tmp_path: Path) -> None:
    said = emolab("train", "gpt", "--data", "hku956", "--target", "valence", "--out", tmp_path)
    assert said.code == 2 and "rtcag" in said.err
    assert emolab("train", "svm", "--data", "hku956", "--target", "joy", "--out", tmp_path).code == 2
    said = emolab("train", "svm", "--data", "x", "--target", "valence", "--out", tmp_path, "--folds", "0")
    assert said.code == 2 and "whole number from 1" in said.err


def test_help_tells_both_kinds_of_training() -> None:
    assert "emolab train fer" in emolab("train", "--help").out
    assert "FER2013" in emolab("train", "fer", "--help").out


def test_a_study_of_one_s_own_is_learnt_from_by_its_folder(tmp_path: Path) -> None:
    study, board = tmp_path / "study", devices_text(("board",))
    rehearse(Order(study, 3, seed=5, devices_text=board, effect=EFFECTS["lively"]), jobs=1)
    more = ("--folds", 3, "--cache", tmp_path / "cache", "--out", tmp_path / "run")
    said = emolab("train", "svm", "--data", study, "--target", "group", *more)
    assert said.code == 0, said.err
    card = (tmp_path / "run" / "card.md").read_text(encoding="utf-8")
    assert "emolab study: group" in card and "of 3 participants" in card
    assert (tmp_path / "run" / "final" / run_folder.PEOPLE).is_file()


def test_runs_on_the_same_folds_are_tested_against_one_another(place: Path) -> None:
    said = emolab("compare", place / "svm", place / "again")
    assert said.code == 0 and "svm less again: macro-F1 +0.000" in said.out
    assert "equal in 3" in said.out and "p 1.000" in said.out
    found = emolab("compare", place / "svm", place / "again", "--figure", "kappa", "--json").json
    assert [run["name"] for run in found["runs"]] == ["svm", "again"]
    assert found["pairs"][0]["figure"] == "kappa" and found["pairs"][0]["p_mcnemar"] == 1


def test_runs_on_other_folds_or_of_other_kinds_stand_in_the_table_untested(place: Path) -> None:
    said = emolab("compare", place / "svm", place / "songs", place / "ratings")
    assert "svm less songs: not tested, their folds are others" in said.out
    assert "svm less ratings: not tested, one tells classes" in said.out
    assert "RMSE" in said.out and "by song" in said.out
    alarms = run_folder.read_json(place / "songs" / run_folder.METRICS)["alarms"]
    assert "amber" in {one["level"] for one in alarms}
    assert all(f"    {one['level']}: {one['text']}" in said.out for one in alarms)


def test_a_p_is_never_told_as_nought(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(place / "svm", tmp_path / "svm")
    metrics = run_folder.read_json(tmp_path / "svm" / run_folder.METRICS)
    metrics["seeds"]["0"]["permutation"]["p"] = 0.0001
    run_folder.write_json(tmp_path / "svm" / run_folder.METRICS, metrics)
    compared = emolab("compare", tmp_path / "svm").out
    monkeypatch.setattr("emolab.training.run.train", lambda *_, **__: Made(tmp_path, metrics, (), ()))
    told = trained(place, "svm").out
    assert "p < 0.001" in told and "0.000" not in told.partition("shuffled")[2]
    assert compared.split("\n")[1].endswith("  < 0.001")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (run_folder.METRICS, "{}"),
        (run_folder.METRICS, "[]"),
        (run_folder.METRICS, '{"classes": ["a"], "seeds": {}, "alarms": [], "skipped": []}'),
        (run_folder.METRICS, '{"classes": null, "seeds": [1], "alarms": [], "skipped": []}'),
        (run_folder.CONFIG, "[]"),
        (run_folder.CONFIG, '{"order": []}'),
        (run_folder.FOLDS, '{"folds": [1]}'),
        (run_folder.FOLDS, '{"folds": {}}'),
    ],
)
def test_files_of_something_else_are_called_damaged(
    place: Path, tmp_path: Path, name: str, content: str
) -> None:
    shutil.copytree(place / "svm", tmp_path / "svm")
    (tmp_path / "svm" / name).write_text(content)
    for runs in ((tmp_path / "svm",), (place / "again", tmp_path / "svm")):
        said = emolab("compare", *runs)
        assert said.code == 2 and f"{tmp_path / 'svm'} is damaged (" in said.complaint


def test_a_config_of_something_else_is_not_taken_for_a_run(place: Path, tmp_path: Path) -> None:
    for content in ("[]", '{"order": 3}'):
        (tmp_path / run_folder.CONFIG).write_text(content)
        said = trained(place, "no", "--out", tmp_path)
        assert said.code == 2 and "config.json is not as a run has written it" in said.complaint


def test_a_refused_folder_is_left_as_it_was(place: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    said = trained(place, "no", "--out", tmp_path)
    assert said.code == 2 and "holds thesis.txt, which no run has written" in said.complaint
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_study_in_a_folder_called_study_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="--root DIR is missing"):
        place_of("study", None)
    (tmp_path / "study").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "deap").mkdir()
    assert place_of("study", None) == ("study", tmp_path / "study")
    assert place_of("study", tmp_path / "other") == ("study", tmp_path / "other")
    with pytest.raises(ConfigError, match="--root DIR is missing"):
        place_of("deap", None)


def test_what_is_no_finished_run_is_told(place: Path, tmp_path: Path) -> None:
    assert "holds no run" in emolab("compare", tmp_path).complaint
    (tmp_path / run_folder.CONFIG).write_text("{}")
    assert "is not finished" in emolab("compare", tmp_path).complaint
    (tmp_path / run_folder.METRICS).write_text("{")
    assert "damaged" in emolab("compare", tmp_path).complaint
    assert "has no figure 'joy'" in emolab("compare", place / "svm", "--figure", "joy").complaint
