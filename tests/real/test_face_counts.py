"""facenet-pytorch's own pictures: as many faces as there are, and no more.

timesler/facenet-pytorch @ 787da06, `data/multiface.jpg` (6) and `data/test_images/*/1.jpg` (1 each; one
of them has two more at p ≤ .85 with the least face of the library, 20 px).
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.faces import people

ROOT = os.environ.get("EMOLAB_REAL_DATA")
WHERE = Path(ROOT) / "facenet-pytorch" / "data" if ROOT else Path("nowhere")
PICTURES = sorted(WHERE.glob("test_images/*/1.jpg"))

pytestmark = pytest.mark.skipif(
    not PICTURES, reason="set EMOLAB_REAL_DATA to a folder with facenet-pytorch/data/test_images"
)


def confidences(path: Path) -> list[float]:
    picture = cv2.imread(str(path))
    assert picture is not None
    found = people.detector().find(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8))
    return [round(float(p), 3) for p in found.confidence]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.parent.name)
def test_a_portrait_has_one_face(path: Path) -> None:
    found = confidences(path)
    assert len(found) == 1 and found[0] > 0.9, found


def test_six_people_are_six() -> None:
    found = confidences(WHERE / "multiface.jpg")
    assert len(found) == 6 and min(found) > 0.9, found
