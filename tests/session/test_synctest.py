"""The timing test on made instruments of known delay, and its judgement against a baseline."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.core.clock import Clock, Follower, PacedClock
from emolab.core.errors import ConfigError, DeviceNotFound
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.session.player import Onset, SilentPlayer
from emolab.session.synctest import Outcome, SyncTest, Trigger, _irregular, best_delay
from emolab.session.synctest_report import Baseline, judge, report, table
from emolab.signals.onsets import click

SIGNS = {"well": "●", "look": "▲", "act": "■"}
BEHIND_S = 0.4  # instruments deliver so late that every stimulus is known by then


@dataclass
class World:
    """What was really shown and played."""

    flashes: list[tuple[float, float]] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)


class Screen:
    """Paints exactly when planned."""

    name = "PART"

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self, steps: Sequence[tuple[float, float]], clock: Clock) -> None:
        self._world.flashes = list(steps)

    def painted_s(self) -> Sequence[float]:
        return [on_s for on_s, _ in self._world.flashes]


class Loudspeaker(SilentPlayer):
    """Plays exactly when asked."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def play(self, path: Path, duration_s: float, requested_s: float) -> None:
        self._known = Onset(requested_s, 0.0)
        self._world.clicks.append(requested_s)

    def onset(self) -> Onset | None:
        return self._known


class Patient(PacedClock):
    """Simulated time that waits for the timing test, too, whose thread is the one that makes it."""

    def __init__(self, speed: float = 12.0) -> None:
        super().__init__(speed)
        self._thread, self._test = threading.get_ident(), self.follow("timing test")

    def now_s(self) -> float:
        now_s = super().now_s()
        if threading.get_ident() == self._thread:
            self._test.allow_until(now_s + 0.75 * BEHIND_S)
        return now_s


