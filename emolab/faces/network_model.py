"""A network with its weights and card, as an expression model (see `fer.ExpressionModel`).

What is averaged at test time is said by the card: `one` is the whole face, `flip` the face and its mirror
image, `ten-crop` four corners and the middle at the network's side, each with its mirror image. Logits are
averaged, divided by the card's temperature, and put through the softmax.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import MissingExtra, ModelError
from emolab.faces.card import Card
from emolab.faces.fer import CLASSES, checked_faces

try:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from torch import Tensor, nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval
except ImportError as error:
    raise MissingExtra(
        f"expression models need torch and safetensors ({error}); pip install 'emolab[faces]'"
    ) from error

from emolab.faces.networks import NETWORKS

VIEWS = ("one", "flip", "ten-crop")
BATCH = 128


class NetworkModel:
    """An expression model out of `NETWORKS`; made by `fer.load`."""

    def __init__(self, card: Card, weights: Path) -> None:
        if card.network not in NETWORKS or card.classes != CLASSES or card.views not in VIEWS:
            raise ModelError(
                f"the card of {weights} asks for network {card.network!r}, views {card.views!r} and classes "
                f"{list(card.classes)}; known are {', '.join(NETWORKS)}, {', '.join(VIEWS)}, {list(CLASSES)}"
            )
        network = NETWORKS[card.network]()
        try:
            network.load_state_dict({name: value.float() for name, value in load_file(weights).items()})
        except (RuntimeError, SafetensorError) as error:
            raise ModelError(f"{weights} holds no {card.network} network: {error}; copy it again") from error
        self.card = card
        self._side_px = int(network.side_px)  # type: ignore[arg-type]
        self._network = fused(network).to(memory_format=torch.channels_last)

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`faces`: `(n, 48, 48)` uint8 grey. Returns `(n, 7)` calibrated probabilities."""
        checked_faces(faces)
        if not len(faces):
            return np.empty((0, len(CLASSES)), np.float32)
        laid = np.require(faces, requirements=["C", "W"])  # torch takes no mirrored views, nor read-only ones
        with torch.inference_mode():
            logits = torch.cat(
                [
                    averaged_logits(
                        self._network, torch.from_numpy(laid[k : k + BATCH]), self.card.views, self._side_px
                    )
                    for k in range(0, len(laid), BATCH)
                ]
            )
            found: NDArray[np.float32] = torch.softmax(logits / self.card.temperature, 1).numpy()
        return found


def averaged_logits(network: nn.Module, faces: Tensor, views: str, side_px: int) -> Tensor:
    """Logits `(n, 7)` of uint8 `faces` `(n, 48, 48)`, averaged over the views of one, flip or ten-crop."""
    pictures = seen(faces.unsqueeze(1).float().div(255), views, side_px)
    count, n = pictures.shape[:2]
    flat = pictures.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    return network(flat).float().view(count, n, -1).mean(0)


def seen(pictures: Tensor, views: str, side_px: int) -> Tensor:
    """`(n, 1, 48, 48)` → `(views, n, 1, side, side)`."""
    room = pictures.shape[-1] - side_px
    half = room // 2
    corners = (
        [(half, half)] if views != "ten-crop" else [(0, 0), (0, room), (room, 0), (room, room), (half, half)]
    )
    crops = [pictures[:, :, top : top + side_px, left : left + side_px] for top, left in corners]
    mirrored = [] if views == "one" else [crop.flip(3) for crop in crops]
    return torch.stack(crops + mirrored)


def fused(network: nn.Module) -> nn.Module:
    """`network` for judging: in evaluation mode, each normalisation folded into the convolution before it."""
    network.eval()
    for part in network.modules():
        if not isinstance(part, nn.Sequential):
            continue
        for k in range(len(part) - 1):
            convolution, normalisation = part[k], part[k + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d):
                part[k] = fuse_conv_bn_eval(convolution, normalisation)
                part[k + 1] = nn.Identity()
    return network
