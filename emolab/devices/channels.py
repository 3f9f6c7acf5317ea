"""Which quantity each channel of a board carries, as written in a device file.

    channels = ["gsr", "respiration", "ppg_finger", "ppg_ear"]       # in the board's order
    channels = ["gsr", { name = "belt_2", kind = "respiration" }]    # a name of one's own

    [instrument.scaling]                        # value = raw * scale + offset, in unit
    gsr = { unit = "uS", scale = -0.054, offset = 27.65 }    # counts that fall when conductance rises

Without scaling a channel stays in raw counts: a scale nobody measured is worse than none. Which way counts
of skin conductance go can be said all the same; where it is not, the analysis guesses it and tells so:

    gsr = { falls = true }                      # counts fall when skin conductance rises; false: they rise

A PhysioKit's fall and need no such word. Of counts that fall a positive scale would make microsiemens that
fall, too, so that all that is said of skin conductance would be its opposite: it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from emolab.core.stream import KINDS, Channel
from emolab.devices.config import did_you_mean

SKIN = "eda"
SIEMENS = ("S", "mS", "uS", "µS", "μS", "us", "nS", "siemens", "microsiemens")
CHANNEL_KINDS = {
    "gsr": SKIN,
    "eda": SKIN,
    "respiration": "respiration",
    "ppg": "ppg",
    "ppg_finger": "ppg",
    "ppg_ear": "ppg",
}


class NamedChannel(BaseModel):
    """A channel whose name is the laboratory's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: str


class Scaling(BaseModel):
    """`value = raw * scale + offset`, in `unit`. `falls`: whether counts fall when skin conductance rises."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str = "counts"
    scale: float = 1.0
    offset: float = 0.0
    falls: bool | None = None


def make_channels(
    entries: Sequence[str | NamedChannel], scaling: Mapping[str, Scaling], grove_of: str = ""
) -> tuple[Channel, ...]:
    """The channels in the board's order. `grove_of`: the board, where its skin conductance is a Grove GSR's.

    Raises `ValueError` (which `read_keys` turns into a `ConfigError`) when a name is unknown or
    comes twice, or when `scaling` speaks of a channel that is not there, of a way to fall that it has not,
    or turns skin conductance upside down.
    """
    channels: list[Channel] = []
    for entry in entries:
        name = entry if isinstance(entry, str) else entry.name
        kind = _kind(entry)
        if name in (channel.name for channel in channels):
            raise ValueError(f"channel {name!r} comes twice; each needs its own name")
        how = scaling.get(name, Scaling())
        if how.falls is not None and kind != SKIN:
            raise ValueError(f"channel {name!r} is no skin conductance, so 'falls' says nothing; take it out")
        if kind == SKIN:
            _check_way(name, how, grove_of)
        falls = None if how.falls is None else how.falls != (how.scale < 0)  # of values, as `Channel` has it
        channels.append(Channel(name, kind, how.unit, how.scale, how.offset, falls))
    names = [channel.name for channel in channels]
    for name in scaling:
        if name not in names:
            raise ValueError(f"scaling speaks of channel {name!r}{did_you_mean(name, names)}")
    return tuple(channels)


def _check_way(name: str, how: Scaling, grove_of: str) -> None:
    """Refuse conductance that would fall when conductance rises."""
    if how.unit not in SIEMENS or how.scale <= 0 or how.falls is False or not (how.falls or grove_of):
        return
    why = "'falls' says so" if how.falls else f"{grove_of}'s Grove GSR is such a one"
    other = "" if how.falls else ", or say 'falls = false' if another sensor is wired, whose counts rise"
    raise ValueError(
        f"key 'scaling.{name}.scale' is {how.scale:g}, but counts that fall when skin conductance rises "
        f"({why}) need a negative one to become {how.unit}; calibrate it anew, or leave 'unit', 'scale' and "
        f"'offset' out and keep counts{other}"
    )


def _kind(entry: str | NamedChannel) -> str:
    if isinstance(entry, NamedChannel):
        if entry.kind not in KINDS:
            raise ValueError(
                f"channel {entry.name!r}: unknown kind {entry.kind!r}{did_you_mean(entry.kind, KINDS)}"
            )
        return entry.kind
    if entry not in CHANNEL_KINDS:
        raise ValueError(f"unknown channel {entry!r}{did_you_mean(entry, CHANNEL_KINDS)}")
    return CHANNEL_KINDS[entry]
