"""Where the replay is."""

from __future__ import annotations

import pytest

from emolab.review.player import Player


class FakeVoice:
    """A loudspeaker that says what it is told to say, and keeps what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float] | None] = []
        self.now_s: float | None = None

    def start(self, from_s: float, speed: float) -> None:
        self.asked.append((from_s, speed))

    def stop(self) -> None:
        self.asked.append(None)

    def heard_s(self) -> float | None:
        return self.now_s


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_it_moves_with_the_clock_at_its_speed_and_stands_at_the_end() -> None:
    clock = Clock()
    player = Player(10.0, 40.0, clock_s=clock)
    player.play()
    clock.now_s += 2
    assert player.now_s() == 12.0
    player.set_speed(4.0)
    clock.now_s += 2
    assert player.now_s() == 20.0
    player.pause()
    clock.now_s += 5
    assert player.now_s() == 20.0
    player.play()
    clock.now_s += 60
    assert player.now_s() == 40.0 and not player.is_playing
    player.play()  # from the begin again
    assert player.now_s() == 10.0


def test_it_is_where_the_sound_is() -> None:
    clock, voice = Clock(), FakeVoice()
    player = Player(0.0, 60.0, voice, clock)
    player.seek(5.0)
    player.play()
    voice.now_s = 5.0  # the card has not begun
    clock.now_s += 0.2
    assert player.now_s() == 5.0
    voice.now_s = 5.31
    clock.now_s += 0.3
    assert player.now_s() == 5.31
    voice.now_s = None  # the card has gone: on with the clock from there
    clock.now_s += 1.0
    assert player.now_s() == pytest.approx(6.31)
    player.set_speed(2.0)
    player.pause()
    assert voice.asked == [(5.0, 1.0), (pytest.approx(6.31), 2.0), None]


def test_seeking_stays_inside_and_goes_on_playing() -> None:
    clock, voice = Clock(), FakeVoice()
    player = Player(0.0, 60.0, voice, clock)
    player.seek(99.0)
    assert player.now_s() == 60.0 and voice.asked == []
    player.play()
    player.seek(-3.0)
    assert player.is_playing and voice.asked[-1] == (0.0, 1.0)
    player.extend(80.0)
    player.seek(70.0)
    assert player.now_s() == 70.0
