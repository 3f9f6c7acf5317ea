"""A study of emolab's own is a corpus: clips heard, reports given, signals with their times."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.core.label import STATES
from emolab.core.stream import StreamInfo
from emolab.datasets.dataset import Dataset, TrialRef
from emolab.datasets.sessions import Sessions
from emolab.devices.simulation.effect import EFFECTS
from emolab.recording.converter import ends
from emolab.recording.reader import Session
from emolab.recording.trials import trials
from emolab.session.rehearsal import Order, devices_text, rehearse
from tests.training import listened

GROUP = {one.key: one.group for one in STATES}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated participants with a board."""
    folder = tmp_path_factory.mktemp("rehearsed") / "study"
    rehearse(
        Order(folder, 2, seed=5, devices_text=devices_text(("board",)), effect=EFFECTS["lively"]), jobs=1
    )
    return folder


def test_a_trial_is_a_clip_heard_and_what_was_said_of_it(study: Path) -> None:
    corpus = Sessions(study)
    assert isinstance(corpus, Dataset)
    refs = corpus.trials()
    assert len(refs) + len(corpus.left_out) == 30 and {ref.subject for ref in refs} == {"P001", "P002"}
    path = study / "P002" / "P002_session-0.h5"
    with Session.open(path) as session:
        said = {
            f"P002_session-0/{one.number:02d}_{one.clip}": one.said.state
            for one in trials(session.events, 1e6)
            if one.number and one.said is not None and one.how == "done"
        }
    assert {ref.key: ref.label for ref in refs if ref.subject == "P002"} == said
    assert [ref.label for ref in Sessions(study, "group").trials()] == [GROUP[ref.label] for ref in refs]


def test_a_clip_that_nobody_answered_is_somebody_s_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = listened.events
    monkeypatch.setattr(listened, "events", lambda clips: events(clips)[:-1])
    (tmp_path / "P07").mkdir()
    listened.record(tmp_path / "P07" / "P07_session-0.h5")
    corpus = Sessions(tmp_path)
    (left_out,) = corpus.left_out
    assert len(corpus.trials()) == 3 and left_out.why == "nothing was reported in time"
    assert {corpus.whose(key) for key in [left_out.key, *corpus.heard()]} == {"P07"}
    assert corpus.whose("P09_session-0") is None


def test_signals_are_those_of_the_clip_with_their_own_times(study: Path) -> None:
    corpus = Sessions(study)
    ref = corpus.trials()[4]
    arrays, playing = corpus.load(ref).arrays, corpus.heard()[ref.key].playing
    length_s = playing.end_s - playing.start_s
    for kind in ("eda", "ppg", "respiration"):
        times_s, (rate_hz,) = arrays[f"{kind}_times_s"], arrays[f"{kind}_rate_hz"]
        assert len(arrays[kind]) == len(times_s) and (np.diff(times_s) > 0).all()
        assert 0 <= times_s[0] < 0.1 and length_s - 0.1 < times_s[-1] <= length_s
        assert rate_hz == pytest.approx(len(times_s) / length_s, rel=0.02)
    assert arrays["eda_unit"].tolist() == ["uS"]
    with Session.open(study / "P001" / "P001_session-0.h5") as session:
        whole = session.signal("eda")
        (told,) = (one.info for one in session.streams.values() if one.name == whole.stream)
    assert arrays["eda_ends"].tolist() == list(ends(told, whole.channel) or ())
    inside = (whole.times_s >= playing.start_s) & (whole.times_s < playing.end_s)
    assert arrays["eda"].tolist() == whole.values[inside].tolist()


def test_the_rate_is_that_of_the_stretches_with_samples(tmp_path: Path) -> None:
    (tmp_path / "P07").mkdir()
    listened.record(tmp_path / "P07" / "P07_session-0.h5", gaps_s=[(60.0, 125.0)])
    corpus = Sessions(tmp_path)
    rates_hz = [corpus.load(ref).arrays["eda_rate_hz"][0] for ref in corpus.trials() if ref.key[-1] in "03"]
    assert rates_hz == pytest.approx([listened.RATE_HZ] * 2)


