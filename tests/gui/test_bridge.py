"""The bridge: newest snapshot wins, nothing blocks, refusals and losses are told."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QTimer

from emolab.core.errors import ConfigError
from emolab.core.ring import FrameSlot, SampleRing
from emolab.session.snapshot import Snapshot, StreamHealth


def test_window_gets_the_engines_snapshot(client, make_bridge, qtbot):
    client.shown = Snapshot(phase="running", participant="P014")
    bridge = make_bridge(client)
    with qtbot.waitSignal(bridge.snapshotChanged) as seen:
        pass
    assert seen.args[0].participant == "P014"
    assert bridge.snapshot.phase == "running"


def test_window_goes_on_while_the_engine_does_not_answer(client, make_bridge, qtbot):
    client.may_answer.clear()
    bridge = make_bridge(client)
    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(1)
    bridge.send({"do": "pause"})
    qtbot.waitUntil(lambda: len(ticks) > 20)
    assert bridge.snapshot is None and client.commands == []
    client.may_answer.set()
    qtbot.waitUntil(lambda: client.did("pause") != [] and bridge.snapshot is not None)


def test_refused_command_is_told_with_its_remedy(client, make_bridge, qtbot):
    client.answers["start"] = {"error": "P014 has a session 1 already; choose session 2."}
    bridge = make_bridge(client)
    with qtbot.waitSignal(bridge.commandFailed) as refused:
        bridge.send({"do": "start", "participant": "P014"})
    assert refused.args == ["start", "P014 has a session 1 already; choose session 2."]


def test_accepted_command_says_nothing(client, make_bridge, qtbot):
    bridge = make_bridge(client)
    with qtbot.assertNotEmitted(bridge.commandFailed):
        bridge.send({"do": "pause"})
        bridge.send({"do": "resume"})
        qtbot.waitUntil(lambda: [c["do"] for c in client.commands] == ["pause", "resume"])
        with qtbot.waitSignal(bridge.snapshotChanged):
            pass


def test_lost_engine_is_told_once(client, make_bridge, qtbot):
    bridge = make_bridge(client)
    losses = []
    bridge.engineLost.connect(losses.append)
    qtbot.waitSignal(bridge.snapshotChanged).wait()
    client.is_gone = True
    qtbot.waitUntil(lambda: bridge.is_lost)
    bridge.send({"do": "mark", "text": "too late"})
    with qtbot.waitSignal(bridge.commandFailed) as refused:
        pass
    assert refused.args[0] == "mark"
    assert losses == ["the other end has gone"]
    assert client.is_closed


def test_engine_is_found_again(client, make_bridge, qtbot, monkeypatch):
    monkeypatch.setattr("emolab.gui.bridge.RECONNECT_S", 0.02)
    second = type(client)()
    second.shown = Snapshot(participant="P015")
    tries = []

    def reconnect():
        tries.append(1)
        if len(tries) < 3:
            raise ConfigError("no engine runs there; start a session first")
        return second

    bridge = make_bridge(client, reconnect=reconnect)
    qtbot.waitSignal(bridge.snapshotChanged).wait()
    client.is_gone = True
    with qtbot.waitSignals([bridge.engineLost, bridge.engineFound], order="strict"):
        pass
    assert bridge.snapshot.participant == "P015" and not bridge.is_lost


def test_time_goes_on_between_snapshots_at_the_sessions_speed(client, make_bridge, qtbot, monkeypatch):
    monotonic_s = [100.0]
    client.shown = Snapshot(now_s=50.0, speed=4.0)
    bridge = make_bridge(client)
    qtbot.waitSignal(bridge.snapshotChanged).wait()
    bridge._received_s = 100.0
    client.may_answer.clear()
    monkeypatch.setattr("emolab.gui.bridge.time.monotonic", lambda: monotonic_s[0])
    assert bridge.now_s() == pytest.approx(50.0)
    monotonic_s[0] = 101.5
    assert bridge.now_s() == pytest.approx(56.0)
    monkeypatch.undo()


def test_rings_and_frames_are_attached_once(client, make_bridge, qtbot, tmp_path):
    ring = SampleRing.create(tmp_path / "board.ring", ("skin",), 100)
    slot = FrameSlot.create(tmp_path / "camera.ring", (4, 6, 3))
    board = StreamHealth("board", "eda", "well", "", ring=str(tmp_path / "board.ring"))
    camera = replace(board, name="camera", kind="rgb", is_image=True, ring=str(tmp_path / "camera.ring"))
    client.shown = Snapshot(streams=(board, camera, replace(board, name="late", ring="")))
    bridge = make_bridge(client)
    qtbot.waitSignal(bridge.snapshotChanged).wait()

    ring.write(np.array([1.0, 2.0]), np.array([[4.0], [5.0]]))
    slot.write(3.0, np.full((4, 6, 3), 7, np.uint8))
    assert bridge.ring("board").newest(10)[1][:, 0].tolist() == [4.0, 5.0]
    assert bridge.ring("board") is bridge.ring("board")
    assert bridge.frame("camera").read()[1].mean() == 7
    assert [bridge.ring(name) for name in ("camera", "late", "unknown")] == [None, None, None]
    assert bridge.frame("board") is None


def test_ring_that_is_not_there_yet_is_none_and_asked_again(client, make_bridge, qtbot, tmp_path):
    path = tmp_path / "board.ring"
    client.shown = Snapshot(streams=(StreamHealth("board", "eda", "well", "", ring=str(path)),))
    bridge = make_bridge(client)
    qtbot.waitSignal(bridge.snapshotChanged).wait()
    assert bridge.ring("board") is None
    SampleRing.create(path, ("skin",), 10)
    assert bridge.ring("board").channels == ("skin",)


def test_closing_passes_on_what_was_asked_and_hangs_up(client, make_bridge, qtbot):
    bridge = make_bridge(client)
    bridge.send({"do": "note", "text": "calm room"})
    bridge.close()
    qtbot.waitUntil(lambda: client.is_closed)  # it waits for two seconds itself
    assert client.did("note")


class _Cycle:
    def __init__(self) -> None:
        self.me = self


def test_garbage_is_collected_in_the_windows_thread_only(client, make_bridge, qtbot):
    bridge = make_bridge(client)
    collected_in = []
    cycle = _Cycle()
    weakref.finalize(cycle, lambda: collected_in.append(threading.current_thread()))
    del cycle
    busy = threading.Thread(target=lambda: [[] for _ in range(100_000)])
    busy.start()
    busy.join()
    heap = [[[]] for _ in range(2000)]  # enough for the youngest generation to be due
    qtbot.waitUntil(lambda: collected_in != [])
    assert collected_in == [threading.main_thread()] and len(heap) == 2000
    assert not gc.isenabled()
    bridge.close()
    assert gc.isenabled()
