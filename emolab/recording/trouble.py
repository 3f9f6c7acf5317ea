"""What can be wrong with the disk while a session is recorded, each in a sentence with what to do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from emolab.core.errors import RecordingError

SLOW_S = 3.0  # a disk that takes so long is told of
RISK_S = 1.0  # more than this a power cut should not cost


@dataclass(frozen=True)
class Trouble:
    """What is wrong with the disk, in a sentence. `is_grave`: the session file itself is at stake."""

    kind: str
    text: str
    is_grave: bool


def adrift(path: Path, kept: Path, why: Exception) -> Trouble:
    """The session file was given up; the recording goes on in the journal `kept`."""
    text = (
        f"The recording goes on, on this computer: let the session run. {path.name} can no longer be written "
        f"({reason(why)}); bring its drive back before the end if you can. Until then all of it is in {kept}."
    )
    return Trouble("adrift", text, True)


def stuck(path: Path, kept: Path) -> Trouble:
    """A write takes longer than `SLOW_S`."""
    text = (
        f"The disk of {path.name} does not answer; look for the drive or its network. "
        f"What comes is safe in {kept}."
    )
    return Trouble("stuck", text, True)


def slow(kept: Path) -> Trouble:
    """What the journal holds has waited longer than `RISK_S` to be on the disk."""
    return Trouble(
        "slow", f"The disk of {kept} is slow: a power cut now would cost more than a second.", False
    )


def no_journal(error: OSError) -> Trouble:
    """Nothing is kept twice."""
    text = (
        f"There is no journal ({error.strerror or error}): a power cut, or a drive that goes, could cost "
        "the whole recording. Go on, and make room on the disk before the next one."
    )
    return Trouble("no journal", text, False)


def both_lost(path: Path, why: Exception, kept: Path, error: OSError) -> RecordingError:
    """Neither the session file nor its journal can be written any more: the recording ends."""
    return RecordingError(
        f"{path} can no longer be written ({reason(why)}), nor can {kept} ({error.strerror or error}); "
        "what was recorded until now is kept: free some space, "
        f"run 'emolab recover {path}', then go on with the session"
    )


def reason(error: Exception) -> str:
    """What the system says of an error, in a few words."""
    number = getattr(error.__cause__, "errno", None)
    return os.strerror(number) if number else str(error)
