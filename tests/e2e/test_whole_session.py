"""One session as in the laboratory, nothing replaced, and then the file is held against the truth.

The experimenter opens the console on the first screen, enters a pseudonym, chooses a protocol file
and starts; the participant clicks and types on the second. Board, camera, thermal camera and sound
card are programs of their own that log what they sent.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from emolab.core.clock import now_ns
from emolab.core.event import Event
from emolab.core.label import STATE_KEYS, RatedLabel
from emolab.recording.reader import Session
from emolab.session.player import RATE_HZ, load_clip
from emolab.session.snapshot import Snapshot
from tests.e2e.laboratory import CLIPS, EMOLAB, FPS, TRUE_RATE_HZ, Laboratory, why_not
from tests.e2e.participant import Participant
from tests.simulators.mjpeg_camera import read_number
from tests.simulators.thermal_file import thermal_frame

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

CLIP_S = 3.0


@dataclass
class Said:
    """What was clicked in one report, and when the answer was confirmed (monotonic ns)."""

    state: str
    word: str | None = None
    changes: int = 0
    confirmed_ns: int = 0


@dataclass
class Recorded:
    """A finished session: the file, what its instruments sent, and what the participant did."""

    path: Path
    clips: Path
    board_log: list[list[str]]
    frames_sent_ns: dict[int, int]
    last: Snapshot
    said: list[Said] = field(default_factory=list)
    marked_ns: int = 0
    report: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with Laboratory(tmp_path_factory.mktemp("laboratory"), clip_s=CLIP_S) as lab:
        console = set_up(lab)
        lab.desktop.key("ctrl+Return")
        person = Participant(lab)
        person.agree()
        person.go_on()
        said, marked_ns = [], 0
        for trial in range(CLIPS + 1):
            said.append(report(person, trial))
            if trial == 2:
                lab.wait("played", lambda seen: seen.stage.page == "listen")
                marked_ns = now_ns()
                lab.turn_to_console()
                lab.desktop.key("m")
        last = lab.wait("finished", lambda seen: seen.phase in ("finished", "failed"))
        assert last.phase == "finished", last.message
        assert console.poll() is None, lab.words()
    told = subprocess.run([*EMOLAB, "inspect", last.path, "--json"], capture_output=True, text=True)
    yield Recorded(
        path=Path(last.path),
        clips=lab.clips,
        board_log=[line.split("\t") for line in lab.board_log.read_text().splitlines()],
        frames_sent_ns=dict(np.loadtxt(lab.camera_log, int, delimiter=",").tolist()),
        last=last,
        said=said,
        marked_ns=marked_ns,
        report=json.loads(told.stdout),
    )


def set_up(lab: Laboratory) -> subprocess.Popen[bytes]:
    """Open the console, enter a pseudonym, choose a protocol file, and wait until all deliver."""
    console = lab.open_console(str(lab.study))
    lab.desktop.wait_for_window("emolab")
    lab.wait("delivered", lambda seen: bool(seen.streams) and all(s.samples for s in seen.streams))
    lab.desktop.key("ctrl+a")
    lab.desktop.write("P007")
    lab.desktop.key("alt+f")
    lab.desktop.wait_for_window("[Pp]rotocol")
    lab.desktop.write(str(lab.protocol))
    lab.desktop.key("Return")
    lab.wait("was quiet", lambda seen: all(s.level != "act" for s in seen.streams))
    time.sleep(0.5)  # the plan of what was just typed
    return console


def report(person: Participant, trial: int) -> Said:
    """Answer one report, each in another way: 0 is the baseline's."""
    if trial == 1:
        person.choose(0)
        said = Said(STATE_KEYS[0])
    elif trial == 2:
        for rank in (1, 4, 1):
            person.choose(rank)
        said = Said(STATE_KEYS[1], changes=2)
    elif trial == 3:
        person.choose(2)
        said = Said(STATE_KEYS[2], person.pick_word(2, 1), changes=1)
    elif trial == 4:
        person.choose_by_key(3)
        person.choose_by_key(4)
        said = Said(STATE_KEYS[4], changes=1)
    elif trial == 5:
        person.choose(3)
        said = Said(STATE_KEYS[3], person.pick_word(3, 2), changes=1)
    else:
        person.choose(2)
        said = Said(STATE_KEYS[2])
    said.confirmed_ns = now_ns()
    person.confirm(by_mouse=trial in (2, 3))
    return said


