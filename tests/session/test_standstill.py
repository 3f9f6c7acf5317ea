"""The engine stands still, as when a laptop's lid is closed: one step is lost at most, nothing is made up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emolab.core.clock import SessionClock, now_ns
from emolab.core.settings import read
from emolab.devices import config
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.review.happenings import happenings
from emolab.session import diary, view
from emolab.session.engine import Engine
from emolab.session.snapshot import Snapshot
from emolab.session.standstill import Standstill
from emolab.session.watch import Watch
from tests.cli.command import finish as finished
from tests.cli.command import simulated
from tests.cli.command import start as started
from tests.session.live import BOARD, do, events, go_on, start, step_kind, trial

pytestmark = pytest.mark.usefixtures("stimuli")

HURRY_S = 0.5  # a jump of the clock too short to be a standstill


class Machine(SessionClock):
    """The clock of a computer on which time passes as the test says, and which may sleep meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = self._uncounted_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def at(self, monotonic_ns: int) -> float:
        return self._now_s  # a real stamp is one of this moment

    def sleep_through(self, seconds: float, *, counts: bool = True) -> None:
        """`counts`: the monotonic clock goes on meanwhile, as on Windows or with a stopped process."""
        if counts:
            self._now_s += seconds
        else:
            self._uncounted_s += seconds

    def sleepless_s(self) -> float:
        return self.now_s() + self._uncounted_s


@contextmanager
def session(study: Path, answers: str = "window") -> Iterator[tuple[Engine, Machine]]:
    """A session on the real clock, at its first page."""
    machine = Machine()
    user = read(Path(os.devnull), os.environ)
    devices = config.parse(BOARD, study / "devices.toml")
    engine = Engine(study, devices, machine, user, with_sound=False)
    try:
        engine.standstill = Standstill(machine.sleepless_s)
        engine.watch = Watch(engine.standstill)
        engine.arm(render=False)
        go_on(engine, lambda: all(pump.status.state == "open" for pump in engine.pumps.values()))
        machine.sleep_through(HURRY_S)
        go_on(engine, lambda: all(light.samples for light in engine.health()))
        start(engine, answers)
        yield engine, machine
    finally:
        engine.close()


def hurry(engine: Engine, machine: Machine, until: Callable[[], bool]) -> None:
    """Let the session go on until then, with somebody who goes on from pages, in less time than it takes."""
    for _ in range(2000):
        if until():
            return
        if step_kind(engine) == "instruct" and engine.run is not None:
            do(engine, "proceed", step=engine.run.runner.status.index, time_ns=now_ns())
        else:
            machine.sleep_through(HURRY_S)
        turns(engine)
    raise AssertionError(f"the session does not get there; it is at {step_kind(engine)}: {engine.message}")


def turns(engine: Engine, count: int = 3) -> None:
    left = iter(range(count))
    engine.serve(until=lambda: next(left, None) is None)


def now(engine: Engine) -> Snapshot:
    return view.snapshot_of(engine)


def test_an_hour_of_sleep_in_a_clip_breaks_that_clip_off_and_waits_for_the_experimenter(
    tmp_path: Path,
) -> None:
    with session(tmp_path) as (engine, machine):
        assert engine.prepared is not None
        path = engine.prepared.path
        hurry(engine, machine, lambda: trial(engine) == 1)
        clip = engine.prepared.plan.trials[0].id
        machine.sleep_through(3600.0)
        turns(engine)
        assert step_kind(engine) == "rate", "its end was due meanwhile; its report is asked for now"
        assert now(engine).phase == "pausing"
        assert now(engine).message == (
            f"The computer stood still for 60 min. Clip {clip} was broken off: R plays it again. "
            "Go on with P when all is well."
        )
        hurry(engine, machine, lambda: now(engine).phase == "paused")
        do(engine, "repeat")
        turns(engine)
        assert now(engine).phase == "paused", "R alone does not start the music"
        do(engine, "resume")
        turns(engine)
        assert step_kind(engine) == "play" and trial(engine) == 1 and not now(engine).message
        hurry(engine, machine, lambda: engine.phase != "running")
        assert engine.phase == "finished", engine.message
    assert engine.summary["outcome"] == "complete"
    assert engine.summary["trials"] == {"planned": 5, "done": 4, "skipped": 1}, "the cap had no room for R"
    (still,) = events(path, "stood_still")
    assert still.data["seconds"] == pytest.approx(3600.0, abs=2.0)
    assert still.data["counted_s"] == pytest.approx(3600.0, abs=2.0) and still.data["clip"] == clip
    ended = [(e.data["clip"], e.data["how"]) for e in events(path, "clip_ended")]
    assert ended[:2] == [(clip, "silenced"), (clip, "done")] and len(ended) == 5
    meanwhile = [e for e in events(path) if still.time_s < e.time_s < still.time_s + 3599.0]
    assert not meanwhile, "nothing happened in that hour"
    (paused,), (resumed,) = events(path, "paused"), events(path, "resumed")
    assert paused.data["reason"] == resumed.data["reason"] == "the computer stood still for 60 min"
    (reason,) = [reason for reason in engine.summary["reasons"] if "stood still" in reason]
    assert f"stood still once, for 3600 s, first at {still.time_s:.1f} s; it broke off {clip}." in reason
    told = diary.line(still)
    assert told is not None and told.level == "act"
    assert told.text == f"the computer stood still for 3600 s; clip {clip} was broken off"
    (label,) = [one for one in happenings(events(path)) if one.note.startswith("the computer stood still")]
    assert (label.start_s, label.end_s) == pytest.approx((still.time_s, still.time_s + 3600.0), abs=2.0)


