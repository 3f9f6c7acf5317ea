"""What fails while a session runs costs what it must, is told in a sentence, and nothing recorded is lost."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from emolab.core.clock import SessionClock
from emolab.core.errors import ConfigError
from emolab.core.settings import read
from emolab.devices import config
from emolab.recording import journal
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.session import diary, hub, view
from emolab.session.engine import Engine
from tests.devices.boards import playing
from tests.session.live import BOARD, CAMERA, do, engine_on, events, finish, go_on, start, step_kind, trial
from tests.simulators.mjpeg_camera import running_camera

pytestmark = pytest.mark.usefixtures("stimuli")


def broken(*_: Any, **__: Any) -> Any:
    raise KeyError("a fault of ours")


# faults of our own


@pytest.mark.parametrize("part", ["run", "stage"])
def test_a_fault_in_the_sessions_course_ends_it_in_order(
    tmp_path: Path, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    with engine_on(tmp_path) as engine, caplog.at_level(logging.CRITICAL):
        path = start(engine)
        before = engine.hub.streams["board"].samples
        go_on(engine, lambda: trial(engine) == 2)
        assert engine.run is not None
        samples = engine.hub.streams["board"].samples - before
        if part == "run":
            engine.run.tick = broken  # type: ignore[method-assign]
        else:
            engine.run.runner.tick = broken  # type: ignore[method-assign]
        facts = finish(engine)
        assert "the session's course failed: KeyError: 'a fault of ours'" in engine.message
        assert f"All that was recorded is in {path}" in engine.message
    assert facts["outcome"] == "interrupted"
    assert facts["streams"][0]["samples"] > samples - 130, "the tail is there but for a chunk from before"
    assert events(path, "error")[0].data["where"] == "session"
    assert events(path)[-1].kind == "session_ended"


@pytest.mark.parametrize(
    ("place", "name"),
    [(diary, "line"), (view, "snapshot_of"), (hub.Hub, "_show")],
    ids=["log", "snapshot", "plot"],
)
def test_a_fault_in_what_is_shown_costs_the_recording_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: step_kind(engine) == "rest")
        logging.disable(logging.ERROR)
        try:
            monkeypatch.setattr(place, name, broken)
            facts = finish(engine)
        finally:
            logging.disable(logging.NOTSET)
    assert facts["outcome"] == "complete" and facts["verdict"] == "good"
    assert len(events(path, "answer")) == 6


def test_a_message_that_cannot_be_taken_is_an_event_and_no_more(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        logging.disable(logging.ERROR)
        try:
            engine._inbox.put(broken)
            go_on(engine, lambda: step_kind(engine) == "rest")
        finally:
            logging.disable(logging.NOTSET)
        facts = finish(engine)
    assert facts["outcome"] == "complete"
    (error,) = events(path, "error")
    assert error.data == {"where": "engine", "message": "KeyError: 'a fault of ours'"}


# the disk


def test_a_disk_that_is_nearly_full_stops_the_recording_with_a_closed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: trial(engine) == 1)
        assert engine.recorder is not None and engine.recorder._journal is not None
        kept = engine.recorder._journal
        monkeypatch.setattr(journal, "LEAST_FREE_BYTES", 1 << 60)  # the first to make room
        go_on(engine, lambda: kept.error is not None)
        monkeypatch.setattr(engine.recorder._writer, "_reserve_bytes", 1 << 60)
        go_on(engine, lambda: engine.phase == "failed")
        assert engine.message.startswith(f"The recording stopped: the disk of {path} is nearly full")
        assert "free some space, then record the rest as a new session" in engine.message
    facts = inspect(path)
    assert facts["outcome"] == "interrupted" and facts["streams"][0]["samples"] > 2000


def test_a_study_whose_disk_goes_away_does_not_stop_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    with engine_on(tmp_path) as engine:
        monkeypatch.setattr("shutil.disk_usage", gone)
        engine._due["look"] = 0.0
        go_on(engine, lambda: engine.free_bytes == 0)
        assert engine.phase == "setup"


# instruments that go


def test_an_instrument_that_goes_and_comes_back_leaves_a_gap_and_two_events(tmp_path: Path) -> None:
    faults = 'faults = [{ kind = "unplug", at_s = 20, for_s = 6 }]\n'
    with engine_on(tmp_path, BOARD + faults + CAMERA, speed=20.0) as engine:
        path = start(engine)
        go_on(engine, lambda: engine.pumps["board"].status.state == "lost")
        lights = {light.name: light for light in engine.health()}
        assert lights["board"].level == "act" and "unplugged" in lights["board"].message
        assert lights["camera"].level == "well"
        go_on(engine, lambda: engine.pumps["board"].status.state == "open")
        facts = finish(engine)
    assert facts["outcome"] == "complete" and facts["trials"]["done"] == 5
    (lost,), (found,) = events(path, "device_lost"), events(path, "device_found")
    assert lost.data["stream"] == found.data["stream"] == "board"
    assert 5 < found.time_s - lost.time_s < 40
    board, camera = facts["streams"][0], facts["streams"][-1]
    assert board["reopened"] >= 1 and board["gaps"] == 1
    assert board["last_s"] > facts["duration_s"] - 2, "it was recorded again"
    assert camera["gaps"] == 0 and camera["lost"] == 0


def test_an_instrument_that_never_comes_back_is_said_so_in_the_verdict(tmp_path: Path) -> None:
    faults = 'faults = [{ kind = "unplug", at_s = 20 }]\n'
    with engine_on(tmp_path, BOARD + faults + CAMERA) as engine:
        path = start(engine)
        facts = finish(engine)
    assert facts["outcome"] == "complete" and facts["verdict"] == "bad"
    assert any("before the session" in reason for reason in facts["reasons"])
    assert len(events(path, "device_lost")) == 1, "it is told once, not at every attempt"


def test_a_session_does_not_start_without_an_instrument_unless_it_is_left_out(tmp_path: Path) -> None:
    faults = 'faults = [{ kind = "unplug", at_s = 1 }]\n'
    with engine_on(tmp_path, BOARD + faults + CAMERA) as engine:
        go_on(engine, lambda: engine.pumps["board"].status.state == "lost")
        with pytest.raises(ConfigError, match=r"unplugged .*leave board out"):
            start(engine)
        assert not list(tmp_path.glob("**/*.h5"))
        do(engine, "leave_out", stream="board")
        path = start(engine)
        facts = finish(engine)
    assert {stream["name"] for stream in facts["streams"]} == {"camera"}
    assert events(path, "session_started")[0].data["left_out"] == ["board"]


@contextmanager
def real_engine(study: Path, devices: str) -> Iterator[Engine]:
    """An engine in real time on instruments that are programs of their own."""
    user = read(Path(os.devnull), os.environ)
    engine = Engine(study, config.parse(devices, study / "d.toml"), SessionClock(), user, with_sound=False)
    try:
        engine.arm(render=False)
        go_on(engine, lambda: all(light.samples for light in engine.health()))
        yield engine
    finally:
        engine.close()


def goes_on(engine: Engine, *streams: str) -> None:
    """Wait until these have delivered for another second."""
    from_s = engine.clock.now_s()
    for name in streams:
        go_on(engine, lambda name=name: (engine.hub.streams[name].last_s or 0.0) > from_s + 1.0)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_a_port_pulled_in_mid_session_is_told_and_recorded_again_when_it_is_back(tmp_path: Path) -> None:
    port = tmp_path / "ttyBOARD"
    pull = tmp_path / "pull"
    options = ("--link", str(port), "--unplug-when", str(pull), "--replug-after", "0.7", "--rate", "250")
    board = (
        f'[[instrument]]\nkind = "physiokit"\nname = "board"\nport = "{port}"\n'
        'channels = ["gsr", "respiration", "ppg_finger", "ppg_ear"]\n'
    )
    with (
        playing("physiokit_board", tmp_path / "sent.log", *options),
        real_engine(tmp_path / "study", board + CAMERA) as engine,
    ):
        path = start(engine)
        goes_on(engine, "board", "camera")
        pull.touch()
        go_on(engine, lambda: engine.pumps["board"].status.state == "lost")
        go_on(engine, lambda: engine.pumps["board"].status.reopened == 1)
        goes_on(engine, "board", "camera")
        do(engine, "abort")
        finish(engine)
    lost, found = events(path, "device_lost", "device_found")
    assert (lost.kind, found.kind) == ("device_lost", "device_found")
    assert f"port {port} has gone" in lost.data["reason"] and "push the cable home" in lost.data["reason"]
    facts = inspect(path)
    board_facts, camera = facts["streams"][0], facts["streams"][-1]
    assert board_facts["last_s"] > found.time_s
    assert board_facts["reopened"] == 1
    assert camera["gaps"] == 0 and camera["last_s"] > facts["duration_s"] - 0.5


def test_a_camera_that_dies_in_mid_session_costs_its_own_frames_only(tmp_path: Path) -> None:
    with running_camera("--fps", "20", "--size", "160x120") as (address, process):
        face = f'[[instrument]]\nkind = "rgb_camera"\nname = "face"\nsource = "{address}"\n'
        with real_engine(tmp_path, BOARD + face) as engine:
            path = start(engine)
            seen = engine.hub.streams["face"].samples
            go_on(engine, lambda: engine.hub.streams["face"].samples > seen + 20)
            process.kill()
            killed_s = time.monotonic()
            go_on(engine, lambda: engine.pumps["face"].status.state == "lost")
            told_within_s = time.monotonic() - killed_s
            goes_on(engine, "board")
            do(engine, "abort")
            finish(engine)
    assert told_within_s < 15, "OpenCV alone would wait for thirty seconds"
    (lost,) = events(path, "device_lost")
    assert lost.data["stream"] == "face" and lost.data["reason"]
    with Session.open(path) as session:
        video = session.video("face")
        assert len(video) > 10
        assert video.frame(len(video) - 1)[1].shape == (120, 160, 3)
        board = session.streams["board"]
        assert float(board.times_s(-1)[0]) > lost.time_s + 0.5
