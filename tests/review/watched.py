"""A recording of a participant who is seen and who reports, with known truth for each clip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.recording.writer import SessionWriter
from tests.faces import people
from tests.recording import made

RATE_HZ = 15.0
CAMERA = StreamInfo("camera", (Channel("rgb", "rgb", "8 bit"),), RATE_HZ, "uint8", (240, 320, 3))
REST_S = (1.0, 3.0)
CLIP_S = 2.0
DARK, BRIGHT, BRIGHTER = 0.55, 1.35, 1.8

# clip: what is seen, what was reported, what `people.ByLight` makes of the face, the verdict
CLIPS = {
    "glad": (BRIGHT, "most_positive", "positive", "agree"),
    "masked": (DARK, "most_positive", "negative", "conflict"),
    "calm": (1.0, "neutral", "neutral", "agree"),
    "away": (None, "neutral", "unknown", "unknown"),
    "visited": ("two", "neutral", "unknown", "unknown"),
    "hidden": (BRIGHT, "neutral", "positive", "weak"),
    "silent": (DARK, None, "negative", "unknown"),
    "fled": ("fled", "less_positive", "unknown", "unknown"),
    "denied": (BRIGHTER, "most_negative", "positive", "conflict"),
}


@cache
def seen(what: float | str | None) -> np.ndarray:
    """One frame of it."""
    match what:
        case None:
            return people.empty(320, 240)
        case "two":
            return people.two()[::2, ::2]
        case float(light):
            return people.portrait(light=light, width=320, height=240)
    raise ValueError(what)


def frames(clips: Sequence[str]) -> list[np.ndarray]:
    """The rest, then each clip and a second for its report."""
    taken = [seen(1.0)] * round((REST_S[1] + 1) * RATE_HZ)
    for clip in clips:
        what = CLIPS[clip][0]
        count = round(CLIP_S * RATE_HZ)
        if what == "fled":  # the face is there for two fifths of it
            taken += [seen(1.0)] * (count * 2 // 5) + [seen(None)] * (count - count * 2 // 5)
        else:
            taken += [seen(what)] * count
        taken += [seen(1.0)] * round(RATE_HZ)
    return taken


def events(clips: Sequence[str]) -> list[Event]:
    """What an engine would have written."""
    found = [
        Event(0.0, "session_started", data={"planned": len(clips)}),
        Event(REST_S[0], "step_started", data={"step": 1, "kind": "rest"}),
        Event(REST_S[1], "step_ended", data={"step": 1, "kind": "rest", "how": "done"}),
    ]
    for number, clip in enumerate(clips):
        start_s = REST_S[1] + 1 + number * (CLIP_S + 1)
        onset = {"clip": clip, "state": "neutral", "requested_s": start_s, "fitted_s": start_s}
        said = {"clip": clip, "state": CLIPS[clip][1], "word": None, "response_s": 0.5}
        found += [
            Event(start_s, "clip_onset", start_s, onset),
            Event(start_s + CLIP_S, "clip_ended", data={"clip": clip, "how": "done"}),
            Event(start_s + CLIP_S + 0.5, "answer", data=said),
        ]
    return found


def record(path: Path, clips: Sequence[str] = tuple(CLIPS), *, close: bool = True) -> Path:
    """Write the session; `close` False leaves it as a killed process would."""
    writer = SessionWriter(path, made.HEADER)
    writer.open([CAMERA])
    pictures = frames(clips)
    for first in range(0, len(pictures), 15):
        piece = np.stack(people.noisy(pictures[first : first + 15], first))
        times_s = (first + np.arange(len(piece))) / RATE_HZ
        writer.write(Chunk("camera", times_s, piece, float(times_s[-1]) + 0.004))
    for event in events(clips):
        writer.mark(event)
    if close:
        writer.close()
    else:
        writer.flush()
    return path
