"""A laboratory in which things go wrong: the engine as a process, its instruments as programs.

    with Room(folder) as room:
        room.add("board", "face")
        room.open()                          # the engine, until all deliver
        room.start()                         # the session
        room.pull("board"); room.plug("board")
        evidence = room.end()

Every moment of a deed is kept on the clock of the file (`Evidence.deeds`), and every change of a light.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from emolab.core.event import Event
from emolab.core.settings import read
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.session import stimuli
from emolab.session.client import MEMORY_RULES, EngineClient, find_engine
from emolab.session.prepare import StartRequest, lay_out
from emolab.session.snapshot import Snapshot
from tests.e2e.laboratory import PROTOCOL
from tests.simulators.sound_server import SoundServer

ROOT = Path(__file__).resolve().parents[2]
CLIP_S, REPORT_S, CLIPS = 3.0, 2.0, 5
HELD_S = 20.0  # a session that was held has so much time to catch up
PATIENCE_S = 60.0
EEG = {"name": "EEG", "type": "EEG", "source_id": "cap", "channels": 2, "rate_hz": 100.0, "count": 100_000}

RESTARTED = ("board", "frames", "eeg")  # when they hang; the others go on where they stopped
TABLES = {
    "board": 'kind = "physiokit"\nport = "{folder}/tty-board"\nnominal_rate_hz = 250\nadc_bits = 10\n',
    "noisy": 'kind = "physiokit"\nport = "{folder}/tty-noisy"\nnominal_rate_hz = 250\nadc_bits = 10\n',
    "frames": 'kind = "emolab_board"\nport = "{folder}/tty-frames"\n',
    "face": 'kind = "rgb_camera"\nsource = "http://127.0.0.1:{port}/camera.mjpeg"\n',
    "dim": 'kind = "rgb_camera"\nsource = "http://127.0.0.1:{port}/camera.mjpeg"\nfps = 30\n',
    "thermal": 'kind = "thermal_camera"\nsource = "tcp://127.0.0.1:{port}"\n',
    "eeg": 'kind = "lsl"\nstream = "EEG"\n',
    "voice": 'kind = "microphone"\ndevice = "pulse"\n',
}
PROGRAMS = {
    "board": "physiokit_board --rate 250 --pattern count --link {folder}/tty-board --log {folder}/board.log",
    "noisy": "physiokit_board --rate 250 --pattern count --garbage-every 100 --link {folder}/tty-noisy",
    "frames": "framed_board --rate 250 --damaged 60 --dropped 100 --doubled 140 --link {folder}/tty-frames",
    "face": "mjpeg_camera --fps 20 --size 320x240 --port {port}",
    "dim": "mjpeg_camera --fps 30 --size 320x240 --port {port}",
    "thermal": "thermal_network --fps 9 --port {port}",
}


@dataclass
class Evidence:
    """What a session left. `deeds`: what was done when, seconds on the file's clock."""

    path: Path
    report: dict[str, Any]
    events: list[Event]
    deeds: dict[str, float]
    lights: list[tuple[float, str, str, str]]  # when, stream, level, message: each change
    messages: list[tuple[float, str, str]]  # when, phase, what the console says: each change
    seen: dict[str, Any] = field(default_factory=dict)  # whatever else a session looked at

    def of(self, *kinds: str, **data: Any) -> list[Event]:
        """Events of these kinds whose facts are these, in order."""
        return [e for e in self.events if e.kind in kinds and data.items() <= e.data.items()]

    def stream(self, name: str) -> dict[str, Any]:
        """What `inspect` says of a stream (of its first channel)."""
        return next(s for s in self.report["streams"] if s["name"].split("/")[0] == name)

    def reasons(self, name: str) -> str:
        """The lines of the verdict that speak of it."""
        return " ".join(line for line in self.report["reasons"] if name in line)

    def light(self, name: str, level: str) -> list[tuple[float, str]]:
        """When a light turned this colour, and what it said."""
        return [(at_s, said) for at_s, who, colour, said in self.lights if (who, colour) == (name, level)]


