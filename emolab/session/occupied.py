"""Whether a participant is being recorded at this moment, here or on another computer."""

from __future__ import annotations

import platform
from pathlib import Path

from emolab.core.errors import EmolabError
from emolab.recording.recover import was_cut_off
from emolab.session import client
from emolab.session.link import read_address
from emolab.study.sessions import sessions

OVER = ("setup", "finished", "failed")


def why_not(study: Path, participant: str) -> str:
    """Why nothing of this participant may be touched now, in one sentence; empty when it may."""
    address = read_address(study)
    if address is None:
        return ""
    if address.host and address.host != platform.node():
        open_now = [
            path
            for who, _, path in sessions(study)
            if who.casefold() == participant.casefold() and was_cut_off(path)
        ]
        if open_now:
            return (
                f"{open_now[0].name} was not closed, and may be recording on the computer {address.host!r}; "
                f"if it is not, run 'emolab recover {open_now[0]}'."
            )
        return ""
    if client.find_engine(study) is None:
        return ""
    try:
        engine = client.attach(study)
        try:
            now = engine.snapshot()
        finally:
            engine.close()
    except EmolabError:  # it has just gone
        return ""
    except (OSError, ValueError):
        return f"An engine (process {address.pid}) runs on {study} and does not say whom it records."
    if now.phase not in OVER and now.participant.casefold() == participant.casefold():
        return f"Session {now.session} of {participant} is being recorded."
    return ""
