"""Everything that can be known before a session starts, checked before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emolab.core import shipped
from emolab.core.errors import ConfigError, EmolabError
from emolab.core.settings import Settings
from emolab.devices.addresses import without_passwords
from emolab.protocol.bank import Bank, read_manifest
from emolab.protocol.load import load
from emolab.protocol.marked import says_the_same
from emolab.protocol.order import RULE
from emolab.protocol.plan import participant_number
from emolab.protocol.session_plan import SessionPlan, resolve_clip_paths, rest_of, session_plan
from emolab.protocol.steps import Study
from emolab.protocol.texts import Texts
from emolab.recording.header import SessionHeader
from emolab.recording.reader import Session
from emolab.session import folder, resume, stimuli
from emolab.study import consent, participants, rehearsed

ANSWERS = ("window", "simulated", "none")
MOST_SESSIONS = 1000
NEVERTHELESS = "Or start nevertheless, with a reason that is kept in the file."  # a refusal ends so
LARGEST_SEED = 2**63 - 1  # what the file's header holds


@dataclass(frozen=True)
class StartRequest:
    """What the experimenter asked for. `answers`: who reports: `window`, `simulated` or `none`.

    `override`: why the session is to be recorded although something is red; empty when it is not.
    `resume`: go on with this session, which broke off, where it stopped.
    """

    protocol: str
    participant: str
    session: int = 0
    seed: int = 0
    language: str = ""
    answers: str = "window"
    override: str = ""
    resume: bool = False

    @classmethod
    def from_command(cls, command: Mapping[str, Any]) -> StartRequest:
        """The request in a window's `start` command. Raises `ConfigError` when it lacks something."""
        try:
            return cls(
                str(command["protocol"]),
                str(command["participant"]),
                int(command.get("session", 0)),
                int(command.get("seed", 0)),
                str(command.get("language", "")),
                str(command.get("answers", "window")),
                str(command.get("override") or ""),
                bool(command.get("resume")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"the start command lacks or garbles {error}; fill in the set-up page"
            ) from error


@dataclass(frozen=True)
class Prepared:
    """A session that can start: `path` does not exist yet, every clip's file does.

    `consent`: which version of the consent page is shown; it is in `texts`.
    """

    request: StartRequest
    study: Study
    texts: Texts
    plan: SessionPlan
    path: Path
    consent: consent.Version
    resumes: Mapping[str, Any] = field(default_factory=dict)  # of a session that broke off: its facts

    def header(self, study: str, devices_text: str, speed: float) -> SessionHeader:
        """What the file says of the session before its first sample; no password of a camera is in it."""
        return SessionHeader(
            participant=self.request.participant,
            session=self.request.session,
            seed=self.plan.seed,
            language=self.texts.language,
            study=study,
            protocol=self.study.name,
            protocol_text=self.study.source_text,
            devices_text=without_passwords(devices_text),
            speed=speed,
            order_rule=self.plan.order_rule,
        )

    def facts(self) -> dict[str, Any]:
        """What its `session_started` event tells."""
        return {
            "participant": self.request.participant,
            "participant_number": self.plan.participant,
            "session": self.request.session,
            "protocol": self.study.name,
            "seed": self.plan.seed,
            "planned": self.plan.planned,
            "guaranteed": self.plan.guaranteed,
            "trials": [{"clip": clip.id, "state": clip.state} for clip in self.plan.trials],
            "answers": self.request.answers,
            "consent": self.consent.facts(),
            "resumes": dict(self.resumes),
        }


def lay_out(request: StartRequest, study_folder: Path | None = None) -> tuple[Study, Bank, SessionPlan]:
    """The plan of the session asked for, without its clips. Raises `ConfigError`.

    Without a study the participant's number is the one in the pseudonym. Whoever has a recording in the
    study keeps its seed and its rule of `protocol.order`, whichever is asked for, and hears no clip again
    as long as there is another; a session that is resumed keeps its clips.
    """
    study = load(shipped.protocol(request.protocol))
    bank = read_manifest(study.bank_path)
    who = request.participant
    if study_folder is None:
        number = participant_number(who)
        return study, bank, session_plan(study, bank, number, request.session, request.seed)
    number = participants.number_of(study_folder, who)
    first = _first_header(study_folder, who, request.session)
    rule, seed = (first.order_rule, first.seed) if first else (RULE, request.seed)
    trials: tuple[tuple[str, str], ...] = ()
    if request.resume:
        broken = resume.broken(study_folder, who, request.session)
        seed, trials = broken.seed, broken.trials
    heard = _heard(study_folder, who, request.session)
    plan = session_plan(study, bank, number, request.session, seed, rule, heard=heard, begun_with=trials)
    if seed != request.seed:
        kept = f"The seed is {seed}, with which this participant began, not {request.seed}."
        plan = replace(plan, arithmetic=f"{plan.arithmetic}\n{kept}")
    return study, bank, plan


def _first_header(study_folder: Path, participant: str, session_number: int) -> SessionHeader | None:
    """How a session is laid out: its own recording's header tells, or that of the participant's first."""
    found = _recordings(study_folder, participant)
    for _, _, path in sorted((number != session_number, number, path) for number, path in found):
        try:
            with Session.open(path) as session:
                if session.header.protocol_text:  # what was imported was laid out by nobody here
                    return session.header
        except (EmolabError, OSError):
            continue
    return None


def _heard(study_folder: Path, participant: str, session_number: int) -> set[str]:
    """The clips that the participant's other sessions have begun, as far as their files can be read."""
    clips: set[str] = set()
    for number, path in _recordings(study_folder, participant):
        if number != session_number:
            with suppress(EmolabError, OSError), Session.open(path) as session:
                clips.update(resume.heard(session.sound_events()[0]))
    return clips


def _recordings(study_folder: Path, participant: str) -> list[tuple[int, Path]]:
    found = ((folder.named(path), path) for path in (study_folder / participant).glob("*_session-*.h5"))
    return [(name[1], path) for name, path in found if name is not None]


def check(request: StartRequest, study_folder: Path) -> tuple[Study, Bank, SessionPlan, Path]:
    """A request that could start if its clips were there: protocol, bank, plan and the file's path.

    Raises `ConfigError` when the pseudonym cannot be one, is of somebody who withdrew, or has this session
    already, the protocol cannot be laid out, a number is out of range, there is no such language, the
    consent text is not the one that was kept, or somebody real would be recorded in a rehearsal.
    """
    if study_folder.exists() and not study_folder.is_dir():
        raise ConfigError(
            f"the study folder {study_folder} cannot be written (it is a file); choose another folder"
        )
    participants.check_open(study_folder, request.participant)
    if request.answers != "simulated":
        rehearsed.refuse(study_folder)
    if request.answers not in ANSWERS:
        raise ConfigError(f"answers {request.answers!r} is none of {', '.join(ANSWERS)}")
    if not 0 <= request.session < MOST_SESSIONS:
        raise ConfigError(
            f"session {request.session} is none; count from 0, the first, to {MOST_SESSIONS - 1}"
        )
    if not 0 <= request.seed <= LARGEST_SEED:
        raise ConfigError(f"seed {request.seed} is none; take a whole number from 0 to {LARGEST_SEED}")
    if request.resume:
        broken = resume.broken(study_folder, request.participant, request.session)
        return _what_is_left(request, study_folder, broken)
    path = folder.check_unused(study_folder, request.participant, request.session)
    study, bank, plan = lay_out(request, study_folder)
    texts = study.text(request.language or None)
    consent.shown(study_folder, texts.language, texts.consent)
    return study, bank, plan, path


def _what_is_left(
    request: StartRequest, study_folder: Path, broken: resume.Broken
) -> tuple[Study, Bank, SessionPlan, Path]:
    study, bank, plan = lay_out(request, study_folder)
    if not says_the_same(study.source_text, broken.protocol_text):
        raise ConfigError(
            f"{study.path} is not the protocol that {broken.paths[0].name} was begun with; "
            "resume it with that very file (a copy is inside the recording)"
        )
    study.text(request.language or broken.language)
    plan = rest_of(
        plan,
        broken.begun,
        broken.elapsed_s,
        is_rested=broken.is_rested,
        has_baseline=broken.has_baseline,
    )
    return study, bank, plan, broken.next_path


def prepare(request: StartRequest, study_folder: Path, settings: Settings) -> Prepared:
    """A session that can start; its consent text is kept in the study, if that has not got it yet.

    Raises `ConfigError` as `check` does, or when a clip is missing.
    """
    study, bank, plan, path = check(request, study_folder)
    resumes: dict[str, Any] = {}
    if request.resume:
        broken = resume.broken(study_folder, request.participant, request.session)
        resumes = broken.facts()
        request = replace(request, language=request.language or broken.language)
    request = replace(request, seed=plan.seed)
    plan = resolve_clip_paths(plan, bank, lambda entry: stimuli.clip_path(bank, entry.id, settings))
    texts = study.text(request.language or None)
    page, version = consent.keep_shown(study_folder, texts.language, texts.consent)
    return Prepared(request, study, replace(texts, consent=page), plan, path, version, resumes)