@pytest.fixture
def session(recorded: Recorded) -> Iterator[Session]:
    with Session.open(recorded.path) as opened:
        yield opened


def zero_ns(recorded: Recorded, session: Session) -> int:
    """The file's time zero on the machine's clock, as the board's own log tells it."""
    lines = [line for line in recorded.board_log if line[2] == "line"]
    first = first_line(recorded, session)
    board = session.streams["board"]
    captured_ns = np.array([int(line[0]) for line in lines[first : first + len(board)]])
    return int(np.median(captured_ns - board.times_s() * 1e9))


def first_line(recorded: Recorded, session: Session) -> int:
    """Which line of the board's log is the first in the file."""
    lines = [line[3] for line in recorded.board_log if line[2] == "line"]
    return lines.index(",".join(map(str, session.streams["board"].samples(0, 1)[0])))


def of_kind(session: Session, kind: str) -> list[Event]:
    return [event for event in session.events if event.kind == kind]


def test_every_line_the_board_sent_is_there_once_and_unchanged(recorded, session):
    lines = [line for line in recorded.board_log if line[2] == "line"]
    rows = [",".join(map(str, row)) for row in session.streams["board"].samples()]
    first = first_line(recorded, session)
    assert len(rows) > 20 * TRUE_RATE_HZ
    assert rows == [line[3] for line in lines[first : first + len(rows)]]

    # and none is missing at either end: one chunk, at most, was under way when the pump was stopped
    zero, (ended,) = zero_ns(recorded, session), of_kind(session, "session_ended")
    inside = [line for line in lines if zero <= int(line[0]) < zero + (ended.time_s - 0.15) * 1e9]
    assert {line[3] for line in inside} <= set(rows)


def test_board_times_are_when_the_lines_were_captured(recorded, session):
    board = session.streams["board"]
    lines = [line for line in recorded.board_log if line[2] == "line"]
    first = first_line(recorded, session)
    captured_ns = np.array([int(line[0]) for line in lines[first : first + len(board)]])
    off_ms = board.times_s() * 1e3 - (captured_ns - zero_ns(recorded, session)) * 1e-6
    print(f"stamps off by {np.percentile(np.abs(off_ms), 99):.3f} ms (p99)")
    assert np.abs(off_ms).max() < 20.0


def test_inspect_finds_the_true_rate(recorded):
    board = [stream for stream in recorded.report["streams"] if stream["name"].startswith("board/")]
    assert len(board) == 4
    for stream in board:
        assert stream["nominal_rate_hz"] == 250.0
        assert stream["true_rate_hz"] == pytest.approx(TRUE_RATE_HZ, rel=1e-3)
        assert (stream["lost"], stream["corrupt"], stream["gaps"]) == (0, 0, 0)


def test_every_camera_frame_is_there_but_those_counted_as_lost(recorded, session):
    numbers = [read_number(pixels) for _, pixels in session.video("face").frames()]
    assert len(numbers) > 20 * FPS and all(np.diff(numbers) > 0)
    assert set(numbers) <= set(recorded.frames_sent_ns)
    missing = numbers[-1] - numbers[0] + 1 - len(numbers)
    (face,) = (stream for stream in recorded.report["streams"] if stream["name"] == "face")
    print(f"{len(numbers)} frames, {missing} missing, {face['lost']} counted as lost")
    assert missing <= face["lost"]


def test_board_and_camera_agree_on_the_time(recorded, session):
    seen = [(time_s, read_number(pixels)) for time_s, pixels in session.video("face").frames()]
    zero = zero_ns(recorded, session)
    late_ms = [time_s * 1e3 - (recorded.frames_sent_ns[number] - zero) * 1e-6 for time_s, number in seen]
    print(f"camera against board: median {np.median(late_ms):.2f} ms, p95 {np.percentile(late_ms, 95):.2f}")
    assert -5.0 < np.median(late_ms) < 30.0


def test_thermal_frames_are_bit_exact(session):
    frames = session.streams["thermal"].samples()
    numbers = frames[:, 0, 0].astype(int)
    assert len(frames) > 20 * 9
    assert (np.diff(numbers) == 1).all()
    for number, frame in zip(numbers, frames, strict=True):
        assert np.array_equal(frame, thermal_frame(number))


