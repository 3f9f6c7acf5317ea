"""A whole laboratory on one machine, every part of it a program of its own.

A PhysioKit board on a pseudo-terminal that announces 250 Hz and runs at 275, a network camera with
numbered frames, a thermal recording, a sound card that hears itself, two screens, a study folder
and a short protocol. Nothing of emolab is replaced: the tests look at the engine as a window does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from emolab.session.client import EngineClient, find_engine
from emolab.session.snapshot import Snapshot
from tests.simulators import desktop as desktops
from tests.simulators import sound_server
from tests.simulators.desktop import Desktop
from tests.simulators.mjpeg_camera import running_camera
from tests.simulators.sound_server import SoundServer
from tests.simulators.thermal_file import KELVIN_PER_COUNT, write_thermal_file

ROOT = Path(__file__).resolve().parents[2]
TRUE_RATE_HZ = 275.0
FPS = 30.0
CLIPS = 5

PROTOCOL = """
schema: 1
name: short
title: Short session
version: "1.0"
cap_s: {cap_s}
rest: {{duration_s: 3, baseline_window_s: [0, 3], report: true}}
clips: {{bank: shipped, duration_s: {clip_s}, per_state: 1}}
order: {{rule: runs, neutral_position: middle, washout_s: 0}}
report:
  window_s: {report_s}
  ends_early: true
  scale:
    most_negative: [sad, disgust, angry]
    less_negative: [fear, scared, nervous]
    neutral: [neutral, peace, calm]
    less_positive: [surprise, excited, thrill]
    most_positive: [happiness, delighted, enjoy]
texts: {{folder: shipped, language: en}}
"""

DEVICES = """
[[instrument]]
kind = "physiokit"
name = "board"
port = "{port}"
nominal_rate_hz = 250
adc_bits = 10

[[instrument]]
kind = "rgb_camera"
name = "face"
source = "{camera}"

[[instrument]]
kind = "thermal_camera"
name = "thermal"
source = "{thermal}"

[instrument.radiometry]
form = "linear"
kelvin_per_count = {kelvin}

[[instrument]]
kind = "microphone"
name = "voice"
device = "pulse"
"""


def why_not() -> str:
    """Why there can be no laboratory here, as a reason to skip; empty when there can."""
    if not sys.platform.startswith("linux"):
        return "needs an X server, a pseudo-terminal and PulseAudio"
    return desktops.why_not() or sound_server.why_not()


class Laboratory:
    """The room while the `with` lasts. Paths of the simulators' logs are `board_log`, `camera_log`."""

    def __init__(self, folder: Path, *, clip_s: float = 3.0, report_s: float = 20.0) -> None:
        self.folder = folder
        self.study = folder / "study"
        self.board_log, self.camera_log = folder / "board.tsv", folder / "camera.csv"
        self.protocol = folder / "short.yaml"
        cap_s = 3 + report_s + CLIPS * (clip_s + report_s)
        self.protocol.write_text(PROTOCOL.format(cap_s=cap_s, clip_s=clip_s, report_s=report_s))
        self._stack = ExitStack()
        self._client: EngineClient | None = None
        self.windows: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Laboratory:
        with ExitStack() as stack:
            sound = stack.enter_context(SoundServer())
            self.desktop = stack.enter_context(Desktop(sound.environment))
            self.environment = self.desktop.environment
            self.clips = self._render()
            camera, _ = stack.enter_context(
                running_camera("--fps", str(FPS), "--size", "640x480", "--log", str(self.camera_log))
            )
            thermal = self.folder / "thermal.mkv"
            write_thermal_file(thermal, 1800)
            self.study.mkdir()
            (self.study / "devices.toml").write_text(
                DEVICES.format(
                    port=self._start_board(stack), camera=camera, thermal=thermal, kelvin=KELVIN_PER_COUNT
                )
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything; the simulators' logs are whole then. Idempotent."""
        for window in self.windows:
            window.kill()
            window.wait(60)
        self.end_engine()
        self._stack.close()

    def _render(self) -> Path:
        """Have the clips composed that this machine has not got yet; returns where they lie."""
        command = [*EMOLAB, "stimuli", "render"]
        told = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True)
        return Path(told.stdout.splitlines()[-1])

    def _start_board(self, stack: ExitStack) -> str:
        command = [sys.executable, "-m", "tests.simulators.physiokit_board", "--rate", str(TRUE_RATE_HZ)]
        command += ["--pattern", "count", "--log", str(self.board_log)]
        board = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert board.stdout is not None
        stack.callback(_end, board)
        return board.stdout.readline().strip()

    # the program

    def open_console(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `emolab` as from a terminal."""
        with (self.folder / "console.log").open("ab") as log:
            window = subprocess.Popen(
                [*EMOLAB, *arguments], env=self.environment, cwd=self.folder, stdout=log, stderr=log
            )
        self.windows.append(window)
        return window

    def turn_to_console(self) -> None:
        """Click the console's header, where nothing is, so that it has the keyboard."""
        x, y, width, height = self.desktop.place(self.desktop.wait_for_window("· emolab$"))
        self.desktop.click(x + width // 3, y + height // 12)

    def snapshot(self) -> Snapshot:
        """How things stand, as a window is told. Raises `OSError` when no engine runs."""
        if self._client is None:
            address = find_engine(self.study)
            if address is None:
                raise ConnectionRefusedError("no engine runs yet")
            self._client = EngineClient(address)
        return self._client.snapshot()

    def wait(self, what: str, until: Callable[[Snapshot], bool], timeout_s: float = 90.0) -> Snapshot:
        """The first snapshot of which `until` is true; fails with the last one otherwise."""
        ends_s = time.monotonic() + timeout_s
        last: object = None
        while time.monotonic() < ends_s:
            try:
                last = snapshot = self.snapshot()
            except OSError as error:
                last = error
            else:
                if until(snapshot):
                    return snapshot
            time.sleep(0.02)
        picture = self.folder / "stuck.png"
        self.desktop.shot(picture)
        raise AssertionError(f"never {what}; see {picture}; last: {last}\n{self.words()}")

    def words(self) -> str:
        """What console and engine had to say."""
        logs = (self.folder / "console.log", self.study / ".emolab" / "engine.log")
        return "\n".join(f"{log.name}: {log.read_text()}" for log in logs if log.is_file())

    def end_engine(self) -> None:
        """End the engine of the study, if one still runs, and wait until it has gone."""
        address = find_engine(self.study)
        if self._client is not None:
            self._client.close()
            self._client = None
        if address is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(address.pid, signal.SIGTERM)
        ends_s = time.monotonic() + 60
        while find_engine(self.study) is not None and time.monotonic() < ends_s:
            time.sleep(0.05)


EMOLAB = [sys.executable, "-m", "emolab"]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(60)
    if process.stdout is not None:
        process.stdout.close()
