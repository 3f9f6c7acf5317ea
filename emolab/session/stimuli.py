"""The clips of a session on this machine: found, rendered on first use, and never played damaged."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import platformdirs

from emolab.core import shipped
from emolab.core.errors import EmolabError
from emolab.core.settings import Settings
from emolab.protocol.bank import Bank, ClipEntry, read_manifest

log = logging.getLogger(__name__)


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
    """Composes, in the background, the shipped clips that this machine has not got yet."""

    def __init__(self, settings: Settings) -> None:
        self.progress = ""  # a sentence while it works, or why it stopped
        self._settings = settings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="composer", daemon=True)

    @property
    def is_busy(self) -> bool:
        """Whether clips are still being composed."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Leave off after the clip in hand, and wait for that: a second or two. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        bank = read_manifest(shipped.folder("stimuli") / "manifest.csv")
        clips = missing(bank, [entry.id for entry in bank.entries], self._settings)
        try:
            for done, clip in enumerate(clips):
                if self._stopping.is_set():
                    break
                self.progress = f"Composing the clips, once: {done} of {len(clips)} are ready"
                render([clip], self._settings, lambda _: None)
            self.progress = ""
        except (EmolabError, OSError) as error:
            log.exception("clips could not be composed")
            self.progress = f"The clips could not be written to {render_folder(self._settings)}: {error}"


def _is_composed(entry: ClipEntry) -> bool:
    return _shipped().get(entry.id) == (entry.file, entry.sha256)


@cache
def _shipped() -> Mapping[str, tuple[str, str]]:
    bank = read_manifest(shipped.folder("stimuli") / "manifest.csv")
    return {entry.id: (entry.file, entry.sha256) for entry in bank.entries}
