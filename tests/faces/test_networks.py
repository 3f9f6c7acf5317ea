"""The networks have the sizes that are told of them, and see what they are said to see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from emolab.faces.network_model import averaged_logits, fused, seen
from emolab.faces.networks import NETWORKS, Small, Vgg19, parameters

SHIPPED_MOST_BYTES = 5_000_000


def faces(n: int, side_px: int = 48, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, side_px, side_px), np.uint8))


def with_statistics(network: nn.Module) -> nn.Module:
    """As after some training: normalisations that do something."""
    torch.manual_seed(1)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean = torch.randn(part.num_features) * 0.1
            part.running_var = torch.rand(part.num_features) + 0.5
            nn.init.uniform_(part.weight, 0.6, 1.2)
        if isinstance(part, nn.Conv2d):  # else nothing of a face comes through sixteen layers
            nn.init.kaiming_normal_(part.weight)
    return network.eval()


def test_vgg19_has_the_parameters_of_the_specification() -> None:
    assert parameters(Vgg19()) == 20_038_983


def test_small_ships_in_five_megabytes() -> None:
    stored = sum(
        value.numel() * (2 if value.ndim > 1 else 4)  # matrices in half precision
        for value in Small().state_dict().values()
    )
    assert stored + 20_000 < SHIPPED_MOST_BYTES


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_network_gives_seven_finite_logits_for_each_face_whatever_the_others_are(name: str) -> None:
    network = with_statistics(NETWORKS[name]())
    pictures = torch.rand(5, 1, 44, 44)
    with torch.inference_mode():
        logits = network(pictures)
        turned_round = network(pictures.flip(0)).flip(0)
        assert torch.equal(logits, network(pictures)), "judging is no game of chance"
    assert logits.shape == (5, 7)
    assert logits.isfinite().all()
    torch.testing.assert_close(logits, turned_round, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("grey", [0, 255])
def test_small_stays_finite_before_a_wall(grey: int) -> None:
    with torch.inference_mode():
        assert Small().eval()(torch.full((1, 1, 44, 44), grey / 255)).isfinite().all()


def test_small_does_not_mind_the_light() -> None:
    network, pictures = with_statistics(Small()), torch.rand(3, 1, 44, 44)
    with torch.inference_mode():
        bright, dim = network(pictures), network(pictures * 0.7 + 0.2)
    torch.testing.assert_close(bright, dim, rtol=0.1, atol=0.05)


def test_ten_crop_of_the_mirror_image_is_ten_crop_of_the_face() -> None:
    network, some = with_statistics(Vgg19()), faces(2)
    with torch.inference_mode():
        straight = averaged_logits(network, some, "ten-crop", 44)
        mirrored = averaged_logits(network, some.flip(2), "ten-crop", 44)
        once = averaged_logits(network, some, "one", 44)
    torch.testing.assert_close(straight, mirrored, rtol=0, atol=1e-5)
    assert not torch.allclose(once, straight, atol=1e-5)


def test_ten_crop_sees_four_corners_and_the_middle_and_their_mirror_images() -> None:
    ramp = (torch.arange(48)[:, None] * 100 + torch.arange(48)[None]).float()[None, None]
    corners = seen(ramp, "ten-crop", 44)[:, 0, 0, 0, 0].tolist()
    assert sorted(corners) == sorted([0, 4, 400, 404, 202, 43, 47, 443, 447, 245])
    assert seen(ramp, "flip", 44).shape == (2, 1, 1, 44, 44)
    assert seen(ramp, "one", 44)[0, 0, 0, 0, 0] == 202


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_fused_network_says_the_same(name: str) -> None:
    network, pictures = with_statistics(NETWORKS[name]()), torch.rand(2, 1, 44, 44)
    with torch.inference_mode():
        before = network(pictures)
        after = fused(network)(pictures)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network.modules())
    torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-4)
