"""When each clip was heard: as planned, by the sound card's own stamps, and by a microphone."""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from emolab.core.event import Event

NEAR_S = 1.0  # a clip can be played twice: what was heard belongs to the playing it is near to


def onset_facts(events: Sequence[Event]) -> list[dict[str, Any]]:
    """One entry a playing of a clip, in order; times in seconds on the session clock.

        clip, state, trial
        requested_s      when it was asked for
        fitted_s         when its first sample left the converter, by a line through the card's stamps
        residual_ms      SD of the stamps about that line
        measured_s       when a microphone or cable picked it up; None where nothing listened
        match            how well the clip was recognised there, 0 to 1
        ended_s          when it ended, planned or not; None when the recording ends before
        underruns        dropouts while it played
        how              done, skipped, aborted or silenced; None when the recording ends before

    The fit after the clip has thirty seconds more of stamps than the one at its beginning, and
    takes its place.
    """
    onsets = [event for event in events if event.kind == "clip_onset"]
    ends_s = [*(event.time_s for event in onsets[1:]), float("inf")]
    by_time = sorted(range(len(events)), key=lambda row: events[row].time_s)
    times_s = [events[row].time_s for row in by_time]
    found = []
    for onset, end_s in zip(onsets, ends_s, strict=False):
        near = slice(bisect_right(times_s, onset.time_s - NEAR_S), bisect_left(times_s, end_s))
        found.append(_one(onset, [events[row] for row in sorted(by_time[near])]))
    return found


def _one(onset: Event, until_next: Sequence[Event]) -> dict[str, Any]:
    clip = onset.data.get("clip")
    ended = _first(until_next, "clip_ended", clip, onset.time_s)
    heard = _first(until_next, "onset_heard", clip, onset.time_s - NEAR_S)
    end_s = ended.time_s if ended else float("inf")
    underruns = sum(
        max(int(event.data.get("count", 1)), 1)
        for event in until_next
        if event.kind == "audio_underrun" and onset.time_s <= event.time_s <= end_s
    )
    best = {**onset.data, **({} if ended is None else ended.data)}
    return {
        "clip": clip,
        "state": onset.data.get("state"),
        "trial": onset.data.get("trial"),
        "requested_s": onset.data.get("requested_s"),
        "fitted_s": best.get("fitted_s"),
        "residual_ms": best.get("residual_ms"),
        "measured_s": heard.data.get("measured_s") if heard else None,
        "match": heard.data.get("match") if heard else None,
        "ended_s": ended.time_s if ended else None,
        "underruns": underruns,
        "how": ended.data.get("how", "done") if ended else None,
    }


def _first(events: Sequence[Event], kind: str, clip: Any, from_s: float) -> Event | None:
    fitting = (e for e in events if e.kind == kind and e.data.get("clip") == clip and e.time_s >= from_s)
    return next(fitting, None)


def lines(onsets: Sequence[dict[str, Any]]) -> list[str]:
    """The onsets as a table for people, and what they come to."""
    if not onsets:
        return []
    shown = [
        f"{'onsets':<24}{'requested s':>12}{'fitted s':>12}{'late ms':>9}{'± ms':>7}"
        f"{'measured − fitted ms':>22}{'dropouts':>10}"
    ]
    for onset in onsets:
        requested_s, fitted_s, measured_s = (onset[key] for key in ("requested_s", "fitted_s", "measured_s"))
        shown.append(
            f"{str(onset['clip'])[:23]:<24}{_number(requested_s, 3):>12}{_number(fitted_s, 4):>12}"
            f"{_number(_ms(fitted_s, requested_s), 1):>9}{_number(onset['residual_ms'], 2):>7}"
            f"{_number(_ms(measured_s, fitted_s), 2):>22}{onset['underruns']:>10}"
        )
    off_ms = [ms for onset in onsets if (ms := _ms(onset["measured_s"], onset["fitted_s"])) is not None]
    if len(off_ms) > 1:
        shown.append(
            f"measured − fitted over {len(off_ms)} clips: median {statistics.median(off_ms):.2f} ms, "
            f"SD {statistics.stdev(off_ms):.2f} ms"
        )
    elif not off_ms:
        shown.append("nothing listened to the clips, so their onsets are fitted only")
    return shown


def _ms(later_s: float | None, earlier_s: float | None) -> float | None:
    return None if later_s is None or earlier_s is None else (later_s - earlier_s) * 1e3


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
