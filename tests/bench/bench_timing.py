"""How well times, drift and losses of a recording are known, on devices whose truth is known.

    python -m tests.bench.bench_timing [--seeds 4] [--seconds 60] [--only WORDS] [--json]

Each device is simulated (`tests.simulators.clocks`), recorded to a file through the live stamps and
read back. Beside each figure stands pyxdf's, on the same arrivals: what LSL hands over (the last
sample of a chunk stamped when it was in hand, those before by the announced rate), dejittered by
`pyxdf._jitter_removal`, a straight line through each stretch.

    drift      ppm off the truth, median and worst over seeds
    times      ms off the truth, first sample included: p99 and worst, and the share over 1 ms
    lost       counted: how many off the count; else how often the interval holds the truth, how far the
               estimate is off, and how wide the interval is, in samples (medians)
    cpu        seconds that a session's end waits for the fit
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pyxdf.pyxdf import StreamData, _jitter_removal

from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.times.refine import refine
from tests.simulators.clocks import Device, Times, counting_board, plain_board, serial_info, stored

NOMINAL_HZ = 250.0
DRIFTS_PPM = (-200.0, -90.0, 0.0, 90.0, 200.0)  # taken in turn by the seeds
LOSSES = {
    "no loss": (0.0, 1),
    "0.1 %": (0.001, 1),
    "1 %": (0.01, 1),
    "10 %": (0.1, 1),
    "10 % in tens": (0.1, 10),
}
LINKS = {"at once": 0.0, "16 ms bursts": 0.016}
IN_STEP_HZ = 250.0  # each burst holds as many rows


@dataclass(frozen=True)
class Run:
    """One device: what was found less the truth."""

    drift_ppm: float
    time_ms: Times
    lost_off: int
    holds: bool | None
    width: int
    cpu_s: float
    peer_drift_ppm: float
    peer_time_ms: Times
    peer_cpu_s: float


def scenarios() -> Iterator[tuple[str, str, Device]]:
    """Name, kind of board, device."""
    for (link, burst_s), (lost, (loss, run)) in itertools.product(LINKS.items(), LOSSES.items()):
        for kind in ("counting", "plain"):
            yield f"{kind}, {link}, {lost}", kind, Device(252.0, loss=loss, run=run, burst_s=burst_s)
    for link, burst_s in LINKS.items():
        yield f"plain, {link}, paces itself", "plain", Device(252.0, pauses_hz=3.0, burst_s=burst_s)
    for lost in ("no loss", "1 %"):
        device = Device(IN_STEP_HZ, loss=LOSSES[lost][0], burst_s=0.016)
        yield f"counting, bursts in step, {lost}", "counting", device
        yield f"plain, bursts in step, {lost}", "plain", device


def measure(kind: str, device: Device, seconds: float, path: Path) -> Run:
    """Record a device and compare."""
    truth_s = device.captured(seconds)
    kept = device.kept(len(truth_s))
    board = counting_board if kind == "counting" else plain_board
    stored(path, serial_info(NOMINAL_HZ), board(device, truth_s, kept))
    (facts,) = inspect(path)["streams"]
    with Session.open(path) as session:
        stream = session.streams["board"]
        times_s = stream.times_s()
        started_s = time.process_time()
        refine(stream)
        cpu_s = time.process_time() - started_s
    lost, told = int(len(kept) - kept.sum()), facts["lost_estimate"]
    true_hz = (len(truth_s) - 1) / float(truth_s[-1] - truth_s[0])
    found_hz = (
        device.rate_hz * (1 + facts["drift_ppm"] * 1e-6) if kind == "counting" else facts["true_rate_hz"]
    )
    peer_s, peer_hz, peer_cpu_s = dejittered(device, truth_s[kept])
    return Run(
        (found_hz / true_hz - 1) * 1e6,
        np.abs(times_s - truth_s[kept]) * 1e3,
        (told["value"] if told else facts["lost"]) - lost,
        told["low"] <= lost <= told["high"] if told else None,
        told["high"] - told["low"] if told else 0,
        cpu_s,
        (peer_hz / true_hz - 1) * 1e6,
        np.abs(peer_s - truth_s[kept]) * 1e3,
        peer_cpu_s,
    )


def dejittered(device: Device, truth_s: Times) -> tuple[Times, float, float]:
    """pyxdf's times and rate, and the CPU it took."""
    last, seen_s = device.hand_over(truth_s)
    rows = np.arange(len(truth_s))
    chunk = np.searchsorted(last, rows)
    stream = StreamData(
        {"info": {"channel_count": ["1"], "nominal_srate": [str(NOMINAL_HZ)], "channel_format": ["int16"]}}
    )
    stream.time_stamps = seen_s[chunk] - (last[chunk] - rows) / NOMINAL_HZ
    started_s = time.process_time()
    _jitter_removal({1: stream})
    return stream.time_stamps, stream.effective_srate, time.process_time() - started_s


