"""What heart rate is and how it varies, from the intervals of a window.

Measures and bands: Task Force of the ESC and NASPE 1996, doi:10.1161/01.CIR.93.5.1043; sd1 and sd2: Brennan
et al. 2001, doi:10.1109/10.959330. Intervals that do not count leave holes: differences are taken between
neighbours alone, and spectra by least squares (Lomb 1976, Scargle 1982), which needs no even samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lombscargle

from emolab.signals.feature import Feature
from emolab.signals.measures import Array, detrended

LEAST_BEATS = 10  # spec 01 §1.7
PNN_MS = 50.0
LF_HZ, HF_HZ = (0.04, 0.15), (0.15, 0.40)  # Task Force 1996
# Task Force 1996: about a minute for HF, two for LF; less the parts of a beat at both ends
SHORTEST_HF_S, SHORTEST_LF_S = 57.0, 114.0
PIECE_S = 300.0  # Task Force 1996: what is longer is the mean of such pieces, half over one another (Welch)
# of the span, in intervals that count: holes carry the low frequencies over into the high ones, whose power
# is 7 % too large where 5 % are missing, and 24 % where 18 % are (LF 800 ms², HF 450 ms²)
LEAST_SEEN = 0.95

_SPEC, _TASK = "spec 01 §1.7", "Task Force 1996"
RATE_FEATURES = (
    Feature("hr_mean", "bpm", "mean heart rate, from beat to beat", _SPEC),
    Feature("hr_var", "bpm²", "variance of the heart rate from beat to beat", _SPEC),
    Feature("rr_mean", "ms", "mean interval between beats", _SPEC),
    Feature("rr_sd", "ms", "standard deviation of the intervals between beats", _SPEC),
    Feature("hrv_rmssd", "ms", "root mean square of the intervals' changes from beat to beat", _TASK, True),
    Feature(
        "hrv_pnn50", "%", "share of intervals that differ by over 50 ms from the one before", _TASK, True
    ),
    Feature("hrv_sd1", "ms", "spread of the intervals across the line of identity", "Brennan 2001", True),
    Feature("hrv_sd2", "ms", "spread of the intervals along the line of identity", "Brennan 2001", True),
    Feature("hrv_lf", "ms²", "power of the intervals from 0.04 to 0.15 Hz; 2 min needed", _TASK, True),
    Feature("hrv_hf", "ms²", "power of the intervals from 0.15 to 0.4 Hz; 1 min needed", _TASK, True),
    Feature("hrv_lf_hf", "", "low- to high-frequency power; 2 min needed", _TASK, True),
)


def variability(beats_s: Array, rr_ms: Array, own: NDArray[np.bool_]) -> dict[str, float]:
    """Every one of `RATE_FEATURES`, NaN where it cannot be measured.

    `beats_s`, `rr_ms`, `own` `(m,)`: beats of a window, the interval that ends at each, and whether it
    counts; the first beat's interval, which began before the window, is taken as one that does not.
    At least 10 beats are needed, nine intervals that count.
    """
    found = dict.fromkeys((feature.name for feature in RATE_FEATURES), np.nan)
    own = own & (np.arange(len(own)) > 0)
    rr = rr_ms[own]
    if len(rr) < LEAST_BEATS - 1:
        return found
    bpm = 6e4 / rr
    found |= {"hr_mean": bpm.mean(), "hr_var": bpm.var(ddof=1), "rr_mean": rr.mean(), "rr_sd": rr.std(ddof=1)}
    pairs = np.flatnonzero(own[1:] & own[:-1])
    if len(pairs) >= LEAST_BEATS - 2:
        found |= _pairs(rr_ms[pairs], rr_ms[pairs + 1])
    found |= _powers(beats_s, rr_ms, own)
    return {name: float(value) for name, value in found.items()}


def _pairs(one: Array, next_: Array) -> dict[str, float]:
    change = next_ - one
    return {
        "hrv_rmssd": np.sqrt(np.mean(change**2)),
        "hrv_pnn50": 100.0 * np.mean(np.abs(change) > PNN_MS),
        "hrv_sd1": change.std(ddof=1) / np.sqrt(2),
        "hrv_sd2": (one + next_).std(ddof=1) / np.sqrt(2),
    }


def _powers(beats_s: Array, rr_ms: Array, own: NDArray[np.bool_]) -> dict[str, float]:
    at_s, rr = beats_s[own] - beats_s[0], rr_ms[own]
    span_s = float(beats_s[-1] - beats_s[0])
    if span_s < SHORTEST_HF_S or rr.sum() < 1e3 * LEAST_SEEN * span_s:
        return {}
    length_s = min(span_s, PIECE_S)
    starts = np.linspace(0.0, span_s - length_s, max(round(2 * (span_s / length_s - 1)) + 1, 1))
    pieces = [slice(*np.searchsorted(at_s, (start_s, start_s + length_s + 1e-9))) for start_s in starts]
    seen = [piece for piece in pieces if rr[piece].sum() >= 1e3 * LEAST_SEEN * length_s]
    hf = _power(at_s, rr, seen, length_s, HF_HZ)
    if span_s < SHORTEST_LF_S:
        return {"hrv_hf": hf}
    lf = _power(at_s, rr, seen, length_s, LF_HZ)
    return {"hrv_hf": hf, "hrv_lf": lf, "hrv_lf_hf": lf / hf if hf > 0 else np.nan}


def _power(
    at_s: Array, rr: Array, pieces: list[slice], length_s: float, band_hz: tuple[float, float]
) -> float:
    """Mean square of the sines in a band, one a cycle in a piece, as Parseval counts them; mean of pieces."""
    steps = np.arange(np.ceil(band_hz[0] * length_s), np.ceil(band_hz[1] * length_s))
    found = [
        2.0
        * np.sum(lombscargle(at_s[piece], detrended(rr[piece]), 2 * np.pi * steps / length_s))
        / len(rr[piece])
        for piece in pieces
    ]
    return float(np.mean(found)) if found else np.nan
