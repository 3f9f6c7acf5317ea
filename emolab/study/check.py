"""Is a study in order? One finding a line: what, whom it is about, and what to do.

damaged      a session file cannot be read as a whole, or what it holds falls short
open         a session file was not closed
consent      a session without consent, or with one whose text is not in the study as it was kept
unlisted     a recording of somebody who is not in the list of participants, or named after nobody
begun        a withdrawal that was not finished
returned     something of somebody who withdrew is here (again): a copy, a backup put back
residue      a file that still names somebody who withdrew
unseen       a file or folder that may name somebody who withdrew: it could not be looked into
copy         a recording that is a copy of another: an analysis counts it once, an export does not
rival        one of several recordings that say they are the same session of the same participant
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError, RecordingError
from emolab.recording import apart
from emolab.recording.copies import PART, Identity, copies, identity, rivals
from emolab.recording.recover import was_cut_off
from emolab.study import consent, participants, remains, residue, tombstone
from emolab.study.sessions import misnamed, sessions


@dataclass(frozen=True)
class Finding:
    """One thing that is not in order."""

    kind: str
    participant: str
    where: Path
    what: str
    remedy: str


def check(study: Path, on_file: Callable[[Path], None] = lambda path: None) -> list[Finding]:
    """Everything that is not in order; `on_file` is told of each recording before it is read."""
    texts, found = _texts(study)
    everyone = participants.everyone(study)
    listed = {one.id.casefold() for one in everyone if one.utc}
    gone = {one.id.casefold(): one.id for one in everyone if one.withdrawn_utc}
    known: list[tuple[str, Path, Identity]] = []
    for who, _, path in sessions(study):
        if who.casefold() in gone:
            continue
        on_file(path)
        report, own = _of_recording(who, path, texts)
        found += own
        if report is not None:
            told = identity(report["participant"], report["session"], report["started_utc"])
            known.append((who, path, told))
        if who.casefold() not in listed and (study / "participants.jsonl").exists():
            remedy = f"if it is no copy that strayed here: emolab study add {study} --id {who}"
            found.append(Finding("unlisted", who, path, "is of nobody in the list of participants", remedy))
    for path in misnamed(study):
        remedy = "name it after its participant, P014_session-0.h5 say: it is in no list and no export"
        found.append(Finding("unlisted", "", path, "is named after what cannot be a pseudonym", remedy))
    found += _of_copies(known)
    unseen: dict[Path, list[str]] = {}
    for who in gone.values():
        found += _of_withdrawn(study, who, unseen)
    for where, whom in unseen.items():
        what = f"could not be looked into, and may name {', '.join(whom)}"
        remedy = "look into it by hand; keep archives, documents and links outside the study"
        found.append(Finding("unseen", "", where, what, remedy))
    return found


def _texts(study: Path) -> tuple[set[str], list[Finding]]:
    """Hashes of the consent texts that are as they were kept, and a finding for each that is not."""
    sound: set[str] = set()
    found = []
    for version in consent.versions(study):
        try:
            consent.page(study, version)
            sound.add(version.sha256)
        except ConfigError as error:
            where = consent.folder_of(study) / version.file
            found.append(Finding("consent", "", where, str(error), "put the file back as it was"))
    return sound, found


def _of_copies(known: list[tuple[str, Path, Identity]]) -> list[Finding]:
    """Of those that could be read: what is there twice, and what claims another's place."""
    twice = copies([(path, [told]) for _, path, told in known])
    single = [(path, [told]) for _, path, told in known if path not in twice]
    # a later part is in the same session as its first, and is no rival of it
    others = rivals([one for one in single if PART not in one[0].stem])
    found = []
    for who, path, _ in known:
        if path in twice:
            remedy = "keep copies outside the study: whoever withdraws must be found in all of them"
            found.append(Finding("copy", who, path, f"is a copy of {twice[path]}", remedy))
        for other in others.get(path, ()):
            what = f"says it is the same session of the same participant as {other}"
            remedy = "look which of them it is, and take the other out of the study"
            found.append(Finding("rival", who, path, what, remedy))
    return found


def _of_recording(who: str, path: Path, texts: set[str]) -> tuple[dict[str, Any] | None, list[Finding]]:
    """What `inspect` tells of it, None where it cannot be read or is open, and what is not in order."""
    if was_cut_off(path):
        remedy = f"if nothing is being recorded: emolab recover {path}"
        return None, [Finding("open", who, path, "was not closed", remedy)]
    try:
        report = apart.run("inspect", path)
    except (RecordingError, OSError) as error:
        return None, [Finding("damaged", who, path, str(error), f"emolab recover {path}")]
    found = []
    if report["verdict"] == "bad":
        found.append(Finding("damaged", who, path, " ".join(report["reasons"]), f"emolab inspect {path}"))
    return report, found + _of_consent(who, path, report, texts)


def _of_consent(who: str, path: Path, report: dict[str, Any], texts: set[str]) -> list[Finding]:
    told = report["consent"]
    if told is None and "_part-" in path.stem:
        return []  # it was given in the first part
    if told is None or told["given_s"] is None:
        what = "holds no consent: none was asked for, or it was not agreed to"
        return [Finding("consent", who, path, what, "see whether it was given on paper, or withdraw them")]
    if not told["sha256"]:
        what = "does not tell which text was agreed to; it was recorded with an older emolab"
        return [Finding("consent", who, path, what, "keep a note of the text that was used then")]
    if told["sha256"] not in texts:
        what = f"was agreed to a text that is not in the study ({told['sha256'][:12]}…)"
        return [Finding("consent", who, path, what, "bring the file from where it was recorded")]
    return []


def _of_withdrawn(study: Path, who: str, unseen: dict[Path, list[str]]) -> list[Finding]:
    """What is not in order with a withdrawal; adds to `unseen` what may name them, and whom."""
    again = f"emolab study withdraw {study} {who}"
    others = [one.id for one in participants.everyone(study) if one.id != who]
    stone = tombstone.read(study, who)
    if stone is None or stone.state != "done":
        where = tombstone.path_of(study, who)
        return [Finding("begun", who, where, "the withdrawal was not finished", again)]
    back = remains.find(study, who, others)
    found = [
        Finding("returned", who, path, "is of somebody who withdrew", again)
        for paths in back.files.values()
        for path in paths
    ]
    found += [
        Finding("returned", who, path, f"is of somebody who withdrew, and cannot be read ({why})", again)
        for path, why in back.shut
    ]
    told = {one.where for one in found}

    def is_new(path: Path) -> bool:
        return path not in told and not any(path.is_relative_to(folder) for folder in back.folders)

    seen = residue.look(study, who, others)
    found += [
        Finding("residue", who, path, "names somebody who withdrew", "look at it, and take them out")
        for path in filter(is_new, seen.found)
    ]
    for path in filter(is_new, seen.unseen):
        unseen.setdefault(path, []).append(who)
    return found
