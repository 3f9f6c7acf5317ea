"""The kernel's test camera in its 16-bit grey format, as a thermal core offers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emolab.devices.thermal_camera import ThermalCamera
from tests.guest.recorded import recorded

FRAMES = 25


def measure(folder: Path) -> dict[str, Any]:
    """Record into `thermal.h5`."""
    table = {"kind": "thermal_camera", "name": "warmth", "source": 0}
    radiometry = {"form": "linear", "kelvin_per_count": 0.01}
    with recorded(
        "warmth",
        lambda clock: ThermalCamera.from_config({**table, "radiometry": radiometry}, clock),
        folder / "thermal.h5",
    ) as take:
        take.wait_for_samples(FRAMES)
        return take.facts()
