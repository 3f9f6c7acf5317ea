"""What windows may ask of an engine; `snapshot` lists the commands."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any

from emolab.core.errors import ConfigError, EmolabError
from emolab.core.event import Event
from emolab.session import preflight
from emolab.session.prepare import StartRequest

if TYPE_CHECKING:
    from emolab.session.engine import Engine
    from emolab.session.pump import Pump
    from emolab.session.run import Run

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 30.0


def post(
    engine: Engine, put: Callable[[Callable[[], None]], None], command: dict[str, Any], connection: int
) -> str:
    """Have the engine's thread carry a command out, and give the reply line. From any thread."""
    done: Future[None] = Future()

    def carry_out() -> None:
        try:
            apply(engine, command, connection)
            done.set_result(None)
        except Exception as error:
            done.set_exception(error)

    put(carry_out)
    try:
        done.result(ANSWER_TIMEOUT_S)
    except FutureTimeout:
        return json.dumps({"error": "the engine is busy; try again in a moment"})
    except EmolabError as error:
        return json.dumps({"error": str(error)})
    except Exception as error:
        log.exception("command %s failed", command)
        return json.dumps({"error": f"{command.get('do')}: {type(error).__name__}: {error}"})
    return json.dumps({"ok": True})


def apply(engine: Engine, command: dict[str, Any], connection: int = 0) -> None:
    """Carry out one command, in the engine's thread. Raises `EmolabError` when it makes no sense now."""
    do = str(command.get("do"))
    command = {key: _plain(value) for key, value in command.items()}
    if do in _SETUP:
        _SETUP[do](engine, command, connection)
    elif do in _RUNNING:
        if engine.run is None or engine.phase != "running":
            raise ConfigError(f"'{do}' needs a running session")
        _RUNNING[do](engine, engine.run, command)
    else:
        raise ConfigError(f"the engine knows no command {do!r}")


def _plain(value: Any) -> Any:
    """Text that can be written to a file: half a surrogate pair is valid in JSON, and nowhere else."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _moment_s(engine: Engine, command: dict[str, Any]) -> float:
    """When the participant did it, never later than now: a window's stamp must not move the session."""
    time_ns = command.get("time_ns")
    if not isinstance(time_ns, int):
        raise ConfigError(f"'time_ns' is {time_ns!r}; give emolab.core.clock.now_ns() of the moment")
    return min(engine.clock.at(time_ns), engine.clock.now_s())


def _step(command: dict[str, Any]) -> int:
    step = command.get("step")
    if not isinstance(step, int):
        raise ConfigError(f"'step' is {step!r}; give the number of the step on the screen")
    return step


def _pump(engine: Engine, command: dict[str, Any]) -> Pump:
    name = command.get("stream")
    if not isinstance(name, str) or name not in engine.pumps:
        raise ConfigError(f"there is no instrument {name!r}; there are {', '.join(engine.pumps)}")
    return engine.pumps[name]


def _start(engine: Engine, command: dict[str, Any], connection: int) -> None:
    engine.start(StartRequest.from_command(command))


def _preflight(engine: Engine, command: dict[str, Any], connection: int) -> None:
    preflight.begin(engine, preflight.PreflightRequest.from_command(command))


def _retry(engine: Engine, command: dict[str, Any], connection: int) -> None:
    if command.get("stream") == "sound":
        engine.reopen_sound()
    else:
        _pump(engine, command).retry()


def _leave_out(engine: Engine, command: dict[str, Any], connection: int) -> None:
    _pump(engine, command).leave_out()


def _sound_check(engine: Engine, command: dict[str, Any], connection: int) -> None:
    if engine.sound_fault:
        raise ConfigError(engine.sound_fault)
    if engine.phase != "setup":
        raise ConfigError("the tone can be played before the session only")
    engine.player.tone()


def _shutdown(engine: Engine, command: dict[str, Any], connection: int) -> None:
    engine.is_shutting_down = True


def _attach(engine: Engine, command: dict[str, Any], connection: int) -> None:
    is_own = command.get("is_own") is not False
    engine.window_came(connection, str(command.get("screen", "")), is_own)


def _note(engine: Engine, command: dict[str, Any], connection: int) -> None:
    if engine.phase == "setup":
        raise ConfigError("a note is kept in the session's file; start the session first")
    engine.note(str(command.get("text", "")))


def _screen_lost(engine: Engine, command: dict[str, Any], connection: int) -> None:
    engine.record(Event(engine.clock.now_s(), "screen_lost", data={"screen": command.get("screen", "")}))
    engine.screen = ""
    engine.hold("screen", "The participant's screen is gone. Plug it in again; the session then goes on.")


def _screen_found(engine: Engine, command: dict[str, Any], connection: int) -> None:
    engine.screen = str(command.get("screen", ""))
    engine.record(Event(engine.clock.now_s(), "screen_found", data={"screen": engine.screen}))
    engine.release("screen")


_SETUP: dict[str, Callable[[Engine, dict[str, Any], int], None]] = {
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

_RUNNING: dict[str, Callable[[Engine, Run, dict[str, Any]], None]] = {
    "pause": lambda engine, run, c: run.runner.pause(engine.clock.now_s()),
    "resume": lambda engine, run, c: run.runner.resume(engine.clock.now_s()),
    "skip": lambda engine, run, c: run.runner.skip(engine.clock.now_s(), _step(c) if "step" in c else None),
    "repeat": lambda engine, run, c: run.runner.repeat(engine.clock.now_s()),
    "abort": lambda engine, run, c: run.runner.abort(engine.clock.now_s()),
    "mark": lambda engine, run, c: run.runner.mark(engine.clock.now_s(), str(c.get("text", ""))),
    "shown": lambda engine, run, c: run.shown(_step(c), _moment_s(engine, c)),
    "proceed": lambda engine, run, c: run.proceed(_step(c), _moment_s(engine, c)),
    "choose": lambda engine, run, c: run.choose(
        _step(c), str(c.get("state", "")), str(c.get("word") or ""), _moment_s(engine, c)
    ),
    "confirm": lambda engine, run, c: run.confirm(_step(c), _moment_s(engine, c)),
}
