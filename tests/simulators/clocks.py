"""Devices made of arithmetic, recorded to a file: true capture times are known, arrivals are late.

No time passes: samples are captured at `truth_s`, some are lost, a link hands the rest over in
bursts to a machine that is busy now and then, a `Stamper` stamps them as a live source would,
and a `SessionWriter` stores them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.devices.audio_clock import AudioClock
from emolab.devices.stamps import Stamper
from emolab.recording.header import SessionHeader
from emolab.recording.writer import SessionWriter

Times = NDArray[np.float64]
HEADER = SessionHeader("clock")
RESET = 1 << 32  # where the device's clock goes on after a reset


@dataclass(frozen=True)
class Device:
    """A device and its link.

    `drift_ppm`: how fast its crystal runs. `wander_ppm`: how much faster still after some minutes of
    warming up. `loss`: share of the samples lost, in runs of `run`. `burst_s`: the link hands over
    so often only. `jitter_s`: mean of each hand-over's own delay. `stall_share`: of the reads come
    20 ms late because the machine is busy; it rests `rest_s` between two reads. `pauses_hz`: a board
    that paces itself by waiting waits longer so many times a second, by `pause_s` on average.
    """

    rate_hz: float = 250.0
    drift_ppm: float = 0.0
    wander_ppm: float = 0.0
    loss: float = 0.0
    run: int = 1
    burst_s: float = 0.016
    jitter_s: float = 3e-4
    stall_share: float = 0.01
    rest_s: float = 0.002
    pauses_hz: float = 0.0
    pause_s: float = 0.8e-3
    seed: int = 0

    def captured(self, seconds: float, start_s: float = 1.0) -> Times:
        """True times of all samples, those that will be lost included."""
        own_s = np.arange(int(seconds * self.rate_hz)) / self.rate_hz
        warming_s = own_s - 200.0 * (1 - np.exp(-own_s / 200.0))
        even_s = own_s / (1 + self.drift_ppm * 1e-6) - warming_s * self.wander_ppm * 1e-6
        return start_s + even_s + self._waited_s(len(own_s))

    def _waited_s(self, n: int) -> Times:
        """What its pauses have added by each sample."""
        chance = np.random.default_rng(self.seed + 2)
        pauses = chance.random(n) < self.pauses_hz / self.rate_hz
        return np.cumsum(pauses * chance.exponential(self.pause_s, n))

    def kept(self, n: int) -> NDArray[np.bool_]:
        """Which samples are not lost; the first and the last never are."""
        chance = np.random.default_rng(self.seed)
        kept = np.ones(n, np.bool_)
        for start in np.flatnonzero(chance.random(n) < self.loss / self.run):
            kept[start : start + self.run] = False
        kept[[0, -1]] = True
        return kept

    def hand_over(self, truth_s: Times) -> tuple[NDArray[np.int64], Times]:
        """Last sample of each chunk, and when it was in hand."""
        chance = np.random.default_rng(self.seed + 1)
        there_s = truth_s if not self.burst_s else np.ceil(truth_s / self.burst_s) * self.burst_s
        lasts, arrivals_s = [], []
        done, now_s = 0, there_s[0]
        while done < len(truth_s):
            now_s += self.rest_s + 0.0005 * chance.random()
            now_s += 0.02 if chance.random() < self.stall_share else 0.0
            now_s = max(now_s, there_s[done] + self.jitter_s * chance.exponential())
            done = int(np.searchsorted(there_s, now_s, side="right"))
            lasts.append(done - 1)
            arrivals_s.append(now_s)
        return np.array(lasts), np.array(arrivals_s)


def serial_info(rate_hz: float, stamped_by: str = "arrival") -> StreamInfo:
    """A board of one channel."""
    return StreamInfo("board", (Channel("x", "eda"),), rate_hz, "uint16", (1,), {"stamped_by": stamped_by})


def counting_board(device: Device, truth_s: Times, kept: NDArray[np.bool_]) -> Iterator[Chunk]:
    """What a board with counter and clock delivers, `device_us` by its own crystal."""
    counter = np.flatnonzero(kept)
    device_us = np.rint(counter / device.rate_hz * 1e6).astype(np.int64) + 7_000_000
    stamper = Stamper(1e-6, is_sure=True, may_jump=False)
    first = 0
    for last, arrival_s in zip(*device.hand_over(truth_s[kept]), strict=True):
        part = slice(first, int(last) + 1)
        times_s = stamper.stamp(device_us[part], float(arrival_s))
        lost = int(counter[last]) - int(last)
        yield Chunk(
            "board",
            times_s,
            np.zeros((len(times_s), 1), np.uint16),
            float(arrival_s),
            counter[part],
            device_us[part],
            Tally(lost=lost),
        )
        first = int(last) + 1


def plain_board(device: Device, truth_s: Times, kept: NDArray[np.bool_]) -> Iterator[Chunk]:
    """What a board delivers that counts nothing: rows, held back until their rate is known."""
    stamper = Stamper(1 / 250)
    waiting: list[tuple[int, int, float]] = []
    first = 0
    for last, arrival_s in zip(*device.hand_over(truth_s[kept]), strict=True):
        waiting.append((first, int(last) + 1, float(arrival_s)))
        first = int(last) + 1
        if not stamper.is_settled:
            stamper.observe(int(last), float(arrival_s))
            continue
        rows = np.arange(waiting[0][0], first)
        times_s = stamper.stamp(rows, float(arrival_s))
        for start, stop, came_s in waiting:
            part = times_s[start - rows[0] : stop - rows[0]]
            yield Chunk("board", part, np.zeros((len(part), 1), np.uint16), came_s, tally=Tally())
        waiting.clear()


def sound_card(device: Device, seconds: float, noise_s: float = 1e-3) -> Iterator[tuple[Chunk, Times]]:
    """Blocks of sound as a microphone stamps them, each with its true times."""
    chance = np.random.default_rng(device.seed)
    clock = AudioClock(device.rate_hz)
    truth_s = device.captured(seconds)
    frames = int(device.rate_hz / 20)
    wander_s = np.zeros(len(truth_s) // frames + 1)
    for block in range(1, len(wander_s)):  # as PulseAudio's, over tens of seconds
        wander_s[block] = 0.9975 * wander_s[block - 1] + chance.normal(0, 0.07 * noise_s / 2)
    for block, start in enumerate(range(0, len(truth_s) - frames, frames)):
        part = truth_s[start : start + frames]
        times_s = clock.see(frames, float(part[0]) + float(wander_s[block]) + chance.normal(0, noise_s))
        samples = np.zeros((frames, 1), np.int16)
        yield Chunk("sound", times_s, samples, float(part[-1]) + 0.12, tally=Tally()), part


SOUND = StreamInfo("sound", (Channel("x", "audio"),), 48000.0, "int16", (1,), {"stamped_by": "driver"})


def stored(path: Path, info: StreamInfo, chunks: Iterator[Chunk], closed: bool = True) -> Path:
    """A session file with these chunks; not closed, it is what a killed process leaves."""
    writer = SessionWriter(path, HEADER, pack_below_bytes=0)
    writer.open([info])
    for chunk in chunks:
        writer.write(chunk)
    writer.flush()
    if closed:
        writer.close()
    return path
