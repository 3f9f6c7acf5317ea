"""Skin conductance beside NeuroKit2's `eda_process`: responses against the truth, and the time it takes.

    python -m tests.bench.bench_skin --peers DIR [--real DIR] [--sessions 8] [--rounds 5] [--json FILE]

Truth: sessions of the simulated body, 8 min at 250 Hz as a 12-bit board sends them, with three amounts of
noise. A response is found when an onset is within 0.5 s of one of the body's; each counts once. Time: a
session of 20 min at 250 Hz, and 1,000 windows of 30 s at 50 Hz; the rounds take turns, all in this process,
on as many threads as OMP_NUM_THREADS says, but for the windows, which cvxEDA solves on all cores.

`--real`: a folder with NeuroKit/data/bio_eventrelated_100hz.csv (mixue-t/NeuroKit @ f2bb345): how many
responses are found, and how soon after each event. `librosa`, where it can be imported, is compared with our
MFCC. NeuroKit2 is no part of emolab: pip install --target DIR neurokit2. Goal: onsets within 0.2 s.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from emolab.signals.eda.features import features_of_phasic, hand_crafted, phasic_of
from emolab.signals.eda.skin import read_skin
from emolab.signals.mfcc import mfcc
from tests.signals.eda.made import Session, matched, session
from tests.signals.made import Array

NOISES_US = (0.004, 0.02, 0.05)
GOAL_S = 0.2
WINDOWS, WINDOW_S, WINDOW_HZ = 1000, 30, 50.0
OF_PEER = 20  # windows: it takes them one by one


def main() -> None:
    """Print all figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peers", type=Path, metavar="DIR", help="where neurokit2 was installed to")
    options.add_argument("--real", type=Path, metavar="DIR", help="with NeuroKit/data in it")
    options.add_argument("--sessions", type=int, default=8)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--json", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.peers:
        sys.path.append(str(chosen.peers))
    warnings.simplefilter("ignore")  # the peer's
    peer = _peer()
    told = {"truth": truth(peer, chosen.sessions), "time": times(peer, chosen.rounds), "mfcc": librosa()}
    if chosen.real:
        told["real"] = real(peer, chosen.real)
    if chosen.json:
        chosen.json.write_text(json.dumps(told, indent=1))


def _ours(values: Array, times_s: Array) -> Array:
    return read_skin(values, times_s, "uS").responses.onsets_s


def _peer() -> Callable[[Array, Array], Array] | None:
    try:
        import neurokit2
    except ImportError:
        print("neurokit2 is not here: pip install --target DIR neurokit2, then --peers DIR")
        return None

    def onsets_s(values: Array, times_s: Array) -> Array:
        rate_hz = 1.0 / float(np.median(np.diff(times_s)))
        _, found = neurokit2.eda_process(values, sampling_rate=rate_hz)
        onsets = np.asarray(found["SCR_Onsets"], np.float64)
        return times_s[0] + onsets[np.isfinite(onsets)] / rate_hz

    return onsets_s


def truth(peer: Callable[[Array, Array], Array] | None, sessions: int) -> list[dict[str, Any]]:
    """Precision, recall and how far onsets are off, for each amount of noise."""
    rows = []
    print(f"{'noise':<22}{'precision':>10}{'recall':>8}{'off p50':>9}{'p95':>7}{'max s':>7}{'≤.2s':>7}")
    for noise_us in NOISES_US:
        made = [session(100 + seed, noise_us=noise_us) for seed in range(sessions)]
        for name, read in (("emolab", _ours), ("neurokit2", peer)):
            if read is None:
                continue
            row = {"noise_us": noise_us, "who": name, **_score(read, made)}
            rows.append(row)
            print(
                f"{noise_us:<10}{name:<12}{row['precision']:>10.3f}{row['recall']:>8.3f}{row['p50_s']:>9.3f}"
                f"{row['p95_s']:>7.3f}{row['max_s']:>7.3f}{row['within']:>7.3f}",
                flush=True,
            )
    return rows


def _score(read: Callable[[Array, Array], Array], made: list[Session]) -> dict[str, float]:
    found = true = hits = 0
    off: list[float] = []
    for one in made:
        onsets_s = read(one.conductance_us, one.times_s)
        mine, theirs = matched(onsets_s, one.onsets_s)
        found, true, hits = found + len(onsets_s), true + len(one.onsets_s), hits + len(mine)
        off += np.abs(onsets_s[mine] - one.onsets_s[theirs]).tolist()
    return {
        "responses": true, "precision": hits / max(found, 1), "recall": hits / true,
        "p50_s": float(np.median(off)), "p95_s": float(np.quantile(off, 0.95)), "max_s": max(off),
        "within": float(np.mean(np.array(off) <= GOAL_S)),
    }  # fmt: skip


