"""A protocol file into a `Study`. This is its schema, version 1; all times are in seconds.

    schema: 1                     version of this schema
    name: emomusic                short name, as recordings carry it
    title: EmoMusic               for people
    version: "1.0"                of the protocol; change it when you change anything below

    cap_s: 1200                   the session, from the rest's onset, never lasts longer
    rest:
      duration_s: 300
      baseline_window_s: [240, 300]   the part, from the rest's onset, taken as baseline
      report: true                asks how the participant feels after the rest
    clips:
      bank: shipped               the clips that come with emolab, or a manifest's path from here
      duration_s: 30              how much of each clip is played, at most 30
      per_state: 3                clips of each state in one session
    order:
      rule: runs                  clips of one state stand together (the only rule so far)
      neutral_position: middle    middle | first | last | rotate
      washout_s: 30               pause between opposite halves, when neutral is not between them
    report:
      window_s: 30                time to answer
      ends_early: true            a confirmed answer ends the window
      scale:                      the five states, each with its three words as they are shown
        most_negative: [sad, disgust, angry]
        less_negative: [fear, scared, nervous]
        neutral: [neutral, peace, calm]
        less_positive: [surprise, excited, thrill]
        most_positive: [happiness, delighted, enjoy]
    texts:
      folder: shipped             the texts that come with emolab, or a folder's path from here
      language: en                used when none is asked for; every file in the folder is offered

Every key must be there and no other. Refused are, with file, line, key and remedy: YAML that is
none, keys unknown, missing or given twice, values of another type, times that contradict one
another, a plan that cannot keep its promise (see `plan`), words that are not Table I's, and a
bank, folder or language file that is not there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from emolab.core import shipped
from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS, STATES, State, state
from emolab.protocol import texts
from emolab.protocol.bank import FILE_S
from emolab.protocol.marked import Marked, read
from emolab.protocol.plan import plan_session
from emolab.protocol.schema import Section, Text, unknown, validate
from emolab.protocol.steps import NeutralPosition, Study

_DAY_S = 86400.0
Seconds = Annotated[float, Field(gt=0, le=_DAY_S)]


def load(path: Path) -> Study:
    """The protocol in `path`. Raises `ConfigError` naming file, line, key and remedy."""
    marked = read(path)
    file = validate(_File, marked)
    _check_rest(file, marked)
    scale = _scale(file, marked)
    _check_plan(file, marked)
    bank_path = _bank_path(file, marked)
    folder = _texts_folder(file, marked)
    return Study(
        path=path,
        source_text=marked.text,
        schema=file.schema_,
        name=file.name,
        title=file.title,
        version=file.version,
        cap_s=file.cap_s,
        rest_s=file.rest.duration_s,
        baseline_window_s=file.rest.baseline_window_s,
        has_baseline_report=file.rest.report,
        bank_path=bank_path,
        clip_s=file.clips.duration_s,
        clips_per_state=file.clips.per_state,
        order_rule=file.order.rule,
        neutral_position=file.order.neutral_position,
        washout_s=file.order.washout_s,
        report_s=file.report.window_s,
        ends_early=file.report.ends_early,
        scale=scale,
        language=file.texts.language,
        texts={language: texts.load(folder, language) for language in texts.languages(folder)},
    )


class _Rest(Section):
    duration_s: Seconds = Field(examples=[300])
    baseline_window_s: Annotated[
        tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]],
        Field(strict=False, examples=["[240, 300]"]),
    ]
    report: bool = Field(examples=["true"])


class _Clips(Section):
    bank: Text = Field(examples=["shipped"])
    duration_s: Annotated[float, Field(gt=0, le=FILE_S, examples=[30])]
    per_state: Annotated[int, Field(ge=1, le=1000, examples=[3])]


class _Order(Section):
    rule: Literal["runs"] = Field(examples=["runs"])
    neutral_position: NeutralPosition = Field(examples=["middle"])
    washout_s: Annotated[float, Field(ge=0, le=_DAY_S, examples=[30])]


class _Report(Section):
    window_s: Seconds = Field(examples=[30])
    ends_early: bool = Field(examples=["true"])
    scale: dict[str, list[str]]


class _Texts(Section):
    folder: Text = Field(examples=["shipped"])
    language: Text = Field(examples=["en"])


class _File(Section):
    schema_: Annotated[Literal[1], Field(alias="schema", examples=[1])]
    name: Text = Field(examples=["emomusic"])
    title: Text = Field(examples=["EmoMusic"])
    version: Text = Field(examples=['"1.0"'])
    cap_s: Seconds = Field(examples=[1200])
    rest: _Rest
    clips: _Clips
    order: _Order
    report: _Report
    texts: _Texts


def _check_rest(file: _File, marked: Marked) -> None:
    begin_s, end_s = file.rest.baseline_window_s
    if not begin_s < end_s <= file.rest.duration_s:
        raise marked.error(
            ("rest", "baseline_window_s"),
            f"is [{begin_s:g}, {end_s:g}] in a rest of {file.rest.duration_s:g} s; "
            "write a beginning before an end that lies within the rest",
        )


def _scale(file: _File, marked: Marked) -> tuple[State, ...]:
    given = file.report.scale
    for key in given:
        if key not in STATE_KEYS:
            raise marked.error(("report", "scale", key), f"unknown state; {unknown(key, STATE_KEYS)}")
    scale = []
    for known in STATES:
        where = ("report", "scale", known.key)
        if known.key not in given:
            raise marked.error(where, f"is missing; add '{known.key}: [{', '.join(known.words)}]'")
        for i, word in enumerate(given[known.key]):
            if word not in known.words:
                raise marked.error(
                    (*where, i), f"{word!r} is no word of this state in Table I; {unknown(word, known.words)}"
                )
        if sorted(given[known.key]) != sorted(known.words):
            raise marked.error(where, f"must hold each of {', '.join(known.words)} once; add or remove words")
        first, second, third = given[known.key]
        scale.append(State(known.rank, known.key, (first, second, third), state(known.key).group))
    return tuple(scale)


def _check_plan(file: _File, marked: Marked) -> None:
    needs_washout = file.order.neutral_position != "middle"
    if needs_washout and file.order.washout_s <= 0:
        raise marked.error(
            ("order", "washout_s"),
            f"is 0 but neutral_position is {file.order.neutral_position!r}, which lets opposites touch; "
            "write e.g. 'washout_s: 30'",
        )
    try:
        plan_session(
            cap=file.cap_s,
            rest=file.rest.duration_s,
            clip=file.clips.duration_s,
            report=file.report.window_s,
            states=len(STATE_KEYS),
            bank=file.clips.per_state,  # how many there are is known when the bank is read
            per_state=file.clips.per_state,
            has_baseline_report=file.rest.report,
            washout=file.order.washout_s if needs_washout else 0.0,
        )
    except ConfigError as error:
        raise marked.error(("clips", "per_state"), str(error)) from error


def _bank_path(file: _File, marked: Marked) -> Path:
    if file.clips.bank == "shipped":
        return shipped.folder("stimuli") / "manifest.csv"
    path = marked.path.parent / file.clips.bank
    if not path.is_file():
        raise marked.error(
            ("clips", "bank"), f"there is no manifest {path}; check the spelling or write 'bank: shipped'"
        )
    return path


def _texts_folder(file: _File, marked: Marked) -> Path:
    shipped_one = file.texts.folder == "shipped"
    folder = shipped.folder("protocols") / "texts" if shipped_one else marked.path.parent / file.texts.folder
    known = texts.languages(folder)
    if not known:
        raise marked.error(
            ("texts", "folder"),
            f"there is no text file in {folder}; check the spelling or write 'folder: shipped'",
        )
    if file.texts.language not in known:
        raise marked.error(
            ("texts", "language"),
            f"there is no {folder / file.texts.language}.yaml; add that file or choose {' or '.join(known)}",
        )
    return folder
