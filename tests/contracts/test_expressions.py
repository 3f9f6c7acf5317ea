"""What every entry of `MODELS` and of `DATASETS` owes: a new line there brings these tests along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.dataset import Spec, Trial, TrialRef
from emolab.faces.card import Card
from emolab.faces.fer import CLASSES, MODELS, NoWeights, load
from emolab.faces.networks import NETWORKS
from emolab.training.fer import RECIPES


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_is_made_from_card_and_weights_and_has_a_network_and_a_recipe(name: str) -> None:
    maker = resolve(MODELS, name, "expression model")
    hints = get_type_hints(maker.__init__)
    assert (hints["card"], hints["weights"]) == (Card, Path)
    assert name in NETWORKS
    assert (name, "reference") in RECIPES


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_judges_or_says_that_it_has_no_weights(name: str) -> None:
    try:
        model = load(name)
    except NoWeights as error:
        assert name in str(error)
        return
    found = model.probabilities(np.full((2, 48, 48), 90, np.uint8))
    assert found.shape == (2, len(CLASSES))
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_a_corpus_says_what_it_is_and_how_it_lies_on_disk(name: str) -> None:
    maker = resolve(DATASETS, name, "corpus")
    assert isinstance(maker.spec, Spec)
    assert all(vars(maker.spec).values()), "citation, licence and where to get it"
    assert get_type_hints(maker.trials)["return"] == Sequence[TrialRef]
    assert get_type_hints(maker.load)["return"] == Trial


@pytest.mark.parametrize("name", sorted(DATASETS))
@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a folder of something else"])
def test_a_folder_that_is_no_corpus_is_told_by_name(name: str, there: str, tmp_path: Path) -> None:
    place = tmp_path / "corpus"
    if there != "nothing":
        place.mkdir()
    if there == "a folder of something else":
        (place / "readme.txt").write_text("holiday pictures")
    corpus = None
    with pytest.raises(DataError, match="corpus"):
        corpus = resolve(DATASETS, name, "corpus")(place)
        corpus.trials()
    if corpus is not None:
        with pytest.raises(DataError, match="corpus"):
            corpus.load(TrialRef("no such trial", None, ""))
