"""What was planted is found by whom it is meant for, and what was not is not.

The long campaign over all models is `python -m tests.training.planted`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emolab.training.network import NetworkClassifier
from tests.training.corpora import by_skin, by_song, heard
from tests.training.planted import QUICK, corpus, judged, last, looked_at, shuffled

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.slow
def test_what_the_skin_says_is_found_in_subjects_never_seen_and_looked_at(tmp_path: Path) -> None:
    trials = heard(12, 12, by_skin)
    model = NetworkClassifier("rtcag", recipe=QUICK)
    rows = corpus(tmp_path, "hku956", trials, model)
    assert rows.labels.tolist() == [one.is_high for one in trials]  # each subject's own threshold is exact
    unseen = last(rows.subjects, 4)
    found = judged(model, rows, unseen)
    assert found.accuracy >= 0.9 and len(found.unseen) == 48
    assert looked_at(found) >= 2.5
    chance = judged(NetworkClassifier("rtcag", recipe=QUICK), shuffled(rows), unseen)
    assert abs(chance.accuracy - 0.5) < 0.22  # three standard errors of 48


@pytest.mark.slow
def test_what_the_music_says_is_found_by_the_fused_model_alone(tmp_path: Path) -> None:
    trials = heard(8, 12, by_song)
    fused = NetworkClassifier("rtcan", recipe=QUICK)
    rows = corpus(tmp_path, "pmemo", trials, fused)
    unseen = np.isin(rows.songs, ["8", "9", "10", "11"])
    assert judged(fused, rows, unseen).accuracy >= 0.9
    skin = NetworkClassifier("rtcag", recipe=QUICK)
    assert abs(judged(skin, corpus(tmp_path, "pmemo", trials, skin), unseen).accuracy - 0.5) < 0.27  # of 32
