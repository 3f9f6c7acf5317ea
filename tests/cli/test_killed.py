"""kill -9 of the whole recording process: the file stays readable and is made whole again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.session.client import find_engine
from tests.cli.command import emolab, finish, start, watch
from tests.session.live import BOARD, CAMERA

pytestmark = [pytest.mark.usefixtures("stimuli"), pytest.mark.slow]

LAG_S = 0.3  # between two frames of the camera, and of the moment the engine told


def test_a_killed_session_loses_a_second_at_most_and_is_made_whole(tmp_path: Path) -> None:
    study, devices = tmp_path / "study", tmp_path / "devices.toml"
    devices.write_text(BOARD + CAMERA)
    arguments = ("quick", "--study", study, "--devices", devices, "--headless")
    process = start("record", *arguments, "--participant", "P001", "--answers", "simulated")
    try:
        reached_s = follow_until(study, 4.0)
    finally:
        process.kill()
        finish(process)
    path = study / "P001" / "P001_session-0.h5"
    assert (study / ".emolab" / "engine.json").exists(), "nobody tidied up"

    said = emolab("inspect", path)
    assert said.code == 1
    assert "run 'emolab recover' on it" in said.out
    check(path, reached_s)
    mended = emolab("recover", path)
    assert mended.code == 0 and f"{path} is whole again" in mended.out
    check(path, reached_s)
    assert inspect(path)["outcome"] == "interrupted"
    assert emolab("recover", path).out.strip() == f"{path} is sound; nothing was changed."

    assert find_engine(study) is None, "what the dead engine left is no obstacle"
    again = emolab("record", *arguments, "--participant", "P008", "--speed", 40)  # who hears the same clips
    assert again.code == 0, again.err


def follow_until(study: Path, time_s: float) -> float:
    """Watch the engine as a window would; how far it had come when it was last asked."""
    client = watch(study)
    while True:
        snapshot = client.snapshot()
        assert snapshot.phase in ("setup", "running"), "the session did not get so far"
        if snapshot.phase == "running" and snapshot.now_s > time_s:
            client.close()
            return snapshot.now_s
        time.sleep(0.02)


def check(path: Path, reached_s: float) -> None:
    """Streams, video and events reach to within a second of the end."""
    with Session.open(path) as session:
        for stream in session.streams.values():
            assert float(stream.times_s(-1)[0]) > reached_s - 1.0 - LAG_S, stream.name
        video = session.video("camera")
        assert video.frame(len(video) - 1)[1].shape == (48, 64, 3)
        assert next(event.kind for event in session.events) == "session_started"
