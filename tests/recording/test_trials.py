"""What was asked and told, clip by clip: each answer belongs to one playing."""

from __future__ import annotations

from typing import Any

from emolab.core.event import Event
from emolab.recording.lanes import intended
from emolab.recording.trials import trials


def event(time_s: float, kind: str, clip: str, **data: Any) -> Event:
    return Event(time_s, kind, data={"clip": clip, **data})


def played(clip: str, start_s: float, how: str = "done") -> list[Event]:
    """Half a minute of a clip, five seconds of one that is skipped."""
    end_s = start_s + (30.0 if how == "done" else 5.0)
    return [
        event(start_s, "clip_onset", clip, state="neutral", fitted_s=start_s),
        event(end_s, "clip_ended", clip, how=how),
    ]


def test_the_answer_of_a_clip_played_again_is_not_that_of_the_playing_that_was_skipped() -> None:
    events = [
        *played("a", 10.0, "skipped"),
        *played("b", 20.0),
        event(55.0, "answer", "b", state="neutral", response_s=5.0),
        *played("a", 60.0),
        event(97.0, "answer", "a", state="neutral", response_s=7.0, changes=2),
    ]
    skipped, other, again = trials(events, 100.0)
    assert (skipped.response_s, skipped.changes, skipped.was_asked, skipped.said) == (None, 0, False, None)
    assert (other.response_s, other.was_asked) == (5.0, True)
    assert (again.response_s, again.changes, again.was_asked) == (7.0, 2, True)


def test_an_answer_that_came_late_is_still_that_of_its_clip() -> None:
    events = [
        *played("a", 10.0),
        *played("b", 45.0),
        event(46.0, "answer", "a", state="neutral", response_s=6.0),
        event(80.0, "answer", "b", state="neutral", response_s=5.0),
    ]
    assert [trial.response_s for trial in trials(events, 100.0)] == [6.0, 5.0]


def stepped(clip: str, start_s: float, number: int) -> list[Event]:
    """A clip of half a minute and its report of five seconds, with the steps as a session writes them."""
    play = {"step": number, "kind": "play", "clip": clip}
    rate = {"step": number + 1, "kind": "rate", "clip": clip}
    onset, ended = played(clip, start_s)
    return [
        Event(start_s - 0.1, "step_started", data=play), onset, ended,
        Event(start_s + 30.0, "step_ended", data={**play, "how": "done"}),
        Event(start_s + 30.0, "step_started", data=rate),
        Event(start_s + 35.0, "step_ended", data={**rate, "how": "done"}),
    ]  # fmt: skip


def without(events: list[Event], *kinds: str) -> list[Event]:
    """The events when the lines of these kinds are damaged."""
    return [event for event in events if event.kind not in kinds]


def ends_s(events: list[Event]) -> list[float]:
    return [trial.end_s for trial in trials(events, 200.0)]


def test_a_clip_whose_end_is_damaged_ends_with_its_step() -> None:
    events = [*without(stepped("a", 10.0, 4), "clip_ended"), *stepped("b", 50.0, 6)]
    assert ends_s(events) == [40.0, 80.0]
    assert [label.end_s for label in intended(events, 200.0)] == [40.0, 80.0]


def test_a_clip_whose_step_is_damaged_too_ends_where_the_next_step_or_clip_begins() -> None:
    ends = ("clip_ended", "step_ended")
    assert ends_s(without([*stepped("a", 10.0, 4), *stepped("b", 50.0, 6)], *ends)) == [40.0, 80.0]
    bare = without([*stepped("a", 10.0, 4), *stepped("b", 50.0, 6)], *ends, "step_started")
    assert ends_s(bare) == [50.0, 200.0]
    twice = without([*stepped("a", 10.0, 4), *stepped("a", 50.0, 6)], *ends, "step_started")
    assert ends_s(twice) == [50.0, 200.0]
