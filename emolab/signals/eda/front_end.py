"""How a converter's counts become microsiemens: what stands between the skin and the pin.

    GroveGsr(bits=12, open_counts=2048).conductance_us(counts)

Only who built or measured a board knows its front end: without one, counts stay counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from emolab.core.errors import ConfigError
from emolab.signals.measures import Array

GROVE_OHM = 10_000.0


@dataclass(frozen=True)
class Linear:
    """A front end whose output is proportional to conductance: constant voltage over the skin.

    `gain_us`: microsiemens a count, negative where counts fall; `offset_us`: at zero counts.
    """

    gain_us: float
    offset_us: float = 0.0

    def __post_init__(self) -> None:
        if not np.isfinite([self.gain_us, self.offset_us]).all() or self.gain_us == 0.0:
            raise ConfigError(
                f"a gain of {self.gain_us} µS a count measures nothing; give what was calibrated"
            )

    def conductance_us(self, counts: ArrayLike) -> Array:
        """Microsiemens, same shape."""
        return np.asarray(counts, np.float64) * self.gain_us + self.offset_us


@dataclass(frozen=True)
class Divider:
    """Skin and a resistor in series between supply and ground, the pin between them.

    With x the share of the supply at the pin, counts / `full_counts`: `skin` at the supply gives
    x / (1 − x) / R, `skin` at the ground (1 − x) / x / R. `full_counts`: what the supply itself would
    read, 1024 for ten bits. Where no current or no resistance is left it is NaN.
    """

    resistor_ohm: float
    full_counts: float = 1024.0
    skin: Literal["supply", "ground"] = "supply"

    def __post_init__(self) -> None:
        if not (self.resistor_ohm > 0.0 and self.full_counts > 0.0):
            raise ConfigError(f"a divider needs a resistor and a range above zero, not {self}")

    def conductance_us(self, counts: ArrayLike) -> Array:
        """Microsiemens, same shape."""
        share = np.asarray(counts, np.float64) / self.full_counts
        over, under = (share, 1.0 - share) if self.skin == "supply" else (1.0 - share, share)
        return _ratio(1e6 * over, self.resistor_ohm * under)


@dataclass(frozen=True)
class GroveGsr:
    """Seeed's Grove GSR 1.2, as PhysioKit uses it: counts fall when conductance rises.

    Skin resistance is (2^bits + 2 counts) · 10 kΩ / (open − counts). `open_counts`: what it reads without
    fingers, half the range as delivered and where its potentiometer was set otherwise; measure it, since
    all depends on it. Source: Seeed's wiki, Grove - GSR Sensor; its factor for ten bits, in general.
    """

    bits: int = 10
    open_counts: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.open < 2.0**self.bits:
            raise ConfigError(f"open_counts {self.open_counts} is outside of {self.bits} bits")

    @property
    def open(self) -> float:
        """What it reads without fingers."""
        return 2.0 ** (self.bits - 1) if self.open_counts is None else self.open_counts

    def conductance_us(self, counts: ArrayLike) -> Array:
        """Microsiemens, same shape; below zero where counts are above `open_counts`."""
        read = np.asarray(counts, np.float64)
        return _ratio(1e6 * (self.open - read), GROVE_OHM * (2.0**self.bits + 2.0 * read))


FrontEnd = Linear | Divider | GroveGsr


def _ratio(over: Array, under: Array) -> Array:
    known = np.isfinite(under) & (under > 0.0)
    return np.divide(over, under, out=np.full(np.shape(over), np.nan), where=known)
