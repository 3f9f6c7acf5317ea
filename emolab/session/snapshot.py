"""What the engine tells a window thirty times a second, and what a window may ask of it.

A `Snapshot` is frozen and small: it crosses as one JSON line. Samples and frames do not cross
here; they lie in shared rings (`core.ring`), one file a stream, whose folder the snapshot names.
All `*_s` moments are seconds on the session clock.

Commands are JSON objects `{"do": NAME, ...}`; the answer is `{"ok": true}` or `{"error": "one
sentence with the remedy"}`:

    experimenter  preflight {as start; seconds, screens: [{name, width, height, x, y}]}
                  start {protocol, participant, session, seed, language, answers, override}
                  pause | resume | skip {step} | repeat | abort | mark {text} | note {text}
                  retry {stream} | leave_out {stream} | sound_check | shutdown
    participant   shown {step, time_ns} | proceed {step, time_ns}
                  choose {step, state, word, time_ns} | confirm {step, time_ns}
    window        attach {screen, is_own} | screen_lost {screen} | screen_found {screen}

`skip` with the `step` that a person saw skips no other, should it be over meanwhile.
With something red (a light, or a check of the last pre-flight) `start` is refused unless `override`
says why; reason and red checks are then recorded. `is_own`: whether the participant has that screen
alone; false keeps a session waiting for a lost one. `time_ns` is `core.clock.now_ns()` in the window,
which is the same clock in both processes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from emolab.core.errors import DataError

Level = Literal["well", "look", "act"]
Phase = Literal["setup", "running", "pausing", "paused", "holding", "finished", "failed"]
Page = Literal["blank", "consent", "instruct", "rest", "listen", "rate", "pause", "hold", "thanks"]
StepStatus = Literal["waiting", "now", "done", "skipped"]


@dataclass(frozen=True)
class Timekeeping:
    """How a device keeps time, by a fit over its last minutes (`live_clock`).

    `rate_hz`: samples a second. `drift_ppm`: how fast the device's own clock runs, None when it
    tells none. `jitter_ms`: SD of the live stamps about the line. `over_s`: of how much time.
    """

    rate_hz: float
    drift_ppm: float | None
    jitter_ms: float
    over_s: float


@dataclass(frozen=True)
class StreamHealth:
    """One instrument as its light shows it. `age_s`: since its newest sample, None before the first."""

    name: str
    kind: str
    level: Level
    message: str  # a sentence with the remedy; empty when all is well
    channels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    nominal_rate_hz: float | None = None
    rate_hz: float = 0.0
    samples: int = 0
    saved: int = 0  # rows in the session's file for good: they outlive the engine, however it ends
    lost: int = 0
    corrupt: int = 0
    reopened: int = 0
    age_s: float | None = None
    is_image: bool = False
    ring: str = ""  # path of its SampleRing or FrameSlot; empty before the first sample
    is_left_out: bool = False  # the experimenter decided to go without it
    may_be_silent: bool = False  # markers: that none has come yet is no reason to wait
    timekeeping: Timekeeping | None = None  # true rate, drift and jitter; None until it has run for some time


@dataclass(frozen=True)
class StepView:
    """One step of the time line. `name` is for the experimenter. `trial` counts clips from 1, 0 = none."""

    index: int
    kind: str  # instruct | rest | play | rate | pause | mark
    name: str
    status: StepStatus
    planned_s: float  # from the rest's onset; negative before it is not used
    duration_s: float | None  # longest; None when it waits for the participant
    trial: int = 0
    clip: str = ""
    state: str = ""
    title: str = ""


@dataclass(frozen=True)
class Choice:
    """One of the five wide buttons: `words` in the participant's language, `keys` as stored."""

    state: str
    rank: int
    keys: tuple[str, str, str]
    words: tuple[str, str, str]


@dataclass(frozen=True)
class StageView:
    """What the participant's screen must show now.

    `step` identifies it in the participant's commands. `closes_s`: when it ends by itself, None
    when it waits. `chosen`, `word`: the choice made; `is_confirmed`: it can no longer be changed.
    """

    page: Page = "blank"
    step: int = -1
    title: str = ""
    text: str = ""
    button: str = ""  # label of the button that goes on; empty for none
    hint: str = ""
    agree: str = ""  # consent: the sentence beside the box to tick
    opened_s: float = 0.0
    closes_s: float | None = None
    choices: tuple[Choice, ...] = ()
    chosen: str = ""
    word: str = ""
    is_confirmed: bool = False


@dataclass(frozen=True)
class LogLine:
    """One event as the console's log shows it."""

    time_s: float
    text: str
    level: Level = "well"


@dataclass(frozen=True)
class CheckView:
    """One line of the pre-flight. `stream`: the instrument it speaks of, empty for the room's rest."""

    name: str
    level: Level
    what: str
    remedy: str = ""  # empty when all is well
    stream: str = ""


@dataclass(frozen=True)
class Snapshot:
    """Everything a window shows, at one moment. `now_s - run_started_s` is time in the session."""

    phase: Phase = "setup"
    now_s: float = 0.0
    study: str = ""
    protocol: str = ""
    participant: str = ""
    session: int = 0
    path: str = ""  # the session file, once started
    bytes_written: int = 0
    free_bytes: int = 0
    run_started_s: float | None = None  # onset of the rest: what the cap counts from
    cap_s: float = 0.0
    ends_s: float | None = None  # latest end of the session as it stands
    step: int = -1
    step_opened_s: float = 0.0
    step_closes_s: float | None = None
    steps: tuple[StepView, ...] = ()
    stage: StageView = field(default_factory=StageView)
    streams: tuple[StreamHealth, ...] = ()
    log: tuple[LogLine, ...] = ()  # the newest twenty
    preflight: tuple[CheckView, ...] = ()  # of the last one, empty while it runs
    preflight_progress: float | None = None  # 0 to 1 while it runs
    preflight_number: int = 0  # how many this engine has begun
    screen: str = ""  # the participant's screen, empty when no window has attached
    message: str = ""  # why it holds or failed, with the remedy
    speed: float = 1.0
    engine_pid: int = 0
    summary: dict[str, Any] = field(default_factory=dict)  # `inspect` of the file, when finished

    def to_json(self) -> str:
        """One line."""
        return json.dumps(vars(self), default=vars, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Snapshot:
        """The snapshot that `to_json` wrote. Raises `DataError` when the line is none."""
        try:
            return cls(**_nested(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise DataError(
                f"what answers is no engine of this version ({line[:60]!r}: {error}); "
                "close all windows, end that program and start again"
            ) from error


def _nested(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a `Snapshot`, from JSON."""
    fields["steps"] = tuple(StepView(**step) for step in fields["steps"])
    fields["streams"] = tuple(_health(stream) for stream in fields["streams"])
    fields["log"] = tuple(LogLine(**line) for line in fields["log"])
    fields["preflight"] = tuple(CheckView(**check) for check in fields["preflight"])
    stage = fields["stage"]
    stage["choices"] = tuple(
        Choice(c["state"], c["rank"], tuple(c["keys"]), tuple(c["words"])) for c in stage["choices"]
    )
    fields["stage"] = StageView(**stage)
    return fields


def _health(fields: dict[str, Any]) -> StreamHealth:
    for key in ("channels", "kinds", "units"):
        fields[key] = tuple(fields[key])
    if fields.get("timekeeping") is not None:
        fields["timekeeping"] = Timekeeping(**fields["timekeeping"])
    return StreamHealth(**fields)
