"""What the participant's screen shows for each step, in the participant's language."""

from __future__ import annotations

from emolab.core.label import STATES
from emolab.protocol.runner import RunnerStatus
from emolab.protocol.steps import Instruct, Pause, Play, Rate, Rest, Step
from emolab.protocol.texts import PageText, Texts
from emolab.session.snapshot import Choice, Page, StageView


def stage_view(status: RunnerStatus, texts: Texts) -> StageView:
    """The page for where the runner stands."""
    page, words = page_of(status, texts)
    return StageView(
        page=page,
        step=status.index,
        title=words.title,
        text=words.text,
        button=words.button,
        hint=words.hint,
        agree=words.agree,
        opened_s=status.opened_s,
        closes_s=status.closes_s if page != "hold" else None,
        choices=choices(texts) if page == "rate" else (),
        chosen=(status.chosen or "") if page == "rate" else "",
        word=(status.word or "") if page == "rate" else "",
        is_confirmed=status.is_confirmed and page == "rate",
    )


def page_of(status: RunnerStatus, texts: Texts) -> tuple[Page, PageText]:
    """Which page it is, and its words."""
    if status.phase == "paused":
        return "pause", texts.pause
    if status.phase == "holding":
        return "hold", texts.hold
    if status.phase in ("finished", "aborted"):
        return "thanks", texts.thanks
    return _page_of_step(status.step, texts)


def choices(texts: Texts) -> tuple[Choice, ...]:
    """The five wide buttons, most negative first, with the words of Table I in the language."""
    return tuple(Choice(state.key, state.rank, state.words, _shown(state.words, texts)) for state in STATES)


def _shown(words: tuple[str, str, str], texts: Texts) -> tuple[str, str, str]:
    first, second, third = words
    return texts.words[first], texts.words[second], texts.words[third]


def _page_of_step(step: Step | None, texts: Texts) -> tuple[Page, PageText]:
    match step:
        case Instruct(page="consent"):
            return "consent", texts.consent
        case Instruct(page="instruct"):
            return "instruct", texts.instruct
        case Instruct():
            return "thanks", texts.thanks
        case Rest():
            return "rest", texts.rest
        case Play():
            return "listen", texts.listen
        case Rate(clip=None):
            return "rate", texts.baseline
        case Rate():
            return "rate", texts.rate
        case Pause():
            return "pause", texts.pause
        case _:
            return "blank", PageText("")
