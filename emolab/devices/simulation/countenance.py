"""What the simulated participant's face shows of what is felt, and when it is in the picture at all.

Mostly the face shows what is felt. Of the first five clips of a session one is met with a straight face,
one with the opposite of what is then reported, and during most of one the participant is out of the
picture: so every verdict of `emolab validate` is seen even in the shortest session. Later ones are now
and then like that, too, and in long clips the participant sometimes bends down for a few seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from emolab.devices.simulation.ease import Array

Manner = Literal["shown", "masked", "contrary", "away"]

# which of the first five clips are met how, as far as what is reported of them allows it
DECKS: tuple[tuple[Manner, ...], ...] = (
    ("shown", "contrary", "away", "masked", "shown"),
    ("shown", "masked", "away", "contrary", "shown"),
    ("contrary", "shown", "away", "shown", "masked"),
    ("masked", "shown", "shown", "contrary", "away"),
)
LATER: dict[Manner, float] = {"shown": 0.8, "masked": 0.1, "contrary": 0.1}
CLEAR = 0.25  # of ±1; less is no expression
OPPOSITE = 1.0
BEND_S = 0.7  # to be gone, and to be back
AWAY_SHARE = 0.68  # of a clip: less than half of it is left to see
BRIEF_S = (2.0, 4.0)
BRIEF_SHARE = 0.4  # of long clips
LONG_S = 15.0


@dataclass
class Gone:
    """Out of the picture from `start_s` to `end_s`, session clock; on the way `BEND_S` before and after."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Look:
    """How a clip is met: `valence` is what the face shows of it, −1..1."""

    manner: Manner
    valence: float

    @property
    def expression(self) -> str:
        """What one would call it."""
        if abs(self.valence) < CLEAR:
            return "neutral"
        return "smile" if self.valence > 0 else "frown"


@dataclass
class Countenance:
    """The face of one session; `rng` decides."""

    rng: np.random.Generator
    gone: list[Gone] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._deck = list(DECKS[self.rng.integers(len(DECKS))])

    def meet(self, felt: float, said: int, start_s: float, duration_s: float) -> Look:
        """Look at what comes; `felt`: the valence, `said`: the rank of the state reported afterwards.

        `start_s`: nothing shows before.
        """
        manner = self._next(said)
        valence = {"masked": 0.0, "contrary": -float(np.sign(said)) * OPPOSITE}.get(manner, felt)
        if manner == "away":
            from_s = start_s + BEND_S
            self.gone.append(Gone(from_s, from_s + AWAY_SHARE * duration_s))
        elif duration_s >= LONG_S and self.rng.random() < BRIEF_SHARE:
            from_s = start_s + duration_s * self.rng.uniform(0.2, 0.6)
            self.gone.append(Gone(from_s, from_s + self.rng.uniform(*BRIEF_S)))
        return Look(manner, valence)

    def stop(self, at_s: float) -> None:
        """What was going on ends at `at_s`: who is out of the picture comes back, nobody goes any more."""
        self.gone = [away for away in self.gone if away.start_s - BEND_S < at_s]
        for away in self.gone:
            away.end_s = min(away.end_s, max(at_s, away.start_s))

    def presence(self, times_s: Array) -> Array:
        """1 in the picture, 0 out of it, between on the way, at each of `times_s`."""
        present = np.ones(len(times_s))
        for away in self.gone[-2:]:
            off_s = np.maximum(away.start_s - times_s, times_s - away.end_s)
            way = np.clip(off_s / BEND_S, 0.0, 1.0)
            present = np.minimum(present, way * way * (3 - 2 * way))
        return present

    def away(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """Stretches of `[start_s, end_s)` in which nobody is in the picture."""
        met = [(max(away.start_s, start_s), min(away.end_s, end_s)) for away in self.gone]
        return [(from_s, until_s) for from_s, until_s in met if from_s < until_s]

    def _next(self, said: int) -> Manner:
        drawn = self._deck
        if not drawn:
            manners = list(LATER)
            drawn = [manners[self.rng.choice(len(manners), p=list(LATER.values()))]]
        # nothing contradicts a report of nothing, and no face is straighter than that of nothing felt
        manner = next((one for one in drawn if said or one in ("shown", "away")), None)
        if manner is None:
            return "shown"
        drawn.remove(manner)
        return manner
