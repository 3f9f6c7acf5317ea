"""A session file opened: afterwards, while it is being written, or after its process was killed.

Only rows the file's ledger calls safe are shown (see `layout`). A live session shows what was
there at `open` or at the last `refresh`; what has been handed out never changes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, EmolabError, RecordingError, SchemaMismatch
from emolab.core.event import Event
from emolab.core.label import RatedLabel
from emolab.core.stream import Channel, StreamInfo, Tally
from emolab.recording import guard, layout
from emolab.recording.columns import Columns, Safe
from emolab.recording.guard import damage_told
from emolab.recording.header import SessionHeader
from emolab.recording.still import open_still
from emolab.recording.video import VideoReader

KEPT_ROWS = 1 << 23  # times of longer streams are not kept in memory
SUMMED_ROWS = 1 << 20
PIECE_ROWS = 128  # of a damaged log that are read together; no block of one holds fewer


class RecordedStream:
    """One stream of a session. Times are seconds from the file's time zero."""

    def __init__(self, file: h5py.File, safe: Safe, name: str) -> None:
        self.name = name
        self.info: StreamInfo = layout.read_info(file, name)
        where = file[layout.group(name)]
        path = layout.group(name)
        self.columns = Columns(safe, where, path, "step_us")
        self.bulk: Columns | None = None
        self._bulk = layout.PACKETS if layout.is_video(self.info) else layout.SAMPLES
        if self.info.is_image:
            self.bulk = Columns(safe, where, f"{path}/{self._bulk}", self._bulk)
        self._arrivals = Columns(safe, where, f"{path}/{layout.ARRIVALS}", layout.ARRIVALS)
        self._tally = Columns(safe, where, f"{path}/{layout.TALLIES}", layout.TALLIES)
        self._knots = Columns(safe, where, f"{path}/{layout.KNOTS}", layout.KNOTS)
        self._facts = Columns(safe, where, f"{path}/{layout.FACTS}", layout.FACTS)
        self._us = np.zeros(0, np.int64)
        self._sums = [0]
        self._places: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None

    def __len__(self) -> int:
        rows = len(self.columns)
        if self.bulk is None:
            return rows
        if not layout.is_video(self.info):
            return min(rows, len(self.bulk))
        try:
            return self.whole_frames(rows, len(self.bulk))
        except RecordingError:  # told to whoever reads those rows
            return rows

    def whole_frames(self, rows: int, size: int) -> int:
        """RGB only: how many of the first `rows` frames have their packets in the first `size` bytes."""
        if self.packets_end(rows) <= size:
            return rows
        ends = self.columns.read("offset", 0, rows) + self.columns.read("size", 0, rows)
        whole = np.flatnonzero(ends <= size)
        return int(whole[-1]) + 1 if len(whole) else 0

    def packets_end(self, rows: int) -> int:
        """RGB only: bytes of the packets of the first `rows` frames."""
        if not rows:
            return 0
        return sum(int(self.columns.read(name, rows - 1, rows)[0]) for name in ("offset", "size"))

    def times_us(self, start: int = 0, stop: int | None = None) -> NDArray[np.int64]:
        """`(n,)` int64 microseconds, exactly as stored."""
        rows = len(self)
        if rows > KEPT_ROWS:
            start, stop, _ = slice(start, stop).indices(rows)
            return np.cumsum(self.columns.read("step_us", start, stop)) + self._us_before(start)
        if len(self._us) < rows:
            before = int(self._us[-1]) if len(self._us) else 0
            new = np.cumsum(self.columns.read("step_us", len(self._us), rows)) + before
            self._us = np.concatenate([self._us, new])
        return self._us[:rows][start:stop]

    def _us_before(self, row: int) -> int:
        """Time of the row before `row`; of hours of sound only a sum in a million is kept."""
        while len(self._sums) <= row // SUMMED_ROWS:
            at = (len(self._sums) - 1) * SUMMED_ROWS
            steps = self.columns.read("step_us", at, at + SUMMED_ROWS)
            self._sums.append(self._sums[-1] + int(steps.sum(dtype=np.int64)))
        summed = row // SUMMED_ROWS * SUMMED_ROWS
        rest = self.columns.read("step_us", summed, row)
        return self._sums[row // SUMMED_ROWS] + int(rest.sum(dtype=np.int64))

    def time_slices_us(self, rows: int = 1 << 20) -> Iterator[NDArray[np.int64]]:
        """The times in pieces of so many rows: an hour of audio would fill the memory at once."""
        at_us = 0
        for start in range(0, len(self), rows):
            piece = np.cumsum(self.columns.read("step_us", start, min(start + rows, len(self)))) + at_us
            at_us = int(piece[-1])
            yield piece

    def last_s(self) -> float | None:
        """Time of the last sample, None when there is none. Raises `RecordingError` where it is damaged."""
        ends = [int(piece[-1]) for piece in self.time_slices_us()]
        return ends[-1] / 1e6 if ends else None

    def times_s(
        self, start: int = 0, stop: int | None = None, *, as_stamped: bool = False
    ) -> NDArray[np.float64]:
        """`(n,)` seconds, the capture time of each sample as well as it is known.

        Once a session has ended these are the refined times where the stream has any (`fit`);
        `as_stamped` gives those stamped live, to the microsecond, in any case.
        """
        ticks, times_us, facts = (None, None, {}) if as_stamped else self.fit()
        if ticks is None or times_us is None or not len(ticks):
            return self.times_us(start, stop) / 1e6
        start, stop, _ = slice(start, stop).indices(len(self))
        return np.asarray(np.interp(self._counts(facts["by"], start, stop), ticks, times_us)) / 1e6

    def fit(self) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Any]]:
        """Corners of the refined times over the device's count, and the facts of the fit (see `layout`).

        All empty while the session is recorded, and in files whose process was killed.
        """
        if not self._knots.has(layout.KNOTS) or not len(self._facts):
            return np.zeros(0), np.zeros(0), {}
        with damage_told(self.name):
            knots = self._knots.read(layout.KNOTS)
            return knots["tick"], knots["time_us"], dict(json.loads(self._facts.read(layout.FACTS).tobytes()))

    def time_slices_s(self, rows: int = 1 << 20) -> Iterator[NDArray[np.float64]]:
        """What `times_s` gives, in pieces of so many rows."""
        ticks, times_us, facts = self.fit()
        if not len(ticks):
            for piece_us in self.time_slices_us(rows):
                yield piece_us / 1e6
            return
        clock_us = 0
        for start in range(0, len(self), rows):
            stop = min(start + rows, len(self))
            if facts["by"] == "device_us":
                counts = np.cumsum(self.columns.read("device_step_us", start, stop)) + clock_us
                clock_us = int(counts[-1])
            else:
                counts = self._counts(facts["by"], start, stop)
            yield np.interp(counts, ticks, times_us) / 1e6

    def samples(self, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Raw samples `(n, channels)` or frames `(n, height, width)`; for RGB ask `Session.video`."""
        if layout.is_video(self.info):
            raise DataError(f"stream {self.name!r} is encoded video; read its frames with Session.video")
        start, stop, _ = slice(start, stop).indices(len(self))
        return (self.bulk or self.columns).read(layout.SAMPLES, start, stop)

    def values(self, channel: str | int = 0, start: int = 0, stop: int | None = None) -> NDArray[np.float64]:
        """One channel in its unit: `(n,)`, or `(n, height, width)` for thermal frames."""
        index = channel if isinstance(channel, int) else self._index(channel)
        raw = self.samples(start, stop)
        column = raw if self.info.is_image else raw[:, index]
        told = self.info.channels[index]
        return column * told.scale + told.offset

    def counter(self, start: int = 0, stop: int | None = None) -> NDArray[np.int64] | None:
        """The device's own sample counter, `layout.MISSING` where it gave none; None without one."""
        return self._optional("counter", start, stop)

    def device_us(self, start: int = 0, stop: int | None = None) -> NDArray[np.int64] | None:
        """The device's own clock in microseconds, `layout.MISSING` where it gave none; or None."""
        steps = self._optional("device_step_us", 0, None)
        if steps is None:
            return None
        given = steps != layout.MISSING
        clock = np.cumsum(np.where(given, steps, 0))
        return np.where(given, clock, layout.MISSING)[start:stop]

    def arrivals(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """First row of each chunk, and when the program had that chunk in hand."""
        table = self._arrivals.read(layout.ARRIVALS)
        return table["row"], table["arrival_us"] / 1e6

    def tally(self) -> list[tuple[float, Tally]]:
        """The instrument's counts since it was opened, each time they changed."""
        return [(row[0] / 1e6, Tally(*row[1:])) for row in self._tally.read(layout.TALLIES).tolist()]

    def keys(self) -> NDArray[np.bool_]:
        """RGB only: which frames are key frames."""
        return self.columns.read("is_key", 0, len(self)).astype(bool)

    def packet(self, index: int) -> bytes:
        """RGB only: the H.264 packet of one frame."""
        if self._places is None or index >= len(self._places[0]):
            self._places = (
                self.columns.read("offset", 0, len(self)),
                self.columns.read("size", 0, len(self)),
            )
        offset, size = int(self._places[0][index]), int(self._places[1][index])
        assert self.bulk is not None
        return self.bulk.read(layout.PACKETS, offset, offset + size).tobytes()

    def tables(self) -> tuple[Columns, Columns]:
        """The arrival table and the tally table as they lie in the file."""
        return self._arrivals, self._tally

    def _counts(self, by: str, start: int, stop: int) -> NDArray[np.int64]:
        """The device's count of rows, or the rows themselves."""
        counts = {"counter": self.counter, "device_us": self.device_us}.get(by, lambda *_: None)(start, stop)
        return np.arange(start, stop) if counts is None else counts

    def _optional(self, name: str, start: int, stop: int | None) -> NDArray[np.int64] | None:
        if not self.columns.has(name):
            return None
        start, stop, _ = slice(start, stop).indices(len(self))
        rows = self.columns.read(name, start, stop)
        return None if (rows == layout.MISSING).all() else rows

    def _index(self, channel: str) -> int:
        names = [told.name for told in self.info.channels]
        if channel not in names:
            raise DataError(
                f"stream {self.name!r} has no channel {channel!r}; its channels are {', '.join(names)}"
            )
        return names.index(channel)


@dataclass(frozen=True)
class Signal:
    """One channel in its unit: `times_s` and `values`, both `(n,)`; `channel` says what it is."""

    stream: str
    channel: Channel
    nominal_rate_hz: float | None
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]


class Session:
    """A session file opened for reading; make it with `Session.open`, use it in a `with` block.

    `finished`: the file was closed in order. `outcome`: `complete`, `aborted`, `interrupted`, or
    `recording` while it is (or was, when killed) being written.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self._safe = Safe(file, path)
        self._outcome = layout.OUTCOMES[0]
        self.header: SessionHeader = layout.read_header(file)
        self.zero_engine_s = float(file.attrs["zero_engine_s"])
        self.streams: dict[str, RecordedStream] = {}
        for name in file[layout.STREAMS]:
            guard.check_stream(file, name, path)
            self.streams[name] = RecordedStream(file, self._safe, name)
        self._lines = Columns(self._safe, file["events"], layout.EVENT_LINES, "lines")
        self._index = Columns(self._safe, file["events"], layout.EVENTS, "index")
        self._answers = Columns(self._safe, file, layout.ANSWERS, layout.ANSWERS)

    @classmethod
    def open(cls, path: Path, live: bool = False) -> Session:
        """Open a session; `live=True` for one that another process is writing.

        Raises `RecordingError` when it is not there or too damaged to open, `SchemaMismatch`
        when it is not ours.
        """
        path = Path(path)
        if not path.is_file():
            raise RecordingError(f"there is no session file {path}; check the spelling")
        if not h5py.is_hdf5(path):
            raise SchemaMismatch(
                f"{path} is no HDF5 file, so no emolab session; choose a file that emolab recorded"
            )
        file = _open(path, live)
        try:
            with damage_told(path):
                layout.check(file, path)
                guard.check(file, path)
                return cls(path, file)
        except EmolabError:
            file.close()
            raise

    @property
    def outcome(self) -> str:
        """How it ended, `recording` if it has not."""
        if self._outcome != layout.OUTCOMES[0]:  # that stays; whoever reads samples meanwhile holds the file
            return self._outcome
        dataset = self._file[layout.OUTCOME]
        dataset.id.refresh()
        try:
            told = bytes(dataset[0]).decode()
        except OSError:  # cut off with the end of the file
            told = ""
        self._outcome = told if told in layout.OUTCOMES else layout.OUTCOMES[0]
        return self._outcome

    @property
    def finished(self) -> bool:
        """True when the file was closed in order."""
        return self.outcome != layout.OUTCOMES[0]

    @property
    def complete(self) -> bool:
        """True when the session ran to its end and the file was closed in order."""
        return self.outcome == "complete"

    @property
    def recovery(self) -> Mapping[str, Any]:
        """What mending the file found; empty for files that never needed it."""
        if layout.RECOVERY not in self._file:
            return {}
        with damage_told(self.path):
            return dict(json.loads(layout.read_text(self._file, layout.RECOVERY)))

    @property
    def events(self) -> list[Event]:
        """Everything that happened, in the order it was written."""
        with damage_told(self.path):
            return [Event.from_json(line.decode()) for _, line in self._event_lines()]

    def events_that_can_be_read(self) -> tuple[int, list[int]]:
        """How many events there are, and the rows of those that are not damaged."""
        lines = self._event_lines(_as_far_as_read)
        return len(lines), [row for row, line in lines if _event(line) is not None]

    def sound_events(self) -> tuple[list[Event], int]:
        """The events that can be read, and how many cannot."""
        with damage_told(self.path):
            lines = self._event_lines(_as_far_as_read)
            sound = [event for _, line in lines if (event := _event(line)) is not None]
            return sound, len(lines) - len(sound)

    def last_s(self) -> tuple[float, list[str]]:
        """Time of the last sample that can be read, 0 without any, and the streams whose times cannot."""
        last_s, damaged = 0.0, []
        for name, stream in self.streams.items():
            try:
                last_s = max(last_s, stream.last_s() or 0.0)
            except RecordingError:
                damaged.append(name)
        return last_s, damaged

    def _event_lines(
        self, read: Callable[[Columns, str], NDArray[Any]] = Columns.read
    ) -> list[tuple[int, bytes]]:
        last = len(self._lines)
        text = read(self._lines, "lines").tobytes()
        rows = read(self._index, "index").tolist()
        return [(row, text[at : at + size]) for row, (_, at, size) in enumerate(rows) if at + size <= last]

    @property
    def answers(self) -> list[RatedLabel]:
        """What the participant said, a row a question, in order; `clip` None is the baseline's."""
        return [
            RatedLabel(
                clip.decode(errors="replace") or None,
                state.decode(errors="replace") or None,
                word.decode(errors="replace") or None,
                None if np.isnan(response_s) else response_s,
                changes,
            )
            for _, clip, state, word, response_s, changes in self._answers.read(layout.ANSWERS).tolist()
        ]

    def video(self, name: str) -> VideoReader:
        """Random access to an RGB stream's frames."""
        stream = self._stream(name)
        if not layout.is_video(stream.info):
            raise DataError(f"stream {name!r} is no RGB video; read it with samples()")
        return VideoReader(stream, stream.info.sample_shape)

    def signal(self, what: str) -> Signal:
        """A channel as `stream/channel`, or the first channel of a kind such as `eda`.

        Raises `DataError` naming the channels there are.
        """
        for stream in self.streams.values():
            for index, channel in enumerate(stream.info.channels):
                if not stream.info.is_image and what in (
                    channel.kind,
                    f"{stream.name}/{channel.name}",
                    stream.name,
                ):
                    times_s, values = stream.times_s(), stream.values(index)
                    return Signal(stream.name, channel, stream.info.nominal_rate_hz, times_s, values)
        known = ", ".join(f"{s.name}/{c.name}" for s in self.streams.values() for c in s.info.channels)
        raise DataError(f"{self.path.name} has no signal {what!r}; it has {known or 'no stream at all'}")

    def logs(self) -> list[tuple[Columns, str]]:
        """Events and answers as they lie in the file, with their paths."""
        return [
            (self._lines, layout.EVENT_LINES),
            (self._index, layout.EVENTS),
            (self._answers, layout.ANSWERS),
        ]

    def refresh(self) -> None:
        """Live sessions: show what has been recorded by now."""
        self._safe.refresh()

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._file.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stream(self, name: str) -> RecordedStream:
        try:
            return self.streams[name]
        except KeyError:
            known = ", ".join(self.streams) or "none"
            raise DataError(f"{self.path.name} has no stream {name!r}; its streams are {known}") from None


def _as_far_as_read(columns: Columns, name: str) -> NDArray[Any]:
    """A whole column, zero where it is damaged: a piece that cannot be read does not take others along."""
    try:
        return columns.read(name)
    except RecordingError:
        rows = np.zeros(len(columns), columns.read(name, 0, 0).dtype)
        for start in range(0, len(rows), PIECE_ROWS):
            with contextlib.suppress(RecordingError):
                rows[start : start + PIECE_ROWS] = columns.read(name, start, start + PIECE_ROWS)
        return rows


def _event(line: bytes) -> Event | None:
    """What a line says; None when it is damaged."""
    try:
        return Event.from_json(line.decode())
    except (DataError, UnicodeDecodeError):
        return None


def _open(path: Path, live: bool) -> h5py.File:
    """Open quietly whatever state the file is in: closed, being written, or left behind."""
    try:
        try:
            return h5py.File(path, "r", swmr=live, locking="best-effort")
        except OSError:
            if live:
                raise
            return open_still(path)
    except Exception as error:  # HDF5 has many words for damage
        raise RecordingError(
            f"{path} cannot be opened ({error}); if its recording was killed before the first half second "
            "there is nothing in it, else try it on another machine and keep the file"
        ) from error
