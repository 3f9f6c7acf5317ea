"""A classifier over a session: what was planted is found, what cannot be known is never guessed."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from emolab.core.errors import ConfigError, DataError, ModelError, NoWeights, RecordingError
from emolab.core.stream import Channel, StreamInfo
from emolab.devices.simulation.body import bateman
from emolab.models.classifier import CARD, WEIGHTS, Input, Spec
from emolab.models.eda_inputs import CURVE
from emolab.models.examples import whole_trials
from emolab.models.svm import MusicSvm
from emolab.models.tabular import keep, kept
from emolab.recording import layout
from emolab.recording.predicted import UNKNOWN, Guess, from_label, to_label
from emolab.signals.audio_features import COMPARE, FeatureTable
from emolab.signals.eda.conductance import conductance
from emolab.training import predict as room
from emolab.training.opened import Known, Model, open_model
from emolab.training.people import mark, scope
from emolab.training.predict import Cancelled, Prediction, predict, sliding
from tests.training import listened


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return open_model(listened.svm(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return listened.record(tmp_path_factory.mktemp("study") / "P07_session-0.h5")


def called(found: Prediction) -> list[tuple[str | None, str]]:
    return [(guess.said.clip, guess.said.state) for guess in found.guesses]


def test_each_clip_is_a_window_and_what_was_planted_in_it_is_found(model: Model, session: Path) -> None:
    found = predict(session, model)
    assert called(found) == [("high-0", "high"), ("low-1", "low"), ("high-2", "high"), ("low-3", "low")]
    assert [guess.start_s for guess in found.guesses] == pytest.approx(
        [listened.start_s(k) for k in range(4)]
    )
    assert all(sum(guess.said.probabilities) == pytest.approx(1) for guess in found.guesses)
    assert found.windows == "clips as windows" and not found.in_training and found.damage == ()


def test_windows_have_the_length_and_the_hop_that_was_stated(model: Model, session: Path) -> None:
    found = predict(session, model, window_s=20.0, hop_s=10.0)
    assert found.windows == "windows of 20 s every 10 s"
    assert {round(guess.end_s - guess.start_s, 6) for guess in found.guesses} == {20.0}
    assert np.allclose(np.diff([guess.start_s for guess in found.guesses]), 10.0)
    inside = {guess.said.clip: guess.said.state for guess in found.guesses if guess.said.clip}
    assert inside == {"high-0": "high", "low-1": "low", "high-2": "high", "low-3": "low"}
    assert any(guess.said.clip is None for guess in found.guesses)


@pytest.mark.parametrize(("window_s", "hop_s"), [(5.0, 1.0), (20.0, 0.0), (0.0, 5.0), (np.nan, 1.0)])
def test_windows_that_are_none_are_refused(
    model: Model, session: Path, window_s: float, hop_s: float
) -> None:
    with pytest.raises(ConfigError, match="--window"):
        predict(session, model, window_s=window_s, hop_s=hop_s)


def test_windows_cover_what_was_recorded_and_no_more() -> None:
    found = sliding(2.0, 62.0, 20.0, 10.0)
    assert [one.start_s for one in found] == [2.0, 12.0, 22.0, 32.0, 42.0] and found[-1].end_s == 62.0
    assert sliding(0.0, 19.0, 20.0, 10.0) == []
    with pytest.raises(ConfigError, match="too many"):
        sliding(0.0, 1e6, 20.0, 0.5)


def test_of_a_clip_with_a_gap_nothing_is_guessed(model: Model, tmp_path: Path) -> None:
    begins_s = listened.start_s(1)
    path = listened.record(tmp_path / "P07_session-0.h5", gaps_s=[(begins_s + 5, begins_s + 38)])
    second = predict(path, model).guesses[1]
    assert second.said.state == UNKNOWN and second.said.probabilities == () and second.confidence == 0.0
    assert second.usable < 0.5 and "can be used" in second.why
    assert [guess.said.state for guess in predict(path, model).guesses][::2] == ["high", "high"]


def test_guesses_survive_their_lane(model: Model, session: Path) -> None:
    for guess in predict(session, model).guesses:
        again = from_label(to_label(guess, "arousal", ("clips as windows",)))
        assert again.said.state == guess.said.state and again.classes == ("low", "high")
        assert again.said.probabilities == pytest.approx(guess.said.probabilities, abs=5e-5)
    label = to_label(predict(session, model).guesses[0], "arousal")
    assert label.arousal is not None and label.arousal > 0 and label.valence is None


def test_a_model_of_music_asks_for_its_figures(session: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, COMPARE)).astype(np.float32)
    names = [f"k{k}" for k in range(12)]
    examples = whole_trials((rows,), [0, 1] * 6, ("low", "high"), names, names, names, [40.0] * 12)
    MusicSvm().fit(examples, seed=0).save(tmp_path / "music")
    model = open_model(tmp_path / "music")
    with pytest.raises(DataError, match="--music"):
        predict(session, model)
    clips = ("high-0", "low-1", "high-2")
    columns = tuple(f"f{k}" for k in range(COMPARE))
    with pytest.raises(DataError, match="lack low-3"):
        predict(session, model, music=FeatureTable(clips, columns, rng.normal(size=(3, COMPARE))))
    table = FeatureTable((*clips, "low-3"), columns, rng.normal(size=(4, COMPARE)))
    assert all(guess.is_known for guess in predict(session, model, music=table).guesses)
    between = predict(session, model, music=table, window_s=20.0, hop_s=20.0).guesses[0]
    assert between.said.state == UNKNOWN and "no clip was heard" in between.why


def test_a_session_without_skin_conductance_is_refused(model: Model, tmp_path: Path) -> None:
    belt = StreamInfo("board", (Channel("belt", "respiration"),), listened.RATE_HZ, "uint16", (1,))
    path = listened.record(tmp_path / "P07_session-0.h5", info=belt)
    with pytest.raises(DataError, match="no skin conductance"):
        predict(path, model)


def test_it_tells_how_far_it_is_and_stops_when_asked(model: Model, session: Path) -> None:
    told: list[int] = []
    predict(session, model, progress=lambda percent, _: told.append(percent))
    assert told == sorted(told) and told[0] == 0 and told[-1] == 100
    with pytest.raises(Cancelled, match="nothing was written"):
        predict(session, model, cancelled=lambda: True)


def test_whoever_was_in_the_training_is_told(session: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    people = listened.svm(run / "final") / "people.json"
    own = mark(scope("study", "emolab study", session.parent), "P07")
    path = session.parent / "P07" / session.name
    path.parent.mkdir(exist_ok=True)
    shutil.copy(session, path)
    people.write_text(json.dumps({"target": "arousal", "participants": [own]}))
    opened = open_model(run)
    assert opened.target == "arousal" and predict(path, opened).in_training
    elsewhere = tmp_path / "another" / "P07" / session.name
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(session, elsewhere)
    assert not predict(elsewhere, opened).in_training
    renamed = mark(scope("study", "emolab study", Path("listening")), "P07")  # before the folder's new name
    people.write_text(json.dumps({"participants": [renamed]}))
    assert predict(elsewhere, open_model(run)).in_training
    people.write_text(json.dumps({"participants": [mark("HKU956", "P07")]}))
    assert not predict(path, open_model(run)).in_training
    for nonsense in ("[]", "{", '{"participants": 3}'):
        people.write_text(nonsense)
        with pytest.raises(ModelError, match="copy it again"):
            open_model(run)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoWeights, match="no classifier"):
        open_model(tmp_path)
    folder = listened.svm(tmp_path / "model")
    whole = (folder / WEIGHTS).read_bytes()
    for content in (whole[:-100], pickle.dumps({"planes": [1.0]})):
        (folder / WEIGHTS).write_bytes(content)
        with pytest.raises(ModelError, match="copy the folder again"):
            open_model(folder)
    (folder / CARD).write_text("[]")
    with pytest.raises(ModelError):
        open_model(folder)


def test_weights_that_give_no_number_are_told_and_nothing_is_guessed(session: Path, tmp_path: Path) -> None:
    folder = listened.svm(tmp_path / "model")
    arrays, facts = kept(folder, "svm")
    arrays["planes"] = np.full_like(arrays["planes"], np.inf)
    keep(folder, "svm", arrays, {"classes": facts["classes"], "c": facts["c"]})
    with np.errstate(all="ignore"), pytest.raises(ModelError, match=r"gives no numbers.*train it again"):
        predict(session, open_model(folder))


def test_a_network_tells_where_it_looked(session: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from emolab.training.network import NetworkClassifier
    from emolab.training.recipes import Recipe

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(8, 3, 2500)).astype(np.float32)
    names = [f"k{k}" for k in range(8)]
    examples = whole_trials((rows,), [0, 1] * 4, ("low", "high"), names, names, names, [40.0] * 8)
    recipe = Recipe(epochs=1, batch=4, rate=1e-3, patience=None)
    options = {"widths": (16, 16, 16, 16), "ablation": "base"}
    NetworkClassifier("rtcag", recipe=recipe, options=options).fit(examples).save(tmp_path / "net")
    found = predict(session, open_model(tmp_path / "net"))
    for guess in found.guesses:
        assert guess.is_known and len(guess.heat) > 100
        unseen = round(len(guess.heat) * 3.0 / listened.CLIP_S)
        assert not any(guess.heat[: unseen - 2]) and max(guess.heat) == pytest.approx(1.0)
        kept = from_label(to_label(guess, "arousal")).heat
        assert len(kept) == 72 and max(kept) == 1.0
    quiet = room.judge(found.model, _skin(session), [room.Stretch(30.0, 70.0)], looks=0)
    looked = predict(session, found.model, window_s=20.0, hop_s=10.0).guesses
    assert [bool(guess.heat) for guess in looked[:4]] == [True, False, True, False]
    assert quiet[0].heat == ()


def _skin(session: Path) -> room.Conductance:
    from emolab.recording.reader import Session

    with Session.open(session) as opened:
        return room.skin_of(opened)


def test_a_label_of_somebody_else_is_no_guess() -> None:
    from emolab.recording.labels import TimedLabel

    for tags in ((), ("high",), ("high", "low 0.4", "usable x"), ("negative", "agree", "negative 0.7")):
        with pytest.raises(DataError, match="emolab predict"):
            from_label(TimedLabel(0.0, 1.0, tags=tags))


def test_states_are_told_as_states() -> None:
    from emolab.core.label import STATE_KEYS, PredictedLabel

    said = PredictedLabel("a", "less_positive", (0.1, 0.1, 0.1, 0.6, 0.1), "svm")
    label = to_label(Guess(0.0, 1.0, said, STATE_KEYS), "state")
    assert label.state == "less_positive" and label.valence is None
    assert from_label(label).said == said


class Rising:
    """A network that looks at the highest moment of the phasic curve."""

    spec = Spec("rising", "", (Input("eda", (3, CURVE), ""),), 2, 0)

    def predict_proba(self, inputs: Any) -> Any:
        return np.tile([0.4, 0.6], (len(inputs[0]), 1))

    def heats(self, _classifier: Any, inputs: Any) -> Any:
        curves = np.stack([one[1] for one in inputs[0]])
        return (np.arange(CURVE) == curves.argmax(1)[:, None]).astype(np.float32)


@pytest.mark.parametrize(("start_s", "end_s"), [(100, 130), (90, 120), (84, 120), (182, 210), (176, 216)])
def test_the_heat_lies_where_it_was_seen_also_where_skin_conductance_covers_a_part(
    start_s: float, end_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    times_s = np.arange(100.0, 200.0, 0.1)  # nothing was recorded before, and nothing after
    level = 5 + 0.3 * np.sin(2 * np.pi * times_s / 17)
    for at_s in (110.0, 190.0):
        level += np.where(times_s > at_s, 0.8 * bateman(np.maximum(times_s - at_s, 0.0)), 0.0)
    network: Any = Rising()
    monkeypatch.setattr(room.looked, "heats", network.heats)
    known = Known("rising", Path(), ("low", "high"), "ab")
    stretch = room.Stretch(start_s, end_s, "clip")
    (guess,) = room.judge(Model(known, network), conductance(level, times_s, "uS"), [stretch])
    heat = np.array(guess.heat)
    peak_s = start_s + (int(heat.argmax()) + 0.5) / len(heat) * (end_s - start_s)
    assert guess.is_known and peak_s == pytest.approx(110.0 if start_s < 150 else 190.0, abs=2.0)
    at_s = start_s + (np.arange(len(heat)) + 0.5) / len(heat) * (end_s - start_s)
    assert not heat[(at_s < max(start_s, 100.0) + 2.9) | (at_s > 200.1)].any()


def test_a_damaged_microphone_does_not_keep_a_model_from_the_skin(
    model: Model, session: Path, tmp_path: Path
) -> None:
    path = listened.record(tmp_path / "P07_session-0.h5", beside=listened.MICROPHONE)
    found = predict(listened.rot(path, "microphone"), model)
    told = "of microphone not even the times can be read; they are not needed here"
    assert found.damage == (told,)
    assert [one.said for one in found.guesses] == [one.said for one in predict(session, model).guesses]


def test_a_stream_whose_times_are_lost_is_told_in_a_sentence(model: Model, tmp_path: Path) -> None:
    path = listened.record(tmp_path / "P07_session-0.h5", beside=listened.PULSE)
    for stream in ("pulse", "board"):
        with h5py.File(path, "r+") as file:
            del file[layout.group(stream)]["step_us"]
        if stream == "pulse":
            told = "of pulse not even the times can be read; they are not needed here"
            assert predict(path, model).damage == (told,)
    with pytest.raises(RecordingError, match=r"P07_session-0\.h5: .*board is lost .*run 'emolab recover'"):
        predict(path, model)


def test_a_session_that_is_still_recorded_is_not_called_broken_off(
    model: Model, session: Path, tmp_path: Path
) -> None:
    path = tmp_path / "P07_session-0.h5"
    shutil.copy(session, path)
    with h5py.File(path, "r+") as file:
        file[layout.OUTCOME][...] = np.array([layout.OUTCOMES[0]], "S16")
    assert predict(path, model).damage == (
        "the recording was not closed in order; it is judged as far as it goes",
    )
    with listened.growing(path):
        assert predict(path, model).damage == ("it is still being recorded; it is judged as far as it goes",)
