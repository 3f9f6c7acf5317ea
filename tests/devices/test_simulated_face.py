"""The photographed face: what it shows, that a detector sees it, and when it is out of the picture."""

from __future__ import annotations

import math
import sys
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.devices.simulation import photo, scenes
from emolab.devices.simulation.countenance import BEND_S, LONG_S, Countenance, Gone
from emolab.devices.simulation.photo import Photo
from emolab.devices.simulation.portrait import PULSE_SHARE, Portrait, frame_number, is_blinking
from tests.devices.simulated_bench import SimulatedBench

Image = NDArray[np.uint8]
TIME_S = 0.5  # eyes open
MOUTH, EYES = (slice(132, 160), slice(130, 190)), (slice(90, 112), slice(118, 202))
TEETH = (slice(143, 151), slice(146, 172))
CHEEKS = (slice(115, 130), slice(126, 140)), (slice(115, 130), slice(178, 190))


@pytest.fixture(scope="module")
def picture() -> Image:
    pytest.importorskip("skimage", reason="pip install scikit-image, which ships the photograph")
    found = photo.photograph()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def photographed(picture: Image) -> Photo:
    return Photo(320, 240, picture)


@pytest.fixture(params=["photographed", "drawn"])
def either(request: pytest.FixtureRequest) -> Photo | Portrait:
    """Each of the two faces."""
    if request.param == "drawn":
        return Portrait(320, 240)
    made: Photo = request.getfixturevalue("photographed")
    return made


def frame(
    face: Photo | Portrait, smile: float = 0.0, pulse: float = 0.0, presence: float = 1.0, at: float = TIME_S
) -> Image:
    out = np.empty((240, 320, 3), np.uint8)
    face.draw(out, 77, at, smile, pulse, presence)
    return out


def blink_s() -> float:
    return next(at for at in np.arange(0.0, 8.0, 0.01) if is_blinking(at))


def test_it_smiles_with_its_teeth_and_closes_its_lips_else(photographed: Photo) -> None:
    def teeth(smile: float) -> int:
        return int((frame(photographed, smile)[TEETH].min(axis=-1) > 180).sum())

    assert not is_blinking(TIME_S)
    assert teeth(1.0) > 70 > teeth(0.5) > 30
    assert teeth(0.0) < 25 and teeth(-1.0) < 25  # the lower lip shines


def test_its_expressions_pass_into_each_other(photographed: Photo) -> None:
    frames = [frame(photographed, smile).astype(int) for smile in np.linspace(-1, 1, 25)]
    steps = [float(np.abs(b - a)[MOUTH].mean()) for a, b in pairwise(frames)]
    assert min(steps) > 0.2
    assert max(steps) < 12 and max(steps) < float(np.abs(frames[-1] - frames[0])[MOUTH].mean()) / 3


def test_only_the_eyes_blink(photographed: Photo) -> None:
    at_s = blink_s()
    shut, ajar = frame(photographed, at=at_s), frame(photographed, at=at_s - 0.02)
    changed = np.abs(shut.astype(int) - ajar).max(axis=-1) > 40
    assert changed[EYES].sum() > 60
    assert changed.sum() == changed[EYES].sum()


def test_the_face_has_a_pulse(either: Photo | Portrait) -> None:
    pale, flushed = frame(either), frame(either, pulse=1.0)
    for part in CHEEKS:
        share = 1 - flushed[part][..., 1].mean() / pale[part][..., 1].mean()
        assert share == pytest.approx(PULSE_SHARE, rel=0.5)
        assert np.array_equal(flushed[part][..., (0, 2)], pale[part][..., (0, 2)])


def test_who_has_left_leaves_the_wall(either: Photo | Portrait) -> None:
    empty = frame(either, presence=0.0)
    assert np.array_equal(empty, frame(either, 1.0, 1.0, 0.0, 33.0))
    assert empty[:220].astype(int).std(axis=(0, 1)).max() < 25
    left = [
        int((np.abs(frame(either, presence=share).astype(int) - empty).max(axis=-1) > 20).sum())
        for share in (1.0, 0.7, 0.4, 0.1)
    ]
    assert left == sorted(left, reverse=True) and left[0] > 15000
    assert all(frame_number(frame(either, presence=share)) == 77 for share in (1.0, 0.4, 0.0))


