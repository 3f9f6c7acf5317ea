"""Somebody's ONNX file as an expression model: the card beside it says what goes in and what comes out.

`ferplus.onnx` needs `ferplus.json`, a card (see `card`) whose `network` is "onnx" and whose `input` says:

    {"side_px": 64, "channels": 1, "layout": "NCHW", "factor": 1.0, "offset": 0.0, "output": "logits"}

Grey values g from 0 to 255 go in as `g * factor + offset` (a number, or one per channel), faces of 48 px
resized to `side_px`; three channels repeat the grey. `classes` are the file's own, in its own order, under
our names or those in `ALIASES`; one that is not ours (FER+'s contempt) is named in `left_out`, and its
probability is shared out. The file runs in onnxruntime, or in OpenCV's dnn where that is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ModelError
from emolab.faces.card import Card
from emolab.faces.fer import CLASSES, SIDE_PX, checked_faces

ALIASES = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
_KNOWN = {"side_px", "channels", "layout", "factor", "offset", "output", "left_out"}
Run = Callable[[NDArray[np.float32]], NDArray[Any]]


class OnnxModel:
    """An expression model out of an ONNX file and its card; made by `fer.load`.

    Raises `ModelError` when the card does not fit the file: the file is asked about one face first.
    """

    def __init__(self, card: Card, weights: Path, runtime: str | None = None) -> None:
        self.card = card
        self._place = weights
        self._input = _checked_input(card, weights)
        self._columns = _columns(card, self._input, weights)
        self._run = _opened(weights, runtime)
        self.probabilities(np.full((1, SIDE_PX, SIDE_PX), 128, np.uint8))

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`faces`: `(n, 48, 48)` uint8 grey. Returns `(n, 7)` calibrated probabilities, as in `CLASSES`."""
        checked_faces(faces)
        if not len(faces):
            return np.empty((0, len(CLASSES)), np.float32)
        # one face at a time: many files fix the size of their batch at 1
        found = np.concatenate([self._one(face) for face in faces])[:, self._columns]
        with np.errstate(divide="ignore"):
            logits = found if self._input["output"] == "logits" else np.log(np.maximum(found, 1e-12))
        logits = logits / self.card.temperature
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return (powers / powers.sum(1, keepdims=True)).astype(np.float32)

    def _one(self, face: NDArray[np.uint8]) -> NDArray[np.float64]:
        wanted = self._input
        side = wanted["side_px"]
        grey = face if side == SIDE_PX else cv2.resize(face, (side, side), interpolation=cv2.INTER_LINEAR)
        channels = np.repeat(grey[None].astype(np.float32), wanted["channels"], 0)
        column = (-1, 1, 1)
        picture = channels * np.reshape(wanted["factor"], column) + np.reshape(wanted["offset"], column)
        if wanted["layout"] == "NHWC":
            picture = picture.transpose(1, 2, 0)
        try:
            out = np.asarray(self._run(np.ascontiguousarray(picture[None], np.float32)), np.float64)
        except Exception as error:  # the runtimes raise their own kinds, down to RuntimeError and cv2.error
            raise ModelError(
                f"{self._place} does not take {picture[None].shape}: {error}; see its card"
            ) from error
        if out.size != len(self.card.classes) or not np.isfinite(out).all():
            raise ModelError(
                f"{self._place} gives {out.shape}, not a finite number for each of {len(self.card.classes)} "
                f"classes on its card, {list(self.card.classes)}; mend the card"
            )
        return out.reshape(1, -1)


def _checked_input(card: Card, weights: Path) -> dict[str, Any]:
    """The card's `input` with what it leaves unsaid; `ModelError` names what cannot be."""
    given: Mapping[str, Any] = card.input
    wanted: dict[str, Any] = {
        "channels": 1,
        "layout": "NCHW",
        "factor": 1.0,
        "offset": 0.0,
        "left_out": [],
        **given,
    }
    wrong = [
        card.network != "onnx" and f"network {card.network!r} instead of 'onnx'",
        set(given) - _KNOWN and f"unknown keys {sorted(set(given) - _KNOWN)}",
        not (type(wanted.get("side_px")) is int and 8 <= wanted["side_px"] <= 1024)
        and "side_px from 8 to 1024",
        wanted["channels"] not in (1, 3) and "channels 1 or 3",
        wanted["layout"] not in ("NCHW", "NHWC") and "layout 'NCHW' or 'NHWC'",
        wanted.get("output") not in ("logits", "probabilities") and "output 'logits' or 'probabilities'",
        not (isinstance(left := wanted["left_out"], list) and all(isinstance(one, str) for one in left))
        and "left_out: a list of words",
        not all(_fits(wanted[key], wanted["channels"]) for key in ("factor", "offset"))
        and "factor and offset: a number, or one per channel",
    ]
    if told := [str(fault) for fault in wrong if fault]:
        raise ModelError(f"the card of {weights} does not say how to use it: {'; '.join(told)}")
    return wanted


def _fits(value: object, channels: int) -> bool:
    values = value if isinstance(value, list) else [value]
    return len(values) in (1, channels) and all(type(number) in (int, float) for number in values)


def _columns(card: Card, wanted: Mapping[str, Any], weights: Path) -> list[int]:
    """Where each of our classes is among the file's."""
    named = [ALIASES.get(name.lower(), name.lower()) for name in card.classes]
    kept = [name for name in named if name not in wanted["left_out"]]
    if sorted(kept) != sorted(CLASSES):
        raise ModelError(
            f"the card of {weights} has classes {list(card.classes)}; needed are {list(CLASSES)} once each, "
            "in the file's order, and others named in input.left_out"
        )
    return [named.index(name) for name in CLASSES]


def _opened(weights: Path, runtime: str | None) -> Run:
    """What runs the file: `runtime` "onnxruntime" or "opencv", None takes the first there is."""
    if runtime != "opencv":
        try:
            import onnxruntime
        except ImportError:
            if runtime == "onnxruntime":
                raise
        else:
            return _in_onnxruntime(onnxruntime, weights)
    try:
        net = cv2.dnn.readNetFromONNX(str(weights))
    except cv2.error as error:
        raise ModelError(f"{weights} cannot be opened by OpenCV: {error}; install onnxruntime") from error

    def run(picture: NDArray[np.float32]) -> NDArray[Any]:
        net.setInput(picture)
        return np.asarray(net.forward())

    return run


def _in_onnxruntime(onnxruntime: Any, weights: Path) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds, none of them public
        raise ModelError(f"{weights} cannot be opened by onnxruntime: {error}; get the file again") from error
    name = session.get_inputs()[0].name

    def run(picture: NDArray[np.float32]) -> NDArray[Any]:
        return np.asarray(session.run(None, {name: picture})[0])

    return run
