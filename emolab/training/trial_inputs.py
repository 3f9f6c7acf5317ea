"""One trial as a model takes it: skin conductance decomposed whole, cut, and brought to its size.

    skin = Skin(values, 4.0)
    channels = channels_of(skin, cache)                         # (3, n): origin, phasic, tonic
    curves_of(skin, channels)                                   # RTCAN-1D
    figures_of(skin, cache)                                     # the 128 hand-crafted ones

What a corpus recorded before the stimulus is decomposed with it; up to 3 s of it are kept, since those are
what RTCAN-1D's curves drop: of DEAP, as in its authors' program, the whole minute remains. Signal images
begin 15 s after the stimulus. The figures are of 50 samples a second, whatever the corpus has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.datasets.cache import ArrayCache
from emolab.models.classifier import Input
from emolab.models.eda_inputs import CURVES_FROM_S, IMAGE_FROM_S, authors_curves, curves, signal_image
from emolab.signals.eda.convex import ALPHA, GAMMA, KNOT_S, TAU_FAST_S, TAU_SLOW_S, cvxeda, standardise
from emolab.signals.eda.features import SHORTEST_S, features_of_phasic, hand_crafted

Variant = Literal["reference", "authors"]
Component = Literal["phasic", "tonic"]

FIGURES_HZ = 50.0  # PMEmo's, which the list of figures was written for
COMPONENT_LOW_PASS_HZ = 0.6  # Yin et al. 2019, before the regression
REMEMBERED = 2  # periods of its frequency, after which that filter has forgotten all but a hundredth
NOTHING = 1e-6  # of the whole's deviation; what the solver leaves of a part with nothing in it is 1e-12
PLAIN_FIGURES = 28  # of the 128, those that are no MFCC
POINTS = 100  # of a waveform
OF_NYQUIST = 0.8  # of half the points' rate, where a waveform is cut: a fourth order is not steep
_CVXEDA: Mapping[str, float] = {
    "tau_slow_s": TAU_SLOW_S,
    "tau_fast_s": TAU_FAST_S,
    "knot_s": KNOT_S,
    "alpha": ALPHA,
    "gamma": GAMMA,
}

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Skin:
    """Skin conductance of a trial: `values` `(n,)` at `rate_hz`, of which `rest` samples before it began."""

    values: Array
    rate_hz: float
    rest: int = 0

    @property
    def length_s(self) -> float:
        """Of the trial, without its rest."""
        return (len(self.values) - self.rest) / self.rate_hz

    @property
    def lead(self) -> int:
        """Samples of the rest that are kept."""
        return min(self.rest, round(CURVES_FROM_S * self.rate_hz))

    @property
    def lead_s(self) -> float:
        """The same in seconds."""
        return self.lead / self.rate_hz


def channels_of(skin: Skin, cache: ArrayCache | None = None) -> Array:
    """`(3, n)`: origin, phasic and tonic of the z-scored whole, from the kept part of the rest on.

    Raises `DataError` for what is flat, too short, or no number.
    """
    whole = standardise(skin.values)

    def made() -> dict[str, Array]:
        parts = cvxeda(whole, skin.rate_hz, workers=1)
        return {"phasic": parts.phasic, "tonic": parts.tonic}

    parameters = {**_CVXEDA, "rate_hz": skin.rate_hz}
    parts = made() if cache is None else cache.get_or_make("cvxeda", {"y": whole}, parameters, made)
    found = np.stack([whole, parts["phasic"], parts["tonic"]])
    if not np.isfinite(found).all():
        raise DataError("its skin conductance cannot be decomposed; look at the signal")
    return found[:, skin.rest - skin.lead :]


def curves_of(
    skin: Skin,
    channels: Array,
    variant: Variant = "reference",
    row: int | None = None,
    rows: int | None = None,
) -> NDArray[np.float32]:
    """`(3, 2500)` for RTCAN-1D; `authors` with pictures of `row` columns, a second each when not given."""
    if variant == "reference":
        return curves(channels, skin.rate_hz)
    return authors_curves(channels, skin.rate_hz, row or round(skin.rate_hz), rows)


def networks_input(
    wanted: Input,
    skin: Skin,
    channels: Array,
    variant: Variant = "reference",
    row: int | None = None,
    rows: int | None = None,
) -> NDArray[np.float32]:
    """What a network takes: curves as `curves_of`, or of a signal image the channels it is drawn from.

    Raises `DataError` for what is too short; of a picture that is known before it is drawn.
    """
    if len(wanted.shape) != 3:
        return curves_of(skin, channels, variant, row, rows)
    signal_image(channels, skin.rate_hz, from_s=IMAGE_FROM_S + skin.lead_s)
    return channels.astype(np.float32)


def figures_of(skin: Skin, cache: ArrayCache | None = None, variant: Variant = "reference") -> Array:
    """The 128 hand-crafted figures of the trial. Raises `DataError` for what is flat or too short."""
    own = skin.values[skin.rest :]
    standardise(own)  # a flat signal has figures, but says nothing

    def made() -> dict[str, Array]:
        return {"figures": hand_crafted(at_50_hz(own, skin.rate_hz), FIGURES_HZ, variant)}

    parameters = {"rate_hz": skin.rate_hz, "variant": variant}
    found = made() if cache is None else cache.get_or_make("hand_crafted_at_50", {"y": own}, parameters, made)
    return np.asarray(found["figures"], np.float64)


def component_figures_of(skin: Skin, channels: Array, component: Component) -> Array:
    """The 28 figures that are no MFCC of the tonic or phasic part below 0.6 Hz (specification 03 §3.6).

    The z-score is that before the decomposition: one after it would leave of mean and deviation nothing but
    rounding. Raises `DataError` for what is flat or too short.
    """
    smooth = _smooth(skin, channels, component, COMPONENT_LOW_PASS_HZ)
    return features_of_phasic(at_50_hz(smooth, skin.rate_hz))[:PLAIN_FIGURES]


def component_waveform_of(skin: Skin, channels: Array, component: Component) -> Array:
    """`(100,)`: the tonic or phasic part below 0.6 Hz, then z-scored, from its first sample to its last.

    Of trials over 67 s, of which so many points cannot hold 0.6 Hz, it is cut lower, at 0.8 of what they can.
    Raises as the figures do.
    """
    rate_hz = POINTS / max(channels.shape[1] - skin.lead, 1) * skin.rate_hz
    low_pass_hz = min(COMPONENT_LOW_PASS_HZ, OF_NYQUIST * rate_hz / 2)
    smooth = _smooth(skin, channels, component, low_pass_hz, round(REMEMBERED * skin.rate_hz / low_pass_hz))
    at = np.linspace(0, len(smooth) - 1, POINTS)
    return np.interp(at, np.arange(len(smooth)), standardise(smooth))


def _smooth(
    skin: Skin, channels: Array, component: Component, low_pass_hz: float, beyond: int | None = None
) -> Array:
    """A part of the trial below a frequency: Butterworth, fourth order, forwards and backwards.

    `beyond`: for so many samples it is continued, mirrored in its end points; None for SciPy's few. Raises
    `DataError` for what is too short, and where nothing is in the part: the whole has a deviation of 1.
    """
    from scipy.signal import butter, sosfiltfilt

    part = channels[{"phasic": 1, "tonic": 2}[component], skin.lead :]
    if len(part) < SHORTEST_S * skin.rate_hz:
        raise DataError(f"{len(part) / skin.rate_hz:.1f} s are too short; {SHORTEST_S:g} s are needed")
    low = butter(4, low_pass_hz, fs=skin.rate_hz, output="sos")
    padding = None if beyond is None else min(beyond, len(part) - 1)
    smooth = np.asarray(sosfiltfilt(low, part, padlen=padding), np.float64)
    if smooth.std() < NOTHING:
        raise DataError(f"its {component} part is flat and says nothing")
    return smooth


def at_50_hz(values: Array, rate_hz: float) -> Array:
    """The signal at 50 samples a second, band-limited; as it is when it has them."""
    ratio = Fraction(FIGURES_HZ / rate_hz).limit_denominator(1000)
    if ratio == 1:
        return values
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(values, ratio.numerator, ratio.denominator, padtype="line"), np.float64)
