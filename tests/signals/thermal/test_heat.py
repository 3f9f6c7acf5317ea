"""Faces of known warmth are read to a tenth of a degree; what is no whole face gives no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.devices.simulation.heat import ROOM_C, HeatPicture
from emolab.signals.thermal.heat import HEAT_FEATURES, NO_FACE, SOUND, FaceHeat, read_heat
from tests.devices.simulated_bench import SimulatedBench
from tests.signals.thermal.made import Person, picture

SIZES = [(80, 60), (160, 120), (320, 240), (640, 480)]
COUNTS = {"scale": 0.01, "offset": -273.15}
RATE_HZ = 9.0
EXACT_C = 0.1


def film(
    people: list[Person | None], size: tuple[int, int] = (160, 120), things: tuple[str, ...] = ()
) -> NDArray[Any]:
    return np.stack([picture(one, *size, things, seed).celsius for seed, one in enumerate(people)])


def times(frames: NDArray[Any], rate_hz: float = RATE_HZ) -> NDArray[np.float64]:
    return np.arange(len(frames)) / rate_hz


def read(frames: NDArray[Any], **keys: Any) -> FaceHeat:
    return read_heat(frames, times(frames), **keys)


@pytest.mark.parametrize("size", SIZES)
def test_the_simulated_face_is_read_to_a_tenth_of_a_degree(size: tuple[int, int]) -> None:
    drawn, n = HeatPicture(*size), 24
    at_s = np.arange(n) / RATE_HZ
    face_c, nose_c = 34.4 + 0.3 * np.sin(at_s), 33.0 - 0.6 * np.sin(at_s / 2)
    breath = np.sin(2 * np.pi * 0.25 * at_s)
    heat = read_heat(drawn.draw(np.arange(n), face_c, nose_c, breath, 5), at_s, **COUNTS)
    assert heat.is_sound.all()
    assert np.abs(heat.forehead_c - face_c).max() < EXACT_C
    assert np.abs(heat.nose_c - nose_c).max() < EXACT_C
    for row in range(n):
        clean = drawn._room * ROOM_C + drawn._face * face_c[row] + drawn._nose * nose_c[row]
        clean -= drawn._nostrils * (0.25 * breath[row])
        assert heat.face_mean_c[row] == pytest.approx(clean[drawn._room == 0].mean(), abs=EXACT_C)
        assert heat.face_max_c[row] == pytest.approx(clean.max(), abs=EXACT_C)
    middle = heat.boxes[:, :2] / 2 + heat.boxes[:, 2:] / 2
    assert np.abs(middle - np.array(size) / 2).max() < 0.03 * size[1]


def test_the_simulated_participants_film_is_read_from_its_stream() -> None:
    bench = SimulatedBench("thermal")
    bench.source.open()
    bench.advance(6.0)
    chunk, channel = bench.delivered(), bench.source.info.channels[0]
    heat = read_heat(chunk.samples, chunk.times_s, scale=channel.scale, offset=channel.offset)
    start_s, end_s = float(chunk.times_s[0]), float(chunk.times_s[-1])
    truth, figures = bench.person.means(start_s, end_s), heat.over(start_s, end_s)
    assert heat.good_share(start_s, end_s) > 0.99
    assert figures["forehead_t_mean"] == pytest.approx(truth["face_c"], abs=EXACT_C)
    assert figures["nose_t_mean"] == pytest.approx(truth["nose_c"], abs=EXACT_C)
    assert figures["nose_t_below"] == pytest.approx(truth["face_c"] - truth["nose_c"], abs=EXACT_C)


PEOPLE = {
    "with hair": Person(),
    "bald": Person(hair_c=None),
    "with warm hair": Person(hair_c=31.0),
    "with glasses": Person(glasses_c=26.0),
    "with a beard": Person(beard_c=30.0),
    "whose nose is warm": Person(nose_c=34.8),
    "whose nose is cold": Person(nose_c=31.0),
    "in a warm pullover": Person(clothes_c=32.0),
    "in a scarf": Person(hair_c=None, has_neck=False, clothes_c=25.0),
    "near": Person(tall=0.7),
    "far": Person(tall=0.32),
    "aside": Person(x=-0.3, y=0.1),
    "tilting the head": Person(turn_deg=12.0),
    "tilting it to the other side": Person(turn_deg=-12.0),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_a_person_is_read_to_two_tenths_of_a_degree(who: str) -> None:
    for size in SIZES[:3]:
        shown = picture(PEOPLE[who], *size)
        heat = read(np.stack([picture(PEOPLE[who], *size, seed=seed).celsius for seed in range(4)]))
        assert heat.is_sound.all()
        assert heat.face_mean_c.mean() == pytest.approx(shown.face_mean_c, abs=0.2)
        assert heat.nose_c.mean() == pytest.approx(shown.nose_mean_c, abs=0.25)
        assert heat.face_max_c.mean() == pytest.approx(shown.clean[shown.skin].max(), abs=0.35)
        assert abs(heat.boxes[:, [0, 2]].mean() - shown.middle_px[0]) < 0.06 * shown.width_px


@pytest.mark.parametrize("things", [("radiator",), ("lamp",), ("screen",), ("other",), ("window",)])
def test_warm_things_behind_are_no_face_and_change_none(things: tuple[str, ...]) -> None:
    alone = read(film([Person()] * 3))
    beside = read(film([Person()] * 3, things=things))
    assert beside.is_sound.all()
    np.testing.assert_allclose(beside.face_mean_c, alone.face_mean_c, atol=0.05)
    np.testing.assert_allclose(beside.nose_c, alone.nose_c, atol=0.1)
    assert not read(film([None] * 3, things=things)).is_sound.any() or things == ("other",)


def test_an_empty_room_has_no_face() -> None:
    heat = read(film([None] * 5))
    assert heat.shares() == {reason: float(reason == "no face") for reason in heat.shares()}
    assert np.isnan(list(heat.over(0.0, 0.5).values())).all()
    assert heat.good_share(0.0, 0.5) == 0.0


def test_a_face_is_followed_where_it_goes() -> None:
    way = 0.3 * np.sin(np.arange(60) / 12.0)
    people = [Person(x=float(x), y=0.05 * float(np.cos(4 * x)), turn_deg=20.0 * float(x)) for x in way]
    shown = [picture(one, 160, 120, seed=seed) for seed, one in enumerate(people)]
    heat = read(np.stack([one.celsius for one in shown]))
    assert heat.is_sound.all()
    found = heat.boxes[:, [0, 2]].mean(axis=1)
    off = np.abs(found - [one.middle_px[0] for one in shown])
    assert off.max() < 0.12 * shown[0].width_px
    assert np.abs(heat.face_mean_c - [one.face_mean_c for one in shown]).max() < 0.15
    assert heat.over(0.0, 60 / RATE_HZ)["face_move"] > 0.3
    assert read(film([Person()] * 30)).over(0.0, 30 / RATE_HZ)["face_move"] < 0.06


def seen(rate_hz: float, px_a_s: float, seconds: float = 30.0) -> FaceHeat:
    """A face 40 px wide that goes to the right, its box a third of a pixel off in each frame."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    off = 0.33 * np.random.default_rng(3).standard_normal((len(times_s), 4))
    boxes = np.array([20.0, 20.0, 60.0, 80.0]) + off
    boxes[:, [0, 2]] += px_a_s * times_s[:, np.newaxis]
    warm = np.full(len(times_s), 34.0)
    return FaceHeat(times_s, warm, warm, warm, warm, boxes, np.full(len(times_s), SOUND, np.uint8))


