"""Where the replay is: a place on the session's clock that moves with real time.

While sound plays, the sound card says where it is, so that pictures and curves follow what is heard;
without sound the machine's monotonic clock does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


class Voice(Protocol):
    """What a `Player` knows of the sound (see `speaker`)."""

    def start(self, from_s: float, speed: float) -> None:
        """Sound from this moment on, at so many times its pace."""

    def stop(self) -> None:
        """Be silent."""

    def heard_s(self) -> float | None:
        """The moment that is heard now, None while nothing is."""


class Silence:
    """No sound."""

    def start(self, from_s: float, speed: float) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""

    def heard_s(self) -> float | None:
        """Never anything."""
        return None


class Player:
    """The place of a replay between `begin_s` and `end_s`. `voice`: what is heard with it."""

    def __init__(
        self,
        begin_s: float,
        end_s: float,
        voice: Voice | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.begin_s, self.end_s = begin_s, end_s
        self.voice: Voice = voice or Silence()
        self._clock_s = clock_s
        self._speed = 1.0
        self._is_playing = False
        self._place_s, self._since_s = begin_s, 0.0

    @property
    def is_playing(self) -> bool:
        """Whether it moves. It stops by itself at the end (see `now_s`)."""
        return self._is_playing

    @property
    def speed(self) -> float:
        """Session seconds a second."""
        return self._speed

    def now_s(self) -> float:
        """The place now."""
        if not self._is_playing:
            return self._place_s
        ran_s = self._place_s + (self._clock_s() - self._since_s) * self._speed
        heard_s = self.voice.heard_s()
        if heard_s is not None:
            self._place_s, self._since_s = heard_s, self._clock_s()  # when the sound ends it goes on here
            ran_s = heard_s
        if ran_s >= self.end_s:
            self._stand(self.end_s)
            return self.end_s
        return max(ran_s, self.begin_s)

    def play(self) -> None:
        """Go on from here; from the begin when it stands at the end."""
        if self._is_playing:
            return
        if self._place_s >= self.end_s:
            self._place_s = self.begin_s
        self._is_playing = True
        self._go()

    def pause(self) -> None:
        """Stand still."""
        if self._is_playing:
            self._stand(self.now_s())

    def seek(self, time_s: float) -> None:
        """Go to a moment, and go on from there if it was playing."""
        self._place_s = min(max(time_s, self.begin_s), self.end_s)
        if self._is_playing:
            self._go()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast."""
        place_s = self.now_s()
        self._speed = speed
        if self._is_playing:
            self._place_s = place_s
            self._go()

    def extend(self, end_s: float) -> None:
        """The recording has grown."""
        self.end_s = max(end_s, self.end_s)

    def _go(self) -> None:
        self._since_s = self._clock_s()
        self.voice.start(self._place_s, self._speed)

    def _stand(self, place_s: float) -> None:
        self._is_playing = False
        self._place_s = place_s
        self.voice.stop()
