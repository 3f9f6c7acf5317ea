"""What `inspect` says of recordings whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.recording import stream_facts as stream_facts_module
from emolab.recording import timeline
from emolab.recording.inspect import inspect, text
from emolab.recording.stream_facts import true_rate_hz
from emolab.recording.timeline import find_gaps
from emolab.recording.writer import SessionWriter
from tests.recording.made import BOARD, HEADER, THERMAL, chunk

NAMES = {"file", "complete", "duration_s", "streams", "trials", "answers", "verdict", "reasons"}
STREAM_NAMES = {
    "name",
    "kind",
    "samples",
    "nominal_rate_hz",
    "true_rate_hz",
    "first_s",
    "last_s",
    "gaps",
    "lost",
    "corrupt",
}
EVENTS = (
    Event(0.0, "session_started", data={"planned": 2}),
    Event(2.0, "clip_ended", data={"clip": "fear_1", "how": "done"}),
    Event(3.0, "answer", data={"clip": "fear_1", "state": "neutral", "word": "calm", "response_s": 1.5}),
    Event(5.0, "clip_ended", data={"clip": "joy_2", "how": "done"}),
    Event(
        6.0, "answer", data={"clip": "joy_2", "state": "most_positive", "word": "enjoy", "response_s": 0.5}
    ),
    Event(8.0, "session_ended", data={"outcome": "complete"}),
)


def made(
    folder: Path,
    chunks: Sequence[Chunk],
    streams: Sequence[StreamInfo] = (BOARD,),
    events: Sequence[Event] = EVENTS,
    outcome: str = "complete",
) -> dict[str, Any]:
    """The report on a session with this in it."""
    writer = SessionWriter(folder / "s.h5", HEADER)
    writer.open(streams)
    for one in chunks:
        writer.write(one)
    for event in events:
        writer.mark(event)
    writer.close(outcome)
    report = inspect(folder / "s.h5")
    assert json.loads(json.dumps(report)) == report
    return report


def board(times_s: np.ndarray, **more: Any) -> Chunk:
    return Chunk("board", times_s, np.zeros((len(times_s), 4), np.uint16), float(times_s[-1]) + 0.01, **more)


def test_a_good_session_is_called_good(tmp_path: Path) -> None:
    frames = chunk(THERMAL, 0, 72, 9.0)
    report = made(tmp_path, [board(np.arange(2000) / 250), frames], (BOARD, THERMAL))
    assert report.keys() >= NAMES
    assert all(stream.keys() >= STREAM_NAMES for stream in report["streams"])
    assert (report["verdict"], report["reasons"]) == ("good", [])
    assert (report["complete"], report["duration_s"]) == (True, 8.0)
    assert [(s["name"], s["kind"]) for s in report["streams"]] == [
        ("board/gsr", "eda"),
        ("board/belt", "respiration"),
        ("board/finger", "ppg"),
        ("board/ear", "ppg"),
        ("thermal", "thermal"),
    ]
    gsr = report["streams"][0]
    assert (gsr["samples"], gsr["nominal_rate_hz"], gsr["first_s"], gsr["last_s"]) == (
        2000,
        250.0,
        0.0,
        7.996,
    )
    assert gsr["true_rate_hz"] == pytest.approx(250, rel=1e-6)
    assert report["trials"] == {"planned": 2, "done": 2, "skipped": 0}
    assert report["answers"][0] == {"clip": "fear_1", "state": "neutral", "word": "calm", "response_s": 1.5}
    page = text(report)
    assert "2 of 2 done" in page
    assert "board/gsr" in page
    assert "verdict: good" in page


def test_a_board_that_runs_at_275_hz_though_250_was_announced_is_found_out(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    true_s = np.arange(275 * 8) / 275.0
    jittered_s = np.sort(true_s + random.exponential(0.004, len(true_s)))  # USB: never early, often late
    report = made(tmp_path, [board(jittered_s)])
    gsr = report["streams"][0]
    assert gsr["true_rate_hz"] == pytest.approx(275, rel=1e-3)
    assert gsr["gaps"] == 0
    assert report["verdict"] == "look"
    assert any("not the 250 Hz announced" in reason for reason in report["reasons"])


def test_each_gap_is_counted_once_and_does_not_bend_the_rate(tmp_path: Path) -> None:
    times_s = np.arange(2000) / 250.0
    times_s[500:] += 0.3
    times_s[1200:] += 0.021
    times_s[1300:] += 1.0
    report = made(tmp_path, [board(times_s)])
    gsr = report["streams"][0]
    assert gsr["gaps"] == 3
    assert gsr["gap_times_s"] == pytest.approx(times_s[[499, 1199, 1299]])
    assert gsr["true_rate_hz"] == pytest.approx(250, rel=1e-6)
    assert "board has 3 gaps, the first at 2.0 s." in report["reasons"]


def test_a_long_stream_read_in_pieces_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(8)
    times_s = np.arange(6000) / 250.0 + random.uniform(0, 0.003, 6000)
    for row in (299, 300, 301, 700, 1490, 1800, 3300, 5990):  # at seams of 300, near them, and far away
        times_s[row:] += 0.4
    chunks = [board(np.sort(times_s), counter=np.arange(50, 6050))]
    whole = made(tmp_path, chunks)["streams"][0]
    assert whole["gaps"] == 8
    monkeypatch.setattr(timeline, "BLOCK_ROWS", 300)
    monkeypatch.setattr(stream_facts_module, "PIECE", 300)
    assert inspect(tmp_path / "s.h5")["streams"][0] == whole
    monkeypatch.setattr(timeline, "MANY", 900)
    thinned = inspect(tmp_path / "s.h5")["streams"][0]
    assert thinned.pop("true_rate_hz") == pytest.approx(whole.pop("true_rate_hz"), rel=1e-4)
    assert thinned == whole


def test_a_burst_that_is_late_and_caught_up_with_is_no_gap() -> None:
    times_s = np.arange(2000) / 250.0
    times_s[700:720] = np.linspace(times_s[719] - 0.002, times_s[719], 20)
    assert len(find_gaps(times_s)) == 0
    times_s[900:] += 0.08
    assert find_gaps(times_s).tolist() == [900]


def test_the_device_counter_sees_what_times_alone_do_not() -> None:
    kept = np.flatnonzero(np.arange(5000) % 10 != 3)  # each tenth sample is lost
    times_s = kept / 100.0
    assert true_rate_hz(times_s, kept, find_gaps(times_s)) == pytest.approx(100.0, rel=1e-6)


def test_losses_are_counted_from_the_start_of_the_session(tmp_path: Path) -> None:
    before = board(np.arange(-20, -10) / 250, tally=Tally(lost=90, corrupt=7, reopened=1))
    first = board(np.arange(1000) / 250, tally=Tally(lost=92, corrupt=7, reopened=1))
    second = board(np.arange(1000, 2000) / 250, tally=Tally(lost=95, corrupt=8, duplicated=2, reopened=2))
    report = made(tmp_path, [before, first, second])
    for channel in report["streams"]:
        assert (channel["lost"], channel["corrupt"], channel["duplicated"], channel["reopened"]) == (
            5,
            1,
            2,
            1,
        )
    assert report["verdict"] == "look"
    assert "board lost 5 samples (0.25%)." in report["reasons"]
    assert "board sent 1 damaged samples; look at its cable." in report["reasons"]


def test_skipped_and_unanswered_trials_are_told(tmp_path: Path) -> None:
    events = (
        Event(0.0, "session_started", data={"planned": 3}),
        Event(1.0, "clip_ended", data={"clip": "a", "how": "aborted"}),
        Event(2.0, "clip_ended", data={"clip": "a", "how": "done"}),  # repeated
        Event(2.5, "answer", data={"clip": "a", "state": None, "word": None, "response_s": None}),
        Event(3.0, "clip_ended", data={"clip": "b", "how": "skipped"}),
        Event(3.0, "trial_skipped", data={"clip": "b", "state": "neutral", "reason": "experimenter"}),
        Event(4.0, "trial_skipped", data={"clip": "c", "state": "neutral", "reason": "cap"}),
        Event(8.0, "session_ended", data={"outcome": "complete"}),
    )
    report = made(tmp_path, [board(np.arange(2000) / 250)], events=events)
    assert report["trials"] == {"planned": 3, "done": 1, "skipped": 2}
    assert report["reasons"] == [
        "1 of 3 clips were heard to their end.",
        "1 of 1 reports were not given in time.",
    ]


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([], "board delivered nothing."),
        ([board(np.arange(500) / 250)], "board ended 6 s before the session."),
        (
            [board(np.arange(2000) / 250, tally=Tally()), board(np.array([8.0]), tally=Tally(lost=400))],
            "lost 400",
        ),
    ],
)
def test_what_makes_a_recording_bad(tmp_path: Path, chunks: list[Chunk], reason: str) -> None:
    report = made(tmp_path, chunks)
    assert report["verdict"] == "bad"
    assert reason in " ".join(report["reasons"])
    assert reason in text(report)


def test_a_session_without_instruments_is_bad(tmp_path: Path) -> None:
    assert made(tmp_path, [], ())["verdict"] == "bad"


def test_an_instrument_left_out_on_purpose_is_not_bad(tmp_path: Path) -> None:
    events = (Event(0.0, "session_started", data={"planned": 0, "left_out": ["thermal"]}), EVENTS[-1])
    report = made(tmp_path, [board(np.arange(2000) / 250)], (BOARD, THERMAL), events)
    assert (report["verdict"], report["reasons"]) == ("look", ["thermal was left out by the experimenter."])
    assert report["streams"][-1]["true_rate_hz"] is None


def test_an_interrupted_session_is_worth_a_look_and_lasts_until_its_last_sample(tmp_path: Path) -> None:
    report = made(tmp_path, [board(np.arange(2000) / 250)], events=EVENTS[:4], outcome="interrupted")
    assert (report["complete"], report["verdict"]) == (False, "look")
    assert report["duration_s"] == pytest.approx(7.996)


def test_irregular_streams_and_single_samples_have_no_rate_to_miss(tmp_path: Path) -> None:
    marker = StreamInfo("marker", (Channel("code", "lsl"),), None, "int64", (1,))
    one = Chunk("marker", np.array([1.0]), np.array([[5]]), 1.0)
    report = made(tmp_path, [one], (marker,), ())
    (stream,) = report["streams"]
    assert (stream["name"], stream["nominal_rate_hz"], stream["true_rate_hz"]) == ("marker", None, None)
