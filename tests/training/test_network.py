"""A network learns, goes on after a kill to the last bit, and nothing else is taken for what it stored."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emolab.core.errors import ConfigError, ModelError, NotFitted, NoWeights, WrongInput
from emolab.models.classifier import CARD, WEIGHTS, Classifier, Epoch
from emolab.models.eda_inputs import SignalImages
from emolab.models.examples import Examples, Rows, whole_trials
from emolab.training import learning
from emolab.training.learning import CHECKPOINT
from emolab.training.network import NetworkClassifier, Runtime
from emolab.training.recipes import Recipe

RUNTIMES: tuple[Runtime, ...] = ("torch", "onnxruntime")
RECIPE = Recipe(epochs=6, batch=16, rate=0.02, patience=None)
SMALL = {  # by model: how it is made
    "rtcan": {"music": 4},
    "rtcag": {},
    "res_sin": {"music": 4},
    "res_si": {},
    "feature_cnn": {},
}


pytestmark = pytest.mark.usefixtures("one_thread")


def examples(inputs: tuple[Rows, ...], labels: list[int]) -> Examples:
    n = len(labels)
    names = [f"s{k // 4}" for k in range(n)], [f"song{k % 4}" for k in range(n)], [f"k{k}" for k in range(n)]
    return whole_trials(inputs, labels, ("low", "high"), *names, [60.0] * n)


def figures(n: int, seed: int = 0, told: float = 1.5) -> Examples:
    """128 figures, of which the first twenty tell the class; one never changes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    rows = 100 + 7 * rng.normal(size=(n, 128))
    rows[:, :20] += 7 * told * (2 * labels[:, None] - 1)
    rows[:, 127] = 3.0
    return examples((rows,), labels.tolist())


def inputs_of(name: str, n: int) -> tuple[Rows, ...]:
    rng = np.random.default_rng(1)
    music = rng.normal(5, 2, (n, 4))
    curves = rng.normal(size=(n, 3, 2500)).astype(np.float32)
    images = SignalImages([rng.normal(size=(3, 160)) for _ in range(n)], [4.0] * n, 15.0)
    table: dict[str, tuple[Rows, ...]] = {
        "rtcan": (curves, music),
        "rtcag": (curves,),
        "res_sin": (images, music),
        "res_si": (images,),
        "feature_cnn": (rng.normal(size=(n, 128)),),
    }
    return table[name]


def fitted(seed: int = 0, recipe: Recipe = RECIPE, **more: object) -> NetworkClassifier:
    return NetworkClassifier("feature_cnn", recipe=recipe).fit(figures(70), seed=seed, **more)  # type: ignore[arg-type]


def same(one: NetworkClassifier, other: NetworkClassifier) -> bool:
    a, b = one.network.state_dict(), other.network.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("variant", ["reference", "authors"])
@pytest.mark.parametrize("name", SMALL)
def test_every_network_is_a_classifier(name: str, variant: str, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=1, batch=4, crop=name.startswith("res"))
    given = examples(inputs_of(name, 6), [0, 1, 1, 0, 1, 0])
    model = NetworkClassifier(name, variant=variant, recipe=recipe, options=SMALL[name])  # type: ignore[arg-type]
    assert isinstance(model, Classifier)
    found = model.fit(given).predict_proba(given.inputs)
    assert found.shape == (6, 2) and found.dtype == np.float64
    assert np.allclose(found.sum(1), 1) and (found >= 0).all()
    model.save(tmp_path)
    again = NetworkClassifier.load(tmp_path)
    assert np.array_equal(again.predict_proba(given.inputs), found)
    assert again.spec == model.spec and again.options == model.options
    assert np.allclose(model.predict_proba(given.take([4]).inputs), found[[4]], atol=1e-5)


def test_it_finds_what_the_figures_tell() -> None:
    judged = figures(60, seed=1)
    found = fitted().predict_proba(judged.inputs)
    assert (found.argmax(1) == judged.labels).mean() > 0.9


def test_three_classes_make_three_probabilities() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 128))
    three = replace(figures(30), inputs=(rows,), labels=np.arange(30) % 3, classes=("a", "b", "c"))
    model = NetworkClassifier("feature_cnn", recipe=RECIPE).fit(three)
    assert model.predict_proba((rows,)).shape == (30, 3) and model.spec.classes == 3


def test_the_same_seed_gives_the_same_weights_and_draws_from_nobody_else() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = fitted()
    assert torch.equal(torch.rand(3), expected)
    assert same(first, fitted()) and not same(first, fitted(seed=1))


