"""An ONNX file judges as its card says, in onnxruntime as in OpenCV; a card that does not fit is told.

The files are written here byte by byte (protocol buffers, ONNX's own format): a flattening and one product.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.core.errors import ModelError
from emolab.faces import card as cards
from emolab.faces.card import sha256_of
from emolab.faces.fer import CLASSES, load
from emolab.faces.onnx_model import OnnxModel

NAMES = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"]
FLOAT = 1


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def node(kind: str, inputs: list[str], output: str) -> bytes:
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind)


def described(name: str, shape: list[int]) -> bytes:
    dimensions = b"".join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dimensions)))


def tensor(name: str, values: np.ndarray) -> bytes:
    dimensions = b"".join(field(1, side) for side in values.shape)
    return dimensions + field(2, FLOAT) + field(8, name) + field(9, values.astype("<f4").tobytes())


def write_onnx(path: Path, matrix: np.ndarray, shape: list[int]) -> None:
    """`picture` of `shape` → flattened → times `matrix` → `logits`."""
    graph = (
        field(1, node("Flatten", ["picture"], "flat"))
        + field(1, node("MatMul", ["flat", "matrix"], "logits"))
        + field(2, "g")
        + field(5, tensor("matrix", matrix))
        + field(11, described("picture", shape))
        + field(12, described("logits", [1, matrix.shape[1]]))
    )
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 13)))


def write_model(folder: Path, matrix: np.ndarray, classes: list[str], **wanted: Any) -> Path:
    asked = {"side_px": 48, "output": "logits", "factor": 1 / 255, **wanted}
    channels, side = asked.get("channels", 1), asked["side_px"]
    shape = [1, side, side, channels] if asked.get("layout") == "NHWC" else [1, channels, side, side]
    path = folder / "theirs.onnx"
    write_onnx(path, matrix, shape)
    facts = {
        "name": "theirs",
        "network": "onnx",
        "weights": path.name,
        "weights_sha256": sha256_of(path),
        "classes": classes,
        "input": asked,
    }
    path.with_suffix(".json").write_text(json.dumps(facts))
    return path


def faces(n: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 48, 48), np.uint8)


def matrix_of(columns: int, side_px: int = 48, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.05, (side_px * side_px * channels, columns))


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_its_own_order_and_names_of_classes_become_ours(tmp_path: Path) -> None:
    matrix = matrix_of(7)
    found = load(write_model(tmp_path, matrix, NAMES)).probabilities(faces())
    theirs = softmax(faces().reshape(3, -1) / 255 @ matrix)
    ours = [
        ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"].index(n) for n in NAMES
    ]
    np.testing.assert_allclose(found[:, ours], theirs, atol=1e-4)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


def test_opencv_says_the_same_as_onnxruntime(tmp_path: Path) -> None:
    path = write_model(tmp_path, matrix_of(7), NAMES)
    card, weights = cards.checked(path.with_suffix(".json"))
    one, other = (OnnxModel(card, weights, runtime) for runtime in ("onnxruntime", "opencv"))
    np.testing.assert_allclose(one.probabilities(faces()), other.probabilities(faces()), atol=1e-4)


def test_scaling_channels_and_layout_are_those_of_the_card(tmp_path: Path) -> None:
    matrix = matrix_of(7, channels=3)
    path = write_model(
        tmp_path, matrix, list(CLASSES), channels=3, layout="NHWC", factor=[0.01, 0.02, 0.03], offset=-1.0
    )
    pictures = faces()[..., None] * np.array([0.01, 0.02, 0.03]) - 1.0
    expected = softmax(pictures.reshape(3, -1) @ matrix)
    np.testing.assert_allclose(load(path).probabilities(faces()), expected, atol=1e-4)


def test_faces_are_resized_to_the_side_the_file_takes(tmp_path: Path) -> None:
    model = load(write_model(tmp_path, matrix_of(7, side_px=64), list(CLASSES), side_px=64))
    assert model.probabilities(faces()).shape == (3, 7)


def test_what_is_left_out_must_be_a_list(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="left_out: a list of words"):
        load(write_model(tmp_path, np.eye(7, 48 * 48, dtype=np.float32).T, [*CLASSES], left_out=None))


def test_a_class_that_is_not_ours_is_left_out_and_its_share_divided(tmp_path: Path) -> None:
    matrix = matrix_of(8)
    model = load(write_model(tmp_path, matrix, [*CLASSES, "contempt"], left_out=["contempt"]))
    expected = softmax((faces().reshape(3, -1) / 255 @ matrix)[:, :7])
    np.testing.assert_allclose(model.probabilities(faces()), expected, atol=1e-4)


def test_probabilities_that_come_out_are_taken_as_they_are(tmp_path: Path) -> None:
    matrix = np.tile(np.arange(1, 8), (48 * 48, 1)) / 28 / (48 * 48)  # of a white face: 1/28, 2/28, …
    model = load(write_model(tmp_path, matrix, list(CLASSES), output="probabilities"))
    white = np.full((1, 48, 48), 255, np.uint8)
    np.testing.assert_allclose(model.probabilities(white)[0], np.arange(1, 8) / 28, atol=1e-5)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"side_px": 0}, "side_px"),
        ({"channels": 2}, "channels"),
        ({"layout": "CHW"}, "layout"),
        ({"output": "scores"}, "output"),
        ({"factor": [1.0, 2.0]}, "one per channel"),
        ({"factor": "1"}, "one per channel"),
        ({"mean": 3}, "mean"),
    ],
)
def test_a_card_that_does_not_say_how_is_told(tmp_path: Path, wanted: dict[str, Any], said: str) -> None:
    path = write_model(tmp_path, matrix_of(7), NAMES)
    facts = json.loads(path.with_suffix(".json").read_text())
    facts["input"].update(wanted)
    path.with_suffix(".json").write_text(json.dumps(facts))
    with pytest.raises(ModelError, match=said):
        load(path)


def test_classes_that_are_not_ours_or_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="left_out"):
        load(write_model(tmp_path, matrix_of(8), [*CLASSES, "contempt"]))
    with pytest.raises(ModelError, match="once each"):
        load(write_model(tmp_path, matrix_of(7), ["happy"] * 7))


def test_a_file_with_another_number_of_outputs_or_another_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mend the card"):
        load(write_model(tmp_path, matrix_of(5), NAMES))
    path = write_model(tmp_path, matrix_of(7), NAMES)
    facts = json.loads(path.with_suffix(".json").read_text())
    facts["input"]["side_px"] = 64
    path.with_suffix(".json").write_text(json.dumps(facts))
    with pytest.raises(ModelError, match="does not take"):
        load(path)


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
def test_a_file_that_is_no_onnx_is_told(tmp_path: Path, runtime: str) -> None:
    path = write_model(tmp_path, matrix_of(7), NAMES)
    path.write_bytes(b"no network")
    facts = json.loads(path.with_suffix(".json").read_text()) | {"weights_sha256": sha256_of(path)}
    path.with_suffix(".json").write_text(json.dumps(facts))
    card, weights = cards.checked(path.with_suffix(".json"))
    with pytest.raises(ModelError, match="cannot be opened"):
        OnnxModel(card, weights, runtime)
