"""The study lies on a network drive, and that goes, or hangs, while a session is recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emolab.recording import recorder as recorder_module
from emolab.recording import trouble
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.recover import recover
from emolab.session.engine import Engine
from tests.recording.drive import Drive, drive, why_not
from tests.session.live import BOARD, CAMERA, engine_on, events, finish, go_on, served, start

pytestmark = [
    pytest.mark.usefixtures("stimuli"),
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drive]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with drive(tmp_path) as made:
        yield made


def run_until(engine: Engine, time_s: float) -> None:
    go_on(engine, lambda: engine.clock.now_s() - engine.zero_s > time_s)


def told(engine: Engine) -> list[str]:
    return [line.text for line in engine.log if "disk" in line.text.lower() or "no longer" in line.text]


def whole(path: Path, seconds: float) -> None:
    """The file is complete, and no stream lacks a row."""
    with Session.open(path) as session:
        assert session.complete
        for stream in session.streams.values():
            assert (stream.last_s() or 0.0) > seconds - 1.0, stream.name
        assert [event.kind for event in session.events][-1] == "session_ended"
    facts = inspect(path)
    assert all(stream["lost"] == stream["gaps"] == 0 for stream in facts["streams"]), facts["streams"]


def test_a_drive_that_goes_and_comes_back_costs_nothing(share: Drive) -> None:
    study = share.path / "study"
    with engine_on(study, BOARD + CAMERA) as engine:
        path = start(engine)
        run_until(engine, 20.0)
        share.gone()
        run_until(engine, 40.0)
        assert engine.phase == "running"
        assert engine.recorder is not None
        go_on(engine, lambda: engine.recorder.trouble is not None)  # type: ignore[union-attr]
        assert (
            told(engine)[0].startswith("The recording goes on")
            and "can no longer be written" in told(engine)[0]
        )
        share.back()
        finish(engine)
        assert engine.recorder.path == path
        assert engine.recorder.lost == {"board": 0, "camera": 0}
        ended_s = engine.clock.now_s() - engine.zero_s
    whole(path, ended_s)
    assert "error" in [event.kind for event in events(path)]
    assert sorted(file.name for file in path.parent.iterdir() if not file.name.startswith(".fuse")) == [
        path.name,
        f"{path.stem}.truth.json",
    ]


def test_when_the_drive_stays_away_the_session_ends_whole_on_this_computer(
    share: Drive, tmp_path: Path
) -> None:
    with engine_on(share.path / "study", BOARD + CAMERA) as engine:
        path = start(engine)
        run_until(engine, 20.0)
        share.gone()
        finish(engine)
        ended_s = engine.clock.now_s() - engine.zero_s
        assert engine.recorder is not None
        here = engine.recorder.path
        assert here.is_relative_to(tmp_path / "state")
        assert f"The whole recording is in {here}" in engine.message
    whole(here, ended_s)
    share.back()
    assert recover(path)["outcome"] == "complete"
    whole(path, ended_s)


def test_a_drive_that_hangs_and_answers_again_is_told_of_and_the_file_goes_on(
    share: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "SLOW_S", 0.5)
    with engine_on(share.path / "study", BOARD + CAMERA, speed=20.0) as engine:
        path = start(engine)
        with served(engine) as client:  # a window that was there before
            assert seen(lambda: client.snapshot().now_s > 10.0)
            share.hangs()
            assert seen(lambda: "does not answer" in client.snapshot().message)
            asked = time.monotonic()
            assert client.snapshot().phase == "running"
            assert time.monotonic() - asked < 2.0
            share.back()
        finish(engine)
        assert engine.recorder is not None
        assert engine.recorder.trouble is None
        ended_s = engine.clock.now_s() - engine.zero_s
    whole(path, ended_s)


def test_a_drive_that_never_answers_again_stops_nobody(share: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "SLOW_S", 0.5)
    monkeypatch.setattr(recorder_module, "HUNG_S", 1.5)
    with engine_on(share.path / "study", BOARD + CAMERA) as engine:
        path = start(engine)
        run_until(engine, 20.0)
        share.hangs()
        go_on(engine, lambda: engine.phase in ("finished", "failed"))
        assert engine.phase == "failed"
        assert "Nothing is lost" in engine.message
        assert f"run 'emolab recover {path}'" in engine.message
        begun = time.monotonic()
    assert time.monotonic() - begun < 20, "the engine did not let go"
    share.back()
    assert seen(lambda: not [t for t in threading.enumerate() if t.name == "recorder rescue"])
    recover(path)
    whole(path, 21.0)


def seen(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
