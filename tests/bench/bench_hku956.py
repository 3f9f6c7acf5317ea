"""All 956 trials of HKU956 through the same functions as a session of ours: what comes of them, and what not.

    python -m tests.bench.bench_hku956 DIR [--peers DIR] [--only pulse|skin] [--json FILE]

DIR is the corpus (see `emolab.datasets.hku956`), each trial read alone: pieces of 27 to 329 s that were cut
from sessions nobody has. Counted: trials loaded and left out; of each feature, in how many it is NaN, and
why. Our heart rate (the mean over a trial) beside the E4's own HR, and beside the intervals it was sure of,
in the very trials where both are there; with --peers the same of NeuroKit2 and heartpy, in the same run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emolab.core.errors import DataError
from emolab.datasets.dataset import Trial
from emolab.datasets.hku956 import RATES_HZ, Hku956
from tests.bench.bench_ppg import stand_in

SURE = 0.5  # a share of good signal below this is told as the reason
FEW_IBI = 10
FAR_BPM = 5.0


@dataclass
class Table:
    """What one kind of signal gave in all trials."""

    rows: list[dict[str, float]] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    nan: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    refused: Counter[str] = field(default_factory=Counter)
    took_s: float = 0.0


def read(trial: Trial, name: str, reader: Callable[[Any, Any], Any], table: Table) -> dict[str, float]:
    """One signal of a trial through its reader; empty when it is refused."""
    values = trial.arrays[name]
    rate_hz = RATES_HZ[name] or 1.0
    times_s = np.arange(len(values)) / rate_hz
    began_s = time.perf_counter()
    try:
        found = reader(values, times_s)
    except DataError as error:
        table.refused[str(error).partition(";")[0][:90]] += 1
        table.shares.append(0.0)
        return {}
    end_s = len(values) / rate_hz
    figures, share = found.over(0.0, end_s), found.good_share(0.0, end_s)
    table.took_s += time.perf_counter() - began_s
    table.rows.append(figures)
    table.shares.append(share)
    for key, value in figures.items():
        if not np.isfinite(value):
            kind = "infinite" if np.isinf(value) else "NaN"
            table.nan[key][f"{kind}, {'little can be used' if share < SURE else _why(key, figures)}"] += 1
    return figures


def _why(key: str, figures: dict[str, float]) -> str:
    beats = figures.get("pulse_beats")
    if beats is not None:
        return "fewer than 10 beats count" if beats < 9 else "too short or too few beats for it"
    return "no response in it" if figures.get("scr_count") == 0 else "cannot be told"


@dataclass
class Against:
    """Our rates, and others', beside the E4's."""

    ours: list[tuple[float, float]] = field(default_factory=list)

    def add(self, mine_bpm: float, theirs_bpm: float) -> None:
        if np.isfinite(mine_bpm) and np.isfinite(theirs_bpm):
            self.ours.append((mine_bpm, theirs_bpm))

    def facts(self) -> dict[str, float]:
        pairs = np.array(self.ours)
        off = pairs[:, 0] - pairs[:, 1]
        return {
            "trials": len(pairs),
            "mae_bpm": float(np.abs(off).mean()),
            "median_ae_bpm": float(np.median(np.abs(off))),
            "bias_bpm": float(off.mean()),
            "r": float(np.corrcoef(pairs.T)[0, 1]),
            "off_by_more_than_5_bpm": float((np.abs(off) > FAR_BPM).mean()),
        }


def neurokit(values: np.ndarray) -> float:
    """NeuroKit2's mean rate of a pulse wave."""
    import neurokit2

    _, info = neurokit2.ppg_process(values, sampling_rate=64)
    return float(np.mean(60 * 64 / np.diff(info["PPG_Peaks"])))


def heartpy(values: np.ndarray) -> float:
    """heartpy's mean rate of a pulse wave."""
    import heartpy as hp

    _, measures = hp.process(hp.filter_signal(values, [0.5, 8], 64, 2, "bandpass"), 64.0)
    return float(measures["bpm"])