@pytest.mark.parametrize("size", [(48, 36), (160, 120), (640, 480), (1280, 720), (200, 640)])
def test_it_fits_any_picture(picture: Image, size: tuple[int, int]) -> None:
    width, height = size
    face, out = Photo(width, height, picture), np.empty((height, width, 3), np.uint8)
    face.draw(out, 5, TIME_S, 1.0, 0.5, breath=1.0)
    middle = out[height * 45 // 100 : height * 55 // 100, width // 2 - 3 : width // 2 + 3]
    red, green, blue = middle.reshape(-1, 3).mean(axis=0)
    assert red > green > blue and red > 150
    assert width < 48 * 2 or frame_number(out) == 5


def test_the_same_moment_gives_the_same_frame_whatever_came_before(picture: Image) -> None:
    one, other = Photo(320, 240, picture), Photo(320, 240, picture)
    for at in range(5):
        frame(other, math.sin(at), 0.5, 1.0 - at / 5, float(at))
    assert np.array_equal(frame(one, -0.4, 0.3), frame(other, -0.4, 0.3))


def test_a_detector_sees_one_face_or_none(photographed: Photo) -> None:
    pytest.importorskip("facenet_pytorch", reason="pip install 'emolab[faces]'")
    from emolab.faces.detect import Mtcnn

    detector = Mtcnn()
    sits = [frame(photographed, math.sin(at), 0.5, 1.0, 1.7 * at) for at in range(12)]
    sits.append(frame(photographed, at=blink_s()))
    assert [len(detector.find(one)) for one in sits] == [1] * len(sits)
    assert min(float(detector.find(one).confidence[0]) for one in sits) > 0.95
    assert [len(detector.find(frame(photographed, presence=share))) for share in (0.3, 0.0)] == [0, 0]


def test_without_scikit_image_the_face_is_drawn_and_the_device_says_so(
    monkeypatch: pytest.MonkeyPatch, picture: Image
) -> None:
    assert SimulatedBench("rgb").source.info.instrument["face"] == "photograph"
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert photo.photograph() is None
    assert SimulatedBench("rgb").source.info.instrument["face"] == "drawn"


def test_the_picture_is_asked_for_only_when_a_camera_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("nobody films")

    monkeypatch.setattr(scenes, "photograph", refuse)
    for stream in ("board", "thermal", "audio"):
        SimulatedBench(stream)


def faces(n: int = 300) -> list[Countenance]:
    return [Countenance(np.random.default_rng([5, seed])) for seed in range(n)]


def away() -> tuple[Countenance, Gone]:
    """Somebody who is out of the picture for most of a clip from 10 to 40 s."""
    for face in faces():
        while face.meet(0.0, 0, 10.0, 30.0).manner != "away":
            face.gone.clear()
        if len(face.gone) == 1:
            return face, face.gone[0]
    raise AssertionError("nobody went")


def test_the_first_five_clips_show_every_manner() -> None:
    for face in faces():
        said = (-2, -1, 0, 1, 2)
        looks = [face.meet(rank / 2, rank, 20.0 * number, 5.0) for number, rank in enumerate(said)]
        assert sorted(look.manner for look in looks) == ["away", "contrary", "masked", "shown", "shown"]


def test_nothing_contradicts_a_neutral_report() -> None:
    for face in faces(50):
        assert {face.meet(0.0, 0, 20.0 * at, 5.0).manner for at in range(8)} == {"shown", "away"}


def test_later_clips_are_mostly_shown_and_never_missed() -> None:
    manners = [face.meet(1.0, 2, 40.0 * at, 30.0).manner for face in faces(100) for at in range(20)]
    later = [manner for number, manner in enumerate(manners) if number % 20 >= 5]
    assert "away" not in later
    assert 0.7 < later.count("shown") / len(later) < 0.9
    assert min(later.count("masked"), later.count("contrary")) > 50


@pytest.mark.parametrize(
    ("felt", "said", "shown", "contrary"),
    [
        (1.0, 2, "smile", "frown"),
        (-1.0, -2, "frown", "smile"),
        (0.7, -1, "smile", "smile"),
        (0.0, 1, "neutral", "frown"),
    ],
)
def test_the_expression_is_named_as_it_is(felt: float, said: int, shown: str, contrary: str) -> None:
    named = {"shown": shown, "away": shown, "masked": "neutral", "contrary": contrary}
    for face in faces(40):
        for look in [face.meet(felt, said, 0.0, 5.0) for _ in range(5)]:
            assert look.expression == named[look.manner]


@pytest.mark.parametrize("duration_s", [5.0, 12.0, 30.0, 60.0])
def test_an_absence_leaves_less_than_half_of_its_clip_and_a_short_one_more(duration_s: float) -> None:
    times_s = np.arange(0.0, duration_s, 0.1)
    brief = 0
    for face in faces():
        look = face.meet(1.0, 2, 0.8, duration_s)
        seen = (face.presence(times_s) > 0.5).mean()
        if look.manner == "away":
            assert seen < 0.45
        else:
            assert seen > 0.7
            brief += len(face.gone)
    assert (brief > 0) == (duration_s >= LONG_S)


def test_going_and_coming_back_take_a_moment() -> None:
    face, gone = away()
    times_s = np.arange(0.0, 60.0, 0.01)
    presence = face.presence(times_s)
    assert presence[0] == presence[-1] == 1.0 and gone.start_s - BEND_S >= 10.0
    assert np.abs(np.diff(presence)).max() < 0.03
    assert np.array_equal(presence == 0.0, (times_s >= gone.start_s) & (times_s <= gone.end_s))
    assert face.away(0.0, gone.start_s + 1.0) == [(gone.start_s, gone.start_s + 1.0)]


def test_what_comes_next_brings_everybody_back() -> None:
    face, _ = away()
    before = face.presence(np.arange(0.0, 15.0, 0.1))
    face.stop(15.0)
    assert face.away(0.0, 100.0)[-1][1] == 15.0
    assert np.array_equal(face.presence(np.arange(0.0, 15.0, 0.1)), before)
    assert face.presence(np.array([15.0 + BEND_S]))[0] == 1.0


def test_the_truth_tells_expression_contradiction_and_absence() -> None:
    bench = SimulatedBench("board", seed=3)
    bench.source.open()
    for number, state in enumerate(
        ("most_negative", "less_negative", "neutral", "less_positive", "most_positive")
    ):
        bench.person.hear(f"c{number}", state, bench.clock.now_s(), 6.0)
        bench.advance(bench.clock.now_s() + 12.0)
        bench.person.answer(f"c{number}", state, bench.clock.now_s(), 8.0)
    truth = bench.person.truth(zero_s=0.0)
    faces_told = [clip["face"] for clip in truth["clips"]]
    assert sorted(told["manner"] for told in faces_told) == ["away", "contrary", "masked", "shown", "shown"]
    for clip, told, answer in zip(truth["clips"], faces_told, truth["answers"], strict=True):
        assert told["contradicts"] == (told["manner"] == "contrary")
        if told["contradicts"]:
            assert told["expression"] == ("smile" if "negative" in answer["state"] else "frown")
        if told["manner"] == "masked":
            assert told["expression"] == "neutral" and answer["state"] != "neutral"
        assert bool(told["away"]) == (told["manner"] == "away")
        if told["away"]:
            (start_s, end_s), clip_end_s = told["away"][0], clip["onset_s"] + clip["duration_s"]
            assert clip["onset_s"] < start_s < end_s <= clip_end_s
            assert truth["away"][0][0] == start_s
