"""What recording costs: latency, processor, disk, and size beside XDF.

    python -m tests.bench.bench_recording [--seconds 60]

Signals are 12-bit skin conductance, breath and two pulses with 2 counts of noise, stamped as a
serial source does (a line refitted four times a second, so steps are nearly but not quite
even). XDF gets the same rows: once with a stamp a sample, as LabRecorder writes irregular
streams and those pushed in chunks, and once with deduced stamps, a stamp a chunk. pyxdf must
read both back alike. Figures of this kind of machine are in `emolab/recording/writer.py`.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyxdf
from numpy.typing import NDArray

from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.recording.header import SessionHeader
from emolab.recording.reader import Session
from emolab.recording.recorder import Recorder
from emolab.recording.writer import SessionWriter

KINDS = ("eda", "respiration", "ppg", "ppg")
HEADER = SessionHeader("bench")


def board(name: str, rate_hz: float) -> StreamInfo:
    """A serial board of four channels."""
    return StreamInfo(name, tuple(Channel(f"c{i}", k) for i, k in enumerate(KINDS)), rate_hz, "uint16", (4,))


CAMERA = StreamInfo("camera", (Channel("rgb", "rgb"),), 30.0, "uint8", (720, 1280, 3))
THERMAL = StreamInfo("thermal", (Channel("skin", "thermal"),), 9.0, "uint16", (120, 160))
MICROPHONE = StreamInfo("microphone", (Channel("voice", "audio"),), 48000.0, "int16", (1,))


def signals(rate_hz: float, seconds: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.uint16]]:
    """Times and samples `(n, 4)` of a board."""
    random = np.random.default_rng(seed)
    n = int(rate_hz * seconds)
    t = np.arange(n) / rate_hz
    pulse = 0.2 * np.sin(2 * np.pi * 1.2 * t) + 0.08 * np.sin(2 * np.pi * 2.4 * t + 1)
    clean = np.stack(
        [
            0.3 + 0.05 * np.sin(t / 30),
            0.5 + 0.2 * np.sin(2 * np.pi * 0.25 * t),
            0.5 + pulse,
            0.5 - 0.8 * pulse,
        ],
        1,
    )
    samples = np.clip(4096 * clean + random.normal(0, 2.0, clean.shape), 0, 4095).round().astype(np.uint16)
    refits = np.cumsum(random.normal(0, 20e-6, int(seconds * 4) + 2))  # the line moves by some µs at a refit
    return 0.01 + t + np.interp(t, np.arange(len(refits)) / 4, refits), samples


def chunks(info: StreamInfo, seconds: float, chunk_s: float = 0.02) -> Iterator[Chunk]:
    """The stream cut into chunks as its source would deliver them."""
    rate_hz = info.nominal_rate_hz or 0.0
    if info.sample_shape == (4,):
        times_s, samples = signals(rate_hz, seconds, len(info.name))
        n = max(1, round(rate_hz * chunk_s))
        for at in range(0, len(times_s), n):
            part = times_s[at : at + n]
            yield Chunk(info.name, part, samples[at : at + n], float(part[-1]) + 0.003 + 0.002 * (at % 7) / 7)
        return
    random = np.random.default_rng(1)
    n = 960 if info.kind == "audio" else 1
    base = random.integers(0, 256, (8, *info.sample_shape)) if info.kind == "rgb" else None
    if base is not None:  # a still scene with some camera noise
        rows, columns = np.mgrid[0:720, 0:1280]
        scene = (60 + 60 * np.sin(rows / 90) + 60 * np.cos(columns / 70))[None, :, :, None]
        frames = np.clip(scene + (base - 128) / 64, 0, 255).astype(np.uint8)
    for at in range(0, int(rate_hz * seconds), n):
        times_s = np.arange(at, at + n) / rate_hz
        if base is not None:
            made = frames[at % 8][None]
        elif info.kind == "thermal":
            made = (30000 + 20 * random.standard_normal((1, *info.sample_shape))).astype(np.uint16)
        else:
            made = (300 * random.standard_normal((n, 1))).astype(np.int16)
        yield Chunk(info.name, times_s, made, float(times_s[-1]) + 0.02)


def xdf_bytes(
    times_s: NDArray[np.float64], samples: NDArray[np.uint16], rate_hz: float, deduced: bool
) -> bytes:
    """A minimal XDF file of one stream; `deduced` stamps only the first row of each tenth of a second."""

    def piece(tag: int, content: bytes) -> bytes:
        return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content

    nominal = rate_hz if deduced else 0
    head = (
        f"<?xml version='1.0'?><info><name>board</name><type>x</type><channel_count>4</channel_count>"
        f"<nominal_srate>{nominal}</nominal_srate><channel_format>int16</channel_format></info>"
    )
    parts = [b"XDF:", piece(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")]
    parts.append(piece(2, struct.pack("<I", 1) + head.encode()))
    n = max(1, round(rate_hz / 10))
    for at in range(0, len(times_s), n):
        body = [struct.pack("<IBI", 1, 4, len(times_s[at : at + n]))]
        for row in range(at, min(at + n, len(times_s))):
            stamp = b"\x08" + struct.pack("<d", times_s[row]) if not deduced or row == at else b"\x00"
            body.append(stamp + samples[row].astype("<i2").tobytes())
        parts.append(piece(3, b"".join(body)))
    foot = f"<info><sample_count>{len(times_s)}</sample_count></info>"
    return b"".join([*parts, piece(6, struct.pack("<I", 1) + foot.encode())])


def size_beside_xdf(folder: Path, rate_hz: float, seconds: float, pack: bool) -> str:
    """One line: bytes a row in a session file, and as a part of the same rows in XDF."""
    info = board("board", rate_hz)
    path = folder / f"{rate_hz}_{seconds}_{pack}.h5"
    writer = SessionWriter(path, HEADER, pack_below_bytes=(1 << 40) * pack)
    writer.open([info])
    for at, chunk in enumerate(chunks(info, seconds)):
        writer.write(chunk)
        if at % 20 == 0:
            writer.flush()
    writer.close()
    times_s, samples = signals(rate_hz, seconds, len(info.name))
    with Session.open(path) as session:
        assert np.array_equal(session.streams["board"].samples(), samples)
        assert np.abs(session.streams["board"].times_s() - times_s).max() <= 0.51e-6
    ratios = []
    for deduced in (False, True):
        file = folder / "same.xdf"
        file.write_bytes(xdf_bytes(times_s, samples, rate_hz, deduced))
        (stream,), _ = pyxdf.load_xdf(str(file), dejitter_timestamps=False, synchronize_clocks=False)
        assert np.array_equal(stream["time_series"], samples)
        ratios.append(path.stat().st_size / file.stat().st_size)
    row_bytes = path.stat().st_size / len(times_s)
    return (
        f"{rate_hz:6.0f} Hz {seconds:5.0f} s {'packed' if pack else 'as written':<11}{row_bytes:6.2f} B/row"
        f"  {ratios[0]:.3f} of XDF, {ratios[1]:.3f} of XDF with deduced stamps"
    )


def latency(folder: Path, seconds: float) -> str:
    """Two lines: how long the writer's thread is busy with a chunk and with a flush."""
    infos = [*(board(f"board{i}", 1000.0) for i in range(3)), THERMAL, MICROPHONE]
    told = sorted(
        (chunk for info in infos for chunk in chunks(info, seconds)), key=lambda chunk: chunk.arrival_s
    )
    writer = SessionWriter(folder / "latency.h5", HEADER, pack_below_bytes=0)
    writer.open(infos)
    writes, flushes, due_s = [], [], 0.4
    for chunk in told:
        writes.append(_timed(lambda chunk=chunk: writer.write(chunk)))
        if chunk.arrival_s > due_s:
            flushes.append(_timed(writer.flush))
            due_s += 0.4
    writer.close()
    return "\n".join(
        f"{what}: p50 {np.percentile(took, 50) * 1e6:.0f} µs, p99 {np.percentile(took, 99) * 1e6:.0f} µs, "
        f"worst {max(took) * 1e3:.1f} ms, {sum(took) / seconds:.2%} of a core"
        for what, took in (("write", writes), ("flush", flushes))
    )


