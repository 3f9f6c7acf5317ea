"""Work that takes a second or more, done in a thread, its result a signal; and small file errands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
from PySide6.QtCore import QObject, QProcess, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from emolab.core.errors import EmolabError
from emolab.core.program import emolab
from emolab.gui.errand import tell
from emolab.session import client as engines


class Chores(QObject):
    """`peeked(study, Snapshot or None)`, `proposed(Path)`, `recovered(sentence)`, `failed(sentence)`,
    `mending(study, count)` and `mended(study, Mended of each)`.
    """

    peeked = Signal(object, object)
    proposed = Signal(object)
    recovered = Signal(str)
    failed = Signal(str)
    mending = Signal(object, int)
    mended = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._one_at_a_time = threading.Lock()

    def peek(self, study: Path) -> None:
        """Look at the engine that runs on `study`, and let go of it again."""

        def look() -> None:
            try:
                client = engines.attach(study)
                snapshot = client.snapshot()
                client.close()
            except (EmolabError, OSError):  # it went in this very moment: then there is nothing to attach to
                snapshot = None
            tell(self.peeked, study, snapshot)

        self._run(look)

    def propose(self, devices: Path) -> None:
        """Write a devices file from what is plugged in; one that exists already is used as it is."""

        def write() -> None:
            from emolab.devices import discover

            if not devices.exists():
                devices.write_text(discover.propose_device_file(discover.gather()), encoding="utf-8")
            tell(self.proposed, devices)

        self._run(write)

    def recover(self, path: Path) -> None:
        """Make a damaged session file whole."""

        def mend() -> None:
            from emolab.recording import apart
            from emolab.recording.recover import text

            with self._one_at_a_time:
                tell(self.recovered, f"● {text(apart.run('recover', path))}")

        self._run(mend)

    def mend(self, study: Path) -> None:
        """Make every session of a study whole that broke off; no engine may run on it."""

        def mend_all() -> None:
            from emolab.session import mend

            done: list[mend.Mended] = []
            with self._one_at_a_time:
                if count := len(mend.cut_off(study)):
                    tell(self.mending, study, count)
                    try:
                        done = mend.mend(study)
                    finally:  # the page must not say for ever that it is being done
                        tell(self.mended, study, done)

        self._run(mend_all)

    def _run(self, work: Callable[[], Any]) -> None:
        def guarded() -> None:
            try:
                work()
            except (EmolabError, OSError) as error:
                tell(self.failed, str(error))

        threading.Thread(target=guarded, name="chore", daemon=True).start()


def is_simulated(devices: Path) -> bool:
    """Whether a devices file names no real instrument. Raises `ConfigError` when it cannot be read."""
    from emolab.devices import config

    return config.is_simulated(config.load(devices))


def demo_study() -> tuple[Path, Path]:
    """The folder and devices file of the demo, made when they are not there."""
    from emolab.devices.simulated import demo_device_file

    study = Path(platformdirs.user_data_dir("emolab")) / "demo"
    study.mkdir(parents=True, exist_ok=True)
    devices = study / "devices.toml"
    devices.write_text(demo_device_file(), encoding="utf-8")
    return study, devices


def open_review(recording: Path) -> None:
    """The analyst's window in a process of its own: it can neither disturb a session nor end with it."""
    _start("review", recording)


def open_analysis(place: Path) -> None:
    """The figures and tests of a study, or of one recording, in a process of their own."""
    _start("analyse", place, "--window")


def _start(*words: object) -> None:
    program, *told = emolab(*words)
    QProcess.startDetached(program, told)


def open_folder(path: Path) -> None:
    """Show a folder in the desktop's own file window."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
