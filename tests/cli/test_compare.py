"""`emolab compare`: what runs differ by is told, and what is advised leads somewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emolab.training import run_folder
from tests.cli.command import emolab
from tests.cli.test_train import trained
from tests.training.corpora import by_chance, heard, write_hku956, write_pmemo


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and what it was made from."""
    folder = tmp_path_factory.mktemp("compared")
    write_hku956(folder / "HKU956", heard(6, 6, by_chance))
    trained(folder, "svm")
    return folder


def test_compare_tells_all_by_which_runs_differ(place: Path, tmp_path: Path) -> None:
    write_hku956(tmp_path / "HKU956", heard(6, 6, by_chance))
    signal = min((tmp_path / "HKU956").rglob("EDA/*.csv"))
    signal.write_text("".join(signal.read_text().splitlines(keepends=True)[:9]))
    trained(tmp_path, "searched", "--search", 2, "--seed", 4, "--seeds", 2)
    trained(tmp_path, "short", "--epochs", 1, "--set", "lr_step_unit=iteration", model="feature_cnn")
    said = emolab("compare", place / "svm", tmp_path / "searched", tmp_path / "short")
    assert "svm: svm (reference), HKU956 valence, labels own, 3 folds by subject, 36 rows\n" in said.out
    assert "labels own, 3 folds by subject, 35 rows, --search 2, --seed 4, --seeds 2\n" in said.out
    assert "short: feature_cnn (reference, lr_step_unit=iteration), HKU956 valence" in said.out
    assert "35 rows, --epochs 1\n" in said.out
    assert said.out.count("\n    1 of 36 trials was left out (most often: ") == 2
    searched = emolab("compare", tmp_path / "searched", "--json").json["runs"][0]
    assert searched["left_out"]["n"] == 1 and searched["left_out"]["why"]
    assert searched["labels"] == "own" and searched["search"] == 2

    metrics = run_folder.read_json(tmp_path / "short" / run_folder.METRICS)
    del metrics["left_out"]  # as before it was there
    run_folder.write_json(tmp_path / "short" / run_folder.METRICS, metrics)
    assert "\n    1 of 36 trials was left out\n" in emolab("compare", tmp_path / "short").out + "\n"


def test_what_is_advised_of_a_damaged_run_leads_out_of_it(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "svm", tmp_path / "svm")
    (tmp_path / "svm" / run_folder.METRICS).write_text("{")
    complaint = emolab("compare", tmp_path / "svm").complaint
    assert "metrics.json cannot be read" in complaint and complaint.endswith("run its command again")
    assert trained(place, "svm", "--out", tmp_path / "svm").code == 0
    assert emolab("compare", tmp_path / "svm").code == 0

    (tmp_path / "svm" / run_folder.CONFIG).write_text("{")
    for said in (trained(place, "svm", "--out", tmp_path / "svm"), emolab("compare", tmp_path / "svm")):
        assert said.code == 2 and "config.json cannot be read" in said.complaint
        assert "another" in said.complaint and "delete" not in said.complaint


def test_a_run_of_which_no_fold_could_be_judged_is_not_to_be_run_again(tmp_path: Path) -> None:
    write_hku956(tmp_path / "HKU956", heard(4, 4, lambda *_: (True, True)))
    said = trained(tmp_path, "svm", "--labels", "fixed")
    assert said.code == 2 and "no fold could be judged" in said.complaint
    said = emolab("compare", tmp_path / "svm")
    assert said.code == 2 and "has no fold that could be judged: svm has nothing" in said.complaint
    assert "again" not in said.complaint and "into another folder" in said.complaint
    shutil.rmtree(tmp_path / "svm" / "fold-02")
    assert "is not finished; run its command again" in emolab("compare", tmp_path / "svm").complaint


def test_beside_a_run_as_its_authors_did_it_stands_what_they_print(tmp_path: Path) -> None:
    write_pmemo(tmp_path / "PMEmo", heard(6, 6, by_chance))
    asked = ("--data", "pmemo", "--root", tmp_path / "PMEmo", "--target", "arousal", "--group", "none")
    kept = ("--cache", tmp_path / "cache", "--no-final", "--out")
    for variant in ("authors", "reference"):
        emolab("train", "svm", *asked, "--variant", variant, *kept, tmp_path / variant)
    emolab("train", "mlr", *asked, "--variant", "authors", *kept, tmp_path / "ratings")
    said = emolab(
        "compare", *(tmp_path / name for name in ("authors", "reference", "ratings")), "--json"
    ).json
    ours, reference, ratings = said["runs"]
    assert reference["printed"] is None and ratings["printed"]["split"] == "none"
    for run, printed in (
        (ours, {"accuracy": 0.6095, "high_f1": 0.6114}),
        (ratings, {"rmse": 0.1759, "r": 0.0395}),
    ):
        told = run["printed"]["figures"]
        assert {name: one["printed"] for name, one in told.items()} == printed
        assert {name: one["here"] for name, one in told.items()} == {
            name: run["figures"][name]["mean"] for name in printed
        }
    text = emolab("compare", tmp_path / "authors").out
    assert "    printed in Yin et al. 2022, table 3, of 457 participants:\n" in text
    here = "{accuracy[here]:.4f}; F1 of high 0.6114, here {high_f1[here]:.4f}".format(
        **ours["printed"]["figures"]
    )
    assert f"        accuracy 0.6095, here {here}\n" in text
    text = emolab("compare", tmp_path / "ratings").out
    assert "table 1, of 457 participants, single trials dealt out:\n" in text

    config = run_folder.read_json(tmp_path / "authors" / run_folder.CONFIG)
    config["order"]["people"] = 0.4
    run_folder.write_json(tmp_path / "authors" / run_folder.CONFIG, config)
    text = emolab("compare", tmp_path / "authors").out
    assert "of 128 participants (for 40 % of 457, which are 183):\n        accuracy 0.6149, here" in text
    config["labels"]["is_own"] = False  # as of 2019, whose labels are of the song's mean
    run_folder.write_json(tmp_path / "authors" / run_folder.CONFIG, config)
    assert "printed in" not in emolab("compare", tmp_path / "authors").out


def test_precision_and_recall_of_high_are_those_of_the_folds(place: Path, tmp_path: Path) -> None:
    """What Res-SIN prints of them is compared; a run that learns in minutes stands for it here."""
    shutil.copytree(place / "svm", tmp_path / "run")
    config = run_folder.read_json(tmp_path / "run" / run_folder.CONFIG)
    config["order"] |= {"model": "res_sin", "data": "pmemo", "variant": "authors", "folds": 10}
    run_folder.write_json(tmp_path / "run" / run_folder.CONFIG, config | {"corpus": "PMEmo"})
    told = emolab("compare", tmp_path / "run", "--json").json["runs"][0]["printed"]["figures"]
    folds = run_folder.read_json(tmp_path / "run" / run_folder.METRICS)["seeds"]["0"]["folds"]
    for name, printed in (("precision", 0.7227), ("recall", 0.8364)):
        mean = sum(one["high"][name] for one in folds) / len(folds)
        assert told[f"high_{name}"]["printed"] == printed
        assert told[f"high_{name}"]["here"] == pytest.approx(mean)
    assert ", folds user-independent:\n" in emolab("compare", tmp_path / "run").out
