"""`emolab preflight`: ten seconds of looking at everything a session needs, with nothing recorded."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from emolab.cli.arguments import parser, print_json, settings
from emolab.cli.display import SIGNS, screens
from emolab.cli.engine import is_simulated, make_engine, wait_for_instruments
from emolab.core.errors import ConfigError, EmolabError

if TYPE_CHECKING:
    from emolab.session.client import EngineClient
    from emolab.session.engine import Engine
    from emolab.session.prepare import StartRequest
    from emolab.session.snapshot import CheckView, Snapshot

SECONDS = 10.0
OPEN_TIMEOUT_S = 15.0
POLL_S = 0.1


def preflight(arguments: list[str]) -> int:
    """Look at everything; exit code 1 when something is red."""
    cli = parser("preflight", __doc__ or "")
    cli.add_argument("protocol", nargs="?", default="emomusic", help="shipped protocol or YAML file")
    cli.add_argument("--devices", type=Path, required=True, metavar="FILE", help="device file (TOML)")
    cli.add_argument("--study", type=Path, metavar="DIR", help="study folder (default: the last one)")
    cli.add_argument("--participant", default="", metavar="ID", help="whose clips (default: the next)")
    cli.add_argument("--session", type=int, default=0, metavar="N", help="counted from 0, the first")
    cli.add_argument("--seed", type=int, default=0, metavar="S", help="the study's seed")
    cli.add_argument("--seconds", type=float, default=SECONDS, metavar="N", help="how long to look")
    cli.add_argument("--headless", action="store_true", help="for a session without windows")
    cli.add_argument("--speed", type=float, default=1.0, metavar="N", help="simulated instruments only")
    cli.add_argument("--json", action="store_true", help="facts as JSON")
    options = cli.parse_args(arguments)

    from emolab.session import folder
    from emolab.session.prepare import StartRequest

    study: Path = options.study or settings().study or Path()
    answers = "simulated" if is_simulated(options.devices) else "none" if options.headless else "window"
    who = options.participant or folder.next_pseudonym(study)
    request = StartRequest(options.protocol, who, options.session, options.seed, answers=answers)
    found = _look_at(study, options.devices, request, options.seconds, options.speed)
    if options.json:
        print_json({"level": _level(found), "checks": [asdict(check) for check in found]})
    else:
        show(found, sys.stdout)
    return 1 if _level(found) == "act" else 0


def look(engine: Engine, request: StartRequest, seconds: float = SECONDS) -> Sequence[CheckView]:
    """What the pre-flight of an engine that is set up finds; serves the engine meanwhile."""
    from emolab.session import readiness
    from emolab.session.preflight import PreflightRequest

    shown = screens() if request.answers == "window" else None
    asked = asdict(request) | {"seconds": seconds, "screens": shown}
    look = readiness.begin(engine, PreflightRequest.from_command(asked))
    engine.serve(until=lambda: not look.is_busy)
    if engine.is_interrupted:
        raise EmolabError("stopped before everything was looked at; nothing was written")
    return look.checks


def look_through(client: EngineClient, request: StartRequest) -> Sequence[CheckView]:
    """The same of an engine in a process of its own. Raises `ConfigError` with the engine's reason."""
    deadline = time.monotonic() + OPEN_TIMEOUT_S
    while not _is_ready(client.snapshot()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    reply: dict[str, Any] = client.send({"do": "preflight", **asdict(request)})
    if "error" in reply:
        raise ConfigError(str(reply["error"]))
    while not (snapshot := client.snapshot()).preflight:
        time.sleep(POLL_S)
    return snapshot.preflight


def show(found: Sequence[CheckView], stream: TextIO) -> None:
    """A line each, with the remedy below where one is needed."""
    for check in found:
        print(f"{SIGNS[check.level]} {check.what}", file=stream)
        if check.remedy:
            print(f"    {check.remedy}", file=stream)


def _look_at(
    study: Path, devices: Path, request: StartRequest, seconds: float, speed: float
) -> Sequence[CheckView]:
    was_there = study.exists()
    engine = make_engine(study, devices, speed, hears=not is_simulated(devices))
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, lambda *_: engine.interrupt("signal")) for number in numbers}
    try:
        engine.arm(render=False)
        with suppress(ConfigError):  # what does not deliver is red below, beside all the rest
            wait_for_instruments(engine)
        return look(engine, request, seconds)
    finally:
        engine.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
        with suppress(OSError):  # leave no empty folder where no study is yet
            (study / ".emolab").rmdir()
            if not was_there:
                study.rmdir()


def _is_ready(snapshot: Snapshot) -> bool:
    return all(s.samples or s.may_be_silent or s.is_left_out for s in snapshot.streams)


def _level(found: Sequence[CheckView]) -> str:
    from emolab.signals.finding import worst

    return worst(check.level for check in found)
