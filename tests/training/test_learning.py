"""What a network is judged by while it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor, nn

from emolab.core.errors import ModelError
from emolab.training.learning import Batches, _judged, learn
from emolab.training.recipes import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


def rows(labels: list[int], classes: int = 5) -> Batches:
    """Their inputs are the probabilities."""
    given = np.random.default_rng(0).dirichlet(np.ones(classes), len(labels)) / 2
    given[np.arange(len(labels)), labels] += 0.5
    return Batches((torch.tensor(given),), torch.tensor(labels), "cpu")


def as_given(_: nn.Module, some: tuple[Tensor, ...]) -> Tensor:
    return some[0]


def test_the_score_of_rows_that_lack_a_class_is_scikit_learns() -> None:
    assert _judged(nn.Identity(), rows([0, 3, 3, 1]), as_given)[1] == 1
    held_back = rows([0, 3, 3, 1])
    held_back.inputs[0][1] = torch.tensor(
        [0.1, 0.1, 0.6, 0.1, 0.1]
    )  # 2 is called and not there, 4 is neither
    score = _judged(nn.Identity(), held_back, as_given)[1]
    assert score == pytest.approx(metrics.f1_score([0, 3, 3, 1], [0, 2, 3, 1], average="macro"))


def test_where_no_epoch_has_a_loss_on_rows_held_back_the_run_is_lost() -> None:
    def nothing(_: nn.Module, some: tuple[Tensor, ...]) -> Tensor:
        return torch.full((len(some[0]), 2), torch.nan)

    few = Batches((torch.randn(8, 3),), torch.arange(8) % 2, "cpu")
    recipe = Recipe(epochs=2, batch=4, rate=0.1, patience=2)
    told: dict[str, Any] = {"seed": 0, "on_epoch": None, "folder": None, "identity": {}}
    with pytest.raises(ModelError, match="a number after no epoch: the run is lost; take a lower rate"):
        learn(nn.Linear(3, 2), recipe, few, few, nothing, **told)
