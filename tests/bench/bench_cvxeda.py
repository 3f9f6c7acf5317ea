"""cvxEDA side by side with the reference solver on cvxopt: objective, parts and time in one run.

    python -m tests.bench.bench_cvxeda --peers DIR --reference PATH/cvxEDA.py [--rounds 3]
        [--cases NAME ...] [--strict] [--long] [--real FOLDER] [--json FILE]

The reference is lciti/cvxEDA @ d8008ae (GPL-3: run here, never part of emolab), cvxopt 1.3 in DIR:

    pip install --target DIR cvxopt

Signals are made: responses at random times, a wandering level, noise of a hundredth. Ours is at 1e-9, the
reference as it comes (1e-9, or an absolute gap of 1e-7; `--strict` takes that away). An objective is
computed from each solver's own parts by the same lines; ours may be lower, never higher by 1e-6.

Goals: at least 15 x at 1,500 samples, 25 x at 20 min of 50 Hz, 40 x at 20 min of 250 Hz; up to 8 h of
250 Hz (`--long`, without the reference, which needs hours) the same time a sample and at most 300 bytes a
sample; a study's windows in one call. `--real` takes folders with HKU956's `1. physiological_signals` or
NeuroKit's `bio_*.csv` (shared/data.md), and compares on what is in there, standardised.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy.signal import lfilter

from emolab.signals.eda.convex import ALPHA, GAMMA, cvxeda, standardise

Array = NDArray[np.float64]

EDA_HZ = 4.0  # of HKU956's wristband
GOLDEN_HZ = 100.0  # of NeuroKit's tables
GOLDEN = ("bio_eventrelated_100hz.csv", "bio_resting_5min_100hz.csv", "bio_resting_8min_100hz.csv")


@dataclass(frozen=True)
class Case:
    """So many seconds at a rate; `goal`: how many times as fast as the reference."""

    name: str
    long_s: float
    rate_hz: float
    goal: float


CASES = (
    Case("30 s, 4 Hz", 30, 4, 0),
    Case("30 s, 50 Hz", 30, 50, 15),
    Case("5 min, 50 Hz", 300, 50, 25),
    Case("20 min, 50 Hz", 1200, 50, 25),
    Case("20 min, 250 Hz", 1200, 250, 40),
)
LONG = (
    Case("20 min, 250 Hz", 1200, 250, 0),
    Case("2 h, 250 Hz", 7200, 250, 0),
    Case("8 h, 250 Hz", 28800, 250, 0),
)


def skin(long_s: float, rate_hz: float, seed: int = 1) -> Array:
    """Made skin conductance, standardised."""
    rng = np.random.default_rng(seed)
    count = round(long_s * rate_hz)
    times_s = np.arange(count) / rate_hz
    driver = np.zeros(count)
    responses = max(int(long_s / 8), 1)
    driver[rng.integers(0, count, responses)] = rng.gamma(2.0, 0.5, responses) * rate_hz
    fast, slow = np.exp(-1 / (0.7 * rate_hz)), np.exp(-1 / (2.0 * rate_hz))
    phasic = lfilter([1.0], np.convolve([1.0, -fast], [1.0, -slow]), driver) / rate_hz**2
    bends_s = np.arange(0.0, long_s + 40.0, 20.0)
    level = np.interp(times_s, bends_s, 0.4 * np.cumsum(rng.normal(size=len(bends_s))))
    return standardise(phasic + level + 0.01 * rng.normal(size=count))


def objective(signal: Array, phasic: Array, driver: Array, tonic: Array, spline: Array) -> float:
    """What both minimise, from a solver's own parts."""
    rest = signal - phasic - tonic
    return float(0.5 * rest @ rest + ALPHA * driver.sum() + 0.5 * GAMMA * spline @ spline)


