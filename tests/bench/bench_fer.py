"""Our expression weights beside mini_XCEPTION, on the same faces in one run.

    python -m tests.bench.bench_fer --data FER2013 --peer fer2013_mini_XCEPTION.102-0.66.hdf5 [--private]
                                    [--model small | PATH.safetensors]

The peer is oarriaga/face_classification @ b861d21, `trained_models/emotion_models/`; its network is rebuilt
here from what its own file says of it (Arriaga et al. 2017, arXiv:1710.07557). That its known accuracy on
the private set, 65.87 %, comes out shows that faces, classes and counting are right; if not, exit code 1.
Without `--private` only the public set is used. One thread; faces per second are those of this machine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from emolab.core.errors import EmolabError
from emolab.datasets.fer2013 import Faces, Fer2013
from emolab.faces.fer import load
from emolab.training.fer import both

PEER_PRIVATE = 0.6587  # its authors' weights run by Keras
PEER_PUBLIC = 0.6523
KERAS_EPSILON = 1e-3


class MiniXception:
    """mini_XCEPTION: two convolutions, four blocks of separable ones with a shortcut, a mean over places."""

    def __init__(self, file: Path) -> None:
        self._numbers: dict[str, Tensor] = {}
        with h5py.File(file, "r") as stored:

            def take(name: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset):
                    layer, _, kind = name.split("/")
                    self._numbers[f"{layer}/{kind.removesuffix(':0')}"] = torch.from_numpy(item[()])

            stored["model_weights"].visititems(take)

    def probabilities(self, faces: np.ndarray) -> np.ndarray:
        """`(n, 48, 48)` uint8 → `(n, 7)`."""
        large = np.stack([cv2.resize(face, (64, 64)) for face in faces]).astype(np.float32)
        with torch.inference_mode():
            parts = torch.from_numpy((large / 255 - 0.5) * 2).unsqueeze(1).split(128)
            return torch.cat([self._judged(part) for part in parts]).numpy()

    def _judged(self, maps: Tensor) -> Tensor:
        for k in (1, 2):
            maps = self._normal(functional.conv2d(maps, self._kernel(f"conv2d_{k}")), k).relu()
        for block in range(4):
            shortcut = functional.conv2d(maps, self._kernel(f"conv2d_{block + 3}"), stride=2)
            first, norm = 2 * block + 1, 3 * block + 3
            maps = self._normal(self._separable(maps, first), norm + 1).relu()
            maps = self._normal(self._separable(maps, first + 1), norm + 2)
            before = maps.shape[-1] % 2  # Keras pads "same" with more behind than before
            maps = functional.pad(maps, (before, 1, before, 1), value=-torch.inf)
            maps = functional.max_pool2d(maps, 3, 2) + self._normal(shortcut, norm)
        maps = functional.conv2d(maps, self._kernel("conv2d_7"), self._numbers["conv2d_7/bias"], padding=1)
        return maps.mean((2, 3)).softmax(1)

    def _kernel(self, layer: str, kind: str = "kernel") -> Tensor:
        return self._numbers[f"{layer}/{kind}"].permute(3, 2, 0, 1)

    def _separable(self, maps: Tensor, k: int) -> Tensor:
        deep = self._kernel(f"separable_conv2d_{k}", "depthwise_kernel").transpose(0, 1)
        maps = functional.conv2d(maps, deep, padding=1, groups=len(deep))
        return functional.conv2d(maps, self._kernel(f"separable_conv2d_{k}", "pointwise_kernel"))

    def _normal(self, maps: Tensor, k: int) -> Tensor:
        mean, variance, gain, shift = (
            self._numbers[f"batch_normalization_{k}/{kind}"]
            for kind in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return functional.batch_norm(maps, mean, variance, gain, shift, eps=KERAS_EPSILON)


def judged(
    name: str, probabilities: Callable[[np.ndarray], np.ndarray], faces: Faces, train: Faces
) -> dict[str, Any]:
    """Figures and faces per second, printed as a line."""
    probabilities(faces.pictures[:128])
    begun_s = time.perf_counter()
    found = both(probabilities(faces.pictures), faces, train)
    found["faces_per_s"] = round(len(faces) / (time.perf_counter() - begun_s))
    low, high = found["accuracy_95"]
    print(
        f"{name:24} {found['accuracy']:7.2%} ({low:.1%} to {high:.1%})  "
        f"unseen {found['unseen']['accuracy']:.2%}  "
        f"three {found['three']['accuracy']:.2%}  macro F1 {found['macro_f1']:.3f}  "
        f"calibration error {found['ece']:.3f}  {found['faces_per_s']} faces/s",
        flush=True,
    )
    return found


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, required=True)
    cli.add_argument("--peer", type=Path, required=True)
    cli.add_argument("--model", default="small")
    cli.add_argument("--private", action="store_true")
    cli.add_argument("--cache", type=Path)
    cli.add_argument("--out", type=Path, help="figures as JSON")
    options = cli.parse_args()
    torch.set_num_threads(1)
    corpus = Fer2013(options.data, options.cache)
    peer = MiniXception(options.peer)
    try:
        ours = load(options.model)
    except EmolabError as error:
        print(error)
        ours = None
    result: dict[str, Any] = {}
    for split, known in (("public", PEER_PUBLIC), ("private", PEER_PRIVATE)):
        if split == "private" and not options.private:
            continue
        faces, train = corpus.faces(split), corpus.faces("train")
        result[split] = {
            "peer": judged(f"mini_XCEPTION {split}", peer.probabilities, faces, train),
            "known": known,
        }
        if ours:
            result[split]["ours"] = judged(f"{ours.card.name} {split}", ours.probabilities, faces, train)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2))
    far = [
        split for split, found in result.items() if abs(found["peer"]["accuracy"] - found["known"]) > 0.001
    ]
    if far:
        print(f"the peer's known accuracy does not come out on {far}: the faces or this script are wrong")
    return 1 if far else 0


if __name__ == "__main__":
    raise SystemExit(main())
