"""HKU956 is read as its authors laid it out, and what cannot be used is told, never dropped in silence."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.dataset import Dataset, TrialRef
from emolab.datasets.hku956 import COLUMNS, RATES_HZ, RATINGS, SIGNALS, UNITS, Hku956

SECONDS = 30
HEARD = [  # participant, order, song, valence, its class, arousal, its class
    ("hku1903", 0, "262957", 5.5, "positive", -2.0, "negative"),
    ("hku1903", 1, "1071844", -10.0, "negative", 0.0, "neutral"),
    ("hku1904", 0, "262957", 0.0, "neutral", 10.0, "positive"),
    ("hku1904", 11, "28197", 1.2, "positive", 3.4, "positive"),
]


def write(place: Path) -> Path:
    """The documented layout, with a pulse of 72, skin at 1 µS and skin at 33 °C."""
    (place / SIGNALS).mkdir(parents=True)
    with (place / RATINGS).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*COLUMNS, "play_duration"])
        for who, number, song, valence, valence_class, arousal, arousal_class in HEARD:
            rows.writerow([who, number, song, valence, valence_class, arousal, arousal_class, SECONDS])
    for who, number, song, *_ in HEARD:
        made = {
            "bvp": 50 * np.sin(2 * np.pi * 1.2 * np.arange(SECONDS * 64) / 64),
            "eda": np.full(SECONDS * 4, 1.0 + number),
            "hr": np.full(SECONDS, 72.0),
            "ibi": np.full(20, 1 / 1.2),
            "temp": np.full(SECONDS * 4, 33.0),
        }
        for name, values in made.items():
            folder = place / SIGNALS / who / name.upper()
            folder.mkdir(parents=True, exist_ok=True)
            text = "".join(f"{value:.6f}\n" for value in values)
            (folder / f"{number}_{song}.csv").write_text(text)
    return place


@pytest.fixture
def corpus(tmp_path: Path) -> Hku956:
    return Hku956(write(tmp_path / "HKU956"))


def file_of(corpus: Hku956, name: str) -> Path:
    """A file of the second trial."""
    return corpus.place / SIGNALS / "hku1903" / name / "1_1071844.csv"


def test_it_is_a_data_set_of_trials_by_participant(corpus: Hku956) -> None:
    assert isinstance(corpus, Dataset)
    assert resolve(DATASETS, "hku956", "corpus") is Hku956
    assert corpus.trials() == [
        TrialRef("hku1903/0_262957", "hku1903", "positive"),
        TrialRef("hku1903/1_1071844", "hku1903", "negative"),
        TrialRef("hku1904/0_262957", "hku1904", "neutral"),
        TrialRef("hku1904/11_28197", "hku1904", "positive"),
    ]
    assert corpus.left_out == ()


def test_a_trial_comes_with_every_signal_at_its_rate_and_with_both_ratings(corpus: Hku956) -> None:
    trial = corpus.load(corpus.trials()[3])
    for name, rate_hz in RATES_HZ.items():
        assert name in UNITS and trial.arrays[name].dtype == np.float64
        assert len(trial.arrays[name]) == (20 if rate_hz is None else SECONDS * rate_hz)
    assert trial.arrays["eda"].tolist() == [12.0] * (SECONDS * 4)
    assert trial.arrays["ratings"].tolist() == [1.2, 3.4]
    rating = corpus.ratings()["hku1904/11_28197"]
    assert (rating.song_no, rating.song, rating.arousal_class) == (11, "28197", "positive")


def test_listing_the_trials_opens_no_signal(corpus: Hku956, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("a signal was read")

    monkeypatch.setattr(Path, "read_text", refuse)
    assert len(corpus.trials()) == 4
    with pytest.raises(AssertionError, match="a signal was read"):
        corpus.load(corpus.trials()[0])


def test_the_repository_with_the_corpus_in_it_will_do(corpus: Hku956, tmp_path: Path) -> None:
    (tmp_path / "repository" / "data").mkdir(parents=True)
    corpus.place.rename(tmp_path / "repository" / "data" / "HKU956")
    assert len(Hku956(tmp_path / "repository").trials()) == 4


def test_no_sure_interval_is_no_fault(corpus: Hku956) -> None:
    file_of(corpus, "IBI").write_text("")
    trials = list(corpus.each())
    assert [len(trial.arrays["ibi"]) for trial in trials] == [20, 0, 20, 20]
    assert corpus.left_out == ()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("EDA", None, "is not there"),
        ("IBI", None, "is not there"),
        ("BVP", "", "is empty"),
        ("TEMP", "\n\n", "is empty"),
        ("EDA", "1.0\n" * (4 * (SECONDS - 2)), "not equally long: bvp 30 s, eda 28 s, hr 30 s, temp 30 s"),
        ("HR", "71.0\nseventy\n", "something else than numbers"),
        ("HR", "71.0\nnan\n", "a number that is none"),
        ("BVP", "1.0,2.0\n", "something else than numbers"),
    ],
    ids=["no EDA", "no IBI", "empty", "blank", "short", "words", "nan", "two columns"],
)
def test_a_trial_that_cannot_be_used_is_left_out_and_told(
    corpus: Hku956, caplog: pytest.LogCaptureFixture, name: str, content: str | None, why: str
) -> None:
    path = file_of(corpus, name)
    path.unlink() if content is None else path.write_text(content)
    with caplog.at_level(logging.WARNING):
        loaded = [trial.ref.key for trial in corpus.each()]
    assert loaded == ["hku1903/0_262957", "hku1904/0_262957", "hku1904/11_28197"]
    (left_out,) = corpus.left_out
    assert left_out.key == "hku1903/1_1071844" and why in left_out.why
    assert len(corpus.trials()) + len(corpus.left_out) == len(corpus.ratings()) == 4
    assert [record.message for record in caplog.records] == [
        f"HKU956: {left_out.key} is left out: {left_out.why}"
    ]
    with pytest.raises(DataError):
        corpus.load(TrialRef("hku1903/1_1071844", "hku1903", "negative"))


def test_a_signal_may_end_a_moment_before_the_others(corpus: Hku956) -> None:
    file_of(corpus, "EDA").write_text("1.0\n" * (4 * SECONDS - 4))
    assert len(list(corpus.each())) == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hku1905,0,5,11,positive,0,neutral,30", "11 is not from −10 to 10"),
        ("hku1905,0,5,nan,positive,0,neutral,30", "nan is not from −10 to 10"),
        ("hku1905,0,5,1,joyful,0,neutral,30", "class 'joyful' is none of negative, neutral, positive"),
        ("hku1905,first,5,1,positive,0,neutral,30", "'first'"),
        ("../../etc,0,5,1,positive,0,neutral,30", "'../../etc' names nothing"),
        ("hku1903,0,262957,1,positive,0,neutral,30", "hku1903/0_262957 is rated twice"),
        ("hku1905,0", "no rating"),
    ],
)
def test_a_line_that_is_no_rating_is_told_with_its_number(corpus: Hku956, line: str, said: str) -> None:
    path = corpus.place / RATINGS
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=r"3\. AV_ratings\.csv:6: ") as refused:
        Hku956(corpus.place).trials()
    assert said in str(refused.value)


def test_other_columns_and_other_folders_are_told(corpus: Hku956, tmp_path: Path) -> None:
    path = corpus.place / RATINGS
    path.write_text(path.read_text().replace("arousal_rating", "arousal_score"))
    with pytest.raises(DataError, match=r":1: has no column 'arousal_rating'"):
        Hku956(corpus.place).trials()
    with pytest.raises(DataError, match=r"is no HKU956: expected are the folder '1\. physiological_signals'"):
        Hku956(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"has no trial 'x'; they are called hku1903/0_262957"):
        Hku956(write(tmp_path / "again")).load(TrialRef("x", None, "positive"))


def test_a_table_saved_by_a_spreadsheet_in_its_own_way_is_told(corpus: Hku956) -> None:
    table = corpus.place / RATINGS
    table.write_bytes(table.read_bytes() + "é".encode("cp1252"))
    with pytest.raises(DataError, match=f"{RATINGS} cannot be read .*get the file again"):
        Hku956(corpus.place).ratings()
