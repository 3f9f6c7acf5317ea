"""Windows come and go, and say all kinds of things: the recording is the engine's own."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from emolab.core.clock import Follower, now_ns
from emolab.session import commands
from emolab.session.address import read_address
from emolab.session.client import EngineClient, attach
from emolab.session.engine import Engine
from emolab.session.link import Line
from emolab.session.snapshot import Snapshot
from tests.session.live import NOW_NS, PATIENCE_S, engine_on, events, finish, served, start

pytestmark = pytest.mark.usefixtures("stimuli")


def wait(
    engine: Engine,
    client: EngineClient,
    until: Callable[[Snapshot], bool],
    hand: Callable[[Snapshot], None] | None = None,
) -> Snapshot:
    """Watch as a window does until `until(snapshot)`; `hand` acts on each snapshot meanwhile.

    The session goes no further than a second beyond what was looked at.
    """
    deadline = time.monotonic() + PATIENCE_S
    with paced(engine) as pace:
        while time.monotonic() < deadline:
            pace.allow_until(engine.clock.now_s() + 1.0)
            snapshot = client.snapshot()
            if until(snapshot):
                return snapshot
            if hand is not None:
                hand(snapshot)
            time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE_S:g} s in vain; the engine shows {client.snapshot().stage.page}")


@contextmanager
def paced(engine: Engine) -> Iterator[Follower]:
    follower = engine.clock.follow("window")
    try:
        yield follower
    finally:
        follower.leave()


def obliging(client: EngineClient) -> Callable[[Snapshot], None]:
    """A participant who goes on from every page and reports 'calm' each time."""
    seen: set[tuple[int, str]] = set()

    def act(snapshot: Snapshot) -> None:
        stage = snapshot.stage
        if (stage.step, stage.page) in seen:
            return
        if stage.page in ("consent", "instruct", "rate"):
            seen.add((stage.step, stage.page))
            send = {"step": stage.step, "time_ns": NOW_NS}
            client.send({"do": "shown", **send})
            if stage.page != "rate":
                client.send({"do": "proceed", **send})
                return
            client.send({"do": "choose", **send, "state": "neutral", "word": "calm"})
            client.send({"do": "confirm", **send})

    return act


def test_a_session_waits_for_a_window_that_died_and_goes_on_with_the_next(tmp_path: Path) -> None:
    with engine_on(tmp_path, speed=10.0) as engine:
        path = start(engine, answers="window")
        with served(engine) as console:
            window = attach(tmp_path)
            assert window.send({"do": "attach", "screen": "HDMI-1"}) == {"ok": True}
            wait(engine, console, lambda s: s.stage.page == "listen", obliging(console))
            window.close()  # what kill -9 looks like from here
            held = wait(engine, console, lambda s: s.phase == "holding")
            assert held.message == "The window has gone. Start emolab again and attach to this session."
            assert held.stage.page == "hold" and not held.screen
            window = attach(tmp_path)
            window.send({"do": "attach", "screen": "HDMI-1"})
            done = wait(engine, console, lambda s: s.phase == "finished", obliging(console))
            window.close()
    assert done.summary["outcome"] == "complete"
    assert done.summary["trials"] == {"planned": 5, "done": 5, "skipped": 0}
    answers = [answer["word"] for answer in done.summary["answers"]]
    assert answers == ["calm", None, "calm", "calm", "calm", "calm"], (
        "nobody was there for the first clip's report"
    )
    (lost,) = events(path, "window_lost")
    (resumed,) = [event for event in events(path, "resumed") if event.data["reason"].startswith("The window")]
    onsets = [event.time_s for event in events(path, "clip_onset")]
    assert not [onset_s for onset_s in onsets if lost.time_s < onset_s < resumed.time_s]
    assert engine.summary["streams"][0]["gaps"] == 0, "the signals went on meanwhile"


def test_a_late_click_and_an_impossible_stamp_move_nothing(tmp_path: Path) -> None:
    with engine_on(tmp_path, speed=10.0) as engine:
        start(engine, answers="window")
        with served(engine) as client:
            shown = wait(engine, client, lambda s: s.stage.page == "consent")
            step = shown.stage.step
            for time_ns in (-(10**30), 0):
                client.send({"do": "proceed", "step": step, "time_ns": time_ns})
            assert client.snapshot().stage.page == "consent", "a click from before the page is none on it"
            client.send({"do": "proceed", "step": step, "time_ns": 10**30})
            wait(engine, client, lambda s: s.stage.page == "instruct")
            client.send({"do": "proceed", "step": step, "time_ns": now_ns()})
            time.sleep(0.1)
            assert client.snapshot().stage.page == "instruct", (
                "a click for the page before is none on this one"
            )
            assert engine.clock.now_s() < 3600, "a stamp from the future does not carry the session there"


ANYTHING: tuple[Any, ...] = (
    None, True, -1, 0, 3, 10**30, -(10**30), 10**400, 1.5, 1e308, float("nan"), "", "x", "\ud800", "\x00",
    "calm", "neutral", "most_negative", "é" * 5000, [], [1], {}, {"a": []},
)  # fmt: skip
KEYS = ("text", "step", "time_ns", "state", "word", "stream", "screen", "protocol", "participant", "session",
        "seed", "language", "answers", "override", "screens", "seconds", "do2")  # fmt: skip
ENDING = ("abort", "shutdown", "skip")  # which are no nonsense, but end the session or hurry it


def nonsense(dice: random.Random) -> dict[str, Any]:
    """A command with a known or an unknown name, and some keys with some values."""
    names = [name for name in (*commands._SETUP, *commands._RUNNING) if name not in ENDING]
    do = dice.choice([*names, *names, "", "dance", None, 7, ["start"], {}])
    keys = dice.sample(KEYS, dice.randint(0, 6))
    return {"do": do, **{key: dice.choice(ANYTHING) for key in keys}}


@pytest.mark.parametrize("phase", ["setup", "running"])
def test_nonsense_never_hurts_the_engine(tmp_path: Path, phase: str) -> None:
    dice = random.Random(phase)
    with engine_on(tmp_path, speed=40.0) as engine:
        path = start(engine) if phase == "running" else None
        with served(engine) as client:
            for _ in range(300):
                command = nonsense(dice)
                reply = client.send(command)
                assert reply == {"ok": True} or list(reply) == ["error"], command
                assert reply.get("error", "a reason"), command
            assert client.snapshot().engine_pid, "the engine still answers"
        if path is None:
            path = start(engine)
        engine.is_shutting_down = False
        recover_from_nonsense(engine)
        facts = finish(engine)
    assert facts["outcome"] == "complete"
    assert {stream["lost"] for stream in facts["streams"]} == {0}
    assert {stream["gaps"] for stream in facts["streams"]} == {0}
    assert all(-1 < event.time_s < 3600 for event in events(path))


def recover_from_nonsense(engine: Engine) -> None:
    """Take back the pauses and holds that nonsense may have asked for."""
    commands.apply(engine, {"do": "screen_found"})
    commands.apply(engine, {"do": "attach"})
    if engine.phase == "running":
        commands.apply(engine, {"do": "resume"})


@pytest.mark.parametrize(
    "line",
    [b"\n", b"hello\n", b"[1]\n", b'"snapshot"\n', b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"do":\n', b""],
)
def test_a_line_that_is_no_command_ends_its_connection_and_nothing_else(tmp_path: Path, line: bytes) -> None:
    with engine_on(tmp_path, speed=4.0) as engine:
        start(engine)
        with served(engine) as client:
            address = read_address(tmp_path)
            assert address is not None
            rude = Line.dial(address, 5.0)
            rude._socket.sendall(line)
            rude.close()
            assert client.snapshot().phase in ("running", "finished")
            assert json.loads(json.dumps(client.send({"do": "mark", "text": "still here"}))) == {"ok": True}


def test_a_window_that_hangs_is_told_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen_s = "emolab.session.watch.FROZEN_S"
    monkeypatch.setattr(frozen_s, 600.0)  # a busy machine makes everybody wait
    with engine_on(tmp_path, speed=5.0) as engine:
        path = start(engine, answers="window")
        with served(engine) as console:
            window = attach(tmp_path)
            window.send({"do": "attach", "screen": "HDMI-1"})
            wait(engine, window, lambda s: s.stage.page == "listen", obliging(window))
            monkeypatch.setattr(frozen_s, 0.5)
            held = wait(
                engine, console, lambda s: s.phase == "holding"
            )  # the window asks for nothing meanwhile
            assert held.message.startswith("The participant's window does not respond.")
            assert held.screen == "HDMI-1", "it has not gone"
            monkeypatch.setattr(frozen_s, 600.0)
            wait(engine, window, lambda s: s.phase == "running")
            done = wait(engine, window, lambda s: s.phase == "finished", obliging(window))
            window.close()
    assert done.summary["outcome"] == "complete" and done.summary["trials"]["done"] == 5
    assert [answer["state"] for answer in done.summary["answers"]].count(None) == 1
    frozen, thawed = events(path, "window_frozen", "window_thawed")
    assert (frozen.kind, thawed.kind) == ("window_frozen", "window_thawed")
    assert 0.5 < frozen.data["silent_s"] < thawed.data["frozen_s"] < 60
    assert engine.summary["streams"][0]["gaps"] == 0
