"""What can go wrong, what is done to see it, what the file must then say, and what the light says.

`FAULTS` is the table. Each check reads the evidence a session left, fails where it falls short, and
returns what it found and how long the recovery took.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from emolab.recording.reader import Session
from tests.faults.room import CLIPS, Evidence

REOPENED_WITHIN_S = 1.0  # the goal, on a machine that has time
PATIENCE_S = 8.0  # what the test asks for: machines that run tests have none


@dataclass(frozen=True)
class Found:
    """What a session's file and lights say. `recovered_s`: from the cause's end until all was well."""

    told: str
    recovered_s: float | None = None


@dataclass(frozen=True)
class Fault:
    """One line of the table. `session`: whose evidence `check` reads, or else the test that covers it."""

    name: str
    done: str
    record: str
    light: str
    session: str
    check: Callable[[Evidence], Found] | None = None


# the checks


def comes_back(stream: str, why: str, evidence: Evidence) -> Found:
    """One loss, one return, one gap between them, and the file goes on afterwards."""
    (lost,) = evidence.of("device_lost", stream=stream)
    (found,) = evidence.of("device_found", stream=stream)
    assert why in lost.data["reason"], lost.data["reason"]
    gone_s, back_s = evidence.deeds[f"{stream} gone"], evidence.deeds[f"{stream} back"]
    noticed_s = lost.time_s - gone_s
    opened_s = found.time_s - found.data["settling_s"] - back_s
    assert noticed_s < PATIENCE_S and opened_s < PATIENCE_S, (noticed_s, opened_s)
    assert abs(found.data["away_s"] - (found.time_s - lost.time_s)) < 0.2
    facts = evidence.stream(stream)
    gap = max(facts["gap_list"], key=lambda gap: gap["to_s"] - gap["from_s"])
    assert gap["from_s"] < back_s < gap["to_s"] and abs(gap["from_s"] - gone_s) < 1.5, (gap, gone_s, back_s)
    assert facts["reopened"] == 1 and f"{stream} went away and came back 1 times" in evidence.reasons(stream)
    assert facts["last_s"] > found.time_s, "it is recorded again"
    reds = [at_s for at_s, _ in evidence.light(stream, "act")]
    assert reds and reds[0] < gone_s + PATIENCE_S
    # not against `back_s`: a source can deliver, and its light turn, while the rest of it is still put back
    assert any(at_s > reds[-1] for level in ("well", "look") for at_s, _ in evidence.light(stream, level))
    told = f"lost after {noticed_s:.1f} s, open {max(opened_s, 0):.1f} s after its return, "
    return Found(f"{told}gap {gap['from_s']:.1f}-{gap['to_s']:.1f} s", gap["to_s"] - back_s)


def stays_red(stream: str, why: str, evidence: Evidence) -> Found:
    """The same for one that hangs; its light was never anything but red from the alarm to its return."""
    found = comes_back(stream, why, evidence)
    gone_s, back_s = evidence.deeds[f"{stream} gone"], evidence.deeds[f"{stream} back"]
    colours = [
        level for at_s, who, level, _ in evidence.lights if who == stream and gone_s + 5 < at_s < back_s
    ]
    assert set(colours) <= {"act"}, colours
    return found


def garbage_is_counted(evidence: Evidence) -> Found:
    facts = evidence.stream("noisy")
    share = facts["corrupt"] / (facts["corrupt"] + facts["samples"])
    assert 0.006 < share < 0.014, "one line in a hundred is garbage"
    assert facts["lost"] == 0 and facts["reopened"] == 0
    assert f"noisy sent {facts['corrupt']} damaged samples; look at its cable." in evidence.report["reasons"]
    assert any("lost" in said for _, said in evidence.light("noisy", "look"))
    with Session.open(evidence.path) as session:
        rows = session.streams["noisy"].samples().astype(int)
    numbers = rows[:, 0] + 1024 * rows[:, 1]
    assert set(np.diff(numbers)) <= {1, 2}, "every good row is there, unchanged, and no bad one"
    lines = facts["samples"] + facts["corrupt"]
    return Found(f"{facts['corrupt']} corrupt of {lines} lines, all good rows unchanged")


def damage_is_counted(evidence: Evidence) -> Found:
    facts = evidence.stream("frames")
    sent = facts["samples"] + facts["lost"]
    assert abs(facts["corrupt"] / sent - 1 / 60) < 0.006, facts
    assert abs(facts["duplicated"] / sent - 1 / 140) < 0.004, facts
    assert abs(facts["lost"] / sent - (1 / 60 + 1 / 100)) < 0.008, "a damaged frame is a lost one, too"
    assert f"frames sent {facts['corrupt']} damaged samples" in evidence.reasons("frames")
    with Session.open(evidence.path) as session:
        counter = session.streams["frames"].counter()
    assert counter is not None and (np.diff(counter) > 0).all()
    assert int((np.diff(counter) - 1).sum()) == facts["lost"], "the counter shows each hole"
    told = f"{facts['lost']} lost, {facts['corrupt']} corrupt, {facts['duplicated']} doubled of {sent}"
    return Found(told)


def rate_is_told(evidence: Evidence) -> Found:
    slower_s = evidence.deeds["dim slower"]
    with Session.open(evidence.path) as session:
        times_s = session.streams["dim"].times_s()
    before = np.median(np.diff(times_s[times_s < slower_s - 0.2]))
    after = np.median(np.diff(times_s[times_s > slower_s + 1.0]))
    assert abs(before * 30 - 1) < 0.1 and abs(after * 15 - 1) < 0.1, "times are those of the frames"
    assert not evidence.of("device_lost", stream="dim"), evidence.of("device_lost", stream="dim")
    amber = [
        said for _, said in evidence.light("dim", "look") if "announced as 30 Hz" in said or "lost" in said
    ]
    assert amber, evidence.light("dim", "look")
    assert "not the 30 Hz announced" in evidence.reasons("dim"), evidence.reasons("dim")
    lost = evidence.stream("dim")["lost"]
    return Found(f"{1 / before:.1f} → {1 / after:.1f} Hz in the frames' times, {lost} counted as lost")


def shows_less(evidence: Evidence) -> Found:
    short, again = evidence.of("memory")
    assert (short.data["shown"], again.data["shown"]) == ("nothing", "all")
    assert short.data["free_mb"] < 135 and short.data["whose"] == "the limit set for emolab", short
    assert short.time_s - evidence.deeds["memory short"] < PATIENCE_S, (short, evidence.deeds)
    lights = [said for name in ("thermal", "dim", "noisy") for _, said in evidence.light(name, "look")]
    amber = [said for said in lights if "recorded but not shown" in said]
    assert amber, lights
    assert "leaves only" in amber[0] and "close other programs" in amber[0]
    with Session.open(evidence.path) as session:
        times_s = session.streams["thermal"].times_s()
    meanwhile = times_s[(times_s > short.time_s) & (times_s < again.time_s)]
    rate_hz = len(meanwhile) / (again.time_s - short.time_s)
    assert rate_hz > 7 and np.diff(meanwhile).max() < 1.5, "recorded all along"
    assert evidence.stream("thermal")["reopened"] == 0
    assert not evidence.of("gap", "error"), evidence.of("gap", "error")
    told = f"{short.data['free_mb']} MB left: shows {short.data['shown']}, then {again.data['shown']}"
    return Found(
        f"{told}; meanwhile recorded at {rate_hz:.1f} Hz", again.time_s - evidence.deeds["memory back"]
    )


def sound_stands(evidence: Evidence) -> Found:
    """No onset moves with the wall clock: fitted is near requested, measured near fitted."""
    onsets = evidence.of("clip_onset")
    assert len(onsets) >= 4
    late_s = [event.time_s - event.data["requested_s"] for event in onsets]
    assert all(0 <= late < 5.0 for late in late_s), late_s  # a busy machine, not an hour
    heard = {event.data["clip"]: event.data["measured_s"] for event in evidence.of("onset_heard")}
    off_ms = [(heard[e.data["clip"]] - e.data["fitted_s"]) * 1e3 for e in onsets if e.data["clip"] in heard]
    assert all(abs(off) < 500 for off in off_ms), off_ms
    told = f"{len(onsets)} onsets {min(late_s) * 1e3:.0f} to {max(late_s) * 1e3:.0f} ms after their request"
    if off_ms:
        told += f", heard {min(off_ms):+.0f} to {max(off_ms):+.0f} ms off ({len(off_ms)} clips)"
    return Found(told)


def samples_stand(evidence: Evidence) -> Found:
    for name in ("board", "face"):
        facts = evidence.stream(name)
        assert facts["reopened"] == 0 and facts["last_s"] < evidence.report["duration_s"] + 1, name
    assert evidence.stream("board")["gaps"] == 0
    losses = evidence.of("device_lost", stream="voice")
    assert all(event.time_s > evidence.deeds["voice gone"] for event in losses), "only by its plug"
    with Session.open(evidence.path) as session:
        for stream in session.streams.values():
            steps_s = np.diff(stream.times_s())
            assert (steps_s > 0).all() and steps_s.max() < 30, "no hour anywhere"
    voice = evidence.stream("voice")
    return Found(f"board without gap, voice at {voice['true_rate_hz']:.0f} Hz, lost {voice['lost']}")


def date_is_told(evidence: Evidence) -> Found:
    ahead, back = evidence.of("clock_set")
    for event, by_s, deed in ((ahead, 3600.0, "ahead"), (back, -3600.0, "back")):
        assert abs(event.data["by_s"] - by_s) < 0.1 and event.data["utc"].endswith("+00:00")
        assert 0 <= event.time_s - evidence.deeds[deed] < PATIENCE_S
    seconds = ahead.time_s - evidence.deeds["ahead"]
    return Found(f"clock_set by {ahead.data['by_s']:+.1f} s and {back.data['by_s']:+.1f} s", seconds)


def clip_is_marked(evidence: Evidence) -> Found:
    (lost,) = evidence.of("device_lost", stream="sound output")
    third = evidence.of("clip_onset")[2].data["clip"]
    assert lost.data["clip"] == third and "Check the card and its cable" in lost.data["reason"]
    ended = [(event.data["clip"], event.data["how"]) for event in evidence.of("clip_ended")][:4]
    assert [how for _, how in ended] == ["done", "done", "silenced", "done"] and ended[2][0] == third
    done = evidence.report["trials"]["done"]
    assert done < CLIPS and f"{done} of {CLIPS} clips were heard to their end." in evidence.report["reasons"]
    return Found(f"{third}: silenced, {lost.time_s - evidence.deeds['voice gone']:.1f} s after it went")


def protocol_holds(evidence: Evidence) -> Found:
    (found,) = evidence.of("device_found", stream="sound output")
    (held,), (resumed,) = evidence.of("paused"), evidence.of("resumed")
    assert "sound output has stopped" in held.data["reason"]
    onset = evidence.of("clip_onset")[3]
    assert held.time_s < evidence.deeds["voice back"] < found.time_s <= resumed.time_s < onset.time_s
    assert onset.time_s - onset.data["requested_s"] < 5.0, "the first onset after it is known, too"
    holding = [said for _, phase, said in evidence.messages if phase == "holding"]
    assert holding and "the session goes on when it is back" in holding[0]
    return Found(
        f"held {resumed.time_s - held.time_s:.1f} s, next clip by itself",
        resumed.time_s - evidence.deeds["voice back"],
    )


def window_is_awaited(evidence: Evidence) -> Found:
    (frozen,), (thawed,) = evidence.of("window_frozen"), evidence.of("window_thawed")
    stopped_s, goes_on_s = evidence.deeds["windows stopped"], evidence.deeds["windows go on"]
    assert frozen.time_s - stopped_s < 5 + PATIENCE_S
    assert abs(thawed.data["frozen_s"] - (goes_on_s - stopped_s)) < PATIENCE_S
    ((_, _, said),) = evidence.messages
    assert said.startswith("The participant's window does not respond.")
    assert not evidence.of("window_lost")
    onsets_s = [event.time_s for event in evidence.of("clip_onset")]
    assert not [at_s for at_s in onsets_s if frozen.time_s < at_s < thawed.time_s], "no clip for nobody"
    return Found(
        f"frozen told after {frozen.time_s - stopped_s:.1f} s, held, on again", thawed.time_s - goes_on_s
    )


def answer_is_missing(evidence: Evidence) -> Found:
    """The report nobody could give is missing, and a key pressed meanwhile answers no later page."""
    assert evidence.seen["board is whole"], "every row the board sent is in the file"
    given = [event.data["state"] for event in evidence.of("answer")]
    assert given[0] is not None and given[1] is None, given
    (frozen,), (thawed,) = evidence.of("window_frozen"), evidence.of("window_thawed")
    late = [e for e in evidence.of("answer_changed") if frozen.time_s < e.time_s < thawed.time_s + 1.0]
    assert not late, late
    missing = sum(state is None for state in given)
    assert f"{missing} of {len(given)} reports were not given in time." in evidence.report["reasons"]
    return Found("report 1 missing, the late key ignored, board whole")


# the table

_LOST = "device_lost with the remedy; one gap; device_found; '… went away and came back' in the verdict"
_RED = "red: what to do"


def _unplugged(stream: str, what: str, why: str, session: str = "unplug") -> Fault:
    done = f"{what}, and put back"
    return Fault(f"{stream}: unplugged", done, _LOST, _RED, session, partial(comes_back, stream, why))


def _stalled(stream: str, what: str, why: str) -> Fault:
    record = f"{_LOST}, once, however often its port opens meanwhile"
    return Fault(
        f"{stream}: hangs", what, record, "red until it delivers", "stall", partial(stays_red, stream, why)
    )


FAULTS: tuple[Fault, ...] = (
    _unplugged("board", "PhysioKit board's port vanishes", "push the cable home at both ends"),
    _unplugged("frames", "emolab board's port vanishes", "push the cable home at both ends"),
    _unplugged("face", "network camera dies", "check the cable or address"),
    _unplugged("thermal", "16-bit network camera dies", "check the cable or address"),
    _unplugged("eeg", "LSL sender ends", "start the program that sends it"),
    _unplugged("voice", "the source behind the microphone is unloaded", "plug it in again", "sound"),
    _stalled("board", "PhysioKit board stopped, then reset", "check 'baud'"),
    _stalled("frames", "emolab board stopped, then reset", "press its reset"),
    _stalled("face", "camera stopped, then goes on", "has sent no frame for 2 s"),
    _stalled("thermal", "thermal camera stopped, then goes on", "has sent no frame for 2 s"),
    _stalled("eeg", "LSL sender stopped, then started anew", "has sent nothing for 2 s"),
    _stalled("voice", "sound source suspended, then goes on", "has sent no sound for"),
    Fault(
        "garbage on the line",
        "every 100th line of the PhysioKit board is garbage",
        "counted as corrupt; all good rows unchanged; 'damaged samples' in the verdict",
        "amber: lost in the last 10 s",
        "noise",
        garbage_is_counted,
    ),
    Fault(
        "damaged frames",
        "emolab board's frames damaged, dropped, doubled",
        "lost (by its counter), corrupt, duplicated, each counted",
        "amber: lost in the last 10 s",
        "noise",
        damage_is_counted,
    ),
    Fault(
        "camera halves its rate",
        "30 → 15 frames a second, as in the dark",
        "true times of the frames; 'runs at … not the 30 Hz announced'",
        "amber: runs at 15.0 Hz",
        "noise",
        rate_is_told,
    ),
    Fault(
        "no memory to spare",
        "engine's address space limited to 105 MB more than it has",
        "memory: nothing shown; all recorded; memory: all shown",
        "amber: recorded but not shown",
        "noise",
        shows_less,
    ),
    Fault(
        "date set: sound",
        "wall clock +1 h in clip 1, −1 h in clip 2 (PortAudio stamps with it)",
        "each onset fitted and heard where it was asked for",
        "as before",
        "sound",
        sound_stands,
    ),
    Fault(
        "date set: samples",
        "the same session",
        "times rise without gap, no stream reopened",
        "as before",
        "sound",
        samples_stand,
    ),
    Fault(
        "date set: on record",
        "the same session",
        "clock_set: by how much, and the date since",
        "amber line in the log",
        "sound",
        date_is_told,
    ),
    Fault(
        "sound card goes: trial",
        "the only sound card is unloaded in mid-clip",
        "device_lost with the clip; clip_ended: silenced; not counted as heard",
        "what to do, on the console",
        "sound",
        clip_is_marked,
    ),
    Fault(
        "sound card goes: protocol",
        "the same session; the card comes back",
        "paused; device_found; resumed; next clip's onset known",
        "'goes on when it is back'",
        "sound",
        protocol_holds,
    ),
    Fault(
        "windows freeze",
        "the window process is stopped for 30 s",
        "window_frozen; held before the next clip; window_thawed; goes on",
        "'does not respond'",
        "frozen",
        window_is_awaited,
    ),
    Fault(
        "windows freeze: answers",
        "the same session; a key is pressed meanwhile",
        "the report is missing, the key answers nothing, no sample lost",
        "as before",
        "frozen",
        answer_is_missing,
    ),
    Fault(
        "screen unplugged",
        "the participant's monitor goes and comes back",
        "screen_lost; held before the next clip; screen_found; goes on",
        "'the participant's screen is gone'",
        "tests/e2e/test_window_dies.py::test_unplugged_screen_is_noticed_and_the_session_waits_for_it",
    ),
    Fault(
        "window process killed",
        "kill -9 of console and participant's page in mid-clip",
        "window_lost; held; a new window attaches; goes on",
        "'the window has gone'",
        "tests/e2e/test_window_dies.py::test_session_survives_the_death_of_its_window",
    ),
)

SESSIONS = tuple(dict.fromkeys(fault.session for fault in FAULTS if fault.check is not None))
