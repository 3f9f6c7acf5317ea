"""The plan of one session as the set-up page shows it, and the protocols there are to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emolab.core import shipped
from emolab.core.errors import EmolabError
from emolab.protocol.steps import Study
from emolab.session import folder as folders
from emolab.session import prepare, resume
from emolab.study import consent


@dataclass(frozen=True)
class PlanView:
    """What fits, why, and in which languages. `error`: why there is no plan; the rest is then empty.

    `consent`: which text the participant will see, in words.
    """

    title: str = ""
    planned: int = 0
    guaranteed: int = 0
    cap_s: float = 0.0
    arithmetic: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    language: str = "en"
    error: str = ""
    consent: str = ""


def shipped_protocols() -> list[Path]:
    """The protocol files that come with emolab, the paper's first."""
    return sorted(
        shipped.folder("protocols").glob("*.yaml"), key=lambda path: (path.stem != "emomusic", path.stem)
    )


def demo_protocol() -> Path:
    """The short protocol a demo starts with."""
    return shipped.protocol("quick")


def lay_out(
    protocol: Path, pseudonym: str, session: int, seed: int, folder: Path | None = None, language: str = ""
) -> PlanView:
    """The plan for a participant's session, counted from 0; any fault becomes its `error`.

    `folder`: the study, whose list knows the participant's number and whose consent text is shown.
    """
    try:
        request = prepare.StartRequest(str(protocol), pseudonym, session, seed)
        study, _, plan = prepare.lay_out(request, folder)
        said = _consent(folder, study, language) if folder else ""
    except EmolabError as error:
        return PlanView(error=str(error))
    return PlanView(
        title=study.title,
        planned=plan.planned,
        guaranteed=plan.guaranteed,
        cap_s=plan.cap_s,
        arithmetic=tuple(plan.arithmetic.splitlines()),
        languages=study.languages,
        language=study.language,
        consent=said,
    )


def _consent(folder: Path, study: Study, language: str) -> str:
    texts = study.text(language if language in study.languages else None)
    _, version = consent.shown(folder, texts.language, texts.consent)
    if version is None:
        return f"Consent: the protocol's text ({texts.language}), to be kept as a new version"
    whose = "the protocol's text, " if version.source == "protocol" else ""
    return f"Consent: {whose}{version.words}"


def broken_off(study: Path, participant: str, session: int) -> str:
    """What there is to go on with, as the words beside the box; empty when the session did not break off."""
    if not participant or not folders.session_path(study, participant, session).exists():
        return ""
    try:
        clips = len(resume.broken(study, participant, session).begun)
    except (EmolabError, OSError):
        return ""
    after = {0: "before its first clip", 1: "after one clip"}.get(clips, f"after {clips} clips")
    return f"Go on with it: it broke off {after}"
