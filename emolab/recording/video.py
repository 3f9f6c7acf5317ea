"""RGB frames to H.264 packets, and any frame back from them.

x264 `ultrafast`, crf 18, zero latency: each frame gives its packet at once, so nothing waits in
the encoder when the process dies. Parameter sets are repeated at each key frame, so decoding can
start there and the packets one after the other are an ordinary `.h264` stream. 4:2:0 needs even
sizes: an odd frame is stored with its last row or column doubled and cut when it is read.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from emolab.core.errors import DataError, RecordingError
from emolab.core.stream import Chunk, StreamInfo, Tally

KEY_EVERY_S = 0.9  # less than a second even when the next frame is late
_QUEUE_BYTES = 256 << 20


@dataclass(frozen=True)
class EncodedFrames:
    """A chunk of video with packets in place of pixels; `packets` and `is_key` have a row a frame."""

    stream: str
    times_s: NDArray[np.float64]
    packets: tuple[bytes, ...]
    is_key: tuple[bool, ...]
    arrival_s: float
    counter: NDArray[np.int64] | None = None
    device_us: NDArray[np.int64] | None = None
    tally: Tally | None = None

    def __len__(self) -> int:
        return len(self.packets)


class H264Encoder:
    """Encodes one stream's frames, in order."""

    def __init__(self, info: StreamInfo) -> None:
        self._shape = info.sample_shape
        height, width = info.sample_shape[:2]
        self._pad = ((0, height % 2), (0, width % 2), (0, 0))
        codec: Any = av.CodecContext.create("libx264", "w")
        codec.width = width + width % 2
        codec.height = height + height % 2
        codec.pix_fmt = "yuv420p"
        rate = max(1, round(info.nominal_rate_hz or 30))
        codec.framerate = rate
        codec.gop_size = 100_000  # key frames are asked for by time, below
        codec.thread_count = 1  # one core is plenty, and the others have work
        codec.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "18", "forced-idr": "1"}
        self._codec = codec
        self._count = 0
        self._key_s = -np.inf

    def encode(self, chunk: Chunk) -> EncodedFrames:
        """The chunk with packets in place of pixels. Raises `DataError` for frames of another size."""
        if chunk.samples.shape[1:] != self._shape or chunk.samples.dtype != np.uint8:
            raise DataError(
                f"stream {chunk.stream!r} was opened with frames of {self._shape} bytes but delivers "
                f"{chunk.samples.shape[1:]} of {chunk.samples.dtype}; set the camera back to its first size"
            )
        packets = []
        keys = []
        for time_s, pixels in zip(chunk.times_s, chunk.samples, strict=True):
            data, is_key = self._frame(float(time_s), pixels)
            packets.append(data)
            keys.append(is_key)
        return EncodedFrames(
            chunk.stream,
            chunk.times_s,
            tuple(packets),
            tuple(keys),
            chunk.arrival_s,
            chunk.counter,
            chunk.device_us,
            chunk.tally,
        )

    def _frame(self, time_s: float, pixels: NDArray[np.uint8]) -> tuple[bytes, bool]:
        if any(after for _, after in self._pad):
            pixels = np.pad(pixels, self._pad, mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
            format="yuv420p"
        )
        frame.pts = self._count  # x264 wants them strictly rising; the true times are in the frame table
        if time_s - self._key_s >= KEY_EVERY_S or time_s < self._key_s:
            frame.pict_type = PictureType.I
            self._key_s = time_s
        else:
            frame.pict_type = PictureType.NONE
        self._count += 1
        packets = self._codec.encode(frame)
        if len(packets) != 1:
            raise RecordingError(
                f"the H.264 encoder gave {len(packets)} packets for one frame; install PyAV again"
            )
        return bytes(packets[0]), bool(packets[0].is_keyframe)


