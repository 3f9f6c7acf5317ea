"""Settings are searched: one with which nothing is learnt costs its try, and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.core.errors import ModelError
from emolab.models.examples import Examples, whole_trials
from emolab.training import learner
from emolab.training.learner import Learnt, Rows, taught
from emolab.training.order import Order
from emolab.training.run import train
from emolab.training.run_folder import CARD, METRICS
from tests.training.corpora import WRITERS, by_skin, heard

ORDER = Order("svm", "hku956", Path(), "valence", search=3)


def rows() -> Rows:
    names = [f"s{k}" for k in range(12)], ["song"] * 12, [f"k{k}" for k in range(12)]
    found = whole_trials((np.zeros((12, 2)),), [0, 1] * 6, ("low", "high"), *names, [60.0] * 12)
    return Rows(found, np.arange(8), np.arange(8, 12))


@dataclass
class Model:
    """Learns where its `c` lets it, and is the better the larger that is."""

    c: float

    def fit(self, train: Examples, valid: Examples | None, **_: Any) -> Model:
        if self.c < 1:
            raise ModelError(f"the loss of epoch 1 is nan at {self.c}")
        return self

    def predict_proba(self, inputs: Any) -> np.ndarray:
        right = np.eye(2)[[0, 1] * (len(inputs[0]) // 2)]
        return right * np.nan if self.c > 60 else 0.5 + (right - 0.5) * (1 if self.c > 1 else -1)


def searched(monkeypatch: pytest.MonkeyPatch, own: float, *others: float) -> Learnt:
    """Of a model whose paper's setting is `own`."""
    tries: list[dict[str, float]] = [{}, *({"c": c} for c in others)]
    monkeypatch.setattr(learner, "settings_of", lambda _: tries)

    def made(_: Order, __: str, settings: Mapping[str, float]) -> Model:
        return Model(settings.get("c", own))

    monkeypatch.setattr(learner, "make_model", made)
    return taught(ORDER, "HKU956", rows(), 0)


def test_a_setting_whose_loss_is_lost_is_noted_and_the_best_of_the_others_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = searched(monkeypatch, 0.25, 1.0, 0.5, 16.0, 64.0)
    assert found.settings == {"c": 16.0} and found.model.c == 16
    assert [one["score"] for one in found.tried] == [None, 0.0, None, 1.0, None]
    assert found.tried[0] == {"settings": {}, "score": None, "why": "the loss of epoch 1 is nan at 0.25"}
    assert "is no number" in found.tried[4]["why"]
    assert "why" not in found.tried[3]


def test_where_no_setting_learns_the_papers_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"nan at 0\.25"):
        searched(monkeypatch, 0.25, 0.5, 0.75)


def test_a_run_with_a_rate_that_loses_the_loss_has_figures_and_tells_of_the_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITERS["hku956"](tmp_path / "HKU956", heard(4, 4, by_skin))
    monkeypatch.setattr(learner, "SPACES", {"feature_cnn": {"rate": (1e30,)}})
    order = Order("feature_cnn", "hku956", tmp_path / "HKU956", "valence", folds=3, epochs=2)
    asked = replace(order, search=1, cache=tmp_path / "cache")
    found = train(asked, tmp_path / "run", with_final=False)
    assert not found.skipped
    for one in json.loads((tmp_path / "run" / METRICS).read_text(encoding="utf-8"))["chosen"]:
        assert one["settings"] == {} and one["tried"][0]["score"] is not None
        lost = one["tried"][1]
        assert lost["settings"] == {"rate": 1e30} and lost["score"] is None
        assert "take a lower rate" in lost["why"]
    told = (tmp_path / "run" / CARD).read_text(encoding="utf-8")
    assert "with 3 of 6 settings tried nothing was learnt" in told
