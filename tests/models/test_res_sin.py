"""Res-SIN has the sizes of specification 04, learns a slow drift, and hears the music."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emolab.core.errors import ConfigError, WrongInput
from emolab.models.eda_inputs import signal_image
from emolab.models.res_sin import COMPONENTS, ResSi, ResSin, random_crop, res_si
from tests.models.short import settled, step

pytestmark = pytest.mark.usefixtures("one_thread")


def count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def test_it_has_the_parameters_of_the_specification() -> None:
    assert count(ResSi()) == 4_905_792
    assert count(ResSi(use_bn=False)) == 4_902_912
    assert count(ResSin()) == 8_432_450
    assert count(res_si()) == 5_169_474
    assert count(ResSin().classifier) == 3_526_658
    assert [count(part) for part in ResSi().stem] == [9_408, 128, 0, 0]
    assert count(ResSi().stages[0]) == 73_984


@pytest.mark.parametrize("component", ["origin", "phasic", "tonic"])
def test_of_one_component_it_has_a_stem_with_one_channel(component: str) -> None:
    assert count(ResSin(component)) == 8_426_178


def test_the_maps_have_the_shapes_of_the_specification() -> None:
    subnet, shapes = ResSi().eval(), []
    for part in (subnet.stem[0], subnet.stem, *subnet.stages):
        part.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    with torch.inference_mode():
        assert subnet(torch.rand(2, 3, 224, 224)).shape == (2, 512)
    sizes = ((64, 112), (64, 56), (64, 56), (128, 28), (256, 14), (512, 7))
    assert shapes == [(width, side, side) for width, side in sizes]


@pytest.mark.parametrize("component", COMPONENTS)
def test_it_sees_the_channels_of_its_component_and_no_other(component: str) -> None:
    network, images = res_si(component).eval(), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network(images)
        seen = []
        for channel in range(3):
            other = images.clone()
            other[:, channel] = torch.rand(64, 64)
            if not torch.equal(network(other), before):
                seen.append(channel)
    assert tuple(seen) == COMPONENTS[component]


def test_the_mean_of_the_training_images_is_taken_off_and_travels_with_the_weights() -> None:
    network, images = res_si().eval(), torch.rand(4, 3, 64, 64)
    with torch.inference_mode():
        network.learn_mean(images)
        before = network(images)
        shift = torch.tensor([0.3, -0.2, 1.0])[:, None, None]
        network.learn_mean(images + shift)
        torch.testing.assert_close(network(images + shift), before, rtol=1e-3, atol=1e-4)
    assert "mean" in network.state_dict()
    assert count(network) == 5_169_474


def test_the_vector_of_skin_conductance_is_z_scored_beside_the_music() -> None:
    network = ResSin(music=3).train()
    caught: list[Tensor] = []
    network.classifier.register_forward_hook(lambda _, put, __: caught.append(put[0].detach()))
    music = torch.randn(16, 3)
    network(torch.rand(16, 3, 64, 64), music)
    vector = caught[0][:, :512]
    torch.testing.assert_close(vector.mean(0), torch.zeros(512), rtol=0, atol=1e-4)
    moving = vector.std(0, correction=0) > 0.5  # a figure that is 0 for all stays 0
    assert moving.float().mean() > 0.9
    assert torch.equal(caught[0][:, 512:], music)


def test_a_random_crop_is_the_image_moved_and_mirrored_at_its_edges() -> None:
    images = torch.rand(6, 3, 40, 40)
    found = random_crop(images, torch.Generator().manual_seed(1))
    assert found.shape == images.shape
    assert torch.equal(found, random_crop(images, torch.Generator().manual_seed(1)))
    wide = np.pad(images.numpy(), ((0, 0), (0, 0), (8, 8), (8, 8)), mode="reflect")
    places = set()
    for one, source in zip(found.numpy(), wide, strict=True):
        here = [
            (top, left)
            for top in range(17)
            for left in range(17)
            if np.array_equal(one, source[:, top : top + 40, left : left + 40])
        ]
        places.update(here)
        assert here
    assert len(places) > 3


def test_images_or_music_of_another_shape_and_unknown_components_are_told() -> None:
    with pytest.raises(WrongInput, match=r"\(n, 3, 224, 224\), not \(1, 1, 224, 224\)"):
        res_si("origin")(torch.zeros(1, 1, 224, 224))
    with pytest.raises(WrongInput, match=r"music \(1, 6373\) is needed, not None"):
        ResSin().eval()(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ConfigError, match="no component 'scr'; known are mix, origin"):
        ResSin("scr")


def test_it_learns_one_batch_by_heart() -> None:
    network = res_si()
    images, labels = torch.rand(32, 3, 32, 32), torch.arange(32) % 2
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    first = step(network, optimiser, (images,), labels)
    assert any(step(network, optimiser, (images,), labels) < first / 10 for _ in range(200))


def test_without_normalisation_it_still_learns() -> None:
    network = res_si(use_bn=False)
    images, labels = torch.rand(32, 3, 32, 32), torch.arange(32) % 2
    optimiser = torch.optim.Adam(network.parameters(), 1e-4)
    first = step(network, optimiser, (images,), labels)
    assert any(step(network, optimiser, (images,), labels) < first / 2 for _ in range(60))


@pytest.mark.slow
def test_it_finds_whether_a_slow_drift_rises_or_falls() -> None:
    images, labels = drifts(160, seed=0)
    network = res_si()
    network.learn_mean(images)
    optimiser = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9)
    for _ in range(4):
        for some in torch.randperm(len(labels)).split(32):
            step(network, optimiser, (images[some],), labels[some])
    unseen, truth = drifts(100, seed=1)
    with torch.inference_mode():
        right = settled(network, [(some,) for some in images.split(80)])(unseen).argmax(1) == truth
    assert right.float().mean() >= 0.95


def drifts(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures of 48 px of 30 s under noise, whose first and last channel drift up (class 1) or down."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    drift = np.linspace(-1, 1, 2250) * (2 * labels[:, None] - 1)
    channels = np.stack([drift, np.zeros_like(drift), drift], 1) + random.standard_normal((n, 3, 2250))
    images = np.stack([signal_image(one, 50, 48) for one in channels])
    return torch.from_numpy(images), torch.from_numpy(labels)


def test_where_the_music_carries_the_label_it_is_found_beside_any_skin_and_sooner_than_without() -> None:
    alone = nn.Sequential(nn.Linear(3000, 512), nn.ReLU(), nn.Linear(512, 2))
    networks = {"fused": ResSin(music=3000), "skin": res_si(), "music": alone}
    losses, right = {}, {}
    for name, network in networks.items():
        draw = torch.Generator().manual_seed(5)
        optimiser = torch.optim.SGD(network.parameters(), 1e-2, momentum=0.9)
        each = [step(network, optimiser, *_heard(name, 32, draw)) for _ in range(24)]
        losses[name] = sum(each[-5:]) / 5
        settled(network, [_heard(name, 32, draw)[0] for _ in range(4)])
        some, labels = _heard(name, 300, draw)
        with torch.inference_mode():
            right[name] = float((network(*some).argmax(1) == labels).float().mean())
    assert losses["fused"] < losses["skin"] / 2
    assert right["fused"] == pytest.approx(right["music"], abs=0.03)
    assert right["music"] > 0.9 > 0.65 > right["skin"]


def _heard(name: str, n: int, draw: torch.Generator) -> tuple[tuple[Tensor, ...], Tensor]:
    """What the network `name` gets of n trials whose pictures are noise and whose music tells the label."""
    labels = torch.randint(0, 2, (n,), generator=draw)
    images = torch.rand(n, 3, 32, 32, generator=draw)
    music = torch.randn(n, 3000, generator=draw) + 0.075 * (2 * labels[:, None] - 1)
    return {"fused": (images, music), "skin": (images,), "music": (music,)}[name], labels
