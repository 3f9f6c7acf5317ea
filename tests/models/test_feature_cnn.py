"""The CNN on hand-crafted figures has the layers it is said to have, and learns."""

from __future__ import annotations

import pytest
import torch

from emolab.core.errors import WrongInput
from emolab.models.feature_cnn import FEATURES, FeatureCnn
from emolab.signals.eda.features import EDA_FEATURES
from tests.models.short import settled, step


def test_it_takes_the_figures_there_are() -> None:
    assert len(EDA_FEATURES) == FEATURES


def test_it_has_the_parameters_of_its_layers() -> None:
    convolutions = (1 * 64 * 3 + 128) + 2 * (64 * 64 * 3 + 128)
    classifier = (64 * 256 + 256) + (256 * 128 + 128) + (128 * 2 + 2)
    assert FeatureCnn().spec.parameters == convolutions + classifier == 74_946


def test_three_convolutions_see_three_figures_to_either_side() -> None:
    network = FeatureCnn().eval()
    caught: list[torch.Tensor] = []
    network.layers.register_forward_hook(lambda _, __, maps: caught.append(maps[0]))
    features = torch.zeros(1, FEATURES)
    other = features.clone()
    other[0, 60] = 5
    with torch.inference_mode():
        network(features)
        network(other)
    changed = (caught[0] != caught[1]).any(0).nonzero().ravel().tolist()
    assert changed == list(range(57, 64))


def test_features_of_another_number_are_told() -> None:
    with pytest.raises(WrongInput, match=r"\(n, 128\), not \(2, 28\)"):
        FeatureCnn()(torch.zeros(2, 28))


def test_it_learns_one_batch_by_heart_and_a_figure_that_tells() -> None:
    torch.manual_seed(0)
    network, features, labels = FeatureCnn(), torch.randn(32, FEATURES), torch.arange(32) % 2
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    first = step(network, optimiser, (features,), labels)
    assert any(step(network, optimiser, (features,), labels) < first / 10 for _ in range(200))

    network = FeatureCnn()
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(60):
        step(network, optimiser, *telling())
    some, labels = telling(300)
    settled(network, [telling()[0] for _ in range(5)])
    with torch.inference_mode():
        assert (network(*some).argmax(1) == labels).float().mean() > 0.95


def telling(n: int = 32) -> tuple[tuple[torch.Tensor], torch.Tensor]:
    """Noise in which figures 10 to 20 are high in class 1 and low in class 0."""
    labels = torch.arange(n) % 2
    features = torch.randn(n, FEATURES)
    features[:, 10:20] += 2 * (2 * labels[:, None] - 1)
    return (features,), labels