def test_clips_are_heard_in_the_microphone_when_the_file_says(recorded, session):
    heard = of_kind(session, "clip_ended")
    assert [event.data["how"] for event in heard] == ["done"] * CLIPS
    voice = session.streams["voice"]
    times_s, sound = voice.times_s(), voice.samples()[:, 0].astype(float)
    disturbed_s = holes_in_the_sound(recorded, session)
    undisturbed = 0
    for event in heard:
        onset_s = event.data["fitted_s"]
        if any(onset_s - 3.0 < hole_s < onset_s + CLIP_S + 1.0 for hole_s in disturbed_s):
            continue  # a virtual card runs dry on a machine that is busy elsewhere
        undisturbed += 1
        clip = load_clip(recorded.clips / f"{event.data['clip']}.flac", CLIP_S).mean(axis=1)
        start = int(np.searchsorted(times_s, onset_s - 0.5))
        part = sound[start : start + len(clip) + RATE_HZ]
        at, alike = best_match(part, clip)
        off_ms = (times_s[start + at] - onset_s) * 1e3
        print(f"{event.data['clip']}: {off_ms:+.2f} ms, alike {alike:.4f}")
        assert alike > 0.98, "the sound was disturbed and the file does not tell"
        assert abs(off_ms) < 25.0  # the virtual card's own stamps wander by some ms
    if not undisturbed:
        pytest.skip("the sound card ran dry in every clip: this machine is too busy to hear anything")


def holes_in_the_sound(recorded: Recorded, session: Session) -> list[float]:
    """When the file says that sound was disturbed, played or recorded."""
    (voice,) = (stream for stream in recorded.report["streams"] if stream["name"] == "voice")
    return [event.time_s for event in of_kind(session, "audio_underrun")] + voice["gap_times_s"]


def best_match(sound: NDArray[np.float64], clip: NDArray[np.float64]) -> tuple[int, float]:
    """Where `clip` lies in `sound`, and how alike they are there (1 = the same up to loudness)."""
    products = fftconvolve(sound, clip[::-1], mode="valid")
    powers = fftconvolve(sound**2, np.ones(len(clip)), mode="valid")
    alike = products / np.sqrt(np.maximum(powers, 1.0) * (clip**2).sum())
    at = int(np.argmax(alike))
    return at, float(alike[at])


def test_answers_are_exactly_those_clicked(recorded, session):
    clips = [event.data["clip"] for event in of_kind(session, "clip_onset")]
    given = session.answers
    assert [(a.clip, a.state, a.word, a.changes) for a in given] == [
        (clip, said.state, said.word, said.changes)
        for clip, said in zip([None, *clips], recorded.said, strict=True)
    ]
    assert all(isinstance(answer, RatedLabel) and 0 < answer.response_s < 20 for answer in given)


def test_deeds_are_on_the_same_clock_as_the_signals(recorded, session):
    zero = zero_ns(recorded, session)
    answered = of_kind(session, "answer")
    late_s = [e.time_s - (s.confirmed_ns - zero) * 1e-9 for e, s in zip(answered, recorded.said, strict=True)]
    (mark,) = of_kind(session, "mark")
    late_s.append(mark.time_s - (recorded.marked_ns - zero) * 1e-9)
    print("deed to event:", " ".join(f"{late * 1e3:.0f}" for late in late_s), "ms")
    assert all(-0.01 < late < 1.0 for late in late_s)


def test_file_is_complete_and_says_who_and_what(recorded, session):
    assert session.complete and session.header.participant == "P007"
    assert recorded.report["trials"] == {"planned": CLIPS, "done": CLIPS, "skipped": 0}
    assert [event.data["language"] for event in of_kind(session, "consent")] == ["en"]
    (attached,) = of_kind(session, "window_attached")
    assert attached.data["screen"] == "PART"
    kinds = {stream["kind"] for stream in recorded.report["streams"]}
    assert kinds == {"eda", "respiration", "ppg", "rgb", "thermal", "audio"}
    lost = {stream["name"] for stream in recorded.report["streams"] if stream["lost"]}
    assert lost <= {"face", "voice"}  # of these emolab only estimates it
