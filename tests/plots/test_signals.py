"""A session over time, whole or full of holes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.plots.signals import PIXELS, Part, Stretch, Strip, protocol, session, thinned
from emolab.plots.style import DARK, LIGHT
from tests.plots.studies import check, study

NOTHING = np.zeros(0)


def strips(rate_hz: float = 50, length_s: float = 1060) -> list[Strip]:
    times = np.arange(0, length_s, 1 / rate_hz)
    times = times[(times < 500) | (times > 560)]
    skin = 5 + np.sin(times / 50)
    skin[100:400] = np.nan
    return [
        Strip("skin", "eda", "µS", times, skin),
        Strip("pulse", "ppg", "", times, np.sin(2 * np.pi * 1.2 * times)),
        Strip("breath", "respiration", "a.u.", times, np.full(len(times), 3.0)),
        Strip("face", "thermal", "°C", times[::6], 34 + 0.1 * np.sin(times[::6] / 100)),
        Strip("sound", "audio", "LUFS", NOTHING, NOTHING),
    ]


QUALITY = {
    "skin": [Stretch(0, 500, "well"), Stretch(560, 1060, "well")],
    "pulse": [Stretch(0, 300, "look"), Stretch(300, 1060, "well")],
    "face": [Stretch(0, 1060, "act")],
}


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_whole_session(look: object) -> None:
    table = study(1)
    table.loc[2, "state_reported"] = None
    drawing = session(strips(), table, QUALITY, look)  # type: ignore[arg-type]
    check(drawing)
    assert "skin 100 % well, pulse 72 % well, face 0 % well" in drawing.caption
    assert "15 clips" in drawing.alt


def test_session_of_three_minutes_and_one_of_eight_hours() -> None:
    table = study(1).iloc[:2]
    short = table.assign(start_s=[20.0, 80.0], end_s=[50.0, 110.0])
    check(session(strips(length_s=180), short, {}))
    check(session(strips(5, 8 * 3600), study(1), QUALITY))


def test_session_without_clips_or_without_samples() -> None:
    check(session(strips(), study(1).iloc[:0], {}))
    check(session(strips()[-1:], study(1), {}))
    with pytest.raises(DataError, match="neither samples nor clips"):
        session(strips()[-1:], study(1).iloc[:0], {})
    with pytest.raises(DataError, match="no signal"):
        session([], study(1), {})


def test_quality_that_is_none_is_told() -> None:
    with pytest.raises(DataError, match="'fine' is no quality"):
        session(strips(), study(1), {"skin": [Stretch(0, 1, "fine")]})


def test_no_line_is_drawn_over_a_gap() -> None:
    times = np.concatenate([np.arange(0, 100, 0.1), np.arange(200, 300, 0.1)])
    at, values = thinned(times, np.ones(len(times)), (0, 300))
    assert np.isnan(values).sum() == 1
    assert 99.9 < at[np.isnan(values)][0] < 200
    assert (np.diff(at) > 0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(4 * PIXELS + 1, 60_000), st.integers(0, 1000))
def test_thinned_signal_keeps_its_peaks_and_its_order(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    times, values = np.arange(count) / 250, generator.standard_normal(count)
    values[generator.integers(0, count, 20)] = np.nan
    at, kept = thinned(times, values, (0.0, float(times[-1])))
    assert len(kept) <= 2 * (PIXELS + 1) + 20
    assert np.nanmax(kept) == np.nanmax(values) and np.nanmin(kept) == np.nanmin(values)
    assert (np.diff(at) > 0).all() and np.isnan(kept).any()


def test_nothing_can_be_thinned_and_unequal_lengths_are_told() -> None:
    assert len(thinned(NOTHING, NOTHING, (0, 1))[0]) == 0
    with pytest.raises(DataError, match="3 times for 2 values"):
        thinned(np.arange(3.0), np.arange(2.0), (0, 1))


def parts(report_s: float, count: int) -> list[Part]:
    """Rest, baseline and clips with their reports."""
    made = [Part(0, 300, "rest"), Part(300, 300 + report_s, "baseline")]
    for at, row in enumerate(study(1).iloc[:count].itertuples()):
        start = 300 + report_s + at * (30 + report_s)
        state = row.state_reported if isinstance(row.state_reported, str) else None
        made += [Part(start, start + 30, "clip", state), Part(start + 30, start + 30 + report_s, "report")]
    return made


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_plan_against_actual(look: object) -> None:
    drawing = protocol(parts(30, 15), parts(8, 14), look)  # type: ignore[arg-type]
    check(drawing)
    assert (
        drawing.alt
        == "Planned 15 clips, ending after 20:30; actual 14, ending after 14:00 (minutes:seconds)."
    )


def test_session_that_never_began() -> None:
    drawing = protocol(parts(30, 15), [])
    check(drawing)
    assert "actual 0, ending after –" in drawing.alt
    with pytest.raises(DataError, match="no step"):
        protocol([], [])


def test_steps_that_do_not_last_are_told() -> None:
    with pytest.raises(DataError, match="no step of the protocol lasts"):
        protocol([], [Part(0, 0, "rest")])


def test_minutes_before_the_session_are_counted_backwards() -> None:
    drawing = protocol([], [Part(-70, 50, "rest")])
    ticks = [one.get_text() for one in drawing.figure.axes[0].get_xticklabels()]
    assert ticks[:3] == ["−1:10", "−1:00", "−0:50"] and ticks[7:] == [
        "0:00",
        "0:10",
        "0:20",
        "0:30",
        "0:40",
        "0:50",
    ]
