"""Frames in, a row a frame out."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import WrongInput
from emolab.faces.fer import CLASSES
from emolab.faces.reader import FaceTrack, joined, read, stream
from tests.faces import people


@pytest.fixture(scope="module")
def track() -> FaceTrack:
    """A second each of a neutral face, a bright one, nobody, and two."""
    second = [people.portrait(), people.portrait(light=1.6), people.empty(), people.two()]
    frames = np.stack(people.noisy([picture for picture in second for _ in range(15)]))
    return read(frames, np.arange(60) / 15, people.ByLight(), people.detector())


def test_a_row_a_frame_with_numbers_only_where_there_is_one_face(track: FaceTrack) -> None:
    assert len(track) == 60 and track.probabilities.shape == (60, 7) and track.boxes.shape == (60, 4)
    assert track.count.tolist() == [1] * 30 + [0] * 15 + [2] * 15
    for column in (track.probabilities, track.boxes, track.confidence[:, None]):
        assert (np.isfinite(column).all(1) == (track.count == 1)).all()
        assert (np.isnan(column).all(1) == (track.count != 1)).all()


def test_each_row_is_what_the_model_said_of_that_frame(track: FaceTrack) -> None:
    said = [CLASSES[at] for at in track.probabilities[:30].argmax(1)]
    assert said == ["neutral"] * 15 + ["happy"] * 15
    np.testing.assert_allclose(track.probabilities[:30].sum(1), 1, rtol=1e-5)


def test_a_stream_gives_the_same_in_pieces(track: FaceTrack) -> None:
    second = [people.portrait(), people.portrait(light=1.6), people.empty(), people.two()]
    frames = people.noisy([picture for picture in second for _ in range(15)])
    pieces = list(
        stream(zip(np.arange(60) / 15, frames, strict=True), people.ByLight(), people.detector(), piece=7)
    )
    assert [len(piece) for piece in pieces] == [7] * 8 + [4]
    whole = joined(pieces)
    for name in ("times_s", "probabilities", "boxes", "confidence", "count", "detected"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(track, name))


def test_a_stretch_is_cut_out_by_time(track: FaceTrack) -> None:
    part = track.between(1.0, 2.0)
    assert len(part) == 15 and part.times_s[0] == 1.0 and (part.count == 1).all()


def test_nothing_gives_nothing() -> None:
    nothing = read(np.zeros((0, 48, 64, 3), np.uint8), np.zeros(0), people.ByLight(), people.Counting())
    assert len(nothing) == 0 and nothing.probabilities.shape == (0, 7)


def test_frames_need_their_times_and_colours() -> None:
    for shape, times in (((3, 48, 64), 3), ((3, 48, 64, 3), 2)):
        with pytest.raises(WrongInput, match="a time for each"):
            read(np.zeros(shape, np.uint8), np.zeros(times), people.ByLight(), people.Counting())
