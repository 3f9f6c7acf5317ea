"""A desk with two screens for machines that have none: one wide Xvfb cut into monitors EXP and PART.

    with Desktop() as desktop:
        subprocess.Popen([sys.executable, "-m", "emolab"], env=desktop.environment)
        desktop.wait_for_window("emolab · study")
        desktop.click(*desktop.on("PART", 0.5, 0.5))

Clicks and keys are those of a real pointer and keyboard, as the X server sees them. Pulling a
monitor's plug is what it is on a desk: Qt is told, windows stay where they were.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import cv2

from tests.simulators.light import Picture

SCREENS = {"EXP": (0, 0, 1280, 800), "PART": (1280, 0, 1024, 768)}  # x, y, width, height
SIZE = (2304, 800)
START_TIMEOUT_S = 60.0
NEEDS = ("Xvfb", "xrandr", "xdotool", "openbox")


def why_not() -> str:
    """Why there can be no desktop here, as a reason to skip; empty when there can."""
    missing = [name for name in NEEDS if shutil.which(name) is None]
    packages = "xvfb x11-xserver-utils xdotool openbox"
    return f"{', '.join(missing)} not installed (apt-get install {packages})" if missing else ""


class Desktop:
    """The desk while the `with` lasts. `environment`: `base` and what a program needs to be on it."""

    def __init__(self, base: Mapping[str, str] | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="emolab-desktop-")
        folder = Path(self._folder.name)
        self.environment = dict(os.environ if base is None else base)
        for unwanted in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XAUTHORITY"):
            self.environment.pop(unwanted, None)
        for key in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            (folder / key).mkdir(mode=0o700)
            self.environment[key] = str(folder / key)
        self.environment["QT_QPA_PLATFORM"] = "xcb"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Desktop:
        try:
            self.environment["DISPLAY"] = self._start_server()
            for name in SCREENS:
                self.plug(name)
            self._start("openbox", "--sm-disable")
            self._wait_for_manager()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait(60)
        self._processes.clear()
        self._folder.cleanup()

    # screens

    def plug(self, name: str) -> None:
        """Plug a monitor in, where it always stands."""
        x, y, width, height = SCREENS[name]
        mm = [round(side * 0.2646) for side in (width, height)]
        geometry = f"{width}/{mm[0]}x{height}/{mm[1]}+{x}+{y}"
        primary = name == "EXP"
        self._ask(
            "xrandr", "--setmonitor", f"*{name}" if primary else name, geometry,
            "screen" if primary else "none",
        )  # fmt: skip

    def unplug(self, name: str) -> None:
        """Pull a monitor's plug."""
        self._ask("xrandr", "--delmonitor", name)

    def on(self, screen: str, across: float, down: float) -> tuple[int, int]:
        """The point of a screen at these parts of its width and height."""
        x, y, width, height = SCREENS[screen]
        return x + round(across * width), y + round(down * height)

    @property
    def picture(self) -> Path:
        """The file in which both screens' pixels are at any moment (see `tests.simulators.light`)."""
        return Path(self._folder.name) / "Xvfb_screen0"

    def shot(self, path: Path) -> None:
        """Keep a picture of both screens."""
        pixels = Picture(self.picture, f"0,0,{SIZE[0]},{SIZE[1]}").colours()
        if not cv2.imwrite(str(path), pixels):
            raise RuntimeError(f"{path} could not be written")

    # hands

    def click(self, x: int, y: int) -> None:
        """Click with the left button."""
        self._ask("xdotool", "mousemove", str(x), str(y), "click", "1")

    def key(self, *names: str) -> None:
        """Press keys one after the other, for the window that has the keyboard: `Return`, `ctrl+Return`."""
        self._ask("xdotool", "key", *names)

    def hold(self, name: str, seconds: float) -> None:
        """Keep a key pressed for so long."""
        self._ask("xdotool", "keydown", name)
        time.sleep(seconds)
        self._ask("xdotool", "keyup", name)

    def write(self, text: str) -> None:
        """Type a text, for the window that has the keyboard."""
        self._ask("xdotool", "type", "--delay", "10", text)

    # windows

    def windows(self, title: str) -> list[str]:
        """The windows one can see whose title matches this regular expression."""
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", title],
            env=self.environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return found.stdout.split()

    def wait_for_window(self, title: str, timeout_s: float = 90.0) -> str:
        """The first window to be seen with such a title. Raises `TimeoutError` when none comes."""
        ends_s = time.monotonic() + timeout_s
        while time.monotonic() < ends_s:
            if found := self.windows(title):
                return found[0]
            time.sleep(0.02)
        raise TimeoutError(f"no window {title!r} within {timeout_s:.0f} s")

    def place(self, window: str) -> tuple[int, int, int, int]:
        """Where a window is: x, y, width, height."""
        said = self._ask("xdotool", "getwindowgeometry", "--shell", window)
        facts = dict(line.split("=") for line in said.split())
        return int(facts["X"]), int(facts["Y"]), int(facts["WIDTH"]), int(facts["HEIGHT"])

    def take_keyboard(self, window: str) -> None:
        """Give a window the keyboard."""
        self._ask("xdotool", "windowfocus", "--sync", window)

    # behind it

    def _start_server(self) -> str:
        told, tell = os.pipe()
        size = f"{SIZE[0]}x{SIZE[1]}x24"
        command = ["Xvfb", "-displayfd", str(tell), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
        command += ["-fbdir", self._folder.name]
        try:
            self._start(*command, pass_fds=(tell,))
        finally:
            os.close(tell)
        with os.fdopen(told) as line:
            number = line.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start; run it by hand to see why")
        return f":{number}"

    def _wait_for_manager(self) -> None:
        ends_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < ends_s:
            if self._is_managed():
                return
            time.sleep(0.05)
        raise RuntimeError(f"openbox did not start within {START_TIMEOUT_S:.0f} s")

    def _is_managed(self) -> bool:
        done = subprocess.run(
            ["xdotool", "get_desktop"], env=self.environment, capture_output=True, timeout=60
        )
        return done.returncode == 0

    def _start(self, *command: str, pass_fds: tuple[int, ...] = ()) -> None:
        quiet = subprocess.DEVNULL
        self._processes.append(
            subprocess.Popen(
                command, env=self.environment, stdin=quiet, stdout=quiet, stderr=quiet, pass_fds=pass_fds
            )
        )

    def _ask(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout
