"""Faces found in pictures of a real one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from emolab.core.errors import WrongInput
from emolab.faces.detect import Mtcnn
from tests.faces import people


def test_the_face_is_found_where_it_is() -> None:
    found = people.detector().find(people.portrait())
    assert found.boxes.dtype == found.confidence.dtype == np.float32
    assert found.boxes.shape == (1, 4) and found.confidence[0] > 0.99
    np.testing.assert_allclose(found.boxes[0], people.FACE_PX, atol=8)


def test_a_face_that_moves_takes_its_box_along() -> None:
    here = people.detector().find(people.portrait()).boxes[0]
    there = people.detector().find(people.portrait(x=120, y=60)).boxes[0]
    np.testing.assert_allclose(there - here, [120, 60, 120, 60], atol=6)


def test_two_faces_are_two_the_larger_first() -> None:
    picture = people.two()
    picture[:, :320] = people.empty()[:, :320]
    picture[200:350, 60:170] = people.portrait()[:300:2, 110:330:2]
    found = people.detector().find(picture)
    assert len(found) == 2
    heights = found.boxes[:, 3] - found.boxes[:, 1]
    assert heights[0] > 1.5 * heights[1]


@pytest.mark.parametrize("light", [0.4, 1.0, 1.5])
@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1280, 720)])
def test_one_face_is_one_at_any_light_and_size(size: tuple[int, int], light: float) -> None:
    assert len(people.detector().find(people.portrait(width=size[0], height=size[1], light=light))) == 1


def test_where_there_is_no_face_none_is_found() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    for picture in (people.empty(), noise, people.covered(people.portrait()), people.empty(20, 15)):
        found = people.detector().find(picture)
        assert len(found) == 0 and found.boxes.shape == (0, 4)


def test_what_is_no_picture_is_told() -> None:
    with pytest.raises(WrongInput, match=r"uint8 \(h, w, 3\) RGB"):
        people.detector().find(people.empty()[..., 0])


def test_torch_works_with_one_thread() -> None:
    people.detector()  # or nothing is to be tested
    import torch

    torch.set_num_threads(2)
    Mtcnn()
    assert torch.get_num_threads() == 1


def test_without_torch_the_install_command_is_named() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['torch'] = None\n"
            "from emolab.core.errors import MissingExtra\n"
            "from emolab.faces.detect import Mtcnn\n"
            "try: Mtcnn()\n"
            "except MissingExtra as error: print(error)",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "pip install 'emolab[faces]'" in done.stdout, done.stderr
