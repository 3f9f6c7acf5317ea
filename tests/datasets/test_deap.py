"""DEAP is read channel by channel from its pickles, rest and video apart, valence before arousal."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.dataset import Dataset, TrialRef
from emolab.datasets.deap import CHANNELS, RATE_HZ, REST, SHAPE, Deap
from tests.datasets import python2


def made(subject: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each sample tells its channel and video, a rest is negative; ratings are 1 or 9."""
    data = np.zeros(SHAPE)
    data += np.arange(40)[None, :, None] + 100 * np.arange(40)[:, None, None] + 10_000 * subject
    data[:, :, :REST] *= -1
    labels = np.full((40, 4), 5.0)
    labels[:, 0] = np.where(np.arange(40) % 2, 9.0, 1.0)  # valence: odd videos
    labels[:, 1] = np.where(np.arange(40) < 10, 9.0, 1.0)  # arousal: the first ten
    labels[:, 0] += np.where(labels[:, 0] < 5, 0.01, -0.01) * np.arange(40) / 40
    return data, labels


def write(place: Path, *subjects: int) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for subject in subjects:
        write_one(place / f"s{subject:02d}.dat", *made(subject))
    return place


def write_one(path: Path, data: NDArray[np.float64], labels: NDArray[np.float64]) -> None:
    """Single precision: half the disk."""
    arrays = {"labels": labels, "data": data.astype(np.float32)}
    path.write_bytes(python2.dictionary({name: python2.array(values) for name, values in arrays.items()}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("deap") / "data_preprocessed_python", 2, 1)


def test_it_is_a_data_set_of_forty_trials_a_subject(folder: Path) -> None:
    corpus = Deap(folder.parent)
    assert isinstance(corpus, Dataset) and resolve(DATASETS, "deap", "corpus") is Deap
    trials = corpus.trials()
    assert [ref.key for ref in trials[:2]] == ["s01/00", "s01/01"] and len(trials) == 80
    assert [ref.subject for ref in trials] == ["s01"] * 40 + ["s02"] * 40
    assert corpus.left_out == ()


def test_the_order_in_which_files_are_listed_does_not_matter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = Deap(folder).trials()
    listed = list(folder.iterdir())
    for order in (listed, listed[::-1]):
        monkeypatch.setattr(Path, "iterdir", lambda _, order=order: iter(order))
        assert Deap(folder).trials() == straight


def test_valence_and_arousal_are_not_swapped(folder: Path) -> None:
    by_valence = {ref.key: ref.label for ref in Deap(folder, "valence", threshold=5).trials()}
    by_arousal = {ref.key: ref.label for ref in Deap(folder, "arousal", threshold=5).trials()}
    for video in range(40):
        key = f"s02/{video:02d}"
        assert by_valence[key] == ("high" if video % 2 else "low")
        assert by_arousal[key] == ("high" if video < 10 else "low")
    counts = Deap(folder, threshold=5).counts()
    assert (counts["valence"].high, counts["arousal"].high) == (40, 20)


def test_labels_are_by_each_subjects_own_threshold(folder: Path) -> None:
    corpus = Deap(folder)
    assert {one.source for one in corpus.thresholds().values()} == {"own"}
    assert [ref.label for ref in corpus.trials()] == ["low", "high"] * 40


def test_a_trial_is_the_skin_of_one_video_without_its_rest(folder: Path) -> None:
    corpus = Deap(folder)
    trial = corpus.load(corpus.trials()[40 + 7])
    skin = 20_000 + 700 + CHANNELS["eda"]
    assert CHANNELS["eda"] == 36 and CHANNELS["pulse"] == 38
    assert trial.arrays["eda"].shape == (60 * RATE_HZ,) and set(trial.arrays["eda"].tolist()) == {skin}
    assert trial.arrays["rest"].shape == (3 * RATE_HZ,) and set(trial.arrays["rest"].tolist()) == {-skin}
    assert set(trial.arrays["pulse"].tolist()) == {skin + 2}
    assert set(trial.arrays["respiration"].tolist()) == {skin + 1}
    assert trial.arrays["ratings"] == pytest.approx([9 - 0.07 / 40, 9])
    with pytest.raises(DataError, match=r"DEAP in .* has no trial 's03/00'; its first is s01/00"):
        corpus.load(TrialRef("s03/00", "s03", "high"))


def test_what_is_no_number_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data, labels = made(1)
    data[3, 36, 5000] = np.nan
    data[4, 20, 5000] = np.nan  # of the brain: none of ours
    labels[9, 1], labels[11, 0] = np.nan, 0.0
    write_one(tmp_path / "s01.dat", data, labels)
    corpus = Deap(tmp_path)
    with caplog.at_level(logging.WARNING):
        loaded = [trial.ref.key for trial in corpus.each()]
    assert len(loaded) == 37 and {"s01/03", "s01/09", "s01/11"}.isdisjoint(loaded)
    assert [one.key for one in corpus.left_out] == ["s01/09", "s01/11", "s01/03"]
    assert "the skin conductance of video 03 is not all numbers" in corpus.left_out[2].why
    assert "valence 0 and arousal" in corpus.left_out[1].why and len(caplog.records) == 3
    assert len(corpus.trials()) == 37 and sum(vars(corpus.counts()["arousal"]).values()) == 37


@pytest.mark.parametrize("kept", [0, 4_000_000])
def test_a_file_cut_short_leaves_its_subject_out(tmp_path: Path, kept: int) -> None:
    write(tmp_path, 1, 2)
    path = tmp_path / "s02.dat"
    path.write_bytes(path.read_bytes()[:kept])
    corpus = Deap(tmp_path)
    assert {ref.subject for ref in corpus.trials()} == {"s01"}
    assert [one.key for one in corpus.left_out] == ["s02"] and str(path) in corpus.left_out[0].why


def test_other_arrays_and_other_folders_are_told(tmp_path: Path) -> None:
    (tmp_path / "s01.dat").write_bytes(python2.dictionary({"labels": python2.array(np.ones((40, 4)))}))
    assert "data missing, labels (40, 4)" in Deap(tmp_path).left_out[0].why
    assert Deap(tmp_path).trials() == []
    for folder in (tmp_path / "nowhere", tmp_path.parent):
        with pytest.raises(DataError, match=r"is no DEAP: expected are s01\.dat to s32\.dat"):
            Deap(folder)
    with pytest.raises(DataError, match="'liking' is no target; known are valence, arousal"):
        Deap(tmp_path, "liking")  # type: ignore[arg-type]
