"""What every model that is no network owes: it learns from training rows alone, and comes back as it was."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from torch import nn

from emolab.core.errors import ModelError, NotFitted, WrongInput
from emolab.models import MODELS
from emolab.models.classifier import CARD, WEIGHTS, Classifier, make
from emolab.models.examples import Examples, whole_trials

CLASSICAL = sorted(name for name in MODELS if not isinstance(make(name), nn.Module))
CLASSIFIERS = [name for name in CLASSICAL if make(name).spec.classes]


def quick(name: str) -> Any:
    """The model, with a few trees in place of hundreds."""
    model = make(name)
    if name == "forest":
        model.trees = 7
    return model


def drawn(name: str, n: int = 60, seed: int = 0, classes: tuple[str, ...] = ("low", "high")) -> Examples:
    """Ten people of whom a twelfth of the figures tells the class, and the ratings."""
    rng = np.random.default_rng(seed)
    shape = make(name).spec.inputs[0].shape
    labels = np.arange(n) % len(classes)
    figures = rng.normal(3, 2, (n, *shape))
    figures[:, : shape[0] // 12] += 6 * labels[:, None]
    figures[:, -1] = 5.5  # this one never varies
    ratings = [(0.4 * c + 0.2 + 0.01 * rng.normal(), 0.8 - 0.5 * c) for c in labels / (len(classes) - 1)]
    subjects, songs = [f"P{k // 6}" for k in range(n)], [f"S{k % 6}" for k in range(n)]
    keys = [f"{k}" for k in range(n)]
    return whole_trials(
        (figures.astype(np.float32),), labels.tolist(), classes, subjects, songs, keys, [30.0] * n, ratings
    )


def answers(model: Any, inputs: Any) -> np.ndarray:
    if model.spec.classes:
        return np.asarray(model.predict_proba(inputs))
    return np.stack([model.predict(inputs, axis) for axis in ("valence", "arousal")], 1)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_it_is_a_classifier_whose_rows_sum_to_one(name: str) -> None:
    train, others = drawn(name), drawn(name, seed=1)
    model = quick(name).fit(train, others)
    assert isinstance(model, Classifier)
    given = model.predict_proba(others.inputs)
    assert given.shape == (60, 2) and given.dtype == np.float64
    assert given.sum(1) == pytest.approx(1) and given.min() >= 0
    assert (given.argmax(1) == others.labels).mean() > 0.8
    assert model.predict_proba((others.inputs[0][:0],)).shape == (0, 2)


@pytest.mark.parametrize("name", CLASSICAL)
def test_what_was_saved_answers_to_the_last_bit(name: str, tmp_path: Path) -> None:
    model = quick(name).fit(drawn(name))
    model.save(tmp_path / "model")
    assert files(tmp_path / "model") == sorted([CARD, WEIGHTS])
    again = type(model).load(tmp_path / "model")
    others = drawn(name, seed=1).inputs
    assert np.array_equal(answers(model, others), answers(again, others))
    assert again.spec == model.spec
    again.save(tmp_path / "again")
    for file in (CARD, WEIGHTS):
        assert (tmp_path / "model" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


@pytest.mark.parametrize("name", CLASSICAL)
def test_rows_that_are_tested_leave_what_was_learnt_untouched(name: str) -> None:
    rows = drawn(name, 80)
    train, test = np.arange(60), np.arange(60, 80)
    learnt = quick(name).fit(rows.take(train), rows.take(test), seed=3).arrays
    rows.inputs[0][test] *= 1000  # type: ignore[index]
    rows.labels[test] = 1 - rows.labels[test]
    again = quick(name).fit(rows.take(train), rows.take(test), seed=3).arrays
    assert learnt.keys() == again.keys()
    assert all(learnt[key].tobytes() == again[key].tobytes() for key in learnt)


@pytest.mark.parametrize("name", CLASSICAL)
def test_one_seed_learns_the_same_whatever_was_learnt_before(name: str) -> None:
    train = drawn(name)
    model = quick(name)
    first = model.fit(train, seed=5).arrays
    model.fit(drawn(name, seed=9), seed=1)
    again = model.fit(train, seed=5).arrays
    assert all(first[key].tobytes() == again[key].tobytes() for key in first)


@pytest.mark.parametrize("name", CLASSICAL)
def test_an_answer_hangs_on_its_own_row_alone(name: str) -> None:
    model, some = quick(name).fit(drawn(name)), drawn(name, seed=2).inputs[0]
    turned = answers(model, (some[::-1],))[::-1]
    assert turned == pytest.approx(answers(model, (some,)), abs=1e-9)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_class_teaches_nothing(name: str) -> None:
    train = drawn(name)
    with pytest.raises(ModelError, match="all 30 rows are 'high'"):
        quick(name).fit(train.take(train.labels == 1))
    with pytest.raises(ModelError, match="there are no rows"):
        quick(name).fit(train.take([]))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_of_more_classes_one_that_was_not_learnt_is_never_called(name: str) -> None:
    train = drawn(name, 60, classes=("negative", "neutral", "positive", "unheard"))
    train = train.take(train.labels < 3)
    model = quick(name).fit(train)
    given = model.predict_proba(train.inputs)
    assert given.shape == (45, 4) and model.spec.classes == 4
    assert not given[:, 3].any() and given.sum(1) == pytest.approx(1)
    assert (given.argmax(1) == train.labels).mean() > 0.9


@pytest.mark.parametrize("name", CLASSICAL)
def test_inputs_of_another_shape_or_without_numbers_are_refused(name: str) -> None:
    train = drawn(name)
    model = quick(name).fit(train)
    figures = train.inputs[0]
    for wrong in ((figures[:, 1:],), (figures, figures), (), (figures[:, :, None],)):
        with pytest.raises(WrongInput, match="not"):
            answers(model, wrong)
    for bad in (np.nan, np.inf):
        spoilt = np.array(figures)
        spoilt[4, 2] = bad
        with pytest.raises(WrongInput, match="row 4 holds NaN or infinity"):
            answers(model, (spoilt,))
    some = Examples((spoilt,), *(getattr(train, part) for part in list(train.__dict__)[1:]))
    with pytest.raises(WrongInput, match="row 4"):
        quick(name).fit(some)


@pytest.mark.parametrize("name", CLASSICAL)
def test_nothing_learnt_is_nothing_to_ask_or_keep(name: str, tmp_path: Path) -> None:
    model = quick(name)
    with pytest.raises(NotFitted, match="nothing"):
        answers(model, drawn(name).inputs)
    with pytest.raises(NotFitted, match="nothing"):
        model.save(tmp_path)
    assert not files(tmp_path)


@pytest.mark.parametrize("name", CLASSICAL)
def test_what_is_no_model_of_its_kind_is_not_loaded(name: str, tmp_path: Path) -> None:
    model = quick(name).fit(drawn(name))
    kind = type(model)
    with pytest.raises(ModelError, match="holds no trained model"):
        kind.load(tmp_path / "nowhere")
    other = next(one for one in CLASSICAL if one != name)
    quick(other).fit(drawn(other)).save(tmp_path)
    with pytest.raises(ModelError, match=rf"holds a model '{other}', not '{name}'"):
        kind.load(tmp_path)
    model.save(tmp_path)
    whole = (tmp_path / WEIGHTS).read_bytes()
    for spoilt in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        (tmp_path / WEIGHTS).write_bytes(spoilt)
        with pytest.raises(ModelError, match="not the file that its card speaks of"):
            kind.load(tmp_path)
    for card in (b"", b"[]", b"{", b"\xff\xfe", b'{"format": 99}'):
        (tmp_path / CARD).write_bytes(card)
        with pytest.raises(ModelError, match="card"):
            kind.load(tmp_path)


class Trap:
    """Unpickled, it leaves a trace."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_pickle_is_refused_unread(name: str, tmp_path: Path) -> None:
    model, trace = quick(name).fit(drawn(name)), tmp_path / "trace"
    model.save(tmp_path)
    with_weights(tmp_path, pickle.dumps(Trap(trace)))
    with pytest.raises(ModelError, match="holds no arrays"):
        type(model).load(tmp_path)
    assert not trace.exists()


@pytest.mark.parametrize("name", CLASSICAL)
def test_arrays_that_do_not_fit_are_refused(name: str, tmp_path: Path) -> None:
    model = quick(name).fit(drawn(name))
    for key, array in model.arrays.items():
        longer = np.concatenate([array, array])
        for change in ({key: longer}, {"more": array}, {key: array.astype(np.float64) * np.nan}):
            model.save(tmp_path)
            save_file(load_file(tmp_path / WEIGHTS) | change, tmp_path / "changed")
            with_weights(tmp_path, (tmp_path / "changed").read_bytes())
            if key == "roots" and change.get(key) is longer:
                continue  # the same trees twice is a forest
            with pytest.raises(ModelError, match=r"not \(|not \[|NaN"):
                type(model).load(tmp_path)


def with_weights(folder: Path, content: bytes) -> None:
    """Other weights, and a card that vouches for them."""
    (folder / WEIGHTS).write_bytes(content)
    card = json.loads((folder / CARD).read_text())
    card["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / CARD).write_text(json.dumps(card))
