"""The thread that owns the session file, and one encoder thread per RGB stream before it.

Pumps call `put`, which never waits. HDF5 is touched by one thread only. Everything taken goes to the
`journal` as well, so

- a killed process loses `FLUSH_S` at most, and the work of one flush;
- a power cut loses `journal.STEP_S` and two fsyncs of the journal at most;
- a session file that can no longer be written (its drive has gone, or has not answered for `HUNG_S`, or
  so much waits that there is no room) is given up: `trouble` says so, the recording goes on in the
  journal, and `close` makes the file from that, on its drive or, when that stays away, beside the journal.

Without a journal what does not fit is refused, counted in `lost`, and written down as a `gap` event as
soon as that stream is taken again. The session file itself is fsynced each `SYNC_S`: for HDF5 that
promises nothing, but little is left to do at the end.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from emolab.core.clock import Clock, Follower
from emolab.core.disk import sync_folder
from emolab.core.errors import DataError, EmolabError, Overrun, RecordingError
from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo
from emolab.recording import journal, layout, places, trouble
from emolab.recording.entries import Head
from emolab.recording.header import SessionHeader
from emolab.recording.journal import Journal
from emolab.recording.losses import OVERRUN, UNFIT, Losses
from emolab.recording.trouble import Trouble
from emolab.recording.video import EncodedFrames, VideoEncoder
from emolab.recording.writer import SessionWriter, since

FLUSH_S = 0.4  # a killed process loses this much, and the work of one flush, at most
QUEUE_BYTES = 64 << 20  # some ten seconds of everything but raw RGB, which waits before its encoder
SYNC_S = 5.0
HUNG_S = 30.0  # one that takes so long is given up; until then what comes waits in memory
AHEAD_S = 1.0  # how far a paced clock may run ahead of the file

AT_ONCE = ("step_started", "answer")  # flushed so: nobody shall hear or answer a clip again after a crash

_log = logging.getLogger(__name__)
_Item = Chunk | EncodedFrames | Event


class Recorder:
    """Records one session. Made in one call, fed from any thread, closed once.

    `clock`: given, the recorder holds a paced clock back to a second past what is in the file.
    `on_event`: called with every event the recorder itself writes (gaps, refused chunks), in the
    thread where it was noticed. `make`: the sink to own, for tests. `with_journal`: where the journal
    lies, or False for none. Raises `RecordingError` at once when the file cannot be made; later
    trouble with the disk is in `trouble`, and what ends the recording in `error`.
    """

    def __init__(
        self,
        path: Path,
        header: SessionHeader,
        streams: Sequence[StreamInfo],
        zero_s: float = 0.0,
        *,
        clock: Clock | None = None,
        on_event: Callable[[Event], None] | None = None,
        flush_s: float = FLUSH_S,
        queue_bytes: int = QUEUE_BYTES,
        make: Callable[[Path, SessionHeader, float], SessionWriter] = SessionWriter,
        with_journal: Path | bool = True,
    ) -> None:
        self.error: Exception | None = None
        self.trouble: Trouble | None = None
        self._streams = [info.name for info in streams]
        self._writer = make(path, header, zero_s)
        self._zero_s = zero_s
        self._on_event = on_event or (lambda event: None)
        self._flush_s = flush_s
        self._room = queue_bytes
        self._clock = clock
        self._items: deque[_Item] = deque()
        self._bytes = 0
        self._news = threading.Condition()
        self._closing: str | None = None
        self._accepting = True
        self._in_hand_s: float | None = None
        self._newest_s = zero_s
        self._refused, self._unfit = Losses(OVERRUN), Losses(UNFIT)
        self._complained: set[str] = set()
        self._ended = threading.Event()
        self._journal: Journal | None = None
        self._adrift: Exception | None = None  # why the session file was given up for the journal
        self._path = self._writer.path
        self._size = 0
        self._encoders: dict[str, VideoEncoder] = {}
        self._busy_since: float | None = None
        self._follower: Follower | None = None
        if not self._path.exists() and (left := places.find(self._path)) is not None:
            raise RecordingError(
                f"a recording of {self._path} broke off and was not mended: "
                f"run 'emolab recover {self._path}', or remove {left} if nobody needs it"
            )
        self._sync = threading.Thread(target=self._keep_on_disk, name="recorder sync", daemon=True)
        opened = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(streams, opened), name="recorder", daemon=True
        )
        self._thread.start()
        opened.wait()
        if self.error is not None:
            raise self.error
        self._sync.start()
        if with_journal is not False:
            self._begin_journal(
                None if with_journal is True else with_journal, Head(header, tuple(streams), zero_s)
            )
        self._encoders = {
            info.name: VideoEncoder(info, self._deliver, self._cannot)
            for info in streams
            if layout.is_video(info)
        }

    @property
    def path(self) -> Path:
        """The session file; after `close` where it could be made."""
        return self._path

    @property
    def bytes_written(self) -> int:
        """Size of the file when it was flushed last: no disk is asked."""
        return self._size

    @property
    def saved(self) -> dict[str, int]:
        """Rows of each stream that are in the file for good: no death of this process takes them."""
        return self._writer.saved

    @property
    def lost(self) -> dict[str, int]:
        """Samples of each stream that could not be recorded, whatever the reason."""
        counts = self._refused.total, self._unfit.total
        return {name: sum(count.get(name, 0) for count in counts) for name in self._streams}

    @property
    def backlog(self) -> int:
        """Chunks and events taken but not yet in the file."""
        waiting = len(self._items) + (self._in_hand_s is not None)
        return waiting + sum(encoder.backlog for encoder in self._encoders.values())

    @property
    def fullness(self) -> float:
        """How much of what can wait for the file or its encoder waits, 0 to 1; at 1 samples are refused."""
        waiting = [encoder.backlog / encoder.room for encoder in self._encoders.values()]
        return min(max([self._bytes / self._room, *waiting]), 1.0)

    @property
    def written_until_s(self) -> float:
        """Engine time up to which everything taken is in the file: the arrival of the oldest that waits,
        or of the newest taken when nothing does."""
        waiting = [encoder.waiting_since_s for encoder in self._encoders.values()]
        with self._news:
            waiting.append(None if self._adrift else self._in_hand_s)
            queued = (item.arrival_s for item in self._items if not isinstance(item, Event))
            waiting.append(next(queued, None))
            return min((since_s for since_s in waiting if since_s is not None), default=self._newest_s)

    def put(self, chunk: Chunk) -> bool:
        """Take a chunk for recording, without waiting. False when it could not be taken, which is counted."""
        if not self._accepting or self.error is not None:
            self._refuse(chunk)
            return False
        try:
            taken = self._offer(chunk)
        except MemoryError:  # no room at all: lost like what finds the queue full
            taken = False
        if not taken:
            self._refuse(chunk)
            return False
        self._newest_s = max(self._newest_s, chunk.arrival_s)
        if chunk.stream in self._refused:
            self._tell(self._refused.gap(chunk.stream))
        return True

    def mark(self, event: Event) -> None:
        """Take an event; events are never refused while the file can be written."""
        if self.error is not None:
            return
        with self._news:
            if self._journal is not None:
                self._journal.take(event)
            if self._adrift is None:
                self._items.append(event)
                self._news.notify()

    def close(self, outcome: str = "complete", timeout_s: float = 10.0) -> None:
        """Encode and write what is queued, finish the file, end the threads. Idempotent.

        A file that was given up is made from the journal: see `path` then. Raises `RecordingError` when
        it could not be finished, `Overrun` when nothing moves on for `timeout_s`; what was flushed
        stays readable either way, and what the journal holds `emolab recover` brings back.
        """
        self._accepting = False
        late = [name for name, encoder in self._encoders.items() if not self._ends(encoder.close, timeout_s)]
        for name in self._refused.streams:
            self._tell(self._refused.gap(name))
        with self._news:
            self._closing = self._closing or outcome
            self._news.notify()
        self._ends(self._has_written, timeout_s)
        if self._adrift is not None:
            self._rescue(self._closing, max(1.0, timeout_s))
            return
        if self._thread.is_alive():
            late.append("the file")
        else:
            self._sync.join(1.0)
        if self._journal is not None:
            if late or self.error is not None:
                self._journal.close(self._closing, 1.0)
            else:
                self._let_journal_go(self._journal)
        if late:
            raise Overrun(
                f"{self.path} was not finished, nothing moved on for {timeout_s:g} s "
                f"(waiting for {', '.join(late)}); "
                "what was flushed is safe, run 'emolab recover' on it"
            )
        if self.error is not None:
            raise self.error

    def _ends(self, has_ended: Callable[[float], bool], patience_s: float) -> bool:
        """Wait for an end as long as what waits grows less; False when nothing has for `patience_s`.

        `has_ended` waits for so many seconds itself. On a slow machine much may wait, and all of it is kept.
        """
        before, until_s = (self.backlog, self._size), time.monotonic() + patience_s
        while not has_ended(min(0.05, patience_s)):
            if (now := (self.backlog, self._size)) != before:
                before, until_s = now, time.monotonic() + patience_s
            elif time.monotonic() >= until_s:
                return False
        return True

    def _has_written(self, timeout_s: float) -> bool:
        """Whether its thread has ended, or a file was given up for which it would wait for ever."""
        if self._adrift is None:
            self._thread.join(timeout_s)
        return self._adrift is not None or not self._thread.is_alive()

    # the recorder's thread

    def _run(self, streams: Sequence[StreamInfo], opened: threading.Event) -> None:
        try:
            self._writer.open(streams)
        except Exception as error:
            self.error = error
            return
        finally:
            opened.set()
        self._size = self._writer.bytes_written
        follower = self._follower = self._clock.follow("recorder") if self._clock else None
        try:
            self._record(follower)
        except Exception as error:  # whatever it is, the engine must see it and the file be closed
            is_told = isinstance(error, EmolabError)  # what and why is in its words already
            _log.log(logging.DEBUG if is_told else logging.ERROR, "recording stopped", exc_info=True)
            if not self._give_up(error):
                self.error = error
                with contextlib.suppress(EmolabError):
                    self._writer.close("interrupted")
        finally:
            if self._adrift is not None:
                self._writer.let_go()
            self._busy_since = self._in_hand_s = None
            self._ended.set()
            if follower:
                follower.leave()
            with self._news:
                self._items.clear()
                self._bytes = 0
                self._news.notify_all()

    def _keep_on_disk(self) -> None:
        """Ask the system now and then to put the file on the disk itself, waiting for it here."""
        while not self._ended.wait(SYNC_S):
            with contextlib.suppress(OSError), self.path.open("rb+") as file:  # the writer meets true faults
                os.fsync(file.fileno())

    def _record(self, follower: Follower | None) -> None:
        flush_at = time.monotonic() + self._flush_s
        while True:
            with self._news:
                if not self._items and self._closing is None:
                    self._news.wait(max(0.0, min(flush_at - time.monotonic(), 0.05)))
                item = self._take()
                done = item is None and self._closing is not None
            self._busy_since = time.monotonic()
            if item is not None:
                self._store(item)
                self._in_hand_s = None
                flush_at = 0.0 if isinstance(item, Event) and item.kind in AT_ONCE else flush_at
            if self._adrift is not None:
                return
            if done:
                self._finish()
                return
            if time.monotonic() >= flush_at:
                if self._journal is not None:
                    self._journal.write()  # first: it holds whatever the session file does
                self._writer.flush()
                self._size = self._writer.bytes_written
                flush_at = time.monotonic() + self._flush_s
            self._busy_since = None
            if follower:
                follower.allow_until(self._allowed_s())

    def _finish(self) -> None:
        for name in self._unfit.streams:
            gap = self._unfit.gap(name)
            if self._journal is not None:
                self._journal.take(gap)
            self._writer.mark(gap)
        self._ended.set()
        self._busy_since = None  # from here on it is arithmetic, not the disk, that takes its time
        self._writer.close(self._closing or "interrupted")
        self._size = self._writer.bytes_written

    def _take(self) -> _Item | None:
        if not self._items:
            return None
        item = self._items.popleft()
        if not isinstance(item, Event):
            self._in_hand_s = item.arrival_s
            self._bytes -= _size(item)
            self._news.notify_all()  # an encoder may wait for room
        return item

    def _store(self, item: _Item) -> None:
        try:
            if isinstance(item, Event):
                self._writer.mark(item)
            elif isinstance(item, Chunk):
                self._writer.write(item)
            else:
                self._writer.write_encoded(item)
        except DataError as error:
            if isinstance(item, Event):
                self._complain("event", error)
            else:
                self._cannot(item, error)

    def _allowed_s(self) -> float:
        assert self._clock is not None
        return (self.written_until_s if self.backlog else self._clock.now_s()) + AHEAD_S

    # the journal, and trouble with the disk

    def _begin_journal(self, where: Path | None, head: Head) -> None:
        try:
            self._journal = Journal(where or places.place(self._path), head, self._watch)
        except OSError as error:
            self._worry(trouble.no_journal(error))

    def _watch(self) -> None:
        """Called four times a second by the journal: say once what is wrong with the disk."""
        busy_since = self._busy_since
        stuck_s = 0.0 if busy_since is None else time.monotonic() - busy_since
        if stuck_s > HUNG_S and self._adrift is None:
            self._give_up(RecordingError(f"it has not answered for {HUNG_S:.0f} s"))
        assert self._journal is not None
        if self._adrift is not None and self._journal.error is not None:
            self.error = self.error or trouble.both_lost(
                self._path, self._adrift, self._journal.path, self._journal.error
            )
        self._worry(self._diagnosis(stuck_s, self._journal))

    def _diagnosis(self, stuck_s: float, kept: Journal) -> Trouble | None:
        if self._adrift is not None:
            return trouble.adrift(self._path, kept.path, self._adrift)
        if stuck_s > trouble.SLOW_S:
            return trouble.stuck(self._path, kept.path)
        if kept.error is not None:
            return trouble.no_journal(kept.error)
        return trouble.slow(kept.path) if kept.unsafe_s > trouble.RISK_S else None

    def _worry(self, found: Trouble | None) -> None:
        before, self.trouble = self.trouble, found
        if found is not None and (before is None or before.kind != found.kind):
            data = {"where": "disk", "message": found.text}
            self._tell(Event(max(self._newest_s, self._zero_s), "error", data=data))

    def _give_up(self, error: Exception) -> bool:
        """Go on with the journal alone. False when there is none."""
        kept = self._journal
        if kept is None or kept.error is not None:
            return False
        with self._news:
            kept.is_needed = True
            self._adrift = self._adrift or error
            self._items.clear()
            self._bytes = 0
            self._news.notify_all()
        if self._follower is not None:
            self._follower.leave()
        return True

    def _let_journal_go(self, kept: Journal) -> None:
        """The session file is whole: as soon as it is on the disk it needs no journal."""
        try:
            with self._path.open("rb+") as file:
                journal.sync(file.fileno())
            sync_folder(self._path.parent)
        except OSError as error:
            kept.close(self._closing or "interrupted", 1.0)
            raise RecordingError(
                f"{self._path} was finished but did not reach the disk ({error}); {kept.path} holds it all: "
                "run 'emolab recover' on the session when the disk is well again"
            ) from error
        kept.discard()

    def _rescue(self, outcome: str, timeout_s: float) -> None:
        """Make the session file from the journal, where it belongs or else beside the journal."""
        from emolab.recording.rescue import rescue  # the writer, the reader: not before there is need

        kept, self._journal = self._journal, None
        if kept is None:  # done before
            return
        begun = time.monotonic()
        if not kept.close(outcome, timeout_s):
            raise RecordingError(
                f"{kept.path} could not be finished ({kept.error or 'its disk is too slow'}); it holds what "
                f"was recorded after {self._path} was lost: run 'emolab recover {self._path}'"
            )
        self._path = rescue(kept.path, self._path, max(1.0, timeout_s - (time.monotonic() - begun)))

    # whoever calls

    def _offer(self, chunk: Chunk) -> bool:
        """Queue a chunk for its encoder or the file; after an overrun only once half the room is free."""
        kept = since(chunk, self._zero_s)
        encoder = self._encoders.get(chunk.stream)
        behind = chunk.stream in self._refused  # one gap, not fifty
        if encoder is not None and kept is not None:
            return not (behind and encoder.backlog > encoder.room // 2) and encoder.put(kept)
        return not (behind and self._bytes > self._room // 2) and self._queue(chunk, chunk.nbytes)

    def _queue(self, item: Chunk | EncodedFrames, nbytes: int) -> bool:
        with self._news:
            is_full = self._adrift is None and self._bytes and self._bytes + nbytes > self._room
            if is_full and not self._give_up(RecordingError("it is written too slowly")):
                return False
            if self._journal is not None:
                self._journal.take(item)
            if self._adrift is not None:
                return True
            self._items.append(item)
            self._bytes += nbytes
            self._news.notify()
            return True

    def _deliver(self, frames: EncodedFrames) -> None:
        """Called by the encoders, which may wait: their own queues are bounded."""
        while not self._queue(frames, _size(frames)):
            with self._news:
                if self.error is not None or not self._thread.is_alive():
                    raise RecordingError(f"{self.path} takes no more frames")
                self._news.wait(0.1)

    def _refuse(self, chunk: Chunk) -> None:
        first_s, last_s = float(chunk.times_s[0]), float(chunk.times_s[-1])
        is_first = not self._refused.add(chunk.stream, len(chunk), first_s, last_s)
        if is_first and self.error is None and self._accepting:
            _log.warning("the recorder cannot keep up with %s", chunk.stream)

    def _cannot(self, chunk: Chunk | EncodedFrames, error: Exception) -> None:
        """Count a chunk that does not fit the file; its times may be no numbers, its arrival is."""
        self._unfit.add(chunk.stream, len(chunk), chunk.arrival_s, chunk.arrival_s)
        self._complain(chunk.stream, error)

    def _complain(self, where: str, error: Exception) -> None:
        if str(error) in self._complained:  # a camera of the wrong size would say so thirty times a second
            return
        self._complained.add(str(error))
        self._tell(Event(self._newest_s, "error", data={"where": where, "message": str(error)}))

    def _tell(self, event: Event) -> None:
        self.mark(event)
        self._on_event(event)


def _size(item: Chunk | EncodedFrames) -> int:
    return item.nbytes if isinstance(item, Chunk) else sum(map(len, item.packets))
