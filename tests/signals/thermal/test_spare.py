"""Where no head is found in the thermal picture, the other camera's place is measured, if it is warm."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.signals.thermal.heat import CUT_OFF, NO_FACE, SOUND, FaceHeat, read_heat
from emolab.signals.thermal.spare import filled
from tests.signals.thermal.made import Person, Picture, picture

COUNTS = {"scale": 0.01, "offset": -273.15}
N, MASKED = 40, slice(20, 32)
AT_S = np.arange(N) / 9.0
SHOWN = [picture(Person(), 160, 120, seed=seed) for seed in range(N)]


def box_of(shown: Picture) -> NDArray[np.float64]:
    half_w, half_h = shown.width_px / 2, 1.35 * shown.width_px / 2
    x, y = shown.middle_px
    return np.array([x - half_w, y - half_h, x + half_w, y + half_h])


BOXES = np.stack([box_of(shown) for shown in SHOWN])


def film(things: str = "sun") -> NDArray[np.float32]:
    """A film in some of whose frames the sun has warmed the wall: hair is cooler, skin hardly warmer."""
    frames = np.stack([shown.celsius for shown in SHOWN])
    x, y = SHOWN[0].middle_px
    if things == "sun":
        sunny = [picture(Person(clothes_c=33.4), 160, 120, seed=seed, room_c=33.4) for seed in range(N)]
        frames[MASKED] = np.stack([shown.celsius for shown in sunny])[MASKED]
    elif things == "gone":
        frames[MASKED] = picture(None, 160, 120).celsius + np.float32(0.001) * np.arange(12)[:, None, None]
    elif things == "hot":
        top, left = round(y - 30), round(x - 30)
        frames[MASKED] = 22.0
        frames[MASKED, top : top + 60, left : left + 60] = 44.0
    return frames


def read(
    frames: NDArray[np.float32], boxes: NDArray[np.float64] = BOXES
) -> tuple[FaceHeat, FaceHeat, NDArray]:
    before = read_heat(frames, AT_S)
    after, by_camera = filled(before, lambda start, stop: frames[start:stop], boxes)
    return before, after, by_camera


def test_a_face_that_is_not_found_is_measured_where_the_other_camera_sees_it() -> None:
    before, after, by_camera = read(film())
    assert (before.reasons[MASKED] == NO_FACE).all() and before.is_sound[:20].all()
    assert by_camera[MASKED].all() and not by_camera[:20].any() and after.is_sound.all()
    true_c = np.mean([shown.face_mean_c for shown in SHOWN])
    assert np.abs(after.face_mean_c[MASKED] - true_c).max() < 0.15
    assert np.abs(after.nose_c[MASKED] - SHOWN[0].nose_mean_c).max() < 0.15
    np.testing.assert_allclose(after.boxes[MASKED], BOXES[MASKED], atol=1e-6)
    np.testing.assert_array_equal(after.face_mean_c[~by_camera], before.face_mean_c[~by_camera])


def test_counts_and_degrees_are_read_alike() -> None:
    frames = film()
    counts = np.rint((frames + 273.15) / 0.01).astype(np.uint16)
    _, plain, _ = read(frames)
    before = read_heat(counts, AT_S, **COUNTS)
    after, by_camera = filled(before, lambda start, stop: counts[start:stop], BOXES, **COUNTS)
    assert by_camera.sum() == 12
    np.testing.assert_allclose(after.face_mean_c, plain.face_mean_c, atol=0.02)


def test_a_constant_added_to_the_film_is_added_to_every_figure() -> None:
    _, plain, _ = read(film())
    _, warmer, _ = read(film() + np.float32(3.0))
    np.testing.assert_allclose(warmer.face_mean_c, plain.face_mean_c + 3.0, atol=1e-3)


@pytest.mark.parametrize("things", ["gone", "hot"])
def test_what_is_no_face_is_not_measured_whatever_the_other_camera_says(things: str) -> None:
    before, after, by_camera = read(film(things))
    assert not by_camera.any() and (after.reasons == before.reasons).all()
    assert np.isnan(after.face_mean_c[MASKED]).all()


def test_a_place_that_is_partly_beyond_the_picture_is_a_face_cut_off() -> None:
    boxes = BOXES.copy()
    boxes[MASKED, 1::2] -= 60.0
    _, after, by_camera = read(film(), boxes)
    assert not by_camera.any() and (after.reasons[MASKED] == CUT_OFF).all()


def test_without_a_box_nothing_changes() -> None:
    before, after, by_camera = read(film(), np.full((N, 4), np.nan))
    assert not by_camera.any()
    np.testing.assert_array_equal(after.face_mean_c, before.face_mean_c)
    some = BOXES.copy()
    some[22:] = np.nan
    assert read(film(), some)[2].nonzero()[0].tolist() == [20, 21]


def test_dead_pixels_are_left_out() -> None:
    frames = film()
    frames[25, ::9, ::7] = np.nan
    before = read_heat(frames, AT_S)
    before.reasons[25] = NO_FACE
    after, by_camera = filled(before, lambda start, stop: frames[start:stop], BOXES)
    assert by_camera[25] and after.reasons[25] == SOUND
    assert after.face_mean_c[25] == pytest.approx(after.face_mean_c[24], abs=0.15)


def test_there_must_be_a_box_a_frame() -> None:
    frames = film()
    with pytest.raises(DataError, match="do not fit 40 frames"):
        filled(read_heat(frames, AT_S), lambda start, stop: frames[start:stop], BOXES[:3])
