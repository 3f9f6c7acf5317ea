"""The words of a protocol: a clip, the six steps, and a study as loaded from its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from emolab.core.errors import ConfigError
from emolab.core.label import State

if TYPE_CHECKING:
    from emolab.protocol.texts import Texts

Page = Literal["consent", "instruct", "thanks"]
NeutralPosition = Literal["middle", "first", "last", "rotate"]


@dataclass(frozen=True)
class Clip:
    """One piece of music as played: `path` None until it is known where the file lies.

    `duration_s`: how much of the file is played, from its beginning.
    """

    id: str
    state: str
    title: str
    path: Path | None
    duration_s: float


@dataclass(frozen=True)
class Instruct:
    """A page that waits for the participant; `thanks` alone does not wait, it ends the session."""

    name: str
    page: Page


@dataclass(frozen=True)
class Rest:
    """Sitting quietly. `baseline_window_s`: the part, from the rest's onset, that is the baseline."""

    name: str
    duration_s: float
    baseline_window_s: tuple[float, float] = (240.0, 300.0)


@dataclass(frozen=True)
class Play:
    """Listening to one clip. `trial` counts from 1."""

    name: str
    clip: Clip
    trial: int
    duration_s: float


@dataclass(frozen=True)
class Rate:
    """The report on the clip just heard; `clip` None and `trial` 0: on the rest, the baseline report.

    `ends_early`: a confirmed answer ends the step, otherwise it lasts `window_s` in any case.
    """

    name: str
    clip: Clip | None
    trial: int
    window_s: float
    ends_early: bool


@dataclass(frozen=True)
class Pause:
    """A wash-out between clips of opposite sign."""

    name: str
    duration_s: float


@dataclass(frozen=True)
class Mark:
    """A named moment in the record; takes no time."""

    name: str


Step = Instruct | Rest | Play | Rate | Pause | Mark


def kind_of(step: Step) -> str:
    """`instruct`, `rest`, `play`, `rate`, `pause` or `mark`."""
    return type(step).__name__.lower()


def longest_s(step: Step) -> float | None:
    """The longest the step can take by itself, seconds; None when it waits for the participant."""
    match step:
        case Rest() | Play() | Pause():
            return step.duration_s
        case Rate():
            return step.window_s
        case Mark() | Instruct(page="thanks"):
            return 0.0
        case _:
            return None


@dataclass(frozen=True)
class Study:
    """A protocol as loaded; see `load` for the file it comes from.

    `source_text`: the file as it was read, for embedding in each recording. `bank_path`: the
    manifest of its clips. `scale`: the five states, lowest first, each with its three words in
    the order they are shown. `language`: the one used when none is asked for. `texts`: by
    language code.
    """

    path: Path
    source_text: str
    schema: int
    name: str
    title: str
    version: str
    cap_s: float
    rest_s: float
    baseline_window_s: tuple[float, float]
    has_baseline_report: bool
    bank_path: Path
    clip_s: float
    clips_per_state: int
    order_rule: str
    neutral_position: NeutralPosition
    washout_s: float
    report_s: float
    ends_early: bool
    scale: tuple[State, ...]
    language: str
    texts: Mapping[str, Texts]

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages the participant may be addressed in."""
        return tuple(self.texts)

    def text(self, language: str | None = None) -> Texts:
        """The participant's texts. Raises `ConfigError` naming the languages there are."""
        chosen = language or self.language
        if chosen not in self.texts:
            raise ConfigError(
                f"{self.path}: there are no texts in {chosen!r}, only in {', '.join(self.texts)}; "
                f"choose one of these or add the file {chosen}.yaml beside them"
            )
        return self.texts[chosen]
