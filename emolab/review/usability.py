"""How usable each signal of the body is, ten seconds at a time, read in a thread once the curves are there.

Once a track is read nothing more is asked of the file, so that closing it need not wait for the arithmetic.
A session that is still being recorded is not judged: a pulse is told from what lies about it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from emolab.core.errors import DataError, EmolabError
from emolab.core.memory import give_back
from emolab.recording import converter
from emolab.recording.reader import Session
from emolab.review.curves import PIECE, Track
from emolab.signals import usable

log = logging.getLogger(__name__)
LATER = "How usable it is will be told when the session has ended."
YIELDS_S = 1e-4  # a lock that is asked for again at once is never given to who waits for a frame
ON_ITS_WAY = "How usable it is is being looked at."


class Usability:
    """`reading`: held while the file is read, a piece at a time. `stops`: set when nobody wants it any more.

    `shares`: by track, of each ten seconds from time zero on. `troubles`: by track, why nothing can be told.
    """

    def __init__(
        self, session: Session, tracks: Sequence[Track], reading: threading.Lock, stops: threading.Event
    ) -> None:
        self._session, self._reading, self._stops = session, reading, stops
        self._tracks = [track for track in tracks if track.kind in usable.KINDS]
        self.shares: dict[str, tuple[float, ...]] = {}
        self.troubles: dict[str, str] = {}

    def judge(self, end_s: float, ready: Callable[[str], None]) -> None:
        """Look at each track in turn; `ready` after each."""
        for track in self._tracks:
            try:
                self.shares[track.name] = self._of(track, end_s)
            except _Stopped:
                return
            except (EmolabError, OSError, ValueError) as error:
                self.troubles[track.name] = str(error)
            except Exception:  # a judgement must never take the window along
                log.exception("%s cannot be judged", track.name)
                self.troubles[track.name] = "It cannot be told how usable it is."
            give_back()
            if self._stops.is_set():
                return
            ready(track.name)

    def _of(self, track: Track, end_s: float) -> tuple[float, ...]:
        stream = self._session.streams[track.stream]
        channel = stream.info.channels[track.channel]
        with self._reading:
            count = len(stream)
        times_s, values = np.empty(count), np.empty(count)
        pieces = stream.time_slices_s(PIECE)
        start = 0
        while start < count:
            with self._reading:
                if self._stops.is_set():
                    raise _Stopped
                piece = next(pieces, None)
                if piece is None or not len(piece):
                    raise DataError(f"only {start} of its {count} samples have a time")
                stop = start + len(piece)
                times_s[start:stop], values[start:stop] = piece, stream.values(track.channel, start, stop)
            start = stop
            time.sleep(YIELDS_S)
        body = usable.read_body(
            track.kind,
            values,
            times_s,
            unit=channel.unit,
            adc_range=converter.ends(stream.info, channel),
            is_falling=converter.is_falling(stream.info, channel),
            name=f"{stream.name}/{channel.name}",
        )
        return usable.shares(body, end_s)


class _Stopped(Exception):
    """Nobody wants it any more."""
