"""Regressions are scikit-learn's, on the scale of the ratings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from emolab.core.errors import ModelError, WrongInput
from emolab.models.examples import Examples, whole_trials
from emolab.models.regression import AXES, Mlr, MlrTonic, Svr, SvrTonic


def rated(n: int, seed: int, scale: float = 1.0, low: float = 0.0, figures: int = 28) -> Examples:
    rng = np.random.default_rng(seed)
    table = rng.normal(2, 5, (n, figures))
    own = rng.uniform(0, 1, (n, 2)) * 0.4 + 0.3 * np.tanh(table[:, :2]) + 0.3
    names = [str(k) for k in range(n)]
    labels = (np.arange(n) % 2).tolist()
    ratings = [tuple(one) for one in (low + scale * np.clip(own, 0, 1)).tolist()]
    return whole_trials((table,), labels, ("low", "high"), names, names, names, [30.0] * n, ratings)


@pytest.mark.parametrize("kind", [Mlr, MlrTonic, Svr, SvrTonic])
def test_one_of_waveforms_learns_is_kept_and_opens_so_again(kind: type[Mlr | Svr], tmp_path: Path) -> None:
    train, few = rated(120, 0, figures=100), rated(50, 1)
    model = kind(input="waveform").fit(train)
    model.save(tmp_path / "kept")
    again = kind.load(tmp_path / "kept")
    assert again.options == {"input": "waveform"} and again.spec == model.spec
    for axis in AXES:
        assert again.predict(train.inputs, axis) == pytest.approx(model.predict(train.inputs, axis))
    with pytest.raises(WrongInput):
        again.predict(few.inputs)
    with pytest.raises(WrongInput):
        kind(input="waveform").fit(few)


def test_neighbouring_points_that_say_nearly_the_same_are_no_trap() -> None:
    """A rounding of 1e-7 in the columns, as another processor may make it, moves guesses hardly more."""
    rng = np.random.default_rng(0)
    times, own = np.linspace(0, 1, 100), rng.normal(0, 1, (120, 4))
    curves = own @ np.stack([times**k for k in range(4)])
    plain = rated(120, 0, figures=100)
    train = replace(plain, inputs=(curves,))
    moved = replace(plain, inputs=(curves + rng.normal(0, 1e-7, curves.shape),))
    guesses = [Mlr(input="waveform").fit(one).predict((curves,)) for one in (train, moved)]
    assert guesses[0] == pytest.approx(guesses[1], abs=1e-4)
    ratings = train.ratings
    assert ratings is not None
    columns = np.column_stack([np.ones(120), own])
    truth = columns @ np.linalg.lstsq(columns, ratings[:, 0], rcond=None)[0]
    assert np.corrcoef(guesses[0], truth)[0, 1] > 0.99, "what the points do say is found"


@pytest.mark.parametrize("kind", [Mlr, Svr])
def test_a_folder_of_other_columns_is_refused(kind: type[Mlr | Svr], tmp_path: Path) -> None:
    model = kind(input="waveform").fit(rated(120, 0, figures=100))
    whole, part = dict(model.arrays), "slopes" if kind is Mlr else "arousal_vectors"
    for lost in ({"middle"}, {part}):
        model.arrays = {name: one for name, one in whole.items() if name not in lost}
        model.save(tmp_path / "lost")
        with pytest.raises(ModelError):
            kind.load(tmp_path / "lost")
    model.arrays = whole | {part: whole[part][:, :28]}
    model.save(tmp_path / "short")
    with pytest.raises(ModelError):
        kind.load(tmp_path / "short")


def test_what_an_error_costs_is_kept(tmp_path: Path) -> None:
    Svr(4.0).fit(rated(120, 0)).save(tmp_path)
    assert Svr.load(tmp_path).c == 4.0 and Svr.load(tmp_path).options == {}


@pytest.mark.parametrize("kind", [Mlr, MlrTonic])
def test_the_linear_one_is_scikit_learns(kind: type[Mlr]) -> None:
    train, others = rated(120, 0), rated(50, 1)
    assert train.ratings is not None
    theirs = make_pipeline(StandardScaler(), LinearRegression()).fit(train.inputs[0], train.ratings)
    model = kind().fit(train)
    for k, axis in enumerate(AXES):
        truth = theirs.predict(others.inputs[0])[:, k]
        assert model.predict(others.inputs, axis) == pytest.approx(truth, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", [Svr, SvrTonic])
def test_the_one_of_support_vectors_is_scikit_learns(kind: type[Svr]) -> None:
    train, others = rated(120, 0), rated(50, 1)
    assert train.ratings is not None
    model = kind().fit(train)
    for k, axis in enumerate(AXES):
        theirs = make_pipeline(StandardScaler(), SVR()).fit(train.inputs[0], train.ratings[:, k])
        truth = theirs.predict(others.inputs[0])
        assert model.predict(others.inputs, axis) == pytest.approx(truth, rel=1e-9, abs=1e-9)
        assert len(model.arrays[f"{axis}_vectors"]) == len(theirs[-1].support_)


def test_ratings_of_a_wider_scale_are_brought_to_one_and_back() -> None:
    narrow, wide = Svr().fit(rated(120, 0)), Svr().fit(rated(120, 0, 20, -10))
    ratings = rated(120, 0).ratings
    assert ratings is not None
    found = wide.predict(rated(50, 1).inputs, "arousal")
    assert -10 < found.min() < found.max() < 10
    least, size = ratings[:, 1].min(), np.ptp(ratings[:, 1])
    whole = least == 0 and size == 1  # then both saw the same
    same = np.allclose(found, narrow.predict(rated(50, 1).inputs, "arousal") * 20 - 10)
    assert same == whole


def test_ratings_that_are_all_alike_are_guessed_alike() -> None:
    train = rated(40, 0, 0.0, 7.0)
    for model in (Svr().fit(train), Mlr().fit(train)):
        assert model.predict(train.inputs, "valence") == pytest.approx(7, abs=0.11)


def test_many_rows_are_guessed_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model, others = Svr().fit(rated(60, 0)), rated(50, 1).inputs
    whole = model.predict(others)
    monkeypatch.setattr("emolab.models.regression.AT_ONCE", 100)
    assert model.predict(others) == pytest.approx(whole, rel=1e-12)


def test_without_ratings_nothing_can_be_learnt() -> None:
    train = rated(20, 0)
    assert train.ratings is not None
    train.ratings[3, 1] = np.nan
    with pytest.raises(ModelError, match="1 of 20 rows were not rated"):
        Mlr().fit(train)
    names = [str(k) for k in range(20)]
    bare = whole_trials(train.inputs, [0, 1] * 10, ("low", "high"), names, names, names, [30.0] * 20)
    with pytest.raises(ModelError, match="none"):
        Svr().fit(bare)