def rate_of(peer: Callable[[np.ndarray], float], values: np.ndarray) -> float:
    """A peer's rate; NaN where it fails, as peers do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return peer(values)
        except Exception:
            return float("nan")


def pulses(trials: list[Trial], peers: dict[str, Callable[[np.ndarray], float]]) -> dict[str, Any]:
    """Every BVP: features, and rates beside the E4's."""
    from emolab.signals.ppg import read_pulse

    table, beside = Table(), defaultdict(Against)
    for trial in trials:
        bpm = read(trial, "bvp", read_pulse, table).get("hr_mean", np.nan)
        e4_bpm, ibi_s = float(trial.arrays["hr"].mean()), trial.arrays["ibi"]
        beside["emolab, E4's HR"].add(bpm, e4_bpm)
        sure_bpm = float(np.mean(60.0 / ibi_s)) if len(ibi_s) >= FEW_IBI else np.nan
        beside["emolab, E4's IBI"].add(bpm, sure_bpm)
        for name, peer in peers.items():
            theirs_bpm = rate_of(peer, trial.arrays["bvp"])
            beside[f"{name}, E4's HR"].add(theirs_bpm, e4_bpm)
            if np.isfinite(bpm):
                beside[f"{name}, E4's HR, where emolab tells one"].add(theirs_bpm, e4_bpm)
            beside[f"{name}, E4's IBI"].add(theirs_bpm, sure_bpm)
    return facts(table) | {"heart_rate": {name: one.facts() for name, one in beside.items()}}


def skins(trials: list[Trial]) -> dict[str, Any]:
    """Every EDA."""
    from emolab.signals.eda.skin import read_skin

    table = Table()
    for trial in trials:
        read(trial, "eda", lambda values, times_s: read_skin(values, times_s, "uS"), table)
    return facts(table)


def facts(table: Table) -> dict[str, Any]:
    """A table as JSON."""
    return {
        "trials": len(table.shares),
        "refused": dict(table.refused),
        "good_share_mean": float(np.mean(table.shares)),
        "little_can_be_used": int(np.sum(np.array(table.shares) < SURE)),
        "nan": {key: dict(found) for key, found in table.nan.items()},
        "features": sorted(table.rows[0]) if table.rows else [],
        "took_s": table.took_s,
    }


def lines(name: str, found: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield (
        f"{name}: {found['trials']} trials, {sum(found['refused'].values())} refused, "
        f"{found['little_can_be_used']} of which less than half can be used, on the mean "
        f"{found['good_share_mean']:.1%}; {1e3 * found['took_s'] / max(found['trials'], 1):.1f} ms each"
    )
    for why, count in found["refused"].items():
        yield f"    refused {count:>4}  {why}"
    for key in found["features"]:
        told = ", ".join(f"{count} {why}" for why, count in sorted(found["nan"].get(key, {}).items()))
        yield f"    {key:<22}{told or 'in all'}"
    for what, figures in found.get("heart_rate", {}).items():
        yield (
            f"    {what:<42}{figures['trials']:>5} trials, MAE {figures['mae_bpm']:.2f} bpm, median "
            f"{figures['median_ae_bpm']:.2f}, bias {figures['bias_bpm']:+.2f}, r {figures['r']:.3f}, "
            f"{figures['off_by_more_than_5_bpm']:.1%} off by more than 5"
        )


def main() -> None:
    """Run and print."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("folder", type=Path, metavar="DIR")
    cli.add_argument("--peers", type=Path, metavar="DIR", help="where neurokit2 and heartpy are")
    cli.add_argument("--only", choices=("pulse", "skin"))
    cli.add_argument("--json", type=Path, metavar="FILE")
    options = cli.parse_args()
    peers: dict[str, Callable[[np.ndarray], float]] = {}
    if options.peers is not None:
        stand_in()
        sys.path.append(str(options.peers))
        peers = {"NeuroKit2": neurokit, "heartpy": heartpy}
    corpus = Hku956(options.folder)
    trials = list(corpus.each())
    people = len({trial.ref.subject for trial in trials})
    print(f"{len(trials)} trials of {people} participants, {len(corpus.left_out)} left out")
    found: dict[str, Any] = {"trials": len(trials), "left_out": len(corpus.left_out)}
    if options.only != "skin":
        found["pulse"] = pulses(trials, peers)
        print("\n".join(lines("pulse", found["pulse"])))
    if options.only != "pulse":
        found["skin"] = skins(trials)
        print("\n".join(lines("skin", found["skin"])))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
