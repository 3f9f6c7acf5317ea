"""When clips were heard, told from a session's events."""

from __future__ import annotations

import pytest

from emolab.core.event import Event
from emolab.recording.onset_facts import lines, onset_facts


def onset(clip: str, requested_s: float, fitted_s: float) -> Event:
    data = {"clip": clip, "state": "neutral", "requested_s": requested_s, "fitted_s": fitted_s}
    return Event(fitted_s, "clip_onset", requested_s, {**data, "residual_ms": 0.9})


def heard(clip: str, measured_s: float) -> Event:
    return Event(measured_s, "onset_heard", data={"clip": clip, "measured_s": measured_s, "match": 0.8})


def ended(clip: str, time_s: float, **data: object) -> Event:
    return Event(time_s, "clip_ended", data={"clip": clip, "how": "done", **data})


def test_the_fit_after_the_clip_takes_the_place_of_the_first() -> None:
    (one,) = onset_facts([onset("a", 1.0, 1.12), ended("a", 31.0, fitted_s=1.1213, residual_ms=0.05)])
    assert (one["requested_s"], one["fitted_s"], one["residual_ms"]) == (1.0, 1.1213, 0.05)
    assert one["measured_s"] is None and one["how"] == "done"


def test_what_was_heard_belongs_to_its_clip_even_when_it_is_told_first() -> None:
    events = [heard("a", 1.1195), onset("a", 1.0, 1.12), ended("a", 31.0), onset("b", 40.0, 40.1)]
    first, second = onset_facts(events)
    assert first["measured_s"] == 1.1195 and second["measured_s"] is None
    assert second["how"] is None  # the recording ends in it


def test_a_clip_played_twice_has_two_onsets() -> None:
    events = [
        onset("a", 1.0, 1.1), heard("a", 1.105), ended("a", 5.0, how="aborted"),
        onset("a", 9.0, 9.2), heard("a", 9.207), ended("a", 39.0),
    ]  # fmt: skip
    first, second = onset_facts(events)
    assert (first["measured_s"], first["how"]) == (1.105, "aborted")
    assert (second["measured_s"], second["how"]) == (9.207, "done")


def test_dropouts_count_for_the_clip_they_were_in() -> None:
    events = [
        onset("a", 1.0, 1.1), Event(7.0, "audio_underrun", data={"count": 2, "clip": "a"}),
        Event(8.0, "audio_underrun", data={"slip_ms": 12.5}), ended("a", 31.0),
        Event(35.0, "audio_underrun", data={"count": 1}), onset("b", 40.0, 40.1), ended("b", 70.0),
    ]  # fmt: skip
    assert [one["underruns"] for one in onset_facts(events)] == [3, 0]


def test_the_page_tells_how_far_measured_and_fitted_lie_apart() -> None:
    events = [
        onset("a", 1.0, 1.12), heard("a", 1.1254), ended("a", 31.0),
        onset("b", 40.0, 40.12), heard("b", 40.1268), ended("b", 70.0),
    ]  # fmt: skip
    page = "\n".join(lines(onset_facts(events)))
    assert "5.40" in page and "6.80" in page and "120.0" in page
    assert "over 2 clips: median 6.10 ms, SD 0.99 ms" in page


@pytest.mark.parametrize("events", [[], [heard("a", 1.0)]])
def test_without_a_clip_there_is_no_table(events: list[Event]) -> None:
    assert lines(onset_facts(events)) == []


def test_where_nothing_listened_the_page_says_so() -> None:
    assert lines(onset_facts([onset("a", 1.0, 1.1)]))[-1].startswith("nothing listened")
