"""LSL streams as instruments: what other processes send arrives whole, with the times it was stamped with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolab.core.clock import SessionClock
from emolab.core.errors import ConfigError, DeviceError, DeviceNotFound, DeviceTimeout, MissingExtra
from emolab.core.event import Event
from emolab.core.stream import Chunk
from emolab.devices import lsl as lsl_module
from emolab.devices.lsl import LslStream, predicate
from emolab.devices.lsl_link import JUMP_S, SLEW, Correction
from emolab.devices.source import Teller
from emolab.session.health import judge
from emolab.session.hub import Hub
from emolab.session.pump import Pump, PumpStatus
from tests.fakes import FakeClock
from tests.simulators.lsl_world import sender

pytest.importorskip("pylsl", reason="the extra 'lsl' is not installed")

MOST_OFFSET_S = 1e-3  # between a clock and itself
FORMATS = {
    "float32": "float32",
    "double64": "float64",
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "int64": "int64",
}


PATIENCE_S = 60.0


@pytest.fixture(autouse=True, scope="module")
def patience() -> Iterator[None]:
    """Senders may take long to answer."""
    with pytest.MonkeyPatch.context() as patched:
        for limit in ("CONNECT_S", "FIRST_MEASURE_S", "DEAF_S"):
            patched.setattr(lsl_module, limit, PATIENCE_S)
        yield


def stream(clock: Any = None, **table: Any) -> LslStream:
    table = {"kind": "lsl", "name": "it", "timeout_s": PATIENCE_S, **table}
    return LslStream.from_config(table, clock or SessionClock())


def opened(source: LslStream) -> LslStream:
    """Opened, even when this machine is busy."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            source.open()
            return source
        except (DeviceNotFound, DeviceTimeout):
            assert time.monotonic() < deadline, "the sender was not found within a minute"


def read(source: LslStream, rows: int) -> Chunk:
    """The next `rows` samples as one chunk."""
    chunks: list[Chunk] = []
    deadline = time.monotonic() + PATIENCE_S
    while sum(map(len, chunks)) < rows:
        assert time.monotonic() < deadline, f"only {sum(map(len, chunks))} of {rows} samples came"
        if (chunk := source.read(0.1)) is not None:
            chunks.append(chunk)
    device_us = [chunk.device_us for chunk in chunks if chunk.device_us is not None]
    return Chunk(
        "it",
        np.concatenate([chunk.times_s for chunk in chunks]),
        np.concatenate([chunk.samples for chunk in chunks]),
        chunks[-1].arrival_s,
        device_us=np.concatenate(device_us),
        tally=chunks[-1].tally,
    )


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, "waited a minute in vain"
        time.sleep(0.005)


# what arrives


def test_every_format_arrives_whole_and_as_it_is() -> None:
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(_arrives_as_it_is, FORMATS)) == list(FORMATS)


def _arrives_as_it_is(form: str) -> str:
    clock = SessionClock()
    with sender(name=f"plain {form}", format=form, channels=3, rate_hz=500.0, count=400) as other:
        source = opened(stream(clock, stream=f"plain {form}"))
        first_s = other.go()
        got = read(source, 400)
        offsets_s = [e.data["offset_s"] for e in source.told() if e.kind == "clock_offset"]
        source.close()
    assert source.info.dtype == got.samples.dtype.name == FORMATS[form]
    assert source.info.nominal_rate_hz == 500.0
    expected = (np.arange(400)[:, None] + np.arange(3)) % 100
    assert np.array_equal(got.samples, expected)
    stamps_s = first_s + np.arange(400) / 500
    assert got.device_us is not None
    assert np.abs(got.device_us - stamps_s * 1e6).max() <= 1, "the sender's stamps are kept as they were"
    true_s = np.array([clock.at(round(stamp_s * 1e9)) for stamp_s in stamps_s])
    off_s = got.times_s - true_s
    assert np.abs(off_s).max() < 1e-3
    assert min(offsets_s) - 3e-4 < off_s.min() and off_s.max() < max(offsets_s) + 3e-4
    assert np.abs(offsets_s).max() < MOST_OFFSET_S
    assert (np.diff(got.times_s) > 0).all()
    return form


def test_an_irregular_stream_keeps_its_stamps_and_may_be_silent() -> None:
    steps = [0.001, 0.2, 0.013, 0.07]
    with sender(name="presses", format="int32", rate_hz=0, count=9, steps=steps) as other:
        source = opened(stream(stream="presses", timeout_s=0.1))
        first_s = other.go()
        got = read(source, 9)
        for _ in range(10):
            assert source.read(0.05) is None, "silence is no fault where no rate is announced"
        source.close()
    assert source.info.nominal_rate_hz is None and source.info.may_be_silent
    assert got.device_us is not None
    assert np.allclose(np.diff(got.device_us), np.resize(steps, 8) * 1e6, atol=1)
    assert np.allclose(np.diff(got.times_s), np.resize(steps, 8), atol=3e-4)
    assert first_s == pytest.approx(got.device_us[0] / 1e6, abs=1e-5)