class Room:
    """The room while the `with` lasts. `shift`: environment under which engine and sound server run."""

    def __init__(
        self, folder: Path, *, has_sound: bool = False, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.study = folder, folder / "study"
        self.study.mkdir(parents=True)
        self.environment = {**os.environ, **MEMORY_RULES, **(environment or {})}
        self.sound = SoundServer() if has_sound else None
        if self.sound is not None:
            self.sound.environment.update(environment or {})
            self.environment = {**MEMORY_RULES, **self.sound.environment}
        self.protocol = folder / "short.yaml"
        cap_s = 3 + REPORT_S + CLIPS * (CLIP_S + REPORT_S) + HELD_S
        self.protocol.write_text(PROTOCOL.format(cap_s=cap_s, clip_s=CLIP_S, report_s=REPORT_S))
        self.programs: dict[str, subprocess.Popen[str]] = {}
        self._tables: list[str] = []
        self._ports: dict[str, int] = {}
        self._stack = ExitStack()
        self._deeds: dict[str, float] = {}
        self._lights: list[tuple[float, str, str, str]] = []
        self._messages: list[tuple[float, str, str]] = []
        self._zero_s = 0.0
        self._reopened: dict[str, int] = {}
        self._watching = threading.Event()

    def __enter__(self) -> Room:
        if self.sound is not None:
            self._stack.enter_context(self.sound)
        return self

    def __exit__(self, *_: object) -> None:
        self._watching.set()
        for program in self.programs.values():
            _kill(program)
        self._stack.close()

    # what there is

    def add(self, *names: str) -> None:
        """Put instruments into the room and start their programs."""
        for name in names:
            self._ports[name] = _free_port()
            self._tables.append(f'[[instrument]]\nname = "{name}"\n' + self._filled(TABLES[name], name))
            if name != "voice":
                self._run(name)

    def open(self) -> None:
        """Start the engine, and wait until all instruments deliver."""
        self._compose()
        devices = self.study / "devices.toml"
        devices.write_text("\n".join(self._tables))
        command = [sys.executable, "-m", "emolab", "engine", "--study", str(self.study)]
        log = self._stack.enter_context((self.folder / "engine.log").open("ab"))
        self.engine = subprocess.Popen(
            [*command, "--devices", str(devices)], env=self.environment, cwd=ROOT, stdout=log, stderr=log
        )
        self._stack.callback(_end, self.engine)
        ends_s = time.monotonic() + PATIENCE_S
        while (address := find_engine(self.study)) is None:
            assert self.engine.poll() is None and time.monotonic() < ends_s, self._words()
            time.sleep(0.05)
        self.client = EngineClient(address)
        self._stack.callback(self.client.close)
        self.wait("delivered", lambda seen: bool(seen.streams) and all(s.samples for s in seen.streams))
        self.wait("was quiet", lambda seen: all(s.level != "act" for s in seen.streams))

    def start(self) -> Snapshot:
        """Start the session, with a participant who answers by itself; returns when the rest has begun."""
        request = {"protocol": str(self.protocol), "participant": "P001", "answers": "simulated"}
        self.ask("start", **request)
        snapshot = self.wait("rested", lambda seen: seen.run_started_s is not None)
        self._reopened = {light.name: light.reopened for light in snapshot.streams}
        self._zero_s = time.monotonic() - self.client.snapshot().now_s
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        return snapshot

    def end(self, *, abort: bool = True) -> Evidence:
        """End the session (or let it come to its end) and the engine; what is left of it."""
        if abort:
            self.ask("abort")
        last = self.wait("finished", lambda seen: seen.phase in ("finished", "failed"))
        assert last.phase == "finished", last.message
        self._watching.set()
        path = Path(last.path)
        with Session.open(path) as session:
            events = list(session.events)
        self._lights.sort()
        return Evidence(path, inspect(path), events, dict(self._deeds), self._lights, self._messages)

    # what is done to it

    def did(self, deed: str) -> float:
        """Keep this moment."""
        self._deeds[deed] = time.monotonic() - self._zero_s
        return self._deeds[deed]

    def pull(self, name: str) -> None:
        """Pull an instrument's plug: its program is killed, its port, socket or source is gone."""
        self.did(f"{name} gone")
        if name == "voice":
            assert self.sound is not None
            self.sound.control("unload-module", "module-null-sink")
        else:
            _kill(self.programs[name])
            (self.folder / f"tty-{name}").unlink(missing_ok=True)

    def plug(self, name: str) -> None:
        """Plug it in again; the moment kept is when its port, socket or source is there."""
        if name == "voice":
            assert self.sound is not None
            null = ("sink_name=emolab_out", "rate=48000", "channels=2")
            self.sound.control("load-module", "module-null-sink", *null)
            self.sound.control("set-default-sink", "emolab_out")
            self.sound.control("set-default-source", "emolab_out.monitor")
        else:
            self._run(name)
        self.did(f"{name} back")

    def stall(self, name: str) -> None:
        """Let it hang: it stays open and sends nothing."""
        self.did(f"{name} gone")
        if name == "voice":
            assert self.sound is not None
            self.sound.control("suspend-sink", "emolab_out", "1")
        else:
            self.programs[name].send_signal(signal.SIGSTOP)

    def wake(self, name: str) -> None:
        """End its hanging: a board as its reset button does, a program by a new start, others go on."""
        if name == "voice":
            assert self.sound is not None
            self.sound.control("suspend-sink", "emolab_out", "0")
        elif name in RESTARTED:
            _kill(self.programs[name])
            (self.folder / f"tty-{name}").unlink(missing_ok=True)
            self._run(name)
        else:
            self.programs[name].send_signal(signal.SIGCONT)
        self.did(f"{name} back")

    def squeeze(self, deed: str, free_bytes: int | None) -> None:
        """Leave the engine so much memory (address space), or as much as there is."""
        process = psutil.Process(self.engine.pid)
        most = psutil.RLIM_INFINITY if free_bytes is None else process.memory_info().vms + free_bytes
        process.rlimit(psutil.RLIMIT_AS, (most, psutil.RLIM_INFINITY))
        self.did(deed)

    def slow_down(self, name: str) -> None:
        """Let a camera halve its rate."""
        self.programs[name].send_signal(signal.SIGUSR1)
        self.did(f"{name} slower")

    def ask(self, do: str, **facts: Any) -> None:
        """Give the engine a command as a window would. Raises `AssertionError` with its refusal."""
        reply = self.client.send({"do": do, **facts})
        assert reply == {"ok": True}, reply

    def wait(self, what: str, until: Callable[[Snapshot], bool], timeout_s: float = PATIENCE_S) -> Snapshot:
        """The first snapshot of which `until` is true; fails with the last one otherwise."""
        ends_s = time.monotonic() + timeout_s
        while True:
            seen = self.client.snapshot()
            if until(seen):
                return seen
            assert time.monotonic() < ends_s, f"never {what}: {seen.message}; {seen.streams}\n{self._words()}"
            time.sleep(0.05)

    def wait_for_return(self, names: Iterable[str]) -> None:
        """Wait until these have come back since the session's start, or it is over."""

        def are_back(seen: Snapshot) -> bool:
            lights = [light for light in seen.streams if light.name in names]
            return all(light.reopened > self._reopened[light.name] for light in lights)

        self.wait("had them back", lambda seen: are_back(seen) or seen.phase == "finished")

    def in_mid_clip(self, trial: int) -> Snapshot:
        """Wait until a second of this clip has gone by."""

        def is_heard(seen: Snapshot) -> bool:
            step = seen.steps[seen.step] if 0 <= seen.step < len(seen.steps) else None
            is_it = step is not None and step.kind == "play" and step.trial >= trial
            return is_it and seen.now_s > seen.step_opened_s + 1.0

        return self.wait(f"played clip {trial}", is_heard)

    def wait_for_line(self, words: str) -> None:
        """Wait until the console's log says so."""
        self.wait(f"said {words!r}", lambda seen: any(words in line.text for line in seen.log))

    def wait_until(
        self, names: Iterable[str], level: str, what: str = "", timeout_s: float = PATIENCE_S
    ) -> None:
        """Wait until the lights of these are of this colour, and say `what` among other things."""
        wanted = set(names)

        def is_so(seen: Snapshot) -> bool:
            lights = [light for light in seen.streams if light.name in wanted]
            is_lost = all("has been silent" not in light.message for light in lights)  # the driver's own word
            return is_lost and all(light.level == level and what in light.message for light in lights)

        self.wait(f"had {', '.join(sorted(wanted))} {level}", is_so, timeout_s)

    # behind it

    def _watch(self) -> None:
        """Keep each change of a light and of the console's message, ten times a second."""
        last: dict[str, tuple[str, str]] = {}
        said = ("", "")
        with suppress(OSError):
            client = EngineClient(self.client.address)
            while not self._watching.wait(0.1):
                seen = client.snapshot()
                for stream in seen.streams:
                    told = (stream.level, stream.message)
                    if last.get(stream.name) != told:
                        last[stream.name] = told
                        self._lights.append((seen.now_s, stream.name, *told))
                if said != (seen.phase, seen.message):
                    said = (seen.phase, seen.message)
                    self._messages.append((seen.now_s, *said))
            client.close()

    def _run(self, name: str) -> None:
        """Start an instrument's program and wait until it can be reached."""
        if name == "eeg":
            self.programs[name] = self._run_lsl()
            return
        words = self._filled(PROGRAMS[name], name).split()
        program = subprocess.Popen(
            [sys.executable, "-m", f"tests.simulators.{words[0]}", *words[1:]],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert program.stdout is not None and program.stdout.readline().strip(), f"{name} did not start"
        self.programs[name] = program

    def _run_lsl(self) -> subprocess.Popen[str]:
        from tests.simulators.lsl_world import SENDER

        self.environment["LSLAPICFG"] = os.environ["LSLAPICFG"]
        sender = subprocess.Popen(
            [sys.executable, str(SENDER), json.dumps(EEG)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ),
        )  # fmt: skip
        assert sender.stdin is not None and sender.stdout is not None and sender.stdout.readline()
        sender.stdin.write("go\n")
        sender.stdin.flush()
        return sender

    def _filled(self, text: str, name: str) -> str:
        return text.format(folder=self.folder, port=self._ports[name])

    def _compose(self) -> None:
        """Have the clips of this session composed that this machine has not got yet."""
        user = read(Path(os.devnull), os.environ)
        _, bank, plan = lay_out(StartRequest(str(self.protocol), "P001"))
        if lacking := stimuli.missing(bank, [clip.id for clip in plan.trials], user):
            stimuli.render(lacking, user, lambda clip: None)

    def _words(self) -> str:
        return (self.folder / "engine.log").read_text(errors="replace")[-2000:]


def _free_port() -> int:
    """A port that nobody is given by chance while the program it belongs to is away."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _kill(program: subprocess.Popen[str]) -> None:
    program.kill()
    program.wait(60)
    for pipe in (program.stdin, program.stdout):
        if pipe is not None:
            pipe.close()


def _end(engine: subprocess.Popen[bytes]) -> None:
    engine.terminate()
    try:
        engine.wait(60)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait(5)
