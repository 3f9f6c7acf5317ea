"""A network drive that can be taken away: a folder mounted through a process of its own.

`gone()` ends that process: whoever asks gets an error, as when a share is cut off. `hangs()` stops it:
whoever asks waits, as with a share whose server does not answer. `back()` undoes either. What was written
lies in `inside`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def why_not() -> str:
    """Why there can be no such drive here; empty when there can."""
    if not sys.platform.startswith("linux"):
        return "only on Linux"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse to write to"
    missing = [tool for tool in ("bindfs", "umount") if shutil.which(tool) is None]
    return f"{', '.join(missing)} not installed (apt-get install bindfs)" if missing else ""


class Drive:
    """The drive mounted at `path`."""

    def __init__(self, folder: Path) -> None:
        self.path, self.inside = folder / "drive", folder / "server"
        self.path.mkdir()
        self.inside.mkdir()
        self._server: subprocess.Popen[bytes] | None = None
        self._mount()

    def gone(self) -> None:
        """Cut it off."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()

    def hangs(self) -> None:
        """Let it answer no more."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def back(self) -> None:
        """Let it answer again."""
        assert self._server is not None
        if self._server.poll() is None:
            self._server.send_signal(signal.SIGCONT)
        else:
            self._unmount()
            self._mount()

    def remove(self) -> None:
        """Unmount it, whatever state it is in."""
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError):
                self._server.send_signal(signal.SIGCONT)
            self._unmount()
            self._server.terminate()
            self._server.wait(10)

    def _mount(self) -> None:
        # started before any file on the drive is open: a child closes those, which waits for the drive
        self._server = subprocess.Popen(
            ["bindfs", "-f", str(self.inside), str(self.path)], stdin=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while not os.path.ismount(self.path):
            assert time.monotonic() < deadline and self._server.poll() is None, "the drive was not mounted"
            time.sleep(0.02)

    def _unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)


@contextlib.contextmanager
def drive(folder: Path) -> Iterator[Drive]:
    """A drive, removed at the end."""
    made = Drive(folder)
    try:
        yield made
    finally:
        made.remove()
