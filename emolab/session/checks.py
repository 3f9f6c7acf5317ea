"""What the pre-flight looks at, one function each: facts in, `CheckView`s out.

Red (`act`) where the session would be lost or a stream worth nothing, amber (`look`) where quality
suffers; each that is not well says what to do.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emolab.composer.audio import pcm_sha256, read
from emolab.composer.clipcheck import check_clip
from emolab.core.clock import CLOCK
from emolab.core.errors import DataError
from emolab.core.settings import Settings
from emolab.devices.machine import Disk
from emolab.protocol.bank import Bank
from emolab.session import stimuli
from emolab.session.judging import judge_channels
from emolab.session.snapshot import CheckView, Level
from emolab.session.takes import Take
from emolab.signals.body import pulse
from emolab.signals.finding import Quality, level_of
from emolab.signals.frames import judge_rgb, judge_thermal
from emolab.signals.measures import evenly
from emolab.signals.sound import full_scale, judge_sound, level_dbfs

ROOM_FOR_SESSIONS = 1.5
WHILE_RECORDED = 2  # the session file, and its journal until that is on the disk
RATE_LOOK, RATE_ACT = 0.15, 0.5  # boards announced as 250 Hz run at 255 to 275; half the rate is a fault
LOSS_ACT = 0.05  # of the samples; less is bridged, and stands in the file
GAP_S = 0.5  # and at least five samples
SPEED_ACT, SPEED_LOOK = 2.0, 5.0  # times what the streams need: disks pause, for updates and for breath
CLOCK_STEP_S = 0.25  # more than a network clock corrects in a minute
CLOCK_TICK_S = 1e-3
FIRST_YEAR = 2025  # a clock that says earlier has an empty battery


# storage


def disk_checks(place: Disk, bytes_per_s: float, session_s: float) -> Iterator[CheckView]:
    """Room to record one and a half sessions, and a disk that keeps up."""
    need = ROOM_FOR_SESSIONS * WHILE_RECORDED * session_s * bytes_per_s
    size = _size(session_s * bytes_per_s)
    one = f"a session of {session_s / 60:.0f} min takes {size}, twice that while it is recorded"
    told = f"{_size(place.free_bytes)} are free; {one}"
    if not place.is_writable:
        yield CheckView("disk", "act", f"{place.path} cannot be written to", "Choose another study folder.")
        return
    if place.free_bytes < need:
        yield CheckView("disk", "act", told, "Free some space, or choose a study folder on another disk.")
    else:
        yield CheckView("disk", "well", told)
    if place.write_mb_s is None:
        return
    told = f"the disk takes {place.write_mb_s:.0f} MB/s; the streams bring {_size(bytes_per_s)}/s"
    times = place.write_mb_s * 1e6 / max(bytes_per_s, 1.0)
    level: Level = "act" if times < SPEED_ACT else "look" if times < SPEED_LOOK else "well"
    remedy = "Record to a disk inside this computer, not to a network or a memory stick."
    yield CheckView("write speed", level, told, "" if level == "well" else remedy)


def _size(nbytes: float) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if nbytes >= factor:
            return f"{nbytes / factor:.1f} {unit}"
    return f"{nbytes / 1e3:.0f} kB"


# streams


def rate_check(take: Take, seconds: float) -> CheckView:
    """Whether a stream came at its rate, without loss and without a pause."""
    name, nominal_hz = take.info.name, take.info.nominal_rate_hz
    if not take.samples:
        if take.info.may_be_silent:
            return CheckView(name, "well", f"{name} sent no marker in {seconds:.0f} s", stream=name)
        what = f"{name} delivered nothing in {seconds:.0f} s"
        return CheckView(name, "act", what, "Check its cable and power, or leave it out.", name)
    told = f"{name} delivers {take.rate_hz:.1f} Hz"
    share = take.lost / (take.lost + take.samples)
    if nominal_hz and abs(take.rate_hz / nominal_hz - 1) > RATE_LOOK:
        level: Level = "act" if abs(take.rate_hz / nominal_hz - 1) > RATE_ACT else "look"
        remedy = "Set 'nominal_rate_hz' in the device file to what the board sends, or mend its firmware."
        if take.info.is_image:
            remedy = "Light the room, for a camera slows down in the dark, or choose a smaller picture."
        return CheckView(name, level, f"{told}, announced as {nominal_hz:g} Hz", remedy, name)
    if take.lost:
        what = f"{told} but lost {take.lost} samples of {take.lost + take.samples}"
        remedy = "Use another USB port or a shorter cable, and close what else uses the computer."
        return CheckView(name, "act" if share > LOSS_ACT else "look", what, remedy, name)
    if take.longest_gap_s > max(GAP_S, 5 / nominal_hz if nominal_hz else 0.0) and nominal_hz:
        what = f"{told} but paused for {take.longest_gap_s:.1f} s"
        return CheckView(name, "look", what, "Close what else uses the computer, and look again.", name)
    return CheckView(name, "well", f"{told}, nothing lost", stream=name)


def signal_checks(take: Take) -> Iterator[CheckView]:
    """What each channel of a stream is worth; a picture's or a microphone's is one channel."""
    info = take.info
    if not take.samples or info.kind == "lsl":
        return
    if info.kind == "rgb":
        yield _told(info.name, "picture", judge_rgb(np.stack(take.pictures), info.name), "shows a lit face")
    elif info.kind == "thermal":
        channel = info.channels[0]
        celsius = np.stack(take.pictures) * channel.scale + channel.offset
        quality = judge_thermal(celsius, info.name, unit=channel.unit)
        yield _told(info.name, "picture", quality, "shows a warm face")
    elif info.kind == "audio":
        _, samples = take.series()
        quality = judge_sound(samples, info.nominal_rate_hz or take.rate_hz, info.name)
        level = level_dbfs(full_scale(samples))
        yield _told(info.name, "level", quality, f"hears the room at {level:.0f} dBFS")
    else:
        times_s, raw = take.series()
        for at, (channel, quality) in enumerate(judge_channels(info, times_s, raw)):
            values = raw[:, at] * channel.scale + channel.offset
            fact = _fact(channel.kind, channel.unit, values, times_s)
            yield _told(info.name, channel.name, quality, fact, who=channel.name)


def _fact(kind: str, unit: str, values: np.ndarray, times_s: np.ndarray) -> str:
    """What to say of a channel that is well."""
    if kind == "ppg":
        even = evenly(values.astype(np.float64), times_s, None)
        return f"shows a pulse, {pulse(even.values, even.rate_hz)[1]:.0f} a minute"
    if kind == "eda" and unit != "counts":
        return f"is at {np.median(values):.1f} {unit}"
    return "is well"


def _told(stream: str, part: str, quality: Quality, fact: str, who: str = "") -> CheckView:
    name = f"{stream}: {part}"
    if not quality.findings:
        return CheckView(name, "well", f"{who or stream} {fact}", stream=stream)
    gravest = quality.findings[0]
    what = "; ".join(finding.what for finding in quality.findings)
    if quality.share is not None and level_of(quality.share) != "well" and "can be used" not in what:
        what += f"; {quality.share:.0%} of it can be used"
    return CheckView(name, quality.level, what, gravest.remedy, stream)


# the rest of the room


def clip_checks(bank: Bank, clips: Iterable[str], settings: Settings) -> Iterator[CheckView]:
    """The clips of this session: there, and the very sound that the manifest lists."""
    wanted = sorted(set(clips))
    paths = {clip: stimuli.clip_path(bank, clip, settings) for clip in wanted}
    absent = stimuli.missing(bank, wanted, settings)
    bad = [(clip, why) for clip in wanted if clip not in absent and (why := _damage(bank, clip, paths[clip]))]
    for _, why in bad:
        yield CheckView("clips", "act", why, "Restore the file, or run 'emolab stimuli render --force'.")
    if absent:
        what = f"{len(absent)} of {len(wanted)} clips are not composed yet"
        yield CheckView("clips", "look", what, "They are composed before the start; wait for them.")
    elif not bad:
        yield CheckView("clips", "well", f"all {len(wanted)} clips sound as the manifest says")


def _damage(bank: Bank, clip: str, path: Path) -> str:
    """Why a clip must not be played; empty when it may."""
    expected = bank.entry(clip).sha256
    if not path.is_file():
        return f"{path} is not there"
    try:
        if not expected or pcm_sha256(read(path)[0]) == expected:
            return ""
    except DataError as error:
        return str(error)
    grave = [f for f in check_clip(path, expected_sha256=expected, piece_id=clip) if f.grave]
    return str(grave[0]) if grave else ""


def sound_check(fault: str, is_wanted: bool, underruns: int) -> CheckView:
    """Whether the participant will hear the music."""
    if not is_wanted:
        return CheckView("sound output", "well", "nobody listens to this session")
    if fault:
        return CheckView("sound output", "act", fault, "Then choose Retry beside the sound.")
    if underruns:
        what = f"the sound card ran dry {underruns} times while it played silence"
        return CheckView("sound output", "look", what, "Close what else uses the computer.")
    return CheckView("sound output", "well", "the sound output is open and keeps up")


def screen_check(screens: Sequence[Mapping[str, Any]] | None, is_wanted: bool, attached: str) -> CheckView:
    """Whether experimenter and participant each have a screen.

    `screens`: `{"name", "width", "height"}` each, with `x` and `y` where known; None when no window
    has told. `attached`: the screen the participant's window has taken.
    """
    if not is_wanted:
        return CheckView("screens", "well", "this session needs no screen")
    if screens is None:
        remedy = "Run the pre-flight from the console."
        return CheckView("screens", "look", "no window has told which screens there are", remedy)
    told = ", ".join(_screen(screen) for screen in screens)
    places = [(screen["x"], screen["y"]) for screen in screens if "x" in screen and "y" in screen]
    if len(set(places)) < len(places):
        remedy = "Set the participant's screen to extend this one in the system's settings."
        return CheckView("screens", "act", f"the screens show the same picture: {told}", remedy)
    if len(screens) >= 2:
        taken = f"; the participant's is {attached}" if attached else ""
        return CheckView("screens", "well", f"{told}{taken}")
    remedy = "Connect the participant's screen and set it to extend, not mirror, this one."
    return CheckView("screens", "look", f"one screen only: {told}" if screens else "no screen", remedy)


def _screen(screen: Mapping[str, Any]) -> str:
    return f"{screen.get('name', 'unnamed')} {screen.get('width', '?')}×{screen.get('height', '?')}"


@dataclass(frozen=True)
class ClockReading:
    """The machine's two clocks at one moment, in seconds."""

    wall_s: float
    monotonic_s: float

    @classmethod
    def now(cls) -> ClockReading:
        return cls(time.time(), time.monotonic())


