"""PMEmo is read in both layouts: what each said in that of 2018, a song's means in that of 2019."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.core.registry import resolve
from emolab.datasets import DATASETS, pmemo
from emolab.datasets.dataset import Dataset, TrialRef
from emolab.datasets.pmemo import RATE_HZ, Opinion, Pmemo
from emolab.signals.audio_features import COMPARE

SONGS, SUBJECTS = ("1", "2", "10", "11"), ("100012", "100034")
SECONDS = 3
SAMPLES = int(SECONDS * RATE_HZ)


def valence(song: str) -> float:
    """Of song 1 and 2 high."""
    return {"1": 0.9, "2": 0.8, "10": 0.1, "11": 0.2}[song]


def arousal(song: str) -> float:
    """Of song 1 and 10 high."""
    return {"1": 0.9, "2": 0.1, "10": 0.8, "11": 0.2}[song]


def skin(song: str, subject: str, dimension: str) -> float:
    """Another conductance for each recording."""
    return int(song) + (0.5 if subject == SUBJECTS[1] else 0) + (100 if dimension == "Arousal" else 0)


def put(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def write_features(path: Path) -> None:
    header = ",".join(["musicId", *(f"f{k}" for k in range(COMPARE))])
    put(path, [header, *(",".join([song, *[song] * COMPARE]) for song in SONGS[:3])])


def write_2018(place: Path) -> Path:
    for dimension, rated in (("Valence", valence), ("Arousal", arousal)):
        letter = dimension[0]
        for song in SONGS:
            table = [f"{who},{rated(song)},0.5" for who in SUBJECTS]
            put(
                place / "Annotations" / dimension / f"{song}-{letter}.csv", ["subject_id,static,0.5s", *table]
            )
            for who in SUBJECTS:
                rows = [f"{k / RATE_HZ},{skin(song, who, dimension)}" for k in range(SAMPLES)]
                put(place / "EDA" / dimension / f"{song}_{who}_{letter}.csv", ["time,eda", *rows])
    write_features(place / "static_features.csv")
    return place


def write_2019(place: Path) -> Path:
    means = [f"{song},{arousal(song)},{valence(song)}" for song in SONGS]
    put(place / "annotations" / "static_annotations.csv", ["musicId,Arousal(mean),Valence(mean)", *means])
    for song in SONGS:
        values = ",".join(str(skin(song, who, "Valence")) for who in SUBJECTS)
        rows = [f"{k / RATE_HZ},{values}" for k in range(SAMPLES)]
        put(place / "EDA" / f"{song}_EDA.csv", ["time,x_100012,EDA100034", *rows])
    write_features(place / "features" / "static_features.csv")
    return place


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_2018(tmp_path / "2018")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return write_2019(tmp_path / "2019")


KEYS = [f"{song}/{who}" for song in SONGS for who in SUBJECTS]


def test_it_is_a_data_set_in_either_layout(old: Path, new: Path) -> None:
    assert resolve(DATASETS, "pmemo", "corpus") is Pmemo
    for place, layout, is_own in ((old, 2018, True), (new, 2019, False)):
        corpus = Pmemo(place)
        assert isinstance(corpus, Dataset) and (corpus.layout, corpus.is_own) == (layout, is_own)
        assert [ref.key for ref in corpus.trials()] == KEYS  # 10 after 2
        assert corpus.left_out == ()


def test_valence_and_arousal_are_not_swapped(old: Path, new: Path) -> None:
    for place in (old, new):
        by_valence = {ref.key[:-7]: ref.label for ref in Pmemo(place).trials()}
        by_arousal = {ref.key[:-7]: ref.label for ref in Pmemo(place, "arousal").trials()}
        assert by_valence == {"1": "high", "2": "high", "10": "low", "11": "low"}
        assert by_arousal == {"1": "high", "2": "low", "10": "high", "11": "low"}
        rated = Pmemo(place).ratings()["2/100012"]
        assert (rated.subject, rated.song, rated.valence, rated.arousal) == ("100012", "2", 0.8, 0.1)


def test_the_skin_is_that_of_the_dimension_asked_for(old: Path) -> None:
    for target, level in (("valence", 10.5), ("arousal", 110.5)):
        corpus = Pmemo(old, target)  # type: ignore[arg-type]
        arrays = corpus.load(corpus.trials()[5]).arrays
        assert arrays["eda"].tolist() == [level] * SAMPLES
        assert arrays["eda_valence"].tolist() == [10.5] * SAMPLES
        assert arrays["eda_arousal"].tolist() == [110.5] * SAMPLES
        assert arrays["ratings"].tolist() == [0.1, 0.8]
        assert arrays["music"].tolist() == [10.0] * COMPARE


def test_a_column_is_one_subjects_skin(new: Path) -> None:
    corpus = Pmemo(new)
    assert corpus.load(corpus.trials()[4]).arrays["eda"].tolist() == [10.0] * SAMPLES
    assert corpus.load(corpus.trials()[5]).arrays["eda"].tolist() == [10.5] * SAMPLES
    assert "music" not in corpus.load(corpus.trials()[7]).arrays  # song 11 is not in the table


def test_an_adapter_says_what_each_subject_said(new: Path) -> None:
    def said(place: Path) -> list[Opinion]:
        assert place == new
        return [Opinion(who, song, arousal(song), valence(song)) for who in SUBJECTS for song in SONGS]

    corpus = Pmemo(new, adapter=said)
    assert corpus.is_own
    assert [ref.key for ref in corpus.trials()] == KEYS
    assert [ref.label for ref in corpus.trials()[::2]] == ["high", "low", "high", "low"]


def test_what_is_not_there_is_named(old: Path, new: Path) -> None:
    assert Pmemo(old).missing == Pmemo(new).missing == ()
    shutil.rmtree(old / "EDA" / "Valence")
    for path in (old / "Annotations" / "Arousal").iterdir():
        path.unlink()
    (new / "features" / "static_features.csv").unlink()
    assert Pmemo(old).missing == ("Annotations/Arousal", "EDA/Valence")
    assert Pmemo(new).missing == ("features/static_features.csv",)
    shutil.rmtree(new / "EDA")
    (new / "EDA").mkdir()
    assert Pmemo(new).missing == ("EDA", "features/static_features.csv")


def test_trials_left_out_for_one_reason_are_told_in_one_line(
    old: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(old / "EDA" / "Arousal")
    with caplog.at_level(logging.WARNING):
        corpus = Pmemo(old, "arousal")
        assert corpus.trials() == [] and [one.key for one in corpus.left_out] == KEYS
    (line,) = caplog.messages
    assert line == (
        "PMEmo: 8 trials are left out, such as 1/100012: no skin conductance of it for arousal is there"
    )


def test_a_song_without_means_is_no_trial(new: Path) -> None:
    put(new / "EDA" / "12_EDA.csv", ["time,x_100012,EDA100034", "0,1,2", "0.02,1,2"])
    corpus = Pmemo(new)
    assert [ref.key for ref in corpus.trials()] == KEYS
    assert [one.key for one in corpus.left_out] == ["12/100012", "12/100034"]
    assert all("has no means" in one.why and "27 of the 794" in one.why for one in corpus.left_out)


def test_listing_opens_no_skin_of_2018(old: Path) -> None:
    for path in (old / "EDA").rglob("*.csv"):
        path.write_text("")
    corpus = Pmemo(old)
    assert len(corpus.trials()) == 8
    assert list(corpus.each()) == [] and len(corpus.left_out) == 8


def test_what_cannot_be_used_is_left_out_and_told(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    (old / "EDA" / "Valence" / "1_100012_V.csv").unlink()
    (old / "EDA" / "Arousal" / "1_100034_A.csv").unlink()  # not needed for valence
    put(old / "EDA" / "Valence" / "2_100012_V.csv", ["time,eda", "0,1", "0.02,nan", "0.04,1"])
    put(old / "EDA" / "Valence" / "2_100034_V.csv", ["time,eda", "0,1", "0.02,two"])
    put(old / "Annotations" / "Arousal" / "10-A.csv", ["subject_id,static", "100034,0.8"])
    put(old / "EDA" / "Valence" / "99_100012_V.csv", ["time,eda", "0,1"])
    corpus = Pmemo(old)
    with caplog.at_level(logging.WARNING):
        loaded = [trial.ref.key for trial in corpus.each()]
    assert loaded == ["1/100034", "10/100034", "11/100012", "11/100034"]
    why = {one.key: one.why for one in corpus.left_out}
    assert len(why) == len(caplog.records) == 5
    assert "no skin conductance of it for valence" in why["1/100012"]
    assert "not all numbers" in why["2/100012"] and "2_100034_V.csv" in why["2/100034"]
    assert "not rated in both" in why["10/100012"] and "nobody's rating" in why["99/100012"]


def test_a_subject_who_heard_less_ends_in_empty_cells(new: Path) -> None:
    put(new / "EDA" / "1_EDA.csv", ["time,a_100012,b_100034", "0,1,2", "0.02,1,", "0.04,1,nan"])
    corpus = Pmemo(new)
    lengths = [len(corpus.load(ref).arrays["eda"]) for ref in corpus.trials()[:2]]
    assert lengths == [3, 1]
    put(new / "EDA" / "1_EDA.csv", ["time,a_100012,b_100034", "0,1,2", "0.02,,2", "0.04,1"])
    assert len(list(Pmemo(new).each())) == 7  # a hole is no end


def test_tables_of_other_columns_ask_for_an_adapter(old: Path) -> None:
    put(old / "Annotations" / "Valence" / "1-V.csv", ["subject_id,mood", "100012,0.5"])
    with pytest.raises(DataError, match=r"1-V\.csv:1: none of its columns .* give Pmemo an adapter"):
        Pmemo(old).trials()
    put(old / "Annotations" / "Valence" / "1-V.csv", ["who,static", "100012,0.5"])
    with pytest.raises(DataError) as told:
        Pmemo(old).trials()
    for word in (
        "'who', 'static'",
        "the subject",
        "subject, subjectid, user, ",
        "rename",
        "Pmemo(folder, adapter=read)",
    ):
        assert word in str(told.value), word
    put(old / "Annotations" / "Valence" / "1-V.csv", ["subject_id,static", "100012,good"])
    with pytest.raises(DataError, match=r"1-V\.csv: no number in its column 'static'"):
        Pmemo(old).trials()
    (old / "Annotations" / "Valence" / "1-V.csv").write_bytes(b"subject_id,static\n\xff\xfe,1\n")
    with pytest.raises(DataError, match=r"1-V\.csv cannot be read"):
        Pmemo(old).trials()


def test_columns_renamed_as_the_message_says_are_read(old: Path) -> None:
    for path in (old / "Annotations").rglob("*.csv"):
        path.write_text(path.read_text().replace("subject_id,static", "who,mood"))
    for wrong, what in (("who", "the subject"), ("mood", "the rating")):
        with pytest.raises(DataError) as told:
            Pmemo(old).trials()
        assert f"is known for {what}: known are " in str(told.value)
        new = str(told.value).partition("known are ")[2].partition(",")[0]
        assert f"rename it to {new!r} in every table of Annotations" in str(told.value)
        for path in (old / "Annotations").rglob("*.csv"):
            path.write_text(path.read_text().replace(wrong, new))
    assert [ref.key for ref in Pmemo(old).trials()] == KEYS


def test_another_folder_and_another_trial_are_told(new: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no PMEmo: expected are Annotations .*\(2018\), or EDA and"):
        Pmemo(tmp_path / "nowhere")
    with pytest.raises(DataError, match="has no trial '5/100012'; its first is 1/100012"):
        Pmemo(new).load(TrialRef("5/100012", "100012", "high"))
    put(new / "annotations" / "static_annotations.csv", ["musicId,Arousal,Valence", "1,0.5,0.5"])
    with pytest.raises(
        DataError, match=r"static_annotations\.csv: no number in its column 'Valence\(mean\)'"
    ):
        Pmemo(new).trials()


def test_a_damaged_table_of_music_is_read_once(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has 767 rows of 6373 figures, and every one of 7690 trials asks for it."""
    (old / "static_features.csv").write_text("musicId,f0\n1,0.5,")
    opened, read = [], pmemo.read_table
    monkeypatch.setattr(pmemo, "read_table", lambda path: (opened.append(path), read(path))[1])
    corpus = Pmemo(old)
    assert list(corpus.each()) == [] and len(opened) == 1
    assert len(corpus.left_out) == 8 and all("static_features.csv" in one.why for one in corpus.left_out)


