"""What `emolab doctor` finds: the facts of this machine, what they mean, and a device file from them.

`gather` looks once; `findings` and `propose_device_file` only read what it found. Screens are
not looked for here: the window room knows them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emolab.devices.machine import (
    Camera,
    Disk,
    Library,
    SerialPort,
    audio_devices,
    cameras,
    disk,
    libraries,
    serial_ports,
)
from emolab.devices.microphone import SoundDevice, choose_input

GB = 1_000_000_000
SESSION_GB = 3.0  # twenty minutes of 1280×720 video at 1.6 MB/s, with room to spare
SLOW_MB_S = 20.0
REMEDY_GROUP = "add yourself to the group that owns it ('sudo usermod -aG {group} $USER'), then log in again"

HEAD = """\
# The instruments of this laboratory, as 'emolab doctor' found them: one [[instrument]] table each.
# 'name' becomes the stream's name in the recording. Correct what is guessed, delete what you do
# not use, and take away the '#' before what you add.
"""

SIMULATED = """
# No instrument was found, so this is a simulated participant. Plug the instruments in and let
# 'emolab doctor' write this file again, or put your own tables here.
"""

TEMPLATES = {
    "board": """
[[instrument]]
kind = "physiokit"             # or "emolab_board" for the firmware that comes with emolab
name = "{name}"
port = {port}
baud = 115200
nominal_rate_hz = 250
channels = ["gsr", "respiration", "ppg_finger", "ppg_ear"]   # in the order of the board's inputs

# [instrument.scaling]         # not needed for a PhysioKit as it comes
# gsr = {{ falls = true }}       # counts fall when skin conductance rises; false: they rise
""",
    "camera": """
[[instrument]]
kind = "rgb_camera"
name = "{name}"
source = {source}
""",
    "thermal": """
[[instrument]]
kind = "thermal_camera"
name = "{name}"
source = {source}

[instrument.radiometry]
form = "linear"                # or "planck"; see the manual of the camera
kelvin_per_count = 0.01        # 0.01 or 0.04, as set in the camera
""",
    "microphone": """
[[instrument]]
kind = "microphone"
name = "{name}"
device = {device}
""",
}
EXAMPLES = {
    "board": {"port": '"/dev/ttyUSB0"'},
    "camera": {"source": '"http://192.168.1.20/video.mjpeg"'},
    "thermal": {"source": "1"},
    "microphone": {"device": '"USB Audio"'},
}
SIMULATED_STREAMS = {"board": "board", "camera": "rgb", "thermal": "thermal", "microphone": "audio"}


@dataclass(frozen=True)
class Facts:
    """Everything found, at one moment."""

    serial_ports: tuple[SerialPort, ...]
    cameras: tuple[Camera, ...]
    audio_devices: tuple[SoundDevice, ...]
    libraries: tuple[Library, ...]
    disk: Disk


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report: `what` is so, and the `remedy`, empty when all is well."""

    level: Literal["well", "look", "act"]
    what: str
    remedy: str = ""


def gather(path: Path | None = None, *, measure_disk: bool = True) -> Facts:
    """Look at everything once; `path` is the study folder. Takes about a second; never raises."""
    place = disk(path or Path(), measure=measure_disk)
    return Facts(serial_ports(), cameras(), audio_devices(), libraries(), place)


def findings(facts: Facts | None = None) -> list[Finding]:
    """What is well, what deserves a look and what must be done, in the order of use.

    `facts`: from `gather`, which is called when they are not given.
    """
    facts = facts or gather()
    return [
        *_of_libraries(facts.libraries),
        *_of_ports(facts.serial_ports),
        *_of_cameras(facts.cameras),
        *_of_sound(facts.audio_devices),
        *_of_disk(facts.disk),
    ]


