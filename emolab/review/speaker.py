"""The sound of a recording as it is replayed, and which moment of it leaves the loudspeaker now.

A thread reads ahead, the sound card's own takes from it. At other speeds than one the pitch goes with
the speed, as a tape's does. The card stamps each block with the moment it will be heard; from the
newest stamp and the card's clock follows the moment heard now, to a fraction of a millisecond.
"""

from __future__ import annotations

import logging
import statistics
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DeviceError, EmolabError

log = logging.getLogger(__name__)

RATE_HZ = 48_000
LATENCY_S = 0.1
PIECE_S = 0.25  # read ahead in pieces of so much of the listener's time
AHEAD = 4  # pieces
STAMPS = 31  # a second or so of them

# samples `(n, channels)` between two moments of the session, as floats, and the time of the first
Reader = Callable[[float, float], tuple[NDArray[Any], float]]


class Speaker:
    """Plays what `read` gives at `rate_hz`, through the output `device` (None: the system's).

    It is opened at the first `start`; where that fails `problem` says why and it stays silent.
    """

    def __init__(self, read: Reader, rate_hz: float, device: str | int | None = None) -> None:
        self._read, self._rate_hz, self._device = read, rate_hz, device
        self.problem = ""
        self._stream: Any = None
        self._lock = threading.Condition()
        self._pieces: deque[NDArray[np.float32]] = deque()
        self._at = 0  # sample of the first piece
        self._ask: tuple[float, float] | None = None  # from_s, speed
        self._turn = 0  # of asking: what was read for an earlier one is thrown away
        self._next_s = 0.0  # of the session: the next sample given to the card
        # session time less what the card's clock says of when it is heard; single stamps jitter
        self._offsets_s: deque[float] = deque(maxlen=STAMPS)
        self._is_closing = False
        self._thread = threading.Thread(target=self._fill, name="replay sound", daemon=True)
        self._thread.start()

    def start(self, from_s: float, speed: float) -> None:
        """Sound from a moment of the session on."""
        if self._stream is None and not self.problem:
            self._open()
        with self._lock:
            self._turn += 1
            self._ask = (from_s, speed)
            self._pieces.clear()
            self._at, self._next_s = 0, from_s
            self._offsets_s.clear()
            self._lock.notify_all()

    def stop(self) -> None:
        """Be silent at once."""
        with self._lock:
            self._turn += 1
            self._ask = None
            self._pieces.clear()

    def heard_s(self) -> float | None:
        """The moment that leaves the loudspeaker now; None while silent."""
        with self._lock:
            offsets_s, ask, given_s = list(self._offsets_s), self._ask, self._next_s
        if ask is None or self._stream is None or not self._stream.active:
            return None
        if not offsets_s:  # the card has not asked yet: stay, rather than run ahead and jump back
            return ask[0]
        heard_s = statistics.median(offsets_s) + self._stream.time * ask[1]
        return min(max(heard_s, ask[0]), given_s)  # nothing is heard that was not given

    def close(self) -> None:
        """Let go of the card. Idempotent."""
        with self._lock:
            self._is_closing = True
            self._lock.notify_all()
        self._thread.join(5)
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self) -> None:
        try:
            import sounddevice

            self._stream = sounddevice.OutputStream(
                samplerate=RATE_HZ,
                channels=1,
                dtype="float32",
                latency=LATENCY_S,
                device=self._device,
                callback=self._give,
            )
            self._stream.start()
        except Exception as error:  # no PortAudio, no card, a card that another program holds
            self._stream = None
            self.problem = f"Nothing is heard: the sound output cannot be opened ({error})."
            log.info("%s", DeviceError(self.problem))

    def _give(self, out: NDArray[np.float32], frames: int, times: Any, status: Any) -> None:
        """Called by the card's thread: fill `out` with what was read, silence where nothing was."""
        out[:] = 0
        with self._lock:
            if self._ask is None:
                return
            speed, done = self._ask[1], 0
            if self._pieces:
                self._offsets_s.append(self._next_s - times.outputBufferDacTime * speed)
            while done < frames and self._pieces:
                piece = self._pieces[0]
                count = min(frames - done, len(piece) - self._at)
                out[done : done + count, 0] = piece[self._at : self._at + count]
                done, self._at = done + count, self._at + count
                if self._at == len(piece):
                    self._pieces.popleft()
                    self._at = 0
                    self._lock.notify_all()
            self._next_s += done / RATE_HZ * speed

    def _fill(self) -> None:
        turn, at_s = -1, 0.0
        while True:
            with self._lock:
                while not self._is_closing and (self._ask is None or len(self._pieces) >= AHEAD):
                    self._lock.wait()
                if self._is_closing or self._ask is None:
                    return
                if turn != self._turn:
                    turn, at_s = self._turn, self._ask[0]
                speed = self._ask[1]
            try:
                piece = self._piece(at_s, speed)
            except (EmolabError, OSError, ValueError) as error:  # damaged here; it may be sound further on
                log.warning("sound at %.3f s: %s", at_s, error)
                piece = np.zeros(round(PIECE_S * RATE_HZ), np.float32)
            with self._lock:
                if turn == self._turn:
                    self._pieces.append(piece)
                    at_s += PIECE_S * speed

    def _piece(self, from_s: float, speed: float) -> NDArray[np.float32]:
        """A quarter of a second for the listener, resampled to the card's rate."""
        margin_s = 2 / self._rate_hz
        samples, first_s = self._read(from_s - margin_s, from_s + PIECE_S * speed + margin_s)
        count = round(PIECE_S * RATE_HZ)
        if not len(samples):
            return np.zeros(count, np.float32)
        mono = samples.mean(axis=1) if samples.ndim > 1 else samples
        wanted_s = from_s + np.arange(count) * (speed / RATE_HZ)
        at_s = first_s + np.arange(len(mono)) / self._rate_hz
        return np.interp(wanted_s, at_s, mono, left=0.0, right=0.0).astype(np.float32)
