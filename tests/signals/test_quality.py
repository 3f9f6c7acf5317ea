"""Channels with a known fault are told to have it, and it alone; sound ones are left in peace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolab.core.errors import DataError
from emolab.core.stream import KINDS
from emolab.devices.simulation.scenes import BoardScene
from emolab.signals import usable
from emolab.signals.body import pulse
from emolab.signals.finding import Quality, level_of
from emolab.signals.quality import judge
from emolab.signals.window import guess_adc_range
from tests.devices.simulated_bench import SimulatedBench
from tests.signals.made import ADC, RATE_HZ, Array, breath, counts, hum, pulse_wave, skin_us, times_s

T = times_s()


def ppg(values: Array) -> Quality:
    return judge(values, T, kind="ppg", adc_range=ADC, name="finger")


def belt(values: Array) -> Quality:
    return judge(values, T, kind="respiration", adc_range=ADC, name="belt")


def skin(values: Array) -> Quality:
    return judge(values, T, kind="eda", unit="uS", name="skin")


@pytest.mark.parametrize("per_min", [42, 60, 95, 140, 178])
def test_a_clean_pulse_is_well_and_counted(per_min: float) -> None:
    values = counts(pulse_wave(T, per_min))
    assert ppg(values) == Quality()
    sure, counted = pulse(values, RATE_HZ)
    assert sure > 0.9
    assert counted == pytest.approx(per_min, rel=0.02)


def test_clean_breath_and_skin_are_well() -> None:
    assert belt(counts(breath(T))) == Quality()
    assert skin(skin_us(T) + 0.003 * np.random.default_rng(2).standard_normal(len(T))) == Quality()


@pytest.mark.parametrize("per_min", [4, 6, 60])
@pytest.mark.parametrize("rate_hz", [25.0, 250.0, RATE_HZ])
def test_the_slowest_and_the_quickest_breath_move_the_belt(per_min: float, rate_hz: float) -> None:
    at_s = times_s(rate_hz=rate_hz)
    for shift_s in np.linspace(0.0, 60.0 / per_min, 16):
        quality = judge(
            counts(breath(at_s + shift_s, per_min, height=300.0), 3.0),
            at_s,
            kind="respiration",
            adc_range=ADC,
        )
        assert "no_breath" not in quality.codes


def test_noise_is_no_pulse() -> None:
    judged = [ppg(counts(np.full(len(T), 2000.0), noise=60.0, seed=seed)) for seed in range(60)]
    assert all("no_pulse" in quality.codes for quality in judged)
    assert sum(quality.level == "act" for quality in judged) >= 56


def test_a_movement_shakes_the_pulse_but_is_no_red() -> None:
    bumps = ((6.1, 0.2, 900), (6.9, 0.12, -700), (8.3, 0.3, 1100), (9.4, 0.15, -800))
    moved = sum(height * np.exp(-0.5 * ((T - at) / width) ** 2) for at, width, height in bumps)
    quality = ppg(counts(pulse_wave(T, height=250.0) + moved))
    assert quality.codes == ("no_pulse",) and quality.level == "look"
    assert "shaken" in quality.findings[0].what


@pytest.mark.parametrize("seed", range(10))
def test_a_weak_pulse_in_noise_is_amber_and_says_how_noisy(seed: int) -> None:
    quality = ppg(counts(pulse_wave(T, height=66.0), noise=80.0, seed=seed))
    assert quality.level == "look"
    assert "noisy" in quality.codes


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_the_mains_are_told_by_their_frequency(mains_hz: int) -> None:
    for clean in (pulse_wave(T), breath(T, height=100.0)):
        judged = (ppg if clean[0] > 1700 else belt)(counts(clean + hum(T, mains_hz, 60.0)))
        assert judged.level == "look" and judged.codes[0] == "mains"
        assert f"{mains_hz} Hz" in judged.findings[0].what
        assert judged.findings[0].value == pytest.approx(120, rel=0.05)  # peak to peak


def test_hum_too_small_to_see_is_left_in_peace() -> None:
    assert ppg(counts(pulse_wave(T) + hum(T, 50, 4.0))) == Quality()


def test_a_channel_at_the_converters_end_is_red() -> None:
    assert belt(np.full(len(T), 4095.0)).level == "act"
    assert ppg(np.zeros(len(T))).codes[0] == "railed"
    quality = ppg(counts(pulse_wave(T) * 4 - 5000))
    assert quality.codes[0] == "railed" and quality.findings[0].level == "look"
    assert 0.01 < quality.findings[0].value < 0.5


@pytest.mark.parametrize("share", [0.955, 0.98, 0.99])
def test_a_belt_near_the_rail_is_red_though_it_never_touches_it(share: float) -> None:
    quality = belt(counts(breath(T, height=2.0, middle=share * ADC[1])))
    assert quality.level == "act" and quality.codes[0] == "near_rail"
    assert quality.findings[0].value == pytest.approx(share, abs=0.001)
    assert "gain" in quality.findings[0].remedy


def test_without_a_known_range_the_rail_is_guessed_and_amber() -> None:
    quality = judge(counts(breath(T, height=2.0, middle=4050.0)), T, kind="respiration")
    assert quality.level == "look" and quality.codes[0] == "near_rail"
    assert "adc_bits" in quality.findings[0].remedy
    skin_counts = counts(np.full(len(T), 1000.0))  # 98 % of ten bits, but skin may be anywhere
    assert judge(skin_counts, T, kind="eda").level == "well"


def test_a_pulse_cut_off_by_its_amplifier_is_told_below_the_rail() -> None:
    cut = np.minimum(pulse_wave(T, height=2500.0), 3600.0)
    assert "clipped" in ppg(counts(cut, noise=2.0)).codes
    assert "clipped" not in ppg(counts(pulse_wave(T, height=1500.0), noise=2.0)).codes


def test_flat_is_red_but_for_skin_which_may_rest() -> None:
    assert ppg(np.full(len(T), 2000.0)).codes == ("flat",)
    assert ppg(np.full(len(T), 2000.0)).level == "act"
    assert skin(np.full(len(T), 5.0)).level == "look"
    short = T[T < 5.0]
    assert judge(np.full(len(short), 5.0), short, kind="eda", unit="uS").level == "well"


def test_a_belt_that_breath_does_not_move_is_told() -> None:
    assert belt(counts(np.full(len(T), 1600.0))).codes == ("no_breath",)


@pytest.mark.parametrize(("level_us", "code"), [(0.01, "electrode_off"), (75.0, "out_of_range")])
def test_skin_out_of_range_is_red(level_us: float, code: str) -> None:
    quality = skin(np.full(len(T), level_us) + 0.002 * np.sin(T))
    assert quality.level == "act" and quality.codes[0] == code


def test_skin_partly_out_of_range_leaping_or_noisy_is_amber() -> None:
    assert "out_of_range" in skin(np.linspace(0.02, 2.0, len(T))).codes
    assert "leaps" in skin(np.where(T > 5, 12.0, 4.0)).codes
    noisy = skin_us(T) + 0.06 * np.random.default_rng(3).standard_normal(len(T))
    assert skin(noisy).codes == ("noisy",)


def test_an_electrode_off_is_told_in_counts_too() -> None:
    quality = judge(counts(np.zeros(len(T))), T, kind="eda", adc_range=ADC)
    assert quality.level == "act" and quality.codes[0] == "electrode_off"


@pytest.mark.parametrize(("share", "level"), [(0.005, "well"), (0.05, "look"), (0.4, "act")])
def test_missing_samples_are_told_by_their_share(share: float, level: str) -> None:
    values = counts(pulse_wave(T))
    start = len(T) // 3
    gone = np.arange(len(T))
    gone = (gone >= start) & (gone < start + round(share * len(T)))
    as_nan = judge(np.where(gone, np.nan, values), T, kind="ppg", adc_range=ADC)
    left_out = judge(values[~gone], T[~gone], kind="ppg", adc_range=ADC)
    assert as_nan.level == left_out.level == level
    if level != "well":
        assert as_nan.codes[0] == left_out.codes[0] == "dropouts"
        assert left_out.findings[0].value == pytest.approx(share, abs=0.01)


def test_whole_milliseconds_and_a_gap_of_10_ms_are_no_fault() -> None:
    stamped = np.round(T * 1000) / 1000
    keep = np.ones(len(T), dtype=bool)
    keep[700:702] = False
    assert judge(counts(pulse_wave(T))[keep], stamped[keep], kind="ppg", adc_range=ADC) == Quality()


def test_too_little_is_said_to_be_too_little() -> None:
    assert judge(np.ones(10), rate_hz=250.0, kind="ppg").codes == ("short",)
    with pytest.raises(DataError, match="give times_s or rate_hz"):
        judge(np.ones(10), kind="ppg")
    with pytest.raises(DataError, match="10 values but 9 times"):
        judge(np.ones(10), np.arange(9.0), kind="ppg")


def test_the_range_is_guessed_from_whole_numbers_only() -> None:
    assert guess_adc_range([0, 5, 1023]) == (0.0, 1023.0)
    assert guess_adc_range([1024]) == (0.0, 4095.0)
    assert guess_adc_range([0.5]) is None and guess_adc_range([-1]) is None and guess_adc_range([]) is None


SHAKEN = pulse_wave(T, height=250.0) + 900 * np.sin(2 * np.pi * 1.9 * T**1.3) * (T > 5.6)
HELD = np.where(T < 5.0, breath(T, 20.0), 1600.0)
KNOWN: dict[str, tuple[str, str, Array]] = {
    "pulse": ("ppg", "counts", counts(pulse_wave(T))),
    "shaken pulse": ("ppg", "counts", counts(SHAKEN)),
    "no pulse": ("ppg", "counts", counts(np.full(len(T), 2000.0), noise=60.0)),
    "flat pulse": ("ppg", "counts", np.full(len(T), 2000.0)),
    "breath": ("respiration", "counts", counts(breath(T))),
    "dead belt": ("respiration", "counts", counts(np.full(len(T), 1600.0))),
    "railed belt": ("respiration", "counts", counts(breath(T, height=2.0, middle=4050.0))),
    "skin": ("eda", "uS", skin_us(T)),
    "skin off": ("eda", "uS", 0.01 + 0.002 * np.sin(T)),
    "skin too high": ("eda", "uS", 75.0 + 0.2 * np.sin(T)),
    "skin partly too high": ("eda", "uS", np.where(T > 3.0, 70.0, 50.0) + np.sin(T)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_preflight_judges_by_what_the_review_and_the_analysis_can_use(name: str) -> None:
    kind, unit, values = KNOWN[name]
    quality = judge(values, T, kind=kind, unit=unit, adc_range=ADC if unit == "counts" else None)
    try:
        body = usable.read_body(kind, values, T, unit=unit, adc_range=ADC if unit == "counts" else None)
        share = body.good_share(T[0], T[-1])
    except DataError:
        share = 0.0
    assert quality.share == share
    passes = "no_breath" in quality.codes
    assert quality.level == ("look" if passes and share < 0.5 else level_of(share)), quality


def test_what_cannot_be_used_is_never_well_whatever_the_reason() -> None:
    beyond = skin_us(T) - 2.0 * np.clip(T - 4.0, 0.0, 1.0)  # falls as no skin does, by no leap
    quality = skin(beyond)
    assert quality.share is not None and quality.share < 0.5
    assert quality.codes == ("unusable",) and quality.level == "look"
    assert "can be used" in quality.findings[0].what
    assert judge(beyond, T, kind="eda", unit="uS", with_share=False).level == "well"


@pytest.mark.parametrize("seconds", [4.6, 4.75, 4.8, 4.99, 5.0, 9.3, 9.5, 9.6, 9.99, 10.0])
def test_a_little_less_than_the_seconds_asked_for_is_no_fault(seconds: float) -> None:
    short = times_s(seconds)
    assert judge(counts(pulse_wave(short)), short, kind="ppg", adc_range=ADC) == Quality()
    assert judge(counts(breath(short)), short, kind="respiration", adc_range=ADC) == Quality()
    assert judge(skin_us(short), short, kind="eda", unit="uS") == Quality()


def test_too_short_for_a_share_is_judged_without() -> None:
    for kind, seconds in (("ppg", 4.0), ("respiration", 9.0), ("eda", 9.0)):
        short = times_s(seconds)
        assert judge(counts(pulse_wave(short)), short, kind=kind, adc_range=ADC).share is None
    assert judge(counts(pulse_wave(T)), T, kind="audio", adc_range=ADC).share is None


@pytest.mark.parametrize("seed", [1, 7, 23])
def test_the_simulated_participant_is_well_in_each_channel_all_the_time(seed: int) -> None:
    bench = SimulatedBench("board", seed)
    bench.source.open()
    bench.advance(60.0)
    delivered = bench.delivered()
    for start_s in np.arange(0.0, 50.0, 10.0):
        inside = (delivered.times_s >= start_s) & (delivered.times_s < start_s + 10.0)
        for at, channel in enumerate(BoardScene.channels):
            values = delivered.samples[inside, at] * channel.scale + channel.offset
            quality = judge(
                values,
                delivered.times_s[inside],
                kind=channel.kind,
                unit=channel.unit,
                adc_range=(0.0, 4095.0 * channel.scale),
                name=channel.name,
            )
            assert quality == Quality(), f"{start_s} s: {quality}"


def test_each_sentence_names_the_channel_and_a_remedy() -> None:
    for quality in (ppg(np.zeros(len(T))), belt(np.full(len(T), 4090.0)), skin(np.zeros(len(T)))):
        for finding in quality.findings:
            assert finding.what.startswith(("finger", "belt", "skin"))
            assert finding.remedy.endswith(".") and str(finding) == f"{finding.what}. {finding.remedy}"


@settings(deadline=None, max_examples=150)
@given(
    values=arrays(np.float64, st.integers(0, 400), elements=st.floats(allow_nan=True, allow_infinity=True)),
    kind=st.sampled_from(KINDS),
    unit=st.sampled_from(["counts", "uS", "degC"]),
    seed=st.integers(0, 2**31),
)
def test_whatever_comes_is_judged_without_failing(values: Array, kind: str, unit: str, seed: int) -> None:
    at_s = np.sort(np.random.default_rng(seed).uniform(0.0, 14.0, len(values)))
    with np.errstate(all="ignore"):
        quality = judge(values, at_s, kind=kind, unit=unit)
    assert quality.level in ("well", "look", "act")


@pytest.mark.parametrize("kind", ["eda", "ppg", "respiration", "audio"])
@pytest.mark.parametrize("with_share", [True, False])
def test_times_that_stand_still_are_told_and_break_nothing(kind: str, with_share: bool) -> None:
    stamped = np.repeat(np.arange(0.0, 10.0, 0.05), 3)
    values = counts(np.full(len(stamped), 1800.0), noise=5.0)
    quality = judge(values, stamped, kind=kind, adc_range=ADC, with_share=with_share, name="finger")
    (standing,) = (finding for finding in quality.findings if finding.code == "times_stand_still")
    assert standing.level == "look"
    assert standing.what == "the times of finger stand still at 67% of its samples"