def test_products_in_bfloat16_find_it_too_and_the_same_weights_again(tmp_path: Path) -> None:
    halves = replace(RECIPE, half=True)
    first, judged = fitted(recipe=halves), figures(60, seed=1)
    assert (first.predict_proba(judged.inputs).argmax(1) == judged.labels).mean() > 0.9
    assert same(first, fitted(recipe=halves)) and not same(first, fitted())
    assert {value.dtype for value in first.network.parameters()} == {torch.float32}
    first.save(tmp_path)
    assert NetworkClassifier.load(tmp_path).recipe.half


class Killed(Exception):
    """In the middle of a run."""


def kill_after(epoch: int) -> object:
    def told(line: Epoch) -> None:
        if line.epoch == epoch:
            raise Killed

    return told


@pytest.mark.parametrize("held_back", [False, True])
def test_a_killed_run_goes_on_to_the_same_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_back: bool
) -> None:
    monkeypatch.setattr(learning, "KEPT_EVERY_S", 0.0)
    recipe = replace(RECIPE, patience=20 if held_back else None, factor=0.5, step=2)
    more: dict[str, object] = {"recipe": recipe, "valid": figures(20, 1) if held_back else None}
    straight = fitted(**more)
    for epoch in (1, 4):
        with pytest.raises(Killed):
            fitted(**more, folder=tmp_path, on_epoch=kill_after(epoch))
    lines: list[Epoch] = []
    went_on = fitted(**more, folder=tmp_path, on_epoch=lines.append)
    assert [line.epoch for line in lines] == [5, 6]
    assert same(straight, went_on) and went_on.chosen_epoch == straight.chosen_epoch
    assert [line.loss for line in went_on.history] == [line.loss for line in straight.history]
    lines.clear()
    assert same(straight, fitted(**more, folder=tmp_path, on_epoch=lines.append)) and not lines


