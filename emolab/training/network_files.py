"""A classifier in a folder: a card in JSON, and weights in safetensors whose checksum the card knows."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

import emolab
from emolab.core.disk import sync_folder
from emolab.core.errors import ModelError, NoWeights
from emolab.models.classifier import CARD, WEIGHTS

FORMAT = 1
MOST_BYTES = 16 << 20  # of a card: a history of a thousand epochs is 200 kB


def write(folder: Path, card: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """The weights first, then the card that names them; both appear at once and whole, on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f"{WEIGHTS}.part"
    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    half.write_bytes(save(whole))  # `save_file` heeds no umask
    told = {
        "format": FORMAT,
        **card,
        "weights_sha256": _sha256(half),
        "emolab": emolab.__version__,
        "torch": str(torch.__version__),
    }
    text = json.dumps(told, indent=1, default=str)
    half_card = folder / f"{CARD}.part"
    half_card.write_text(text + "\n", encoding="utf-8")
    for one in (half, half_card):
        with one.open("rb+") as file:
            os.fsync(file.fileno())
    half.replace(folder / WEIGHTS)
    half_card.replace(folder / CARD)
    sync_folder(folder)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Card and tensors. Raises `NoWeights` for none or others; `ModelError` for damaged, a pickle, NaN."""
    place, weights = folder / CARD, folder / WEIGHTS
    try:
        if place.stat().st_size > MOST_BYTES:
            raise ModelError(f"{place} is too large to be a card; train the model again")
        card = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoWeights(f"{folder} holds no classifier: {CARD} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ModelError(f"{place} is no card ({error}); train the model again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or card.get("kind") != "network":
        raise ModelError(f"{place} is no card of a network of this version of emolab; train it again")
    try:
        with safe_open(weights, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise NoWeights(f"{weights} is not there; copy it beside its card, or train again") from error
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(
            f"{weights} is no safetensors file, or cut short ({error}); emolab reads no pickles: "
            "copy it again, or train again"
        ) from error
    if _sha256(weights) != card.get("weights_sha256"):
        raise NoWeights(f"{weights} are not the weights that {CARD} speaks of; copy both again")
    for name, value in sorted(tensors.items()):
        if not torch.isfinite(value).all():
            raise ModelError(f"{weights} holds NaN or infinity in {name}; train the model again")
    return card, tensors


def fill(network: nn.Module, tensors: Mapping[str, Tensor], prefix: str, folder: Path) -> None:
    """Put weights into a network. Raises `ModelError` naming the first that is of another model."""
    given = {name.removeprefix(prefix): value for name, value in tensors.items()}
    wanted = network.state_dict()
    for name in sorted(given.keys() | wanted.keys()):
        shapes = [tuple(held[name].shape) if name in held else None for held in (given, wanted)]
        if shapes[0] != shapes[1]:
            raise ModelError(
                f"{folder / WEIGHTS} holds weights of another model: {name} is {shapes[0]}, not {shapes[1]}"
            )
    network.load_state_dict(given)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
