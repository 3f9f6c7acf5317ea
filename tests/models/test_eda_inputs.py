"""What the networks take is the signal it is said to be, within the limits it is said to have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from emolab.core.errors import DataError
from emolab.models.eda_inputs import as_rows, authors_curves, curves, enlarged, signal_image


def wave(seconds: float, frequency_hz: float, rate_hz: int = 50) -> np.ndarray:
    """A sine, or a ramp where the frequency is 0."""
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return times_s if frequency_hz == 0 else np.sin(2 * np.pi * frequency_hz * times_s)


def test_curves_begin_after_three_seconds_and_are_each_z_scored() -> None:
    channels = np.stack([wave(43, 0.1), 5 + 100 * wave(43, 0), np.full(2150, 3.3)])
    channels[:, :150] = 1e6
    found = curves(channels, 50)
    assert found.shape == (3, 2500) and found.dtype == np.float32
    np.testing.assert_allclose(found[:2].mean(1), 0, atol=1e-3)
    np.testing.assert_allclose(found[:2].std(1), 1, atol=1e-2)
    np.testing.assert_allclose(np.diff(found[1]), np.diff(found[1]).mean(), rtol=1e-3)
    assert (found[2] == 0).all()


def test_curves_of_2500_samples_are_the_signal_itself() -> None:
    channel = np.random.default_rng(0).standard_normal(2500)
    channel = (channel - channel.mean()) / channel.std()
    np.testing.assert_allclose(curves(channel[None], 50, from_s=0)[0], channel, atol=1e-6)


def test_neither_unit_nor_offset_of_a_signal_changes_its_curves_and_picture() -> None:
    channels = np.random.default_rng(0).standard_normal((3, 2000)).cumsum(1)
    np.testing.assert_allclose(curves(channels, 50), curves(channels * 7 - 3, 50), atol=1e-5)
    np.testing.assert_allclose(signal_image(channels, 50), signal_image(channels * 7 - 3, 50), atol=1e-5)


@pytest.mark.parametrize("shape", [(30, 50), (60, 50), (300, 64)])
def test_enlarging_is_what_torch_does(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).random((3, *shape))
    expected = functional.interpolate(torch.from_numpy(images)[None], (224, 224), mode="bilinear")[0]
    np.testing.assert_allclose(enlarged(images, 224, 224), expected.numpy(), atol=1e-12)


def test_rows_read_one_after_the_other_are_the_signal() -> None:
    channels = np.random.default_rng(0).random((3, 1520))
    rows = as_rows(channels, 50)
    assert rows.shape == (3, 30, 50)
    np.testing.assert_array_equal(rows.reshape(3, -1), channels[:, :1500])


@pytest.mark.parametrize(
    ("seconds", "expected"), [(30, (0.9996, 0.996, 0.87, 0.0)), (60, (0.9999, 0.998, 0.90, 0.0))]
)
def test_a_signal_image_follows_slow_signals_and_loses_quick_ones(
    seconds: int, expected: tuple[float, ...]
) -> None:
    found = []
    for frequency_hz in (0, 0.05, 0.3, 2):
        signal = wave(seconds, frequency_hz)
        read = signal_image(signal[None], 50, from_s=0).ravel()
        stretched = np.interp(np.linspace(0, len(signal) - 1, len(read)), np.arange(len(signal)), signal)
        found.append(np.corrcoef(read, stretched)[0, 1])
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_a_signal_image_goes_from_0_to_1_and_a_flat_channel_is_0() -> None:
    channels = np.stack([wave(45, 0.05), np.full(2250, 0.1), wave(45, 0) * 1e-6 + 5])
    image = signal_image(channels, 50)
    assert image.shape == (3, 224, 224) and image.dtype == np.float32
    assert image.min() >= 0 and image.max() <= 1
    assert (image[1] == 0).all()
    assert image[2, 0, 0] < 0.02 and image[2, -1, -1] > 0.98


def test_the_second_that_is_not_whole_and_the_first_fifteen_are_not_in_the_picture() -> None:
    signal = wave(45.9, 0)
    signal[-45:], signal[:750] = signal[750:795], 1e9
    np.testing.assert_allclose(
        signal_image(signal[None], 50), signal_image(signal[None, :-45], 50), rtol=1e-6
    )


@pytest.mark.parametrize(("row", "rows", "samples"), [(50, None, 4000), (87, 87, 8064), (100, 100, 10384)])
def test_the_authors_way_scrambles_quick_curves_and_keeps_slow_ones(
    row: int, rows: int | None, samples: int
) -> None:
    ramp = np.arange(samples, dtype=float)
    found = authors_curves(np.stack([ramp, np.sin(ramp / 3)]), 50, row, rows)
    assert found.shape == (2, 2500)
    straight = curves(np.stack([ramp, np.sin(ramp / 3)]), 50)
    slow, quick = (np.corrcoef(found[k], straight[k])[0, 1] for k in range(2))
    assert slow > 0.99
    assert abs(quick) < 0.2


@pytest.mark.parametrize("make", [curves, signal_image, authors_curves])
@pytest.mark.parametrize(
    ("channels", "rate_hz", "complaint"),
    [
        (np.zeros((3, 300)), 50, "leave the trial out"),
        (np.zeros((3, 0)), 50, "leave the trial out"),
        (np.zeros(3000), 50, "must be"),
        (np.full((3, 3000), np.nan), 50, "NaN"),
        (np.zeros((3, 3000)), 0, "rate"),
    ],
)
def test_what_can_give_no_input_is_told(
    make: object, channels: np.ndarray, rate_hz: float, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        make(channels, rate_hz)  # type: ignore[operator]


def test_rows_that_cannot_be_filled_and_a_second_of_half_samples_are_told() -> None:
    with pytest.raises(DataError, match="do not fill 87 rows of 87"):
        authors_curves(np.zeros((3, 4000)), 128, 87, 87)
    with pytest.raises(DataError, match="whole number of samples"):
        signal_image(np.zeros((3, 4000)), 51.2)
