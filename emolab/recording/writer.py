"""The session file while it is written: `SessionWriter` is the engine's sink.

SWMR, so that a process that is killed leaves it readable, and any HDF5 program may open it during the
session. It does not survive a power cut: for that there is the `journal`, which lost 0.22 s on a kill
where this file lost 0.45 s, both for under 3 % of a core. Blocks and tails (see `blocks`) keep it
small meanwhile. Measured with `python -m tests.bench.bench_recording` on a busy 2-core machine, three
boards of 4 x 1000 Hz, thermal camera and microphone at once: a chunk takes 23 µs (p99 1.3 ms, when
a block is compressed), a flush 1.5 ms (p99 5 ms), together 2.5 % of a core and 87 MB of memory
that does not grow. A board of 1000 Hz takes 0.25 of the same data as XDF as it is written and
0.22 packed (0.47 and 0.41 where XDF leaves out the stamps).
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shutil
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, RecordingError
from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo, Tally
from emolab.recording import layout
from emolab.recording.blocks import Ledger, Log, Table
from emolab.recording.columns import Safe
from emolab.recording.header import SessionHeader
from emolab.recording.pack import pack
from emolab.recording.reader import RecordedStream
from emolab.recording.times.refine import refine
from emolab.recording.video import EncodedFrames, H264Encoder

RESERVE_BYTES = 16 << 20  # stop while the file can still be closed in order
PACK_BELOW_BYTES = 256 << 20  # packing copies the file: in larger ones it would save a few per cent
PACK_WITHIN_S = 2.0  # nobody waits longer than that for a smaller file

_log = logging.getLogger(__name__)


def since(chunk: Chunk, zero_s: float) -> Chunk | None:
    """The part of `chunk` not before `zero_s`, or None when that is nothing."""
    late = ~(chunk.times_s < zero_s)  # what is no number stays in, to be refused aloud
    if late.all():
        return chunk
    if not late.any():
        return None
    return replace(
        chunk,
        times_s=chunk.times_s[late],
        samples=chunk.samples[late],
        counter=None if chunk.counter is None else chunk.counter[late],
        device_us=None if chunk.device_us is None else chunk.device_us[late],
    )


class _StreamWriter:
    """One stream's part of the file."""

    def __init__(self, file: h5py.File, info: StreamInfo) -> None:
        where = layout.make_stream(file, info)
        self.info = info
        self.table = Table(where, layout.columns(info), layout.block_rows(info))
        self.arrivals = Table(where, {layout.ARRIVALS: (layout.ARRIVAL, ())}, 512)
        self.tallies = Log(layout.make_log(where, layout.TALLIES, layout.TALLY, 128))
        self.knots = Log(layout.make_log(where, layout.KNOTS, layout.KNOT, 256))
        self.facts = Log(layout.make_log(where, layout.FACTS, np.dtype("u1"), 1024))
        self.parts: dict[str, Table | Log] = {
            layout.group(info): self.table,
            f"{layout.group(info)}/{layout.ARRIVALS}": self.arrivals,
            f"{layout.group(info)}/{layout.TALLIES}": self.tallies,
            f"{layout.group(info)}/{layout.KNOTS}": self.knots,
            f"{layout.group(info)}/{layout.FACTS}": self.facts,
        }
        self.bulk: Log | None = None
        self.encoder: H264Encoder | None = None
        if info.is_image:
            video = layout.is_video(info)
            name = layout.PACKETS if video else layout.SAMPLES
            self.bulk = Log(
                layout.make_log(where, name, np.dtype("u1"), layout.PACKET_CHUNK_BYTES)
                if video
                else layout.make_frames(where, info)
            )
            self.parts[f"{layout.group(info)}/{name}"] = self.bulk
        self._rows = 0
        self._last_us = 0
        self._ends_us = array("q")  # the stamp of each chunk's last row
        self._device_us = 0
        self._tally: Tally | None = None

    def samples(self, chunk: Chunk, zero_s: float) -> bool:
        """Append rows of numbers or frames. True when a block was written."""
        if chunk.samples.shape[1:] != self.info.sample_shape:
            raise DataError(
                f"stream {self.info.name!r} was opened with samples of {self.info.sample_shape} "
                f"but delivers {chunk.samples.shape[1:]}; set the instrument back to what it announced"
            )
        if not np.can_cast(chunk.samples.dtype, self.info.dtype):
            raise DataError(
                f"stream {self.info.name!r} was opened as {self.info.dtype} but delivers "
                f"{chunk.samples.dtype}; mend its driver"
            )
        clock = self._clock(chunk, zero_s)
        if self.bulk is not None:
            self.bulk.append(chunk.samples)
            wrote = self.table.append(**clock)
        else:
            wrote = self.table.append(samples=chunk.samples, **clock)
        return self._note(chunk, zero_s) or wrote

    def packets(self, frames: EncodedFrames, zero_s: float) -> bool:
        """Append encoded frames. True when a block was written."""
        assert self.bulk is not None
        clock = self._clock(frames, zero_s)
        sizes = np.array([len(packet) for packet in frames.packets], np.int32)
        offsets = self.bulk.length + np.concatenate([[0], np.cumsum(sizes[:-1], dtype=np.int64)])
        self.bulk.append(np.frombuffer(b"".join(frames.packets), np.uint8))
        wrote = self.table.append(
            offset=offsets, size=sizes, is_key=np.array(frames.is_key, np.uint8), **clock
        )
        return self._note(frames, zero_s) or wrote

    def count(self, tally: Tally | None, time_us: int) -> None:
        """Note the instrument's counts if they changed."""
        if tally is not None and tally != self._tally:
            row = (time_us, tally.lost, tally.corrupt, tally.duplicated, tally.reopened)
            self.tallies.append(np.array([row], layout.TALLY))
            self._tally = tally

    def refine(self, recorded: RecordedStream) -> None:
        """Append the best times of what was `recorded`, which is all of it."""
        refined = refine(recorded, np.array(self._ends_us, np.int64))
        self.knots.append(layout.knots(refined.ticks, refined.times_us))
        self.facts.append(layout.text_bytes(json.dumps(refined.facts)))

    def _clock(self, chunk: Chunk | EncodedFrames, zero_s: float) -> dict[str, NDArray[Any]]:
        if not np.isfinite(chunk.times_s).all() or not np.isfinite(chunk.arrival_s):
            raise DataError(
                f"stream {self.info.name!r} delivered a time that is no number; it was not recorded"
            )
        times_us = layout.to_us(chunk.times_s, zero_s)
        step_us = np.diff(times_us, prepend=self._last_us)
        self._last_us = int(times_us[-1])
        clock = {"step_us": step_us}
        if chunk.device_us is not None:
            device_us = np.asarray(chunk.device_us, np.int64)
            clock["device_step_us"] = np.diff(device_us, prepend=self._device_us)
            self._device_us = int(device_us[-1])
        if chunk.counter is not None:
            clock["counter"] = np.asarray(chunk.counter, np.int64)
        return clock

    def _note(self, chunk: Chunk | EncodedFrames, zero_s: float) -> bool:
        arrival_us = int(layout.to_us(chunk.arrival_s, zero_s))
        wrote = self.arrivals.append(arrivals=np.array([(self._rows, arrival_us)], layout.ARRIVAL))
        self._rows += len(chunk)
        self._ends_us.append(self._last_us)
        self.count(chunk.tally, arrival_us)
        return wrote


