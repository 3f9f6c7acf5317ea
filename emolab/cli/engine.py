"""`emolab engine`, the process that a console spawns behind it; and an engine of a command's own."""

from __future__ import annotations

import math
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from emolab.cli.arguments import add_lsl, parser, settings
from emolab.core.errors import ConfigError, EmolabError

if TYPE_CHECKING:
    from emolab.session.engine import Engine

OPEN_TIMEOUT_S = 15.0
LOST_PATIENCE_S = 3.0  # a board that has just been plugged in may refuse at first
STOPPED = "stopped before the recording began; nothing was written"


def engine(arguments: list[str]) -> int:
    """Serve windows until told to go. Spawned by `session.client.start_engine`."""
    cli = parser("engine", "The process behind the windows.")
    cli.add_argument("--study", type=Path, required=True)
    cli.add_argument("--devices", type=Path, required=True)
    cli.add_argument("--speed", type=float, default=1.0)
    add_lsl(cli)
    options = cli.parse_args(arguments)

    served = make_engine(options.study, options.devices, options.speed, hears=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: served.interrupt("signal"))
    try:
        served.arm()
        served.serve()
    finally:
        served.close()
    if served.message:
        print(f"emolab: {served.message}", file=sys.stderr)  # into the engine's log
    return 0


def make_engine(study: Path, devices: Path, speed: float, *, hears: bool) -> Engine:
    """An engine on a real clock, or on a paced one when everything is simulated.

    `hears`: whether somebody may listen, so that sound is wanted. Raises `ConfigError` when a
    speed other than 1 is asked of real instruments.
    """
    from emolab.core.clock import PacedClock, SessionClock
    from emolab.devices import config
    from emolab.session.engine import Engine

    device_file = config.load(devices)
    check_speed(speed, devices)
    clock = SessionClock() if speed == 1.0 else PacedClock(speed)
    return Engine(study, device_file, clock, settings(), with_sound=hears and speed == 1.0)


def check_speed(speed: float, devices: Path) -> None:
    """Raises `ConfigError` when a session with these instruments cannot run at this speed."""
    if not (math.isfinite(speed) and speed > 0):
        raise ConfigError(f"--speed {speed:g} is none; give a number above 0, or leave it out")
    if speed != 1.0 and not is_simulated(devices):
        raise ConfigError(f"{devices} names real instruments, which run at speed 1; leave --speed out")


def is_simulated(devices: Path) -> bool:
    """Whether a device file names simulated instruments only. Raises `ConfigError` as `config.load` does."""
    from emolab.devices import config

    return config.is_simulated(config.load(devices))


def wait_for_instruments(engine: Engine) -> None:
    """Serve until every instrument delivers, or say which does not."""
    deadline = time.monotonic() + OPEN_TIMEOUT_S
    lost_since: dict[str, float] = {}

    def is_over() -> bool:
        now = time.monotonic()
        for name, pump in engine.pumps.items():
            if pump.status.state == "lost":
                lost_since.setdefault(name, now)
            else:
                lost_since.pop(name, None)
        return (
            all(light.samples or light.may_be_silent for light in engine.health())
            or now > deadline
            or any(now - since > LOST_PATIENCE_S for since in lost_since.values())
        )

    engine.serve(until=is_over)
    if engine.is_interrupted:
        raise EmolabError(STOPPED)
    if silent := [light for light in engine.health() if not (light.samples or light.may_be_silent)]:
        first = next((light for light in silent if light.name in lost_since), silent[0])
        reason = first.message or f"{first.name} delivers nothing."
        raise ConfigError(f"{reason.rstrip('.')}. Mend it, or take it out of {engine.devices.path}.")
