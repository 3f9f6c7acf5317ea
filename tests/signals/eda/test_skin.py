"""A session's responses and level are those of the body that made them, whatever befell the recording."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.devices.simulation.scenes import EDA_US_PER_COUNT
from emolab.signals.eda.front_end import Linear
from emolab.signals.eda.skin import SKIN_FEATURES, Skin, read_skin
from tests.devices.simulated_bench import SimulatedBench, value
from tests.signals.eda.made import US_PER_COUNT, Session, matched, session

NAMES = {feature.name for feature in SKIN_FEATURES}


@lru_cache(maxsize=4)
def read(seed: int) -> tuple[Session, Skin]:
    made = session(seed)
    return made, read_skin(made.conductance_us, made.times_s, "uS")


@pytest.mark.parametrize("seed", range(4))
def test_responses_are_found_within_two_tenths_of_a_second(seed: int) -> None:
    made, skin = read(seed)
    found, true = matched(skin.responses.onsets_s, made.onsets_s)
    assert len(true) >= 0.97 * len(made.onsets_s)
    assert len(found) >= 0.93 * len(skin.responses)
    apart_s = np.abs(skin.responses.onsets_s[found] - made.onsets_s[true])
    assert apart_s.max() <= 0.2
    ratio = skin.responses.amplitudes[found] * skin.scale / made.amplitudes_us[true]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert np.quantile(np.abs(ratio - 1.0), 0.9) < 0.2


@pytest.mark.parametrize("seed", range(4))
def test_the_level_is_the_bodys(seed: int) -> None:
    made, skin = read(seed)
    tonic_us = skin.tonic * skin.scale + skin.centre
    truth_us = np.interp(skin.times_s, made.times_s, made.tonic_us)
    assert np.corrcoef(tonic_us, truth_us)[0, 1] > 0.98
    assert np.mean(np.abs(tonic_us - truth_us)) < 0.1


def test_the_simulated_boards_skin_is_read() -> None:
    bench = SimulatedBench("board", 7)
    bench.source.open()
    bench.advance(120.0)
    times_s, values_us = value(bench, 0)
    skin = read_skin(values_us, times_s, "uS", adc_range=(0.0, 4095 * EDA_US_PER_COUNT))
    truth_s = np.array([onset_s for onset_s, _ in bench.person.body.scrs(3.0, 117.0)])
    _, true = matched(skin.responses.onsets_s, truth_s, 0.2)
    assert len(true) == len(truth_s) > 2
    assert skin.good_share(0.0, 119.0) > 0.99


def test_a_window_has_all_its_figures() -> None:
    made, skin = read(2)
    figures = skin.over(200.0, 260.0)
    assert set(figures) == NAMES
    assert all(np.isfinite(figure) for figure in figures.values())
    inside = (made.onsets_s >= 200.0) & (made.onsets_s < 260.0)
    assert abs(figures["scr_count"] - inside.sum()) <= 1
    assert figures["scr_rate"] == pytest.approx(figures["scr_count"])
    assert figures["scr_amp_mean"] == pytest.approx(made.amplitudes_us[inside].mean(), rel=0.1)
    assert figures["scr_amp_sum_z"] == pytest.approx(figures["scr_amp_mean_z"] * figures["scr_count"])
    at = (made.times_s >= 200.0) & (made.times_s < 260.0)
    assert figures["eda_level_mean"] == pytest.approx(made.conductance_us[at].mean(), abs=0.01)
    assert 0.9 < figures["scr_rise_s"] < 1.6
    assert 1.5 < figures["scr_recovery_s"] < 3.0


def test_the_slope_of_the_level_is_in_sds_a_minute() -> None:
    at_s = np.arange(0, 300, 0.1)
    us = 5.0 + 0.01 * at_s + 0.003 * np.random.default_rng(1).normal(size=len(at_s))
    skin = read_skin(us, at_s, "uS")
    assert skin.over(100.0, 160.0)["eda_tonic_slope"] * skin.scale == pytest.approx(0.6, rel=0.1)
    assert skin.over(100.0, 160.0)["scr_count"] == 0.0
    assert np.isnan(skin.over(100.0, 160.0)["scr_amp_mean"])


def test_a_constant_on_the_whole_session_changes_nothing_but_the_level() -> None:
    made, skin = read(2)
    lifted = read_skin(made.conductance_us + 2.0, made.times_s, "uS").over(200.0, 260.0)
    figures = skin.over(200.0, 260.0)
    assert lifted.pop("eda_level_mean") == pytest.approx(figures.pop("eda_level_mean") + 2.0)
    assert lifted == pytest.approx(figures, abs=1e-4)


def test_when_the_session_was_changes_nothing() -> None:
    made, skin = read(2)
    later = read_skin(made.conductance_us, made.times_s + 10_000.0, "uS")
    assert later.over(10_200.0, 10_260.0) == pytest.approx(skin.over(200.0, 260.0), abs=2e-3)


def test_counts_give_z_and_no_microsiemens() -> None:
    made, skin = read(2)
    counts = read_skin(made.conductance_us / US_PER_COUNT, made.times_s)
    figures, in_us = counts.over(200.0, 260.0), skin.over(200.0, 260.0)
    assert np.isnan(figures["eda_level_mean"]) and np.isnan(figures["scr_amp_mean"])
    assert figures["eda_tonic_mean"] == pytest.approx(in_us["eda_tonic_mean"], abs=1e-3)
    calibrated = read_skin(made.conductance_us / US_PER_COUNT, made.times_s, front_end=Linear(US_PER_COUNT))
    assert calibrated.over(200.0, 260.0) == pytest.approx(in_us, rel=1e-3, abs=1e-3)


def test_counts_that_fall_with_conductance_give_the_same() -> None:
    made, _ = read(2)
    counts = np.rint(made.conductance_us / US_PER_COUNT)
    upright = read_skin(counts, made.times_s, adc_range=(0, 4095))
    fallen = read_skin(4095 - counts, made.times_s, adc_range=(0, 4095))
    assert fallen.conductance.is_turned
    assert fallen.over(200.0, 260.0) == pytest.approx(
        upright.over(200.0, 260.0), rel=1e-3, abs=1e-3, nan_ok=True
    )


def test_a_gap_costs_its_own_time_and_no_more() -> None:
    made, whole = read(3)
    kept = (made.times_s < 240.0) | (made.times_s >= 260.0)
    skin = read_skin(made.conductance_us[kept], made.times_s[kept], "uS")
    assert skin.good_share(240.0, 260.0) < 0.02
    assert skin.good_share(230.0, 270.0) == pytest.approx(0.5, abs=0.02)
    assert np.isnan(list(skin.over(240.0, 260.0).values())).all()
    outside = (made.onsets_s < 237.0) | (made.onsets_s > 262.0)
    _, true = matched(skin.responses.onsets_s, made.onsets_s[outside], 0.2)
    assert len(true) == outside.sum()
    assert not np.any((skin.responses.onsets_s > 240.2) & (skin.responses.onsets_s < 259.8))
    for start_s in (60.0, 140.0, 300.0, 400.0):
        one, other = (read.over(start_s, start_s + 60.0)["eda_tonic_mean"] for read in (skin, whole))
        assert one * skin.scale + skin.centre == pytest.approx(other * whole.scale + whole.centre, abs=0.02)


def test_an_artefact_makes_no_response() -> None:
    made, _ = read(3)
    bumped = made.conductance_us.copy()
    bumped[(made.times_s > 300.0) & (made.times_s < 301.0)] = 0.0
    skin = read_skin(bumped, made.times_s, "uS")
    assert 0.02 < 1.0 - skin.good_share(0.0, 480.0) < 0.03
    outside = (made.onsets_s < 293.0) | (made.onsets_s > 307.0)
    _, true = matched(skin.responses.onsets_s, made.onsets_s[outside], 0.2)
    assert len(true) == outside.sum()
    assert not np.any((skin.responses.onsets_s > 295.0) & (skin.responses.onsets_s < 306.0))


def test_windows_beside_the_session_are_empty() -> None:
    _, skin = read(1)
    for start_s, end_s in ((-100.0, -40.0), (1000.0, 1060.0), (60.0, 60.0), (60.0, 30.0)):
        assert skin.good_share(start_s, end_s) == 0.0
        assert np.isnan(list(skin.over(start_s, end_s).values())).all()
    assert skin.good_share(-np.inf, np.inf) == 1.0
    assert skin.good_share(460.0, 500.0) == pytest.approx(0.5, abs=0.01)


def test_a_window_without_ends_is_the_whole_session() -> None:
    _, skin = read(1)
    first_s, last_s = skin.times_s[0], skin.times_s[-1] + 1.0 / skin.conductance.rate_hz
    whole = skin.over(first_s, last_s)
    assert whole["scr_rate"] == pytest.approx(60.0 * whole["scr_count"] / (last_s - first_s))
    for window in ((-np.inf, np.inf), (first_s, np.inf), (-np.inf, last_s)):
        assert skin.over(*window) == pytest.approx(whole)


@pytest.mark.parametrize("rate_hz", [4.0, 15.0, 32.0, 100.0])
def test_any_rate_will_do(rate_hz: float) -> None:
    made = session(2, rate_hz=rate_hz)
    skin = read_skin(made.conductance_us, made.times_s, "uS")
    found, true = matched(skin.responses.onsets_s, made.onsets_s)
    assert len(true) >= 0.95 * len(made.onsets_s)
    apart_s = np.abs(skin.responses.onsets_s[found] - made.onsets_s[true])
    assert np.quantile(apart_s, 0.95) <= 0.2


def test_dry_skin_below_all_conductance_is_nan_and_no_error() -> None:
    at_s = np.arange(0, 60, 0.25)
    skin = read_skin(0.02 + 0.001 * np.sin(at_s), at_s, "uS")
    assert skin.good_share(0.0, 60.0) == 0.0 and len(skin.responses) == 0
    assert np.isnan(list(skin.over(0.0, 30.0).values())).all()


def test_what_can_give_nothing_is_refused() -> None:
    at_s = np.arange(0, 60, 0.1)
    with pytest.raises(DataError, match="flat"):
        read_skin(np.full(len(at_s), 3.0), at_s, "uS")
    with pytest.raises(DataError, match=r"lasts 5\.0 s"):
        read_skin(np.arange(51.0), at_s[:51], "uS")


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), gaps=st.integers(0, 6), scale=st.floats(0.001, 1000.0))
def test_no_recording_gives_a_surprise(seed: int, gaps: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    at_s = np.cumsum(rng.uniform(0.05, 0.2, 400))
    values = scale * np.cumsum(rng.normal(size=400))
    for _ in range(gaps):
        start = int(rng.integers(400))
        values[start : start + int(rng.integers(1, 80))] = rng.choice([np.nan, 0.0, 1e9])
    try:
        skin = read_skin(values, at_s, "uS" if seed % 2 else "counts")
    except DataError:
        return
    for start_s in (0.0, 10.0, 30.0):
        figures = skin.over(start_s, start_s + 10.0)
        assert set(figures) == NAMES
        assert np.isfinite(figures["scr_count"]) == (skin.good_share(start_s, start_s + 10.0) >= 0.5)
    assert not np.any(skin.responses.amplitudes < 0.0)
