"""All of HKU956 is loaded, with the counts that its files have.

pp121200z/music-emotion-probing-interactive @ dc7f07a, `data/HKU956`.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from emolab.datasets.cache import ArrayCache
from emolab.datasets.dataset import Trial
from emolab.datasets.hku956 import COUNTS, RATES_HZ, Hku956
from emolab.models.classifier import make
from emolab.training.corpus_examples import examples_of

FOLDER = Path(os.environ.get("EMOLAB_REAL_DATA") or "nowhere") / "music-emotion-probing-interactive"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="set EMOLAB_REAL_DATA to a folder with music-emotion-probing-interactive"
)


@pytest.fixture(scope="module")
def corpus() -> Hku956:
    return Hku956(FOLDER)


@pytest.fixture(scope="module")
def trials(corpus: Hku956) -> list[Trial]:
    return list(corpus.each())


def test_all_trials_are_loaded_and_none_is_left_out(corpus: Hku956, trials: list[Trial]) -> None:
    assert len(trials) == COUNTS["trials"] and corpus.left_out == ()
    assert len({trial.ref.subject for trial in trials}) == COUNTS["participants"]
    assert Counter(trial.ref.label for trial in trials) == {"positive": 647, "negative": 283, "neutral": 26}
    arousal = Counter(rating.arousal_class for rating in corpus.ratings().values())
    assert arousal == {"positive": 571, "negative": 365, "neutral": 20}


def test_no_trial_lacks_a_value(trials: list[Trial]) -> None:
    values = {name: sum(len(trial.arrays[name]) for trial in trials) for name in RATES_HZ}
    seconds = values["hr"]
    assert values == {
        "bvp": 64 * seconds, "eda": 4 * seconds, "hr": seconds, "ibi": values["ibi"], "temp": 4 * seconds,
    }  # fmt: skip
    assert sum(len(trial.arrays["ibi"]) == 0 for trial in trials) == 19
    lengths_s = [len(trial.arrays["hr"]) for trial in trials]
    assert (min(lengths_s), max(lengths_s)) == (27, 329)


def test_ratings_are_the_classes_that_are_told(corpus: Hku956) -> None:
    for rating in corpus.ratings().values():
        for value, said in (
            (rating.valence, rating.valence_class), (rating.arousal, rating.arousal_class),
        ):  # fmt: skip
            assert said == ("neutral" if value == 0 else "positive" if value > 0 else "negative")


@pytest.mark.parametrize("name", ["rtcag", "res_si", "feature_cnn"])
def test_every_trial_becomes_an_example(corpus: Hku956, tmp_path: Path, name: str) -> None:
    found = examples_of(corpus, make(name).spec, "valence", ArrayCache(tmp_path))
    assert len(found.examples) == COUNTS["trials"] and found.left_out == ()
    assert found.examples.counts() == {"low": 404, "high": 552}  # by each subject's own threshold