CHILD = """
import os, signal, torch
from pathlib import Path
from emolab.training import learning
from tests.training.test_network import fitted
torch.set_num_threads(1)
learning.KEPT_EVERY_S = 0.0
fitted(folder=Path({folder!r}), on_epoch=lambda line: line.epoch < 3 or os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_process_that_was_killed_leaves_what_another_goes_on_from(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(folder=str(tmp_path))],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL and (tmp_path / CHECKPOINT).is_file()
    assert same(fitted(folder=tmp_path), fitted())


def test_a_folder_with_another_run_is_told(tmp_path: Path) -> None:
    fitted(folder=tmp_path)
    with pytest.raises(ConfigError, match="holds a run with other seed; take another folder"):
        fitted(seed=1, folder=tmp_path)
    with pytest.raises(ConfigError, match="other rate"):
        fitted(recipe=replace(RECIPE, rate=0.5), folder=tmp_path)
    with pytest.raises(ConfigError, match="other train"):
        NetworkClassifier("feature_cnn", recipe=RECIPE).fit(figures(70, told=1.4), folder=tmp_path)
    with pytest.raises(ConfigError, match="other model"):
        NetworkClassifier("rtcag", recipe=RECIPE).fit(
            examples(inputs_of("rtcag", 4), [0, 1, 0, 1]), folder=tmp_path
        )


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, kept: int) -> None:
    fitted(folder=tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="delete it to begin anew"):
        fitted(folder=tmp_path)


def test_learning_stops_when_rows_held_back_are_no_better_and_the_best_weights_stay() -> None:
    judged = figures(40, 1)
    wrong = replace(judged, labels=1 - judged.labels)  # each epoch is worse for them
    recipe = replace(RECIPE, epochs=30, patience=3)
    model = fitted(recipe=recipe, valid=wrong)
    losses = [line.valid_loss for line in model.history]
    assert len(losses) == model.chosen_epoch + 3 < 30
    assert losses[model.chosen_epoch - 1] == min(losses)
    until_best = fitted(recipe=replace(recipe, epochs=model.chosen_epoch, patience=None))
    assert same(model, until_best)
    assert model.history[-1].left_s == 0


def test_each_epoch_is_told_with_its_losses_and_the_time_left() -> None:
    lines: list[Epoch] = []
    fitted(on_epoch=lines.append, valid=figures(20, 1))
    assert [line.epoch for line in lines] == [1, 2, 3, 4, 5, 6] and {line.epochs for line in lines} == {6}
    assert lines[-1].loss < lines[0].loss and lines[-1].valid_loss < lines[0].valid_loss
    assert lines[-1].valid_score > 0.8
    assert lines[0].left_s == pytest.approx(5 * lines[0].seconds) and lines[-1].left_s == 0


def test_normalisations_are_of_all_training_rows_with_the_last_weights() -> None:
    rows = figures(64)
    model = NetworkClassifier("feature_cnn", recipe=replace(RECIPE, epochs=1)).fit(rows)
    convolution, normalisation = model.network.layers[0], model.network.layers[1]  # type: ignore[index]
    table = rows.inputs[0][:]
    scaled = np.divide(table - table.mean(0), table.std(0), out=np.zeros(table.shape), where=table.std(0) > 0)
    with torch.no_grad():
        maps = convolution(torch.tensor(scaled, dtype=torch.float32)[:, None])
    torch.testing.assert_close(normalisation.running_mean, maps.mean((0, 2)), rtol=1e-3, atol=1e-5)


def test_nothing_is_learnt_from_rows_held_back_or_judged() -> None:
    held_back = figures(20, 1)
    moved = replace(held_back, inputs=(held_back.inputs[0][:] * 3 + 50,))
    one, other = fitted(valid=held_back), fitted(valid=moved)
    assert same(one, other)  # no patience: nothing is chosen by them
    assert np.array_equal(one._scales[0].mean, other._scales[0].mean)
    before = one.predict_proba(held_back.inputs)
    one.predict_proba(moved.inputs)
    assert np.array_equal(one.predict_proba(held_back.inputs), before)


def test_what_cannot_be_learnt_is_told() -> None:
    rows = figures(12)
    model = NetworkClassifier("feature_cnn", recipe=RECIPE)
    with pytest.raises(NotFitted, match="feature_cnn has not learnt yet"):
        model.predict_proba(rows.inputs)
    with pytest.raises(ModelError, match=r"one class alone cannot be learnt \(low 12, high 0\)"):
        model.fit(replace(rows, labels=np.zeros(12, np.int64)))
    with pytest.raises(ModelError, match="one class alone"):
        model.fit(rows.take([]))
    holed = rows.inputs[0][:].copy()
    holed[7, 3] = np.nan
    with pytest.raises(WrongInput, match=r"eda_features of row 7 \(1 of 12\) holds NaN or infinity"):
        model.fit(replace(rows, inputs=(holed,)))
    with pytest.raises(WrongInput, match=r"takes eda_features \(n, 128\), not \(12, 100\)"):
        model.fit(replace(rows, inputs=(rows.inputs[0][:, :100],)))
    with pytest.raises(ModelError, match=r"rows to validate have classes \('a', 'b'\)"):
        model.fit(rows, replace(rows, classes=("a", "b")))
    with pytest.raises(ModelError, match="the run is lost; take a lower rate"):
        NetworkClassifier("feature_cnn", recipe=replace(RECIPE, rate=1e20)).fit(rows)
    with pytest.raises(ConfigError, match="no recipe for svm"):
        NetworkClassifier("svm")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="there is no device 'cuda' here"):
        NetworkClassifier("feature_cnn", device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_it_learns_the_same_thing() -> None:
    model = NetworkClassifier("feature_cnn", recipe=RECIPE, device="cuda").fit(figures(70))
    judged = figures(60, seed=1)
    assert (model.predict_proba(judged.inputs).argmax(1) == judged.labels).mean() > 0.9


@pytest.mark.parametrize("name", SMALL)
def test_onnxruntime_answers_as_torch_does(name: str, tmp_path: Path) -> None:
    rows = examples(inputs_of(name, 6), [0, 1, 0, 1, 0, 1])
    recipe = replace(RECIPE, epochs=1)
    learnt = NetworkClassifier(name, recipe=recipe, options=SMALL[name]).fit(rows)
    told = {runtime: learnt.predict_proba(rows.inputs, runtime=runtime) for runtime in RUNTIMES}
    assert np.abs(told["onnxruntime"] - told["torch"]).max() < 1e-5
    np.testing.assert_array_equal(learnt.predict_proba(rows.inputs), told["onnxruntime"])


def test_onnxruntime_answers_for_what_was_learnt_last() -> None:
    learnt = fitted()
    inputs = figures(9).inputs
    before = learnt.predict_proba(inputs)
    learnt.fit(figures(70, seed=3), seed=1)
    after = learnt.predict_proba(inputs)
    assert np.abs(after - learnt.predict_proba(inputs, runtime="torch")).max() < 1e-5
    assert np.abs(after - before).max() > 1e-3


def test_without_onnxruntime_torch_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = fitted()
    inputs = figures(9).inputs
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    np.testing.assert_array_equal(learnt.predict_proba(inputs), learnt.predict_proba(inputs, runtime="torch"))
    with pytest.raises(ConfigError, match="onnxruntime cannot be used"):
        learnt.predict_proba(inputs, runtime="onnxruntime")


def test_a_trial_that_is_no_number_is_not_guessed_at() -> None:
    model = fitted()
    rows = figures(3, 1).inputs[0][:].copy()
    assert model.predict_proba((rows[:0],)).shape == (0, 2)
    rows[2] = np.inf
    with pytest.raises(WrongInput, match=r"row 2 \(1 of 3\)"):
        model.predict_proba((rows,))
    with pytest.raises(WrongInput, match="not nothing"):
        model.predict_proba(())


def test_the_card_is_json_without_nan_and_the_weights_no_pickle(tmp_path: Path) -> None:
    model = fitted()
    model.save(tmp_path)

    def refuse(word: str) -> None:
        raise AssertionError(word)

    card = json.loads((tmp_path / CARD).read_text(), parse_constant=refuse)
    assert card["classes"] == ["low", "high"] and len(card["history"]) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == [CARD, WEIGHTS]
    assert NetworkClassifier.load(tmp_path).history[0].loss == model.history[0].loss


def test_options_that_json_cannot_tell_apart_come_back(tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=1, batch=4)
    model = NetworkClassifier("rtcag", recipe=recipe, options={"widths": (8, 8, 8, 8), "ablation": "base"})
    given = examples(inputs_of("rtcag", 4), [0, 1, 0, 1])
    model.fit(given).save(tmp_path)
    again = NetworkClassifier.load(tmp_path)
    assert again.options == model.options
    assert np.array_equal(again.predict_proba(given.inputs), model.predict_proba(given.inputs))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("truncated", "no safetensors file, or cut short"),
        ("empty", "no safetensors file, or cut short"),
        ("pickled", "emolab reads no pickles"),
        ("torch", "emolab reads no pickles"),
        ("another seed's", "not the weights that classifier.json speaks of"),
        ("another model's", "holds weights of another model: "),
        ("no number", r"weights.safetensors holds NaN or infinity in network\..*train the model again"),
        ("no number in a scaling", r"holds NaN or infinity in scale\.0\.sd"),
        ("gone", "weights.safetensors is not there"),
        ("no card", "holds no classifier"),
        ("no JSON", "is no card"),
        ("another card", "no card of a network"),
        ("card without recipe", "holds no classifier of this version"),
        ("card of an unknown model", "no recipe|unknown model|holds no classifier"),
    ],
)
def test_other_weights_and_cards_are_refused(tmp_path: Path, harm: str, said: str) -> None:
    fitted().save(tmp_path)
    card, weights = tmp_path / CARD, tmp_path / WEIGHTS
    content = weights.read_bytes()
    told = json.loads(card.read_text())
    if harm == "truncated":
        weights.write_bytes(content[:-10])
    elif harm == "empty":
        weights.write_bytes(b"")
    elif harm == "pickled":
        weights.write_bytes(pickle.dumps({"network": print}))
    elif harm == "torch":
        torch.save({"network": torch.zeros(3)}, weights)
    elif harm == "another seed's":
        fitted(seed=1).save(tmp_path)
        card.write_text(json.dumps(told))
    elif harm == "another model's":
        given = examples(inputs_of("rtcag", 4), [0, 1, 0, 1])
        NetworkClassifier("rtcag", recipe=replace(RECIPE, epochs=1)).fit(given).save(tmp_path)
        now = json.loads(card.read_text())
        card.write_text(json.dumps({**told, "weights_sha256": now["weights_sha256"]}))
    elif harm.startswith("no number"):
        tensors = load_file(weights)
        learnt = [name for name, value in tensors.items() if name[:8] == "network." and value.dim()]
        spoilt = "scale.0.sd" if "scaling" in harm else learnt[0]
        tensors[spoilt].view(-1)[0] = torch.inf if "scaling" in harm else torch.nan
        save_file(tensors, weights)
        now = hashlib.sha256(weights.read_bytes()).hexdigest()
        card.write_text(json.dumps({**told, "weights_sha256": now}))
    elif harm == "gone":
        weights.unlink()
    elif harm == "no card":
        card.unlink()
    elif harm == "no JSON":
        card.write_text("{")
    elif harm == "another card":
        card.write_text(json.dumps({**told, "kind": "svm"}))
    elif harm == "card without recipe":
        card.write_text(json.dumps({**told, "recipe": {"rate": 1}}))
    else:
        card.write_text(json.dumps({**told, "name": "os:system"}))
    with pytest.raises((ModelError, ConfigError), match=said):
        NetworkClassifier.load(tmp_path)
    if harm in ("gone", "no card", "another seed's"):
        with pytest.raises(NoWeights):
            NetworkClassifier.load(tmp_path)
