"""A model is found with its card and no other, or there is none, and that is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from emolab.core.errors import ConfigError, ModelError, WrongInput
from emolab.faces import card as cards
from emolab.faces.card import Card, sha256_of
from emolab.faces.fer import CLASSES, GROUP_OF, GROUPS, ExpressionModel, NoWeights, load
from emolab.faces.networks import Small


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an untrained small network and its card."""
    torch.manual_seed(0)
    save_file(Small().state_dict(), tmp_path / "small.safetensors")
    digest = sha256_of(tmp_path / "small.safetensors")
    card = Card("small", "small", "small.safetensors", digest, CLASSES, temperature=1.5, views="flip")
    cards.write(card, tmp_path / "small.json")
    return tmp_path


def some_faces(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 48, 48), np.uint8)


def alter(path: Path, **facts: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_a_model_gives_each_face_probabilities_of_seven_classes(folder: Path) -> None:
    model = load("small", [folder])
    assert isinstance(model, ExpressionModel)
    found = model.probabilities(some_faces(130))  # more than go through at once
    assert found.shape == (130, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(model.probabilities(some_faces(130)[128:]), found[128:], atol=1e-5)
    assert model.probabilities(some_faces(0)).shape == (0, 7)
    assert model.card.weights_sha256 == sha256_of(folder / "small.safetensors")


def test_it_is_found_by_path_too(folder: Path) -> None:
    by_path = load(folder / "small.safetensors").probabilities(some_faces(2))
    assert np.array_equal(by_path, load("small", [folder]).probabilities(some_faces(2)))


def test_a_mirrored_face_gets_the_same_answer(folder: Path) -> None:
    model, faces = load("small", [folder]), some_faces(3)
    mirrored = np.ascontiguousarray(faces[:, :, ::-1])
    np.testing.assert_allclose(model.probabilities(faces), model.probabilities(mirrored), atol=1e-6)


def test_a_higher_temperature_is_less_sure(folder: Path) -> None:
    sure = load("small", [folder]).probabilities(some_faces(3)).max()
    alter(folder / "small.json", temperature=3.0)
    assert load("small", [folder]).probabilities(some_faces(3)).max() < sure


def test_without_weights_the_error_says_where_was_looked_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoWeights, match=r"vgg19.*emolab train fer --model vgg19") as caught:
        load("vgg19", [tmp_path])
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(NoWeights, match="no model file"):
        load(tmp_path / "gone.onnx")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="small, vgg19"):
        load("vgg16")


def test_other_weights_than_the_card_speaks_of_are_not_used(folder: Path) -> None:
    with (folder / "small.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(NoWeights, match="not the weights"):
        load("small", [folder])


def test_a_card_copied_from_other_weights_leads_to_none(folder: Path) -> None:
    (folder / "other.safetensors").write_bytes(b"other weights")
    (folder / "other.json").write_bytes((folder / "small.json").read_bytes())
    with pytest.raises(
        NoWeights, match=r"other\.json speaks of weights 'small\.safetensors', not of other\."
    ):
        load(folder / "other.safetensors")


def test_a_card_that_an_editor_saved_with_a_mark_is_read(folder: Path) -> None:
    (folder / "small.json").write_bytes(b"\xef\xbb\xbf" + (folder / "small.json").read_bytes())
    assert load("small", [folder]).card.name == "small"


@pytest.mark.parametrize("kind", ["mirrored", "read-only", "every other"])
def test_faces_may_lie_in_memory_as_they_like(folder: Path, kind: str) -> None:
    faces = some_faces(4)
    faces.flags.writeable = kind != "read-only"
    laid = {"mirrored": faces[:, :, ::-1], "read-only": faces, "every other": faces[::2]}[kind]
    model = load("small", [folder])
    assert np.array_equal(model.probabilities(laid), model.probabilities(laid.copy()))


def test_weights_without_card_are_not_used(folder: Path) -> None:
    (folder / "small.json").unlink()
    with pytest.raises(NoWeights, match="card"):
        load("small", [folder])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"name": 1', '{"name": "small", "other": 2}', "[" * 200_000], ids=range(6)
)
def test_a_broken_card_is_told(folder: Path, text: str) -> None:
    (folder / "small.json").write_text(text)
    with pytest.raises(ModelError, match="no model card"):
        load("small", [folder])


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"temperature": 0}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"network": "large"}, "large"),
        ({"network": "vgg19"}, "no vgg19 network"),
        ({"classes": ["happy"]}, "happy"),
        ({"weights": "../small.safetensors"}, "not beside"),
        ({"weights": 3}, "no model card: 'weights'"),
        ({"network": ["small"]}, "no model card: 'network'"),
        ({"classes": 7}, "no model card: 'classes'"),
        ({"classes": [1, 2]}, "no model card: 'classes'"),
        ({"limits": None}, "no model card: 'limits'"),
        ({"input": None}, "no model card: 'input'"),
    ],
)
def test_a_card_that_cannot_be_is_told(folder: Path, facts: dict[str, object], said: str) -> None:
    alter(folder / "small.json", **facts)
    with pytest.raises(ModelError, match=said):
        load("small", [folder])


@pytest.mark.parametrize(
    "faces", [np.zeros((48, 48), np.uint8), np.zeros((1, 44, 44), np.uint8), np.zeros((1, 48, 48))]
)
def test_faces_of_another_shape_are_refused(folder: Path, faces: np.ndarray) -> None:
    with pytest.raises(WrongInput, match="48"):
        load("small", [folder]).probabilities(faces)


def test_every_class_is_in_a_group() -> None:
    assert set(GROUP_OF) == set(CLASSES)
    assert set(GROUP_OF.values()) == set(GROUPS)


def test_what_ships_can_be_loaded_or_is_not_there() -> None:
    """The shipped weights, once there are some, belong to their card and are no larger than promised."""
    weights = Path(cards.__file__).parent / "weights" / "small.safetensors"
    if not weights.is_file():
        with pytest.raises(NoWeights):
            load("small", [weights.parent])
        return
    assert weights.stat().st_size <= 5_000_000
    card = load("small", [weights.parent]).card
    assert card.data["licence"]
    assert card.limits
    assert {"accuracy", "per_class", "three", "confusion", "ece"} <= card.figures["public"].keys()
