"""Examples keep together what belongs together, and say by a checksum whether they are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.models.eda_inputs import SignalImages, signal_image
from emolab.models.examples import Examples, Rows, whole_trials

RATE_HZ = 4.0


def waves(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, 100 + 8 * k)).astype(np.float32) for k in range(n)]


def made(n: int = 5) -> Examples:
    images = SignalImages(waves(n), [RATE_HZ] * n, 2.0)
    names = [f"s{k // 2}" for k in range(n)], [f"song{k}" for k in range(n)], [f"k{k}" for k in range(n)]
    ratings = [(float(k), -float(k)) for k in range(n)]
    music = np.arange(3.0 * n).reshape(n, 3)
    return whole_trials(
        (images, music), [k % 2 for k in range(n)], ("low", "high"), *names, [30.0] * n, ratings
    )


def test_rows_taken_bring_everything_of_theirs_along() -> None:
    some = made().take([3, 1])
    assert some.keys.tolist() == ["k3", "k1"] and some.subjects.tolist() == ["s1", "s0"]
    assert some.labels.tolist() == [1, 1] and some.songs.tolist() == ["song3", "song1"]
    assert some.inputs[1][:].tolist() == [[9, 10, 11], [3, 4, 5]]
    assert some.ratings is not None and some.ratings.tolist() == [[3, -3], [1, -1]]
    assert np.array_equal(some.inputs[0][:], made().inputs[0][np.array([3, 1])])
    masked = made().take(made().labels == 1)
    assert masked.keys.tolist() == ["k1", "k3"] and masked.counts() == {"low": 0, "high": 2}


def test_a_picture_is_drawn_when_it_is_asked_for_and_is_the_one_of_its_trial() -> None:
    images = made().inputs[0]
    assert isinstance(images, Rows) and images.shape == (5, 3, 224, 224) and len(images) == 5
    alone = signal_image(waves(5)[2], RATE_HZ, from_s=2.0)
    assert np.array_equal(images[2], alone) and np.array_equal(images[1:4][1], alone)
    assert np.array_equal(images[np.array([4, 2])][1], alone)


def test_the_digest_is_of_the_content_alone() -> None:
    first, second = made(), made()
    assert first.digest == second.digest and len(first.digest) == 64
    longer = replace(first, keys=first.keys.astype("<U40"))
    assert longer.digest == first.digest
    music = first.inputs[1][:].copy()
    music[4, 2] += 1e-9
    for other in (
        first.take([0, 1, 2, 3]),
        first.take([1, 0, 2, 3, 4]),
        replace(first, inputs=(first.inputs[0], music)),
        replace(first, inputs=(SignalImages(waves(5), [RATE_HZ] * 5, 3.0), first.inputs[1])),
        replace(first, labels=1 - first.labels),
        replace(first, ratings=None),
        replace(first, classes=("high", "low")),
    ):
        assert other.digest != first.digest


def test_what_does_not_fit_together_is_told() -> None:
    good = made()
    with pytest.raises(DataError, match=r"equal numbers, not labels 5, subjects 4"):
        replace(good, subjects=good.subjects[:4])
    with pytest.raises(DataError, match="ratings 2"):
        replace(good, ratings=np.zeros((2, 2)))
    with pytest.raises(DataError, match="places among 2 classes"):
        replace(good, labels=good.labels + 1)
    with pytest.raises(DataError, match="two classes or more"):
        replace(good, classes=("high",))
    with pytest.raises(DataError, match="need as many rates"):
        SignalImages(waves(2), [RATE_HZ], 2.0)