def test_the_skin_of_2018_may_have_no_header(old: Path) -> None:
    put(old / "EDA" / "Valence" / "1_100012_V.csv", ["0.5", "0.6"])
    corpus = Pmemo(old)
    assert corpus.load(corpus.trials()[0]).arrays["eda"].tolist() == [0.5, 0.6]
    assert np.isfinite(corpus.load(corpus.trials()[1]).arrays["eda"]).all()


def test_a_damaged_recording_of_the_other_rating_costs_no_trial(old: Path) -> None:
    corpus = Pmemo(old, "valence")
    ref = corpus.trials()[5]
    song, who = ref.key.split("/")
    put(old / "EDA" / "Arousal" / f"{song}_{who}_A.csv", ["time,eda", "0,", "0.02,broken"])
    arrays = corpus.load(ref).arrays
    assert "eda" in arrays and "eda_valence" in arrays and "eda_arousal" not in arrays
    with pytest.raises(DataError, match="not all numbers"):
        Pmemo(old, "arousal").load(ref)


@pytest.mark.parametrize("header", ["time,100012,100034", "time,1_100012,1_100034"])
def test_a_column_called_by_a_number_begins_with_its_first_sample(new: Path, header: str) -> None:
    put(new / "EDA" / "1_EDA.csv", [header, "0,1,2", "0.02,1.5,2.5"])
    corpus = Pmemo(new)
    assert [corpus.load(ref).arrays["eda"].tolist() for ref in corpus.trials()[:2]] == [
        [1.0, 1.5],
        [2.0, 2.5],
    ]


