"""What is on the grid is what was measured, and what cannot be used is masked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolab.core.errors import DataError
from emolab.signals.eda.conductance import Conductance, conductance
from emolab.signals.eda.front_end import GroveGsr, Linear
from emolab.signals.quality import judge
from tests.signals.eda.made import US_PER_COUNT, session
from tests.signals.made import Array, hum

MADE = session(3, 120.0)
T, US = MADE.times_s, MADE.conductance_us


def masked_s(told: Conductance) -> tuple[float, float]:
    """From when to when the only masked stretch goes."""
    bad = np.flatnonzero(~told.is_good)
    assert len(bad) and np.all(np.diff(bad) == 1)
    return float(told.times_s[bad[0]]), float(told.times_s[bad[-1]])


def test_clean_skin_is_all_good_and_as_it_was() -> None:
    told = conductance(US, T, "uS")
    assert told.is_good.all() and not told.lost and told.unit == "uS" and told.rate_hz == 10.0
    np.testing.assert_allclose(told.values, np.interp(told.times_s, T, US), atol=0.04)
    assert told.times_s[0] == T[0] and T[-1] - told.times_s[-1] < 0.1


def test_times_are_data_whatever_the_rate_was_said_to_be() -> None:
    rng = np.random.default_rng(1)
    at_s = 1000.0 + np.cumsum(rng.choice([0.003, 0.004, 0.008], 30_000, p=[0.4, 0.5, 0.1]))
    wave = 5.0 + np.sin(2 * np.pi * 0.1 * at_s)
    told = conductance(wave, at_s, "uS")
    inner = slice(5, -5)
    asked = 5.0 + np.sin(2 * np.pi * 0.1 * told.times_s)
    np.testing.assert_allclose(told.values[inner], asked[inner], atol=0.005)


@pytest.mark.parametrize("rate_hz", [4.0, 32.0, 100.0, 250.0, 1000.0])
def test_the_grid_follows_the_samples_up_to_ten_a_second(rate_hz: float) -> None:
    at_s = np.arange(round(60 * rate_hz)) / rate_hz
    wave = 5.0 + np.sin(2 * np.pi * 0.1 * at_s)
    told = conductance(wave, at_s, "uS")
    assert told.rate_hz == pytest.approx(min(rate_hz, 10.0))
    inner = slice(5, -5)
    np.testing.assert_allclose(
        told.values[inner], 5.0 + np.sin(2 * np.pi * 0.1 * told.times_s[inner]), atol=0.01
    )


def test_mains_do_not_come_through() -> None:
    told = conductance(US + hum(T, 50, 0.5), T, "uS")
    np.testing.assert_allclose(told.values, conductance(US, T, "uS").values, atol=0.005)  # of 0.5


def test_a_gap_is_masked_and_a_short_one_is_bridged() -> None:
    for gap_s, is_masked in ((0.4, False), (3.0, True)):
        kept = (T < 50.0) | (gap_s <= T - 50.0)
        told = conductance(US[kept], T[kept], "uS")
        assert told.is_good.all() != is_masked
        as_nan = conductance(np.where(kept, US, np.nan), T, "uS")
        np.testing.assert_array_equal(as_nan.is_good, told.is_good)
    first_s, last_s = masked_s(told)
    assert first_s == pytest.approx(50.0, abs=0.15) and last_s == pytest.approx(53.0, abs=0.15)
    assert told.lost == {"missing": pytest.approx(3.0 / 120.0, abs=0.002)}
    line = told.values[~told.is_good]
    np.testing.assert_allclose(np.diff(line, 2), 0.0, atol=1e-9)  # a line, not a guess


@pytest.mark.parametrize(("level_us", "why"), [(0.01, "off"), (80.0, "range")])
def test_what_no_skin_is_is_masked_with_five_seconds_round_it(level_us: float, why: str) -> None:
    told = conductance(np.where((T > 60) & (T < 62), level_us, US), T, "uS")
    first_s, last_s = masked_s(told)
    assert first_s == pytest.approx(55.0, abs=0.5) and last_s == pytest.approx(67.0, abs=0.5)
    assert why in told.lost


def test_a_leap_is_masked_in_microsiemens_and_in_counts() -> None:
    told = conductance(np.where(T > 60, US + 4.0, US), T, "uS")
    assert "leaps" in told.lost
    first_s, last_s = masked_s(told)
    assert first_s == pytest.approx(55.0, abs=0.5) and last_s == pytest.approx(65.0, abs=0.5)
    counts = np.rint(US / US_PER_COUNT)
    assert conductance(counts, T).is_good.all()
    assert "leaps" in conductance(np.where(T > 60, counts + 400, counts), T, adc_range=(0, 4095)).lost


def test_an_electrode_that_loses_touch_falls_faster_than_skin() -> None:
    touch = np.where((T > 60.0) & (T < 60.6), 0.5 * US, US)
    assert conductance(touch, T, "uS").lost.keys() == {"leaps"}
    high = session(9, 300.0)
    steep_us = 0.5 + 2.0 * (high.conductance_us - high.tonic_us)  # responses far higher than the level
    assert conductance(steep_us, high.times_s, "uS").is_good.all()


def test_the_converters_end_is_masked_in_counts_and_through_a_front_end() -> None:
    counts = np.rint(US / US_PER_COUNT)
    railed = np.where((T > 60) & (T < 62), 4095, counts)
    for told in (conductance(railed, T), conductance(railed, T, front_end=Linear(US_PER_COUNT))):
        assert told.lost["clipped"] == pytest.approx(2.0 / 120.0, abs=0.005)
        assert masked_s(told) == pytest.approx((55.0, 67.0), abs=0.5)
    off = conductance(np.where((T > 60) & (T < 62), 3, counts), T, adc_range=(0, 4095))
    assert off.lost["off"] == pytest.approx(2.0 / 120.0, abs=0.005)


@pytest.mark.parametrize("garbled", [4200.0, 49498.0, 60000.0])
@pytest.mark.parametrize("every", [1, 25])  # as the board sends, and ten a second
def test_a_garbled_line_takes_nothing_of_the_session(garbled: float, every: int) -> None:
    counts, at_s = np.rint(US / US_PER_COUNT)[::every], T[::every]
    clean = conductance(counts, at_s)
    counts[len(counts) // 2] = garbled
    told = conductance(counts, at_s)
    assert told.is_good.all() and not told.lost
    np.testing.assert_allclose(told.values, clean.values, atol=2.0)
    low = np.rint(counts * 400.0 / np.median(counts))  # a skin of 400 counts
    low[len(low) // 2] = garbled
    near = (at_s > 55.0) & (at_s < 66.0)
    judged = judge(low[near], at_s[near], kind="eda")
    assert conductance(low, at_s).is_good.all() and judged.share == 1.0 and judged.level == "well"


def test_a_guess_of_the_converter_masks_nothing() -> None:
    larger = np.rint(100_000.0 * US / US.mean())  # of 18 bits, of which no usual converter is
    assert conductance(larger, T).is_good.all()
    judged = judge(larger[:5000], T[:5000], kind="eda")
    assert judged.level == "look" and judged.codes == ("electrode_off",) and judged.share == 1.0
    assert "may be off" in judged.findings[0].what and "adc_bits" in judged.findings[0].remedy
    assert conductance(larger, T, adc_range=(0, 2**24 - 1)).lost["off"] == 1.0
    steep = np.rint(200.0 + 40.0 * np.cumsum(np.arange(len(T)) % 2500 < 15))  # 600 counts in 0.06 s
    assert not conductance(steep, T).lost


def test_an_electrode_that_gives_hardly_a_count_is_off_whatever_the_converter() -> None:
    counts = np.rint(US / US_PER_COUNT)
    told = conductance(np.where((T > 60) & (T < 60.8), 4.0, counts), T)
    assert told.lost.keys() == {"off"} and masked_s(told) == pytest.approx((55.0, 65.8), abs=0.5)
    off = np.where(np.arange(len(T)) % 3, 2.0, 5.0)
    judged = judge(off[:5000], T[:5000], kind="eda")
    assert judged.level == "act" and judged.codes == ("electrode_off",) and judged.share == 0.0


def grove(us: Array, bits: int = 10) -> Array:
    """What a Grove GSR sends: its formula undone, in whole counts with noise."""
    full = 2.0**bits
    counts = (full / 2 - full * us / 100.0) / (1.0 + us / 50.0)
    return np.rint(counts + np.random.default_rng(4).standard_normal(len(us)))


@pytest.mark.parametrize("bits", [10, 12])
def test_a_grove_that_lost_an_electrode_is_off_though_it_reads_half_its_range(bits: int) -> None:
    ends = (0.0, 2.0**bits - 1)
    on = grove(US, bits)
    assert conductance(on, T, adc_range=ends, is_falling=True).is_good.all()
    open_ = (
        2.0 ** (bits - 1) + 3.0 * np.sin(2 * np.pi * 50.0 * T) + 0.3 * np.random.default_rng(1).random(len(T))
    )
    fallen = np.where(T >= 60.0, np.rint(open_), on)
    told = conductance(fallen, T, adc_range=ends, is_falling=True)
    assert told.good_share(0.0, 54.0) == 1.0 and told.good_share(61.0, 120.0) == 0.0
    assert told.lost["off"] == pytest.approx(0.5, abs=0.02)
    rising = conductance(fallen, T, adc_range=ends, is_falling=False)
    assert "off" not in rising.lost  # counts that rise may be in the middle
    last = T >= 110.0
    judged = judge(fallen[last], T[last], kind="eda", adc_range=ends, is_falling=True)
    assert judged.level == "act" and "electrode_off" in judged.codes and judged.share == 0.0
    assert "middle of its range" in judged.findings[judged.codes.index("electrode_off")].what


@pytest.mark.parametrize("level_us", [0.5, 1.0])
def test_dry_skin_on_a_grove_is_good_though_it_is_ten_counts_from_open(level_us: float) -> None:
    dry = grove(level_us + 0.02 * np.sin(T / 20.0))
    told = conductance(dry, T, adc_range=(0.0, 1023.0), is_falling=True)
    assert told.is_good.all() and not told.lost
    judged = judge(dry[:2500], T[:2500], kind="eda", adc_range=(0.0, 1023.0), is_falling=True)
    assert "electrode_off" not in judged.codes and judged.share == 1.0


def test_skin_that_passes_the_middle_or_stays_above_it_is_on() -> None:
    # PhysioKit's own recordings P21_A and P12: the potentiometer stands elsewhere
    passing = np.rint(2007.0 + 140.0 * T / 150.0 + np.random.default_rng(2).standard_normal(len(T)))
    above = np.rint(2480.0 + 2.0 * np.random.default_rng(2).standard_normal(len(T)))
    for counts in (passing, above):
        assert conductance(counts, T, adc_range=(0.0, 4095.0), is_falling=True).is_good.all()
        at = (T > 40.0) & (T < 50.0)
        judged = judge(counts[at], T[at], kind="eda", adc_range=(0.0, 4095.0), is_falling=True)
        assert "electrode_off" not in judged.codes and judged.share == 1.0


def test_a_guess_of_the_converter_tells_only_that_an_electrode_may_be_off() -> None:
    off = np.rint(512.0 + np.random.default_rng(3).standard_normal(len(T)))
    assert conductance(off, T, is_falling=True).is_good.all()
    judged = judge(off[:2500], T[:2500], kind="eda", is_falling=True)
    assert judged.level == "look" and "may be off" in judged.findings[0].what
    assert "adc_bits" in judged.findings[0].remedy


def test_counts_stay_counts_until_somebody_knows_better() -> None:
    counts = np.rint(US / US_PER_COUNT)
    assert conductance(counts, T).unit == "counts" and not conductance(counts, T).is_us
    told = conductance(counts, T, front_end=Linear(US_PER_COUNT))
    assert told.is_us
    np.testing.assert_allclose(told.values, conductance(US, T, "uS").values, atol=1e-9)


def test_resistance_and_its_like_become_microsiemens() -> None:
    asked = conductance(US, T, "uS").values
    np.testing.assert_allclose(conductance(1e3 / US, T, "kOhm").values, asked, atol=2e-3)
    np.testing.assert_allclose(conductance(US / 1e6, T, "S").values, asked, atol=1e-9)


def test_counts_that_fall_with_conductance_are_turned() -> None:
    long = session(5, 300.0)
    counts = np.rint(long.conductance_us / US_PER_COUNT)
    upright, fallen = conductance(counts, long.times_s), conductance(4095 - counts, long.times_s)
    assert not upright.is_turned and fallen.is_turned
    np.testing.assert_allclose(np.diff(fallen.values), np.diff(upright.values), atol=1e-9)
    assert not conductance(4095 - counts, long.times_s, is_falling=False).is_turned


def test_a_grove_sensors_counts_become_microsiemens_upright() -> None:
    counts = np.rint((2048 - 40.96 * US) / (1 + 0.02 * US))  # the formula of twelve bits, undone
    told = conductance(counts, T, front_end=GroveGsr(12))
    assert told.is_us and not told.is_turned
    np.testing.assert_allclose(told.values, np.interp(told.times_s, T, US), atol=0.06)


def test_what_can_give_nothing_says_what_is_wrong() -> None:
    with pytest.raises(DataError, match=r"lasts 4\.0 s"):
        conductance(US[:1001], T[:1001], "uS")
    with pytest.raises(DataError, match="flat at 5 throughout"):
        conductance(np.full(len(T), 5.0), T, "uS")
    with pytest.raises(DataError, match="0 values that are numbers"):
        conductance(np.full(len(T), np.nan), T, "uS")
    with pytest.raises(DataError, match="go back after"):
        conductance(US, np.where(T > 50, T - 20, T), "uS")
    with pytest.raises(DataError, match="as many times as values"):
        conductance(US, T[:-1], "uS")
    with pytest.raises(DataError, match="times a second"):
        conductance(US[:100], np.arange(100.0), "uS")
    with pytest.raises(DataError, match="check the times' unit"):
        conductance(US, T * 1e4, "uS")


def test_nothing_usable_is_a_mask_and_no_error() -> None:
    told = conductance(0.03 + 0.001 * np.sin(T), T, "uS")
    assert not told.is_good.any() and told.lost["off"] == 1.0
    assert np.isfinite(told.values).all()


@settings(deadline=None, max_examples=150)
@given(
    values=arrays(np.float64, st.integers(0, 300), elements=st.floats(allow_nan=True, allow_infinity=True)),
    unit=st.sampled_from(["counts", "uS", "kOhm", "V"]),
    seed=st.integers(0, 2**31),
)
def test_whatever_comes_is_masked_or_refused(values: Array, unit: str, seed: int) -> None:
    at_s = np.sort(np.random.default_rng(seed).uniform(0.0, 30.0, len(values)))
    with np.errstate(all="ignore"):
        try:
            told = conductance(values, at_s, unit)
        except DataError:
            return
    assert len(told.values) == len(told.is_good) == len(told.times_s)
    assert np.isfinite(told.values[told.is_good]).all()