class SessionWriter:
    """Writes one session file; used by one thread.

    Times given are on the engine's clock; `zero_s` on it is the file's time zero. Samples from
    before are left out, events from before get negative times. Raises `RecordingError` when the
    file exists, the folder cannot be written or the disk is full; what was flushed before that
    stays readable.
    """

    def __init__(
        self,
        path: Path,
        header: SessionHeader,
        zero_s: float = 0.0,
        *,
        reserve_bytes: int = RESERVE_BYTES,
        pack_below_bytes: int = PACK_BELOW_BYTES,
        pack_within_s: float = PACK_WITHIN_S,
    ) -> None:
        self.path = Path(path)
        self.zero_s = zero_s
        self._header = header
        self._reserve_bytes = reserve_bytes
        self._pack_below_bytes = pack_below_bytes
        self._pack_within_s = pack_within_s
        self._file: h5py.File | None = None
        self._streams: dict[str, _StreamWriter] = {}
        self._blocks_written = False
        self.saved: dict[str, int] = {}  # rows of each stream that outlive this process

    def open(self, streams: Sequence[StreamInfo]) -> None:
        """Make the file with every stream prepared, then let readers in.

        It is made under a hidden name and gets its own when it can be read: of a process killed
        meanwhile nothing is left that looks like a session. (Windows does not rename open files.)
        """
        names = [info.name for info in streams]
        for name in names:
            if not name or "/" in name or name == "." or names.count(name) > 1:
                raise RecordingError(
                    f"stream name {name!r} cannot be recorded; "
                    "give each instrument a name of its own without '/'"
                )
        making = self.path if sys.platform == "win32" else self.path.with_name(f".{self.path.name}.starting")
        is_hidden = making != self.path
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if is_hidden:
                making.unlink(missing_ok=True)  # of one that was killed
                _refuse_existing(self.path)
            making.touch(exist_ok=False)
        except OSError as error:
            raise self._cannot_be_made(error) from error
        try:
            with self._disk():
                # No chunk cache: blocks are written whole, and a cache per column would only hold memory.
                self._file = h5py.File(
                    making, "w", libver=layout.LIBVER, rdcc_nbytes=0, locking="best-effort"
                )
                self._make(streams)
            if is_hidden:
                self._appear(making)
        finally:
            if is_hidden:
                making.unlink(missing_ok=True)

    def _appear(self, making: Path) -> None:
        """Give the open file its name. (No hard link: some network drives take two names for two files.)"""
        try:
            _refuse_existing(self.path)
            making.rename(self.path)
        except OSError as error:
            file, self._file = self._opened(), None
            _let_go(file)
            raise self._cannot_be_made(error) from error

    def _cannot_be_made(self, error: OSError) -> RecordingError:
        if not isinstance(error, FileExistsError):
            return RecordingError(
                f"{self.path} cannot be made ({error.strerror}); choose a study folder you may write to"
            )
        if not os.path.lexists(self.path):
            return RecordingError(f"{self.path.parent} is a file; choose a folder for the sessions")
        return RecordingError(
            f"{self.path} exists already and is never overwritten; choose another session number"
        )

    def _make(self, streams: Sequence[StreamInfo]) -> None:
        file = self._opened()
        layout.make_header(file, self._header, self.zero_s)
        self._lines = Log(layout.make_log(file, layout.EVENT_LINES, np.dtype("u1"), 4096))
        self._events = Log(layout.make_log(file, layout.EVENTS, layout.EVENT_INDEX, 128))
        self._answers = Log(layout.make_log(file, layout.ANSWERS, layout.ANSWER, 16))
        parts: dict[str, Table | Log] = {
            layout.EVENT_LINES: self._lines,
            layout.EVENTS: self._events,
            layout.ANSWERS: self._answers,
        }
        for info in streams:
            self._streams[info.name] = _StreamWriter(file, info)
            parts |= self._streams[info.name].parts
        self._ledger = Ledger(file, parts)
        file.swmr_mode = True

    def write(self, chunk: Chunk) -> None:
        """Append samples of one stream; RGB frames are encoded here.

        Raises `DataError` when the chunk does not fit the stream it names; the file is unharmed.
        """
        stream = self._stream(chunk.stream)
        kept = since(chunk, self.zero_s)
        if kept is None:
            with self._disk():
                stream.count(chunk.tally, 0)  # the counts the session starts from
            return
        if layout.is_video(stream.info):
            stream.encoder = stream.encoder or H264Encoder(stream.info)
            self.write_encoded(stream.encoder.encode(kept))
            return
        with self._disk():
            self._blocks_written |= stream.samples(kept, self.zero_s)

    def write_encoded(self, frames: EncodedFrames) -> None:
        """Append frames a `video.VideoEncoder` has encoded; none may be from before `zero_s`."""
        stream = self._stream(frames.stream)
        with self._disk():
            self._blocks_written |= stream.packets(frames, self.zero_s)

    def mark(self, event: Event) -> None:
        """Append an event; an answer goes into the table of answers, too."""
        event = event.shifted(-self.zero_s)
        line = (event.to_json() + "\n").encode()
        time_us = int(layout.to_us(event.time_s, 0.0))
        with self._disk():
            self._opened()
            self._events.append(np.array([(time_us, self._lines.length, len(line))], layout.EVENT_INDEX))
            self._lines.append(np.frombuffer(line, np.uint8))
            if event.kind == "answer":
                facts = event.data
                text = [str(facts.get(key) or "").encode() for key in ("clip", "state", "word")]
                response_s = facts.get("response_s")
                number = float("nan") if response_s is None else float(response_s)
                row = (time_us, *text, number, int(facts.get("changes") or 0))
                self._answers.append(np.array([row], layout.ANSWER))

    def flush(self) -> None:
        """Make all that was written survive the death of this process."""
        if self._file is None:
            return
        with self._disk():
            self._ledger.commit(self._blocks_written)
            self._blocks_written = False
        self._note_saved()
        if shutil.disk_usage(self.path.parent).free < self._reserve_bytes:
            raise RecordingError(
                f"the disk of {self.path} is nearly full, recording stops while the file "
                "can still be closed; free some space, then record the rest as a new session"
            )

    def close(self, outcome: str = "complete") -> None:
        """Finish the file: last blocks, outcome, then packed if it is small. Idempotent."""
        if outcome not in layout.OUTCOMES[1:]:
            raise DataError(f"outcome {outcome!r} is none of {', '.join(layout.OUTCOMES[1:])}")
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with self._disk(file):
                self._ledger.finish()
                self._refine(file)
                file[layout.OUTCOME][...] = np.array([outcome], "S16")
                file.flush()
            self._note_saved()
        finally:
            _let_go(file)
        if self.bytes_written <= self._pack_below_bytes:
            try:
                pack(self.path, self._pack_within_s)
            except Exception as error:  # the file is whole as it is, only larger
                _log.warning("%s was not packed: %s", self.path, error)

    def let_go(self) -> None:
        """Leave the file as it is: it will be made again from the journal."""
        file, self._file = self._file, None
        if file is not None:
            _let_go(file)

    def _refine(self, file: h5py.File) -> None:
        """Add the best times of each stream, now that all is known; a stream may do without."""
        for name, stream in self._streams.items():
            try:
                stream.refine(RecordedStream(file, Safe(file), name))
            except Exception as error:  # the stamped times are there and are good
                _log.warning("%s: the times of %s stay as stamped: %s", self.path, name, error)
        self._ledger.finish()

    def _note_saved(self) -> None:
        self.saved = {name: sum(stream.table.safe) for name, stream in self._streams.items()}

    @property
    def bytes_written(self) -> int:
        """Size of the file so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def _opened(self) -> h5py.File:
        if self._file is None:
            raise RecordingError(
                f"{self.path} is not open for recording; call open first, and nothing after close"
            )
        return self._file

    def _stream(self, name: str) -> _StreamWriter:
        self._opened()
        try:
            return self._streams[name]
        except KeyError:
            raise DataError(
                f"stream {name!r} is not part of {self.path.name}; the streams are {', '.join(self._streams)}"
            ) from None

    @contextlib.contextmanager
    def _disk(self, closing: h5py.File | None = None) -> Iterator[None]:
        """Turn what HDF5 says of the disk into a `RecordingError`, and touch the file no more."""
        try:
            yield
        except (RecordingError, DataError):
            raise
        except (OSError, RuntimeError) as error:
            if self._file is not None:
                _let_go(self._file)
                self._file = None
            number = getattr(error, "errno", None)
            full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left" in str(error)
            raise RecordingError(
                f"{self.path} cannot be written ({'the disk is full' if full else error}); what was "
                "recorded until now is kept: free some space, run 'emolab recover' on it, "
                "then record the rest as a new session"
            ) from error


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _let_go(file: h5py.File) -> None:
    """Close a file even when the disk no longer takes what HDF5 wants to write."""
    with contextlib.suppress(OSError, RuntimeError):
        file.close()
