"""One face followed between detections: as exact as detecting each frame, and much less work."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emolab.core.errors import ConfigError
from emolab.faces.detect import Found
from emolab.faces.track import EVERY, Sight, crop, follow
from tests.faces import people


def counts(sights: list[tuple[float, Sight]]) -> list[int]:
    return [sight.count for _, sight in sights]


def test_a_face_that_sways_is_followed_to_where_the_detector_finds_it() -> None:
    frames = people.noisy(
        [people.portrait(x=40 * math.sin(at / 5), y=15 * math.sin(at / 7)) for at in range(41)]
    )
    detector = people.Counting()
    seen = list(follow(people.timed(frames), detector))
    assert [time_s for time_s, _ in seen] == [at / 30 for at in range(41)]
    assert detector.asked == 5 and sum(sight.detected for _, sight in seen) == 5
    each = list(follow(people.timed(frames), people.Counting(), every=1))
    boxes, exact = (np.array([sight.box for _, sight in sights]) for sights in (seen, each))
    assert np.abs(boxes - exact).mean() < 3 and np.abs(boxes - exact).max() < 12  # px, of a face of 110
    assert all(sight.confidence > 0.9 for _, sight in seen)


@pytest.mark.parametrize("gone", [range(13, 41), range(14, 25), range(16, 18)])
def test_a_face_that_goes_is_missed_at_its_very_frame(gone: range) -> None:
    frames = people.noisy([people.empty() if at in gone else people.portrait() for at in range(41)])
    seen = list(follow(people.timed(frames), people.detector()))
    assert counts(seen) == [0 if at in gone else 1 for at in range(41)]
    assert all((sight.box is None) == (sight.count != 1) for _, sight in seen)


def test_a_face_that_is_covered_is_missed() -> None:
    frames = people.noisy([people.portrait() for _ in range(31)])
    frames[12:18] = [people.covered(frame) for frame in frames[12:18]]
    assert counts(list(follow(people.timed(frames), people.detector()))) == [1] * 12 + [0] * 6 + [1] * 13


@pytest.mark.parametrize("first", range(8, 13))
def test_a_second_face_that_stays_for_a_third_of_a_second_is_noticed_at_once(first: int) -> None:
    there = range(first, first + EVERY)
    frames = people.noisy([people.two() if at in there else people.portrait() for at in range(31)])
    seen = list(follow(people.timed(frames), people.detector()))
    assert counts(seen) == [2 if at in there else 1 for at in range(31)]


def test_without_a_face_only_every_tenth_frame_is_detected() -> None:
    detector = people.Counting(lambda frame: Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)))
    seen = list(follow(people.timed([people.empty(64, 48)] * 101), detector))
    assert detector.asked == 11 and counts(seen) == [0] * 101


def test_frames_that_cannot_be_read_keep_their_places() -> None:
    picture = people.portrait()
    frames = [None, None, *[picture] * 4, None, *[picture] * 12, None]
    seen = list(follow(people.timed(frames), people.detector()))
    assert len(seen) == len(frames)
    assert counts(seen) == [0 if frame is None else 1 for frame in frames]
    assert [time_s for time_s, _ in seen] == [at / 30 for at in range(len(frames))]
    assert counts(list(follow(people.timed([None, None]), people.detector()))) == [0, 0]
    assert list(follow([], people.detector())) == []


@pytest.mark.parametrize("length", [1, 2, EVERY, EVERY + 1, EVERY + 2])
def test_as_many_sights_as_frames_however_few(length: int) -> None:
    frames = [people.portrait()] * length
    assert counts(list(follow(people.timed(frames), people.detector()))) == [1] * length


def test_a_crop_at_the_edge_goes_on_with_the_edge() -> None:
    frame = np.repeat(np.arange(100, dtype=np.uint8)[:, None, None], 100, 1).repeat(3, 2)
    whole = crop(frame, np.array([26, 26, 74, 74 + 48 * (1 / 0.94 - 1)], np.float32))
    assert whole.shape == (48, 48) and whole.dtype == np.uint8
    above = crop(frame, np.array([10, -60, 50, 20], np.float32))
    assert above.shape == (48, 48) and above[:24].max() == 0 and above[-1].min() > 10
    assert crop(frame, np.array([200, 200, 240, 250], np.float32)).max() == 0


def test_never_is_no_interval() -> None:
    with pytest.raises(ConfigError, match="1 detects each"):
        list(follow([], people.Counting(), every=0))
