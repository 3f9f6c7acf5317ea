"""RTCAN-1D has the sizes and the identities of specification 05."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from emolab.core.errors import ConfigError, WrongInput
from emolab.models.rtcan import (
    ABLATIONS,
    EVEN,
    RISING,
    Options,
    Rtcan,
    rtcag,
)
from emolab.models.rtcan_blocks import ChannelAttention, Residual, TimeAttention, clipped, looked_up
from tests.models.bump import bumps, trained
from tests.models.short import step

PARAMETERS = {  # with music, alone
    "base": (2_016_258, 384_770),
    "ra": (2_025_026, 393_538),
    "rb": (2_017_354, 385_866),
    "rc": (2_026_122, 394_634),
    "rd": (2_024_738, 393_250),
    "re": (2_025_834, 394_346),
    "rf": (2_034_602, 403_114),
}
NEVER_USED = 256 * 10 + 10  # a layer that the authors' objects hold and do not call


pytestmark = pytest.mark.usefixtures("one_thread")


def count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_ablation_has_the_parameters_of_the_specification(name: str) -> None:
    assert (count(Rtcan(name)), count(rtcag(name))) == PARAMETERS[name]


def test_the_authors_objects_hold_as_many_and_their_layer_never_used() -> None:
    assert count(Rtcan("rf", variant="authors")) + NEVER_USED == 2_037_172
    assert count(rtcag("re", variant="authors")) + NEVER_USED == 396_916


@pytest.mark.parametrize(
    ("depth", "widths", "expected"),
    [(1, EVEN, 2_034_602), (1, RISING, 3_804_258), (2, EVEN, 2_133_930), (2, RISING, 5_897_058)],
)
def test_the_depth_and_width_study_has_the_parameters_of_table_4(
    depth: int, widths: tuple[int, ...], expected: int
) -> None:
    network = Rtcan(depth=depth, widths=widths).eval()
    assert count(network) == expected
    with torch.inference_mode():
        assert network(torch.randn(1, 3, 2500), torch.randn(1, 6373)).shape == (1, 2)


def test_each_part_has_the_parameters_of_the_specification() -> None:
    network = Rtcan()
    channels, times = network.attention
    assert [count(part) for part in (network.shallow, channels, times, network.reduce)] == [
        1536,
        1096,
        8480,
        4224,
    ]
    first, second = network.stages[0]
    assert (count(first.layers), count(first.straight), count(first.attention)) == (12_416, 4_224, 1_096)
    assert (count(second.layers), count(second.attention), second.straight) == (12_416, 1_096, None)
    assert (count(network.classifier), count(rtcag().classifier)) == (1_894_274, 262_786)


def test_an_ablation_changes_only_the_attentions_it_is_of() -> None:
    without = dict(Rtcan("base").named_parameters())
    for name, parts in ABLATIONS.items():
        more = {
            key: weight.shape
            for key, weight in Rtcan(name).named_parameters()
            if key not in without or weight.shape != without[key].shape
        }
        assert all("attention" in key for key in more)
        assert any(key.startswith("stages") for key in more) == parts.blocks
        assert any("gate" in key and key.startswith("attention") for key in more) == parts.channels
        assert any("query" in key for key in more) == parts.times
        assert without.keys() <= dict(Rtcan(name).named_parameters()).keys()


def test_the_maps_have_the_shapes_of_the_specification() -> None:
    network, shapes = rtcag().eval(), []
    watched = (network.shallow, network.attention, *network.stages, network.reduce, network.pool)
    for part in watched:
        part.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    with torch.inference_mode():
        assert network(torch.randn(2, 3, 2500)).shape == (2, 2)
    lengths = (1250, 1250, 625, 313, 157, 79, 27, 14)
    assert shapes == [(64, length) for length in lengths]


def test_time_is_cut_into_clips_of_416_and_417_and_417() -> None:
    assert [part.shape[-1] for part in clipped(torch.zeros(1, 1, 1250), 3)] == [416, 417, 417]


@pytest.mark.parametrize("pool", ["average", "max", "none"])
@pytest.mark.parametrize("training", [True, False])
def test_attention_over_times_begins_as_the_identity_to_the_last_bit(pool: str, training: bool) -> None:
    part = TimeAttention(64, pool).train(training)  # type: ignore[arg-type]
    maps = torch.randn(3, 64, 1250)
    assert torch.equal(part(maps), maps)


def test_attention_over_times_is_the_formula_of_the_specification() -> None:
    part = TimeAttention(8)
    nn.init.uniform_(part.out[1].weight, 0.5, 1.5)
    part.eval()
    maps = torch.randn(2, 8, 40)
    expected = maps.clone()
    for start, end in ((0, 13), (13, 26), (26, 40)):
        clip = maps[:, :, start:end]
        query, key, value = part.query(clip), part.key(clip), part.value(clip)
        key, value = functional.avg_pool1d(key, 2), functional.avg_pool1d(value, 2)
        weights = torch.softmax(torch.einsum("nci,ncj->nij", query, key), 2)
        expected[:, :, start:end] += part.out(torch.einsum("nij,ncj->nci", weights, value))
    torch.testing.assert_close(part(maps), expected, rtol=1e-5, atol=1e-5)


def test_halves_are_looked_up_as_whole_numbers_are_slopes_included() -> None:
    halves = [torch.randn(3, moments, 32).bfloat16() for moments in (40, 20, 20)]
    slope = torch.randn(3, 40, 32).bfloat16()
    found = []
    for kind in (torch.float32, torch.bfloat16):
        given = [one.to(kind, copy=True).requires_grad_() for one in halves]
        looked = looked_up(*given)
        looked.backward(slope.to(kind))
        assert looked.dtype == kind
        found.append([looked.detach(), *(one.grad for one in given)])
    for exact, rounded in zip(*found, strict=True):
        assert exact is not None and rounded is not None
        off = (rounded.float() - exact).norm() / exact.norm()
        assert off < 0.02, off  # a half has eight digits of two


def test_a_gate_lets_through_no_more_than_there_is_and_of_nothing_nothing() -> None:
    part, maps = ChannelAttention(64, 3), torch.randn(2, 64, 1250)
    maps[:, 5] *= 0
    gated = part(maps)
    assert (gated.abs() <= maps.abs()).all()
    assert (gated[:, 5] == 0).all()
    assert (gated[:, 6] != 0).any()


@pytest.mark.parametrize("make", [lambda: ChannelAttention(64, 3), lambda: TimeAttention(64, "none")])
def test_permuted_clips_come_out_permuted(make: object) -> None:
    part: nn.Module = make().eval()  # type: ignore[operator]
    for one in part.modules():
        if isinstance(one, nn.BatchNorm1d):
            nn.init.ones_(one.weight)
    a, b, c = torch.randn(3, 2, 64, 30)
    plain = part(torch.cat((a, b, c), 2)).split(30, 2)
    turned = part(torch.cat((c, a, b), 2)).split(30, 2)
    torch.testing.assert_close(turned, (plain[2], plain[0], plain[1]))


def test_a_clip_turned_round_in_a_circle_turns_its_own_output_and_touches_no_other() -> None:
    part, maps = ChannelAttention(64, 3), torch.randn(2, 64, 1250)
    shifted = torch.cat((maps[:, :, :416], maps[:, :, 416:833].roll(100, 2), maps[:, :, 833:]), 2)
    before, after = part(maps), part(shifted)
    assert torch.equal(before[:, :, :416], after[:, :, :416])
    assert torch.equal(before[:, :, 833:], after[:, :, 833:])
    torch.testing.assert_close(after[:, :, 416:833], before[:, :, 416:833].roll(100, 2))


def test_the_plain_way_of_a_block_sees_what_came_in_and_the_projection_what_was_attended() -> None:
    maps = torch.rand(2, 64, 50)
    plain, halving = Residual(64, 64, 1, True).eval(), Residual(64, 64, 1, True, halves=True).eval()
    for block in (plain, halving):
        nn.init.zeros_(block.layers[0].weight)
        nn.init.constant_(block.attention.gate[2].bias, -100.0)  # lets nothing through
        nn.init.zeros_(block.attention.gate[2].weight)
    torch.testing.assert_close(plain(maps), maps)
    assert halving(maps).abs().max() < 1e-6


def test_the_authors_variant_does_as_their_program_does() -> None:
    fused, alone = Rtcan(variant="authors").eval(), rtcag(variant="authors").eval()
    assert [type(part) for part in fused.attention] == [TimeAttention, ChannelAttention]
    assert [type(part) for part in Rtcan().attention] == [ChannelAttention, TimeAttention]
    assert isinstance(fused.attention[0].pooled, nn.MaxPool1d)
    assert fused.attention[1].clips == 1
    curves = torch.randn(4, 3, 2500)
    with torch.inference_mode():
        torch.testing.assert_close(fused(curves, torch.randn(4, 6373)).sum(1), torch.ones(4))
        assert (alone(curves) >= 0).all()


@pytest.mark.parametrize(
    ("init", "deviation"), [("he", (2 / 192) ** 0.5), ("xavier", (1 / 192) ** 0.5), ("normal", 0.01)]
)
def test_weights_begin_as_they_are_told_to(init: str, deviation: float) -> None:
    network = rtcag(options=Options(init=init))  # type: ignore[arg-type]
    convolution = network.stages[0][0].layers[0]
    assert float(convolution.weight.detach().std()) == pytest.approx(deviation, rel=0.05)
    assert all((part.bias == 0).all() for part in network.classifier if isinstance(part, nn.Linear))


def test_a_trial_of_another_length_or_without_its_music_is_told() -> None:
    with pytest.raises(WrongInput, match=r"\(n, 3, 2500\), not \(1, 3, 2400\)"):
        rtcag()(torch.zeros(1, 3, 2400))
    with pytest.raises(WrongInput, match=r"music \(1, 6373\).*not None"):
        Rtcan()(torch.zeros(1, 3, 2500))
    with pytest.raises(WrongInput, match=r"music \(1, 6373\).*not \(1, 10\)"):
        Rtcan()(torch.zeros(1, 3, 2500), torch.zeros(1, 10))


def test_an_unknown_ablation_variant_or_pool_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no ablation 'rg'; known are base, ra"):
        Rtcan("rg")
    with pytest.raises(ConfigError, match="no variant 'theirs'; known are reference, authors"):
        Rtcan(variant="theirs")
    with pytest.raises(ConfigError, match="no pool 'sum'"):
        rtcag(options=Options(pool="sum"))  # type: ignore[arg-type]


def test_it_learns_one_batch_by_heart() -> None:
    network = rtcag()
    curves, labels = torch.randn(32, 3, 2500), torch.arange(32) % 2
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    first = step(network, optimiser, (curves,), labels)
    assert any(step(network, optimiser, (curves,), labels) < first / 10 for _ in range(200))


@pytest.mark.slow
@pytest.mark.parametrize("ablation", ["rf", "re"])
def test_it_finds_a_bump_planted_in_noise(ablation: str) -> None:
    network = trained(ablation)  # which must be able to learn, so not within what follows
    curves, labels = bumps(100)
    with torch.inference_mode():
        logits = network(curves)
    assert (logits.argmax(1) == labels).float().mean() >= 0.95
    assert functional.cross_entropy(logits, labels) < 0.1
