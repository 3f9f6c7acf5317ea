"""A clip to learn from is, number for number, the clip that is judged, whatever the skin was recorded in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.datasets.cache import ArrayCache
from emolab.devices.simulation.effect import EFFECTS
from emolab.models.classifier import Spec, make
from emolab.recording.predicted import Guess
from emolab.recording.reader import Session
from emolab.session.rehearsal import Order, devices_text, rehearse
from emolab.training import recorded, trial_inputs
from emolab.training.corpus_examples import Found, examples_of, open_corpus
from emolab.training.opened import Known, Model
from emolab.training.predict import predict, skin_of
from emolab.training.recorded import Recorded
from tests.training import listened

MODELS = ("rtcag", "res_si", "svm")  # curves, pictures, figures


@dataclass
class Ear:
    """Takes what a classifier of a spec is given, keeps it, and knows nothing."""

    spec: Spec
    heard: list[NDArray[Any]] = field(default_factory=list)

    def predict_proba(self, inputs: Any) -> NDArray[np.float64]:
        self.heard.append(np.asarray(inputs[0][:]))
        return np.full((len(inputs[0]), 2), 0.5)


def judged(path: Path, name: str) -> tuple[list[Guess], NDArray[Any]]:
    """The clips of a session that are judged, and what a model is given of each."""
    ear = Ear(make(name).spec)
    model = Model(Known(name, Path(), ("low", "high"), ""), ear)  # type: ignore[arg-type]
    found = predict(path, model)
    return [guess for guess in found.guesses if guess.is_known], np.concatenate(ear.heard)


def learnt(study: Path, name: str, cache: Path) -> Found:
    return examples_of(open_corpus("study", study, "state"), make(name).spec, "state", ArrayCache(cache))


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated participants, in microsiemens."""
    folder = tmp_path_factory.mktemp("rehearsed") / "study"
    board = devices_text(("board",))
    rehearse(Order(folder, 2, seed=5, devices_text=board, effect=EFFECTS["lively"]), jobs=1)
    return folder


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Counts that fall when conductance rises, which nobody has told; half of the clips have no response."""
    folder = tmp_path_factory.mktemp("falling") / "study"
    path = folder / "P07" / "P07_session-0.h5"
    path.parent.mkdir(parents=True)
    listened.record(path, info=listened.COUNTS, is_falling=True)
    return folder


@pytest.mark.parametrize("kind", ["rehearsed", "falling"])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_learnt_from_is_what_is_judged(
    name: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    study: Path = request.getfixturevalue(kind)
    examples = learnt(study, name, tmp_path / "cache").examples
    seen = 0
    for path in sorted(study.glob("*/*.h5")):
        guesses, given = judged(path, name)
        row_of = {guess.said.clip: row for row, guess in enumerate(guesses)}
        own = np.flatnonzero(examples.subjects == path.parent.name)
        rows = [row_of[song] for song in examples.songs[own].tolist()]
        np.testing.assert_allclose(examples.inputs[0][own], given[rows], rtol=1e-5, atol=1e-6)
        length_s = [guesses[row].end_s - guesses[row].start_s for row in rows]
        assert examples.ends_s[own] == pytest.approx(length_s, abs=0.11)
        seen += len(own)
    assert seen == len(examples) >= 4


def test_falling_counts_are_learnt_upwards_in_every_clip(falling: Path, tmp_path: Path) -> None:
    """As those in µS; a clip without a response does not tell by itself where upwards is."""
    path = tmp_path / "study" / "P07" / "P07_session-0.h5"
    path.parent.mkdir(parents=True)
    listened.record(path)
    studies = (path.parents[1], falling)
    upwards, turned = (learnt(study, "rtcag", tmp_path / "cache").examples for study in studies)
    assert turned.songs.tolist() == ["high-0", "low-1", "high-2", "low-3"]
    for one, other in zip(upwards.inputs[0][:, 0], turned.inputs[0][:, 0], strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.999


def test_a_recording_is_made_once_for_all_its_clips(
    rehearsed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, list[int]] = {"even": [], "cvxeda": []}
    for place, name in ((recorded, "even"), (trial_inputs, "cvxeda")):
        work = getattr(place, name)

        def counted(*given: Any, work: Any = work, name: str = name, **more: Any) -> Any:
            made[name].append(len(np.asarray(getattr(given[0], "values", given[0]))))
            return work(*given, **more)

        monkeypatch.setattr(place, name, counted)
    assert len(learnt(rehearsed, "rtcag", tmp_path / "cache").examples) > 20
    assert len(made["even"]) == len(made["cvxeda"]) == 2  # recordings
    assert min(made["cvxeda"]) > 10 * 600  # ten a second, ten minutes and more


@pytest.mark.parametrize("name", ("rtcag", "svm"))
def test_nothing_of_a_participant_is_kept_outside_the_study(
    rehearsed: Path, tmp_path: Path, name: str
) -> None:
    assert len(learnt(rehearsed, name, tmp_path / "cache").examples)
    assert not (tmp_path / "cache").exists()


def test_what_is_not_judged_is_not_learnt_from_for_the_same_reason(tmp_path: Path) -> None:
    path = tmp_path / "study" / "P07" / "P07_session-0.h5"
    path.parent.mkdir(parents=True)
    begins_s = listened.start_s(1)
    listened.record(path, gaps_s=[(begins_s + 5, begins_s + 38)])
    (lost,) = learnt(tmp_path / "study", "rtcag", tmp_path / "cache").left_out
    ear = Ear(make("rtcag").spec)
    model = Model(Known("rtcag", Path(), ("low", "high"), ""), ear)  # type: ignore[arg-type]
    second = predict(path, model).guesses[1]
    assert lost.key == "P07_session-0/02_low-1" and lost.why == second.why
    assert "of the skin conductance can be used; 50% are needed" in lost.why


def test_windows_that_say_nothing_are_refused(falling: Path) -> None:
    with Session.open(falling / "P07" / "P07_session-0.h5") as session:
        whole = Recorded(skin_of(session))
    with pytest.raises(DataError, match=r"8\.0 s are too short; 10 s are needed"):
        whole.window(40.0, 48.0)
    with pytest.raises(DataError, match="0% of the skin conductance can be used"):
        whole.window(1000.0, 1040.0)
    whole.skin.values[400:800] = 1.0
    with pytest.raises(DataError, match="is flat"):
        whole.window(45.0, 75.0)
    whole.skin.values[:] = 1.0
    for _ in range(2):
        with pytest.raises(DataError, match="is flat"):
            Recorded(whole.skin).channels(45.0, 75.0)
