"""New views of faces: they differ, they stay faces, and they hang on the generator alone."""

from __future__ import annotations

import pytest
import torch

from emolab.training.augment import PLAIN_CROP, Views, augmented


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramp(n: int) -> torch.Tensor:
    """Grey that tells the place: rising along rows, slowly down the columns."""
    face = torch.arange(48)[None, :] * 4 + torch.arange(48)[:, None]
    return face.to(torch.uint8).expand(n, 48, 48).contiguous()


def test_a_plain_crop_is_cut_out_of_the_face_anywhere_and_mirrored_half_the_time() -> None:
    views = augmented(ramp(400), PLAIN_CROP, generator()) * 255
    assert views.shape == (400, 1, 44, 44)
    mirrored = views[:, 0, 0, 0] > views[:, 0, 0, -1]
    assert 0.4 < mirrored.float().mean() < 0.6
    straight = torch.where(mirrored.view(-1, 1, 1, 1), views.flip(3), views)
    corners = {(round(v) % 4, round(v)) for v in straight[:, 0, 0, 0].tolist()}
    assert {corner for _, corner in corners} == {4 * left + top for left in range(5) for top in range(5)}
    whole = ramp(1)[0].float()
    for view in straight[:20, 0]:
        at = [
            (t, le)
            for t in range(5)
            for le in range(5)
            if torch.allclose(view, whole[t : t + 44, le : le + 44])
        ]
        assert at


def test_nothing_asked_gives_the_face_itself() -> None:
    still = Views(48, turn_deg=0, scale=0, light=0, hidden=0, mirror=False)
    assert torch.allclose(augmented(ramp(2), still, generator())[:, 0] * 255, ramp(2).float())
    resampled = Views(48, turn_deg=1e-6, scale=0, light=0, hidden=0, mirror=False)
    assert torch.allclose(augmented(ramp(2), resampled, generator())[:, 0] * 255, ramp(2).float(), atol=0.01)


@pytest.mark.parametrize("crop_px", [40, 44, 48])
def test_all_views_stay_pictures_and_differ(crop_px: int) -> None:
    views = augmented(ramp(64), Views(crop_px), generator())
    assert views.shape == (64, 1, crop_px, crop_px)
    assert views.min() >= 0
    assert views.max() <= 1
    assert len({view.numpy().tobytes() for view in views}) == 64
    assert views.dtype == torch.float32


def test_the_same_generator_gives_the_same_views() -> None:
    one, same, other = (augmented(ramp(8), Views(), generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_turn_turns_about_the_middle() -> None:
    dot = torch.zeros((200, 48, 48), dtype=torch.uint8)
    dot[:, 23:25, 23:25] = 255  # the middle
    dot[:, 23:25, 40:42] = 255  # 17 px to the right
    turned = augmented(dot, Views(48, 30, 0, 0, 0, mirror=False), generator())[:, 0]
    assert (turned[:, 22:26, 22:26].amax((1, 2)) > 0.7).all()  # resampled
    heights = turned[:, :, 36:44].amax(2).argmax(1).float() - 23.5
    assert heights.abs().max() > 5
    assert heights.abs().max() < 17 * 0.5 + 1.5  # sine of 30°


def test_hidden_squares_are_of_the_mean_grey_and_of_all_sizes() -> None:
    faces = torch.randint(0, 256, (300, 48, 48), dtype=torch.uint8, generator=generator())
    shown = augmented(faces, Views(48, 0, 0, 0, 0, mirror=False), generator(1))
    views = augmented(faces, Views(48, 0, 0, 0, 0.5, mirror=False), generator(1))
    changed = views != shown
    parts = changed.float().mean((1, 2, 3))
    assert parts.max() <= 0.25 + 0.03
    assert parts.max() > 0.15
    assert parts.min() < 0.02
    means = shown.mean((1, 2, 3), keepdim=True).expand_as(views)
    assert torch.allclose(views[changed], means[changed])
