"""The window is only a window: killed, or its participant's screen unplugged, the session is not hurt."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emolab.core.label import STATE_KEYS
from emolab.recording.reader import Session
from emolab.session.snapshot import Snapshot
from tests.e2e.laboratory import CLIPS, Laboratory, why_not
from tests.e2e.participant import Participant
from tests.simulators.desktop import SCREENS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

REPORT_S = 20.0  # the report of a participant who sees nothing ends by itself
PARTICIPANT = "participant$"  # their window's title


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Laboratory]:
    with Laboratory(tmp_path, clip_s=4.0, report_s=REPORT_S) as laboratory:
        yield laboratory


def start_from_command_line(lab: Laboratory) -> Participant:
    """`emolab record` with its windows, and a participant who has agreed and rested."""
    lab.open_console(
        "record", str(lab.protocol), "--study", str(lab.study), "--participant", "P011",
        "--devices", str(lab.study / "devices.toml"),
    )  # fmt: skip
    lab.desktop.wait_for_window(PARTICIPANT)
    person = Participant(lab)
    person.agree()
    person.go_on()
    person.choose(2)
    person.confirm()
    return person


def in_mid_clip(lab: Laboratory, trial: int) -> None:
    """Wait until a second of this clip has been heard."""

    def is_heard(seen: Snapshot) -> bool:
        step = seen.steps[seen.step] if 0 <= seen.step < len(seen.steps) else None
        heard = step is not None and step.kind == "play" and step.trial == trial
        return heard and seen.now_s > seen.step_opened_s + 1.0

    lab.wait(f"played clip {trial}", is_heard)


def lines_between(lab: Laboratory, session: Session) -> list[str]:
    """The board's lines from the first one in the file on, as the board logged them."""
    rows = [line.split("\t") for line in lab.board_log.read_text().splitlines()]
    sent = [row[3] for row in rows if row[2] == "line"]
    board = session.streams["board"]
    first = sent.index(",".join(map(str, board.samples(0, 1)[0])))
    return sent[first : first + len(board)]


def test_session_survives_the_death_of_its_window(lab):
    person = start_from_command_line(lab)
    in_mid_clip(lab, 1)
    person.choose(0)
    person.confirm()

    in_mid_clip(lab, 2)
    engine = lab.snapshot().engine_pid
    os.kill(lab.windows[0].pid, signal.SIGKILL)
    held = lab.wait("held before the next clip", lambda seen: seen.phase == "holding")
    assert held.engine_pid == engine
    assert "attach" in held.message
    assert [step.trial for step in held.steps if step.kind == "play" and step.status == "done"] == [1, 2]
    still = lab.wait("went on recording", lambda seen: seen.now_s > held.now_s + 1.0)
    assert still.phase == "holding" and still.bytes_written >= held.bytes_written

    lab.open_console(str(lab.study))
    lab.desktop.wait_for_window("emolab$")
    time.sleep(1.0)
    lab.desktop.key("Return")  # the attach button has the keyboard
    lab.desktop.wait_for_window(PARTICIPANT)
    for trial, rank in ((3, 2), (4, 4), (5, 3)):
        in_mid_clip(lab, trial)
        person.choose(rank)
        person.confirm()
    last = lab.wait("finished", lambda seen: seen.phase in ("finished", "failed"))
    assert last.phase == "finished", last.message
    assert last.engine_pid == engine
    lab.close()

    with Session.open(Path(last.path)) as session:
        assert session.complete
        told = [
            e.kind
            for e in session.events
            if e.kind in ("window_attached", "window_lost", "paused", "resumed")
        ]
        assert told == ["window_attached", "window_lost", "paused", "window_attached", "resumed"]
        ended = [e.data["how"] for e in session.events if e.kind == "clip_ended"]
        assert ended == ["done"] * CLIPS
        states = [answer.state for answer in session.answers]
        assert states == [STATE_KEYS[2], STATE_KEYS[0], None, STATE_KEYS[2], STATE_KEYS[4], STATE_KEYS[3]]
        rows = [",".join(map(str, row)) for row in session.streams["board"].samples()]
        assert rows == lines_between(lab, session)
        assert np.diff(session.streams["thermal"].samples()[:, 0, 0].astype(int)).max() == 1


def test_unplugged_screen_is_noticed_and_the_session_waits_for_it(lab):
    start_from_command_line(lab)
    desktop = lab.desktop
    in_mid_clip(lab, 1)
    before = lab.snapshot()
    desktop.unplug("PART")
    lab.wait("noticed", lambda seen: not seen.screen)
    assert not desktop.windows(PARTICIPANT)
    held = lab.wait("held before the next clip", lambda seen: seen.phase == "holding")
    assert "screen" in held.message
    assert [step.trial for step in held.steps if step.kind == "play" and step.status == "done"] == [1]

    desktop.plug("PART")
    window = desktop.wait_for_window(PARTICIPANT)
    in_mid_clip(lab, 2)
    assert desktop.place(window) == SCREENS["PART"]
    lab.turn_to_console()
    desktop.hold("Escape", 1.5)
    last = lab.wait("finished", lambda seen: seen.phase in ("finished", "failed"))
    assert last.phase == "finished", last.message
    lab.close()

    with Session.open(Path(last.path)) as session:
        assert session.outcome == "aborted"
        told = {e.kind: e for e in session.events}
        assert told["screen_lost"].data["screen"] == told["screen_found"].data["screen"] == "PART"
        noticed_s = told["screen_lost"].time_s - before.now_s
        print(f"unplugging was noticed after {noticed_s:.2f} s")
        assert 0 < noticed_s < 3.0  # one second on an idle machine
        ended = [(e.data["clip"], e.data["how"]) for e in session.events if e.kind == "clip_ended"]
        assert [how for _, how in ended] == ["done", "aborted"]
        rows = [",".join(map(str, row)) for row in session.streams["board"].samples()]
        assert rows == lines_between(lab, session)
