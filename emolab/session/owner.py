"""Whose study it is when the engine that its `engine.json` names does not answer.

One that was killed is no obstacle. One that is alive but mute for the moment, because the computer
swaps or somebody has stopped it, may be recording; so may one on another computer, which answers
nobody here. Two engines on one study would both take its next session.
"""

from __future__ import annotations

import platform
from pathlib import Path

import psutil

from emolab.session.address import EngineAddress
from emolab.study.sessions import sessions

# by the drive's clock and ours: a process this much younger than the file is another with the same number
SKEW_S = 60.0


def is_elsewhere(address: EngineAddress) -> bool:
    """Whether the engine runs, or ran, on another computer."""
    return bool(address.host) and address.host != platform.node()


def open_elsewhere(study: Path, address: EngineAddress, participant: str = "") -> str:
    """Which session another computer may be recording, and the remedy; empty for none.

    `participant`: look at the recordings of this one only.
    """
    if not is_elsewhere(address):
        return ""
    from emolab.recording.recover import was_cut_off  # with h5py, which a window starts without

    for who, _, path in sessions(study):
        if (not participant or who.casefold() == participant.casefold()) and was_cut_off(path):
            return (
                f"{path.name} was not closed, and may be recording on the computer {address.host!r}; "
                f"if it is not, run 'emolab recover {path}'"
            )
    return ""


def is_running(address: EngineAddress, path: Path) -> bool:
    """Whether the process that wrote the address file `path` still lives on this computer, mute as it is."""
    if is_elsewhere(address):
        return False
    try:
        process = psutil.Process(address.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.create_time() <= path.stat().st_mtime + SKEW_S
    except (psutil.NoSuchProcess, ValueError, OverflowError):  # or no number of a process
        return False
    except (psutil.AccessDenied, OSError):
        return True
