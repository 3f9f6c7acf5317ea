"""How long `predict` takes over a twenty-minute session of 250 Hz, from the file to the guesses.

    python -m tests.bench.bench_predict [--minutes 20] [--runs 5]

Prints medians in this process (the goal: 2 s, decomposition included) of the shipped SVM and of an RTCAG,
over clips and over windows of 30 s every 10 s, Grad-CAM included; then one whole `emolab predict` as a
command, imports included; last the read-out's turn over 130 s. RTCAG learns two epochs of noise here: its
speed does not hang on what it knows.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.models.examples import whole_trials
from emolab.recording.header import SessionHeader
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.signals.eda.conductance import conductance
from emolab.training.opened import Model, open_model
from emolab.training.predict import Stretch, judge, predict, skin_of
from tests.training import listened

RATE_HZ, CLIP_S, REST_S = 250.0, 60.0, 300.0
SKIN = StreamInfo("board", (Channel("gsr", "eda", "uS", 1e-3),), RATE_HZ, "uint16", (1,))


def record(path: Path, minutes: float) -> Path:
    """A rest of five minutes, then a clip of one each minute."""
    starts_s = np.arange(REST_S, 60 * minutes - CLIP_S + 1, CLIP_S).tolist()
    responses_s = np.sort(np.random.default_rng(0).uniform(0, 60 * minutes, round(6 * minutes))).tolist()
    counts = (listened.skin(60 * minutes, responses_s, rate_hz=RATE_HZ) * 1000).astype(np.uint16)[:, None]
    writer = SessionWriter(path, SessionHeader("P01", 0, 1, "en", "bench", "bench", "", ""))
    writer.open([SKIN])
    for at in range(0, len(counts), 1250):
        times_s = (at + np.arange(len(counts[at : at + 1250]))) / RATE_HZ
        writer.write(Chunk("board", times_s, counts[at : at + 1250], float(times_s[-1])))
    writer.mark(Event(0.0, "session_started", data={"planned": len(starts_s)}))
    for k, at_s in enumerate(starts_s):
        writer.mark(Event(at_s, "clip_onset", at_s, {"clip": f"c-{k}", "state": "neutral", "fitted_s": at_s}))
        writer.mark(Event(at_s + CLIP_S - 1, "clip_ended", data={"clip": f"c-{k}", "how": "done"}))
    writer.close()
    return path


def rtcag(folder: Path) -> Path:
    """An RTCAG of the paper's size."""
    from emolab.training.network import NetworkClassifier
    from emolab.training.recipes import Recipe

    rows = np.random.default_rng(0).normal(size=(8, 3, 2500)).astype(np.float32)
    names = [f"k{k}" for k in range(8)]
    examples = whole_trials((rows,), [0, 1] * 4, ("low", "high"), names, names, names, [60.0] * 8)
    recipe = Recipe(epochs=2, batch=4, rate=1e-3, patience=None)
    NetworkClassifier("rtcag", recipe=recipe).fit(examples).save(folder)
    return folder


def median_s(work: Callable[[], object], runs: int) -> float:
    """The median of so many runs, after one that is not counted."""
    work()
    took = []
    for _ in range(runs):
        began_s = time.perf_counter()
        work()
        took.append(time.perf_counter() - began_s)
    return statistics.median(took)


def main() -> None:
    """Make the recording, measure, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=20.0)
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = record(Path(folder) / "P01_session-0.h5", given.minutes)
        with Session.open(path) as session:
            reading_s = median_s(lambda: skin_of(session), given.runs)
        print(f"{given.minutes:g} minutes at {RATE_HZ:g} Hz; reading the skin alone: {reading_s:.3f} s")
        models: dict[str, Model] = {
            "svm (ships)": open_model("default"),
            "rtcag": open_model(rtcag(Path(folder) / "rtcag")),
        }
        for name, model in models.items():
            for window_s, hop_s in ((0.0, 0.0), (30.0, 10.0)):
                count = len(predict(path, model, window_s=window_s, hop_s=hop_s).guesses)
                took_s = median_s(
                    lambda m=model, w=window_s, h=hop_s: predict(path, m, window_s=w, hop_s=h),  # type: ignore[misc]
                    given.runs,
                )
                how = f"{window_s:g} s every {hop_s:g} s" if window_s else "clips"
                print(
                    f"{name:12} {how:16} {count:4} windows  {took_s:6.3f} s  {count / took_s:7.1f} windows/s"
                )
        command = [sys.executable, "-m", "emolab", "predict", "default", str(path), "--dry"]
        whole_s = median_s(lambda: subprocess.run(command, check=True, capture_output=True), 3)
        print(f"emolab predict default SESSION, the whole command: {whole_s:.2f} s")
        values = listened.skin(130.0, np.arange(5.0, 125, 7).tolist(), rate_hz=RATE_HZ)
        times_s = np.arange(len(values)) / RATE_HZ
        last = [Stretch(99.0, 129.0)]
        for name, model in models.items():
            turn_s = median_s(
                lambda m=model: judge(m, conductance(values, times_s, "uS"), last, looks=0),  # type: ignore[misc]
                given.runs,
            )
            print(f"{name:12} a turn of the read-out: {1e3 * turn_s:.0f} ms")


if __name__ == "__main__":
    main()
