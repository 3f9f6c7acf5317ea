"""Decomposed skin conductance as the networks take it; arrays in, arrays out, no torch.

    curves(channels, rate_hz)           # RTCAN-1D: (3, n) → (3, 2500), specification 05 §5.1
    signal_image(channels, rate_hz)     # Res-SIN: (3, n) → (3, 224, 224), specification 04 §4.1

`channels` are origin, phasic and tonic of the z-scored signal, decomposed whole and cut afterwards.

The signal image has a row for each second and is then enlarged, so that neighbouring seconds are blended
where time should be stretched. Read row by row it still follows a slow signal (correlation 0.996 at 0.05 Hz)
and no longer a quick one (0.87 at 0.3 Hz, 0 at 2 Hz). `authors_curves` takes the same way for RTCAN-1D.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError

CURVE = 2500  # samples, forced by RTCAN-1D's pooling
CURVES_FROM_S = 3.0  # Yin et al. 2022
IMAGE_FROM_S = 15.0  # Yin et al. 2019; PMEmo's annotations begin there
SHORTEST_S = 5.0
SIDE_PX = 224
ROW = 50  # samples of PMEmo's second
FLAT = 1e-12  # of its size: what varies by less does not vary

Array = NDArray[np.float64]


def curves(channels: ArrayLike, rate_hz: float, from_s: float = CURVES_FROM_S) -> NDArray[np.float32]:
    """Each channel from `from_s` on, z-scored (a flat one is 0), interpolated to 2500 samples.

    `channels`: `(c, n)`, finite. Raises `DataError` when less than 5 s remain.
    """
    rest = _rest(channels, rate_hz, from_s)
    places = np.linspace(0, rest.shape[1] - 1, CURVE)
    own = np.arange(rest.shape[1])
    return np.stack([np.interp(places, own, channel) for channel in _standardised(rest)]).astype(np.float32)


def authors_curves(
    channels: ArrayLike, rate_hz: float, row: int = ROW, rows: int | None = None
) -> NDArray[np.float32]:
    """RTCAN-1D's curves by the way of its authors' program: an image of `row` columns, shrunk, read again.

    PMEmo has rows of 50; DEAP is 87 rows of 87, AMIGOS 100 of 100. What does not fill a row is dropped.
    """
    rest = _rest(channels, rate_hz, CURVES_FROM_S)
    whole = rest.shape[1] // row if rows is None else rows
    if not 0 < whole * row <= rest.shape[1]:
        raise DataError(f"{rest.shape[1]} samples do not fill {max(whole, 1)} rows of {row}; take fewer rows")
    images = _standardised(rest)[:, : whole * row].reshape(len(rest), whole, row)
    return enlarged(images, 50, 50).reshape(len(rest), CURVE).astype(np.float32)


def signal_image(
    channels: ArrayLike, rate_hz: float, side_px: int = SIDE_PX, from_s: float = IMAGE_FROM_S
) -> NDArray[np.float32]:
    """Each channel from `from_s` on as a picture of 0 to 1: a row a second, made `side_px` square.

    `channels`: `(c, n)`, finite, `rate_hz` whole. Returns `(c, side_px, side_px)`; a flat channel is 0, the
    last second is dropped unless whole. Raises `DataError` when less than 5 s remain.
    """
    rest = _rest(channels, rate_hz, from_s)
    row = round(rate_hz)
    if abs(row - rate_hz) > 1e-6:
        raise DataError(f"a second must be a whole number of samples, not {rate_hz:g}; resample it before")
    low, high = rest.min(1, keepdims=True), rest.max(1, keepdims=True)
    span = np.where(_is_flat(rest), np.inf, high - low)
    return enlarged(as_rows((rest - low) / span, row), side_px, side_px).astype(np.float32)


def as_rows(channels: Array, row: int) -> Array:
    """`(c, n)` → `(c, n // row, row)`: reading the picture row by row gives the signal back."""
    seconds = channels.shape[1] // row
    return channels[:, : seconds * row].reshape(len(channels), seconds, row)


def enlarged(images: Array, height: int, width: int) -> Array:
    """Bilinear interpolation between the middles of pixels, as torch's with `align_corners=False`."""
    down, across = _blend(images.shape[1], height), _blend(images.shape[2], width)
    return np.asarray(down @ images @ across.T)