def propose_device_file(facts: Facts) -> str:
    """A device file, TOML with comments: what was found, and the rest as examples to uncomment.

    Thermal cameras are told by their names; of several microphones the system's own is taken.
    When nothing was found, the simulated participant, so that the file can be used at once.
    """
    found = {
        "board": [{"port": json.dumps(port.device)} for port in facts.serial_ports if port.maker],
        "camera": [{"source": str(camera.index)} for camera in facts.cameras if not camera.is_thermal],
        "thermal": [{"source": str(camera.index)} for camera in facts.cameras if camera.is_thermal],
        "microphone": [],
    }
    microphone = choose_input(facts.audio_devices, None)
    if microphone is not None:
        found["microphone"] = [{"device": json.dumps(microphone.name, ensure_ascii=False)}]
    text = HEAD
    if not any(found.values()):
        text += SIMULATED
        for name, stream in SIMULATED_STREAMS.items():
            text += f'\n[[instrument]]\nkind = "simulated"\nname = "{name}"\nstream = "{stream}"\n'
    for name, entries in found.items():
        for number, entry in enumerate(entries, 1):
            text += TEMPLATES[name].format(name=name if number == 1 else f"{name}{number}", **entry)
        if not entries:
            example = TEMPLATES[name].format(name=name, **EXAMPLES[name])
            text += "\n" + "".join(f"# {line}".rstrip() + "\n" for line in example.strip().splitlines())
    return text


def _of_libraries(rows: tuple[Library, ...]) -> Iterator[Finding]:
    missing = [library for library in rows if library.is_required and not library.version]
    for library in missing:
        if library.name == "PortAudio":
            yield Finding(
                "act",
                "PortAudio is missing: no sound can be played or recorded",
                "install it with 'apt-get install libportaudio2' or 'brew install portaudio'",
            )
        else:
            yield Finding(
                "act", f"{library.name} is missing", f"install it with 'pip install {library.name}'"
            )
    if not missing:
        yield Finding("well", f"all {sum(library.is_required for library in rows)} libraries are there")


def _of_ports(rows: tuple[SerialPort, ...]) -> Iterator[Finding]:
    boards = [port for port in rows if port.maker]
    for port in boards:
        if port.is_allowed:
            yield Finding("well", f"{port.device}: {port.description or port.maker} ({port.usb_id})")
        else:
            yield Finding("act", f"{port.device}: you may not open it", REMEDY_GROUP.format(group="dialout"))
    if not boards:
        yield Finding(
            "look",
            "no physiological board was found on USB",
            "plug it in; if it is, try another cable (many carry power only), or type its port",
        )


def _of_cameras(rows: tuple[Camera, ...]) -> Iterator[Finding]:
    for camera in rows:
        if camera.is_allowed:
            kind = "thermal camera" if camera.is_thermal else "camera"
            yield Finding("well", f"{kind} {camera.index}: {camera.name}")
        else:
            yield Finding(
                "act", f"camera {camera.index}: you may not open it", REMEDY_GROUP.format(group="video")
            )
    if not rows:
        yield Finding(
            "look", "no camera was found", "plug it in, or give a network camera's address as 'source'"
        )


def _of_sound(rows: tuple[SoundDevice, ...]) -> Iterator[Finding]:
    microphone = choose_input(rows, None)
    if microphone is not None:
        yield Finding("well", f"microphone: {microphone.name}")
    else:
        yield Finding("look", "no microphone was found", "plug it in and run the doctor again")
    outputs = [device for device in rows if device.outputs > 0]
    if outputs:
        chosen = next((device for device in outputs if device.is_default_output), outputs[0])
        yield Finding("well", f"loudspeaker: {chosen.name}")
    else:
        yield Finding(
            "act",
            "no loudspeaker or headphones were found: the participant would hear nothing",
            "plug them in, choose them in the system's sound settings, and run the doctor again",
        )


def _of_disk(place: Disk) -> Iterator[Finding]:
    free_gb = place.free_bytes / GB
    if not place.is_writable:
        yield Finding("act", f"{place.path} cannot be written to", "choose another study folder")
    elif free_gb < SESSION_GB:
        yield Finding(
            "act",
            f"{place.path} has {free_gb:.1f} GB left; a session may need {SESSION_GB:.0f}",
            "free some space, or choose a study folder on another disk",
        )
    else:
        yield Finding("well", f"{place.path} has {free_gb:.0f} GB left")
    if place.write_mb_s is not None and place.write_mb_s < SLOW_MB_S:
        yield Finding(
            "look",
            f"{place.path} writes only {place.write_mb_s:.0f} MB/s",
            "record to a disk inside this computer, not to a network or a memory stick",
        )
