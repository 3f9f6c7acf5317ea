"""The 128 figures are what their names say, alone and in thousands."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolab.core.errors import DataError
from emolab.signals.eda.features import EDA_FEATURES, features_of_phasic, hand_crafted, peaks, phasic_of
from emolab.signals.eda.responses import bateman
from emolab.signals.mfcc import mfcc
from tests.signals.made import Array

RATE_HZ = 50.0
N = 1500
T = np.arange(N) / RATE_HZ
NAMES = [feature.name for feature in EDA_FEATURES]
SPECTRAL = [at for at, name in enumerate(NAMES) if name.startswith(("freq_", "band_"))]


def wave(*responses: tuple[float, float]) -> Array:
    """A phasic part with responses `(onset_s, size)`."""
    return sum((size * bateman(np.maximum(T - at_s, 0.0)) for at_s, size in responses), np.zeros(N))


def told(phasic: Array, variant: str = "reference") -> dict[str, float]:
    return dict(zip(NAMES, features_of_phasic(phasic, RATE_HZ, variant), strict=True))  # type: ignore[arg-type]


def test_there_are_128_in_groups_of_6_7_6_9_and_100() -> None:
    assert len(set(NAMES)) == 128
    groups = [
        sum(name.startswith(start) for name in NAMES) for start in ("scr", "time", "freq", "band", "mfcc")
    ]
    assert groups == [6, 7, 6, 9, 100]
    assert all(feature.what and feature.source for feature in EDA_FEATURES)


def test_responses_are_counted_measured_and_summed() -> None:
    top = float(bateman(np.arange(0, 5, 0.001)).max())
    found = told(wave((5.0, 1.0), (15.0, 0.5), (25.0, 0.01)))  # the last is under a tenth
    assert found["scr_count"] == 2.0
    assert found["scr_amp_sum"] == pytest.approx(1.5 * top, rel=0.01)
    assert found["scr_amp_mean"] == pytest.approx(0.75 * top, rel=0.01)
    assert found["scr_rise_mean"] == pytest.approx(1.13, abs=0.03)
    assert found["scr_rise_sum"] == pytest.approx(2.26, abs=0.06)
    assert found["scr_area"] == pytest.approx(1.5 * 1.3, rel=0.02)  # τ0 − τ1 each, less what the end cuts


def test_no_response_is_nought_and_no_nan() -> None:
    found = told(np.linspace(1.0, 0.0, N))
    assert [found[name] for name in NAMES[:5]] == [0.0] * 5


def test_moments_are_those_of_scipy() -> None:
    x = wave((5.0, 1.0), (12.0, 0.4)) + 0.02 * np.random.default_rng(1).normal(size=N)
    found = told(x)
    assert found["time_mean"] == pytest.approx(x.mean())
    assert found["time_sd"] == pytest.approx(x.std())
    assert found["time_kurtosis"] == pytest.approx(scipy.stats.kurtosis(x))
    assert found["time_skewness"] == pytest.approx(scipy.stats.skew(x))
    assert found["time_gradient_mean"] == pytest.approx(np.gradient(x).mean())
    spectrum = np.abs(np.fft.rfft(x))
    assert found["freq_area"] == pytest.approx(np.trapezoid(spectrum, np.fft.rfftfreq(N, 1 / RATE_HZ)))
    assert found["freq_mean"] == pytest.approx(spectrum.mean())
    assert found["freq_sd"] == pytest.approx(spectrum.std())
    assert found["freq_range"] == pytest.approx(np.ptp(spectrum))
    assert found["freq_kurtosis"] == pytest.approx(scipy.stats.kurtosis(spectrum))
    assert found["freq_skewness"] == pytest.approx(scipy.stats.skew(spectrum))


def test_mfcc_columns_go_coefficient_by_coefficient() -> None:
    x = np.random.default_rng(2).normal(size=N)
    found = told(x)
    row = mfcc(x, RATE_HZ, 20, frame=256, hop=128)[6]
    assert row.shape == (12,)
    for name, asked in (
        ("mean", row.mean()),
        ("sd", row.std()),
        ("median", np.median(row)),
        ("kurtosis", scipy.stats.kurtosis(row)),
        ("skewness", scipy.stats.skew(row)),
    ):
        assert found[f"mfcc_07_{name}"] == pytest.approx(asked)


@pytest.mark.parametrize(("at_hz", "band"), [(0.05, 0), (0.15, 1), (0.25, 2), (0.35, 3), (0.45, 4)])
def test_a_sine_is_in_its_band(at_hz: float, band: int) -> None:
    seconds = np.arange(40 * 50) / RATE_HZ  # whole cycles of each
    found = dict(zip(NAMES, features_of_phasic(np.sin(2 * np.pi * at_hz * seconds), RATE_HZ), strict=True))
    bands = [found[name] for name in NAMES if name.endswith("dhz")]
    asked = np.zeros(5)
    asked[band] = (len(seconds) / 2) ** 2
    np.testing.assert_allclose(bands, asked, atol=1e-6)
    assert found["band_energy"] == pytest.approx(sum(bands))
    assert found["band_variance"] == pytest.approx(np.var(bands))
    assert found["band_max"] == pytest.approx(max(bands)) and found["band_min"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("variant", ["reference", "authors"])
@given(shift=st.integers(1, N - 1))
@settings(max_examples=15, deadline=None)
def test_a_turn_in_time_leaves_the_spectrum_as_it_is(variant: str, shift: int) -> None:
    x = wave((5.0, 1.0), (12.0, 0.4)) + 0.02 * np.random.default_rng(1).normal(size=N)
    every = features_of_phasic(np.stack([x, np.roll(x, shift)]), RATE_HZ, variant)  # type: ignore[arg-type]
    np.testing.assert_allclose(every[0, SPECTRAL], every[1, SPECTRAL], rtol=1e-7)


@pytest.mark.parametrize("variant", ["reference", "authors"])
@pytest.mark.parametrize("level", [0.0, 1.0, -3.3, 1e6])
def test_a_constant_has_128_finite_figures(variant: str, level: float) -> None:
    for found in (
        features_of_phasic(np.full(N, level), RATE_HZ, variant),  # type: ignore[arg-type]
        hand_crafted(np.full(N, level), RATE_HZ, variant),  # type: ignore[arg-type]
    ):
        assert found.shape == (128,) and np.isfinite(found).all()


def test_the_authors_differ_in_what_the_spec_names_and_nothing_else() -> None:
    x = wave((5.0, 1.0), (12.0, 0.4)) + 0.02 * np.random.default_rng(1).normal(size=N)
    ours, theirs = told(x), told(x, "authors")
    differ = {name for name in NAMES if ours[name] != theirs[name]}
    assert {name for name in differ if not name.startswith(("freq", "mfcc"))} == {"time_fall_mean"}
    assert theirs["time_fall_mean"] == -theirs["time_gradient_mean"]
    assert ours["time_fall_mean"] == pytest.approx(np.minimum(np.gradient(x), 0).mean())
    both = np.abs(np.fft.fft(x))
    assert theirs["freq_area"] == pytest.approx(np.trapezoid(both, np.fft.fftfreq(N, 1 / RATE_HZ)))
    assert mfcc(x, RATE_HZ).shape == (20, 3)
    assert theirs["mfcc_01_mean"] == pytest.approx(mfcc(x, RATE_HZ)[0].mean())


def test_thousands_are_as_each_by_itself() -> None:
    rng = np.random.default_rng(3)
    rows = np.stack([wave((rng.uniform(2, 25), rng.uniform(0.1, 1))) for _ in range(800)])
    rows += 0.01 * rng.normal(size=rows.shape)
    every = features_of_phasic(rows, RATE_HZ)
    for at in (0, 348, 349, 350, 799):
        np.testing.assert_allclose(every[at], features_of_phasic(rows[at], RATE_HZ), rtol=1e-9, atol=1e-9)


def test_peaks_and_plateaus() -> None:
    rows = np.array(
        [[0, 1, 1, 0, 0, 2, 0, 3, 3.0], [0, 0, 0, 1, 0, 0, 0, 0, 0.0], [5, 4, 3, 2, 1, 0, 0, 0, 0.0]]
    )
    row, onset, peak = peaks(rows)
    np.testing.assert_array_equal(row, [0, 0, 1])
    np.testing.assert_array_equal(onset, [0, 4, 2])
    np.testing.assert_array_equal(peak, [1, 5, 3])


def test_raw_windows_are_scaled_and_decomposed() -> None:
    raw = 400.0 + 30.0 * (wave((5.0, 1.0), (15.0, 0.6)) + 0.01 * T)
    phasic = phasic_of(raw, RATE_HZ)[0]
    asked = wave((5.0, 1.0), (15.0, 0.6)) * 30.0 / np.ptp(raw)
    assert np.corrcoef(phasic, asked)[0, 1] > 0.95
    found = hand_crafted(np.stack([raw, np.full(N, 3.0), 7.0 * raw - 2.0]), RATE_HZ)
    assert found[0, 0] == 2.0 and found[1, 0] == 0.0
    np.testing.assert_allclose(found[2], found[0], rtol=1e-3, atol=1e-3)  # neither unit nor level matters
    np.testing.assert_allclose(hand_crafted(raw, RATE_HZ), found[0], rtol=1e-3, atol=1e-3)


def test_windows_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(DataError, match="499 samples at 50 Hz are too few"):
        features_of_phasic(np.zeros(499), RATE_HZ)
    with pytest.raises(DataError, match="leave windows with gaps out"):
        hand_crafted(np.where(T > 20, np.nan, 1.0), RATE_HZ)
    with pytest.raises(DataError, match="not of"):
        features_of_phasic(np.zeros((0, N)), RATE_HZ)
    with pytest.raises(DataError, match="no variant 'paper'"):
        features_of_phasic(np.zeros(N), RATE_HZ, "paper")  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(
    x=arrays(np.float64, 120, elements=st.floats(-1e6, 1e6)),
    variant=st.sampled_from(["reference", "authors"]),
)
def test_whatever_is_finite_has_finite_figures(x: Array, variant: str) -> None:
    assert np.isfinite(features_of_phasic(x, 10.0, variant)).all()  # type: ignore[arg-type]