def _blend(old: int, new: int) -> Array:
    """`(new, old)`: how much each old pixel gives to each new one."""
    places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    left = np.minimum(places.astype(int), max(old - 2, 0))
    shares = np.zeros((new, old))
    shares[np.arange(new), left] = 1 - (places - left)
    shares[np.arange(new), np.minimum(left + 1, old - 1)] += places - left
    return shares


def _rest(channels: ArrayLike, rate_hz: float, from_s: float) -> Array:
    found: NDArray[Any] = np.asarray(channels, np.float64)
    if found.ndim != 2:
        raise DataError(f"channels must be (channels, samples), not {found.shape}")
    if not rate_hz > 0:
        raise DataError(f"a rate of {rate_hz} Hz is none")
    rest = found[:, round(from_s * rate_hz) :]
    if rest.shape[1] < SHORTEST_S * rate_hz:
        raise DataError(
            f"{found.shape[1] / rate_hz:.1f} s of skin conductance leave {rest.shape[1] / rate_hz:.1f} s "
            f"after the first {from_s:g}; {SHORTEST_S:g} s are needed: leave the trial out"
        )
    if not np.isfinite(rest).all():
        raise DataError("skin conductance holds NaN or infinity; mend or leave out the trial")
    return rest


def _standardised(channels: Array) -> Array:
    middle = channels.mean(1, keepdims=True)
    return (channels - middle) / np.where(_is_flat(channels), np.inf, channels.std(1, keepdims=True))


def _is_flat(channels: Array) -> NDArray[np.bool_]:
    size = np.abs(channels).max(1, keepdims=True)
    return np.asarray(np.ptp(channels, axis=1, keepdims=True) <= FLAT * size)


class SignalImages:
    """Signal images of many trials, drawn when they are asked for: 7,690 of them are 4.6 GB.

    `images[rows]` is `(k, 3, 224, 224)`. `channels`: `(3, n)` a trial, as `signal_image` takes them.
    """

    def __init__(self, channels: Sequence[ArrayLike], rates_hz: Sequence[float], from_s: float) -> None:
        if len(channels) != len(rates_hz):
            raise DataError(f"{len(channels)} trials need as many rates, not {len(rates_hz)}")
        self._channels = [np.asarray(one, np.float32) for one in channels]
        self._rates_hz = [float(rate_hz) for rate_hz in rates_hz]
        self._from_s = from_s
        self.shape = (len(self._channels), 3, SIDE_PX, SIDE_PX)

    def __len__(self) -> int:
        return len(self._channels)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        """Rows by a slice, a mask or their numbers."""
        which = np.arange(len(self))[rows]
        drawn = np.empty((np.size(which), *self.shape[1:]), np.float32)
        for place, row in enumerate(np.ravel(which)):
            drawn[place] = signal_image(self._channels[row], self._rates_hz[row], from_s=self._from_s)
        return drawn.reshape(*np.shape(which), *self.shape[1:])

    def take(self, rows: Any) -> SignalImages:
        """Some of the trials, none of them drawn."""
        which = np.arange(len(self))[rows].tolist()
        return SignalImages(
            [self._channels[row] for row in which], [self._rates_hz[row] for row in which], self._from_s
        )

    def content(self) -> Iterator[NDArray[Any]]:
        """What the pictures are made of, piece by piece: for a checksum."""
        for channels, rate_hz in zip(self._channels, self._rates_hz, strict=True):
            yield channels
            yield np.array([rate_hz, self._from_s])
