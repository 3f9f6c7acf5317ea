"""Kinds of signal beside those of the paper: what the microphone heard, and the heart on the breath."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.analysis import modalities, table
from emolab.analysis.measure import Job, Measured, measure
from emolab.analysis.modalities import MODALITIES, Source
from emolab.core.errors import DataError
from emolab.core.stream import Channel
from emolab.recording.reader import RecordedStream, Session
from emolab.signals.loudness import LOUDNESS_FEATURES
from emolab.signals.rsa import RSA_FEATURES
from tests.training import listened


def test_a_clip_is_louder_than_the_room_at_rest(heard: tuple[Path, Measured]):
    _, one = heard
    assert one.sources["audio"] == "audio"
    for row in one.rows:
        assert row["sound_lufs"] > -65.0 and row["good_audio"] > 0.99
        assert row["d_sound_max_lufs"] == pytest.approx(
            row["sound_max_lufs"] - one.baseline["sound_max_lufs"]
        )
        assert row["d_sound_max_lufs"] > 20.0
    assert one.baseline["sound_silence"] == 1.0
    assert min(one.quality["audio"]) > 0.98


def test_sound_is_read_in_pieces(heard: tuple[Path, Measured], monkeypatch: pytest.MonkeyPatch):
    path, one = heard
    monkeypatch.setattr(modalities, "SOUND_ROWS", 99_991)
    with Session.open(path) as session:
        pieces = [len(samples) for _, samples in modalities._pieces(session.streams["audio"])]
        body = MODALITIES["audio"].read(session).body
    assert max(pieces) == 99_991 and len(pieces) > 50
    row = one.rows[3]
    again = body.over(row["start_s"], row["end_s"])
    assert again == pytest.approx({name: row[name] for name in again}, rel=1e-6)


def test_refined_times_are_not_read_one_by_one(heard: tuple[Path, Measured], monkeypatch: pytest.MonkeyPatch):
    path, _ = heard
    with Session.open(path) as session:
        stream = session.streams["audio"]
        half = len(stream) // 2
        # a clock that is half a second late at first, loses 3 s in the middle and is slow by 100 ppm
        rows = np.array([0, half - 1, half, len(stream) - 1], dtype=np.float64)
        lost_us = np.array([0.0, 0.0, 3e6, 3e6])
        times_us = 5e5 + rows * 125.0 * 1.0001 + lost_us
        monkeypatch.setattr(stream, "fit", lambda: (rows, times_us, {"by": "row"}))
        even = MODALITIES["audio"].read(session).body
        monkeypatch.setattr(modalities, "_pieces", _one_by_one)
        whole = MODALITIES["audio"].read(session).body
    np.testing.assert_allclose(even.times_s[0], 0.5, atol=1e-6)
    hole_s = 0.5 + (half - 1) * 125e-6 * 1.0001
    assert even.good_share(hole_s, hole_s + 3.0) < 0.01
    for start_s in (2.0, hole_s - 31.0, hole_s + 3.5):
        window = (start_s, start_s + 30.0)
        assert even.good_share(*window) == pytest.approx(whole.good_share(*window), abs=0.01)
        told, expected = even.over(*window), whole.over(*window)
        assert told == pytest.approx(expected, abs=0.05, nan_ok=True)


def _one_by_one(stream: RecordedStream) -> Iterator[tuple[NDArray, NDArray]]:
    rows, times_us, _ = stream.fit()
    for start in range(0, len(stream), 1 << 20):
        samples = stream.samples(start, start + (1 << 20))
        yield np.interp(np.arange(start, start + len(samples)), rows, times_us) / 1e6, samples


def test_a_microphone_that_was_pulled_out_leaves_a_hole(
    heard: tuple[Path, Measured], monkeypatch: pytest.MonkeyPatch
):
    path, one = heard
    gone = one.rows[4]

    def pulled(stream):
        for start in range(0, len(stream), 1 << 20):
            times_s, samples = (
                stream.times_s(start, start + (1 << 20)),
                stream.samples(start, start + (1 << 20)),
            )
            is_there = (times_s < gone["start_s"]) | (times_s > gone["end_s"])
            yield times_s[is_there], samples[is_there]

    monkeypatch.setattr(modalities, "_pieces", pulled)
    found = measure(Job(path))
    assert found.rows[4]["good_audio"] == 0.0
    assert all(math.isnan(found.rows[4][feature.name]) for feature in LOUDNESS_FEATURES)
    assert found.rows[5]["sound_lufs"] == pytest.approx(one.rows[5]["sound_lufs"], abs=1e-3)


def test_the_heart_follows_the_breath(heard: tuple[Path, Measured]):
    _, one = heard
    assert one.sources["rsa"] == "board/ppg_ear and board/respiration"
    assert "rsa" not in one.quality  # as good as what it is made of
    told = [row["rsa_mean"] for row in one.rows]
    assert np.isfinite(told).all() and min(told) > 10.0
    assert all(row["good_rsa"] > 0.8 for row in one.rows)


def test_beats_that_do_not_count_are_none_of_the_breath(heard: tuple[Path, Measured]):
    path, one = heard
    with Session.open(path) as session:
        pulse, breath = MODALITIES["ppg"].read(session), MODALITIES["respiration"].read(session)
        row = one.rows[2]
        inside = (pulse.body.beats_s >= row["start_s"]) & (pulse.body.beats_s < row["end_s"])
        doubtful = replace(pulse.body, verdict=np.where(inside, 1, pulse.body.verdict).astype(np.int8))
        body = MODALITIES["rsa"].read(session, replace(pulse, body=doubtful), breath).body
    assert np.isnan(list(body.over(row["start_s"], row["end_s"]).values())).all()
    rest = body.over(row["end_s"] + 10.0, row["end_s"] + 60.0)
    assert rest["rsa_mean"] > 10.0


def test_without_breath_there_is_no_arrhythmia_of_it(
    heard: tuple[Path, Measured], monkeypatch: pytest.MonkeyPatch
):
    def nothing(_session: Session) -> Source:
        raise DataError("no respiration channel was recorded")

    path, one = heard
    monkeypatch.setitem(MODALITIES, "respiration", replace(MODALITIES["respiration"], read=nothing))
    found = measure(Job(path))
    assert found.absent["rsa"] == found.absent["respiration"] == "no respiration channel was recorded"
    for row, before in zip(found.rows, one.rows, strict=True):
        assert all(math.isnan(row[feature.name]) for feature in RSA_FEATURES)
        assert row["good_rsa"] == 0.0
        assert row["hr_mean"] == before["hr_mean"]


def test_what_is_made_of_others_stands_after_them():
    kinds = list(MODALITIES)
    for kind, modality in MODALITIES.items():
        assert all(kinds.index(part) < kinds.index(kind) for part in modality.of)


def test_without_a_microphone_the_columns_are_empty(measured: list[Measured]):
    one = measured[0]
    assert one.absent == {"audio": "no microphone was recorded"}
    clips = table.clips(measured)
    assert clips["sound_lufs"].isna().all() and (clips["good_audio"] == 0.0).all()


@pytest.mark.parametrize("is_falling", [True, False])
def test_which_way_counts_of_skin_conductance_go_is_guessed_aloud(tmp_path: Path, is_falling: bool):
    path = listened.record(tmp_path / "P07_session-0.h5", info=listened.COUNTS, is_falling=is_falling)
    with Session.open(path) as session:
        source = MODALITIES["eda"].read(session)
    assert source.body.conductance.is_turned == is_falling
    way = "fall" if is_falling else "rise"
    assert source.remark.startswith(f"was taken to {way} when conductance rises, a guess")
    assert "'falls' in the device file" in source.remark


def test_which_way_skin_conductance_goes_is_no_guess_where_the_device_file_says(tmp_path: Path):
    for falls in (True, False):
        info = replace(listened.COUNTS, channels=(Channel("gsr", "eda", falls=falls),))
        path = listened.record(tmp_path / f"P0{falls:d}_session-0.h5", info=info, is_falling=True)
        with Session.open(path) as session:
            source = MODALITIES["eda"].read(session)
        # what was said goes before what the responses look like
        assert (source.body.conductance.is_turned, source.remark) == (falls, "")
    path = listened.record(tmp_path / "P09_session-0.h5")
    with Session.open(path) as session:
        assert MODALITIES["eda"].read(session).remark == ""  # µS rise


@pytest.mark.parametrize(
    ("model", "scale", "falls", "is_told"),
    [
        ("board", 1e-3, True, True), ("PhysioKit", 1e-3, None, True), ("PhysioKit", 1e-3, False, False),
        ("board", 1e-3, None, False), ("board", -1e-3, True, False),
    ],
)  # fmt: skip
def test_conductance_made_upside_down_of_counts_is_remarked_and_read_as_before(
    tmp_path: Path, model: str, scale: float, falls: bool | None, is_told: bool
):
    channel = Channel("gsr", "eda", "uS", scale, 0.0 if scale > 0 else 30.0, falls)
    info = replace(listened.SKIN, channels=(channel,), instrument={"model": model})
    with Session.open(listened.record(tmp_path / "P07_session-0.h5", info=info)) as session:
        source = MODALITIES["eda"].read(session)
    assert source.body.conductance.is_us and not source.body.conductance.is_turned
    assert source.remark.startswith("is upside down: its counts fall") == is_told
    assert ("a negative 'scale' in the device file" in source.remark) == is_told


def test_units_of_changes_are_theirs(heard: tuple[Path, Measured]):
    units = {column.name: column.unit for column in table.columns()}
    assert (units["sound_lufs"], units["d_sound_lufs"]) == ("LUFS", "LU")
    assert (units["rsa_mean"], units["d_rsa_mean"]) == ("ms", "ms")
    assert list(table.clips([heard[1]]).columns) == [column.name for column in table.columns()]
