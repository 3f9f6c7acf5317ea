"""The pulse chain beside NeuroKit2, heartpy and biosppy, on the same arrays, in one run.

    python -m tests.bench.bench_ppg --peers DIR [--real DIR] [--rounds 5] [--seeds 5] [--only PART]

    time    20 min at 250 Hz: `read_pulse` and all figures of the whole against NeuroKit2's `ppg_process`
            (goal 5 x); band-pass and peaks against its `ppg_clean` and `ppg_findpeaks` (goal 2 x). The rounds
            take turns.
    rate    5 min of 50 to 130 beats a minute from two simulators, NeuroKit2's and the tests' own, told by
            each peer from its peaks (goal: ours within 0.2)
    noise   F1 of the beats, found within 100 ms of the truth, at known signal-to-noise ratios
    motion  the same with movements; beats within a movement are neither wanted nor held against anybody,
            those near one are. Ours twice: all beats found, and what counts in the figures. NeuroKit2's
            simulated heart swings by a tenth each way, so that what movements leave out moves its mean
    real    mean rate of 30 s windows, as they are and moved by the pulse's delay (its median), and the rate
            from moment to moment, against the ECG's (R waves by NeuroKit2), on mixue-t/NeuroKit @ f2bb345,
            data/bio_resting_5min_100hz.csv: the one file of that folder with both ECG and PPG. `--real`
            names a folder with `NeuroKit/data`

Peers: pip install --no-deps --target DIR neurokit2 heartpy biosppy. They need scikit-learn, pywavelets and
matplotlib; what else they import and do not use here (pkg_resources, six, peakutils) is stood in for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from emolab.signals.ppg import read_pulse
from emolab.signals.ppg.beats import averaged, band_passed, between_samples, systolic_peaks
from tests.signals.ppg.made import Array, Wave, beat_times, f1, noisy, shaken, wave

RATE_HZ = 250.0
RATES_BPM = (50, 60, 72, 90, 110, 130)
SNRS_DB = (20, 10, 5, 0, -5)
SHARES = (0.05, 0.1, 0.2)
WINDOW_S, STEP_S = 30.0, 10.0
GOAL_CHAIN, GOAL_PEAKS, GOAL_BPM = 5.0, 2.0, 0.2
Finder = Callable[[Array, float], Array]


def stand_in() -> None:
    """Modules that the peers import and that nobody here needs."""
    packages: Any = types.ModuleType("pkg_resources")
    packages.resource_filename = lambda *_: ""
    six: Any = types.ModuleType("six")
    six.moves = types.ModuleType("six.moves")
    six.moves.range, six.moves.zip, six.moves.map = range, zip, map
    six.string_types, six.integer_types = (str,), (int,)
    six.iteritems, six.itervalues = lambda d: iter(d.items()), lambda d: iter(d.values())
    stubs = {"pkg_resources": packages, "six": six, "six.moves": six.moves}
    for name, module in (stubs | {"peakutils": types.ModuleType("peakutils")}).items():
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = module


def finders() -> dict[str, Finder]:
    """Each finder: values and rate in, beats in seconds out."""
    import neurokit2 as nk

    def ours(values: Array, rate_hz: float) -> Array:
        return read_pulse(values, np.arange(len(values)) / rate_hz).beats_s

    def neurokit(values: Array, rate_hz: float) -> Array:
        clean = nk.ppg_clean(values, sampling_rate=rate_hz)
        return nk.ppg_findpeaks(clean, sampling_rate=rate_hz)["PPG_Peaks"] / rate_hz

    found: dict[str, Finder] = {"emolab": ours, "neurokit2": neurokit}
    try:
        import heartpy

        def heart(values: Array, rate_hz: float) -> Array:
            clean = heartpy.filter_signal(values, [0.7, 3.5], rate_hz, 3, "bandpass")  # its documentation's
            told, _ = heartpy.process(heartpy.scale_data(clean), rate_hz)
            kept = np.asarray(told["binary_peaklist"], bool)
            return np.asarray(told["peaklist"], np.float64)[kept] / rate_hz

        found["heartpy"] = heart
    except ImportError as error:
        print(f"heartpy is left out: {error}")
    try:
        from biosppy.signals import ppg

        def bio(values: Array, rate_hz: float) -> Array:
            told = ppg.ppg(values, rate_hz, show=False)
            return np.asarray(told["peaks"], np.float64) / rate_hz

        found["biosppy"] = bio
    except ImportError as error:
        print(f"biosppy is left out: {error}")
    return found


def quietly(find: Finder, values: Array, rate_hz: float) -> Array:
    """The beats; none where the peer gives up."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return find(values, rate_hz)
        except Exception as error:  # a peer's own surrender is its result
            print(f"    gave up: {type(error).__name__}: {str(error)[:70]}")
            return np.zeros(0)