def row(name: str, runs: list[Run]) -> dict[str, Any]:
    """The figures of one scenario over its seeds."""
    drift = np.abs([run.drift_ppm for run in runs])
    off = np.concatenate([run.time_ms for run in runs])
    peer_off = np.concatenate([run.peer_time_ms for run in runs])
    counted = runs[0].holds is None
    return {
        "scenario": name,
        "drift_ppm": [float(np.median(drift)), float(drift.max())],
        "time_ms": [float(np.quantile(off, 0.99)), float(off.max())],
        "first_ms": max(float(run.time_ms[0]) for run in runs),
        "over_1_ms": float(np.mean(off > 1)),
        "lost_off": int(np.median([abs(run.lost_off) for run in runs])),
        "lost_off_max": max(abs(run.lost_off) for run in runs),
        "holds": None if counted else float(np.mean([bool(run.holds) for run in runs])),
        "width": int(np.median([run.width for run in runs])),
        "width_max": max(run.width for run in runs),
        "cpu_s": float(np.median([run.cpu_s for run in runs])),
        "peer_drift_ppm": float(np.median(np.abs([run.peer_drift_ppm for run in runs]))),
        "peer_time_ms": [float(np.quantile(peer_off, 0.99)), float(peer_off.max())],
        "peer_cpu_s": float(np.median([run.peer_cpu_s for run in runs])),
    }


def line(row: dict[str, Any]) -> str:
    """A row as text."""
    lost = f"{row['lost_off_max']} off"
    if row["holds"] is not None:
        lost = f"{row['holds']:4.0%} {row['lost_off']:3d} {row['width']:4d}"
    drift, off, peer = row["drift_ppm"], row["time_ms"], row["peer_time_ms"]
    return (
        f"{row['scenario']:<36} {drift[0]:7.2f} {drift[1]:8.1f}"
        f" {off[0]:7.3f} {off[1]:7.2f} {row['first_ms']:6.2f} {row['over_1_ms']:6.2%}"
        f"   {lost:<14} {row['cpu_s']:5.2f}"
        f" {row['peer_drift_ppm']:9.1f} {peer[0]:7.2f} {peer[1]:7.2f} {peer[0] / off[0]:8.0f}"
    )


HEAD = (
    f"{'':<36} {'drift, ppm':^16} {'times, ms':^29}   {'lost':<14} {'cpu':>5} {'pyxdf':^33}\n"
    f"{'':<36} {'p50':>7} {'max':>8} {'p99':>7} {'max':>7} {'first':>6} {'>1 ms':>6}"
    f"   {'holds off width':<14} {'s':>5} {'ppm':>9} {'p99':>7} {'max':>7} {'p99 ratio':>8}"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", default="", help="scenarios whose name holds this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    if not options.json:
        print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, device in scenarios():
            if options.only not in name:
                continue
            runs = []
            for seed in range(options.seeds):
                one = replace(device, drift_ppm=DRIFTS_PPM[seed % len(DRIFTS_PPM)], seed=seed)
                if one.rate_hz != IN_STEP_HZ:
                    one = replace(one, rate_hz=252 + 1.7 * seed)
                runs.append(measure(kind, one, options.seconds, Path(folder) / f"{len(rows)}_{seed}.h5"))
            rows.append(row(name, runs))
            if not options.json:
                print(line(rows[-1]), flush=True)
    held = [row["holds"] for row in rows if row["holds"] is not None]
    if options.json:
        print(json.dumps(rows))
    elif held:
        print(f"intervals that hold the truth: {np.mean(held):.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