def cost(folder: Path, info: StreamInfo, seconds: float, with_journal: bool) -> str:
    """One line: processor time and bytes a second of one stream, recorder and encoder threads included."""
    told = list(chunks(info, seconds))  # made beforehand: only recording is measured
    path, kept = folder / f"{with_journal}_{info.name}.h5", folder / f"{info.name}.journal"
    recorder = Recorder(path, HEADER, [info], make=_unpacked, with_journal=kept if with_journal else False)
    begun = time.process_time()
    for chunk in told:
        while recorder.backlog > 20:
            time.sleep(0.005)
        recorder.put(chunk)
    time.sleep(0.5 * with_journal)  # all of it is written by then
    size = kept.stat().st_size / seconds / 1000 if with_journal else 0.0
    recorder.close(timeout_s=60)
    busy = (time.process_time() - begun) / seconds
    rate, lost = recorder.bytes_written / seconds / 1000, sum(recorder.lost.values())
    return f"{info.name:<12}{busy:7.2%} of a core {rate:9.1f} kB/s, journal {size:9.1f} kB/s, {lost} lost"


def _unpacked(path: Path, header: SessionHeader, zero_s: float) -> SessionWriter:
    return SessionWriter(path, header, zero_s, pack_below_bytes=0)


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Print every figure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0, help="of session, for latency and cost")
    seconds = options.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("writer with 3 boards of 4 x 1000 Hz, thermal 160x120 at 9 Hz, audio 48 kHz")
        print(latency(folder, seconds))
        print("processor and disk, a stream at a time, through the Recorder")
        for info in (board("board", 1000.0), THERMAL, MICROPHONE, CAMERA):
            for with_journal in (False, True):
                print(cost(folder, info, min(seconds, 10.0) if info is CAMERA else seconds, with_journal))
        print("size of one board's session file")
        for rate_hz, long_s in ((250.0, 90.0), (250.0, 1200.0), (1000.0, 300.0)):
            for pack in (False, True):
                print(size_beside_xdf(folder, rate_hz, long_s, pack))


if __name__ == "__main__":
    main()