def reference(path: Path, is_strict: bool) -> Callable[..., Any]:
    """The peer's solver, from its file."""
    spec = importlib.util.spec_from_file_location("reference_cvxeda", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    options = {"show_progress": False, **({"abstol": 1e-30, "reltol": 1e-9} if is_strict else {})}
    return partial(module.cvxEDA, options=options)


def taken(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    begun_s = time.perf_counter()
    result = work()
    return time.perf_counter() - begun_s, result


def compare(signal: Array, rate_hz: float, peer: Callable[..., Any], rounds: int) -> dict[str, Any]:
    """Both on one signal: seconds, how much our objective is above theirs, how far apart the parts."""
    ours_s, theirs_s = [], []
    for _ in range(rounds):
        repeats = max(1, min(20, round(30_000 / len(signal))))
        each = [taken(lambda: cvxeda(signal, rate_hz)) for _ in range(repeats)]
        ours_s.append(statistics.median(seconds for seconds, _ in each))
        ours = each[0][1]
        seconds, parts = taken(lambda: tuple(peer(signal, 1.0 / rate_hz)))
        theirs_s.append(seconds)
    phasic, driver, tonic, spline = (np.ravel(part) for part in parts[:4])
    theirs = objective(signal, phasic, driver, tonic, spline)
    return {
        "samples": len(signal),
        "ours_ms": 1e3 * statistics.median(ours_s),
        "theirs_ms": 1e3 * statistics.median(theirs_s),
        "times_as_fast": statistics.median(b / a for a, b in zip(ours_s, theirs_s, strict=True)),
        "objective_above": objective(signal, ours.phasic, ours.driver, ours.tonic, ours.l) / theirs - 1.0,
        "phasic_apart": float(np.abs(ours.phasic - phasic).max()),
        "tonic_apart": float(np.abs(ours.tonic - tonic).max()),
        "phasic_like": float(np.corrcoef(ours.phasic, phasic)[0, 1]),
        "tonic_like": float(np.corrcoef(ours.tonic, tonic)[0, 1]),
        "status": ours.status,
        "iterations": ours.iterations,
    }


def line(name: str, told: dict[str, Any], goal: float = 0.0) -> str:
    """One row of the table."""
    text = (
        f"{name:<22}{told['samples']:>9}{told['ours_ms']:>10.2f}{told['theirs_ms']:>11.1f}"
        f"{told['times_as_fast']:>7.0f} x{told['objective_above']:>+11.1e}{told['phasic_apart']:>9.1e}"
        f"{told['phasic_like']:>10.6f}{told['tonic_like']:>10.6f}  {told['status']} in {told['iterations']}"
    )
    if goal:
        text += f"   goal {goal:g} x: " + ("well" if told["times_as_fast"] >= goal else "MISSED")
    return text


def long(case: Case) -> dict[str, Any]:
    """Time and memory of one case without the reference."""
    signal = skin(case.long_s, case.rate_hz)
    before = psutil.Process().memory_info().rss
    seconds, found = taken(lambda: cvxeda(signal, case.rate_hz))
    grown = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # the longest comes last
    return {
        "samples": len(signal),
        "seconds": seconds,
        "ns_a_sample_and_iteration": 1e9 * seconds / len(signal) / (found.iterations + 1),
        "bytes_a_sample": grown / len(signal),
        "status": found.status,
        "iterations": found.iterations,
        "gap": found.gap,
    }


def windows(count: int = 4000) -> dict[str, Any]:
    """A study's windows of 30 s at 50 Hz in one call, on one core and on all."""
    batch = np.stack([skin(30, 50, seed) for seed in range(50)])[np.arange(count) % 50]
    alone_s, alone = taken(lambda: cvxeda(batch, 50.0, workers=1))
    all_s, _ = taken(lambda: cvxeda(batch, 50.0))
    return {
        "windows": count,
        "one_core_s": alone_s,
        "all_cores_s": all_s,
        "cores": os.cpu_count(),
        "solved": int(np.sum(alone.status == "solved")),
    }


def real(folder: Path) -> Iterator[tuple[str, float, Array]]:
    """`(name, rate, signal)` of each recording known in the folder that is not flat."""
    for path in sorted(folder.rglob("*.csv")):
        if path.parent.name == "EDA":
            values, rate_hz = np.loadtxt(path, delimiter=",", ndmin=2)[:, -1], EDA_HZ
        elif path.name in GOLDEN:
            table = np.genfromtxt(path, delimiter=",", names=True)
            if "EDA" not in (table.dtype.names or ()):
                continue
            values, rate_hz = table["EDA"], GOLDEN_HZ
        else:
            continue
        values = values[np.isfinite(values)]
        if len(values) >= 8 and values.std() > 0.0:
            yield f"{path.parent.parent.name}/{path.stem}", rate_hz, standardise(values)


def on_real(folder: Path, peer: Callable[..., Any] | None) -> dict[str, Any]:
    """All recordings of the folder: how many are solved, and the worst against the reference."""
    found, statuses, seconds = [], [], 0.0
    for name, rate_hz, signal in real(folder):
        if peer is None or not np.isfinite(signal).all():
            took_s, ours = taken(lambda: cvxeda(signal, rate_hz))  # noqa: B023
            seconds += took_s
            statuses.append(ours.status)
            continue
        told = compare(signal, rate_hz, peer, 1)
        statuses.append(told["status"])
        found.append({"name": name, **told})
        if len(signal) > 10_000:
            print(line(name[-21:], told), flush=True)
    told = {"recordings": len(statuses), "solved": statuses.count("solved")}
    if found:
        told |= {
            "objective_above_most": max(each["objective_above"] for each in found),
            "objective_above_least": min(each["objective_above"] for each in found),
            "phasic_like_least": min(each["phasic_like"] for each in found),
            "tonic_like_least": min(each["tonic_like"] for each in found),
            "times_as_fast": sum(each["theirs_ms"] for each in found)
            / sum(each["ours_ms"] for each in found),
            "least_alike": min(found, key=lambda each: each["phasic_like"])["name"],
        }
    return told


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peers", type=Path, metavar="DIR", help="where cvxopt was installed to")
    options.add_argument("--reference", type=Path, metavar="FILE", help="lciti/cvxEDA's src/cvxEDA.py")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--cases", nargs="*", help="only these, such as '5 min, 50 Hz'")
    options.add_argument("--strict", action="store_true", help="the reference without its absolute tolerance")
    options.add_argument("--long", action="store_true", help="up to 8 h at 250 Hz, without the reference")
    options.add_argument("--real", type=Path, nargs="*", default=[], metavar="FOLDER")
    options.add_argument("--json", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.peers:
        sys.path.append(str(chosen.peers))
    peer = reference(chosen.reference, chosen.strict) if chosen.reference else None
    seconds, _ = taken(lambda: cvxeda(skin(30, 4), 4.0))
    print(f"first call of this process (compiled before, or now): {seconds:.1f} s")
    found: dict[str, Any] = {}
    if peer:
        print(
            f"{'':<22}{'samples':>9}{'ours ms':>10}{'theirs ms':>11}{'faster':>9}{'objective':>11}"
            f"{'phasic':>9}{'r phasic':>10}{'r tonic':>10}"
        )
        for case in CASES:
            if chosen.cases is None or case.name in chosen.cases:
                rounds = 1 if case.long_s * case.rate_hz > 1e5 else chosen.rounds
                told = compare(skin(case.long_s, case.rate_hz), case.rate_hz, peer, rounds)
                found[case.name] = told
                print(line(case.name, told, case.goal), flush=True)
    for case in LONG if chosen.long else ():
        told = found[f"long, {case.name}"] = long(case)
        print(case.name, {name: round(x, 12) if isinstance(x, float) else x for name, x in told.items()})
    if chosen.cases is None:
        found["windows"] = windows()
        print(found["windows"])
    for folder in chosen.real:
        found[str(folder)] = on_real(folder, peer)
        print(folder, found[str(folder)])
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
