"""The clips of a session on this machine: found, rendered on first use, and never played damaged."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import platformdirs
import psutil

from emolab.core import shipped
from emolab.core.program import emolab
from emolab.core.settings import Settings
from emolab.protocol.bank import Bank, ClipEntry, read_manifest

log = logging.getLogger(__name__)
_COUNTED = re.compile(r" *(\d+) of (\d+) ")  # a line of `emolab stimuli render`


def render_folder(settings: Settings) -> Path:
    """Where the default bank is rendered to: `EMOLAB_STIMULI`, or the user's data folder."""
    return settings.stimuli or Path(platformdirs.user_data_dir("emolab")) / "stimuli"


def own_bank(settings: Settings) -> Path:
    """The manifest of the laboratory's own clips, beside the rendered ones; it may not be there yet."""
    return render_folder(settings) / "own" / "manifest.csv"


def clip_path(bank: Bank, clip: str, settings: Settings) -> Path:
    """Where a clip's file lies: beside its manifest, or in the render folder for composed clips.

    A composed one is of the file and sound that the shipped manifest lists under its id: a laboratory's
    own piece that is called so, and whose file is not there, is missing.
    """
    entry = bank.entry(clip)
    beside = bank.path.parent / entry.file
    if beside.is_file() or not _is_composed(entry):
        return beside
    return render_folder(settings) / entry.file


def missing(bank: Bank, clips: Iterable[str], settings: Settings) -> list[str]:
    """Those of `clips` that have no file yet but can be composed here."""
    composed = (clip for clip in clips if _is_composed(bank.entry(clip)))
    return [clip for clip in composed if not clip_path(bank, clip, settings).is_file()]


def render(clips: Iterable[str], settings: Settings, progress: Callable[[str], None]) -> None:
    """Compose and write the clips; `progress` gets each clip's id when it lies there whole."""
    from emolab.composer import bank as composer_bank  # loads SciPy's filters

    for clip in clips:
        composer_bank.render_clip(clip, render_folder(settings))
        progress(clip)


class Rendering:
    """Composes, in the background, the shipped clips that this machine has not got yet.

    By a process of its own, which gives way to everything else: a minute's arithmetic in the engine's would
    hold up its instruments and its windows.
    """

    def __init__(self, settings: Settings) -> None:
        self.progress = ""  # a sentence while it works, or why it stopped
        self._settings = settings
        self._stopping = threading.Event()
        self._composer: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._work, name="composer", daemon=True)

    @property
    def is_busy(self) -> bool:
        """Whether clips are still being composed."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Leave off; a clip that was begun is not there. Idempotent."""
        self._stopping.set()
        if self._composer is not None:
            self._composer.terminate()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        bank = read_manifest(shipped.folder("stimuli") / "manifest.csv")
        clips = missing(bank, [entry.id for entry in bank.entries], self._settings)
        if not clips or self._stopping.is_set():
            return
        self._tell(0, len(clips))
        try:
            with subprocess.Popen(
                emolab("stimuli", "render", "--out", render_folder(self._settings)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
            ) as self._composer:
                _give_way(self._composer.pid)
                if self._stopping.is_set():  # in the moment before
                    self._composer.terminate()
                said = self._listen(self._composer.stdout or ())
            is_done = self._composer.returncode == 0 or self._stopping.is_set()
        except OSError as error:
            is_done, said = False, str(error)
        self.progress = "" if is_done else f"The clips could not be composed: {said.removeprefix('emolab: ')}"
        if not is_done:
            log.error(self.progress)

    def _listen(self, lines: Iterable[str]) -> str:
        """Tell how far the composer is; its last line."""
        last = ""
        for line in lines:
            last = line.strip() or last
            if counted := _COUNTED.match(line):
                self._tell(int(counted[1]), int(counted[2]))
        return last

    def _tell(self, done: int, count: int) -> None:
        self.progress = f"Composing the clips, once: {done} of {count} are ready"


def _give_way(pid: int) -> None:
    """Let a process work when nobody else has anything to do."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else 10)


def _is_composed(entry: ClipEntry) -> bool:
    return _shipped().get(entry.id) == (entry.file, entry.sha256)


@cache
def _shipped() -> Mapping[str, tuple[str, str]]:
    bank = read_manifest(shipped.folder("stimuli") / "manifest.csv")
    return {entry.id: (entry.file, entry.sha256) for entry in bank.entries}
