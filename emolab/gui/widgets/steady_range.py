"""Limits of an axis that follow a signal without twitching."""

from __future__ import annotations

MARGIN = 0.08  # air above and below, as a share of the signal's range
LOOSE = 0.5  # the axis is too wide when the signal fills less than this of it
PATIENCE_S = 2.0  # and has done so for this long


class SteadyRange:
    """Widens at once when the signal leaves the axis; narrows only when it was too wide for a while.

    `least`: the smallest range shown, so that the noise of a flat line does not fill the plot.
    """

    def __init__(self, least: float = 1e-6) -> None:
        self._least = least
        self._limits: tuple[float, float] | None = None
        self._loose_since_s: float | None = None

    def update(self, low: float, high: float, now_s: float) -> tuple[float, float]:
        """The limits to show, given the signal's `low` and `high` in the window at `now_s`."""
        wanted = self._around(low, high)
        if self._limits is None or low < self._limits[0] or high > self._limits[1]:
            self._set(wanted)
        elif (wanted[1] - wanted[0]) > LOOSE * (self._limits[1] - self._limits[0]):
            self._loose_since_s = None
        elif self._loose_since_s is None or now_s < self._loose_since_s:
            self._loose_since_s = now_s
        elif now_s - self._loose_since_s >= PATIENCE_S:
            self._set(wanted)
        assert self._limits is not None
        return self._limits

    def forget(self) -> None:
        """Fit the next values exactly."""
        self._limits = None

    def _set(self, limits: tuple[float, float]) -> None:
        self._limits, self._loose_since_s = limits, None

    def _around(self, low: float, high: float) -> tuple[float, float]:
        least = max(self._least, 1e-6 * max(abs(low), abs(high)))
        spare = max(high - low, least)
        centre, half = (low + high) / 2, spare * (0.5 + MARGIN)
        return centre - half, centre + half
