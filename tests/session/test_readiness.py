"""The pre-flight over a live engine: well when all is well, red with the reason, and red stops the start."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.core.clock import PacedClock
from emolab.core.errors import ConfigError
from emolab.core.settings import Settings
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.devices import config
from emolab.devices.machine import Disk
from emolab.devices.simulated import demo_device_file
from emolab.protocol.bank import Bank
from emolab.recording.reader import Session
from emolab.session import awake, checks, commands, live_session, readiness, view
from emolab.session.engine import Engine
from emolab.session.prepare import StartRequest, lay_out
from emolab.session.snapshot import CheckView, Snapshot
from emolab.session.takes import Take, Takes

BOARD = '[[instrument]]\nkind = "simulated"\nname = "board"\nstream = "board"\n'
CAMERA = '[[instrument]]\nkind = "simulated"\nname = "camera"\nstream = "rgb"\n'
SLOW = BOARD + "true_rate_hz = 100\n"
UNPLUGGED = BOARD + 'faults = [{ kind = "unplug", at_s = 0, for_s = 9999 }]\n'
REQUEST = StartRequest("quick", "P001", answers="simulated")
SPEED = 40.0


@contextmanager
def engine(folder: Path, stimuli: Path, devices: str) -> Iterator[Engine]:
    """An engine whose instruments deliver, or have failed to."""
    path = folder / "devices.toml"
    path.write_text(devices)
    settings, clock = Settings(stimuli=stimuli), PacedClock(SPEED)
    with closing(Engine(folder / "study", config.load(path), clock, settings, with_sound=False)) as made:
        made.arm(render=False)
        serve(made, lambda: all(light.samples or light.level == "act" for light in made.health()))
        yield made


def serve(engine: Engine, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    engine.serve(until=lambda: until() or time.monotonic() > deadline)
    assert until(), "waited two minutes in vain"


def look(engine: Engine, seconds: float = 4.0, **command: Any) -> dict[str, CheckView]:
    """Ask for the pre-flight as a window does, and wait for its results."""
    asked = {"do": "preflight", **vars(REQUEST), "seconds": seconds, **command}
    commands.apply(engine, asked)
    asked_for = engine.preflight
    assert asked_for is not None
    serve(engine, lambda: not asked_for.is_busy)
    return {check.name: check for check in asked_for.checks}


def test_the_simulated_laboratory_is_well_in_every_respect(
    tmp_path: Path, stimuli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awake, "battery", lambda: None)  # a laptop's is its own affair
    monkeypatch.setattr(awake, "refusal", lambda: "")
    with engine(tmp_path, stimuli, demo_device_file()) as made:
        found = look(made, seconds=10.0)
        assert {name: check.level for name, check in found.items() if name != "write speed"} == dict.fromkeys(
            [
                "board",
                "board: gsr",
                "board: respiration",
                "board: ppg_finger",
                "board: ppg_ear",
                "camera",
                "camera: picture",
                "thermal",
                "thermal: picture",
                "microphone",
                "microphone: level",
                "sound output",
                "screens",
                "clock",
                "power",
                "disk",
                "clips",
            ],
            "well",
        )
        assert "254.9 Hz" in found["board"].what and found["board"].stream == "board"
        assert all(check.remedy == "" for check in found.values() if check.level == "well")
        assert all(light.level == "well" for light in made.health())


def test_progress_and_results_are_in_the_snapshot(tmp_path: Path, stimuli: Path) -> None:
    with engine(tmp_path, stimuli, BOARD) as made:
        assert view.snapshot_of(made).preflight_progress is None
        held = made.clock.follow("test")  # it is not over before it has been seen
        held.allow_until(made.clock.now_s() + 15.0)
        commands.apply(made, {"do": "preflight", **vars(REQUEST), "seconds": 30})
        serve(made, lambda: (view.snapshot_of(made).preflight_progress or 0) > 0.1)
        with pytest.raises(ConfigError, match="running already"):
            commands.apply(made, {"do": "preflight", **vars(REQUEST)})
        with pytest.raises(ConfigError, match="still running"):
            live_session.start(made, REQUEST)
        during = view.snapshot_of(made)
        assert during.preflight_number == 1
        assert during.preflight == () and 0 < (during.preflight_progress or 0) < 1
        held.leave()
        assert made.preflight is not None
        serve(made, lambda: made.preflight is not None and not made.preflight.is_busy)
        after = Snapshot.from_json(view.snapshot_of(made).to_json())
        assert after.preflight_progress is None
        assert after.preflight == made.preflight.checks and len(after.preflight) > 8


def test_red_stops_the_start_until_a_reason_is_typed_and_recorded(tmp_path: Path, stimuli: Path) -> None:
    with engine(tmp_path, stimuli, SLOW) as made:
        assert look(made)["board"].level == "act"
        for reason in ("", "   "):
            with pytest.raises(ConfigError, match=r"board delivers 100\.\d Hz, announced as 250 Hz"):
                live_session.start(made, replace(REQUEST, override=reason))
        assert made.phase == "setup" and not list((tmp_path / "study").glob("P*"))
        live_session.start(made, replace(REQUEST, override="the new board comes tomorrow"))
        serve(made, lambda: made.zero_s + 1 < made.clock.now_s())
        made.interrupt("test")
        serve(made, lambda: made.phase == "finished")
        assert made.prepared is not None
        path = made.prepared.path
    with Session.open(path) as session:
        (told,) = [event for event in session.events if event.kind == "override"]
    assert told.data["reason"] == "the new board comes tomorrow"
    assert [check["name"] for check in told.data["checks"]] == ["board"]
    assert "announced as 250 Hz" in told.data["checks"][0]["what"]


def test_a_reason_without_red_leaves_no_event(tmp_path: Path, stimuli: Path) -> None:
    with engine(tmp_path, stimuli, BOARD) as made:
        assert readiness.gate(made, "just in case") is None


def test_leaving_the_stream_out_takes_its_red_away(tmp_path: Path, stimuli: Path) -> None:
    with engine(tmp_path, stimuli, SLOW + CAMERA) as made:
        look(made)
        assert [check.stream for check in readiness.reds(made)] == ["board"]
        commands.apply(made, {"do": "leave_out", "stream": "board"})
        assert readiness.reds(made) == [] and readiness.gate(made, "") is None
        assert "board" not in look(made)


def test_what_never_delivered_cannot_be_overridden(tmp_path: Path, stimuli: Path) -> None:
    with engine(tmp_path, stimuli, UNPLUGGED + CAMERA) as made:
        assert look(made)["board"].level == "act"
        with pytest.raises(ConfigError, match="unplugged"):
            live_session.start(made, REQUEST)
        with pytest.raises(ConfigError, match=r"board has not delivered anything yet.*leave it out"):
            live_session.start(made, replace(REQUEST, override="we need the camera only"))
        commands.apply(made, {"do": "leave_out", "stream": "board"})
        live_session.start(made, REQUEST)
        assert made.phase == "running"
        with pytest.raises(ConfigError, match="before the session"):
            commands.apply(made, {"do": "preflight", **vars(REQUEST)})


@pytest.mark.parametrize(
    ("garbled", "complaint"),
    [
        ({"seconds": "ten"}, "'seconds' is 'ten'"),
        ({"seconds": 0}, "'seconds' is 0"),
        ({"screens": "HDMI"}, "'screens' must be a list"),
        ({"screens": ["HDMI"]}, "'screens' must be a list"),
        ({"protocol": "no-such-protocol"}, "no-such-protocol"),
    ],
)
def test_a_garbled_command_is_refused(
    tmp_path: Path, stimuli: Path, garbled: dict[str, Any], complaint: str
) -> None:
    with engine(tmp_path, stimuli, BOARD) as made:
        with pytest.raises(ConfigError, match=complaint):
            commands.apply(made, {"do": "preflight", **vars(REQUEST), **garbled})
        assert made.preflight is None


def test_closing_the_engine_ends_a_look_that_runs(tmp_path: Path, stimuli: Path) -> None:
    with engine(tmp_path, stimuli, BOARD) as made:
        commands.apply(made, {"do": "preflight", **vars(REQUEST), "seconds": 120})
        running = made.preflight
    assert running is not None
    deadline = time.monotonic() + 60
    while running.is_busy and time.monotonic() < deadline:  # it may still be loading SciPy
        time.sleep(0.01)
    assert not running.is_busy and running.checks == ()


# one check at a time

INFO = StreamInfo("board", (Channel("ppg", "ppg"),), 250.0, "uint16", (1,), {"adc_bits": 12})


def taken(rate_hz: float, *, seconds: float = 10.0, lost: int = 0, gap_s: float = 0.0) -> Take:
    takes = Takes([(INFO, Tally(lost=5))])
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    times_s[len(times_s) // 2 :] += gap_s
    for part in np.array_split(times_s, 20):
        values = np.zeros((len(part), 1), np.uint16)
        takes.take(Chunk("board", part, values, float(part[-1]), tally=Tally(lost=5 + lost)))
    return takes.of["board"]


@pytest.mark.parametrize(
    ("take", "level", "words"),
    [
        (taken(254.9), "well", "254.9 Hz, nothing lost"),
        (taken(215.0), "well", "215.0 Hz"),
        (taken(205.0), "look", "announced as 250 Hz"),
        (taken(120.0), "act", "announced as 250 Hz"),
        (taken(250.0, lost=3), "look", "lost 3 samples of 2503"),
        (taken(250.0, lost=250), "act", "lost 250 samples"),
        (taken(250.0, gap_s=0.8), "look", "paused for 0.8 s"),
        (Take(INFO, Tally(), Tally()), "act", "delivered nothing in 10 s"),
    ],
)
def test_a_stream_is_judged_by_rate_loss_and_pauses(take: Take, level: str, words: str) -> None:
    check = checks.rate_check(take, 10.0)
    assert check.level == level and words in check.what and check.stream == "board"
    assert bool(check.remedy) == (level != "well")


def test_video_is_counted_as_it_is_encoded_and_all_else_raw() -> None:
    camera = StreamInfo("camera", (Channel("rgb", "rgb"),), 30.0, "uint8", (120, 160, 3))
    takes = Takes([(camera, Tally()), (INFO, Tally())])
    for number in range(60):
        frame = np.full((1, 120, 160, 3), 90, np.uint8)
        takes.take(Chunk("camera", np.array([number / 30]), frame, number / 30))
    assert takes.of["camera"].rate_hz == pytest.approx(30.0)
    assert takes.of["camera"].bytes_per_s() < 0.05 * 30 * 120 * 160 * 3
    assert len(takes.of["camera"].pictures) == 2 and len(takes.of["camera"].burst) == 24
    assert taken(250.0).bytes_per_s() == pytest.approx(250 * 26, rel=0.01)


def test_the_disk_must_hold_one_and_a_half_sessions_and_their_journals() -> None:
    def levels(free: float, mb_s: float | None = 500.0) -> list[str]:
        return [check.level for check in checks.disk_checks(Disk("/x", int(free), True, mb_s), 1e6, 1200.0)]

    assert levels(3.7e9) == ["well", "well"]
    assert levels(3.5e9) == ["act", "well"]
    assert levels(3.7e9, 4.0) == ["well", "look"]
    assert levels(3.7e9, 1.5) == ["well", "act"]
    assert levels(3.7e9, None) == ["well"]
    (refused,) = checks.disk_checks(Disk("/x", 10**12, False), 1e6, 1200.0)
    assert refused.level == "act" and "cannot be written" in refused.what


def test_screens_are_told_by_name_and_mirrors_are_red() -> None:
    here = {"name": "EXP", "width": 1920, "height": 1080, "x": 0, "y": 0}
    there = {"name": "PART", "width": 1280, "height": 1024, "x": 1920, "y": 0}
    two = checks.screen_check([here, there], True, "PART")
    assert two.level == "well"
    assert two.what == "EXP 1920×1080, PART 1280×1024; the participant's is PART"
    assert checks.screen_check([here, {**there, "x": 0}], True, "").level == "act"
    assert checks.screen_check([here], True, "").level == "look"
    assert checks.screen_check([], True, "").level == "look"
    assert checks.screen_check(None, True, "").level == "look"
    assert checks.screen_check(None, False, "").level == "well"


def test_the_sound_output_must_be_there_when_somebody_listens() -> None:
    assert checks.sound_check("no loudspeaker", True, 0).level == "act"
    assert checks.sound_check("", True, 2).level == "look"
    assert checks.sound_check("", True, 0).level == "well"
    assert checks.sound_check("", False, 0).level == "well"


def test_a_clock_that_is_stepped_coarse_or_lost_is_told() -> None:
    noon = time.mktime((2026, 6, 1, 12, 0, 0, 0, 0, 0))
    before, after = checks.ClockReading(noon, 50.0), checks.ClockReading(noon + 10, 60.0)
    assert checks.clock_check(before, after, 1e-9).level == "well"
    assert "+3600.0 s" in checks.clock_check(before, replace(after, wall_s=noon + 3610), 1e-9).what
    assert "16 ms" in checks.clock_check(before, after, 0.0156).what
    assert "1970" in checks.clock_check(before, replace(after, wall_s=1e6), 1e-9).what


def clips_of(stimuli: Path) -> tuple[Bank, list[str], Settings]:
    _, bank, plan = lay_out(REQUEST)
    return bank, [clip.id for clip in plan.trials], Settings(stimuli=stimuli)


def test_clips_are_compared_with_the_manifest(tmp_path: Path, stimuli: Path) -> None:
    bank, clips, _ = clips_of(stimuli)
    (well,) = checks.clip_checks(bank, clips, Settings(stimuli=stimuli))
    assert well.level == "well" and "all 5 clips" in well.what
    folder = tmp_path / "clips"
    folder.mkdir()
    for clip in clips:
        shutil.copy(stimuli / bank.entry(clip).file, folder)
    other, changed, gone = (tmp_path / bank.entry(clip).file for clip in clips[:3])
    shutil.copy(other, changed)
    gone.unlink()
    found = list(checks.clip_checks(bank, clips, Settings(stimuli=tmp_path)))
    assert [check.level for check in found] == ["act", "look"]
    assert str(changed) in found[0].what and "1 of 5 clips" in found[1].what
    changed.write_bytes(b"fLaC no sound at all")
    assert next(iter(checks.clip_checks(bank, clips, Settings(stimuli=tmp_path)))).level == "act"
