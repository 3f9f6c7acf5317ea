"""Whether a session may start, as plain rules over plain values: what is in the way, and the remedy.

Each blocker is one sentence the experimenter can act on. The set-up page shows the nearest one
beside the disabled Start button and marks the field it belongs to. What is red but can be recorded
with a reason (`can_override`) does not disable Start: it asks for the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from emolab.core.errors import ConfigError
from emolab.session.folder import check_pseudonym
from emolab.session.snapshot import CheckView, Level, Snapshot, StreamHealth

NEEDED_BYTES = 2_000_000_000  # twenty minutes of 1280×720 video at 1.5 MB/s, and room to spare

Field = Literal["participant", "protocol", "engine", "instruments", "preflight", "disk"]
Used = Collection[tuple[str, int]]  # (pseudonym, session) of each recording in the study
Withdrawn = Mapping[str, str]  # who withdrew from the study, and when (UTC)


@dataclass(frozen=True)
class Form:
    """What the experimenter has entered. `protocol`: path of its file, empty before one is chosen.

    `answers`: who reports, `window` (the participant) or `simulated`. `resume`: go on with this very
    session, which broke off.
    """

    participant: str = ""
    session: int = 0
    seed: int = 0
    language: str = "en"
    protocol: str = ""
    answers: str = "window"
    resume: bool = False


@dataclass(frozen=True)
class Blocker:
    """One thing in the way of Start: where it is mended, the sentence that says how, and its light.

    Only what is broken is red (`act`); what is merely still to come is `look`. `can_override`: the
    engine records nevertheless when it is given a reason.
    """

    field: Field
    message: str
    level: Level = "look"
    can_override: bool = False


def pseudonym_error(text: str) -> str:
    """Why `text` cannot be a pseudonym, in one sentence; empty when it can."""
    if not text:
        return "Enter a pseudonym, such as P014."
    try:
        check_pseudonym(text)
    except ConfigError:
        return "Use letters, digits and hyphens with a number in it, such as P014; never a name."
    return ""


def used_error(participant: str, session: int, used: Used) -> str:
    """Why this pseudonym and session number are taken, with the remedy; empty when they are free."""
    # P014 and p014 are the same folder on Windows and macOS
    taken = {number for name, number in used if name.casefold() == participant.casefold()}
    if session not in taken:
        return ""
    free = next(number for number in range(len(taken) + 1) if number not in taken)
    return f"{participant} has a session {session} in this study. Take session {free}, or another pseudonym."


def withdrawn_error(participant: str, withdrawn: Withdrawn) -> str:
    """Why nobody may be recorded under this pseudonym any more; empty when somebody may."""
    for name, utc in withdrawn.items():
        if name.casefold() == participant.casefold():
            return f"{name} withdrew on {utc[:10]}. A pseudonym is never used again; take another."
    return ""


def blockers(
    form: Form, plan_error: str, used: Used, snapshot: Snapshot | None, withdrawn: Withdrawn | None = None
) -> list[Blocker]:
    """All that stands between now and Start, in the order of the page.

    `plan_error`: why the protocol cannot be planned for this participant, empty when it can.
    `snapshot`: None while no engine runs.
    """
    found: list[Blocker] = []
    message = pseudonym_error(form.participant) or withdrawn_error(form.participant, withdrawn or {})
    if not message and not form.resume:
        message = used_error(form.participant, form.session, used)
    if message:
        found.append(Blocker("participant", message, "act" if form.participant else "look"))
    if not form.protocol:
        found.append(Blocker("protocol", "Choose a protocol."))
    elif plan_error:
        found.append(Blocker("protocol", plan_error, "act"))
    if snapshot is None:
        found.append(Blocker("engine", "No instruments yet: choose a devices file, or propose one."))
        return found
    if snapshot.message:  # clips still being composed, no sound output: the engine would refuse
        found.append(Blocker("engine", snapshot.message))
    if snapshot.preflight_progress is not None:
        found.append(Blocker("preflight", "Everything is being checked; a few seconds more."))
    return found + _instrument_blockers(snapshot) + _preflight_blockers(snapshot)


def reds(snapshot: Snapshot) -> list[CheckView]:
    """What is red now: the lights, and what the last pre-flight left red of streams still in."""
    lights = [
        CheckView(stream.name, "act", stream.message or f"{stream.name} does not deliver.", "", stream.name)
        for stream in snapshot.streams
        if stream.level == "act"
    ]
    told = {light.name for light in lights} | {s.name for s in snapshot.streams if s.is_left_out}
    return lights + [c for c in snapshot.preflight if c.level == "act" and c.stream not in told]


def sentence(check: CheckView) -> str:
    """What a check found and what to do, as sentences."""
    what = check.what[:1].upper() + check.what[1:].rstrip(".")
    return f"{what}. {check.remedy}".strip()


def check_blocker(form: Form, plan_error: str, snapshot: Snapshot | None) -> str:
    """Why the pre-flight cannot run now, in one sentence; empty when it can."""
    if snapshot is None or not snapshot.streams:
        return "There are no instruments to look at yet."
    if snapshot.preflight_progress is not None:
        return "Everything is being checked; a few seconds more."
    if not form.protocol or plan_error:
        return plan_error or "Choose a protocol first: its length and clips are checked too."
    return pseudonym_error(form.participant)


def _instrument_blockers(snapshot: Snapshot) -> list[Blocker]:
    if not snapshot.streams:
        return [Blocker("instruments", "The instruments are being connected.")]
    found = [
        Blocker("instruments", stream.message or f"{stream.name} does not deliver.", "act", _has_come(stream))
        for stream in snapshot.streams
        if stream.level == "act"
    ]
    waiting = [
        stream.name
        for stream in snapshot.streams
        if stream.level != "act" and not stream.is_left_out and not _has_come(stream)
    ]
    if waiting:
        found.append(Blocker("instruments", f"Waiting for the first samples of {', '.join(waiting)}."))
    if 0 < snapshot.free_bytes < NEEDED_BYTES:
        free_gb = snapshot.free_bytes / 1e9
        found.append(
            Blocker("disk", f"Only {free_gb:.1f} GB are free on this disk; make room for 2 GB.", "act")
        )
    return found


def _preflight_blockers(snapshot: Snapshot) -> list[Blocker]:
    lights = {stream.name for stream in snapshot.streams if stream.level == "act"}
    return [
        Blocker("preflight", sentence(check), "act", True)
        for check in reds(snapshot)
        if check.stream not in lights
    ]


def _has_come(stream: StreamHealth) -> bool:
    return stream.age_s is not None or stream.may_be_silent
