"""The computer stays awake while a session runs: nothing puts it to sleep, or darkens its screens, by itself.

    awake = Awake()
    awake.follow(True)      # once a second; False lets the computer do as it likes again
    awake.by, awake.why_not

A rest of five minutes, in which nobody touches a key, is what many systems wait for. Each is asked in its own
way, and each forgets it when this process ends, however it ends:

    Linux     `systemd-inhibit`, also when the lid is closed, until its standard input closes
              (a desktop's screens are the window's business: `gui.lit`)
    macOS     `caffeinate`, until this process is gone
    Windows   SetThreadExecutionState, for as long as the thread lives that asked

A battery that runs empty, somebody who says "sleep", and a lid on macOS and Windows are not prevented:
`standstill` tells of them afterwards.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

log = logging.getLogger(__name__)

_CONTINUOUS, _SYSTEM, _DISPLAY = 0x80000000, 0x1, 0x2  # ES_…, winbase.h
_SYSTEMD = Path("/run/systemd/system")  # there where it rules (sd_booted); elsewhere nobody is to be asked
_INHIBIT = ("systemd-inhibit", "--who=emolab", "--why=A session is being recorded", "--mode=block")
_WHAT = ("sleep:idle:handle-lid-switch", "sleep:idle")
PROBE_S = 3.0
END_S = 1.0


def ways(system: str = sys.platform) -> list[tuple[str, ...]]:
    """Programs that keep this computer awake for as long as they run, the best first.

    None on Windows, where none is needed, and where nothing puts a Linux to sleep.
    """
    if system == "darwin":
        return [("caffeinate", "-d", "-i", "-s", "-w", str(os.getpid()))]
    if system.startswith("linux") and _SYSTEMD.is_dir():
        # who is logged in from elsewhere has no say about the lid
        return [(*_INHIBIT, f"--what={what}", "cat") for what in _WHAT]
    return []


def refusal(system: str = sys.platform) -> str:
    """Why this computer could not be kept awake now; "" when it can, or when nobody is to be asked."""
    said = ""
    if system == "darwin":  # it refuses nobody, and would wait for us to end
        return said
    for way in ways(system):
        try:
            done = subprocess.run(
                way, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said = f"{way[0]}: {error}"
            continue
        if done.returncode == 0:
            return ""
        said = _last_line(done.stderr) or f"{way[0]} ended with {done.returncode}"
    return said


def let_go(process: subprocess.Popen[bytes]) -> None:
    """End a program that runs until its standard input closes; one that does not end in time is killed."""
    with suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def battery() -> float | None:
    """How full the battery is that this computer runs on, 0 to 1; None on mains, and where nobody knows."""
    try:
        found = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError, ValueError):  # a system, or a driver, that tells nothing
        return None
    return None if found is None or found.power_plugged is not False else found.percent / 100


class Awake:
    """One engine's; to be used from one thread.

    `by`: what keeps the computer awake now, "" when nothing does. `why_not`: the last refusal.
    """

    def __init__(self, system: str = sys.platform) -> None:
        self.by, self.why_not = "", ""
        self._system = system
        self._left: list[tuple[str, ...]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._is_asked = False

    def follow(self, wanted: bool) -> None:
        """Keep the computer awake from now on, or let it be; and see whether it still is."""
        if wanted and not self._is_asked:
            self._left, self._is_asked = ways(self._system), True
            if self._system == "win32":
                self._tell_windows(_CONTINUOUS | _SYSTEM | _DISPLAY)
            else:
                self._next()
        elif not wanted and self._is_asked:
            self.close()
        elif self._process is not None and self._process.poll() is not None:
            said = self._process.stderr.read() if self._process.stderr is not None else None
            self.why_not = _last_line((said or b"").decode(errors="replace")) or f"{self.by} ended"
            self._let_go()
            self._next()

    def close(self) -> None:
        """Let the computer do as it likes. Idempotent."""
        if self._is_asked and self._system == "win32":
            self._tell_windows(_CONTINUOUS)
        self._is_asked, self._left = False, []
        self._let_go()

    def _next(self) -> None:
        """The best way that has not been refused."""
        while self._left:
            way = self._left.pop(0)
            if shutil.which(way[0]) is None:
                self.why_not = f"there is no {way[0]}"
                continue
            try:
                self._process = subprocess.Popen(
                    way,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,  # Ctrl+C in a terminal is for the engine
                )
            except OSError as error:
                self.why_not = f"{way[0]}: {error}"
                continue
            assert self._process.stderr is not None
            # one that was killed may leave a child, which keeps the pipe open: nobody waits for its end
            os.set_blocking(self._process.stderr.fileno(), False)
            self.by = way[0]
            return
        log.info("the computer cannot be kept awake: %s", self.why_not)

    def _let_go(self) -> None:
        process, self._process, self.by = self._process, None, ""
        if process is None:
            return
        if self._system == "darwin":  # it waits for this process, not for its input
            process.terminate()
        let_go(process)
        process.stderr.close()  # type: ignore[union-attr]

    def _tell_windows(self, state: int) -> None:
        kernel: Any = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
        if kernel.SetThreadExecutionState(ctypes.c_uint(state)) == 0:
            self.by, self.why_not = "", "Windows refused it"
        else:
            self.by = "SetThreadExecutionState" if state & _SYSTEM else ""


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""
