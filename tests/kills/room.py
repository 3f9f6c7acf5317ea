"""The room of the campaign: instruments that outlive every engine and log what they send.

An emolab board of 500 Hz and a PhysioKit board of 275 Hz on pseudo-terminals, an MJPEG camera with
numbered frames, a thermal recording, and a sound card that hears itself. All engines work on one
study folder, so that each start meets what the kill before it has left.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import yaml

import tests.conftest  # noqa: F401  the folder of composed clips, if the user named none
from emolab.core import shipped
from tests.kills.truth import BoardLog, CameraLog
from tests.simulators import sound_server
from tests.simulators.mjpeg_camera import running_camera
from tests.simulators.sound_server import SoundServer
from tests.simulators.thermal_file import write_thermal_file

ROOT = Path(__file__).resolve().parents[2]
EMOLAB = [sys.executable, "-m", "emolab"]
BOARD_HZ, KIT_HZ, FPS, THERMAL_FRAMES = 500, 275, 30, 900
REST_S, CLIP_S, REPORT_S = 1.5, 1.2, 3.0
CLIPS = 5

DEVICES = """
[[instrument]]
kind = "emolab_board"
name = "board"
port = "{board}"

[[instrument]]
kind = "physiokit"
name = "kit"
port = "{kit}"
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
loop = true
"""
MICROPHONE = '[[instrument]]\nkind = "microphone"\nname = "voice"\ndevice = "pulse"\n'


def why_not() -> str:
    """Why there can be no such room here, as a reason to skip; empty when there can."""
    if not sys.platform.startswith("linux"):
        return "needs pseudo-terminals and PulseAudio"
    return sound_server.why_not()


class Room:
    """Everything but the engine, while the `with` lasts.

    `listens`: with a microphone, whose stamps take up to ten seconds to settle at each start.
    """

    def __init__(self, folder: Path, *, listens: bool = True) -> None:
        self.instruments = 5 if listens else 4
        self.folder, self.study = folder, folder / "study"
        self.devices, self.protocol = folder / "devices.toml", folder / "short.yaml"
        self.engine_log = folder / "engine.log"
        self._stack = ExitStack()

    def __enter__(self) -> Room:
        with ExitStack() as stack:
            self.environment = stack.enter_context(SoundServer()).environment
            subprocess.run(
                [*EMOLAB, "stimuli", "render"], env=self.environment, check=True, stdout=subprocess.DEVNULL
            )
            camera_log, thermal = self.folder / "camera.csv", self.folder / "thermal.mkv"
            camera, _ = stack.enter_context(
                running_camera("--fps", str(FPS), "--size", "320x240", "--log", str(camera_log))
            )
            write_thermal_file(thermal, THERMAL_FRAMES)
            self.camera = CameraLog(camera_log)
            self.boards = {
                "board": BoardLog(self.folder / "board.tsv", BOARD_HZ, first_value=2),
                "kit": BoardLog(self.folder / "kit.tsv", KIT_HZ, first_value=0),
            }
            board = _start_board(stack, "framed_board", self.boards["board"], "--burst-ms", "4")
            kit = _start_board(stack, "physiokit_board", self.boards["kit"], "--pattern", "count")
            text = DEVICES.format(board=board, kit=kit, camera=camera, thermal=thermal)
            self.devices.write_text(text + MICROPHONE * (self.instruments == 5))
            self.protocol.write_text(_short_protocol())
            self.study.mkdir()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start_engine(self) -> subprocess.Popen[bytes]:
        """The engine as a console spawns it."""
        command = [*EMOLAB, "engine", "--study", str(self.study), "--devices", str(self.devices)]
        with self.engine_log.open("ab") as log:
            return subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


def _start_board(stack: ExitStack, simulator: str, log: BoardLog, *more: str) -> str:
    command = [sys.executable, "-m", f"tests.simulators.{simulator}", "--rate", str(log.rate_hz), *more]
    board = subprocess.Popen([*command, "--log", str(log.path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert board.stdout is not None
    stack.callback(_end, board)
    return board.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(10)
    if process.stdout is not None:
        process.stdout.close()


def _short_protocol() -> str:
    """The quick protocol, each of its steps a second or two long."""
    quick = yaml.safe_load(shipped.protocol("quick").read_text(encoding="utf-8"))
    quick["name"] = "short"
    quick["cap_s"] = REST_S + REPORT_S + CLIPS * (CLIP_S + REPORT_S)
    quick["rest"] |= {"duration_s": REST_S, "baseline_window_s": [0, REST_S]}
    quick["clips"]["duration_s"] = CLIP_S
    quick["report"]["window_s"] = REPORT_S
    return str(yaml.safe_dump(quick, sort_keys=False))
