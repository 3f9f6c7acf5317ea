"""New views of grey faces, a whole batch at a time: moved, turned, scaled, mirrored, dimmed, part hidden.

Everything is one affine resampling and a few products per batch, on whatever device the faces are; drawing
per face would cost more than the network does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Views:
    """How far new views go. `crop_px`: side of what comes out, cut anywhere out of 48 px.

    `turn_deg`, `scale`: largest rotation and relative change of size. `light`: largest relative change of
    contrast and of brightness. `hidden`: side of the hidden square as a part of the crop, at most.
    """

    crop_px: int = 44
    turn_deg: float = 12.0
    scale: float = 0.12
    light: float = 0.25
    hidden: float = 0.4
    mirror: bool = True


PLAIN_CROP = Views(turn_deg=0, scale=0, light=0, hidden=0)  # specification 1b: cut and mirrored only


def augmented(faces: Tensor, views: Views, generator: torch.Generator) -> Tensor:
    """`faces` `(n, 48, 48)` uint8 → `(n, 1, crop_px, crop_px)` float32 from 0 to 1, each another view.

    The crop stays inside the picture where nothing is turned or scaled; what a turned or scaled one sees
    beyond the edge repeats the edge.
    """
    n, height, _ = faces.shape
    pictures = faces.unsqueeze(1).float().div_(255)
    random = torch.rand((n, 9), generator=generator).to(faces.device)
    signed = random * 2 - 1
    if views.turn_deg or views.scale:
        pictures = _resampled(pictures, signed, views)
    else:
        pictures = _cropped(pictures, random, views.crop_px, height)
    if views.mirror:
        pictures = torch.where((random[:, 4] < 0.5).view(n, 1, 1, 1), pictures.flip(3), pictures)
    if views.light:
        contrast = (1 + views.light * signed[:, 5]).view(n, 1, 1, 1)
        brightness = (views.light * signed[:, 6]).view(n, 1, 1, 1)
        pictures = ((pictures - 0.5) * contrast + 0.5 + brightness).clamp_(0, 1)
    if views.hidden:
        pictures = _part_hidden(pictures, random, views.hidden)
    return pictures


def _resampled(pictures: Tensor, signed: Tensor, views: Views) -> Tensor:
    n, _, height, _ = pictures.shape
    angle = signed[:, 0] * math.radians(views.turn_deg)
    zoom = torch.exp(signed[:, 1] * math.log1p(views.scale)) * (views.crop_px / height)
    room = 1 - views.crop_px / height  # what random crops have: half the difference to each side
    rows = torch.stack(
        [
            torch.stack([zoom * angle.cos(), -zoom * angle.sin(), signed[:, 2] * room], 1),
            torch.stack([zoom * angle.sin(), zoom * angle.cos(), signed[:, 3] * room], 1),
        ],
        1,
    )
    grid = functional.affine_grid(rows, [n, 1, views.crop_px, views.crop_px], align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _cropped(pictures: Tensor, random: Tensor, crop_px: int, height: int) -> Tensor:
    n = len(pictures)
    left, top = ((random[:, k] * (height - crop_px + 1)).long().clamp_(max=height - crop_px) for k in (2, 3))
    along = torch.arange(crop_px, device=pictures.device)
    which = torch.arange(n, device=pictures.device).view(n, 1, 1)
    return pictures[
        which, 0, (top[:, None] + along)[:, :, None], (left[:, None] + along)[:, None, :]
    ].unsqueeze(1)


def _part_hidden(pictures: Tensor, random: Tensor, most: float) -> Tensor:
    """One square per picture, of another size each, painted in the picture's mean grey."""
    height, width = pictures.shape[2:]
    half = random[:, 4].roll(1) * most / 2
    along = (torch.arange(height, device=pictures.device) + 0.5) / height
    across = (torch.arange(width, device=pictures.device) + 0.5) / width
    in_rows = (along[None] - random[:, 7, None]).abs() < half[:, None]
    in_columns = (across[None] - random[:, 8, None]).abs() < half[:, None]
    hidden = (in_rows[:, :, None] & in_columns[:, None, :]).unsqueeze(1)
    return torch.where(hidden, pictures.mean((1, 2, 3), keepdim=True), pictures)
