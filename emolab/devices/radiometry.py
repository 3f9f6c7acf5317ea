"""From the counts of a thermal camera to degrees Celsius.

Raw counts are what is recorded; the parameters lie beside them, so that a wrong emissivity can
be put right in two years. Two forms, written in the device file as `[instrument.radiometry]`:

    form = "linear"            # the camera computes temperature itself (FLIR "TLinear")
    kelvin_per_count = 0.01    # 0.01 or 0.04 as set in the camera; T = counts × this − 273.15

    form = "planck"            # the counts are radiance; constants from the camera's calibration
    R = 1682452.0              # exiftool shows PlanckR1 and PlanckR2: R = R1 / R2
    B = 1501.0
    F = 1.0
    O = -7340.0                # radiance = counts + O
    emissivity = 0.98          # of human skin: Steketee 1973, doi:10.1088/0031-9155/18/5/307
    reflected_c = 22.0         # what the skin mirrors: the walls
    atmospheric_c = 22.0
    transmission = 1.0         # of the air, and of a window if there is one

Planck's law as cameras invert it: a black body at T gives `counts = R / (exp(B/T) − F) − O`, T in
kelvin. The camera sees `counts = ετ·object + (1−ε)τ·reflected + (1−τ)·atmosphere`; the three
weights add up to one, so the offset O needs no separate treatment. Source: FLIR Systems, Toolkit
IC2 Dig16 user guide, "Measurement formula"; Vollmer & Möllmann 2018, Infrared Thermal Imaging, §2.3.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from emolab.core.errors import DataError
from emolab.core.stream import StreamInfo

ZERO_C_K = 273.15


class Linear(BaseModel):
    """The camera's counts are kelvin, times a constant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal["linear"]
    kelvin_per_count: float = Field(gt=0, le=1)


class Planck(BaseModel):
    """The camera's counts are radiance. `transmission` and `emissivity` are above 0, at most 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal["planck"]
    R: float = Field(gt=0)
    B: float = Field(gt=0)
    F: float
    O: float  # noqa: E741 - the manufacturers' letter
    emissivity: float = Field(0.98, gt=0, le=1)
    reflected_c: float = Field(22.0, gt=-ZERO_C_K)
    atmospheric_c: float = Field(22.0, gt=-ZERO_C_K)
    transmission: float = Field(1.0, gt=0, le=1)


Radiometry = Annotated[Linear | Planck, Field(discriminator="form")]


def linear_to_celsius(raw: ArrayLike, params: Linear) -> NDArray[np.float64]:
    """Degrees Celsius of counts that are linear in temperature; any shape."""
    return np.asarray(raw, dtype=np.float64) * params.kelvin_per_count - ZERO_C_K


def planck_to_celsius(raw: ArrayLike, params: Planck) -> NDArray[np.float64]:
    """Degrees Celsius of the object behind counts that are radiance.

    `raw`: any shape. NaN where the counts are below what any object could give: the reflection
    and the air alone would be brighter.
    """
    own, mirrored, air = _weights(params)
    seen = np.asarray(raw, dtype=np.float64)
    background = mirrored * _counts(params.reflected_c, params) + air * _counts(params.atmospheric_c, params)
    signal = (seen - background) / own + params.O
    with np.errstate(divide="ignore", invalid="ignore"):
        kelvin = params.B / np.log(params.R / signal + params.F)
        return np.where(signal > 0, kelvin - ZERO_C_K, np.nan)


def planck_to_counts(celsius: ArrayLike, params: Planck) -> NDArray[np.float64]:
    """The counts a camera with these parameters gives for an object; the inverse of the above."""
    own, mirrored, air = _weights(params)
    background = mirrored * _counts(params.reflected_c, params) + air * _counts(params.atmospheric_c, params)
    return own * _counts(celsius, params) + background


def to_celsius(raw: ArrayLike, info: StreamInfo) -> NDArray[np.float64]:
    """Degrees Celsius of a thermal stream's frames, by what its `info` says.

    Raises `DataError` when the recording holds counts without radiometric parameters.
    """
    stored = info.instrument.get("radiometry")
    if not stored:
        raise DataError(
            f"stream {info.name!r} holds counts without radiometric parameters; "
            "give the camera's as 'form', 'R', 'B', 'F', 'O' or 'kelvin_per_count'"
        )
    params = TypeAdapter[Linear | Planck](Radiometry).validate_python(stored)
    return linear_to_celsius(raw, params) if isinstance(params, Linear) else planck_to_celsius(raw, params)


def _weights(params: Planck) -> tuple[float, float, float]:
    """Shares of the object, of what it mirrors and of the air in what the camera sees; sum 1."""
    own = params.emissivity * params.transmission
    mirrored = (1 - params.emissivity) * params.transmission
    return own, mirrored, 1 - params.transmission


def _counts(celsius: ArrayLike, params: Planck) -> NDArray[np.float64]:
    kelvin = np.asarray(celsius, dtype=np.float64) + ZERO_C_K
    return params.R / (np.exp(params.B / kelvin) - params.F) - params.O
