"""What is done to the laboratory: one function a session, each gives what its file and lights then say."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from tests.e2e.laboratory import Laboratory
from tests.e2e.test_window_dies import in_mid_clip, lines_between, start_from_command_line
from tests.faults.room import Evidence, Room
from tests.faults.shift import ShiftedClock

UNPLUGGED = ("board", "frames", "face", "thermal", "eeg")
GONE_S = 1.0  # so long away once everybody has noticed


def unplug(folder: Path) -> Evidence:
    """Every plug is pulled in mid-session, and put back a second after all have noticed."""
    with Room(folder) as room:
        room.add(*UNPLUGGED)
        room.open()
        room.start()
        time.sleep(2.0)
        for name in UNPLUGGED:
            room.pull(name)
        room.wait_until(UNPLUGGED, "act")
        time.sleep(GONE_S)
        for name in UNPLUGGED:
            room.plug(name)
        room.wait_for_return(UNPLUGGED)
        time.sleep(2.0)
        return room.end()


STALLED = (*UNPLUGGED, "voice")


def stall(folder: Path) -> Evidence:
    """Every instrument hangs: it stays open and sends nothing. Some are then reset, the rest go on."""
    with Room(folder, has_sound=True) as room:
        room.add(*STALLED)
        room.open()
        room.start()
        time.sleep(2.0)
        for name in STALLED:
            room.stall(name)
        room.wait_until(STALLED, "act")
        time.sleep(7.0)  # long enough for boards to be opened again, in vain
        for name in STALLED:
            room.wake(name)
        room.wait_for_return(STALLED)
        time.sleep(1.0)
        return room.end()


def noise(folder: Path) -> Evidence:
    """Garbage on both kinds of wire, a camera that halves its rate, and memory that gets short."""
    with Room(folder) as room:
        room.add("noisy", "frames", "dim", "thermal")
        room.open()
        room.start()
        time.sleep(1.5)
        room.squeeze("memory short", 100 << 20)
        room.wait_for_line("no longer shown")
        time.sleep(1.0)
        room.squeeze("memory back", None)
        room.slow_down("dim")
        room.wait_for_line("everything is shown")
        with suppress(AssertionError):  # its light tells of lost frames first, as long as there are any
            room.wait_until(["dim"], "look", "runs at 15.", timeout_s=25.0)
        time.sleep(0.5)  # for the one who watches the lights
        return room.end()


def sound(folder: Path) -> Evidence:
    """The wall clock jumps an hour ahead in clip 1 and back in clip 2; the card goes in clip 3.

    One card: what is heard and what is played. It comes back when the session has held for two seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shift = ShiftedClock(folder)
    with Room(folder / "room", has_sound=True, environment=shift.environment) as room:
        room.add("board", "face", "voice")
        room.open()
        room.start()
        for clip, hour_s, deed in ((1, 3600.0, "ahead"), (2, 0.0, "back")):
            room.in_mid_clip(clip)
            shift.set(hour_s)
            room.did(deed)
        room.in_mid_clip(3)
        room.pull("voice")
        room.wait("held", lambda seen: seen.phase == "holding")
        time.sleep(2.0)
        room.plug("voice")
        room.in_mid_clip(4)
        room.wait("heard clip 4", lambda seen: seen.stage.page == "rate" or seen.phase == "finished")
        room.wait_for_return(["voice"])
        return room.end(abort=room.client.snapshot().phase == "running")


def frozen(folder: Path, seconds: float = 30.0) -> Evidence:
    """The program's windows are stopped in mid-clip, keys are pressed meanwhile, and then they go on."""
    folder.mkdir(parents=True, exist_ok=True)
    with Laboratory(folder, clip_s=4.0, report_s=4.0) as lab:
        start_from_command_line(lab)
        in_mid_clip(lab, 1)
        stopped = lab.snapshot()
        os.kill(lab.windows[0].pid, signal.SIGSTOP)
        ends_s = time.monotonic() + seconds
        held = lab.wait("held", lambda seen: seen.phase == "holding")
        lab.desktop.key("3")  # an answer given to a page that is over
        time.sleep(max(ends_s - time.monotonic(), 0.0))
        thawed = lab.snapshot()
        os.kill(lab.windows[0].pid, signal.SIGCONT)
        in_mid_clip(lab, 2)
        lab.turn_to_console()
        lab.desktop.hold("Escape", 1.5)
        last = lab.wait("finished", lambda seen: seen.phase in ("finished", "failed"))
        assert last.phase == "finished", last.message
        lab.close()
        path = Path(last.path)
        with Session.open(path) as session:
            events = list(session.events)
            rows = [",".join(map(str, row)) for row in session.streams["board"].samples()]
            is_whole = rows == lines_between(lab, session)
    deeds = {"windows stopped": stopped.now_s, "windows go on": thawed.now_s}
    said = [(held.now_s, held.phase, held.message)]
    return Evidence(path, inspect(path), events, deeds, [], said, {"board is whole": is_whole})