@pytest.mark.parametrize("rate_hz", [9.0, 27.0])
def test_how_much_a_face_moves_does_not_grow_with_the_frames_a_second(rate_hz: float) -> None:
    assert seen(rate_hz, 0.0).over(0.0, 30.0)["face_move"] < 0.015
    assert seen(rate_hz, 10.0).over(0.0, 30.0)["face_move"] == pytest.approx(10.0 / 40.0, rel=0.05)


def test_the_way_while_nobody_is_seen_is_not_counted() -> None:
    heat = seen(9.0, 10.0)
    heat.reasons[90:180] = NO_FACE
    heat.boxes[180:, [0, 2]] += 30.0
    assert heat.over(0.0, 30.0)["face_move"] == pytest.approx(0.25, rel=0.05)
    assert np.isnan(heat.over(0.0, 0.4)["face_move"])


def test_somebody_who_leaves_is_lost_and_found_again() -> None:
    people: list[Person | None] = [Person()] * 10 + [Person(x=0.9)] + [None] * 12 + [Person(x=-0.1)] * 10
    heat = read(film(people))
    assert heat.is_sound[:10].all() and heat.is_sound[23:].all()
    assert not heat.is_sound[10:23].any()
    assert heat.good_share(0.0, 33 / RATE_HZ) == pytest.approx(20 / 33, abs=0.01)
    assert np.isnan(heat.over(11 / RATE_HZ, 22 / RATE_HZ)["face_t_mean"])


@pytest.mark.parametrize("person", [Person(x=-0.62), Person(x=0.62), Person(y=-0.4), Person(y=-0.3)])
def test_a_face_cut_off_by_the_border_does_not_count(person: Person) -> None:
    heat = read(film([person] * 4))
    assert not heat.is_sound.any()
    assert heat.shares()["face cut off"] > 0.5


def test_a_constant_is_added_to_every_figure_and_moves_no_region() -> None:
    people = [Person(x=0.01 * k, nose_c=32.0 + 0.1 * k) for k in range(12)]
    frames = film(people).astype(np.float32)
    plain, warmer = read(frames), read(frames + np.float32(8.0))
    np.testing.assert_allclose(warmer.boxes, plain.boxes, atol=1e-9)
    for before, after in ((plain.face_mean_c, warmer.face_mean_c), (plain.nose_c, warmer.nose_c)):
        np.testing.assert_allclose(after - before, 8.0, atol=2e-4)
    one, other = plain.over(0.0, 2.0), warmer.over(0.0, 2.0)
    for name in ("face_t_max", "face_t_mean", "nose_t_mean", "forehead_t_mean"):
        assert other[name] - one[name] == pytest.approx(8.0, abs=2e-4)
    assert other["nose_t_below"] == pytest.approx(one["nose_t_below"], abs=2e-4)


def test_counts_and_degrees_say_the_same() -> None:
    frames = film([Person()] * 6)
    counts = np.rint((frames + 273.15) / 0.01).astype(np.uint16)
    one, other = read(frames), read(counts, **COUNTS)
    np.testing.assert_allclose(one.face_mean_c, other.face_mean_c, atol=0.01)
    np.testing.assert_allclose(one.nose_c, other.nose_c, atol=0.01)


def test_a_film_may_come_whole_or_in_pieces() -> None:
    frames = film([Person(x=0.01 * k) for k in range(10)])

    def pieces() -> Iterator[NDArray[Any]]:
        yield frames[:3]
        yield frames[3]
        yield frames[4:]

    whole = read(frames)
    for given in (pieces(), lambda start, stop: frames[start:stop], list(frames)):
        heat = read_heat(given, times(frames))
        np.testing.assert_array_equal(heat.face_mean_c, whole.face_mean_c)
        np.testing.assert_array_equal(heat.boxes, whole.boxes)


def test_frames_frozen_by_the_shutter_do_not_count() -> None:
    frames = film([Person()] * 30)
    frames[10:16] = frames[9]
    heat = read(frames)
    assert (heat.reasons == 4).nonzero()[0].tolist() == list(range(10, 16))
    assert heat.shares()["frozen"] == pytest.approx(0.2)


def test_a_core_that_repeats_each_frame_thrice_is_not_frozen() -> None:
    frames = np.repeat(film([Person()] * 8), 3, axis=0)
    assert read_heat(frames, times(frames, 27.0)).is_sound.all()


def test_a_shut_shutter_and_broken_numbers_are_told_apart() -> None:
    frames = film([Person()] * 8)
    frames[3] = 30.0
    frames[5] = np.nan
    frames[6, ::17, ::13] = np.nan  # dead pixels
    frames[7, 10, 10] = np.inf
    heat = read(frames)
    assert [heat.reasons[3], heat.reasons[5]] == [5, 3]
    assert heat.is_sound[[0, 1, 2, 4, 6, 7]].all()
    np.testing.assert_allclose(heat.face_mean_c[[6, 7]], heat.face_mean_c[0], atol=0.05)