def times(peer: Callable[[Array, Array], Array] | None, rounds: int) -> dict[str, Any]:
    """Seconds for a session and for a thousand windows, and how many times as long the peer takes."""
    long = session(1, seconds=1200.0)
    whole = session(2, seconds=480.0, rate_hz=WINDOW_HZ)
    n = int(WINDOW_S * WINDOW_HZ)
    starts = np.linspace(0, len(whole.times_s) - n, WINDOWS).astype(int)
    windows = np.stack([whole.conductance_us[start : start + n] for start in starts])
    phasic = phasic_of(windows, WINDOW_HZ)
    at_s = np.arange(n) / WINDOW_HZ

    def each_by_peer() -> None:
        for window in windows[:: WINDOWS // OF_PEER]:
            assert peer is not None
            peer(window, at_s)

    tasks: dict[str, tuple[Callable[[], object], float]] = {
        "session, emolab": (lambda: _ours(long.conductance_us, long.times_s), 1.0),
        "windows, emolab, with cvxEDA": (lambda: hand_crafted(windows, WINDOW_HZ), 1.0),
        "windows, emolab, features alone": (lambda: features_of_phasic(phasic, WINDOW_HZ), 1.0),
        "windows, emolab, as the authors": (lambda: features_of_phasic(phasic, WINDOW_HZ, "authors"), 1.0),
    }
    if peer is not None:
        tasks["session, neurokit2"] = (lambda: peer(long.conductance_us, long.times_s), 1.0)
        tasks["windows, neurokit2, responses alone"] = (each_by_peer, WINDOWS / OF_PEER)
    for work, _ in tasks.values():  # what is compiled is compiled once
        work()
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, (work, factor) in tasks.items():
            begun_s = time.perf_counter()
            work()
            taken[name].append(factor * (time.perf_counter() - begun_s))
    print(
        f"\n{'20 min at 250 Hz; 1,000 windows of 30 s at 50 Hz':<50}{'median s':>10}{'least':>8}{'most':>8}"
    )
    for name, every in taken.items():
        print(f"{name:<50}{statistics.median(every):>10.4f}{min(every):>8.4f}{max(every):>8.4f}")
    for kind in ("session", "windows"):
        ours = next(every for name, every in taken.items() if name.startswith(f"{kind}, emolab"))
        theirs = next((every for name, every in taken.items() if name.startswith(f"{kind}, neuro")), None)
        if theirs:
            ratios = [other / one for one, other in zip(ours, theirs, strict=True)]
            print(f"{kind}: {statistics.median(ratios):.1f} x ({min(ratios):.1f} to {max(ratios):.1f})")
    return taken


def librosa() -> float | None:
    """The largest difference from librosa's coefficients."""
    try:
        import librosa as peer
    except ImportError:
        print("\nlibrosa is not here: the coefficients are held against its formulas in test_mfcc.py")
        return None
    wave = np.random.default_rng(1).normal(size=1500)
    apart = 0.0
    for frame, hop in ((2048, 512), (256, 128)):
        asked = peer.feature.mfcc(y=wave, sr=50, n_mfcc=20, n_fft=frame, hop_length=hop)
        apart = max(apart, float(np.abs(asked - mfcc(wave, 50.0, frame=frame, hop=hop)).max()))
    print(f"\nMFCC: at most {apart:.2g} from librosa {peer.__version__}")
    return apart


def real(peer: Callable[[Array, Array], Array] | None, folder: Path) -> dict[str, Any]:
    """How many responses in the recording with four events, and how soon after each event."""
    path = folder / "NeuroKit" / "data" / "bio_eventrelated_100hz.csv"
    rows = np.genfromtxt(path, delimiter=",", names=True)
    times_s = np.arange(len(rows)) / 100.0
    light = rows["Photosensor"]
    dark = light < 0.5 * (light.min() + light.max())
    events_s = times_s[1:][dark[1:] & ~dark[:-1]]
    told: dict[str, Any] = {"events_s": events_s.tolist()}
    print(f"\n{path.name}: events at {', '.join(f'{event:.1f}' for event in events_s)} s")
    for name, read in (("emolab", _ours), ("neurokit2", peer)):
        if read is None:
            continue
        onsets_s = read(np.ascontiguousarray(rows["EDA"]), times_s)
        after = [(onsets_s[onsets_s > event] - event) for event in events_s]
        soon = [f"{late.min():.1f}" if len(late) else "none" for late in after]
        told[name] = onsets_s.tolist()
        print(f"  {name:<12}{len(onsets_s)} responses; the first after each event by {', '.join(soon)} s")
    return told


if __name__ == "__main__":
    main()
