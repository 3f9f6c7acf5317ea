"""What happened besides the clips, as a lane: marks, notes, gaps, what was lost and found, pauses."""

from __future__ import annotations

from collections.abc import Sequence

from emolab.core.event import Event
from emolab.recording.labels import TimedLabel

WORDS = {
    "consent": "consent",
    "mark": "mark",
    "note": "note",
    "gap": "gap",
    "device_lost": "lost",
    "device_found": "back",
    "clock_set": "the computer's date was set",
    "stood_still": "the computer stood still",
    "memory": "short of memory",
    "audio_underrun": "dropout of the sound",
    "window_lost": "window lost",
    "window_frozen": "window hangs",
    "window_thawed": "window goes on",
    "screen_lost": "participant's screen lost",
    "screen_found": "participant's screen back",
    "trial_skipped": "clip skipped",
    "override": "went on nevertheless",
    "error": "error",
}
LASTING = {"gap": "seconds", "stood_still": "counted_s"}  # of an event's data, how long it lasted
TOLD = ("text", "stream", "what", "reason", "message", "clip")  # of an event's data, in words
MOST_TEXT = 300
APART_S = 2.0  # dropouts nearer than this are one
LAST_S = 10.0  # of the recording, over which stands what was remarked after it


def happenings(events: Sequence[Event]) -> list[TimedLabel]:
    """One label each, its words in the note; a pause lasts from `paused` to `resumed`."""
    found: list[TimedLabel] = []
    paused_s: float | None = None
    dropout_s = -APART_S
    for event in events:
        if event.kind == "paused":
            paused_s = event.time_s
        elif event.kind == "resumed" and paused_s is not None:
            found.append(TimedLabel(paused_s, max(event.time_s, paused_s), note="paused"))
            paused_s = None
        elif event.kind in WORDS:
            if event.kind == "audio_underrun":
                is_new, dropout_s = event.time_s - dropout_s > APART_S, event.time_s
                if not is_new:
                    continue
            found.append(_one(event))
    if paused_s is not None:
        found.append(TimedLabel(paused_s, paused_s, note="paused, and not resumed"))
    return found


def afterwards(notes: Sequence[Event], begin_s: float, end_s: float) -> list[TimedLabel]:
    """What was remarked after the recording had ended: one label on its last seconds, none without a word.

    The time line from `begin_s` to `end_s` does not reach as far as the notes' own times.
    """
    words = "; ".join(str(event.data["text"]) for event in notes if event.data.get("text"))
    if not words:
        return []
    return [TimedLabel(max(end_s - LAST_S, begin_s), end_s, note=f"note after the end: {words}"[:MOST_TEXT])]


def _one(event: Event) -> TimedLabel:
    told = [str(event.data[key]) for key in TOLD if event.data.get(key)]
    seconds = event.data.get(LASTING.get(event.kind, ""))
    lasts_s = float(seconds) if isinstance(seconds, int | float) else 0.0
    if lost := event.data.get("lost"):
        told.append(f"{lost} samples")
    note = f"{WORDS[event.kind]}: {', '.join(told)}" if told else WORDS[event.kind]
    return TimedLabel(event.time_s, event.time_s + max(lasts_s, 0.0), note=note[:MOST_TEXT])
