"""A table of features is read as it was written, and a bad line is told by its number."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from emolab.core.errors import DataError, MissingExtra
from emolab.signals.audio_features import COMPARE, ZScore, compare_features, read_table

VALUES = np.random.default_rng(5).normal(0.0, 100.0, (4, COMPARE))


def written(path: Path, values: np.ndarray = VALUES, ids: tuple[str, ...] = ("1", "10", "100", "7")) -> Path:
    names = [f"feature_{number}" for number in range(values.shape[1])]
    lines = [",".join(["musicId", *names])]
    lines += [
        ",".join([song, *(repr(float(value)) for value in row)])
        for song, row in zip(ids, values, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_pmemos_table_is_read_to_the_last_bit(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "static_features.csv"))
    assert table.ids == ("1", "10", "100", "7")
    assert len(table.names) == COMPARE and table.names[0] == "feature_0"
    np.testing.assert_array_equal(table.values, VALUES)
    np.testing.assert_array_equal(table.rows(["7", "1"]), VALUES[[3, 0]])
    with pytest.raises(DataError, match="no song 5"):
        table.rows(["5"])


def test_windows_line_ends_quotes_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b'\xef\xbb\xbf"musicId","a","b"\r\n"1",2.5,-3e2\r\n\r\n')
    table = read_table(path, None)
    assert table.ids == ("1",) and table.names == ("a", "b")
    assert table.values.tolist() == [[2.5, -300.0]]


@pytest.mark.parametrize(
    "text,says",
    [
        ("", ":1: 0 columns"),
        ("musicId,a,b\n", "no songs"),
        ("musicId,a,b\n1,2,3\n2,5\n", ":3: 1 figures, not 2"),
        ("musicId,a,b\n1,2,x\n", ":2: b is 'x'"),
        ("musicId,a,b\n1,2,\n", ":2: b is ''"),
        ("musicId,a,b\n1,nan,3\n", ":2: a is 'nan'"),
        ("musicId,a,b\n1,2,3\n1,4,5\n", ":3: song 1 stands in line 2"),
    ],
)
def test_a_bad_table_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        read_table(path, None)


def test_another_table_and_another_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 columns after the first, not 6373"):
        read_table(written(tmp_path / "short.csv", VALUES[:, :3]))
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "other").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(DataError, match="UTF-8"):
        read_table(tmp_path / "other")


def test_z_scores_come_from_training_rows_alone() -> None:
    training, test = VALUES[:3], VALUES[3:] + 1e6
    scaling = ZScore.fit(training)
    np.testing.assert_allclose(scaling.apply(training).mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(scaling.apply(training).std(axis=0), 1.0, rtol=1e-9)
    np.testing.assert_allclose(
        scaling.apply(test), (test - training.mean(axis=0)) / training.std(axis=0), rtol=1e-9
    )


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, -3.7e-12])
def test_a_column_that_does_not_vary_is_0_wherever_it_is_applied(constant: float) -> None:
    training = np.column_stack([np.full(7, constant), np.arange(7.0)])
    applied = ZScore.fit(training).apply([[constant + 5.0, 3.0]])
    assert applied.tolist() == [[0.0, 0.0]]


def test_z_scores_refuse_what_does_not_fit() -> None:
    with pytest.raises(DataError, match="no number"):
        ZScore.fit([[1.0, np.nan]])
    with pytest.raises(DataError, match="training rows"):
        ZScore.fit(np.zeros((0, 3)))
    with pytest.raises(DataError, match="do not fit"):
        ZScore.fit(VALUES).apply(VALUES[:, :5])


def test_without_opensmile_the_way_to_it_and_its_licence_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(MissingExtra, match=r"pip install 'emolab\[opensmile\]'.*not for commercial use"):
        compare_features(np.zeros(48_000), 48_000)


def test_with_opensmile_its_figures_come_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Smile:
        def __init__(self, **chosen: Any) -> None:
            assert {key: value.name for key, value in chosen.items()} == {
                "feature_set": "ComParE_2016",
                "feature_level": "Functionals",
            }

        def process_signal(self, sound: np.ndarray, rate_hz: int) -> pd.DataFrame:
            return pd.DataFrame([[float(sound.mean()), float(rate_hz)]], columns=["mean", "rate"])

    module = SimpleNamespace(
        Smile=Smile,
        FeatureSet=enum.Enum("FeatureSet", ["ComParE_2016"]),
        FeatureLevel=enum.Enum("FeatureLevel", ["Functionals"]),
    )
    monkeypatch.setitem(sys.modules, "opensmile", module)
    stereo = np.column_stack([np.full(16_000, 0.5), np.full(16_000, 0.25)])
    assert compare_features(stereo, 16_000) == {"mean": 0.375, "rate": 16_000.0}
    with pytest.raises(DataError, match="too short"):
        compare_features(stereo[:100], 16_000)
    with pytest.raises(DataError, match="no number"):
        compare_features(np.full(16_000, np.nan), 16_000)


def test_opensmile_itself_gives_as_many_figures_as_pmemos_table_has():
    pytest.importorskip("opensmile", reason="openSMILE is not installed: pip install 'emolab[opensmile]'")
    tone = 0.2 * np.sin(2 * np.pi * 220 * np.arange(2 * 44_100) / 44_100)
    figures = compare_features(np.column_stack([tone, tone]), 44_100)
    assert len(figures) == COMPARE
    assert np.isfinite(list(figures.values())).all()
    assert next(iter(figures)) == "audspec_lengthL1norm_sma_range"
    assert figures == pytest.approx(compare_features(tone, 44_100))