class Instrument:
    """Delivers what the world shows it, `delay_s` late and drifting by `ppm` about second 20."""

    def __init__(
        self, info: StreamInfo, clock: Clock, world: World, delay_s: float = 0.0, ppm: float = 0.0
    ) -> None:
        self.info, self._clock, self._world = info, clock, world
        self._delay_s, self._ppm = delay_s, ppm
        self._next = 0
        self._follower: Follower | None = None
        self._rng = np.random.default_rng(1)

    def open(self) -> None:
        self._next = round((self._clock.now_s() - BEHIND_S) * self._rate_hz)
        self._follower = self._clock.follow(self.info.name)

    def read(self, timeout_s: float) -> Chunk | None:
        self._clock.sleep(0.05)
        now_s = self._clock.now_s()
        assert self._follower is not None
        self._follower.allow_until(now_s + 1.0)
        until = round((now_s - BEHIND_S) * self._rate_hz)
        if until <= self._next:
            return None
        true_s = np.arange(self._next, until) / self._rate_hz
        self._next = until
        seen = self._see(true_s)
        times_s = true_s + self._delay_s + (true_s - 20.0) * self._ppm * 1e-6
        return Chunk(self.info.name, times_s, seen, now_s)

    def close(self) -> None:
        if self._follower is not None:
            self._follower.leave()

    @property
    def _rate_hz(self) -> float:
        assert self.info.nominal_rate_hz is not None
        return self.info.nominal_rate_hz

    def _see(self, true_s: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _white(self, true_s: np.ndarray) -> np.ndarray:
        white = np.zeros(len(true_s))
        for on_s, off_s in self._world.flashes:
            white[(true_s >= on_s) & (true_s < off_s)] = 1.0
        return white


class Camera(Instrument):
    def _see(self, true_s: np.ndarray) -> np.ndarray:
        half_s = 0.5 / self._rate_hz  # it exposes all the time between two frames
        fine = (true_s[:, None] + np.linspace(-half_s, half_s, 21)[None, :]).ravel()
        share = self._white(fine).reshape(len(true_s), -1).mean(axis=1)
        frames = np.repeat((40 + 120 * share).astype(np.uint8), 16 * 16 * 3).reshape(-1, 16, 16, 3)
        noise = self._rng.integers(0, 8, frames.shape, dtype=np.uint8)
        return frames + noise


class Ear(Instrument):
    def _see(self, true_s: np.ndarray) -> np.ndarray:
        sound = self._rng.normal(0, 60, len(true_s))
        wave = 4000 * click(self._rate_hz)
        for onset_s in self._world.clicks:
            first = int(np.ceil((onset_s - true_s[0]) * self._rate_hz))
            begin, end = max(first, 0), min(first + len(wave), len(sound))
            if begin < end:
                sound[begin:end] += wave[begin - first : end - first]
        return sound.astype(np.int16)[:, None]


class Board(Instrument):
    """Three channels: noise, a light sensor that falls when it is white, pulses with each click."""

    def _see(self, true_s: np.ndarray) -> np.ndarray:
        pulses = np.zeros(len(true_s))
        for onset_s in self._world.clicks:
            pulses[(true_s >= onset_s) & (true_s < onset_s + 0.03)] = 1.0
        rows = [
            500 + 200 * np.sin(2 * np.pi * 1.2 * true_s),
            800 - 600 * self._white(true_s),
            100 + 700 * pulses,
        ]
        return (np.stack(rows, axis=1) + self._rng.normal(0, 2, (len(true_s), 3))).astype(np.uint16)


class Absent(Instrument):
    def open(self) -> None:
        raise DeviceNotFound("there is no belt on COM7; plug it in")


def camera_info(rate_hz: float = 30.0) -> StreamInfo:
    return StreamInfo("face", (Channel("rgb", "rgb"),), rate_hz, "uint8", (16, 16, 3))


def ear_info(rate_hz: float = 16_000.0) -> StreamInfo:
    return StreamInfo("voice", (Channel("sound", "audio"),), rate_hz, "int16", (1,))


def board_info(rate_hz: float = 250.0) -> StreamInfo:
    channels = (Channel("gsr", "eda"), Channel("ppg_finger", "ppg"), Channel("ppg_ear", "ppg"))
    return StreamInfo("board", channels, rate_hz, "uint16", (3,))


def laboratory(
    world: World, clock: Clock, face_s: float = 0.0, voice_s: float = 0.0, ppm: float = 0.0
) -> list[Any]:
    return [
        Camera(camera_info(), clock, world, face_s),
        Ear(ear_info(), clock, world, voice_s, ppm),
        Board(board_info(), clock, world, 0.025),
    ]


@pytest.fixture(scope="module")
def tested() -> Outcome:
    """A test of the whole laboratory with known delays."""
    world, clock = World(), Patient()
    sources = laboratory(world, clock, 0.085, 0.0123, ppm=150.0)
    return SyncTest(sources, clock, Loudspeaker(world), Screen(world), seconds=36.0).run()


def test_each_delay_is_found(tested: Outcome) -> None:
    found = {answer.key: answer.delay for answer in tested.answers}
    assert set(found) == {
        "face/rgb flash", "voice/sound click", "board/ppg_finger flash", "board/ppg_ear click"
    }  # fmt: skip
    face, voice = found["face/rgb flash"], found["voice/sound click"]
    light, sound = found["board/ppg_finger flash"], found["board/ppg_ear click"]
    assert face is not None and voice is not None and light is not None and sound is not None
    assert abs(face.offset_ms - 85.0) < 1000 / 30 / 2
    middle_s = 0.5 * 36 + 4.5  # of the stimuli, give or take
    assert abs(voice.offset_ms - 12.3 - (middle_s - 20) * 0.150) < 1.0
    assert abs(light.offset_ms - 25.0) < 1.0
    assert abs(sound.offset_ms - 25.0) < 1.0
    assert abs(voice.drift_ppm - 150) < 20
    assert all(late is not None and late.found >= late.given - 1 for late in found.values())


def test_everything_is_given_irregularly_and_slowly_enough(tested: Outcome) -> None:
    assert 20 <= tested.given["flash"] <= 45
    assert 20 <= tested.given["click"] <= 45
    assert not tested.lost and not tested.was_stopped and tested.screen == "PART"


def test_without_a_screen_nothing_is_said_of_cameras() -> None:
    world, clock = World(), Patient()
    outcome = SyncTest(laboratory(world, clock), clock, Loudspeaker(world), None, seconds=12.0).run()
    assert {answer.key for answer in outcome.answers} == {"voice/sound click", "board/ppg_ear click"}


def test_an_instrument_that_is_not_there_is_told_and_the_others_are_tested() -> None:
    world, clock = World(), Patient()
    belt = StreamInfo("belt", (Channel("respiration", "respiration"),), 50.0, "uint16", (1,))
    sources = [Absent(belt, clock, world), Ear(ear_info(), clock, world, 0.02)]
    outcome = SyncTest(sources, clock, Loudspeaker(world), None, seconds=12.0).run()
    assert outcome.lost == {"belt": "there is no belt on COM7; plug it in"}
    [voice] = outcome.answers
    assert voice.delay is not None and abs(voice.delay.offset_ms - 20) < 1
    judged = judge(report(outcome, 12.0, Path("d.toml"), "", []), None)
    assert judged["level"] == "act"
    assert "no belt on COM7" in table(judged, SIGNS)


def test_a_wired_channel_that_shows_nothing_is_told() -> None:
    world, clock = World(), Patient()
    sources = [Board(board_info(), clock, world)]
    wired = [Trigger("board", "gsr", "flash")]
    outcome = SyncTest(sources, clock, None, Screen(world), wired, seconds=12.0).run()
    by_key = {answer.key: answer.delay for answer in outcome.answers}
    assert by_key["board/gsr flash"] is None
    assert by_key["board/ppg_finger flash"] is not None
    judged = judge(report(outcome, 12.0, Path("d.toml"), "", []), None)
    assert "board/gsr shows no flash" in table(judged, SIGNS)


@pytest.mark.parametrize(
    ("triggers", "words"),
    [(["board/belt=flash"], "'belt'"), (["bord/gsr=flash"], "'bord'"), (["board/gsr=noise"], "=flash")],
)
def test_a_trigger_that_cannot_be_is_refused_by_name(triggers: Iterable[str], words: str) -> None:
    world, clock = World(), Patient()
    with pytest.raises(ConfigError, match=words):
        SyncTest(
            [Board(board_info(), clock, world)],
            clock, None, Screen(world), [Trigger.parse(text) for text in triggers],
        )  # fmt: skip


def test_a_camera_that_is_later_than_the_next_flash_is_measured_too() -> None:
    world, clock = World(), Patient()
    camera = Camera(camera_info(), clock, world, 1.93)
    [face] = SyncTest([camera], clock, None, Screen(world), seconds=20.0).run().answers
    assert face.delay is not None and abs(face.delay.offset_ms - 1930) < 1000 / 30 / 2
    assert face.delay.found >= face.given - 2


def test_rings_that_windows_will_not_remove_cost_no_results(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what stays lies there
    remove = os.unlink

    def refuse(path: str, **options: Any) -> None:
        if str(path).endswith(".ring"):
            raise PermissionError(13, "The process cannot access the file because it is being used", path)
        remove(path, **options)

    world, clock = World(), Patient()
    test = SyncTest([Ear(ear_info(), clock, world)], clock, Loudspeaker(world), None, seconds=12.0)
    monkeypatch.setattr(os, "unlink", refuse)
    assert [answer.key for answer in test.run().answers] == ["voice/sound click"]


def test_a_test_that_is_stopped_ends_at_once_and_says_so() -> None:
    world, clock = World(), PacedClock(1.0)
    test = SyncTest([Ear(ear_info(), clock, world)], clock, Loudspeaker(world), None, seconds=600.0)
    threading.Timer(0.5, test.stop).start()
    outcome = test.run()
    assert outcome.was_stopped and clock.now_s() < 30
    assert not any(answer.delay for answer in outcome.answers)


def test_with_nothing_to_give_there_is_no_test() -> None:
    clock = PacedClock(12.0)
    with pytest.raises(ConfigError, match="neither a screen"):
        SyncTest([], clock, None, None)
    with pytest.raises(ConfigError, match="3 s"):
        SyncTest([], clock, SilentPlayer(), None, seconds=3.0)


# judging


def facts(offset_ms: float = 12.0, jitter_ms: float = 0.4, drift: float = 0.1, **more: Any) -> dict[str, Any]:
    row = {
        "stream": "voice", "channel": "sound", "stimulus": "click", "step_ms": 0.02, "given": 48, "found": 48,
        "offset_ms": offset_ms, "offset_error_ms": 0.07, "jitter_ms": jitter_ms, "p95_ms": 2 * jitter_ms,
        "drift_ms_per_min": drift, "drift_error_ms_per_min": 0.2, "drift_ppm": drift * 16.7,
    } | more  # fmt: skip
    return {
        "date_utc": "2026-01-01T10:00:00+00:00", "seconds": 60.0, "was_stopped": False,
        "devices": {"file": "d.toml", "sha256": "aa"}, "software": {}, "screen": "PART", "sound": {},
        "given": {"click": 48}, "lost": {}, "notes": [], "streams": [row],
    }  # fmt: skip


def codes(judged: dict[str, Any]) -> set[tuple[str, str]]:
    every = [*judged["findings"], *(f for row in judged["streams"] for f in row["findings"])]
    return {(finding["code"], finding["level"]) for finding in every}


def test_what_stays_as_it_was_is_well() -> None:
    judged = judge(facts(12.8, 0.5), judge(facts(), None))
    assert judged["level"] == "well" and not codes(judged)
    assert judged["streams"][0]["change_ms"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (facts(15.0), ("moved", "look")),
        (facts(60.0), ("moved", "act")),
        (facts(jitter_ms=1.3), ("jitter", "look")),
        (facts(jitter_ms=6.0), ("jitter", "act")),
        (facts(drift=5.0), ("drift", "look")),
        (facts(drift=-14.0), ("drift", "act")),
        (facts(found=30), ("missed", "look")),
        (facts(found=0), ("silent", "act")),
        ({**facts(), "streams": []}, ("silent", "act")),
        ({**facts(), "devices": {"file": "d.toml", "sha256": "bb"}}, ("devices", "look")),
        ({**facts(), "sound": {"underruns": 3}}, ("underruns", "look")),
        ({**facts(), "was_stopped": True}, ("stopped", "act")),
    ],
)
def test_each_change_is_told(now: dict[str, Any], expected: tuple[str, str]) -> None:
    judged = judge(now, facts())
    assert expected in codes(judged)
    assert judged["level"] == ("act" if any(level == "act" for _, level in codes(judged)) else "look")


def test_a_drift_one_cannot_be_sure_of_is_not_told() -> None:
    assert not codes(judge(facts(drift=9.0, drift_error_ms_per_min=3.0), None))


def test_jitter_is_told_without_a_baseline_when_it_is_more_than_a_sample_or_two_milliseconds() -> None:
    assert ("jitter", "look") in codes(judge(facts(jitter_ms=3.0), None))
    assert not codes(judge(facts(jitter_ms=9.6, step_ms=33.3), None))


def test_nothing_is_concluded_from_a_handful_of_answers() -> None:
    few = facts(30.0, jitter_ms=5.0, drift=80.0, found=4, given=4)
    assert not codes(judge(few, facts()))


def test_a_camera_may_move_by_half_a_frame() -> None:
    camera = {"channel": "rgb", "step_ms": 33.3, "jitter_ms": 9.0, "offset_error_ms": 1.6}
    assert not codes(judge(facts(100.0, **camera), facts(88.0, **camera)))
    assert ("moved", "look") in codes(judge(facts(120.0, **camera), facts(88.0, **camera)))


def test_the_first_test_is_the_baseline_and_all_are_kept(tmp_path: Path) -> None:
    assert Baseline(tmp_path).facts is None
    assert Baseline(tmp_path).keep(judge(facts(12.0), None), as_baseline=False)
    assert not Baseline(tmp_path).keep(judge(facts(13.0), None), as_baseline=False)
    kept = Baseline(tmp_path)
    assert kept.facts is not None and kept.facts["streams"][0]["offset_ms"] == 12.0
    assert kept.keep(judge(facts(14.0), kept.facts), as_baseline=True)
    told = json.loads(kept.path.read_text(encoding="utf-8"))
    assert [test["streams"][0]["offset_ms"] for test in told["history"]] == [12.0, 13.0, 14.0]
    assert told["baseline"]["streams"][0]["offset_ms"] == 14.0


def test_a_test_that_measured_nothing_is_no_baseline(tmp_path: Path) -> None:
    assert not Baseline(tmp_path).keep(judge(facts(found=0), None), as_baseline=True)
    assert not Baseline(tmp_path).keep(judge({**facts(), "was_stopped": True}, None), as_baseline=True)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"baseline": 1, "history": []}', '{"baseline": {"streams": [{}]}, "history": []}'],
)
def test_a_baseline_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".emolab" / "synctest.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="timing test leaves"):
        Baseline(tmp_path)


@pytest.mark.parametrize("seed", [7, 31, 47, 170])  # half of these clicks fall to heart beats by chance
def test_a_beating_heart_is_no_trigger_and_a_trigger_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given_s = _irregular(rng, 1.0, 10.0)
    times_s = np.arange(0, 14, 1 / 250)
    beats_s = np.cumsum(rng.normal(0.85, 0.03, 20))
    pulse = 300 * sum(np.exp(-(((times_s - beat_s) / 0.05) ** 2)) for beat_s in beats_s)
    assert best_delay(given_s, times_s, pulse, 1 / 250, "click") is None
    wired = 500.0 * sum((times_s > at_s + 0.03) & (times_s < at_s + 0.13) for at_s in given_s)
    late = best_delay(given_s, times_s, wired + pulse / 10, 1 / 250, "click")
    assert late is not None and late.found == len(given_s)
    assert late.offset_ms == pytest.approx(30, abs=4)
