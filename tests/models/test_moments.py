"""Layers that keep a moment's channels side by side give what torch's own give, and keep them so."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from emolab.models.moments import Convolution, Norm, side_by_side
from emolab.models.rtcan import Rtcan
from emolab.models.rtcan_blocks import TimeAttention

SIDE_BY_SIDE = (1, 2)  # the axes from the nearest in memory to the next: channels, then moments


def nearest(maps: Tensor) -> tuple[int, ...]:
    """Which of the last two axes is nearest in memory."""
    return tuple(sorted((1, 2), key=lambda axis: maps.stride(axis)))


@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(7, 2, 3), (3, 1, 1), (3, 2, 1), (1, 1, 0), (1, 3, 0)]
)
@pytest.mark.parametrize("length", [1, 2, 31])
def test_convolution_and_norm_are_torchs_own(size: int, stride: int, padding: int, length: int) -> None:
    torch.manual_seed(0)
    ours = nn.Sequential(Convolution(6, 8, size, stride, padding), Norm(8)).double()
    plain = nn.Sequential(nn.Conv1d(6, 8, size, stride, padding), nn.BatchNorm1d(8)).double()
    plain.load_state_dict(ours.state_dict())
    drawn = torch.randn(4, 6, length, dtype=torch.float64)
    given = [drawn.clone().requires_grad_(), drawn.clone().requires_grad_()]
    found, wanted = ours(side_by_side(given[0])), plain(given[1])
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    weights = torch.randn_like(wanted)
    for out in (found, wanted):
        (out * weights).sum().backward()
    torch.testing.assert_close(given[0].grad, given[1].grad, rtol=1e-9, atol=1e-9)
    for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(ours.eval()(drawn), plain.eval()(drawn), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pool", ["average", "max", "none"])
def test_attention_over_times_is_the_formula(pool: str) -> None:
    torch.manual_seed(0)
    part = TimeAttention(16, pool).double().eval()  # type: ignore[arg-type]
    nn.init.ones_(part.out[1].weight)
    maps = torch.randn(2, 16, 31, dtype=torch.float64)
    told = []
    for begin, end in ((0, 10), (10, 20), (20, 31)):
        query, key, value = (
            torch.einsum("oc,nct->not", one.weight[:, :, 0], maps[:, :, begin:end]) + one.bias[:, None]
            for one in (part.query, part.key, part.value)
        )
        looks = torch.einsum("nci,ncj->nij", query, part.pooled(key)).softmax(2)
        told.append(torch.einsum("nij,ncj->nci", looks, part.pooled(value)))
    wanted = maps + part.out(torch.cat(told, 2))
    torch.testing.assert_close(part(maps), wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("variant", ["reference", "authors"])
def test_channels_stay_side_by_side_on_the_way_there_and_back(variant: str) -> None:
    """A way that loses the layout gives the same numbers in twice the time."""
    network, seen = Rtcan(music=4, variant=variant), []
    for part in network.modules():
        if isinstance(part, Norm):
            part.register_forward_hook(lambda _, __, out: seen.append(nearest(out)))
            part.register_forward_hook(
                lambda _, __, out: out.register_hook(lambda slopes: seen.append(nearest(slopes))) and None
            )
    network(torch.randn(2, 3, 2500), torch.randn(2, 4)).sum().backward()
    assert len(seen) == 2 * 15
    assert set(seen) == {SIDE_BY_SIDE}
