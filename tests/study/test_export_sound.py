"""Sound of a microphone that was away: every sample can be placed in time, and the rate is its own."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray

from emolab.core.stream import Chunk, StreamInfo
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.study.export import export, export_all, stretches
from emolab.study.export.stretches import Stretch, find_stretches
from emolab.study.xdf.intake import import_xdf
from tests.recording import made
from tests.recording.test_timeline import STAMPS_ITSELF, sound
from tests.simulators.clocks import SOUND, stored

VOICE = replace(made.MICROPHONE, name="voice", nominal_rate_hz=8000.0)
Floats = NDArray[np.float64]


def even_s(*spans: tuple[float, float], rate_hz: float = 8000.0) -> Floats:
    """Times of even samples from each begin to each end."""
    return np.concatenate([np.arange(begin, end, 1 / rate_hz) for begin, end in spans])


def heard(path: Path, times_s: Floats, info: StreamInfo = VOICE) -> Path:
    """A session with sound of these times, whose samples count themselves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = SessionWriter(path, made.HEADER)
    writer.open([info])
    numbers = (np.arange(len(times_s)) % 30_000).astype(np.int16)[:, None]
    for start in range(0, len(times_s), 8000):
        part = slice(start, start + 8000)
        writer.write(Chunk(info.name, times_s[part], numbers[part], float(times_s[part][-1])))
    writer.close()
    return path


def placed_s(told: Mapping[str, Any]) -> Floats:
    """When each sample was taken, as the JSON beside a FLAC tells it."""
    return np.concatenate(
        [one["first_s"] + np.arange(one["samples"]) / one["true_rate_hz"] for one in told["stretches"]]
    )


def of(path: Path) -> list[Stretch]:
    with Session.open(path) as session:
        (stream,) = session.streams.values()
        return find_stretches(stream)


def test_a_flac_of_a_microphone_that_was_away_says_when_each_of_its_samples_was_taken(tmp_path: Path) -> None:
    times_s = even_s((1.0, 11.0), (41.0, 51.0))
    path = heard(tmp_path / "P1" / "P1_session-0.h5", times_s)
    (done,) = export_all(path, "csv", tmp_path / "out")
    files = {file.suffix: file for file in done.files if "_voice" in file.name}
    samples, rate_hz = soundfile.read(files[".flac"], dtype="int16")
    assert rate_hz == 8000 and samples.tolist() == (np.arange(160_000) % 30_000).tolist()
    told = json.loads(files[".json"].read_text())
    assert told == {
        "first_s": 1.0,
        "true_rate_hz": 8000.0,
        "samples": 160_000,
        "stretches": [
            {"first_sample": 0, "first_s": 1.0, "samples": 80_000, "true_rate_hz": 8000.0},
            {"first_sample": 80_000, "first_s": 41.0, "samples": 80_000, "true_rate_hz": 8000.0},
        ],
    }
    np.testing.assert_allclose(placed_s(told), times_s, atol=1e-6)
    assert done.troubles == () and done.remarks == (
        "voice was away for 30.000 s, which P1_session-0_voice.flac leaves out; "
        "P1_session-0_voice.json tells when each of its 2 stretches began",
    )


def test_sound_without_a_break_is_one_stretch_and_no_trouble(tmp_path: Path) -> None:
    path = heard(tmp_path / "P1" / "P1_session-0.h5", even_s((0.5, 12.5)))
    (done,) = export_all(path, "csv", tmp_path / "out")
    told = json.loads((tmp_path / "out" / "P1_session-0_voice.json").read_text())
    assert [one["samples"] for one in told["stretches"]] == [96_000] and done.remarks == ()


@pytest.mark.parametrize("info", [SOUND, STAMPS_ITSELF], ids=["refined", "as stamped"])
def test_sound_is_broken_where_the_card_was_away_and_nowhere_else(tmp_path: Path, info: StreamInfo) -> None:
    path = stored(tmp_path / "P1_session-0.h5", info, sound(40, silences=(11.0, 11.2, 30.0)))
    export(path, "csv", tmp_path / "out")
    told = json.loads((tmp_path / "out" / "P1_session-0_sound.json").read_text())
    assert [one["samples"] for one in told["stretches"]] == [482_400, 9600, 902_400, 523_200]
    assert told["true_rate_hz"] == pytest.approx(48_000 * (1 + 27e-6), rel=1e-4)
    with Session.open(path) as session:
        off_s = np.abs(placed_s(told) - session.streams["sound"].times_s())
        assert (len(session.streams["sound"].fit()[0]) > 0) == (info is SOUND)
    # what was stamped live is no straight line
    assert off_s.max() < (1e-5 if info is SOUND else 3e-3)


