"""Recipes are those of specifications 04 and 05."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from emolab.core.errors import ConfigError
from emolab.models.rtcan import Rtcan
from emolab.training.learning import Batches
from emolab.training.recipes import (
    RECIPES,
    Recipe,
    as_chosen,
    choices_of,
    options_of,
    read_options,
    recipe_of,
)


def test_rtcan_learns_as_the_paper_says_and_as_its_program_did() -> None:
    reference, authors = recipe_of("rtcan"), recipe_of("rtcan", "authors")
    assert (reference.batch, reference.epochs, reference.patience) == (256, 100, 20)
    rates = [reference.rate_at(epoch, 3 * epoch) for epoch in (0, 14, 15, 30)]
    assert rates == pytest.approx([1e-3, 1e-3, 9e-4, 8.1e-4])
    assert (authors.batch, authors.epochs, authors.patience) == (300, 100, None)
    assert authors.rate_at(99, 0) == 1e-3
    assert RECIPES["rtcag", "reference"] == RECIPES["feature_cnn", "reference"] == reference


def test_the_authors_had_other_numbers_for_deap_and_amigos() -> None:
    deap, amigos = recipe_of("rtcag", "authors", "DEAP"), recipe_of("rtcag", "authors", "AMIGOS")
    assert (deap.epochs, deap.rate, deap.weight_decay) == (300, 0.1, 1e-3)
    assert (amigos.epochs, amigos.rate, amigos.weight_decay) == (1000, 1e-3, 1e-2)
    assert recipe_of("rtcag", "reference", "DEAP") == recipe_of("rtcag")
    assert options_of("rtcan", "AMIGOS") == {"ablation": "re"} and options_of("rtcan", "PMEmo") == {}
    assert options_of("res_si", "DEAP") == {}


def test_the_authors_weights_began_otherwise_for_deap_and_amigos() -> None:
    spreads = {}
    for corpus in ("PMEmo", "DEAP", "AMIGOS"):
        torch.manual_seed(0)
        network = Rtcan(**options_of("rtcan", corpus, "authors"), variant="authors", music=0)
        spreads[corpus] = network.stages[0][0].layers[0].weight.std().item()
    he, xavier = (2 / (64 * 3)) ** 0.5, (2 / (2 * 64 * 3)) ** 0.5
    assert spreads == pytest.approx({"PMEmo": he, "DEAP": xavier, "AMIGOS": xavier}, rel=0.03)


def test_res_sins_rate_falls_every_300_steps() -> None:
    recipe = recipe_of("res_si")
    rates = [recipe.rate_at(4, iteration) for iteration in (0, 299, 300, 900)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-6]) and recipe.batch == 100 and recipe.crop


@pytest.mark.parametrize(("n", "size", "lengths"), [
    (775, 256, [259, 258, 258]), (767, 256, [256, 256, 255]), (30, 256, [30]), (257, 128, [129, 128]),
])  # fmt: skip
def test_batches_are_equally_long_and_no_row_is_left_out(n: int, size: int, lengths: list[int]) -> None:
    rows = Batches((torch.zeros(n, 1),), torch.zeros(n, dtype=torch.int64), "cpu")
    drawn = rows.shuffled(size, torch.Generator().manual_seed(1))
    assert [len(some) for some in drawn] == lengths
    assert torch.equal(torch.cat(drawn).sort().values, torch.arange(n))


def test_the_authors_have_a_last_batch_of_what_is_left() -> None:
    assert recipe_of("rtcag").even and not any(
        recipe.even for (_, who), recipe in RECIPES.items() if who == "authors"
    )
    rows = Batches((torch.zeros(775, 1),), torch.zeros(775, dtype=torch.int64), "cpu")
    lengths = [len(some) for some in rows.shuffled(300, torch.Generator(), even=False)]
    assert lengths == [300, 300, 175]


def test_what_is_no_recipe_is_told() -> None:
    with pytest.raises(ConfigError, match="no recipe for svm reference; known are rtcan reference"):
        recipe_of("svm")
    with pytest.raises(ConfigError, match="two trials a batch"):
        Recipe(epochs=1, batch=1, rate=0.1)


def test_what_a_user_chooses_takes_the_place_of_what_is_usual() -> None:
    given = read_options("rtcag", ["lr_step_unit=iteration", "ablation=base", "depth=2"])
    assert given == (("ablation", "base"), ("depth", 2), ("lr_step_unit", "iteration"))
    recipe, options = as_chosen(recipe_of("rtcag"), options_of("rtcag", "DEAP", "authors"), given)
    assert options == {"ablation": "base", "depth": 2, "init": "authors_xavier"}
    assert recipe == replace(recipe_of("rtcag"), step_unit="iteration")
    assert as_chosen(recipe_of("res_si"), {}, ()) == (recipe_of("res_si"), {})
    with pytest.raises(ConfigError, match="never falls; leave --set lr_step_unit out"):
        as_chosen(recipe_of("rtcag", "authors"), {}, given)


def test_every_network_tells_what_its_rate_falls_by() -> None:
    usual = {name: choices_of(name)["lr_step_unit"].usual for name, _ in RECIPES}
    assert usual == {name: recipe_of(name).step_unit for name, _ in RECIPES}
    assert usual["res_si"] == "iteration" and usual["rtcan"] == "epoch"
    assert choices_of("forest") == {}


@pytest.mark.parametrize(("name", "words", "told"), [
    ("rtcag", ["ablation=rg"], r"ablation of rtcag: 'rg' is none of base \| ra \| rb"),
    ("rtcag", ["component=tonic"], "ablation=rf, depth=1, widths=64,64,64,64, lr_step_unit=epoch"),
    ("rtcag", ["depth"], "cannot be set 'depth'"),
    ("rtcag", ["depth=1", "depth=2"], "depth is set twice"),
    ("svm", ["depth=1"], "svm leaves nothing to set; leave --set out"),
])  # fmt: skip
def test_what_cannot_be_chosen_is_told_what_there_is(name: str, words: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_options(name, words)
