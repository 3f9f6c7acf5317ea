"""`emolab train` and `emolab compare` as a user calls them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.cli.train import place as place_of
from emolab.core.errors import ConfigError
from emolab.devices.simulation.effect import EFFECTS
from emolab.models.classifier import make
from emolab.session.rehearsal import Order, devices_text, rehearse
from emolab.training import run_folder
from emolab.training.fewer_people import drawn
from emolab.training.loading import load_classifier
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
        (("rtcan", "--data", "{}", "--target", "group"), "with --music"),
        (
            ("svm", "--data", "hku956", "--root", "{}", "--target", "valence", "--music", "{}"),
            "leave --music out",
        ),
        (("svm", "--data", "{}", "--target", "state", "--labels", "fixed"), "leave --labels out"),
        (("svm", "--data", "{}", "--target", "group", "--labels", "corpus"), "leave --labels out"),
        (("svm", "--data", "study", "--target", "group"), "give the folder of the study"),
        (("svm", "--data", "study", "--root", "/nowhere", "--target", "group"), "the folder of a study"),
        (("svm", "--data", "hku956", "--root", "{}", "--target", "valence", "--folds", 50), "folds"),
        (
            ("svm", "--data", "hku956", "--root", "{}", "--target", "valence", "--folds", 3, "--on", "x"),
            "no place to work",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence_with_the_remedy(
    place: Path, tmp_path: Path, arguments: tuple[object, ...], told: str
) -> None:
    corpus = str(place / "HKU956")
    filled = [str(word).replace("{}", corpus) for word in arguments]
    said = emolab("train", *filled, "--out", tmp_path / "run", "--cache", place / "cache")
    assert said.code == 2 and told.replace("{}", corpus) in said.complaint
    assert list(tmp_path.iterdir()) == []  # what failed before anything was learnt leaves nothing
    (tmp_path / "run").mkdir()
    deep = tmp_path / "run" / "deep" / "er"
    assert emolab("train", *filled, "--out", deep, "--cache", place / "cache").code
    assert list(tmp_path.rglob("*")) == [tmp_path / "run"]


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
    compared = emolab("compare", tmp_path / "run")
    assert "run: svm (reference), emolab study group, 3 folds by subject" in compared.out
    assert compared.out and emolab("compare", tmp_path / "run", "--json").json["runs"][0]["labels"] is None


def test_a_network_is_made_as_it_was_set_and_its_weights_open_so_again(place: Path, tmp_path: Path) -> None:
    asked = ("train", "rtcag", "--data", "hku956", "--root", place / "HKU956", "--target", "valence")
    where = ("--folds", 2, "--epochs", 1, "--cache", place / "cache", "--out", tmp_path / "run")
    chosen = ("--set", "ablation=base", "--set", "depth=2", "--set", "lr_step_unit=iteration")
    said = emolab(*asked, *where, *chosen)
    assert said.code in (0, 1), said.err  # red: what is learnt in an epoch may be flagged, or not
    order = run_folder.read_json(tmp_path / "run" / run_folder.CONFIG)["order"]
    assert order["options"] == {"ablation": "base", "depth": 2, "lr_step_unit": "iteration"}
    wanted = make("rtcag", ablation="base", depth=2)
    for part in ("final", "fold-00"):
        model = load_classifier(tmp_path / "run" / part)
        shapes = {name: one.shape for name, one in model.network.state_dict().items()}
        assert shapes == {name: one.shape for name, one in wanted.state_dict().items()}
        assert model.recipe.step_unit == "iteration"
    before = (tmp_path / "run" / run_folder.METRICS).read_bytes()
    assert emolab(*asked, *where, *chosen[4:], *chosen[:4]).code == said.code  # the same, said otherwise
    assert (tmp_path / "run" / run_folder.METRICS).read_bytes() == before
    for other in ((), ("--set", "ablation=re")):
        refused = emolab(*asked, *where, *other)
        assert refused.code == 2 and "choose another --out" in refused.complaint


def test_settings_are_searched_of_a_network_that_is_made_otherwise(place: Path, tmp_path: Path) -> None:
    asked = ("train", "feature_cnn", "--data", "hku956", "--root", place / "HKU956", "--target", "valence")
    where = ("--folds", 2, "--epochs", 1, "--cache", place / "cache", "--out", tmp_path)
    assert emolab(*asked, *where, "--search", 1, "--set", "lr_step_unit=iteration").code in (0, 1)
    assert load_classifier(tmp_path / "final").recipe.step_unit == "iteration"
    chosen = run_folder.read_json(tmp_path / run_folder.METRICS)["chosen"]
    assert len(chosen) == 2 and all(len(one["tried"]) == 2 for one in chosen)


@pytest.mark.parametrize(
    ("model", "word", "told"),
    [
        ("rtcag", "ablation=rg", "none of base | ra | rb | rc | rd | re | rf"),
        ("rtcag", "width=64", "widths=64,64,64,64"),
        ("res_si", "component=tonik", "none of mix | origin | phasic | tonic"),
        ("svm", "depth=2", "leave --set out"),
    ],
)
def test_what_cannot_be_set_is_told_what_can(
    place: Path, tmp_path: Path, model: str, word: str, told: str
) -> None:
    said = trained(place, "no", "--out", tmp_path / "run", "--set", word, model=model)
    assert said.code == 2 and told in said.complaint and not (tmp_path / "run").exists()


def test_a_regression_is_told_beside_the_mean_and_shuffled_ratings(place: Path) -> None:
    said = trained(place, "ratings", model="mlr")
    line = said.out.partition("\n")[0]
    assert line.startswith("seed 0: RMSE ") and " (the mean alone " in line
    assert "; shuffled ratings reach r " in line and " (95 %: 0." in line and ", p " in line


def test_a_regression_of_waveforms_says_so(place: Path, tmp_path: Path) -> None:
    trained(place, "waves", "--set", "input=waveform", "--out", tmp_path / "waves", model="mlr_tonic")
    card = (tmp_path / "waves" / "card.md").read_text()
    assert "settings: least squares, without directions weaker than 0.001 of the strongest" in card
    assert "202 parameters, input waveform" in card and "`eda_tonic_waveform`, 100:" in card
    assert "mlr_tonic (reference, input=waveform)" in emolab("compare", tmp_path / "waves").out


def test_trials_left_out_are_told_with_the_reasons(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "HKU956", tmp_path / "HKU956")
    signals = sorted(tmp_path.rglob("EDA/*.csv"))[::6]
    for path in signals[:4]:
        path.unlink()
    for path in signals[4:6]:
        path.write_text("\n".join(path.read_text().splitlines()[:20]))
    said = trained(tmp_path, "svm")
    assert "\n6 of 36 trials left out: 1. physiological_signals/…/EDA/0_s0.csv is not there (4), " in said.out
    assert "\namber: 6 of 36 trials were left out (17 %; most often: 1. phys" in said.out
    account = trained(tmp_path, "svm", "--json").json["left_out"]
    assert (account["n"], account["of"], sum(account["why"].values())) == (6, 36, 6)
    assert "left out" not in trained(place, "svm").out


def test_fewer_people_may_be_asked_for_and_the_run_says_whom(place: Path, tmp_path: Path) -> None:
    said = trained(place, "half", "--people", "50%", "--out", tmp_path / "half")
    assert said.code in (0, 1) and "left out" not in said.out
    card = (tmp_path / "half" / "card.md").read_text()
    assert "18 trials of 3 participants and 6 songs" in card
    assert "3 of the corpus's 6 participants were drawn by lot (--people 50%, seed 0); labels" in card
    again = trained(place, "three", "--people", 3, "--out", tmp_path / "three")
    assert again.out.replace("three", "half") == said.out
    assert ", 18 rows, --people 50%\n" in emolab("compare", tmp_path / "half").out
    refused = trained(place, "half", "--people", 4, "--out", tmp_path / "half")
    assert refused.code == 2 and "with other number of participants (0.5, not 4)" in refused.complaint
    names = [f"hku{number:02d}" for number in range(6)]
    seed = next(seed for seed in range(1, 9) if drawn(names, 3, seed) != drawn(names, 3, 0))
    trained(place, "other", "--people", 3, "--seed", seed, "--out", tmp_path / "other")
    tested = [
        key
        for fold in run_folder.read_json(tmp_path / "other" / "folds.json")["folds"]
        for key in fold["test"]
    ]
    assert {key.split("/")[0] for key in tested} == drawn(names, 3, seed)


@pytest.mark.parametrize(
    ("people", "complaint"),
    [
        ("all", "'all' is no number of participants; give 2 or more, or a share such as 40%"),
        ("7", "--people 7 would be 7 of the corpus's 6 participants; give a number from 2 to 6"),
        ("2", "3 folds by subject need 3 subjects"),
    ],
)
def test_people_that_cannot_be_drawn_are_told(
    people: str, complaint: str, place: Path, tmp_path: Path
) -> None:
    said = trained(place, "x", "--people", people, "--out", tmp_path / "x")
    assert said.code == 2 and complaint in said.complaint and not (tmp_path / "x").exists()


def test_a_scheduler_may_be_called_so_and_help_names_one_way(place: Path, tmp_path: Path) -> None:
    for name in ("--on", "--scheduler"):
        said = trained(place, "no", "--out", tmp_path / "run", name, "nowhere")
        assert said.code == 2 and "'nowhere' is no place to work" in said.complaint
    told = emolab("train", "--help").out
    assert "--on ADDRESS" in told and "--scheduler" not in told


def sounds(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for k, name in enumerate(names):
        tone = 0.2 * np.sin(2 * np.pi * (220 + 30 * k) * np.arange(2 * 16_000) / 16_000)
        soundfile.write(folder / f"{name}.wav", tone, 16_000)
    return folder


def test_clips_in_a_folder_want_opensmile_as_they_do_of_predict(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    clips = sounds(tmp_path / "wav", "s0")
    said = trained(place, "no", "--out", tmp_path / "run", "--music", clips, model="music_svm")
    assert said.code == 2 and "pip install 'emolab[opensmile]'" in said.complaint
    assert not (tmp_path / "run").exists()
    (tmp_path / "none").mkdir()
    said = trained(place, "no", "--out", tmp_path / "run", "--music", tmp_path / "none", model="music_svm")
    assert said.code == 2 and "no sound to compute music's figures from" in said.complaint


def test_a_model_hears_the_clips_of_a_folder_whose_figures_are_made_once(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opensmile", reason="openSMILE is not installed: pip install 'emolab[opensmile]'")
    clips = sounds(tmp_path / "wav", *(f"s{k}" for k in range(6)))
    asked = {"model": "music_svm"}
    said = trained(place, "heard", "--out", tmp_path / "run", "--music", clips, **asked)
    assert said.code in (0, 1), said.err
    metrics = (tmp_path / "run" / run_folder.METRICS).read_bytes()
    monkeypatch.setitem(sys.modules, "opensmile", None)  # not wanted again: not here, and by no worker
    assert trained(place, "heard", "--out", tmp_path / "again", "--music", clips, **asked).code == said.code
    assert (tmp_path / "again" / run_folder.METRICS).read_bytes() == metrics
    (clips / "s5.wav").unlink()
    said = trained(place, "heard", "--out", tmp_path / "run", "--music", clips, **asked)
    assert said.code == 2 and "emolab[opensmile]" in said.complaint


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
