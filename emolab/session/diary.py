"""Events as the console's log tells them: one short line each, with its light."""

from __future__ import annotations

from emolab.core.event import Event
from emolab.session.snapshot import Level, LogLine

_LEVELS: dict[str, Level] = {
    "device_lost": "act",
    "screen_lost": "act",
    "window_lost": "look",
    "window_frozen": "look",
    "error": "act",
    "gap": "look",
    "trial_skipped": "look",
    "audio_underrun": "look",
    "override": "look",
    "clock_set": "look",
    "stood_still": "act",
    "memory": "look",
}
_SILENT = ("answer_changed", "clip_ended", "step_ended", "onset_heard")  # in the file, but noise to a reader


def line(event: Event) -> LogLine | None:
    """The log line of an event, or None where the console need not hear of it."""
    if event.kind in _SILENT:
        return None
    level = _LEVELS.get(event.kind, "well")
    if event.kind == "awake" and not event.data["by"]:
        level = "look"
    return LogLine(event.time_s, _text(event), level)


def _text(event: Event) -> str:
    data = event.data
    match event.kind:
        case "session_started":
            who = f"{data['participant']}, session {data['session']}"
            return f"recording {who}, {data['planned']} trials planned"
        case "session_ended":
            return f"session ended: {data['outcome']}"
        case "step_started":
            return str(data["name"])
        case "clip_onset":
            return f"music {data['clip']} ({data['state'].replace('_', ' ')})"
        case "answer":
            said = data["state"].replace("_", " ") if data["state"] else "no answer in time"
            return f"report: {said}" + (f" ({data['word']})" if data.get("word") else "")
        case "trial_skipped":
            return f"clip {data['clip']} skipped: {data['reason']}"
        case "device_lost":
            return str(data["reason"])
        case "awake":
            return _awake(data["by"], data["refused"])
        case "device_found":
            return f"{data['stream']} is back after {data['away_s']:.1f} s"
        case "gap":
            return f"{data.get('stream', 'a stream')}: samples lost"
        case "mark" | "note":
            return f"{event.kind}: {data['text']}" if data.get("text") else event.kind
        case "paused" | "resumed":
            return f"{event.kind}{': ' + data['reason'] if data.get('reason') else ''}"
        case "screen_lost" | "screen_found":
            return f"participant screen {'lost' if event.kind == 'screen_lost' else 'is back'}"
        case "window_attached" | "window_lost":
            return "window attached" if event.kind == "window_attached" else "the window has gone"
        case "clock_set":
            return f"the computer's date was set by {data['by_s']:+.1f} s; times of the recording are safe"
        case "stood_still":
            clip = f"; clip {data['clip']} was broken off" if data.get("clip") else ""
            return f"the computer stood still for {data['seconds']:.0f} s{clip}"
        case "memory" if data["shown"] == "all":
            return "there is room again: everything is shown"
        case "memory":
            gone = "pictures are" if data["shown"] == "plots" else "pictures and plots are"
            return f"{gone} no longer shown, so that the recording has room: {data['free_mb']} MB left"
        case "window_frozen":
            return f"the windows have not responded for {data['silent_s']:.0f} s"
        case "window_thawed":
            return f"the windows respond again after {data['frozen_s']:.0f} s"
        case "error":
            return str(data.get("message", "error"))
        case _:
            return event.kind.replace("_", " ")


def _awake(by: str, refused: str) -> str:
    if by:
        return f"the computer is kept awake ({by})"
    return f"the computer cannot be kept awake ({refused}): switch its automatic sleep off"