def test_markers_become_events_and_lose_nothing() -> None:
    texts = [["start"], ["stimulus é 音"], [""], ["hex:ff0041"]]
    with sender(name="words", format="string", count=4, steps=[0.01], texts=texts) as other:
        source = opened(stream(stream="words"))
        other.go()
        got = read(source, 4)
        marks = [event for event in source.told() if event.kind == "mark"]
        source.close()
    assert isinstance(source, Teller)
    assert [event.data["text"] for event in marks] == ["start", "stimulus é 音", "", "\\xff\x00A"]
    assert [event.data["number"] for event in marks] == got.samples[:, 0].tolist() == [1, 2, 3, 4]
    assert [event.time_s for event in marks] == got.times_s.tolist()
    assert {event.data["stream"] for event in marks} == {"it"}
    assert source.told() == []


def test_a_marker_of_several_texts_keeps_them_apart() -> None:
    with sender(name="pairs", format="string", channels=2, count=1, steps=[1], texts=[["a", "b c"]]) as other:
        source = opened(stream(stream="pairs"))
        other.go()
        read(source, 1)
        marks = [event for event in source.told() if event.kind == "mark"]
        source.close()
    assert [event.data["text"] for event in marks] == ['["a", "b c"]']


def test_channels_are_named_by_the_stream_or_by_the_device_file() -> None:
    with sender(name="cap", channels=2, rate_hz=100.0, labels=["Cz", "Pz"], units=["uV", "uV"], count=0):
        plain = opened(stream(stream="cap"))
        plain.close()
        table = {"channels": ["gsr", {"name": "belt", "kind": "respiration"}]}
        mapped = opened(stream(stream="cap", scaling={"gsr": {"unit": "uS", "scale": 0.5}}, **table))
        mapped.close()
        with pytest.raises(DeviceError, match="has 2 channels, 'channels' names 1"):
            opened(stream(stream="cap", channels=["gsr"]))
    assert [(one.name, one.unit, one.kind) for one in plain.info.channels] == [
        ("Cz", "uV", "lsl"),
        ("Pz", "uV", "lsl"),
    ]
    assert [(one.name, one.unit, one.kind, one.scale) for one in mapped.info.channels] == [
        ("gsr", "uS", "eda", 0.5),
        ("belt", "uV", "respiration", 1.0),
    ]
    assert "<name>cap</name>" in plain.info.instrument["description"]


def test_a_stamp_that_is_no_number_is_counted_as_corrupt() -> None:
    steps = [float("nan"), 0.01]
    with sender(name="odd", rate_hz=0, count=3, steps=steps) as other:
        source = opened(stream(stream="odd"))
        other.go()
        got = read(source, 1)
        wait(lambda: source.read(0.05) is None and source._tally.corrupt == 2)
        source.close()
    assert np.isfinite(got.times_s).all()


# its clock


def test_every_measured_offset_is_told_and_what_was_applied_stands_in_each_row() -> None:
    clock = SessionClock()
    with sender(name="clock", rate_hz=200.0, count=300) as other:
        source = opened(stream(clock, stream="clock"))
        other.go()
        got = read(source, 300)
        offsets = [event for event in source.told() if event.kind == "clock_offset"]
        source.close()
    assert offsets and offsets[0].data["stream"] == "it"
    assert got.device_us is not None
    applied_s = got.times_s - got.device_us / 1e6
    between_s = clock.at(0)  # here LSL's clock is the monotonic one
    told_s = [event.data["offset_s"] for event in offsets]  # the second after five seconds
    assert (applied_s - between_s)[0] == pytest.approx(told_s[0], abs=2e-4)
    assert min(told_s) - 2e-4 < (applied_s - between_s).min()
    assert (applied_s - between_s).max() < max(told_s) + 2e-4
    assert np.abs(told_s).max() < MOST_OFFSET_S


def test_a_new_offset_is_worked_in_evenly() -> None:
    correction = Correction()
    correction.measured(5.0)
    assert correction.apply(np.array([10.0, 10.1])).tolist() == [15.0, 15.1]
    correction.measured(5.002)
    times_s = correction.apply(10.1 + np.arange(1, 50) / 10)
    assert np.diff(times_s) == pytest.approx(0.1, rel=1.01 * SLEW)
    assert times_s[-1] - (10.1 + 4.9) == pytest.approx(5.002)


def test_a_clock_that_began_anew_is_followed_at_once() -> None:
    correction = Correction()
    correction.measured(5.0)
    correction.apply(np.array([10.0]))
    correction.measured(5.0 + 2 * JUMP_S)
    assert correction.apply(np.array([10.1]))[0] == pytest.approx(15.1 + 2 * JUMP_S)


@given(st.lists(st.floats(-JUMP_S / 2, JUMP_S / 2), min_size=1, max_size=20), st.integers(1, 30))
def test_times_keep_their_order_whatever_is_measured(offsets_s: list[float], rows: int) -> None:
    correction, at_s, times_s = Correction(), 100.0, list[float]()
    for offset_s in offsets_s:
        correction.measured(offset_s)
        stamps_s = at_s + np.arange(1, rows + 1) / 1000
        times_s += correction.apply(stamps_s).tolist()
        at_s = float(stamps_s[-1])
    assert (np.diff(times_s) > 0).all()


