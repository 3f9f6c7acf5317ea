"""How a laboratory's two cameras lie to one another: `STUDY/thermal_calibration.json`.

    {"schema": 1, "made_utc": "…", "recorded": "2026-11-21", "rgb": {…}, "thermal": {…}, "pairs": 240,
     "residual_px": 1.1, "head_px": 47.2, "map": {…}}

`rgb`, `thermal`: `{"model", "shape"}` of the cameras it holds for. `recorded`: the day of the recording it
was fitted to; whose it was is not in it. `map`: `signals.thermal.calibration.Calibration`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError, DataError
from emolab.core.stream import StreamInfo
from emolab.signals.thermal.calibration import Calibration
from emolab.study import kept

SCHEMA = 1
FILE = "thermal_calibration.json"
WORDS = ("recorded", "made_utc")
NUMBERS = ("pairs", "residual_px", "head_px")


@dataclass(frozen=True)
class ThermalCalibration:
    """The facts; see the file's docstring. `pairs`: moments compared, of which `map["points"]` agree."""

    map: Mapping[str, Any]
    rgb: Mapping[str, Any]
    thermal: Mapping[str, Any]
    pairs: int
    residual_px: float
    head_px: float
    recorded: str = ""
    made_utc: str = ""

    @property
    def calibration(self) -> Calibration:
        """The map itself."""
        return Calibration.from_dict(self.map)

    @property
    def day(self) -> str:
        """When it was made, to the day."""
        return self.made_utc[:10]

    def to_json(self) -> str:
        """All of it, as in the file."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1, allow_nan=False)

    def other_cameras(self, rgb: StreamInfo, thermal: StreamInfo) -> str:
        """Why it does not hold for two cameras; empty when it does."""
        pairs = (("colour", self.rgb, rgb), ("thermal", self.thermal, thermal))
        for name, meant, info in pairs:
            if (there := camera(info)) != meant:
                return f"it is of another {name} camera, {_shown(meant)}; this is {_shown(there)}"
        return ""


def camera(info: StreamInfo) -> dict[str, Any]:
    """What a camera is known by: another one, or another size of its picture, lies differently."""
    return {"model": str(info.instrument.get("model", "")), "shape": list(info.sample_shape[:2])}


def path_of(study: Path) -> Path:
    """Where the calibration of a study lies."""
    return study / FILE


def write(path: Path, made: ThermalCalibration) -> None:
    """Keep it, in the place of an older one. Raises `ConfigError` where nothing can be written."""
    try:
        kept.write_whole(path, made.to_json().encode())
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror or error}); choose another place with --out"
        ) from error


def read(path: Path) -> ThermalCalibration:
    """What a file holds. Raises `ConfigError` when there is none, or something else in it."""
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no {path}; make it with 'emolab calibrate thermal SESSION'") from error
    except (OSError, ValueError, DataError) as error:
        again = "make it again with 'emolab calibrate thermal SESSION'"
        raise ConfigError(f"{path} is no calibration of two cameras ({error}); {again}") from error


def parsed(text: str) -> ThermalCalibration:
    """What a file's text tells. Raises `ValueError` or `DataError` when it is no calibration."""
    try:
        told = json.loads(text)
        if told["schema"] != SCHEMA:
            raise ValueError(f"schema {told['schema']!r} is of another emolab")
        rgb, thermal = _camera(told["rgb"]), _camera(told["thermal"])
        pairs, residual_px, head_px = (float(told[name]) for name in NUMBERS)
        recorded, made_utc = (str(told[name]) for name in WORDS)
        mapped = Calibration.from_dict(told["map"]).to_dict()
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if not all(math.isfinite(number) and number >= 0 for number in (pairs, residual_px, head_px)):
        raise ValueError("a number is none")
    return ThermalCalibration(mapped, rgb, thermal, int(pairs), residual_px, head_px, recorded, made_utc)


def _camera(told: Mapping[str, Any]) -> dict[str, Any]:
    high, wide = (int(side) for side in told["shape"])
    return {"model": str(told["model"]), "shape": [high, wide]}


def _shown(told: Mapping[str, Any]) -> str:
    high, wide = told["shape"]
    return f"{told['model'] or 'a camera without a name'} with {wide}×{high} px"
