"""From a folder of faces to weights with a card, by the command line; what is chosen on, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emolab.cli.main import run
from emolab.core.errors import ConfigError
from emolab.datasets.fer2013 import Faces, Fer2013
from emolab.faces import card as cards
from emolab.faces.fer import CLASSES, load
from emolab.training import checkpoint, fer
from emolab.training.fit import CHECKPOINT, Recipe
from tests.datasets.test_fer2013 import write_folders
from tests.training.striped import striped

N = {"train": 56, "public": 28, "private": 21}


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Tiny FER2013; two private faces and a public one lie in the training part, too."""
    splits = {split: striped(n, seed) for seed, (split, n) in enumerate(N.items())}
    splits["train"].pictures[[3, 4]] = splits["private"].pictures[[3, 4]]
    splits["train"].pictures[5] = splits["public"].pictures[5]
    return write_folders(tmp_path / "data", splits)


def command(data: Path, out: Path, *more: str) -> list[str]:
    always = ["--data", str(data), "--out", str(out), "--cache", str(data.parent / "cache"), "--threads", "1"]
    return ["train", "fer", *always, *more]


def test_a_run_ends_with_weights_and_a_card_that_tell_everything(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(command(data, out, "--epochs", "2", "--seed", "3")) == 0
    said = capsys.readouterr().out
    assert "2,246,567 parameters, 53 faces to learn from, 28 to choose on" in said
    assert "epoch 2/2" in said
    assert "private:" in said
    card = cards.read(out / "small.json")
    assert card.classes == CLASSES
    assert card.data["split"] == N
    assert card.data["left_out"].startswith("3 faces")
    assert card.training["seed"] == 3
    assert card.training["command"].startswith("emolab train fer --data")
    assert card.training["private_looks"] == 1
    for split in ("public", "private"):
        found = card.figures[split]
        assert found["n"] == N[split]
        assert np.sum(found["confusion"]) == N[split]
        assert np.trace(found["confusion"]) / N[split] == pytest.approx(found["accuracy"], abs=1e-4)
        assert set(found["per_class"]) == set(CLASSES)
        assert found["three"]["n"] == N[split]
    assert card.figures["private"]["unseen"]["n"] == 19
    assert (out / "small.safetensors").stat().st_size < 5_000_000


def test_the_card_names_every_program_that_had_a_hand_in_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by(letter: str) -> None:
        now = {"version": "0.1.0", "commit": letter * 40, "is_changed": letter == "b"}
        monkeypatch.setattr("emolab.training.fit.program", lambda: now)
        monkeypatch.setattr(fer, "program", lambda: now)

    out, words = tmp_path / "run", "emolab 0.1.0, commit {}".format
    by("a")
    run(command(data, out, "--epochs", "1"))
    card = cards.read(out / "small.json")
    assert card.training["commit"] == "a" * 40 and "learnt_by" not in card.training
    by("b")
    run(command(data, out, "--epochs", "3"))
    first, changed = f"epochs 1 to 1: {words('a' * 40)}", ", with changes that are not committed"
    assert cards.read(out / "small.json").training["learnt_by"] == [
        first,
        f"epochs 2 to 3: {words('b' * 40)}{changed}",
        f"figures and temperature: {words('b' * 40)}{changed}",
    ]
    by("c")
    run(command(data, out, "--epochs", "3", "--so-far"))
    told = cards.read(out / "small.json").training
    assert told["learnt_by"][0] == first and told["learnt_by"][-1].endswith("c" * 40)


def test_a_run_begun_before_programs_were_noted_is_finished_and_says_so(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(command(data, out, "--epochs", "1"))
    tensors, facts = checkpoint.load(out / CHECKPOINT)
    del facts["programs"]
    checkpoint.save(out / CHECKPOINT, tensors, facts)
    assert run(command(data, out, "--epochs", "1")) == 0
    told = cards.read(out / "small.json").training["learnt_by"]
    assert told[0] == "epochs 1 to 1: an emolab that did not note which" and len(told) == 2


def test_the_model_that_ships_is_the_one_whose_figures_are_told(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(command(data, out, "--epochs", "1"))
    model = load(out / "small.safetensors")
    public = Fer2013(data, tmp_path / "cache").faces("public")
    right = (model.probabilities(public.pictures).argmax(1) == public.labels).mean()
    assert right == pytest.approx(model.card.figures["public"]["accuracy"], abs=1e-4)


def test_so_far_makes_a_card_without_a_look_at_the_private_set(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(command(data, out, "--so-far")) == 2
    assert "no run to finish" in capsys.readouterr().err
    run(command(data, out, "--epochs", "1"))
    assert cards.read(out / "small.json").training["private_looks"] == 1
    capsys.readouterr()
    assert run(command(data, out, "--epochs", "9", "--so-far", "--json")) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"public"}
    card = cards.read(out / "small.json")
    assert card.training["private_looks"] == 1, "an earlier look stays on record"
    assert "private" not in card.figures


def test_authors_keep_all_faces_and_compute_in_float32(data: Path, tmp_path: Path) -> None:
    authors = fer.recipe_of(fer.Order(data, tmp_path, "vgg19", "authors"))
    ours = fer.recipe_of(fer.Order(data, tmp_path, "vgg19", half=True))
    assert replace(authors, half=True, leaves_twins_out=True) == ours
    assert not authors.half
    corpus = Fer2013(data, tmp_path / "cache")
    assert len(fer.training_faces(corpus, authors)) == 56
    assert len(fer.training_faces(corpus, ours)) == 53


def test_the_authors_recipe_is_that_of_the_specification() -> None:
    recipe = fer.RECIPES["vgg19", "authors"]
    assert (recipe.batch, recipe.epochs, recipe.momentum, recipe.weight_decay) == (128, 250, 0.9, 5e-4)
    assert (recipe.clamp, recipe.test_views, recipe.smoothing, recipe.average) == (0.1, "ten-crop", 0, 0)
    assert not recipe.nesterov
    assert (recipe.views.crop_px, recipe.views.mirror) == (44, True)
    for epoch, rate in ((80, 0.01), (81, 0.01), (85, 0.009), (90, 0.0081)):
        assert recipe.rate_at(epoch, 0.5) == pytest.approx(rate)


def test_the_public_set_decides_the_temperature_and_the_private_one_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other private faces, the same weights, the same temperature."""
    found = []
    for name in ("one", "other"):
        corpus = Fer2013(data, tmp_path / "cache")
        if name == "other":
            private = corpus.faces("private")
            altered = Faces(255 - private.pictures, private.labels[::-1].copy())
            assert corpus._splits is not None
            corpus._splits["private"] = altered
        order = fer.Order(data, tmp_path / name, epochs=1, half=False)
        monkeypatch.setattr(fer, "training_faces", lambda corpus, _: corpus.faces("train"))
        found.append(fer.train(order, corpus, tell=lambda _: None))
    one, other = found
    assert one.weights_sha256 == other.weights_sha256
    assert one.temperature == other.temperature
    assert one.figures["public"] == other.figures["public"]
    assert one.figures["private"] != other.figures["private"]


def test_what_cannot_be_trained_is_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(data, tmp_path / "run", "--model", "vgg16")) == 2
    assert "small reference, vgg19 reference, vgg19 authors" in capsys.readouterr().err
    assert run(command(data, tmp_path / "run", "--variant", "authors")) == 2
    assert "no recipe small authors" in capsys.readouterr().err
    assert run(command(tmp_path, tmp_path / "run")) == 2
    assert "no FER2013" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        fer.recipe_of(fer.Order(data, tmp_path, "small", "paper"))
    if not torch.cuda.is_available():
        assert run(command(data, tmp_path / "run", "--device", "cuda")) == 2
        assert "--device" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(command(data, tmp_path / "run", "--epochs", "0"))
    assert "'0' is no whole number from 1" in capsys.readouterr().err


def test_every_recipe_names_a_network() -> None:
    assert all(
        isinstance(recipe, Recipe) and recipe.network == model for (model, _), recipe in fer.RECIPES.items()
    )