def neurokits(bpm: float, seconds: float, seed: int, **options: float) -> Wave:
    """NeuroKit2's simulated pulse; its truth is where the same wave, undisturbed, is highest."""
    import neurokit2 as nk

    def made(**more: float) -> Array:
        return np.asarray(
            nk.ppg_simulate(
                duration=int(seconds), sampling_rate=int(RATE_HZ), heart_rate=bpm, random_state=seed, **more
            ),
            np.float64,
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quiet = {"motion_amplitude": 0, "powerline_amplitude": 0, "burst_amplitude": 0, "drift": 0}
        clean = made(**(options | quiet))
        values = made(**({"ibi_randomness": 0.1} | options))
    tops = 1 + np.flatnonzero((clean[1:-1] > clean[:-2]) & (clean[1:-1] >= clean[2:]))
    near = np.abs(np.subtract.outer(tops, tops)) < 0.45 * 60 / bpm * RATE_HZ  # the echo comes at 0.27
    tops = tops[clean[tops] >= np.where(near, clean[tops], -np.inf).max(axis=1)]
    return Wave(np.arange(len(values)) / RATE_HZ, values, tops / RATE_HZ)


def own(bpm: float, seconds: float, seed: int, sd_ms: float = 25.0) -> Wave:
    """The tests' own wave, of a person at rest."""
    sd_ms *= 60 / bpm
    return wave(beat_times(bpm, seconds, sd_ms=sd_ms, breath_ms=sd_ms, seed=seed), seconds, RATE_HZ)


def timed(rounds: int) -> dict[str, Any]:
    """How many times as long NeuroKit2 takes."""
    import neurokit2 as nk

    made = neurokits(72, 1200, 1)

    def chain() -> None:
        read_pulse(made.values, made.times_s).over(0.0, 1200.0)

    def peaks() -> None:
        found = averaged(band_passed(made.values, RATE_HZ), RATE_HZ)
        between_samples(found, systolic_peaks(found, RATE_HZ))

    def their_peaks() -> None:
        nk.ppg_findpeaks(nk.ppg_clean(made.values, sampling_rate=RATE_HZ), sampling_rate=RATE_HZ)

    def their_chain() -> None:
        nk.ppg_process(made.values, sampling_rate=int(RATE_HZ))

    took: dict[str, list[float]] = {"chain": [], "their chain": [], "peaks": [], "their peaks": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for turn in range(rounds + 1):
            for name, act in zip(took, (chain, their_chain, peaks, their_peaks), strict=True):
                begun_s = time.thread_time()
                act()
                if turn:  # the first round warms up
                    took[name].append(time.thread_time() - begun_s)
    found: dict[str, Any] = {}
    for name, goal in (("chain", GOAL_CHAIN), ("peaks", GOAL_PEAKS)):
        ratios = [theirs / mine for theirs, mine in zip(took[f"their {name}"], took[name], strict=True)]
        found[name] = {"ms": 1e3 * statistics.median(took[name]), "ratios": ratios}
        print(
            f"{name:<7}{1e3 * statistics.median(took[name]):8.1f} ms, NeuroKit2 "
            f"{1e3 * statistics.median(took[f'their {name}']):8.1f} ms: {statistics.median(ratios):5.1f} x "
            f"({min(ratios):.1f} to {max(ratios):.1f}; goal {goal:g}) "
            f"{'well' if statistics.median(ratios) >= goal else 'MISSED'}"
        )
    return found


def rates(peers: dict[str, Finder], seeds: int) -> dict[str, Any]:
    """Worst error of the mean rate at each rate, over seeds."""
    found: dict[str, Any] = {}
    print(f"{'worst rate error, bpm':<28}" + "".join(f"{bpm:>8}" for bpm in RATES_BPM))
    for maker in (neurokits, own):
        for name, find in peers.items():
            worst = []
            for bpm in RATES_BPM:
                errors = []
                for seed in range(seeds):
                    made = maker(bpm, 300, seed)
                    if name == "emolab":
                        told = read_pulse(made.values, made.times_s).over(0.0, 300.0)["hr_mean"]
                    else:
                        told = mean_rate(quietly(find, made.values, RATE_HZ))
                    errors.append(abs(told - made.bpm))
                worst.append(max(errors))
            found[f"{maker.__name__} {name}"] = worst
            told = "" if name != "emolab" else "  well" if max(worst) <= GOAL_BPM else "  MISSED"
            print(f"  {maker.__name__:<12}{name:<14}" + "".join(f"{value:8.2f}" for value in worst) + told)
    return found


def mean_rate(beats_s: Array) -> float:
    """Mean of the rate from beat to beat, of intervals that a heart can have."""
    rr_s = np.diff(beats_s)
    rr_s = rr_s[(rr_s >= 0.3) & (rr_s <= 2.0)]
    return float(np.mean(60.0 / rr_s)) if len(rr_s) else np.nan


def noises(peers: dict[str, Finder], seeds: int) -> dict[str, Any]:
    """F1 in white noise, mean over rates and seeds."""
    found: dict[str, Any] = {}
    print(f"{'F1 in noise, dB':<28}" + "".join(f"{snr:>8}" for snr in SNRS_DB))
    for maker in (neurokits, own):
        for name, find in peers.items():
            row = []
            for snr_db in SNRS_DB:
                scores = []
                for seed in range(seeds):
                    for bpm in (55, 75, 100):
                        made = noisy(maker(bpm, 120, seed), snr_db, seed + 50)
                        scores.append(f1(quietly(find, made.values, RATE_HZ), made.peaks_s))
                row.append(float(np.mean(scores)))
            found[f"{maker.__name__} {name}"] = row
            print(f"  {maker.__name__:<12}{name:<14}" + "".join(f"{value:8.3f}" for value in row))
    return found


def motions(peers: dict[str, Finder], seeds: int) -> dict[str, Any]:
    """F1 outside movements, and the error of the mean rate, with movements."""
    found: dict[str, Any] = {}
    print(f"{'with movements: F1 | bpm off':<28}" + "".join(f"{share:>16.0%}" for share in SHARES))
    for maker in (neurokits, own):
        for name, find in ({"emolab, counted": peers["emolab"]} | peers).items():
            row = []
            for share in SHARES:
                scores, off = [], []
                for seed in range(seeds):
                    for bpm in (55, 75, 100):
                        made, moved = shaken(noisy(maker(bpm, 180, seed), 15, seed), share, 4.0, seed)
                        if name.startswith("emolab"):
                            read = read_pulse(made.values, made.times_s)
                            beats_s = read.beats_s[read.own] if "counted" in name else read.beats_s
                            off.append(abs(read.over(0.0, 180.0)["hr_mean"] - made.bpm))
                        else:
                            beats_s = quietly(find, made.values, RATE_HZ)
                            off.append(abs(mean_rate(beats_s) - made.bpm))
                        scores.append(f1(still(beats_s, moved), still(made.peaks_s, moved)))
                row += [float(np.mean(scores)), float(np.mean(off))]
            found[f"{maker.__name__} {name}"] = row
            cells = "".join(f"{a:10.3f}{b:6.2f}" for a, b in zip(row[::2], row[1::2], strict=True))
            print(f"  {maker.__name__:<12}{name:<16}{cells}")
    return found


def still(beats_s: Array, moved: Array) -> Array:
    """The beats outside movements."""
    inside = np.zeros(len(beats_s), bool)
    for start_s, end_s in moved:
        inside |= (beats_s >= start_s) & (beats_s <= end_s)
    return beats_s[~inside]


def reals(peers: dict[str, Finder], folder: Path) -> dict[str, Any]:
    """Mean absolute errors against the ECG's rate."""
    import neurokit2 as nk

    columns = np.genfromtxt(folder / "NeuroKit/data/bio_resting_5min_100hz.csv", delimiter=",", names=True)
    ecg, values, rate_hz = columns["ECG"], columns["PPG"], 100.0
    _, told = nk.ecg_peaks(nk.ecg_clean(ecg, sampling_rate=100), sampling_rate=100, correct_artifacts=True)
    waves_s = np.asarray(told["ECG_R_Peaks"], np.float64) / rate_hz
    seconds = len(values) / rate_hz
    starts = np.arange(0.0, seconds - WINDOW_S + 1, STEP_S)
    grid_s = np.arange(5.0, seconds - 5.0, 0.25)
    found: dict[str, Any] = {"windows": len(starts), "R waves": len(waves_s)}
    print(f"against the ECG: {len(starts)} windows of {WINDOW_S:.0f} s, {len(waves_s)} R waves")
    print(f"  MAE, bpm      {'windows':>10}{'worst':>8}{'delayed':>10}{'worst':>8}{'moments':>10}   beats")
    for name, find in peers.items():
        beats_s = quietly(find, values, rate_hz)
        read = read_pulse(values, np.arange(len(values)) / rate_hz)
        delay_s = float(np.median(beats_s[1:-1] - waves_s[np.searchsorted(waves_s, beats_s[1:-1]) - 1]))
        row = []
        for by_s in (0.0, delay_s):
            truth = [mean_rate(within(waves_s, start_s)) for start_s in starts]
            rate = [mean_rate(within(beats_s - by_s, start_s)) for start_s in starts]
            if name == "emolab":
                ends = starts + by_s
                rate = [read.over(start_s, start_s + WINDOW_S)["hr_mean"] for start_s in ends]
            off = np.abs(np.array(rate) - truth)
            row += [float(off.mean()), float(off.max())]
        moment = np.abs(at_moments(beats_s - delay_s, grid_s) - at_moments(waves_s, grid_s))
        found[name] = [*row, float(moment.mean()), len(beats_s)]
        cells = "".join(f"{value:{width}.3f}" for value, width in zip(row, (10, 8, 10, 8), strict=True))
        print(f"  {name:<14}{cells}{moment.mean():10.3f}   {len(beats_s)}")
    return found


def within(beats_s: Array, start_s: float) -> Array:
    """The beats of the window from `start_s` on."""
    return beats_s[(beats_s >= start_s) & (beats_s < start_s + WINDOW_S)]


def at_moments(beats_s: Array, grid_s: Array) -> Array:
    """The rate from beat to beat, between their middles."""
    return np.interp(grid_s, (beats_s[1:] + beats_s[:-1]) / 2, 60.0 / np.diff(beats_s))


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--peers", type=Path, metavar="DIR", help="where the peers were installed to")
    options.add_argument("--real", type=Path, metavar="DIR", help="holds NeuroKit/data")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--only", nargs="*", choices=["time", "rate", "noise", "motion", "real"])
    options.add_argument("--json", type=Path, metavar="FILE")
    chosen = options.parse_args()
    if chosen.peers:
        sys.path.insert(0, str(chosen.peers))
    stand_in()
    peers = finders()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "time": lambda: timed(chosen.rounds),
        "rate": lambda: rates(peers, chosen.seeds),
        "noise": lambda: noises(peers, chosen.seeds),
        "motion": lambda: motions(peers, chosen.seeds),
    }
    if chosen.real:
        parts["real"] = lambda: reals(peers, chosen.real)
    found = {name: part() for name, part in parts.items() if not chosen.only or name in chosen.only}
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
