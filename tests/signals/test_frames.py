"""A face that is there, lit and warm is well; pictures without one say what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.devices.simulation.portrait import Portrait
from emolab.signals.finding import Quality
from emolab.signals.frames import find_face, judge_rgb, judge_thermal
from tests.devices.simulated_bench import SimulatedBench

SIZE = (480, 640)


def faces(width: int = 320, height: int = 240, n: int = 4) -> NDArray[np.uint8]:
    portrait, frames = Portrait(width, height), np.empty((n, height, width, 3), np.uint8)
    for number, frame in enumerate(frames):
        portrait.draw(frame, number, 1.7 * number, 0.3, 0.5)
    return frames


def thermal(face_c: float | None, room_c: float = 23.0) -> NDArray[np.float32]:
    y, x = np.mgrid[-1:1:60j, -1:1:80j]
    picture = room_c + 0.05 * np.random.default_rng(8).standard_normal(x.shape)
    if face_c is not None:
        picture[(x / 0.4) ** 2 + (y / 0.6) ** 2 < 1] = face_c
    return picture.astype(np.float32)


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (640, 480), (1280, 720)])
def test_a_face_is_found_where_it_is_drawn(size: tuple[int, int]) -> None:
    frames = faces(*size)
    box = find_face(frames[0])
    assert box is not None
    assert abs(box[0] + box[2] / 2 - size[0] / 2) < 0.06 * size[0]
    assert abs(box[1] + box[3] / 2 - size[1] * 0.44) < 0.06 * size[1]
    assert judge_rgb(frames) == Quality()


def test_the_simulated_cameras_are_well() -> None:
    for stream, judged in (("rgb", judge_rgb), ("thermal", judge_thermal)):
        bench = SimulatedBench(stream)
        bench.source.open()
        bench.advance(3.0)
        frames = bench.delivered().samples if stream == "rgb" else _celsius(bench)
        assert judged(frames[::8]) == Quality()


def _celsius(bench: SimulatedBench) -> NDArray[np.float64]:
    channel = bench.source.info.channels[0]
    return bench.delivered().samples * channel.scale + channel.offset


def test_a_wall_has_no_face_and_that_is_amber() -> None:
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    wall = np.repeat((100 + 60 * ((x // 40 + y // 40) % 2))[..., np.newaxis], 3, axis=2).astype(np.uint8)
    quality = judge_rgb(np.stack([wall] * 3))
    assert quality.codes == ("no_face",) and quality.level == "look"
    assert judge_rgb(wall, with_face=False) == Quality()


def test_a_face_in_half_of_the_pictures_is_enough() -> None:
    frames = faces()
    frames[2:] = frames[2:, :, ::-1] // 2 + 60
    frames[2:, 40:200] = 110
    assert "no_face" not in judge_rgb(frames).codes
    frames[1, 40:200] = 110
    assert judge_rgb(frames).codes == ("no_face",)


@pytest.mark.parametrize(
    ("gain", "code", "level"), [(0.02, "dark", "act"), (0.22, "dark", "look"), (1.6, "bright", "look")]
)
def test_too_little_and_too_much_light_are_told(gain: float, code: str, level: str) -> None:
    quality = judge_rgb(np.minimum(faces() * gain, 255).astype(np.uint8))
    assert quality.codes == (code,) and quality.level == level


def test_black_white_and_empty_pictures_are_red() -> None:
    for grey, code in ((0, "dark"), (255, "bright"), (128, "flat")):
        quality = judge_rgb(np.full((*SIZE, 3), grey, np.uint8))
        assert quality.codes == (code,) and quality.level == "act"


def test_a_warm_face_in_a_cool_room_is_well() -> None:
    assert judge_thermal(thermal(34.0)) == Quality()
    assert judge_thermal(np.stack([thermal(34.0)] * 5)) == Quality()


@pytest.mark.parametrize(
    ("picture", "code", "level"),
    [
        (thermal(26.0), "no_face", "look"),
        (np.full((60, 80), 23.0), "flat", "act"),
        (thermal(34.0) * 40, "implausible", "look"),
        (thermal(34.0) - 273.15, "implausible", "look"),
        (thermal(34.0, room_c=33.0), "too_warm", "look"),
    ],
)
def test_thermal_pictures_that_cannot_be_are_told(picture: NDArray, code: str, level: str) -> None:
    quality = judge_thermal(picture)
    assert quality.codes == (code,) and quality.level == level


def test_without_a_scale_only_a_flat_thermal_picture_is_told() -> None:
    assert judge_thermal(thermal(None) * 100 + 27000, unit="counts") == Quality()
    assert judge_thermal(np.full((60, 80), 30000), unit="counts").codes == ("flat",)
