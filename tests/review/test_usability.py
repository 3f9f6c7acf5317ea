"""How usable the body's signals are: as the analysis says, in the background, and told where it cannot be."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from emolab.analysis.measure import _quality, _read
from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.review import timeline, usability
from emolab.review.timeline import Timeline
from emolab.signals import usable
from emolab.signals.finding import level_of
from tests.recording import made

RATE_HZ, SECONDS = 100.0, 120
BODY = StreamInfo(
    "board",
    (Channel("gsr", "eda", "uS", 0.01), Channel("belt", "respiration"), Channel("ear", "ppg")),
    RATE_HZ,
    "uint16",
    (3,),
    {"adc_bits": 12},
)
SHAKEN_S, OFF_S = (40.0, 60.0), (80.0, 100.0)


def record(path: Path) -> Path:
    """Two minutes of a body: the ear's pulse is shaken from 40 to 60 s, all is off from 80 to 100 s."""
    times_s = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    rng = np.random.default_rng(4)
    turn = 2 * np.pi * times_s
    pulse = 2000 + 400 * np.sin(turn * 1.2) + 120 * np.sin(2 * turn * 1.2 + 1.0)
    belt = 2000 - 500 * np.cos(turn / 4.0)
    skin = 500 + 40 * np.sin(turn / 25.0)
    noise = rng.normal(0.0, 3.0, (len(times_s), 3)) * [0.1, 1.0, 1.0]
    samples = np.stack([skin, belt, pulse], axis=1) + noise
    shaken = (times_s >= SHAKEN_S[0]) & (times_s < SHAKEN_S[1])
    samples[shaken, 2] = rng.normal(2000.0, 600.0, shaken.sum())
    samples[(times_s >= OFF_S[0]) & (times_s < OFF_S[1])] = 0.0
    samples = np.rint(np.clip(samples, 0, 4095)).astype(np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = SessionWriter(path, made.HEADER)
    writer.open((BODY,))
    for at in range(0, len(times_s), 1000):
        piece = slice(at, at + 1000)
        writer.write(Chunk("board", times_s[piece], samples[piece], float(times_s[piece][-1]) + 0.004))
    writer.mark(Event(0.0, "session_started", data={"planned": 0}))
    writer.close()
    return path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("body") / "P07_session-2.h5")


def test_the_review_and_the_analysis_say_the_same(recorded: Path) -> None:
    with Session.open(recorded) as session:
        sources, _ = _read(session)
        told = _quality(sources, 120.0)
    with Timeline(recorded) as line:
        assert line.wait_judged()
        end_s = line.end_s
        for kind, name in (("ppg", "board/ear"), ("respiration", "board/belt"), ("eda", "board/gsr")):
            assert line.usable(name) == told[kind][: int(end_s // 10)]
            assert len(line.usable(name)) >= 11


def test_what_was_shaken_or_off_is_not_usable(recorded: Path) -> None:
    with Timeline(recorded) as line:
        assert line.wait_judged()
        ear, belt = ([level_of(share) for share in line.usable(name)] for name in ("board/ear", "board/belt"))
    assert ear[:3] == ["well"] * 3 and ear[4:6] == ["act", "act"] and ear[8:10] == ["act", "act"]
    assert belt[4:6] == ["well", "well"] and belt[8:10] == ["act", "act"]


def test_who_looks_is_told_of_each_track_and_what_is_no_body_is_not_judged(recorded: Path) -> None:
    told: list[str] = []
    with Timeline(recorded, told.append) as line:
        assert line.wait_judged()
        assert line.usable("board/nothing") == ()
    assert sorted(told) == sorted(["board/gsr", "board/belt", "board/ear"] * 2)  # curve, then judgement


def test_a_signal_of_which_nothing_can_come_says_so(tmp_path: Path) -> None:
    path = tmp_path / "P07_session-2.h5"
    writer = SessionWriter(path, made.HEADER)
    writer.open((BODY,))
    writer.write(Chunk("board", np.arange(200) / RATE_HZ, np.full((200, 3), 7, np.uint16), 2.0))
    writer.close()
    with Timeline(path) as line:
        assert line.wait_judged()
        for track in line.tracks:
            assert line.usable(track.name) == ()
            why = line.why_not_judged(track.name)
            assert why and why != usability.ON_ITS_WAY


def test_a_session_still_recorded_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "is_growing", lambda path: True)
    path = tmp_path / "P07_session-2.h5"
    writer = SessionWriter(path, made.HEADER)
    writer.open((BODY,))
    writer.write(Chunk("board", np.arange(2000) / RATE_HZ, np.full((2000, 3), 7, np.uint16), 20.0))
    with Timeline(path) as line:
        assert line.is_live and line.wait()
        assert not line.wait_judged()
        assert line.usable("board/ear") == ()
        assert line.why_not_judged("board/ear") == usability.LATER
    writer.close()


def test_closing_does_not_wait_for_arithmetic(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on, told = threading.Event(), threading.Event(), []

    def slow(*_given: object, **_named: object) -> usable.Body:
        begun.set()
        goes_on.wait(30.0)
        raise ValueError("too late")

    monkeypatch.setattr(usability.usable, "read_body", slow)
    line = Timeline(recorded, told.append)
    assert begun.wait(30.0)
    before = len(told)
    line.close()  # would hang, or be told of afterwards
    goes_on.set()
    assert line._judge is not None
    line._judge.join(30.0)
    assert not line._judge.is_alive() and len(told) == before
