"""How many 640 × 480 frames a second one core finds, follows and judges a face in.

    python -m tests.bench.bench_faces [--frames 300] [--rounds 3]

The portrait that scikit-image ships sways and tilts before a noisy wall; in `restless` it also leaves and
comes back. Each way of doing it takes its turn in each round, in processor seconds of this process (the
program gives torch one thread; with two cores the other one is free), medians over the rounds:

    detect           MTCNN on each frame, nothing else
    detect+classify  MTCNN and the small model on each frame
    product          as `faces.reader` does it: detected every tenth frame, followed between, classified
    from file        the same by `emolab validate`, the H.264 decoded

Measured in November 2026 on the test machine, a two-hour soak test and other work on the same two cores
(processor time, so what they cost this is caches and clock), the small network untrained, 150 frames:

    ms a frame        calm  restless     frames/s a core   calm  restless
    detect            69.9      62.5                         14        16
    detect+classify   73.9      67.4                         14        15
    product            9.9       9.4                        101       107
    from file         13.8      13.1                         73        76

Followed against detected: counts the same in all frames, boxes 1.4 px apart (95 %: 4.1), of a face of 110.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.faces.card import Card, sha256_of, write
from emolab.faces.fer import CLASSES, ExpressionModel, NoWeights, load
from emolab.faces.reader import FaceTrack, joined, stream
from emolab.recording.header import SessionHeader
from emolab.recording.writer import SessionWriter
from emolab.review.validate import validate
from tests.faces import people

RATE_HZ = 30.0
CAMERA = StreamInfo("camera", (Channel("rgb", "rgb", "8 bit"),), RATE_HZ, "uint8", (480, 640, 3))


def scene(count: int, restless: bool) -> list[people.Image]:
    """Somebody who listens to music: sways by a third of a face, nods, tilts; or leaves, too."""
    taken = []
    for at in range(count):
        time_s = at / RATE_HZ
        if restless and time_s % 5 > 4:
            taken.append(people.empty())
        else:
            sway = math.sin(2 * math.pi * (0.9 if restless else 0.3) * time_s)
            nod = math.sin(2 * math.pi * (1.5 if restless else 0.5) * time_s)
            taken.append(people.portrait(35 * sway, 10 * nod, 6 * sway))
    return people.noisy(taken)


def small(folder: Path) -> ExpressionModel:
    """The small model; where it has not been trained, the same network with weights that mean nothing."""
    try:
        return load("small")
    except NoWeights:
        from safetensors.torch import save_file

        from emolab.faces.networks import Small

        weights = folder / "small.safetensors"
        save_file(Small().state_dict(), weights)
        write(
            Card("small", "small", weights.name, sha256_of(weights), CLASSES),
            folder / "small.json",
        )
        print("(small has no weights here: the same network, untrained)")
        return load(weights)


def recorded(path: Path, frames: list[people.Image]) -> Path:
    """A session in which one clip is heard while the frames are taken."""
    writer = SessionWriter(path, SessionHeader("bench"))
    writer.open([CAMERA])
    for first in range(0, len(frames), 30):
        piece = np.stack(frames[first : first + 30])
        times_s = (first + np.arange(len(piece))) / RATE_HZ
        writer.write(Chunk("camera", times_s, piece, float(times_s[-1])))
    end_s = len(frames) / RATE_HZ
    onset = {"clip": "a", "state": "neutral", "requested_s": 0.0, "fitted_s": 0.0}
    writer.mark(Event(0.0, "clip_onset", 0.0, onset))
    writer.mark(Event(end_s, "clip_ended", data={"clip": "a", "how": "done"}))
    writer.close()
    return path


def main() -> None:
    """Measure and print."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--frames", type=int, default=300)
    cli.add_argument("--rounds", type=int, default=3)
    cli.add_argument("--manner", choices=("calm", "restless"), nargs="+", default=["calm", "restless"])
    options = cli.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, detector = small(folder), people.detector()
        for manner in options.manner:
            frames = scene(options.frames, manner == "restless")
            path = recorded(folder / f"{manner}_session-0.h5", frames)
            tracks: dict[int, FaceTrack] = {}

            def watch(every: int, frames: list[people.Image] = frames, to: dict = tracks) -> None:
                to[every] = joined(list(stream(people.timed(frames), model, detector, every)))

            def detect(frames: list[people.Image] = frames) -> None:
                for frame in frames:
                    detector.find(frame)

            ways: dict[str, Callable[[], object]] = {
                "detect": detect,
                "detect+classify": lambda: watch(1),
                "product": lambda: watch(10),
                "from file": lambda path=path: validate(path, model, keep=False, detector=detector),
            }
            report(manner, ways, options.frames, options.rounds)
            compare(tracks[1], tracks[10])


def report(manner: str, ways: dict[str, Callable[[], object]], frames: int, rounds: int) -> None:
    """Each way in each round, and the medians."""
    spent: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            wall_s, core_s = time.perf_counter(), time.process_time()
            run()
            spent[way].append((time.process_time() - core_s, time.perf_counter() - wall_s))
    print(f"{manner:<10}{'way':<18}{'ms a frame':>12}{'frames/s a core':>17}{'by the clock':>14}")
    for way, times in spent.items():
        core_s, wall_s = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"{'':<10}{way:<18}{core_s / frames * 1e3:>12.1f}{frames / core_s:>17.0f}{frames / wall_s:>14.0f}"
        )


def compare(exact: FaceTrack, followed: FaceTrack) -> None:
    """What following costs in truth."""
    both = (exact.count == 1) & (followed.count == 1)
    off_px = np.abs(exact.boxes[both] - followed.boxes[both])
    apart = np.abs(exact.probabilities[both] - followed.probabilities[both]).sum(1) / 2
    print(
        f"{'':<10}detected {followed.detected.mean():.0%} of the frames; counts differ in "
        f"{np.mean(exact.count != followed.count):.1%}; boxes differ by {off_px.mean():.1f} px "
        f"(95 %: {np.percentile(off_px, 95):.1f}); probabilities by {apart.mean():.3f}\n"
    )


if __name__ == "__main__":
    main()