def test_some_lost_samples_are_a_break_and_a_late_stamp_is_none(tmp_path: Path) -> None:
    times_s = even_s((0.0, 3.0))
    times_s[9000:] += 2 / 8000  # two were lost
    times_s[15_000:15_010] += 10 / 8000  # ten were stamped late
    times_s[15_000:15_021] = np.maximum.accumulate(times_s[15_000:15_021])
    found = of(heard(tmp_path / "P1_session-0.h5", times_s))
    assert [(one.first_sample, one.samples) for one in found] == [(0, 9000), (9000, 15_000)]
    assert stretches.away_s(found, 8000.0) == pytest.approx(2 / 8000)


def test_times_that_go_back_begin_a_new_stretch(tmp_path: Path) -> None:
    found = of(heard(tmp_path / "P1_session-0.h5", even_s((0.0, 2.0), (1.5, 3.0))))
    assert [(one.first_sample, one.first_s) for one in found] == [(0, 0.0), (16_000, 1.5)]
    assert stretches.mean_rate_hz(found) == pytest.approx(8000.0)
    assert stretches.away_s(found, 8000.0) == 0.0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_sound_has_no_rate(tmp_path: Path, count: int) -> None:
    found = of(heard(tmp_path / "P1_session-0.h5", even_s((0.0, 1.0))[:count]))
    assert [one.samples for one in found] == [count] * (count > 0)
    assert stretches.mean_rate_hz(found) == (pytest.approx(8000.0) if count > 1 else None)


class _Times:
    """As much of a stream as `find_stretches` reads."""

    def __init__(self, times_s: Floats) -> None:
        self.info = VOICE
        self._times_s = times_s

    def __len__(self) -> int:
        return len(self._times_s)

    def time_slices_s(self, rows: int) -> Iterable[Floats]:
        return (self._times_s[start : start + rows] for start in range(0, len(self), rows))


@settings(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.integers(1, 12_000), some.floats(0.001, 60.0)), min_size=1, max_size=12))
def test_breaks_are_found_wherever_blocks_meet(pauses: Sequence[tuple[int, float]]) -> None:
    times_s = np.arange(sum(rows for rows, _ in pauses) + 6000) / 8000
    rows = np.cumsum([rows for rows, _ in pauses]).tolist()
    for row, (_, pause_s) in zip(rows, pauses, strict=True):
        times_s[row:] += pause_s
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "BLOCK_ROWS", 1)  # as short as can be: four times a quarter second
        found = find_stretches(_Times(times_s))  # type: ignore[arg-type]
    assert [one.first_sample for one in found] == [0, *rows]
    assert [one.samples for one in found] == np.diff([0, *rows, len(times_s)]).tolist()
    assert [one.first_s for one in found] == times_s[[0, *rows]].tolist()
    assert [one.last_s for one in found] == times_s[[*(row - 1 for row in rows), -1]].tolist()


def test_hours_of_sound_take_no_more_memory_than_minutes() -> None:
    def peak_mb(rows: int) -> float:
        times = _Times(np.arange(rows) / 8000)
        tracemalloc.start()
        try:
            assert len(find_stretches(times)) == 1  # type: ignore[arg-type]
            return tracemalloc.get_traced_memory()[1] / 1e6
        finally:
            tracemalloc.stop()

    peak_mb(1_000_000)  # what is imported at the first use is no part of it
    assert peak_mb(8_000_000) < peak_mb(1_000_000) + 1 < 25


def test_xdf_gives_sound_its_own_rate_and_every_sample_its_time(tmp_path: Path) -> None:
    times_s = even_s((1.0, 11.03), (41.0, 51.0))  # breaks off in the midst of a tenth of a second
    path = heard(tmp_path / "P1" / "P1_session-0.h5", times_s)
    (file,) = export(path, "xdf", tmp_path / "out")
    found, _ = pyxdf.load_xdf(str(file), dejitter_timestamps=False)
    voice = next(stream for stream in found if stream["info"]["name"] == ["voice"])
    assert float(voice["info"]["nominal_srate"][0]) == pytest.approx(8000.0)
    np.testing.assert_allclose(voice["time_stamps"], times_s, atol=2e-6)
    import_xdf(file, tmp_path / "P2_session-0.h5", "P2", 0)
    with Session.open(tmp_path / "P2_session-0.h5") as session:
        back = session.streams["voice"]
        assert back.info.nominal_rate_hz == pytest.approx(8000.0)
        np.testing.assert_allclose(back.times_s(), times_s, atol=2e-6)