def test_a_column_of_2018_called_by_a_number_begins_with_its_first_sample(old: Path) -> None:
    put(old / "EDA" / "Valence" / "1_100012_V.csv", [",0", "0,1", "0.02,1.5"])
    put(old / "EDA" / "Valence" / "1_100034_V.csv", ["", "time,100034", "0,2", "0.02,2.5"])
    corpus = Pmemo(old)
    assert [corpus.load(ref).arrays["eda"].tolist() for ref in corpus.trials()[:2]] == [
        [1.0, 1.5],
        [2.0, 2.5],
    ]


def test_a_comma_at_the_end_of_a_line_makes_no_subject(new: Path) -> None:
    put(new / "EDA" / "1_EDA.csv", ["time,x_100012,x_100034, ", "0,1,2,", "0.02,1,2,"])
    corpus = Pmemo(new)
    assert [ref.key for ref in corpus.trials()] == KEYS
    assert corpus.load(corpus.trials()[1]).arrays["eda"].tolist() == [2.0, 2.0]


def test_two_columns_of_one_subject_are_told(new: Path) -> None:
    put(new / "EDA" / "1_EDA.csv", ["time,A_100012,V_100012,V_100034", "0,1,2,3"])
    corpus = Pmemo(new)
    assert len(list(corpus.each())) == 7
    (left_out,) = corpus.left_out
    assert left_out.key == "1/100012" and "has 2 columns of subject '100012'" in left_out.why