def test_the_whole_recording_is_there_around_a_clip(study: Path) -> None:
    corpus = Sessions(study)
    ref = corpus.trials()[-1]
    whole, arrays = corpus.whole(ref), corpus.load(ref).arrays
    with Session.open(corpus.one(ref).recording) as session:
        signal = session.signal("eda")
    assert whole.values.tolist() == signal.values.tolist()
    assert whole.times_s.tolist() == signal.times_s.tolist()
    at = int(np.searchsorted(whole.times_s, corpus.one(ref).playing.start_s))
    assert whole.values[at : at + len(arrays["eda"])].tolist() == arrays["eda"].tolist()
    assert whole.known["unit"].tolist() == ["uS"] and corpus.whole(ref, "ppg").known["unit"].tolist()
    with pytest.raises(
        DataError, match=r"P002_session-0\.h5 has no sound that can be read; known are eda, ppg, respiration"
    ):
        corpus.whole(ref, "sound")


def test_trials_are_the_same_wherever_the_study_lies(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "copy")
    assert Sessions(tmp_path / "copy").trials() == Sessions(study).trials()


@pytest.mark.parametrize("beside", [listened.MICROPHONE, listened.PULSE])
def test_clips_need_the_skin_alone(beside: StreamInfo, tmp_path: Path) -> None:
    (tmp_path / "P07").mkdir()
    path = listened.record(tmp_path / "P07" / "P07_session-0.h5", beside=beside)
    whole = Sessions(tmp_path)
    assert ("ppg" in whole.load(whole.trials()[0]).arrays) == (beside is listened.PULSE)
    listened.rot(path, beside.name)
    corpus = Sessions(tmp_path)
    assert not corpus.left_out and len(corpus.trials()) == len(listened.CLIPS)
    for ref in corpus.trials():
        arrays = corpus.load(ref).arrays
        assert "ppg" not in arrays and np.array_equal(arrays["eda"], whole.load(ref).arrays["eda"])
    with pytest.raises(DataError, match=r"has no ppg that can be read; known are"):
        corpus.whole(corpus.trials()[0], "ppg")
    listened.rot(path, "board")
    with pytest.raises(DataError, match=r"P07_session-0\.h5 cannot be read"):
        Sessions(tmp_path).load(corpus.trials()[0])


def test_a_damaged_recording_is_left_out_and_told(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "study")
    (tmp_path / "study" / "P001" / "P001_session-0.h5").write_bytes(b"no recording")
    corpus = Sessions(tmp_path / "study")
    assert {ref.subject for ref in corpus.trials()} == {"P002"}
    (left_out,) = (one for one in corpus.left_out if "P001" in one.key)
    assert left_out.key == "P001_session-0" and "is no HDF5 file" in left_out.why


def test_a_copied_recording_is_learnt_from_once_and_told(study: Path, tmp_path: Path) -> None:
    place = tmp_path / "study"
    shutil.copytree(study, place)
    shutil.copytree(place / "P001", place / "A-backup")
    renamed = place / "P001" / "P001_session-7.h5"
    shutil.copy(place / "P001" / "P001_session-0.h5", renamed)
    corpus = Sessions(place)
    assert corpus.trials() == Sessions(study).trials()
    assert {one.recording.parent.name for one in corpus.heard().values()} == {"P001", "P002"}
    told = {one.key: one.why for one in corpus.left_out if "is a copy of" in one.why}
    assert set(told) == {"A-backup/P001_session-0", "P001/P001_session-7"}
    assert told["P001/P001_session-7"] == f"{renamed} is a copy of {place / 'P001' / 'P001_session-0.h5'}"


