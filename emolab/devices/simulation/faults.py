"""What goes wrong with a simulated instrument, when, and for how long.

    faults = [
        { kind = "unplug", at_s = 60, for_s = 5 },         # gone; opening fails until it is back
        { kind = "stall", at_s = 90, for_s = 2 },          # there but silent; its samples are lost
        { kind = "garbage", at_s = 120, for_s = 3, share = 0.5 },    # that share arrives damaged
        { kind = "wrong_rate", at_s = 150, rate_hz = 200 },          # samples at another true rate
        { kind = "clock_drift", at_s = 0, ppm = 120 },               # the device's clock runs fast
    ]

`at_s` counts on the session clock, from the moment the program made it; without `for_s` a fault
lasts until the end.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_OWN_KEYS = {"garbage": "share", "wrong_rate": "rate_hz", "clock_drift": "ppm"}


class Fault(BaseModel):
    """One fault in `[at_s, until_s)`. `rate_hz`, `ppm`, `share`: for the kinds that have them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["unplug", "stall", "garbage", "wrong_rate", "clock_drift"]
    at_s: float = Field(ge=0.0)
    for_s: float = Field(math.inf, gt=0.0)
    rate_hz: float | None = Field(None, gt=0.0)
    ppm: float | None = Field(None, gt=-1e5, lt=1e5)
    share: float | None = Field(None, gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _has_its_own_keys(self) -> Fault:
        own = _OWN_KEYS.get(self.kind)
        for key in _OWN_KEYS.values():
            given = getattr(self, key) is not None
            if given and key != own:
                raise ValueError(f"{key!r} has no meaning for a fault of kind {self.kind!r}; take it out")
            if not given and key == own and key != "share":
                raise ValueError(f"a fault of kind {self.kind!r} needs {key!r}; add it")
        return self

    @property
    def until_s(self) -> float:
        """When it is over."""
        return self.at_s + self.for_s

    def covers(self, time_s: float) -> bool:
        """Whether it lasts at `time_s`."""
        return self.at_s <= time_s < self.until_s