class VideoEncoder:
    """A thread that encodes one stream and hands the packets on.

    `deliver` is called in that thread with each `EncodedFrames`, `failed` with each
    chunk that could not be encoded, and why.
    """

    def __init__(
        self,
        info: StreamInfo,
        deliver: Callable[[EncodedFrames], None],
        failed: Callable[[Chunk, Exception], None],
    ) -> None:
        self._info = info
        self._encoder = H264Encoder(info)
        self._deliver = deliver
        self._failed = failed
        frames = max(4, _QUEUE_BYTES // max(1, info.sample_bytes))
        self.room = min(frames, 120)
        self._queue: queue.Queue[Chunk | None] = queue.Queue(self.room)
        self._arrivals: deque[float] = deque()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name=f"encode {info.name}", daemon=True)
        self._thread.start()

    def put(self, chunk: Chunk) -> bool:
        """Queue a chunk for encoding; False when the encoder has fallen too far behind to take it."""
        self._arrivals.append(chunk.arrival_s)
        try:
            self._queue.put_nowait(chunk)
        except queue.Full:
            self._arrivals.pop()  # one pump feeds one stream: the last one is this one
            return False
        return True

    @property
    def backlog(self) -> int:
        """Chunks not yet handed on."""
        return len(self._arrivals)

    @property
    def waiting_since_s(self) -> float | None:
        """Arrival time of the oldest chunk not yet handed on, None when there is none."""
        with contextlib.suppress(IndexError):
            return self._arrivals[0]
        return None

    def close(self, timeout_s: float) -> bool:
        """Encode what is queued and end the thread; False when it did not end in time."""
        if not self._is_closing:
            try:
                self._queue.put(None, timeout=timeout_s)
            except queue.Full:
                return False
            self._is_closing = True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (chunk := self._queue.get()) is not None:
            try:
                self._deliver(self._encoder.encode(chunk))
            except DataError as error:  # a frame of the wrong size; the next may be right again
                self._failed(chunk, error)
            except Exception as error:  # whatever it was, the next frame gets a fresh encoder
                self._encoder = H264Encoder(self._info)
                self._failed(chunk, error)
            finally:
                self._arrivals.popleft()


class Packets(Protocol):
    """What a `VideoReader` reads from."""

    def __len__(self) -> int: ...

    def times_s(self, start: int = 0, stop: int | None = None) -> NDArray[np.float64]: ...

    def keys(self) -> NDArray[np.bool_]: ...

    def packet(self, index: int) -> bytes: ...


class VideoReader:
    """Random access to the frames of a recorded stream; `shape` is (height, width, 3).

    Of a damaged packet the decoder shows what it can make of it, and of those that build on it up to the
    next key frame. To look at, that is better than nothing; for who judges what is seen, `strict` says
    of each of them that it cannot be decoded.
    """

    def __init__(self, packets: Packets, shape: tuple[int, ...], strict: bool = False) -> None:
        self._packets = packets
        self._strict = strict
        self._damaged: dict[int, int] = {}  # key frame: the first damaged one that builds on it
        self.shape = shape
        self._keys = np.flatnonzero(packets.keys())
        self._codec: Any = None
        self._next = -1  # the frame the open decoder would give next

    def __len__(self) -> int:
        return len(self._packets)

    def frame(self, index: int) -> tuple[float, NDArray[np.uint8]]:
        """Time and pixels of one frame. Raises `IndexError` outside, `DataError` if it cannot be decoded."""
        index = range(len(self))[index]
        return next(iter(self.frames(index, index + 1)))

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Time and pixels of each frame from `start` up to `stop`."""
        first, last, _ = slice(start, stop).indices(len(self))
        for index in range(first, last):
            yield float(self._packets.times_s(index, index + 1)[0]), self._decode(index)

    def _decode(self, index: int) -> NDArray[np.uint8]:
        before = self._keys[: int(np.searchsorted(self._keys, index, side="right"))]
        if not len(before):
            raise DataError(f"frame {index} cannot be decoded: no key frame comes before it")
        key = int(before[-1])
        self._refuse_if_damaged(key, index)
        if self._codec is None or not key <= self._next <= index:
            self._codec = av.CodecContext.create("h264", "r")
            self._codec.thread_count = 1  # frame threads would hold frames back
            self._codec.options = {"err_detect": "explode"} if self._strict else {}
            self._next = key
        frame = None
        for place in range(self._next, index + 1):
            try:
                decoded = self._codec.decode(av.Packet(self._packets.packet(place)))
            except av.FFmpegError:  # said below, unless a later one brings the picture back
                decoded = []
            frame = decoded[-1] if decoded else None
            if frame is None and self._strict:
                self._damaged.setdefault(key, place)
        self._next = index + 1
        self._refuse_if_damaged(key, index)
        if frame is None:
            self._codec = None
            raise DataError(f"frame {index} cannot be decoded; its packet is damaged, try the next one")
        height, width = self.shape[:2]
        pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")[:height, :width]
        return pixels

    def _refuse_if_damaged(self, key: int, index: int) -> None:
        if self._damaged.get(key, index + 1) <= index:
            raise DataError(f"frame {index} cannot be decoded: frame {self._damaged[key]} is damaged")
