"""Frames a second of `read_heat`, beside a threshold and OpenCV's connectedComponents, in one run.

    python -m tests.bench.bench_thermal [--frames 300] [--rounds 3] [--json FILE]

Films of a made person who sways before a room with a radiator, in counts of 16 bits. The reference does what
a first script does: degrees, a threshold, the largest connected region of the full picture, its mean and
maximum. It finds neck and radiator as well and knows no nose; its error stands beside ours. Times are of this
thread alone, the best of the rounds, in turn. 20 min at 30 Hz are 36,000 frames.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.signals.thermal.heat import read_heat
from tests.signals.thermal.made import Person, picture

SIZES = [(80, 60), (160, 120), (320, 240), (640, 480)]
MADE = 24  # different pictures; the film goes through them to and fro
RATE_HZ = 9.0
THRESHOLD_C = 30.0


def film(
    size: tuple[int, int], count: int
) -> tuple[NDArray[np.uint16], NDArray[np.float64], NDArray[np.float64]]:
    """Counts of a hundredth of a kelvin, and the true means of face and nose."""
    people = [Person(x=0.06 * float(np.sin(k / 4)), nose_c=32.5 - 0.02 * k) for k in range(MADE)]
    made = [picture(one, *size, ("radiator",), seed) for seed, one in enumerate(people)]
    counts = np.stack([np.rint((one.celsius + 273.15) * 100) for one in made]).astype(np.uint16)
    order = np.abs((np.arange(count) + MADE - 1) % (2 * MADE - 2) - (MADE - 1))
    face = np.array([one.face_mean_c for one in made])
    nose = np.array([one.nose_mean_c if one.nose.any() else np.nan for one in made])
    return np.ascontiguousarray(counts[order]), face[order], nose[order]


def by_emolab(frames: NDArray[np.uint16]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    heat = read_heat(frames, np.arange(len(frames)) / RATE_HZ, scale=0.01, offset=-273.15)
    return heat.face_mean_c, heat.nose_c


def by_threshold(frames: NDArray[np.uint16]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    means = np.empty(len(frames))
    for row, frame in enumerate(frames):
        celsius = frame.astype(np.float32) * 0.01 - 273.15
        warm = (celsius > THRESHOLD_C).view(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(warm)
        face = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        means[row] = celsius[face].mean()
        celsius[face].max()
    return means, np.full(len(frames), np.nan)


PEERS: dict[str, Callable[..., Any]] = {"emolab": by_emolab, "threshold": by_threshold}


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--frames", type=int, default=300)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path, metavar="FILE")
    chosen = options.parse_args()
    cv2.setNumThreads(1)
    found: dict[str, Any] = {}
    print(f"{'size':<10}{'':<11}{'frames/s':>9}{'face °C off':>12}{'nose °C off':>12}")
    for size in SIZES:
        frames, face_c, nose_c = film(size, chosen.frames)
        taken = dict.fromkeys(PEERS, np.inf)
        told: dict[str, Any] = {name: peer(frames[:4]) for name, peer in PEERS.items()}  # compiles
        for _ in range(chosen.rounds):
            for name, peer in PEERS.items():
                begun_s = time.thread_time()
                told[name] = peer(frames)
                taken[name] = min(taken[name], time.thread_time() - begun_s)
        rows = {}
        for name, (face, nose) in told.items():
            off = np.abs(face - face_c).max(), np.abs(nose - nose_c).max()
            rows[name] = {
                "frames_per_s": len(frames) / taken[name],
                "face_off_c": off[0],
                "nose_off_c": off[1],
            }
            shown = f"{rows[name]['frames_per_s']:9.0f}{off[0]:12.2f}{off[1]:12.2f}"
            print(f"{size[0]}x{size[1]:<6}{name:<11}{shown}", flush=True)
        ratio = taken["threshold"] / taken["emolab"]
        found[f"{size[0]}x{size[1]}"] = rows | {"ratio": ratio}
        print(f"{'':<10}{ratio:.2f} x the reference's speed", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
