"""Whether a participant is being recorded at this moment, here or on another computer."""

from __future__ import annotations

from pathlib import Path

from emolab.core.errors import EmolabError
from emolab.session import client, owner
from emolab.session.address import read_address
from emolab.session.link import why_taken

OVER = ("setup", "finished", "failed")
PATIENCE_S = 5.0  # one that takes longer may be recording whoever is asked for
_MUTE = "An engine (process {pid}) runs on {study} and does not say whom it records."


def why_not(study: Path, participant: str, session: int | None = None) -> str:
    """Why nothing of this participant, or of this session, may be touched now; empty when it may."""
    address = read_address(study)
    if address is None:
        return ""
    if owner.is_elsewhere(address):
        why = owner.open_elsewhere(study, address, participant)
        return f"{why}." if why else ""
    try:
        engine = client.EngineClient(address, PATIENCE_S)
        try:
            now = engine.snapshot()
        finally:
            engine.close()
    except (EmolabError, OSError, ValueError):  # it has gone, or is too busy to answer
        return _MUTE.format(pid=address.pid, study=study) if why_taken(study, address) else ""
    is_meant = now.participant.casefold() == participant.casefold() and session in (None, now.session)
    if now.phase not in OVER and is_meant:
        return f"Session {now.session} of {participant} is being recorded."
    return ""