# its faults


def test_a_regular_stream_that_falls_silent_is_a_timeout() -> None:
    with sender(name="quiet", rate_hz=100.0, count=50) as other:
        source = opened(stream(stream="quiet", timeout_s=0.3))
        other.go()
        read(source, 50)
        with pytest.raises(DeviceTimeout, match=r"'it': .*'quiet' has sent nothing for 0\.3 s; look at"):
            for _ in range(100):
                source.read(0.05)
        source.close()


def test_a_killed_sender_is_told_at_once_and_found_again_when_it_is_back(tmp_path: Path) -> None:
    clock, events, kept = SessionClock(), list[Event](), list[Chunk]()
    hub = Hub(clock, tmp_path)
    with hub.keep() as hand_over:
        hand_over(kept.append)
    pump = Pump("it", stream(clock, stream="cap 2"), clock, hub, events.append)
    plan = {"name": "cap 2", "source_id": "serial-7", "rate_hz": 250.0, "channels": 2}
    try:
        with sender(**plan, count=150) as other:
            pump.start()
            other.go()
            wait(lambda: sum(map(len, kept)) == 150)
            killed_s = clock.now_s()
            other.kill()
            wait(lambda: pump.status.state == "lost")
        lost_after_s = clock.now_s() - killed_s
        with sender(**plan, count=100) as other:
            other.go()
            wait(lambda: pump.status.state == "open")
            back_after_s = clock.now_s() - clock.at(round(other.told["ready_s"] * 1e9))
            wait(lambda: sum(map(len, kept)) == 250)
    finally:
        pump.stop()
        assert pump.join(PATIENCE_S)
    lost, found = [e for e in events if e.kind != "clock_offset" and e.time_s >= killed_s][:2]
    assert (lost.kind, found.kind) == ("device_lost", "device_found")
    assert "has ended; start the program" in lost.data["reason"]
    samples = np.concatenate([chunk.samples[:, 0] for chunk in kept])
    assert samples.tolist() == [k % 100 for k in (*range(150), *range(100))], "not a row is missing"
    assert kept[-1].tally is not None and kept[-1].tally.reopened == 1
    times_s = np.concatenate([chunk.times_s for chunk in kept])
    assert (np.diff(times_s) > 0).all()
    print(f"lost after {lost_after_s * 1e3:.1f} ms, back after {back_after_s * 1e3:.0f} ms")


def test_a_stream_that_comes_back_as_another_is_refused() -> None:
    source = stream(stream="fickle")
    with sender(name="fickle", rate_hz=100.0, channels=2, count=0):
        opened(source)
    source.close()
    with (
        sender(name="fickle", rate_hz=100.0, channels=3, count=0),
        pytest.raises(DeviceError, match="come back as 3 channels of float32, 100 Hz, it was 2 channels"),
    ):
        opened(source)


def test_two_streams_of_one_name_are_not_guessed_between() -> None:
    with sender(name="twin", source_id="left", count=0), sender(name="twin", source_id="right", count=0):
        with pytest.raises(DeviceError, match=r"could be any of .*twin \((left|right)\).*'source_id'"):
            for _ in range(10):  # on a busy machine one of them may answer too late
                opened(stream(stream="twin")).close()
        source = opened(stream(stream="twin", source_id="right"))
        assert source.info.instrument["source_id"] == "right"
        source.close()


def test_a_stream_that_is_not_there_is_told_with_those_that_are() -> None:
    def told() -> str:
        with pytest.raises(DeviceNotFound, match="name 'eye trakker' is not on this network; ") as missing:
            stream(stream="eye trakker").open()
        return str(missing.value)

    with sender(name="eye tracker", count=0):
        wait(lambda: "eye tracker" in told())  # a busy one answers late


def test_without_pylsl_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtra, match=r"pip install 'emolab\[lsl\]'"):
        stream(stream="any").open()


def test_markers_that_have_not_come_yet_are_no_fault(tmp_path: Path) -> None:
    with sender(name="later", format="string", count=0):
        source = opened(stream(stream="later"))
        source.close()
    hub = Hub(FakeClock(), tmp_path)
    hub.open(source.info)
    light = judge("it", hub.streams["it"], PumpStatus("open"), 60.0)
    assert (light.level, light.may_be_silent) == ("well", True)


# its table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "say which stream"),
        ({"stream": ""}, "must not be empty"),
        ({"stream": "a'b\"c"}, "both kinds of quotes"),
        ({"stream": "x", "timeout_s": 0}, "timeout_s"),
        ({"stream": "x", "channels": ["gsr", "gsr"]}, "comes twice"),
        ({"stream": "x", "channels": ["gsr"], "scaling": {"gsx": {}}}, "did you mean 'gsr'"),
    ],
)
def test_a_wrong_table_is_refused_by_name(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        stream(**table)


def test_the_question_to_the_network_holds_any_name() -> None:
    assert predicate({"name": "it's", "type": 'a "b"'}) == """name="it's" and type='a "b"'"""
