"""`emolab doctor`: what the machine has, and a device file made from it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from emolab.devices import config
from emolab.devices.discover import Finding
from tests.cli.command import emolab, finish, start


@pytest.fixture
def no_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Qt application made here would be in the way of the windows' own tests."""
    monkeypatch.setattr("emolab.cli.doctor.screens", list)


def test_the_doctor_lists_everything_a_session_needs(tmp_path: Path) -> None:
    said = finish(start("doctor", tmp_path, "--json", QT_QPA_PLATFORM="offscreen"))
    facts = said.json
    assert {"serial_ports", "cameras", "audio_devices", "libraries", "disk", "screens", "findings"} <= set(
        facts
    )
    assert facts["screens"][0]["width"] > 0
    assert {library["name"] for library in facts["libraries"]} >= {"numpy", "h5py"}
    assert facts["disk"]["free_bytes"] > 0
    levels = [finding["level"] for finding in facts["findings"]]
    assert said.code == (1 if "act" in levels else 0)
    assert all(finding["remedy"] for finding in facts["findings"] if finding["level"] == "act")


@pytest.mark.usefixtures("no_screens")
def test_a_disk_that_cannot_be_written_must_be_seen_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Finding("act", "the disk is full", "free some space")
    monkeypatch.setattr("emolab.devices.discover.findings", lambda facts: [bad])
    said = emolab("doctor", tmp_path)
    assert said.code == 1
    assert "■ the disk is full\n    free some space\n" in said.out


@pytest.mark.usefixtures("no_screens")
def test_a_machine_without_fault_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolab.devices.discover.findings", lambda facts: [Finding("well", "all is there")])
    said = emolab("doctor", tmp_path)
    assert said.code == 0 and "● all is there" in said.out


@pytest.mark.usefixtures("no_screens")
def test_the_device_file_it_writes_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    said = emolab("doctor", tmp_path, "--write", path)
    assert f"Written: {path}" in said.out
    tomllib.loads(path.read_text(encoding="utf-8"))
    assert config.load(path).instruments


@pytest.mark.usefixtures("no_screens")
def test_a_device_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_text("# mine\n")
    said = emolab("doctor", tmp_path, "--write", path)
    assert said.code == 2 and not said.out
    assert said.complaint == f"{path} is there already; choose another name, nothing was changed"
    assert path.read_text() == "# mine\n"


@pytest.mark.usefixtures("no_screens")
def test_a_device_file_for_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    said = emolab("doctor", tmp_path, "--write", tmp_path / "none" / "devices.toml")
    assert said.code == 2
    assert str(tmp_path / "none" / "devices.toml") in said.complaint
    assert "name a file in a folder that is there" in said.complaint
