"""Going through a session: play, step, seek, zoom. The cursor of the span is where the replay is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from emolab.gui.review.span import Span
from emolab.review.player import SPEEDS, Player
from emolab.review.sound import speaker_of
from emolab.review.timeline import Timeline

TICK_MS = 15
FRAME_S = 1 / 30  # of a step where there is no camera


class Replay(QObject):
    """The replay of a recording. `sound`: output for what is heard, None for the system's."""

    moved = Signal(float)  # here it is now
    played = Signal(bool)  # it goes, or stands
    sped = Signal(float)
    silent = Signal(str)  # why nothing is heard

    def __init__(
        self, line: Timeline, span: Span, sound: str | int | None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._line, self._span = line, span
        self._voice = speaker_of(line, sound)
        self.player = Player(line.begin_s, line.end_s, self._voice)
        self._tick = QTimer(self)
        self._tick.setTimerType(Qt.TimerType.PreciseTimer)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._advance)

    def close(self) -> None:
        """Stand, and let go of the sound card. Idempotent."""
        self._tick.stop()
        self.player.pause()
        if self._voice is not None:
            self._voice.close()

    def seek(self, time_s: float) -> None:
        """Go to a moment."""
        self.player.seek(time_s)
        self._show()
        self._span.reveal(self._span.cursor_s)

    def play_or_pause(self) -> None:
        """Play, or stand."""
        if self.player.is_playing:
            self.player.pause()
            self._tick.stop()
        else:
            self.player.play()
            self._tick.start()
            if self._voice is not None and self._voice.problem:
                self.silent.emit(self._voice.problem)
        self.played.emit(self.player.is_playing)
        self._show()

    def step_s(self, by_s: float) -> None:
        """So much later."""
        self.seek(self.player.now_s() + by_s)

    def step_pages(self, by: int) -> None:
        """What is shown and the cursor, so many pages on."""
        by_s = by * self._span.width_s
        if self._span.is_whole:
            self.step_s(0.1 * by_s)
            return
        self._span.pan(by_s)
        self.seek(self._span.cursor_s + by_s)

    def step_frames(self, by: int) -> None:
        """To the frame of the first camera before or after; without one a fraction of a second."""
        if self.player.is_playing:
            self.play_or_pause()
        camera = next((name for name in self._line.cameras if self._line.frame_count(name)), None)
        if camera is None:
            self.step_s(by * FRAME_S)
            return
        at = self._line.frame_index(camera, self.player.now_s()) + by
        at = min(max(at, 0), self._line.frame_count(camera) - 1)
        self.seek(self._line.frame_time_s(camera, at))

    def step_speed(self, by: int) -> None:
        """Slower or faster."""
        at = SPEEDS.index(self.player.speed) + by
        self.set_speed(SPEEDS[min(max(at, 0), len(SPEEDS) - 1)])

    def set_speed(self, speed: float) -> None:
        """So many times as fast."""
        self.player.set_speed(speed)
        self.sped.emit(speed)

    def zoom(self, notches: float) -> None:
        """Closer to the cursor, or further from it."""
        self._span.zoom(notches, self._span.cursor_s)
        self._span.reveal(self._span.cursor_s)

    def _advance(self) -> None:
        self._show()
        if not self.player.is_playing:  # it came to the end
            self._tick.stop()
            self.played.emit(False)

    def _show(self) -> None:
        time_s = self.player.now_s()
        self._span.set_cursor(time_s, follows=self.player.is_playing)
        self.moved.emit(time_s)
