"""What the doctor finds never breaks, says what to do, and becomes a device file that loads."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from emolab.devices import config, discover, machine
from emolab.devices.discover import Facts
from emolab.devices.machine import Camera, Disk, Library, SerialPort
from emolab.devices.microphone import SoundDevice
from tests.fakes import FakeClock

NOTHING = Facts((), (), (), (Library("numpy", "2.0", True),), Disk("/data", 10**12, True))
LABORATORY = Facts(
    (
        SerialPort("/dev/ttyACM0", "Arduino Uno", "2341:0043", "Arduino", True),
        SerialPort("/dev/ttyS0", "", "", "", True),
        SerialPort("/dev/ttyUSB0", "CP2102", "10c4:ea60", "CP210x", False),
    ),
    (Camera(0, "Integrated Camera", False, True), Camera(2, "PureThermal (fw:v1.3)", True, True)),
    (
        SoundDevice(0, 'Mic "One"', "ALSA", 1, 0, 48000.0, True, False),
        SoundDevice(1, "Headphones", "ALSA", 0, 2, 48000.0, False, True),
    ),
    (Library("numpy", "2.0", True),),
    Disk("/data", 10**12, True, 400.0),
)


def test_this_machine_can_be_looked_at(tmp_path: Path):
    facts = discover.gather(tmp_path)
    assert facts.disk.free_bytes > 0
    assert facts.disk.write_mb_s is not None
    assert {library.name for library in facts.libraries} >= {"numpy", "PortAudio", "h5py"}
    assert discover.findings(facts)
    assert list(tmp_path.iterdir()) == [], "the trial of the disk leaves nothing behind"


@pytest.mark.parametrize("look", [machine.serial_ports, machine.cameras, machine.audio_devices])
def test_a_look_that_fails_finds_nothing(look: object, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise OSError("broken driver")

    for name in ("_serial_ports", "_listed_cameras", "_probed_cameras", "sound_devices"):
        monkeypatch.setattr(machine, name, fail)
    assert look() == ()  # type: ignore[operator]


def test_without_portaudio_the_doctor_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    facts = discover.gather(tmp_path, measure_disk=False)
    assert facts.audio_devices == ()
    remedies = [finding.remedy for finding in discover.findings(facts) if "PortAudio" in finding.what]
    assert remedies == ["install it with 'apt-get install libportaudio2' or 'brew install portaudio'"]


def test_the_second_node_of_a_webcam_is_no_second_camera(tmp_path: Path):
    for node, name, index in (
        ("video0", "Webcam", "0"),
        ("video1", "Webcam", "1"),
        ("video10", "FLIR Boson", "0"),
    ):
        (tmp_path / node).mkdir()
        (tmp_path / node / "name").write_text(name + "\n")
        (tmp_path / node / "index").write_text(index + "\n")
    found = machine._listed_cameras(tmp_path)
    assert [(camera.index, camera.name, camera.is_thermal) for camera in found] == [
        (0, "Webcam", False),
        (10, "FLIR Boson", True),
    ]


def test_every_finding_that_is_not_well_has_a_remedy():
    full = replace(NOTHING, libraries=(Library("numpy", "", True),), disk=Disk("/data", 10**8, True, 3.0))
    for facts in (NOTHING, LABORATORY, full, replace(NOTHING, disk=Disk("/data", 10**12, False))):
        for finding in discover.findings(facts):
            assert (finding.remedy == "") == (finding.level == "well"), finding


def test_a_port_this_user_may_not_open_must_be_acted_on():
    acts = [finding for finding in discover.findings(LABORATORY) if finding.level == "act"]
    assert [finding.what for finding in acts] == ["/dev/ttyUSB0: you may not open it"]
    assert "dialout" in acts[0].remedy


def test_what_was_found_becomes_a_device_file_that_loads():
    text = discover.propose_device_file(LABORATORY)
    tables = config.parse(text, "lab.toml").instruments
    assert [(t["kind"], t["name"]) for t in tables] == [
        ("physiokit", "board"),
        ("physiokit", "board2"),
        ("rgb_camera", "camera"),
        ("thermal_camera", "thermal"),
        ("microphone", "microphone"),
    ]
    assert tables[0]["port"] == "/dev/ttyACM0"
    assert tables[3]["source"] == 2
    assert tables[4]["device"] == 'Mic "One"'


def test_where_nothing_was_found_the_simulated_participant_is_proposed():
    text = discover.propose_device_file(NOTHING)
    tables = config.parse(text, "lab.toml").instruments
    assert [(t["kind"], t["name"], t["stream"]) for t in tables] == [
        ("simulated", "board", "board"),
        ("simulated", "camera", "rgb"),
        ("simulated", "thermal", "thermal"),
        ("simulated", "microphone", "audio"),
    ]


def test_the_examples_in_comments_load_when_they_are_uncommented():
    text = discover.propose_device_file(NOTHING)
    examples = text[text.index("# [[instrument]]") :]
    plain = "\n".join(line.removeprefix("# ") for line in examples.splitlines() if line != "#")
    assert [t["kind"] for t in tomllib.loads(plain)["instrument"]] == [
        "physiokit",
        "rgb_camera",
        "thermal_camera",
        "microphone",
    ]


def test_the_proposed_file_tells_how_to_say_which_way_skin_conductance_goes():
    text = discover.propose_device_file(replace(LABORATORY, cameras=(), audio_devices=()))
    first = text.replace("# [instrument.scaling]", "[instrument.scaling]", 1).replace("# gsr", "gsr", 1)
    (board, *_) = config.build(config.parse(first, "lab.toml"), FakeClock(), only=["board"])
    assert board.info.channels[0].falls is True


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path):
    assert machine.disk(tmp_path / "not" / "yet").path == str(tmp_path)
