"""Hears what a virtual sound card plays, with the moment of each sample on the machine's monotonic clock.

    python -m tests.simulators.listener --seconds 12 --out heard.npz

prints `ready` when it listens. `heard.npz`: `samples` `(n,)` float32, `first_ns` of the first sample,
`rate_hz` as a line through the card's stamps tells it.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import sounddevice

RATE_HZ = 48_000
SETTLING_S = 1.0  # its first stamps are not to be trusted


def main() -> None:
    """Listen, and write what was heard."""
    cli = argparse.ArgumentParser()
    cli.add_argument("--seconds", type=float, required=True)
    cli.add_argument("--out", required=True)
    options = cli.parse_args()
    blocks: list[np.ndarray] = []
    stamps: list[tuple[int, float]] = []  # sample, monotonic seconds
    heard = 0

    def hear(data: np.ndarray, frames: int, times: Any, status: Any) -> None:
        nonlocal heard
        to_monotonic_s = time.monotonic() - stream.time
        stamps.append((heard, times.inputBufferAdcTime + to_monotonic_s))
        blocks.append(data[:, 0].copy())
        heard += frames

    stream = sounddevice.InputStream(
        samplerate=RATE_HZ, channels=1, dtype="float32", latency=0.1, device="pulse", callback=hear
    )
    with stream:
        print("ready", flush=True)
        time.sleep(options.seconds)
    settled = np.array([stamp for stamp in stamps if stamp[0] > SETTLING_S * RATE_HZ])
    offsets_s = settled[:, 1] - settled[:, 0] / RATE_HZ
    first_s = float(np.median(offsets_s))
    np.savez(options.out, samples=np.concatenate(blocks), first_ns=round(first_s * 1e9), rate_hz=RATE_HZ)


if __name__ == "__main__":
    main()
