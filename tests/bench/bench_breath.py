"""Breaths side by side with NeuroKit2's `rsp_process` on the same arrays, in one run.

    python -m tests.bench.bench_breath --peers DIR [--real DIR] [--seeds 10] [--rounds 5] [--json FILE]

Made breath of known rate, with wander, drift, sighs and noise: error of the rate in windows of 30 s, and the
share of windows without a figure. NeuroKit2's rate is the mean of its `RSP_Rate` over the window. With
`--real` (a folder with `data/bio_resting_*_100hz.csv` of mixue-t/NeuroKit): agreement of both, where there
is no truth. Times are of this thread alone, the better of the rounds, in turn.

NeuroKit2 is no part of emolab: pip install --target DIR neurokit2
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.signals.respiration import read_breath

Array = NDArray[np.float64]
WINDOW_S = 30.0
CASES = (
    "clean",
    "noise 10 dB",
    "noise 5 dB",
    "noise 0 dB",
    "sighs",
    "drift",
    "slow 5",
    "quick 40",
    "quick 55",
)


def made(case: str, seed: int, rate_hz: float = 100.0, seconds: float = 330.0) -> tuple[Array, Array, Array]:
    """`(times, belt, breaths since the start)`."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(0.0, seconds, 1 / rate_hz)
    per_min = float(case.split()[1]) if case.startswith(("slow", "quick")) else rng.uniform(12.0, 20.0)
    rates = per_min / 60 * (1 + 0.1 * np.sin(2 * np.pi * 0.013 * times_s + rng.uniform(0, 6)))
    phase = np.cumsum(rates) / rate_hz
    turn = 2 * np.pi * phase
    belt = -np.cos(turn + 0.4 * np.sin(turn)) * (1 + 0.2 * np.sin(2 * np.pi * 0.03 * times_s))
    if case == "sighs":
        for number in rng.choice(np.arange(3, int(phase[-1]) - 3), 5, replace=False):
            belt[(phase >= number) & (phase < number + 1)] *= 3.0
    if case == "drift":
        belt += np.cumsum(rng.standard_normal(len(belt))) * 0.01 + 3.0 * (times_s > 150.0)
    snr_db = float(case.split()[1]) if case.startswith("noise") else 25.0
    belt += np.sqrt(0.5 / 10 ** (snr_db / 10)) * rng.standard_normal(len(belt))
    return times_s, belt, phase


def by_emolab(times_s: Array, belt: Array) -> Callable[[float], float]:
    breath = read_breath(belt, times_s, unit="a.u.")
    return lambda start_s: breath.over(start_s, start_s + WINDOW_S)["rsp_rate_mean"]


def by_neurokit(times_s: Array, belt: Array) -> Callable[[float], float]:
    import neurokit2

    rate_hz = 1 / float(np.median(np.diff(times_s)))
    signals, _ = neurokit2.rsp_process(belt, sampling_rate=round(rate_hz))
    rate = signals["RSP_Rate"].to_numpy()
    return lambda start_s: float(np.mean(rate[(times_s >= start_s) & (times_s < start_s + WINDOW_S)]))


PEERS = {"emolab": by_emolab, "neurokit2": by_neurokit}


def accuracy(seeds: int) -> dict[str, Any]:
    """Mean and greatest error of the rate, breaths a minute, and windows without one."""
    found: dict[str, Any] = {}
    for case in CASES:
        errors: dict[str, list[float]] = {name: [] for name in PEERS}
        for seed in range(seeds):
            times_s, belt, phase = made(case, seed)
            starts_s = np.arange(15.0, times_s[-1] - WINDOW_S - 15.0, WINDOW_S)
            upto = np.interp([starts_s, starts_s + WINDOW_S], times_s, phase)
            truth = (upto[1] - upto[0]) * 60 / WINDOW_S
            for name, peer in PEERS.items():
                told = peer(times_s, belt)
                errors[name] += [told(start_s) - true for start_s, true in zip(starts_s, truth, strict=True)]
        found[case] = {
            name: {
                "mae": float(np.nanmean(np.abs(off))) if np.isfinite(off).any() else None,
                "max": float(np.nanmax(np.abs(off))) if np.isfinite(off).any() else None,
                "none": float(np.mean(np.isnan(off))),
            }
            for name, off in errors.items()
        }
        for name, told in found[case].items():
            shown = "—" if told["mae"] is None else f"{told['mae']:8.3f}{told['max']:8.2f}"
            print(f"{case:<14}{name:<12}{shown}{told['none']:8.0%}", flush=True)
    return found


def speed(rounds: int) -> dict[str, Any]:
    """Milliseconds for 20 min, and how many times as long NeuroKit2 takes."""
    found: dict[str, Any] = {}
    for rate_hz in (25.0, 100.0, 250.0, 1000.0):
        times_s, belt, _ = made("clean", 0, rate_hz, 1200.0)
        taken: dict[str, float] = dict.fromkeys(PEERS, np.inf)
        for _ in range(rounds):
            for name, peer in PEERS.items():
                begun_s = time.thread_time()
                peer(times_s, belt)
                taken[name] = min(taken[name], time.thread_time() - begun_s)
        ratio = taken["neurokit2"] / taken["emolab"]
        found[f"{rate_hz:.0f} Hz"] = {name: 1e3 * seconds for name, seconds in taken.items()} | {
            "ratio": ratio
        }
        shown = ", ".join(f"{name} {1e3 * seconds:.0f} ms" for name, seconds in taken.items())
        print(f"20 min at {rate_hz:.0f} Hz: {shown}: {ratio:.1f} x", flush=True)
    return found


def agreement(folder: Path) -> dict[str, Any]:
    """Both on recordings without truth: mean difference, its size, and windows within a breath a minute."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("**/bio_*_100hz.csv")):
        columns = path.read_text(encoding="utf-8").splitlines()[0].split(",")
        belt = np.genfromtxt(path, delimiter=",", skip_header=1)[:, columns.index("RSP")]
        times_s = np.arange(len(belt)) / 100.0
        ours, theirs = by_emolab(times_s, belt), by_neurokit(times_s, belt)
        starts_s = np.arange(0.0, times_s[-1] - WINDOW_S, WINDOW_S)
        off = np.array([ours(start_s) - theirs(start_s) for start_s in starts_s])
        found[path.name] = {
            "windows": len(off),
            "mean": float(np.nanmean(off)),
            "mean_abs": float(np.nanmean(np.abs(off))),
            "median_abs": float(np.nanmedian(np.abs(off))),
            "within_1": float(np.mean(np.abs(off) < 1.0)),
        }
        print(path.name, {key: round(value, 3) for key, value in found[path.name].items()}, flush=True)
    return found


def main() -> int:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peers", type=Path, metavar="DIR", help="where neurokit2 was installed to")
    options.add_argument("--real", type=Path, metavar="DIR")
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.peers:
        sys.path.insert(0, str(chosen.peers))
    try:
        import neurokit2  # noqa: F401
    except ImportError:
        print("neurokit2 is not here: pip install --target DIR neurokit2, then --peers DIR")
        return 1
    warnings.simplefilter("ignore")  # NeuroKit2's
    print(f"{'made':<14}{'':<12}{'mae/min':>8}{'max':>8}{'no figure':>10}")
    found = {"accuracy": accuracy(chosen.seeds), "speed": speed(chosen.rounds)}
    if chosen.real:
        found["agreement"] = agreement(chosen.real)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
