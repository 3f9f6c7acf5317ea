"""What there is to be found in a simulated body: which state does what to it, and how much it varies.

An effect is a name of `EFFECTS` or a TOML file:

    follows = "report"              # the body answers to the state reported afterwards, or to the "stimulus"
    tau_s = { face_c = 2.0 }        # time constants other than those of `responses`

    [states.less_positive]          # what a state adds to the body at rest; those left out add nothing
    face_c = 0.25

    [spread]                        # SD from clip to clip, and of the rest; left out: NATURAL
    face_c = 0.15

    [persons]                       # SD from person to person of what each state does; left out: none
    face_c = 0.05

The quantities are those of `responses.Response`. What a state adds is approached with the quantity's
time constant, so the mean over a clip is less; a session's truth tells what came of it. The same seed
draws the same variation whatever the effect is, so that two effects can be compared in the same people.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from emolab.core.errors import ConfigError, shown
from emolab.core.label import State, state
from emolab.devices.simulation.responses import CALM, RESPONSES, TAU_S, Response


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Change(_Table):
    """What a state adds, as a file may say it: what no body does is refused."""

    heart_bpm: float = Field(default=0.0, ge=-20.0, le=60.0)
    breath_per_min: float = Field(default=0.0, ge=-6.0, le=15.0)
    depth_ratio: float = Field(default=1.0, ge=0.3, le=3.0)
    scr_per_min: float = Field(default=0.0, ge=-2.0, le=20.0)
    tonic_us: float = Field(default=0.0, ge=-2.0, le=10.0)
    pulse_ratio: float = Field(default=1.0, ge=0.2, le=2.0)
    face_c: float = Field(default=0.0, ge=-3.0, le=3.0)
    nose_c: float = Field(default=0.0, ge=-5.0, le=3.0)
    valence: float = Field(default=0.0, ge=-1.0, le=1.0)


class Spread(_Table):
    """Standard deviations, in the unit of each quantity."""

    heart_bpm: float = Field(default=0.0, ge=0.0, le=10.0)
    breath_per_min: float = Field(default=0.0, ge=0.0, le=4.0)
    depth_ratio: float = Field(default=0.0, ge=0.0, le=0.5)
    scr_per_min: float = Field(default=0.0, ge=0.0, le=5.0)
    tonic_us: float = Field(default=0.0, ge=0.0, le=2.0)
    pulse_ratio: float = Field(default=0.0, ge=0.0, le=0.5)
    face_c: float = Field(default=0.0, ge=0.0, le=1.0)
    nose_c: float = Field(default=0.0, ge=0.0, le=1.0)
    valence: float = Field(default=0.0, ge=0.0, le=0.5)


class Taus(_Table):
    """Time constants; None leaves that of `responses.TAU_S`."""

    heart_bpm: float | None = Field(default=None, gt=0.0, le=300.0)
    breath_per_min: float | None = Field(default=None, gt=0.0, le=300.0)
    depth_ratio: float | None = Field(default=None, gt=0.0, le=300.0)
    scr_per_min: float | None = Field(default=None, gt=0.0, le=300.0)
    tonic_us: float | None = Field(default=None, gt=0.0, le=300.0)
    pulse_ratio: float | None = Field(default=None, gt=0.0, le=300.0)
    face_c: float | None = Field(default=None, gt=0.0, le=300.0)
    nose_c: float | None = Field(default=None, gt=0.0, le=300.0)
    valence: float | None = Field(default=None, gt=0.0, le=300.0)


# Our own assumption, of the size of the effects themselves: thirty seconds differ from the next thirty by
# so much without any reason. No source gives all of them for clips of music.
NATURAL = Spread(
    heart_bpm=2.0,
    breath_per_min=1.0,
    depth_ratio=0.08,
    scr_per_min=1.0,
    tonic_us=0.15,
    pulse_ratio=0.08,
    face_c=0.15,
    nose_c=0.15,
)


class Effect(_Table):
    """See the module's first lines."""

    name: str = ""
    follows: Literal["report", "stimulus"] = "report"
    tau_s: Taus = Taus()
    states: Mapping[str, Change] = Field(default_factory=dict)
    spread: Spread = NATURAL
    persons: Spread = Spread()

    @field_validator("states")
    @classmethod
    def _are_states(cls, states: Mapping[str, Change]) -> Mapping[str, Change]:
        for key in states:
            state(key)
        return states

    def felt(self, intended: State, said: State) -> State:
        """The state the body answers to."""
        return said if self.follows == "report" else intended

    def response(self, felt: State, clip: np.random.Generator, person: np.random.Generator) -> Response:
        """What `felt` does this time; `clip` and `person` draw how it varies."""
        plain = Response(**self.states[felt.key].model_dump()) if felt.key in self.states else CALM
        return self._varied(self._varied(plain, self.persons, person), self.spread, clip)

    def rest(self, rng: np.random.Generator) -> Response:
        """The body at rest, on this day."""
        return self._varied(CALM, self.spread, rng)

    def time_constants_s(self) -> dict[str, float]:
        """That of each quantity."""
        return TAU_S | {name: tau_s for name, tau_s in self.tau_s if tau_s is not None}

    def facts(self) -> dict[str, Any]:
        """For files: all of it, JSON-able."""
        return self.model_dump(mode="json", exclude_none=True)

    @staticmethod
    def _varied(plain: Response, spread: Spread, rng: np.random.Generator) -> Response:
        drawn = rng.standard_normal(len(fields(Response)))  # all of them, used or not: see above
        sizes = [getattr(spread, field.name) for field in fields(Response)]
        if not any(sizes):
            return plain
        moved = {
            field.name: getattr(plain, field.name) + size * float(by)
            for field, size, by in zip(fields(Response), sizes, drawn, strict=True)
        }
        return replace(plain, **moved | {"valence": min(max(moved["valence"], -1.0), 1.0)})


_ALL = {key: Change(**asdict(response)) for key, response in RESPONSES.items()}

# as live simulated sessions have it: every clip of a state does exactly the same
PLAIN = Effect(name="plain", follows="stimulus", states=_ALL, spread=Spread())

EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "lively": Effect(name="lively", follows="stimulus", states=_ALL),
        "none": Effect(name="none"),
        # the paper's finding, at a pace at which no clip warms the next one
        "surprise": Effect(
            name="surprise", states={"less_positive": Change(face_c=0.25)}, tau_s=Taus(face_c=2.0)
        ),
    }
)


def load(name: str) -> Effect:
    """The effect of that name, or in that TOML file. Raises `ConfigError` naming what is wrong."""
    if name in EFFECTS:
        return EFFECTS[name]
    path = Path(name)
    if not path.suffix and not path.is_file():
        raise ConfigError(
            f"there is no effect {name!r}; known are {', '.join(EFFECTS)}, or give the path of a TOML file"
        )
    try:
        return parse(path.read_text(encoding="utf-8-sig"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the effect {path} cannot be read ({error}); give the path of a TOML file"
        ) from error


def parse(text: str, path: str | Path) -> Effect:
    """The same from text; `path` is what the errors call the file."""
    try:
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no TOML ({error}); correct that line") from error
    try:
        return Effect.model_validate({"name": Path(path).stem, **told})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'][:1].lower()}{one['msg'][1:]}, "
            f"not {shown(one['input'])}"
            for one in error.errors()
        )
        raise ConfigError(f"{path}: {wrong}") from error