def test_the_face_may_be_told_by_another_camera() -> None:
    shown = picture(Person(x=0.1), 160, 120)
    half_w, half_h = shown.width_px / 2, 1.35 * shown.width_px / 2
    x, y = shown.middle_px
    boxes = np.tile([x - half_w, y - half_h, x + half_w, y + half_h], (5, 1))
    boxes[3] = np.nan
    heat = read(film([Person(x=0.1)] * 5, things=("radiator", "other")), boxes=boxes)
    assert heat.is_sound.tolist() == [True, True, True, False, True]
    np.testing.assert_allclose(heat.face_mean_c[heat.is_sound], shown.face_mean_c, atol=0.15)
    np.testing.assert_allclose(heat.nose_c[heat.is_sound], shown.nose_mean_c, atol=0.15)
    np.testing.assert_allclose(heat.boxes[0], boxes[0], atol=1e-6)


def test_a_hole_in_the_film_is_no_good_time() -> None:
    frames = film([Person()] * 20)
    at_s = times(frames)
    at_s[10:] += 5.0
    heat = read_heat(frames, at_s)
    assert heat.good_share(0.0, float(at_s[-1]) + 1 / RATE_HZ) == pytest.approx(
        (20 / 9) / (20 / 9 + 5), abs=0.02
    )
    assert heat.good_share(2.0, 5.0) == 0.0


def test_every_figure_is_a_feature_and_the_nose_slope_is_told() -> None:
    people = [Person(nose_c=32.5 - 0.02 * k) for k in range(40)]
    figures = read(film(people)).over(0.0, 40 / RATE_HZ)
    assert list(figures) == [feature.name for feature in HEAT_FEATURES]
    assert figures["nose_t_slope"] == pytest.approx(-0.02 * RATE_HZ * 60, rel=0.05)


@pytest.mark.parametrize(
    "frames,at_s,keys,says",
    [
        (np.zeros((0, 60, 80)), [], {}, "no frames"),
        (film([Person()] * 2), [0.0], {}, "more frames"),
        (film([Person()] * 2), [0.0, 0.1, 0.2], {}, "2 frames but 3 times"),
        (film([Person()] * 2), [0.1, 0.0], {}, "do not ascend"),
        (np.zeros((2, 8, 8)), [0.0, 0.1], {}, "are none of"),
        (np.full((2, 60, 80), 22.0), [0.0, 0.1], {}, "is a picture"),
        (np.full((2, 60, 80), np.nan), [0.0, 0.1], {}, "is a picture"),
        (film([Person()] * 2), [0.0, 0.1], {"boxes": np.zeros((3, 4))}, "do not fit"),
        (film([Person()] * 2), [0.0, 0.1], {"scale": 0.0}, "scale"),
        (5, [0.0, 0.1], {}, "give frames"),
    ],
)
def test_what_is_no_film_says_why(frames: Any, at_s: list[float], keys: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_heat(frames, at_s, **keys)


def test_of_many_people_in_cluttered_rooms_nearly_all_are_read() -> None:
    rng, off_c, nose_off_c, people = np.random.default_rng(11), [], [], 60
    for _ in range(people):
        person = Person(
            x=rng.uniform(-0.25, 0.25),
            y=rng.uniform(-0.1, 0.08),
            tall=rng.uniform(0.3, 0.65),
            turn_deg=rng.normal(0.0, 8.0),
            face_c=rng.uniform(33.0, 35.5),
            nose_c=rng.uniform(30.0, 35.0),
            hair_c=None if rng.random() < 0.2 else rng.uniform(25.0, 31.5),
            glasses_c=None if rng.random() < 0.6 else rng.uniform(24.0, 29.0),
            neck_c=rng.uniform(33.5, 35.5),
            clothes_c=rng.uniform(25.0, 32.0),
        )
        things = tuple(one for one in ("radiator", "lamp", "screen", "window", "other") if rng.random() < 0.2)
        shown = picture(person, 160, 120, things, room_c=rng.uniform(18.0, 27.0))
        heat = read_heat(shown.celsius[np.newaxis], [0.0])
        if heat.is_sound[0]:
            off_c.append(abs(heat.face_mean_c[0] - shown.face_mean_c))
            nose_off_c.append(abs(heat.nose_c[0] - shown.nose_mean_c))
    assert len(off_c) >= 0.95 * people
    assert np.median(off_c) < 0.1 and np.percentile(off_c, 90) < 0.3
    assert np.median(nose_off_c) < 0.1 and np.percentile(nose_off_c, 90) < 0.5
