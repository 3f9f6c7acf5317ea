"""The engine: the process in which a session is recorded, served to windows that may come and go.

It is spawned by a console (`emolab engine`), or runs in the foreground of `emolab record`. One engine
records one session (`live_session`) with one laboratory's instruments. All state is touched only by the
thread that calls `serve`; pumps and windows reach it through one inbox, and windows get frozen snapshots.
"""

from __future__ import annotations

import json
import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

from emolab.core.clock import Clock
from emolab.core.errors import EmolabError
from emolab.core.event import Event
from emolab.core.settings import Settings
from emolab.devices import config
from emolab.session import commands, folder, live_session, view
from emolab.session.laboratory import JOIN_S, Laboratory
from emolab.session.link import Server
from emolab.session.snapshot import Snapshot
from emolab.session.standstill import Standstill
from emolab.session.watch import Watch

log = logging.getLogger(__name__)

TICK_S = 0.005
SNAPSHOT_STEP_S = 1 / 40  # windows ask thirty times a second
LOOK_STEP_S = 1.0  # `watch` and lonely engines are looked at this often
LINGER_S = 60.0  # an engine no window looks at goes, unless it records
ANSWER_TIMEOUT_S = 30.0


class Engine(Laboratory):
    """One session's engine on a study folder. `with_sound`: False for sessions nobody hears."""

    def __init__(
        self,
        study: Path,
        devices: config.DeviceFile,
        clock: Clock,
        settings: Settings,
        *,
        with_sound: bool = True,
    ) -> None:
        super().__init__(study, devices, clock, settings)
        self.standstill = Standstill()
        self.watch = Watch(self.standstill)
        self._with_sound = with_sound
        self._interrupted = ""
        self._line = Snapshot(study=str(study)).to_json()  # a window may ask before `arm` has published
        self._due = {"snapshot": 0.0, "look": 0.0}
        self._lonely_since = time.monotonic()
        self._server: Server | None = None
        try:  # last: no window may attach to what a slip will end
            self._server = Server(study, self.rings.folder, self._answer, self._gone)
            folder.tidy(study)
        except BaseException:
            self.close()
            raise
        self._follower = clock.follow("engine")

    # life

    def arm(self, *, render: bool = True) -> None:
        """Open everything: pumps run, lights come on, nothing is recorded yet.

        `render`: compose the clips that this machine has not got yet, in the background.
        """
        self.switch_on(with_sound=self._with_sound)
        if render:
            self.rendering.start()
        self.publish()

    def serve(self, until: Callable[[], bool] | None = None) -> None:
        """Run until shut down, or until `until()` is true."""
        while not self.is_shutting_down and not (until is not None and until()):
            self._turn()

    def interrupt(self, why: str) -> None:
        """End the session in order, from a signal handler: complete file, marked as interrupted."""
        self._interrupted = why

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal has asked to end."""
        return bool(self._interrupted)

    def close(self) -> None:
        """End what still runs: the session, its instruments, then give the study free. Idempotent."""
        if self.preflight is not None:
            self.preflight.cancel(JOIN_S)
        live_session.end(self)
        self.watch.close()
        self.switch_off()
        if self._server is not None:
            self._server.close()
        self.sweep()

    # one turn of the loop

    def _turn(self) -> None:
        self.standstill.look(self)  # first: what was due meanwhile must not all happen now
        now_s = self.clock.now_s()
        if self._interrupted and self.phase == "running":
            live_session.end(self)
        elif self._interrupted:
            self.is_shutting_down = True
        live_session.tick(self, now_s)
        self._look()
        if time.monotonic() >= self._due["snapshot"]:
            step_s = SNAPSHOT_STEP_S if self._is_looked_at else LOOK_STEP_S / 4
            self._due["snapshot"] = time.monotonic() + step_s
            self.publish()
        self._wait(now_s)

    def _do(self, item: Callable[[], None]) -> None:
        """Carry out one thing from the inbox; commands have told their faults themselves."""
        self.standstill.look(self)  # a click made meanwhile moves the session as a turn does
        try:
            item()
        except Exception as error:
            log.exception("the engine could not take a message")
            if self.recorder is not None:
                said = f"{type(error).__name__}: {error}"
                self.recorder.mark(
                    Event(self.clock.now_s(), "error", data={"where": "engine", "message": said})
                )

    def _wait(self, now_s: float) -> None:
        """Let simulated time go on as far as we can follow, then sleep until something is due."""
        next_s = self.run.next_s if self.run is not None and self.phase == "running" else now_s + 1.0
        self._follower.allow_until(min(next_s, now_s + 1.0))
        try:
            timeout_s = min(max(next_s - now_s, 0.0) / self.clock.speed, TICK_S / max(self.clock.speed, 1.0))
            self._do(self._inbox.get(timeout=max(timeout_s, 0.0002)))
            while True:
                self._do(self._inbox.get_nowait())
        except queue.Empty:
            pass

    def _look(self) -> None:
        if time.monotonic() < self._due["look"]:
            return
        self._due["look"] = time.monotonic() + LOOK_STEP_S
        self.watch.look(self)
        if self._is_looked_at or self.phase == "running":
            self._lonely_since = time.monotonic()
        elif time.monotonic() - self._lonely_since > LINGER_S:
            log.info("no window for %.0f s: the engine goes", LINGER_S)
            self.is_shutting_down = True

    @property
    def _is_looked_at(self) -> bool:
        """Whether any window is connected."""
        return self._server is not None and self._server.connections > 0

    def publish(self) -> None:
        """Let windows know how things stand now."""
        try:
            self._line = view.snapshot_of(self).to_json()
        except Exception:  # a fault in what is only shown must never end a recording
            log.exception("the snapshot failed")

    # windows, from the link's threads

    def _answer(self, command: dict[str, Any], connection: int) -> str:
        if command.get("do") == "snapshot":
            self.windows.asked(connection)
            return self._line
        done: Future[None] = Future()

        def carry_out() -> None:
            try:
                commands.apply(self, command, connection)
                done.set_result(None)
            except Exception as error:
                done.set_exception(error)

        self.post(carry_out)
        try:
            done.result(ANSWER_TIMEOUT_S)
        except FutureTimeout:
            return json.dumps({"error": "the engine is busy; try again in a moment"})
        except EmolabError as error:
            return json.dumps({"error": str(error)})
        except Exception as error:
            log.exception("command %s failed", command)
            return json.dumps({"error": f"{command.get('do')}: {type(error).__name__}: {error}"})
        return json.dumps({"ok": True})

    def _gone(self, connection: int) -> None:
        self.post(lambda: self.window_gone(connection))
