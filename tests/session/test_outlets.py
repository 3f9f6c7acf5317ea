"""What emolab sends through LSL: streams and events arrive with their times, and nothing waits for them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from emolab.core.clock import SessionClock
from emolab.core.errors import ConfigError, MissingExtra
from emolab.core.event import Event
from emolab.core.settings import read
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.session import outlets as outlets_module
from emolab.session.hub import Hub
from emolab.session.outlets import EVENTS, WAITING, Outlets
from tests.simulators import lsl_world

lsl: Any = pytest.importorskip("pylsl", reason="the extra 'lsl' is not installed")

BOARD = StreamInfo(
    "board",
    (Channel("gsr", "eda", "uS", 0.01, -1.0), Channel("belt", "respiration")),
    100.0,
    "uint16",
    (2,),
    {"model": "PhysioKit"},
)


PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outlets have time to send what waits and to go."""
    monkeypatch.setattr(outlets_module, "CLOSE_S", PATIENCE_S)


def chunk(start_s: float, first: int = 0, n: int = 10) -> Chunk:
    values = (first + np.arange(n, dtype=np.uint16))[:, None] + np.array([500, 0], np.uint16)
    return Chunk("board", start_s + np.arange(n) / 100, values, start_s + n / 100)


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, "waited a minute in vain"
        time.sleep(0.005)


@contextmanager
def sending(clock: SessionClock, told: list[Event] | None = None) -> Iterator[Outlets]:
    outlets = Outlets(clock, "study", (told if told is not None else []).append)
    outlets.start()
    try:
        yield outlets
    finally:
        outlets.close()


def inlet(name: str, timeout_s: float = PATIENCE_S) -> Any:
    """An inlet that is subscribed."""
    found = lsl.resolve_byprop("name", name, 1, timeout_s)
    assert found, f"{name} is not to be found"
    made = lsl.StreamInlet(found[0])
    made.open_stream(PATIENCE_S)
    return made


def received(made: Any, rows: int) -> tuple[list[Any], list[float]]:
    samples, stamps_s = made.pull_chunk(timeout=PATIENCE_S, max_samples=rows)
    assert len(stamps_s) == rows, f"only {len(stamps_s)} of {rows} came"
    return samples, stamps_s


def test_a_stream_arrives_in_its_units_with_the_times_of_capture() -> None:
    clock = SessionClock()
    with sending(clock) as outlets:
        outlets.open(BOARD)
        made = inlet("emolab-board")
        told = made.info(PATIENCE_S)
        start_s = clock.now_s() - 0.3
        for first in range(0, 100, 10):
            outlets.offer(chunk(start_s + first / 100, first))
        samples, stamps_s = received(made, 100)
    assert np.allclose(samples, [[(500 + k) * 0.01 - 1.0, k] for k in range(100)])
    true_s = clock.origin_ns * 1e-9 + start_s + np.arange(100) / 100  # LSL's clock is the monotonic one here
    assert np.abs(np.array(stamps_s) - true_s).max() < 1e-3
    assert told.get_channel_labels() == ["gsr", "belt"]
    assert told.get_channel_units() == ["uS", "counts"]
    assert told.get_channel_types() == ["GSR", "Respiration"]
    assert (told.nominal_srate(), told.desc().child("acquisition").child_value("manufacturer")) == (
        100.0,
        "emolab",
    )


def test_an_event_arrives_as_the_line_of_the_file_at_its_moment() -> None:
    clock = SessionClock()
    event = Event(12.5, "clip_onset", 12.4, {"clip": "é-03", "state": "neutral", "fitted_s": 12.501})
    with sending(clock) as outlets:
        made = inlet(EVENTS)
        outlets.mark(event, 10.0)
        outlets.mark(Event(13.0, "note", data={"text": "two\nlines"}), 10.0)
        samples, stamps_s = received(made, 2)
    assert samples[0] == [event.shifted(-10.0).to_json()]
    assert json.loads(samples[0][0])["data"] == {"clip": "é-03", "state": "neutral", "fitted_s": 2.501}
    assert json.loads(samples[1][0])["data"]["text"] == "two\nlines"
    assert stamps_s == pytest.approx([clock.origin_ns * 1e-9 + at_s for at_s in (12.5, 13.0)], abs=1e-3)


def test_cameras_and_what_came_by_lsl_are_not_sent() -> None:
    camera = StreamInfo("camera", (Channel("rgb", "rgb"),), 30.0, "uint8", (4, 4, 3))
    guest = StreamInfo("guest", (Channel("ch1", "lsl"),), 30.0, "float32", (1,), {"model": "LSL"})
    clock = SessionClock()
    with sending(clock) as outlets:
        for info in (camera, guest, BOARD):
            outlets.open(info)
        outlets.offer(Chunk("camera", np.array([1.0]), np.zeros((1, 4, 4, 3), np.uint8), 1.0))
        names = set[str]()

        def all_are_found() -> bool:
            names.update(found.name() for found in lsl.resolve_streams(0.6))
            return {EVENTS, "emolab-board"} <= names

        wait(all_are_found)
    assert names == {EVENTS, "emolab-board"}