def test_of_two_recordings_of_one_name_the_one_in_its_own_folder_is_read(study: Path, tmp_path: Path) -> None:
    place = tmp_path / "study"
    shutil.copytree(study, place)
    (place / "A-other").mkdir()
    shutil.copy(place / "P002" / "P002_session-0.h5", place / "A-other" / "P001_session-0.h5")
    (place / "P002" / "P002_session-0.h5").unlink()
    corpus = Sessions(place)
    assert {ref.subject for ref in corpus.trials()} == {"P001"}
    (left_out,) = (one for one in corpus.left_out if one.key.startswith("A-other/"))
    assert "is another recording of the same name as" in left_out.why


def test_capitals_make_nobody_another_participant(tmp_path: Path) -> None:
    for who in ("P001", "p001", "p002"):
        (tmp_path / who).mkdir()
        listened.record(tmp_path / who / f"{who}_session-0.h5", ("high", "low"), participant=who)
    refs = Sessions(tmp_path).trials()
    assert [(ref.key.partition("/")[0], ref.subject) for ref in refs[::2]] == [
        ("P001_session-0", "P001"), ("p001_session-0", "P001"), ("p002_session-0", "p002"),
    ]  # fmt: skip


def test_a_recording_that_goes_away_is_told_trial_by_trial(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "study")
    corpus = Sessions(tmp_path / "study")
    whole = len(corpus.trials())
    (tmp_path / "study" / "P001" / "P001_session-0.h5").unlink()
    loaded = list(corpus.each())
    assert {trial.ref.subject for trial in loaded} == {"P002"}
    assert len(corpus.trials()) == len(loaded) < whole


def test_trials_in_which_nobody_took_part_are_known(study: Path, tmp_path: Path) -> None:
    """By who answered, as the session noted it, or by what measured; real ones are not among them."""
    corpus = Sessions(study)
    assert corpus.simulated() == {ref.key for ref in corpus.trials()}
    for who, instrument in (("P07", {"simulated": True}), ("P08", {"model": "a board"})):
        (tmp_path / who).mkdir()
        path, info = tmp_path / who / f"{who}_session-0.h5", replace(listened.SKIN, instrument=instrument)
        listened.record(path, ("high", "low"), participant=who, info=info)
    corpus = Sessions(tmp_path)
    assert corpus.simulated() == {ref.key for ref in corpus.trials() if ref.subject == "P07"}
    assert len(corpus.simulated()) == 2


def test_answers_that_were_simulated_are_known_without_an_instrument(tmp_path: Path) -> None:
    only = devices_text(("thermal",))
    (path,) = rehearse(Order(tmp_path / "s", 1, seed=5, protocol="quick", devices_text=only), jobs=1)
    with Session.open(path) as session:
        assert not any(stream.info.channels[0].kind == "eda" for stream in session.streams.values())
    assert Sessions(tmp_path / "s").simulated() == set(Sessions(tmp_path / "s").heard())


def test_without_skin_conductance_a_trial_is_left_out(tmp_path: Path) -> None:
    only = devices_text(("thermal",))
    rehearse(Order(tmp_path / "study", 1, seed=5, protocol="quick", devices_text=only), jobs=1)
    corpus = Sessions(tmp_path / "study")
    heard = len(corpus.trials())
    assert heard and list(corpus.each()) == [] and corpus.trials() == []
    assert sum("has no skin conductance while" in one.why for one in corpus.left_out) == heard


def test_what_is_no_study_is_told(study: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no study with recordings: expected are files like P014/"):
        Sessions(tmp_path)
    with pytest.raises(DataError, match="'mood' is no label of a study; known are state and group"):
        Sessions(study, "mood")  # type: ignore[arg-type]
    with pytest.raises(
        DataError, match="has no trial 'P009_session-0/01_x'; its first is P001_session-0/01_"
    ):
        Sessions(study).load(TrialRef("P009_session-0/01_x", "P009", "neutral"))
