"""What is known about a session before its first sample."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import emolab

_LIBRARIES = ("numpy", "h5py", "av", "opencv-python-headless", "pyserial", "sounddevice")


def software() -> dict[str, str]:
    """Versions of emolab, Python, the system and the libraries that touch the data."""
    versions = {
        "emolab": emolab.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return versions


def commit() -> str:
    """The git commit of the checkout emolab runs from; empty when it was installed from a wheel."""
    git = Path(emolab.__file__).resolve().parent.parent / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        reference = git / head.removeprefix("ref: ")
        if reference.is_file():
            return reference.read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(head.removeprefix("ref: "))), "")
    except OSError:
        return ""


@dataclass(frozen=True)
class SessionHeader:
    """Facts written once, before the recording starts.

    `participant`: the pseudonym, never a name. `protocol_text`, `devices_text`: the files used,
    verbatim. `started_utc`: wall-clock time of the file's time zero. `speed`: 1 for real time.
    `order_rule`: by which rule of `protocol.order` the clips were ordered; 1 where the file does not say.
    """

    participant: str
    session: int = 1
    seed: int = 0
    language: str = "en"
    study: str = ""
    protocol: str = ""
    protocol_text: str = ""
    devices_text: str = ""
    started_utc: datetime = field(default_factory=lambda: datetime.now(UTC))
    speed: float = 1.0
    software: Mapping[str, str] = field(default_factory=software)
    commit: str = field(default_factory=commit)
    order_rule: int = 1
