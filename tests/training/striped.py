"""Faces that are easy to learn, a network that learns them in no time, and a run to be killed.

`python -m tests.training.striped FOLDER EPOCHS` trains it in FOLDER and prints a line per epoch.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from emolab.datasets.fer2013 import Faces
from emolab.faces.networks import Small
from emolab.training.augment import Views
from emolab.training.fit import Recipe, fit

RECIPE = Recipe("small", epochs=6, rate=0.1, batch=16, half=False, average=0.9, views=Views(hidden=0.1))


def striped(n: int, seed: int = 0) -> Faces:
    """Class k has k + 1 bright lines across noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.uint8) % 7
    pictures = random.integers(40, 90, (n, 48, 48))
    for picture, label in zip(pictures, labels, strict=True):
        picture[4 : 4 + 6 * (int(label) + 1) : 6] += 120
    return Faces(pictures.astype(np.uint8), labels)


def tiny() -> Small:
    """A network of some thousand numbers."""
    return Small(widths=((8,), (16,)))


if __name__ == "__main__":
    torch.set_num_threads(1)
    fit(
        tiny,
        RECIPE,
        striped(112),
        striped(35, 1),
        Path(sys.argv[1]),
        tell=lambda line: print(line, flush=True),
    )