def test_a_lid_closed_in_the_rest_is_told_though_the_session_clock_slept_too(tmp_path: Path) -> None:
    with session(tmp_path) as (engine, machine):
        assert engine.prepared is not None
        path = engine.prepared.path
        hurry(engine, machine, lambda: step_kind(engine) == "rest")
        machine.sleep_through(1800.0, counts=False)
        turns(engine)
        assert now(engine).phase == "paused" and now(engine).stage.page == "pause"
        assert now(engine).message == (
            "The computer stood still for 30 min. The rest was broken off, and begins anew when you go on "
            "with P; S leaves it out."
        )
        do(engine, "resume")
        turns(engine)
        assert step_kind(engine) == "rest" and now(engine).phase == "running"
        do(engine, "abort")
        turns(engine)
    (still,) = events(path, "stood_still")
    assert still.data["seconds"] == pytest.approx(1800.0, abs=2.0) and still.data["counted_s"] < 2.0
    rests = [e.data["how"] for e in events(path, "step_ended") if e.data["kind"] == "rest"]
    assert rests == ["aborted", "aborted"]


def test_what_a_window_sent_meanwhile_does_not_run_the_session_through_the_standstill(
    tmp_path: Path,
) -> None:
    with session(tmp_path) as (engine, machine):
        hurry(engine, machine, lambda: trial(engine) == 1 and step_kind(engine) == "rate")
        assert engine.run is not None
        step = engine.run.runner.status.index
        machine.sleep_through(900.0)
        clicked = {"step": step, "state": "neutral", "word": "calm", "time_ns": now_ns()}
        engine.post(lambda: do(engine, "choose", **clicked))
        engine._wait(machine.now_s())  # asleep in the inbox, where the engine spends its time
        turns(engine)
        assert engine.run.runner.status.index == step and engine.run.runner.status.chosen == "neutral"
        assert now(engine).phase == "pausing"


def test_where_nobody_sits_at_a_window_the_session_goes_on_by_itself(tmp_path: Path) -> None:
    with session(tmp_path, answers="none") as (engine, machine):
        hurry(engine, machine, lambda: trial(engine) == 1)
        machine.sleep_through(600.0)
        hurry(engine, machine, lambda: engine.phase != "running")
        assert engine.phase == "finished" and not engine.holds
    assert engine.summary["outcome"] == "complete"
    assert engine.summary["trials"] == {"planned": 5, "done": 4, "skipped": 0}


def test_a_machine_that_is_merely_slow_holds_up_nobody(tmp_path: Path) -> None:
    with session(tmp_path, answers="none") as (engine, machine):
        hurry(engine, machine, lambda: trial(engine) == 1)
        machine.sleep_through(1.5)
        turns(engine)
        hurry(engine, machine, lambda: engine.phase != "running")
    assert engine.summary["trials"]["done"] == 5
    assert engine.prepared is not None and not events(engine.prepared.path, "stood_still")


def test_windows_and_sound_that_stood_still_as_well_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session(tmp_path) as (engine, machine):
        monkeypatch.setattr("emolab.session.standstill.GRACE_S", 600.0)
        hurry(engine, machine, lambda: step_kind(engine) == "rest")
        monkeypatch.setattr(engine.windows, "silent_s", lambda: 600.0)
        monkeypatch.setattr(engine.player, "failure", lambda: "The sound output has stopped.")
        machine.sleep_through(600.0)
        engine._due["look"] = 0.0
        turns(engine)
        assert list(engine.holds) == ["standstill"] and not engine.sound_fault
        monkeypatch.setattr("emolab.session.standstill.GRACE_S", 0.0)
        engine._due["look"] = 0.0
        turns(engine)
        assert set(engine.holds) == {"standstill", "sound", "frozen"}, "what does not come back is told"
        assert list(engine.holds)[-1] == "standstill"


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows stops no process by a signal")
def test_an_engine_that_was_stopped_has_it_on_record(tmp_path: Path) -> None:
    study = tmp_path / "study"
    path = study / "P001" / "P001_session-0.h5"
    process = started(
        "record", "quick", "--study", study, "--participant", "P001", "--devices", simulated(tmp_path),
        "--headless", "--answers", "none",
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not (path.is_file() and _is_resting(path)):
            assert time.monotonic() < deadline and process.poll() is None, "it does not rest"
            time.sleep(0.1)
        process.send_signal(signal.SIGSTOP)
        time.sleep(6.5)
        process.send_signal(signal.SIGCONT)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        finished(process, timeout_s=120.0)
    finally:
        process.kill()
    (still,) = events(path, "stood_still")
    assert 6.0 < still.data["seconds"] < 60 and abs(still.data["counted_s"] - still.data["seconds"]) < 0.1
    assert any("stood still once" in reason for reason in inspect(path)["reasons"])


def _is_resting(path: Path) -> bool:
    try:
        with Session.open(path, live=True) as session:
            return any(e.kind == "step_started" and e.data["kind"] == "rest" for e in session.events)
    except OSError:  # still being made
        return False
