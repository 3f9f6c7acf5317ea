"""Skin conductance of a whole recording as models take it: evened out, turned and decomposed once, then cut.

    whole = Recorded(even(line))
    own = whole.window(start_s, end_s)              # its samples; refused where too little can be used
    whole.channels(start_s, end_s)                  # (3, n): origin, phasic, tonic
    Recordings(study).of(ref)                       # the recording in which a trial was heard

Learning from a study and judging a session both cut here, so that a clip is the same numbers to both. A clip
alone is too short to tell whether counts fall when conductance rises, and has two edges of its own.
Nothing of it is kept on disk: to decompose an hour takes a hundredth of a second, and whoever withdraws from
a study is to leave nothing outside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.datasets.dataset import TrialRef
from emolab.datasets.sessions import Line, Sessions
from emolab.signals.eda.conductance import Conductance, conductance
from emolab.signals.eda.convex import standardise
from emolab.signals.eda.features import SHORTEST_S
from emolab.training.trial_inputs import Skin, channels_of

GOOD_SHARE = 0.5  # of a window, what must be usable

Array = NDArray[np.float64]


def even(line: Line) -> Conductance:
    """A recorded channel on an even grid, upwards as conductance, by what is known of its converter.

    Raises `DataError` where nothing can come of it, as `conductance` does.
    """
    known: dict[str, Any] = {}
    if "ends" in line.known:
        low, high = (float(end) for end in line.known["ends"])  # type: ignore[arg-type]
        known["adc_range"] = (low, high)
    if "falls" in line.known:
        known["is_falling"] = bool(line.known["falls"][0])
    return conductance(line.values, line.times_s, str(line.known["unit"][0]), **known)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recording's `skin`, decomposed when it is first asked for and no more than once."""

    skin: Conductance

    def window(self, start_s: float, end_s: float) -> Skin:
        """The samples of a stretch of the session clock.

        Raises `DataError` where less than half can be used, it is shorter than 10 s, or flat.
        """
        share = self.skin.good_share(start_s, end_s)
        if share < GOOD_SHARE:
            raise DataError(f"{share:.0%} of the skin conductance can be used; {GOOD_SHARE:.0%} are needed")
        first, last = self.skin.rows(start_s, end_s)
        own = Skin(self.skin.values[first:last], self.skin.rate_hz)
        if own.length_s < SHORTEST_S:
            raise DataError(f"{own.length_s:.1f} s are too short; {SHORTEST_S:g} s are needed")
        standardise(own.values)  # one that is flat says nothing
        return own

    def channels(self, start_s: float, end_s: float) -> Array:
        """`(3, n)`: origin, phasic and tonic there, of the z-scored whole.

        Raises `DataError` when the whole cannot be decomposed.
        """
        whole, trouble = self._decomposed
        if whole is None:
            raise DataError(trouble)
        first, last = self.skin.rows(start_s, end_s)
        return whole[:, first:last]

    @cached_property
    def _decomposed(self) -> tuple[Array | None, str]:
        """The channels of the whole, or why there are none."""
        try:
            return channels_of(Skin(self.skin.values, self.skin.rate_hz)), ""
        except DataError as error:
            return None, str(error)


class Recordings:
    """The recordings of a study, one at a time: its trials come recording by recording."""

    def __init__(self, study: Sessions) -> None:
        self._study = study
        self._held: tuple[Path, Recorded] | None = None

    def of(self, ref: TrialRef) -> Recorded:
        """That in which a trial was heard. Raises `DataError` when it has no skin conductance to use."""
        path = self._study.one(ref).recording
        if self._held is None or self._held[0] != path:
            self._held = path, Recorded(even(self._study.whole(ref)))
        return self._held[1]
