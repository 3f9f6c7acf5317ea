"""The loops over a coarse picture against OpenCV's, which they stand in for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from emolab.signals.thermal.candidates import close, number
from emolab.signals.thermal.find import closed_mask


def pictures(count: int = 40):
    """Noise and blobs, of every density, from one pixel on."""
    rng = np.random.default_rng(3)
    yield np.ones((1, 1), np.uint8)
    yield np.zeros((7, 1), np.uint8)
    yield np.indices((9, 12)).sum(axis=0).astype(np.uint8) % 2  # as many regions as there can be
    for at in range(count):
        noise = rng.random(tuple(rng.integers(1, 60, 2))).astype(np.float32)
        if at % 2:
            noise = cv2.blur(noise, (5, 5)).reshape(noise.shape)
        yield (noise > np.quantile(noise, rng.random())).astype(np.uint8)


@pytest.mark.parametrize("warm", list(pictures()))
def test_rims_are_closed_and_regions_numbered_as_opencv_does(warm: np.ndarray):
    closed = warm.copy()
    close(closed, np.zeros_like(closed))
    assert np.array_equal(closed, closed_mask(warm.view(bool)))
    labels = np.full(warm.shape, 99, np.int32)
    found = number(warm, labels, np.zeros(warm.size // 2 + 2, np.int32))
    count, expected = cv2.connectedComponents(warm, connectivity=4)
    assert found == count - 1
    assert np.array_equal(labels, expected)
