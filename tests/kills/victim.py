"""One engine, driven as a window drives it, and killed at a moment drawn beforehand.

set-up    while the engine comes up and opens its instruments
creation  while it starts the session and makes its file
rest, clip, report   in the middle of these
closing   from the last answer on: pumps stop, queues empty, the file is finished
packing   while the finished file is written again, and takes the other's name
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from emolab.core.clock import now_ns
from emolab.core.label import STATE_KEYS
from emolab.session import folder
from emolab.session.address import read_address
from emolab.session.client import EngineClient
from emolab.session.link import is_alive
from emolab.session.snapshot import Snapshot, StepView
from tests.kills.room import CLIP_S, CLIPS, REST_S, Room

PHASES = ("set-up", "creation", "rest", "clip", "report", "closing", "packing")
KINDS = {"rest": "rest", "clip": "play", "report": "rate"}
PATIENCE_S = 60.0
TURN_S = 0.015
LATE_SPAN_S = 3.0
HEARD_TRIALS = 2  # the others are skipped: they would only take time
CHOOSE_S, CONFIRM_S = 0.3, 0.9  # after a question has opened
LENGTH_S = {"rest": REST_S, "clip": CLIP_S, "report": CONFIRM_S}
MAKE_S, PACK_S = 0.25, 0.15  # from the first sight of a file on
# How long the others took when last measured, which hangs on the machine
lasts_s = {"set-up": 3.0, "creation": 0.5, "closing": 1.0}


@dataclass(frozen=True)
class Kill:
    """What is to be done: in which phase, where in it (0 to 1), and in which clip or report."""

    phase: str
    share: float
    trial: int = 1


@dataclass
class Told:
    """What the engine had told until it died. Moments are monotonic seconds."""

    participant: str
    path: Path
    killed_s: float = 0.0
    asked_s: float | None = None  # the start
    ended_s: float | None = None  # the last answer, which ends the recording
    zero_s: float | None = None  # the file's time zero
    saved: dict[str, int] = field(default_factory=dict)
    steps: dict[int, tuple[float, StepView]] = field(default_factory=dict)  # when seen to be shown
    answers: dict[int, tuple[float, str]] = field(default_factory=dict)  # step → when taken, state
    plan: tuple[StepView, ...] = ()
    phase: str = ""
    rings: str = ""
    late_ms: float = 0.0  # the longest the engine, or we, kept the other waiting in the last seconds
    error: str = ""  # why it could not be driven to the kill


class Victim:
    """Drives and kills one engine. Use `die` once."""

    def __init__(self, room: Room, participant: str, *, resume: bool = False) -> None:
        self._room, self._resume = room, resume
        first = folder.session_path(room.study, participant, 0)
        path = folder.part_path(first, len(folder.parts(first)) + 1) if resume else first
        self.told = Told(participant, path)
        self._client: EngineClient | None = None
        self._done: set[tuple[int, str]] = set()
        self._at_s: float | None = None  # when to kill
        self._turns_s: list[float] = []  # when we heard of it lately

    def die(self, kill: Kill) -> Told:
        """Start an engine, bring it into the phase, kill it; what it had told."""
        started_s = time.monotonic()
        self._process = self._room.start_engine()
        if kill.phase == "set-up":
            self._at_s = started_s + kill.share * lasts_s["set-up"]
        try:
            if self._is_up() and self._delivers():
                lasts_s["set-up"] = time.monotonic() - started_s
                if kill.phase == "creation":
                    self._die_in_creation(kill)
                else:
                    self._start()
                    self._live(kill)
        except (OSError, AssertionError) as error:
            self.told.error = f"{error} (engine: {self._process.poll()})"
        finally:
            self._kill()
        return self.told

    # until it records

    def _is_up(self) -> bool:
        """Wait for it; False when it is to die before."""
        while not self._is_due():
            address = read_address(self._room.study)
            if address is not None and address.pid == self._process.pid and is_alive(address):
                self.told.rings = address.rings
                self._client = EngineClient(address)
                return True
            assert self._process.poll() is None, "the engine did not come up"
            time.sleep(0.01)
        return False

    def _delivers(self) -> bool:
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._is_due():
            lights = self._look().streams
            are_well = len(lights) == self._room.instruments and all(
                light.samples and light.level != "act" for light in lights
            )
            if are_well and self._at_s is None:
                return True
            assert time.monotonic() < deadline_s, f"the instruments did not deliver: {lights}"
            time.sleep(TURN_S)
        return False

    def _start(self) -> None:
        self.told.asked_s = time.monotonic()
        command = {"do": "start", "protocol": str(self._room.protocol), "participant": self.told.participant}
        said = self._asked().send({**command, "seed": 1, "answers": "window", "resume": self._resume})
        assert said == {"ok": True}, f"refused: {said}"
        lasts_s["creation"] = time.monotonic() - self.told.asked_s

    def _die_in_creation(self, kill: Kill) -> None:
        """By the clock from the command on, or from the first sight of a file on."""
        starting = threading.Thread(target=self._start_unheard, daemon=True)
        starting.start()
        if kill.trial % 2:
            self._at_s = time.monotonic() + kill.share * lasts_s["creation"]
        else:
            deadline_s = time.monotonic() + PATIENCE_S
            while not list(self.told.path.parent.glob(f"*{self.told.path.stem}.h5*")):
                assert time.monotonic() < deadline_s, "no file came"
                time.sleep(0.001)
            self._at_s = time.monotonic() + kill.share * MAKE_S
        self._kill()
        starting.join(10)

    def _start_unheard(self) -> None:
        with contextlib.suppress(OSError, AssertionError):
            self._start()

    # while it records

    def _live(self, kill: Kill) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        packing = self.told.path.with_name(f".{self.told.path.name}.packing")
        while not self._is_due():
            assert time.monotonic() < deadline_s, f"never came into {kill}: {self.told.phase}"
            seen = self._look()
            self._set_moment(kill, seen)
            if self.told.ended_s is None:
                self._act(seen)
            if kill.phase == "packing" and self.told.ended_s is not None and self._at_s is None:
                if packing.exists():
                    lasts_s["closing"] = time.monotonic() - self.told.ended_s + PACK_S
                    self._at_s = time.monotonic() + kill.share * PACK_S
                elif seen.phase == "finished":
                    self._at_s = time.monotonic()  # too fast for us
                time.sleep(0.002)
            else:
                time.sleep(max(min(TURN_S, (self._at_s or 1e18) - time.monotonic()), 0.0))

    def _set_moment(self, kill: Kill, seen: Snapshot) -> None:
        if self._at_s is not None:
            return
        now = [step for step in seen.steps if step.status == "now"]
        if kill.phase in KINDS and now and now[0].kind == KINDS[kill.phase]:
            if kill.phase == "rest" or now[0].trial == kill.trial or self._resume:
                self._at_s = time.monotonic() + kill.share * LENGTH_S[kill.phase]
        elif kill.phase == "closing" and self.told.ended_s is not None:
            self._at_s = self.told.ended_s + kill.share * lasts_s["closing"]

    def _look(self) -> Snapshot:
        seen = self._asked().snapshot()
        now_s = time.monotonic()
        told = self.told
        self._turns_s = [at_s for at_s in self._turns_s if at_s > now_s - LATE_SPAN_S] + [now_s]
        told.phase = seen.phase
        if seen.path:
            zero_s = now_s - seen.now_s  # too late by the snapshot's age, so the earliest is best
            told.zero_s = zero_s if told.zero_s is None else min(told.zero_s, zero_s)
            told.saved = {light.name: light.saved for light in seen.streams}
            told.plan = seen.steps
        for step in seen.steps:
            if step.status == "now" and step.index not in told.steps:
                told.steps[step.index] = (now_s, step)
        return seen

    def _act(self, seen: Snapshot) -> None:
        """Do what participant and experimenter do at this page."""
        now = [step for step in seen.steps if step.status == "now"]
        if not now or seen.stage.step != now[0].index:
            return
        step, stage = now[0], seen.stage
        open_s = time.monotonic() - self.told.steps[step.index][0]
        if step.kind == "instruct" and stage.page != "thanks":
            self._once(step, "proceed")
        elif step.kind == "play" and step.trial > HEARD_TRIALS and not self._resume:
            self._note_end(step.trial == CLIPS)  # what is skipped is not asked about
            self._once(step, "skip")
        elif step.kind == "rate":
            self._once(step, "shown")
            if open_s > CHOOSE_S:
                self._once(step, "choose", state=STATE_KEYS[step.index % 5])
            if open_s > CONFIRM_S:
                self._note_end(step.trial == CLIPS)
                if self._once(step, "confirm"):
                    self.told.answers[step.index] = (time.monotonic(), STATE_KEYS[step.index % 5])

    def _note_end(self, is_last: bool) -> None:
        if is_last:
            self.told.ended_s = time.monotonic()

    def _once(self, step: StepView, do: str, **facts: Any) -> bool:
        """Give a command once a step; whether it was given now."""
        if (step.index, do) in self._done:
            return False
        self._done.add((step.index, do))
        said = self._asked().send({"do": do, "step": step.index, "time_ns": now_ns(), **facts})
        assert said == {"ok": True}, f"{do}: {said}"
        return True

    def _asked(self) -> EngineClient:
        assert self._client is not None
        return self._client

    # the end

    def _is_due(self) -> bool:
        return self._at_s is not None and time.monotonic() >= self._at_s

    def _kill(self) -> None:
        if self.told.killed_s:
            return
        if self._at_s is not None:
            time.sleep(max(self._at_s - time.monotonic(), 0.0))
        self.told.killed_s = time.monotonic()
        heard_s = [*self._turns_s, self.told.killed_s]
        waits_s = [after - before for before, after in pairwise(heard_s)]
        self.told.late_ms = max([0.0, *(wait_s - TURN_S for wait_s in waits_s)]) * 1e3
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        if self._client is not None:
            self._client.close()