def power_check(battery: float | None, refusal: str) -> CheckView:
    """Whether the computer lasts and stays awake. `battery`, `refusal`: as `awake` tells them."""
    if battery is not None:
        what = f"this computer runs on its battery, {battery:.0%} full"
        return CheckView("power", "look", what, "Plug it in: an empty battery ends the session.")
    if refusal:
        what = f"this computer may go to sleep by itself: the system refuses to be kept awake ({refusal})"
        return CheckView("power", "look", what, "Switch automatic sleep off in the system's settings.")
    return CheckView("power", "well", "nothing puts this computer to sleep during a session")


def clock_check(before: ClockReading, after: ClockReading, tick_s: float | None = None) -> CheckView:
    """Whether the date is plausible, the wall clock steady, and the session clock fine enough."""
    step_s = (after.wall_s - before.wall_s) - (after.monotonic_s - before.monotonic_s)
    tick_s = time.get_clock_info(CLOCK).resolution if tick_s is None else tick_s
    year = time.gmtime(after.wall_s).tm_year
    if year < FIRST_YEAR:
        what = f"this computer believes it is the year {year}"
        return CheckView("clock", "look", what, "Set its date: the recording keeps it.")
    if abs(step_s) > CLOCK_STEP_S:
        what = f"the date was set by {step_s:+.1f} s meanwhile"
        return CheckView("clock", "look", what, "Let the system set its time first; sample times are safe.")
    if tick_s > CLOCK_TICK_S:
        what = f"this system's clock moves in steps of {tick_s * 1e3:.0f} ms"
        return CheckView("clock", "look", what, "Arrival times are no finer; use a board with a counter.")
    return CheckView("clock", "well", "date and clock are steady")
