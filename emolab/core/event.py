"""Something that happened at a moment: what was planned, what came true, and the facts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emolab.core.errors import DataError

# One word per idea; the reader, the window and the report all switch on these.
KINDS = (
    "session_started",
    "session_ended",  # data: outcome = complete | aborted | interrupted
    "step_started",  # data: step, kind, clip, state
    "step_ended",  # data: step, how = done | skipped | aborted
    "clip_onset",  # data: clip, state, requested_s, fitted_s
    "clip_ended",  # data: clip, fitted_s, how = done | skipped | aborted | silenced: device_lost, stood_still
    "onset_heard",  # data: clip, measured_s, match: found in what a microphone picked up
    "trial_skipped",  # data: clip, state, reason
    "answer_changed",  # data: clip, state, word, response_s
    "answer",  # data: clip, state, word, response_s, changes; state None = no report given
    "paused",
    "resumed",
    "mark",  # data: text; from a marker stream also stream, number
    "note",  # data: text
    "consent",
    "screen_lost",
    "screen_found",
    "gap",  # data: stream, lost or seconds
    "device_lost",  # data: stream, reason; clip when it was the sound output
    "device_found",  # data: stream, away_s until it delivered, settling_s of that since it opened
    "clock_offset",  # data: stream, offset_s = this machine's LSL clock less the sender's
    "clock_set",  # data: by_s, utc: the computer's date was moved; no time in this file depends on it
    "stood_still",  # data: seconds from time_s on that nothing went on, counted_s of them by this clock; clip
    "awake",  # data: by = what keeps the computer from sleeping, "" when nothing does; refused = by whom, why
    "memory",  # data: shown = all | plots | nothing, free_mb, whose, own_mb, grown_mb, queue
    "audio_underrun",  # data: count, or slip_ms where the card did not tell; clip when one played
    "window_attached",
    "window_lost",
    "window_frozen",  # data: silent_s; it is there but does not respond
    "window_thawed",  # data: frozen_s
    "override",  # data: what, reason
    "error",  # data: where, message
)

# Keys of `data` that are moments on the session clock, like `time_s` itself.
MOMENTS = ("requested_s", "fitted_s", "measured_s")


@dataclass(frozen=True)
class Event:
    """One line of the session's diary.

    `time_s`: when it happened, session clock. `kind`: one of `KINDS`. `planned_s`: when it was
    meant to happen, or None where nothing was planned. `data`: JSON-able facts.
    """

    time_s: float
    kind: str
    planned_s: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"event kind {self.kind!r} is none of {', '.join(KINDS)}")

    def shifted(self, by_s: float) -> Event:
        """The same event on a clock whose zero is `by_s` earlier, to the microsecond."""
        moments = {key: round(self.data[key] + by_s, 6) for key in MOMENTS if key in self.data}
        planned_s = None if self.planned_s is None else round(self.planned_s + by_s, 6)
        return Event(round(self.time_s + by_s, 6), self.kind, planned_s, {**self.data, **moments})

    def to_json(self) -> str:
        """One line, no newline inside."""
        fields = {
            "time_s": self.time_s,
            "kind": self.kind,
            "planned_s": self.planned_s,
            "data": dict(self.data),
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Event:
        """The event that `to_json` wrote. Raises `DataError` when the line is none."""
        try:
            fields = json.loads(line)
            time_s, planned_s = float(fields["time_s"]), fields.get("planned_s")
            planned_s = None if planned_s is None else float(planned_s)
            if not math.isfinite(time_s) or not math.isfinite(planned_s or 0.0):
                raise ValueError("a time that is no moment")
            return cls(time_s, fields["kind"], planned_s, dict(fields.get("data", {})))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(f"not an event line: {line[:80]!r} ({error})") from error