def test_nothing_waits_for_a_sender_that_hangs_and_what_is_dropped_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, told, kept = threading.Event(), list[Event](), list[Chunk]()
    monkeypatch.setattr(Outlets, "_send_one", lambda outlets: go_on.wait(120))
    clock = SessionClock()
    with sending(clock, told) as outlets:
        try:
            hub = Hub(clock, tmp_path, outlets)
            hub.open(BOARD)
            with hub.keep() as hand_over:
                hand_over(kept.append)
            for at in range(WAITING + 50):
                hub.offer(chunk(at / 10))
            for _ in range(WAITING + 7):
                outlets.mark(Event(1.0, "note"), 0.0)
            newest_s = outlets._chunks[-1].times_s[0]
        finally:
            monkeypatch.undo()
            go_on.set()
        assert len(kept) == WAITING + 50, "the recorder has everything"
        assert outlets.dropped == {"board": 500, EVENTS: 7}
        assert newest_s == (WAITING + 49) / 10, "the newest are kept"
        assert [event.data["where"] for event in told] == ["lsl", "lsl"]
        assert "the recording does not" in told[0].data["message"]


def test_a_fault_in_sending_ends_the_sending_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(outlets: Outlets, info: StreamInfo) -> Any:
        raise RuntimeError("no more sockets")

    monkeypatch.setattr(Outlets, "_outlet", fail)
    told = list[Event]()
    with sending(SessionClock(), told) as outlets:
        outlets.open(BOARD)
        wait(lambda: bool(told))
        outlets.offer(chunk(1.0))
        outlets.mark(Event(1.0, "note"), 0.0)
    assert "no more sockets" in told[0].data["message"] and len(told) == 1
    assert not outlets._chunks and not outlets._events


def test_what_waits_is_sent_before_the_outlets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlets_module, "PARTING_S", 3.0)
    with ThreadPoolExecutor() as pool:
        with sending(SessionClock()) as outlets:
            pulled = pool.submit(received, inlet(EVENTS), 501)
            for _ in range(500):
                outlets.mark(Event(1.0, "note"), 0.0)
            outlets.mark(Event(2.0, "session_ended", data={"outcome": "complete"}), 0.0)
        samples, _ = pulled.result(2 * PATIENCE_S)
    assert json.loads(samples[-1][0])["kind"] == "session_ended"


def test_no_thread_is_left_behind() -> None:
    with sending(SessionClock()):
        pass
    assert "lsl outlets" not in {thread.name for thread in threading.enumerate()}


def test_unless_asked_for_the_library_is_not_even_loaded() -> None:
    look = "import emolab.session.engine, emolab.devices.lsl, sys; sys.exit('pylsl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


def test_without_pylsl_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtra, match=r"pip install 'emolab\[lsl\]'"):
        Outlets(SessionClock(), "study", lambda event: None)


