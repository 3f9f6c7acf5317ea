"""Whether a participant is being recorded at this moment, here or on another computer."""

from __future__ import annotations

from pathlib import Path

from emolab.core.errors import EmolabError
from emolab.session import client, owner
from emolab.session.address import read_address
from emolab.session.link import why_taken

OVER = ("setup", "finished", "failed")
_MUTE = "An engine (process {pid}) runs on {study} and does not say whom it records."


def why_not(study: Path, participant: str) -> str:
    """Why nothing of this participant may be touched now, in one sentence; empty when it may."""
    address = read_address(study)
    if address is None:
        return ""
    if owner.is_elsewhere(address):
        why = owner.open_elsewhere(study, address, participant)
        return f"{why}." if why else ""
    if client.find_engine(study) is None:
        return _MUTE.format(pid=address.pid, study=study) if why_taken(study, address) else ""
    try:
        engine = client.attach(study)
        try:
            now = engine.snapshot()
        finally:
            engine.close()
    except EmolabError:  # it has just gone
        return ""
    except (OSError, ValueError):
        return _MUTE.format(pid=address.pid, study=study)
    if now.phase not in OVER and now.participant.casefold() == participant.casefold():
        return f"Session {now.session} of {participant} is being recorded."
    return ""
