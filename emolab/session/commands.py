"""What windows may ask of a laboratory; `snapshot` lists the commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.session import live_session, readiness
from emolab.session.laboratory import Laboratory
from emolab.session.preflight import PreflightRequest
from emolab.session.prepare import StartRequest
from emolab.session.pump import Pump
from emolab.session.run import Run


def apply(lab: Laboratory, command: dict[str, Any], connection: int = 0) -> None:
    """Carry out one command, in the engine's thread. Raises `EmolabError` when it makes no sense now."""
    do = str(command.get("do"))
    command = {key: _plain(value) for key, value in command.items()}
    if do in _SETUP:
        _SETUP[do](lab, command, connection)
    elif do in _RUNNING:
        if lab.run is None or lab.phase != "running":
            raise ConfigError(f"'{do}' needs a running session")
        _RUNNING[do](lab, lab.run, command)
    else:
        raise ConfigError(f"the engine knows no command {do!r}")


def _plain(value: Any) -> Any:
    """Text that can be written to a file: half a surrogate pair is valid in JSON, and nowhere else."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _moment_s(lab: Laboratory, command: dict[str, Any]) -> float:
    """When the participant did it, never later than now: a window's stamp must not move the session."""
    time_ns = command.get("time_ns")
    if not isinstance(time_ns, int):
        raise ConfigError(f"'time_ns' is {time_ns!r}; give emolab.core.clock.now_ns() of the moment")
    return min(lab.clock.at(time_ns), lab.clock.now_s())


def _step(command: dict[str, Any]) -> int:
    step = command.get("step")
    if not isinstance(step, int):
        raise ConfigError(f"'step' is {step!r}; give the number of the step on the screen")
    return step


def _pump(lab: Laboratory, command: dict[str, Any]) -> Pump:
    name = command.get("stream")
    if not isinstance(name, str) or name not in lab.pumps:
        raise ConfigError(f"there is no instrument {name!r}; there are {', '.join(lab.pumps)}")
    return lab.pumps[name]


def _start(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    live_session.start(lab, StartRequest.from_command(command))


def _preflight(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    readiness.begin(lab, PreflightRequest.from_command(command))


def _retry(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    if command.get("stream") == "sound":
        lab.reopen_sound()
    else:
        _pump(lab, command).retry()


def _leave_out(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    _pump(lab, command).leave_out()


def _sound_check(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    if lab.sound_fault:
        raise ConfigError(lab.sound_fault)
    if lab.phase != "setup":
        raise ConfigError("the tone can be played before the session only")
    lab.player.tone()


def _shutdown(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    lab.is_shutting_down = True


def _attach(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    is_own = command.get("is_own") is not False
    lab.window_came(connection, str(command.get("screen", "")), is_own)


def _note(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    if lab.phase == "setup":
        raise ConfigError("a note is kept in the session's file; start the session first")
    lab.note(str(command.get("text", "")))


def _screen_lost(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    lab.record(Event(lab.clock.now_s(), "screen_lost", data={"screen": command.get("screen", "")}))
    lab.screen = ""
    lab.hold("screen", "The participant's screen is gone. Plug it in again; the session then goes on.")


def _screen_found(lab: Laboratory, command: dict[str, Any], connection: int) -> None:
    lab.screen = str(command.get("screen", ""))
    lab.record(Event(lab.clock.now_s(), "screen_found", data={"screen": lab.screen}))
    lab.release("screen")


_SETUP: dict[str, Callable[[Laboratory, dict[str, Any], int], None]] = {
    "start": _start,
    "preflight": _preflight,
    "retry": _retry,
    "leave_out": _leave_out,
    "sound_check": _sound_check,
    "shutdown": _shutdown,
    "attach": _attach,
    "note": _note,
    "screen_lost": _screen_lost,
    "screen_found": _screen_found,
}

_RUNNING: dict[str, Callable[[Laboratory, Run, dict[str, Any]], None]] = {
    "pause": lambda lab, run, c: run.runner.pause(lab.clock.now_s()),
    "resume": lambda lab, run, c: run.runner.resume(lab.clock.now_s()),
    "skip": lambda lab, run, c: run.runner.skip(lab.clock.now_s(), _step(c) if "step" in c else None),
    "repeat": lambda lab, run, c: run.runner.repeat(lab.clock.now_s()),
    "abort": lambda lab, run, c: run.runner.abort(lab.clock.now_s()),
    "mark": lambda lab, run, c: run.runner.mark(lab.clock.now_s(), str(c.get("text", ""))),
    "shown": lambda lab, run, c: run.shown(_step(c), _moment_s(lab, c)),
    "proceed": lambda lab, run, c: run.proceed(_step(c), _moment_s(lab, c)),
    "choose": lambda lab, run, c: run.choose(
        _step(c), str(c.get("state", "")), str(c.get("word") or ""), _moment_s(lab, c)
    ),
    "confirm": lambda lab, run, c: run.confirm(_step(c), _moment_s(lab, c)),
}