def test_it_is_off_until_the_settings_say_so(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    assert read(file, {}).lsl is False
    assert read(file, {"EMOLAB_LSL": "1"}).lsl is True
    file.write_text("lsl = true\n", encoding="utf-8")
    assert read(file, {}).lsl is True
    assert read(file, {"EMOLAB_LSL": "0"}).lsl is False
    with pytest.raises(ConfigError, match="EMOLAB_LSL 'perhaps' is none of true, false"):
        read(file, {"EMOLAB_LSL": "perhaps"})


def test_faster_than_time_is_stamped_in_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fast(SessionClock):
        speed = 10.0

        def now_s(self) -> float:
            return 120.0

    with sending(Fast()) as outlets:
        monkeypatch.setattr(lsl, "local_clock", lambda: 7000.0)
        stamps_s = outlets._stamps_s(np.array([120.0, 115.0]))
    assert stamps_s == pytest.approx([7000.0, 6999.5], abs=1e-9)


@pytest.mark.slow
def test_a_whole_session_goes_both_ways_and_loses_nothing(tmp_path: Path, stimuli: Path) -> None:
    """Two LSL instruments are recorded while all is sent: rows, markers and diary agree on both sides."""
    protocol, devices = tmp_path / "short.yaml", tmp_path / "devices.toml"
    quick = Path(__file__).parents[2] / "protocols" / "quick.yaml"
    text = quick.read_text(encoding="utf-8").replace("duration_s: 10", "duration_s: 3")
    text = text.replace("[0, 10]", "[0, 3]").replace("duration_s: 5", "duration_s: 2")
    protocol.write_text(text.replace("window_s: 8", "window_s: 1"), encoding="utf-8")
    devices.write_text(
        '[[instrument]]\nkind = "lsl"\nname = "cap"\nstream = "both ways cap"\n'
        '[[instrument]]\nkind = "lsl"\nname = "words"\nstream = "both ways words"\n'
        '[[instrument]]\nkind = "simulated"\nname = "board"\nstream = "board"\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "emolab", "record", str(protocol), "--study", str(tmp_path / "study")]
    command += [
        "--participant",
        "P001",
        "--devices",
        str(devices),
        "--headless",
        "--answers",
        "none",
        "--lsl",
    ]
    words, is_over = [[f"word {k}"] for k in range(400)], threading.Event()
    with (
        ThreadPoolExecutor() as pool,
        lsl_world.sender(name="both ways cap", rate_hz=500.0, channels=8, count=100_000) as cap,
        lsl_world.sender(
            name="both ways words", format="string", count=400, steps=[0.1], texts=words
        ) as other,
    ):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            heard = inlet(EVENTS)
            pulled = pool.submit(_all_of, inlet("emolab-board"), is_over)
            cap_first_s, words_first_s = cap.go(), other.go()
            lines = list[str]()
            stamps_s = list[float]()
            while not lines or json.loads(lines[-1])["kind"] != "session_ended":
                sample, stamp_s = heard.pull_sample(60.0)
                assert sample is not None, "the session's end was not heard"
                lines.append(sample[0])
                stamps_s.append(stamp_s)
            printed, _ = process.communicate(timeout=60)
            is_over.set()
            board_samples, board_stamps_s = pulled.result(60)
        finally:
            is_over.set()
            process.kill()
            process.wait(10)
    assert process.returncode == 0
    with h5py.File(printed.splitlines()[-1]) as file:
        diary = bytes(file["events/lines"][:]).decode().splitlines()
        rows = {name: file[f"streams/{name}"] for name in ("cap", "words", "board")}
        times_s = {name: np.cumsum(one["step_us"][:]) / 1e6 for name, one in rows.items()}
        device_s = {name: np.cumsum(rows[name]["device_step_us"][:]) / 1e6 for name in ("cap", "words")}
        samples = {name: one["samples"][:] for name, one in rows.items()}
    _same_diary(lines, diary)
    kinds = [json.loads(line)["kind"] for line in diary]
    marks = {json.loads(line)["data"]["number"]: json.loads(line) for line in diary if '"mark"' in line}
    assert {"session_started", "clip_onset", "clock_offset", "mark"} <= set(kinds)
    # what was sent to emolab: the known values, at the known moments of their own clock
    k = samples["cap"][:, 0]
    assert samples["cap"].shape[1] == 8 and np.array_equal(np.diff(k) % 100, np.ones(len(k) - 1))
    assert np.abs(np.diff(device_s["cap"]) - 1 / 500).max() < 3e-6
    at = np.rint((device_s["cap"] - cap_first_s) * 500)
    assert np.array_equal(at % 100, k) and np.abs(device_s["cap"] - cap_first_s - at / 500).max() < 3e-6
    # the zero of the file on LSL's clock, as each marker emolab sent tells it
    zero_s = [stamp - json.loads(line)["time_s"] for stamp, line in zip(stamps_s, lines, strict=True)]
    assert np.ptp(zero_s[-3:]) < 1e-5
    for name in ("cap", "words"):
        assert np.abs(times_s[name] + zero_s[-1] - device_s[name]).max() < 1e-3
    for number, time_s in zip(samples["words"][:, 0], times_s["words"], strict=True):
        assert marks[number]["data"]["text"] == f"word {number - 1}"
        assert marks[number]["time_s"] == pytest.approx(time_s, abs=2e-6)
        assert words_first_s + (number - 1) / 10 == pytest.approx(time_s + zero_s[-1], abs=1e-3)
    # what emolab sent of its own board: the rows of the file
    sent = {
        round(stamp - zero_s[-1], 4): row for stamp, row in zip(board_stamps_s, board_samples, strict=True)
    }
    both = [at for at, time_s in enumerate(times_s["board"]) if round(time_s, 4) in sent]
    assert len(both) > 0.98 * len(times_s["board"])


def _all_of(made: Any, is_over: threading.Event) -> tuple[list[Any], list[float]]:
    """What comes until the session is over and three seconds are silent, as a recording program takes it."""
    samples, stamps_s = list[Any](), list[float]()
    silent_since_s = time.monotonic()
    while not is_over.is_set() or time.monotonic() < silent_since_s + 3:
        rows, at_s = made.pull_chunk(0.1, 100)
        samples += rows
        stamps_s += at_s
        if at_s:
            silent_since_s = time.monotonic()
    return samples, stamps_s


def _same_diary(heard: list[str], written: list[str]) -> None:
    """From the start on, each line was heard once as it is written, but for what the recorder adds itself."""
    start = next(at for at, line in enumerate(heard) if '"session_started"' in line)
    missing = [line for line in written if '"session_' in line and line not in heard]
    missing += [line for line in written if '"clip_' in line and line not in heard]
    assert not missing, f"{missing} were written but not heard"
    after = [line for line in heard[start:] if line not in written]
    assert not after, f"{after} were heard but not written"