def test_the_subjects_column_is_taken_before_the_rows_number(old: Path) -> None:
    for dimension, rated in (("Valence", valence), ("Arousal", arousal)):
        for song in SONGS:
            rows = [f"{k},77,{who},{rated(song)}" for k, who in enumerate(SUBJECTS)]
            put(
                old / "Annotations" / dimension / f"{song}-{dimension[0]}.csv",
                ["id,value,subjectId,static", *rows],
            )
    corpus = Pmemo(old)
    assert [ref.key for ref in corpus.trials()] == KEYS and corpus.left_out == ()
    rated_once = corpus.ratings()["2/100012"]
    assert (rated_once.valence, rated_once.arousal) == (0.8, 0.1)


def test_what_is_rated_twice_and_differently_is_left_out(old: Path) -> None:
    put(
        old / "Annotations" / "Valence" / "1-V.csv",
        ["subject_id,static", "100012,0.9", "100012,0.1", "100012,0.1", "100034,0.9", "100034,0.9"],
    )
    corpus = Pmemo(old)
    assert [ref.key for ref in corpus.trials()] == KEYS[1:]
    (left_out,) = corpus.left_out
    assert left_out.key == "1/100012" and "twice" in left_out.why

    def said(place: Path) -> list[Opinion]:
        once = [Opinion(who, song, arousal(song), valence(song)) for who in SUBJECTS for song in SONGS]
        return [*once, once[0], Opinion("100034", "11", 0.3, 0.3)]

    corpus = Pmemo(old, adapter=said)
    assert [ref.key for ref in corpus.trials()] == KEYS[:-1]


def test_means_without_a_column_of_songs_are_told(new: Path) -> None:
    put(new / "annotations" / "static_annotations.csv", ["song,Arousal(mean),Valence(mean)", "1,0.5,0.5"])
    with pytest.raises(DataError, match=r"static_annotations\.csv:1: has no column 'musicId'"):
        Pmemo(new).trials()
