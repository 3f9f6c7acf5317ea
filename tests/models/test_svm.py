"""The SVM is scikit-learn's, and its probabilities are of people it has not seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emolab.core.errors import ModelError
from emolab.models.classifier import CARD
from emolab.models.examples import Examples, whole_trials
from emolab.models.svm import C, MusicSvm, Svm


def people(n: int, columns: int, seed: int, pull: float = 0.4, people: int = 12) -> Examples:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    figures = rng.normal(size=(n, columns))
    figures[:, 0] += pull * labels
    figures = figures * np.linspace(0.1, 50, columns) + np.linspace(100, -100, columns)
    who = [f"P{k % people}" for k in range(n)]
    names = [str(k) for k in range(n)]
    return whole_trials((figures,), labels.tolist(), ("low", "high"), who, names, names, [30.0] * n)


@pytest.mark.parametrize(("kind", "columns", "n"), [(Svm, 128, 200), (MusicSvm, 6373, 80)])
def test_planes_are_scikit_learns(kind: type[Svm], columns: int, n: int) -> None:
    train, others = people(n, columns, 0), people(n, columns, 1)
    theirs = make_pipeline(StandardScaler(), SVC(kernel="linear", C=C)).fit(train.inputs[0], train.labels)
    ours = kind().fit(train)
    found = ours.distances(others.inputs)[:, 0]
    assert found == pytest.approx(theirs.decision_function(others.inputs[0]), rel=1e-9, abs=1e-9)
    called = ours.predict_proba(others.inputs).argmax(1)
    assert np.array_equal(called, theirs.predict(others.inputs[0]))


def test_it_is_the_surer_the_more_strangers_bear_it_out() -> None:
    strong, weak = Svm().fit(people(300, 128, 0, pull=6)), Svm().fit(people(300, 128, 0, pull=0))
    assert strong.arrays["sureness"][0] > 10 * weak.arrays["sureness"][0]
    others = people(300, 128, 1, pull=0)
    assert weak.predict_proba(others.inputs).max() < 0.75  # it has found nothing, and says so


def test_it_is_as_often_right_as_it_says() -> None:
    model = Svm().fit(people(600, 128, 0, pull=1.5))
    others = people(600, 128, 1, pull=1.5)
    given = model.predict_proba(others.inputs)
    right = (given.argmax(1) == others.labels).mean()
    assert given.max(1).mean() == pytest.approx(right, abs=0.08)


def test_one_participant_is_enough_to_learn_how_sure_to_be() -> None:
    model = Svm().fit(people(60, 128, 0, pull=6, people=1))
    assert 1e-3 < model.arrays["sureness"][0] <= 20


def test_a_column_that_never_varied_says_nothing_later() -> None:
    train, others = people(60, 128, 0), people(60, 128, 1)
    train.inputs[0][:, 7] = 0.1  # type: ignore[index]
    model = Svm().fit(train)
    before = model.predict_proba(others.inputs)
    others.inputs[0][:, 7] = 1e9  # type: ignore[index]
    assert np.array_equal(before, model.predict_proba(others.inputs))


def test_how_much_an_error_costs_can_be_chosen() -> None:
    train = people(100, 128, 0)
    assert not np.allclose(Svm(0.001).fit(train).arrays["planes"], Svm(10).fit(train).arrays["planes"])


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"c": "much"}, "c 'much' is no number"),
        ({"c": None}, "c None is no number"),
        ({"classes": ["high", "high"]}, "tells no classes"),
    ],
)
def test_a_card_that_tells_nonsense_is_refused(tmp_path: Path, facts: dict[str, object], said: str) -> None:
    Svm().fit(people(60, 128, 0)).save(tmp_path)
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | facts))
    with pytest.raises(ModelError, match=said):
        Svm.load(tmp_path)


def test_a_card_without_bottom_is_refused(tmp_path: Path) -> None:
    Svm().fit(people(60, 128, 0)).save(tmp_path)
    (tmp_path / CARD).write_text("[" * 200_000)
    with pytest.raises(ModelError, match="is no card of a model"):
        Svm.load(tmp_path)
