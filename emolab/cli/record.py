"""`emolab record` and `emolab demo`: one session from the command line, windows or none."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, settings
from emolab.core.errors import ConfigError, EmolabError

if TYPE_CHECKING:
    from emolab.session.engine import Engine
    from emolab.session.prepare import StartRequest

OPEN_TIMEOUT_S = 15.0
DEMO_SPEED = 40.0  # the paced clock waits for the machine: faster asks no more of it
DEMO_WINDOW_SPEED = 4.0  # with windows open one wants to see something


def record(arguments: list[str]) -> int:
    """Record one session; the last line printed is the path of its file."""
    cli = parser("record", "Record one session. The last line printed is the path of the file written.")
    cli.add_argument("protocol", help="a shipped protocol (emomusic, quick) or a YAML file")
    cli.add_argument("--study", type=Path, required=True, metavar="DIR", help="study folder")
    cli.add_argument("--participant", required=True, metavar="ID", help="pseudonym with a number, e.g. P014")
    cli.add_argument("--session", type=int, default=0, metavar="N", help="counted from 0, the first")
    cli.add_argument("--devices", type=Path, required=True, metavar="FILE", help="device file (TOML)")
    cli.add_argument("--seed", type=int, default=0, metavar="S", help="the study's seed")
    cli.add_argument("--language", default="", metavar="CODE", help="of the participant's texts, e.g. en, zh")
    cli.add_argument("--headless", action="store_true", help="no windows")
    cli.add_argument("--speed", type=float, default=1.0, metavar="N", help="simulated sessions only")
    cli.add_argument(
        "--answers", choices=("simulated", "none"), help="who answers without a window (default: none)"
    )
    options = cli.parse_args(arguments)

    from emolab.session.prepare import StartRequest

    answers = options.answers or ("none" if options.headless else "window")
    request = StartRequest(
        options.protocol, options.participant, options.session, options.seed, options.language, answers
    )
    return _session(request, options.study, options.devices, options.speed, headless=options.headless)


def demo(arguments: list[str]) -> int:
    """A whole session with the simulated participant."""
    cli = parser("demo", "A whole session with the simulated participant, and what its file holds.")
    cli.add_argument("--speed", type=float, metavar="N", help="times faster than life")
    cli.add_argument("--protocol", default="emomusic", metavar="P", help="emomusic (20 min) or quick (90 s)")
    cli.add_argument("--out", type=Path, metavar="DIR", help="study folder (default: a new temporary one)")
    cli.add_argument("--seed", type=int, default=1, metavar="S")
    cli.add_argument("--headless", action="store_true", help="no windows")
    options = cli.parse_args(arguments)

    from emolab.devices.simulated import demo_device_file
    from emolab.session import folder
    from emolab.session.prepare import StartRequest

    study = options.out or Path(tempfile.mkdtemp(prefix="emolab-demo-"))
    (study / ".emolab").mkdir(parents=True, exist_ok=True)
    devices = study / ".emolab" / "simulated.toml"
    devices.write_text(demo_device_file(), encoding="utf-8")
    request = StartRequest(
        options.protocol, folder.next_pseudonym(study), 0, options.seed, answers="simulated"
    )
    speed = options.speed or (DEMO_SPEED if options.headless else DEMO_WINDOW_SPEED)
    return _session(request, study, devices, speed, headless=options.headless, tell=True)


def make_engine(study: Path, devices: Path, speed: float, *, hears: bool) -> Engine:
    """An engine on a real clock, or on a paced one when everything is simulated.

    `hears`: whether somebody may listen, so that sound is wanted. Raises `ConfigError` when a
    speed other than 1 is asked of real instruments.
    """
    from emolab.core.clock import PacedClock, SessionClock
    from emolab.devices import config
    from emolab.session.engine import Engine

    device_file = config.load(devices)
    if not speed > 0:
        raise ConfigError(f"speed is {speed:g}; it must be above 0")
    if speed != 1.0 and not config.is_simulated(device_file):
        raise ConfigError(f"{devices} names real instruments, which run at speed 1; leave --speed out")
    clock = SessionClock() if speed == 1.0 else PacedClock(speed)
    return Engine(study, device_file, clock, settings(), with_sound=hears and speed == 1.0)


def _session(
    request: StartRequest, study: Path, devices: Path, speed: float, *, headless: bool, tell: bool = False
) -> int:
    if not headless:
        return _with_windows(request, study, devices, speed)
    engine = make_engine(study, devices, speed, hears=not _is_silent(devices))
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in previous:
        signal.signal(number, lambda *_: engine.interrupt("signal"))
    try:
        _render(request)
        engine.arm(render=False)
        _wait_for_instruments(engine)
        engine.start(request)
        engine.serve(until=lambda: engine.phase in ("finished", "failed"))
    finally:
        engine.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
    return _conclude(engine, tell)


def _conclude(engine: Engine, tell: bool) -> int:
    if engine.prepared is None:
        raise EmolabError("stopped before the recording began; nothing was written")
    if engine.phase == "failed":
        raise EmolabError(engine.message)
    from emolab.recording.inspect import text

    print(text(engine.summary) if tell else _one_line(engine.summary), flush=True)
    print(engine.prepared.path)
    return 0


def _one_line(summary: dict[str, Any]) -> str:
    trials = summary["trials"]
    return (
        f"{summary['verdict']}: {trials['done']} of {trials['planned']} trials, "
        f"{summary['duration_s']:.1f} s, {len(summary['streams'])} channels"
    )


def _is_silent(devices: Path) -> bool:
    from emolab.devices import config

    return config.is_simulated(config.load(devices))


def _render(request: StartRequest) -> None:
    from emolab.session import stimuli
    from emolab.session.prepare import lay_out

    user = settings()
    _, bank, plan = lay_out(request)
    clips = stimuli.missing(bank, [clip.id for clip in plan.trials], user)
    if clips:
        print(f"Composing {len(clips)} clips, once …", file=sys.stderr, flush=True)
        stimuli.render(clips, user, lambda clip: print(f"  {clip}", file=sys.stderr, flush=True))


def _wait_for_instruments(engine: Engine) -> None:
    """Serve until every instrument delivers, or say which does not."""
    deadline = time.monotonic() + OPEN_TIMEOUT_S

    def is_ready() -> bool:
        lights = engine.health()
        return all(light.samples for light in lights) or time.monotonic() > deadline

    engine.serve(until=is_ready)
    if engine.is_shutting_down:
        raise EmolabError("stopped before the recording began; nothing was written")
    silent = [light for light in engine.health() if not light.samples]
    if silent:
        reason = silent[0].message or f"{silent[0].name} delivers nothing"
        raise ConfigError(f"{reason} Mend it, or take it out of the device file.")


def _with_windows(request: StartRequest, study: Path, devices: Path, speed: float) -> int:
    """Start an engine of its own process, ask it to start, and open both windows on it."""
    from dataclasses import asdict

    from emolab.cli.console import open_windows
    from emolab.session.client import start_engine

    client = start_engine(study, devices, speed)
    deadline = time.monotonic() + 120.0  # a first start composes the clips
    reply: dict[str, Any] = {"error": "the engine is not ready"}
    while "error" in reply and time.monotonic() < deadline:
        time.sleep(0.2)
        snapshot = client.snapshot()
        if not all(stream.samples for stream in snapshot.streams) or snapshot.message:
            print(snapshot.message, file=sys.stderr) if snapshot.message else None
            time.sleep(0.5)
        reply = client.send({"do": "start", **asdict(request)})
    if "error" in reply:
        client.send({"do": "shutdown"})
        raise ConfigError(str(reply["error"]))
    path = client.snapshot().path
    code = open_windows(study, attach=True)
    print(path)
    return code
