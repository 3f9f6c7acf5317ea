"""`emolab synctest` on a desk with two screens, a sound card, a camera, a light sensor and a microphone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.simulators import desktop, sound_server
from tests.simulators.desktop import SCREENS, Desktop
from tests.simulators.sound_server import SoundServer

ROOT = Path(__file__).parents[2]
PLACE = ",".join(map(str, SCREENS["PART"]))
CAMERA_MS, BOARD_MS, FPS = 60.0, 25.0, 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(desktop.why_not()), reason=desktop.why_not()),
    pytest.mark.skipif(bool(sound_server.why_not()), reason=sound_server.why_not()),
]


@contextmanager
def simulator(name: str, *arguments: object) -> Iterator[str]:
    """A simulator as a process of its own; what it prints first: its port or address."""
    command = [sys.executable, "-m", f"tests.simulators.{name}", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()


def test_each_delay_of_a_laboratory_is_found_and_becomes_its_baseline(tmp_path: Path) -> None:
    with SoundServer() as sound, Desktop(sound.environment) as desk:
        # the desktop's private folders must not hide the sound server's
        environment = desk.environment | {"EMOLAB_SOUND": "pulse"}
        environment["XDG_RUNTIME_DIR"] = sound.environment["XDG_RUNTIME_DIR"]
        seen = ("--screen", desk.picture, "--place", PLACE)
        with (
            simulator("screen_camera", *seen, "--fps", FPS, "--delay-ms", CAMERA_MS) as address,
            simulator("light_board", *seen, "--rate", 255.3, "--delay-ms", BOARD_MS, "--baud", 0) as port,
        ):
            devices = tmp_path / "devices.toml"
            devices.write_text(
                f'[[instrument]]\nkind = "rgb_camera"\nname = "face"\nsource = "{address}"\n'
                f'[[instrument]]\nkind = "physiokit"\nname = "board"\nport = "{port}"\n'
                '[[instrument]]\nkind = "microphone"\nname = "voice"\ndevice = "pulse"\n',
                encoding="utf-8",
            )
            command = [sys.executable, "-m", "emolab", "synctest", "--devices", devices, "--study", tmp_path]
            done = subprocess.run(
                [*map(str, command), "--seconds", "40", "--json"],
                env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240,
            )  # fmt: skip
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    rows = {(row["stream"], row["channel"]): row for row in told["streams"]}
    assert set(rows) == {("face", "rgb"), ("board", "gsr"), ("voice", "sound")}, done.stderr
    face, board, voice = rows["face", "rgb"], rows["board", "gsr"], rows["voice", "sound"]
    assert told["screen"] == "PART" and told["is_baseline"]
    assert abs(face["offset_ms"] - CAMERA_MS) < 1000 / FPS / 2, face
    assert abs(board["offset_ms"] - BOARD_MS) < 2.0, board  # what the display server needs is in it
    assert board["stimulus"] == "flash"
    assert abs(voice["offset_ms"]) < 20.0, voice  # what the server buffers is in it
    assert all(row["found"] >= 0.8 * row["given"] for row in rows.values())
