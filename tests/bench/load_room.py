"""The laboratory at full load: what the instruments send, and a session of any length to record it.

Three boards of 4 channels at 1000 Hz, a camera of 1280×720 at 30 frames a second, a thermal camera
of 160×120 at 9, and a microphone at 48 kHz, each a program of its own, with both windows open.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from emolab.session.client import EngineClient, find_engine
from tests.simulators.desktop import Desktop
from tests.simulators.mjpeg_camera import running_camera
from tests.simulators.sound_server import SoundServer
from tests.simulators.thermal_file import write_thermal_file

ROOT = Path(__file__).resolve().parents[2]
EMOLAB = [sys.executable, "-m", "emolab"]
BOARDS, RATE_HZ = 3, 1000
FPS = 30
STATES = 5
THERMAL_FRAMES = 900  # then it begins again
REPORT_S = 5.0

PROTOCOL = """
schema: 1
name: load
title: Load
version: "1.0"
cap_s: {cap_s}
rest: {{duration_s: {rest_s}, baseline_window_s: [0, {rest_s}], report: true}}
clips: {{bank: shipped, duration_s: {clip_s}, per_state: {per_state}}}
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

BOARD = '[[instrument]]\nkind = "emolab_board"\nname = "board{n}"\nport = "{port}"\n'
OTHERS = """
[[instrument]]
kind = "rgb_camera"
name = "face"
source = "{camera}"
fps = {fps}

[[instrument]]
kind = "thermal_camera"
name = "thermal"
source = "{thermal}"
loop = true

[[instrument]]
kind = "microphone"
name = "voice"
device = "pulse"
"""


class LoadRoom:
    """Everything running while the `with` lasts; `processes` names each by what it is."""

    size = "1280x720"
    per_state = 1

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.study = folder, folder / "study"
        self.processes: dict[str, int] = {"this measurement": os.getpid()}
        self.camera_log = folder / "camera.csv"
        self.board_logs = [folder / f"board{n}.tsv" for n in range(BOARDS)]
        clips = STATES * self.per_state
        clip_s = min(30.0, max(2.0, (seconds - 2 * REPORT_S) / clips - REPORT_S))
        rest_s = max(seconds - REPORT_S - clips * (clip_s + REPORT_S), 1.0)
        cap_s = rest_s + REPORT_S + clips * (clip_s + REPORT_S)
        self.protocol = folder / "load.yaml"
        self.protocol.write_text(
            PROTOCOL.format(
                cap_s=cap_s, rest_s=rest_s, clip_s=clip_s, report_s=REPORT_S, per_state=self.per_state
            )
        )
        self._stack = ExitStack()

    def __enter__(self) -> LoadRoom:
        self.study.mkdir()
        with ExitStack() as stack:
            sound = stack.enter_context(SoundServer())
            desktop = stack.enter_context(Desktop(sound.environment))
            camera, process = stack.enter_context(
                running_camera("--fps", str(FPS), "--size", self.size, "--log", str(self.camera_log))
            )
            self.processes |= {"simulated camera": process.pid, **_children("pulseaudio", "Xvfb")}
            thermal = self.folder / "thermal.mkv"
            write_thermal_file(thermal, THERMAL_FRAMES)
            text = self._boards(stack)
            text += OTHERS.format(camera=camera, fps=FPS, thermal=thermal)
            self.devices = self.study / "devices.toml"
            self.devices.write_text(text)
            self._environment = desktop.environment
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> EngineClient:
        """Start the session with its windows; returns when it records."""
        command = [*EMOLAB, "record", str(self.protocol), "--study", str(self.study), "--participant", "P1"]
        command += ["--devices", str(self.devices), "--answers", "none"]
        log = self._stack.enter_context((self.folder / "record.log").open("wb"))
        window = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        self._stack.callback(_end, window)
        self._stack.callback(self._end_engine)
        self.processes["windows"] = window.pid
        ends_s = time.monotonic() + 180
        while time.monotonic() < ends_s and window.poll() is None:
            if (address := find_engine(self.study)) is not None:
                client = EngineClient(address)
                while client.snapshot().step < 2 and time.monotonic() < ends_s:
                    time.sleep(0.1)
                self.processes["engine"] = address.pid
                return client
            time.sleep(0.1)
        raise RuntimeError(f"the session did not start: {(self.folder / 'record.log').read_text()}")

    def _boards(self, stack: ExitStack) -> str:
        """Start what sends signals; returns its part of the device file."""
        text = ""
        for n, log in enumerate(self.board_logs):
            port, self.processes[f"simulated board{n}"] = start_board(
                stack, "tests.simulators.framed_board", "--rate", str(RATE_HZ), "--pattern", "noisy",
                "--burst-ms", "4", "--log", str(log),  # USB hands over every few milliseconds
            )  # fmt: skip
            text += BOARD.format(n=n, port=port)
        return text

    def _end_engine(self) -> None:
        if (address := find_engine(self.study)) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(address.pid, signal.SIGTERM)
            ends_s = time.monotonic() + 15
            while find_engine(self.study) is not None and time.monotonic() < ends_s:
                time.sleep(0.1)


def start_board(stack: ExitStack, *module_and_options: str) -> tuple[str, int]:
    """Start a board of `tests.simulators`, ended with the stack; returns its port and process number."""
    board = subprocess.Popen(
        [sys.executable, "-m", *module_and_options], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    stack.callback(_end, board)
    assert board.stdout is not None
    return board.stdout.readline().strip(), board.pid


def _children(*names: str) -> dict[str, int]:
    """Our own child processes of these names."""
    import psutil

    return {child.name(): child.pid for child in psutil.Process().children() if child.name() in names}


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:  # a board whose reader hangs cannot leave by itself
        process.kill()
        process.wait(10)
    if process.stdout is not None:
        process.stdout.close()
