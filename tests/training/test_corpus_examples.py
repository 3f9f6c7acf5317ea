"""Every corpus becomes examples of the trials that can be used, and says of the others why not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolab.core.errors import ConfigError, DataError
from emolab.core.label import STATE_KEYS
from emolab.datasets import hku956
from emolab.datasets.cache import ArrayCache
from emolab.datasets.dataset import LeftOut
from emolab.devices.simulation.effect import EFFECTS
from emolab.models.classifier import Input, Spec, make
from emolab.models.eda_inputs import curves
from emolab.session.rehearsal import Order, devices_text, rehearse
from emolab.signals.audio_features import COMPARE, FeatureTable
from emolab.signals.eda.convex import cvxeda, standardise
from emolab.signals.eda.features import EDA_FEATURES
from emolab.training import corpus_examples
from emolab.training.clip_music import music_table
from emolab.training.corpus_examples import Found, examples_of, open_corpus
from emolab.training.corpus_labels import GROUPS
from emolab.training.trial_inputs import Skin, channels_of, component_figures_of, component_waveform_of
from tests.training.corpora import SECONDS, WRITERS, Heard, by_skin, heard, write_pmemo, write_pmemo_2019

CURVES, FIGURES = make("rtcag").spec, make("feature_cnn").spec
MUSIC = Spec("music", "", (Input("music", (COMPARE,), ""),), 2, None)
PICTURES = make("res_si").spec
TRIALS = heard(2, 6, by_skin)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("corpora")
    return {name: write(folder / name, TRIALS) for name, write in WRITERS.items()}


@pytest.fixture
def cache(tmp_path: Path) -> ArrayCache:
    return ArrayCache(tmp_path / "cache")


def read(name: str, place: Path, cache: ArrayCache, spec: Spec = CURVES, **more: object) -> Found:
    return examples_of(open_corpus(name, place, "valence"), spec, "valence", cache, **more)  # type: ignore[arg-type]


def in_order(found: Found) -> list[tuple[str, str]]:
    examples = found.examples
    return list(zip(examples.subjects.tolist(), examples.songs.tolist(), strict=True))


@pytest.mark.parametrize("name", WRITERS)
def test_every_corpus_gives_its_trials_with_exact_labels(
    name: str, places: dict[str, Path], cache: ArrayCache
) -> None:
    found = read(name, places[name], cache)
    examples = found.examples
    number: Callable[[str], int] = lambda word: int(word.strip("hkus"))  # noqa: E731
    first = 1 if name in ("deap", "amigos") else 0
    truth = {(one.subject + first, one.song): one.is_high for one in TRIALS}
    wanted = {
        (number(who.strip("P")), number(song)): label == 1
        for (who, song), label in zip(in_order(found), examples.labels.tolist(), strict=True)
    }
    assert wanted == truth
    assert examples.inputs[0].shape == (len(TRIALS), 3, 2500) and examples.classes == ("low", "high")
    assert np.isfinite(examples.inputs[0][:]).all()
    assert set(examples.ends_s.tolist()) == {float(SECONDS)} and not examples.starts_s.any()
    assert found.how["corpus"] == open_corpus(name, places[name], "valence").spec.name


def test_a_whole_trial_is_decomposed_and_cut_afterwards(places: dict[str, Path], cache: ArrayCache) -> None:
    corpus = open_corpus("hku956", places["hku956"], "valence")
    found = examples_of(corpus, CURVES, "valence", cache).examples
    skin = corpus.load(corpus.trials()[3]).arrays["eda"]
    whole = standardise(skin)
    parts = cvxeda(whole, 4.0)
    expected = curves(np.stack([whole, parts.phasic, parts.tonic]), 4.0)
    assert found.keys[3] == corpus.trials()[3].key
    np.testing.assert_allclose(found.inputs[0][3], expected, atol=1e-6)


def test_of_deap_the_rest_is_decomposed_too_and_the_whole_minute_stays(
    places: dict[str, Path], cache: ArrayCache
) -> None:
    corpus = open_corpus("deap", places["deap"], "valence")
    found = examples_of(corpus, CURVES, "valence", cache).examples
    trial = corpus.load(corpus.trials()[0]).arrays
    whole = standardise(np.concatenate([trial["rest"], trial["eda"]]).astype(np.float64))
    parts = cvxeda(whole, 128.0)
    channels = np.stack([whole, parts.phasic, parts.tonic])[:, 384:]
    np.testing.assert_allclose(found.inputs[0][0], curves(channels, 128.0, from_s=0.0), atol=1e-6)


def test_pictures_and_figures_are_there_for_the_same_trials(
    places: dict[str, Path], cache: ArrayCache
) -> None:
    pictures = read("amigos", places["amigos"], cache, PICTURES).examples
    assert pictures.inputs[0].shape == (12, 3, 224, 224)
    assert pictures.inputs[0][:2].min() == 0 and pictures.inputs[0][:2].max() == 1
    figures = read("amigos", places["amigos"], cache, FIGURES).examples
    assert figures.inputs[0].shape == (12, 128) and np.isfinite(figures.inputs[0][:]).all()
    assert figures.keys.tolist() == pictures.keys.tolist()


def test_the_regression_gets_plain_figures_of_either_part(places: dict[str, Path], cache: ArrayCache) -> None:
    tables = {}
    for name in ("mlr", "mlr_tonic"):
        found = read("pmemo", places["pmemo"], cache, make(name).spec).examples
        assert found.inputs[0].shape == (12, 28) and np.isfinite(found.inputs[0][:]).all()
        assert found.ratings is not None
        assert (found.ratings[:, 0] > 0.5).tolist() == (found.labels == 1).tolist()
        tables[name] = found.inputs[0][:]
    assert np.abs(tables["mlr"] - tables["mlr_tonic"]).max() > 0.1


def test_the_authors_way_gives_other_curves(places: dict[str, Path], cache: ArrayCache) -> None:
    for name in ("hku956", "pmemo", "deap"):
        reference = read(name, places[name], cache).examples
        authors = read(name, places[name], cache, variant="authors").examples
        assert authors.inputs[0].shape == reference.inputs[0].shape
        assert np.abs(authors.inputs[0][:] - reference.inputs[0][:]).max() > 0.1
    # 100 rows of 100 are 78 s: of a minute there are not so many
    with pytest.raises(DataError, match="no trial that can be used"):
        read("amigos", places["amigos"], cache, variant="authors")


def test_a_second_reading_decomposes_nothing(
    places: dict[str, Path], cache: ArrayCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read("hku956", places["hku956"], cache).examples

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decomposed again")

    monkeypatch.setattr(corpus_examples.trial_inputs, "cvxeda", refuse)
    assert read("hku956", places["hku956"], cache).examples.digest == first.digest
    assert len(read("hku956", places["hku956"], cache, PICTURES).examples) == 12
    with pytest.raises(AssertionError, match="decomposed again"):
        read("deap", places["deap"], cache)


def test_each_trial_is_told_when_it_is_done(places: dict[str, Path], cache: ArrayCache) -> None:
    told: list[tuple[int, int]] = []
    read("hku956", places["hku956"], cache, on_trial=lambda done, of: told.append((done, of)))
    assert told == [(k, 12) for k in range(1, 13)]


def spoil(place: Path, song: int, values: str | None, who: int = 0) -> str:
    name = f"{song}_s{song}.csv"
    for signal in hku956.RATES_HZ:
        path = place / hku956.SIGNALS / f"hku{who:02d}" / signal.upper() / name
        if values == "short":
            path.write_text("\n".join(path.read_text().split()[: round(6 * (hku956.RATES_HZ[signal] or 0))]))
        elif signal == "eda":
            path.write_text("\n".join([values or ""] * (4 * SECONDS)))
    return f"hku{who:02d}/{song}_s{song}"


def test_trials_that_cannot_be_used_are_left_out_with_a_reason(tmp_path: Path, cache: ArrayCache) -> None:
    place = WRITERS["hku956"](tmp_path / "hku956", TRIALS)
    why = {
        spoil(place, 0, "nan"): "holds a number that is none",
        spoil(place, 1, "2.5"): "is flat and has no scale",
        spoil(place, 2, "short"): "6.0 s of skin conductance leave 3.0 s",
        spoil(place, 3, ""): "is empty",
    }
    found = read("hku956", place, cache)
    assert len(found.examples) == 8 and {one.key for one in found.left_out} == set(why)
    assert all(why[one.key] in one.why for one in found.left_out)
    # a threshold is of all that was rated
    truth = [one.is_high for one in TRIALS if (one.subject, one.song) not in {(0, k) for k in range(4)}]
    assert found.examples.labels.tolist() == truth
    figures = read("hku956", place, cache, FIGURES)
    assert {one.key for one in figures.left_out} == set(why)
    assert any("the lowest band needs 10 s" in one.why for one in figures.left_out)
    for song in range(6):
        for who in ("hku00", "hku01"):
            path = place / hku956.SIGNALS / who / "EDA" / f"{song}_s{song}.csv"
            path.write_text("\n".join(["1"] * (4 * SECONDS)))
    with pytest.raises(DataError, match=r"HKU956 has no trial that can be used for RTCAG .*; the first"):
        read("hku956", place, cache)


def test_labels_may_be_fixed_or_the_corpus_own(tmp_path: Path, cache: ArrayCache) -> None:
    place = WRITERS["hku956"](tmp_path / "hku956", TRIALS)
    path = place / hku956.RATINGS
    lines = path.read_text().splitlines()
    lines[1] = "hku00,0,s0,0.5,neutral,-0.5,neutral"
    path.write_text("\n".join(lines))
    fixed = read("hku956", place, cache, by="fixed").examples
    assert fixed.labels[0] == 1 and fixed.ratings is not None and fixed.ratings[0].tolist() == [0.5, -0.5]
    given = read("hku956", place, cache, by="corpus")
    assert given.examples.classes == ("negative", "positive") and len(given.examples) == 11
    assert [(one.key, "neutral" in one.why) for one in given.left_out] == [("hku00/0_s0", True)]
    arousal = open_corpus("hku956", place, "arousal")
    assert examples_of(arousal, CURVES, "arousal", cache, by="fixed").examples.labels[0] == 0


def test_whose_the_labels_are_is_told(tmp_path: Path, places: dict[str, Path], cache: ArrayCache) -> None:
    songs = write_pmemo_2019(tmp_path / "2019", TRIALS)
    assert read("pmemo", songs, cache).how["is_own"] is False
    for name, place in places.items():
        how = read(name, place, cache).how
        assert how["is_own"] is True and how["population"] == []
    rows = [*TRIALS, *heard(3, 3, by_skin)[6:], *heard(4, 3, by_skin)[9:]]  # two more, of three songs each
    few = WRITERS["hku956"](tmp_path / "hku956", rows)
    assert read("hku956", few, cache).how["population"] == ["hku02", "hku03"]
    assert read("hku956", few, cache, by="fixed").how["population"] == []
    for song in range(3):  # whoever is not among the examples needs no flag
        spoil(few, song, "nan", who=3)
    assert read("hku956", few, cache).how["population"] == ["hku02"]


def test_music_comes_from_the_corpus_or_from_a_table(places: dict[str, Path], cache: ArrayCache) -> None:
    spec = Spec("both", "", (CURVES.inputs[0], MUSIC.inputs[0]), 2, None)
    own = read("pmemo", places["pmemo"], cache, spec).examples
    assert [one.shape for one in own.inputs] == [(12, 3, 2500), (12, COMPARE)]
    assert len(np.unique(own.inputs[1][:], axis=0)) == 6  # songs
    values = np.arange(5 * COMPARE, dtype=np.float64).reshape(5, COMPARE)
    table = FeatureTable(tuple(f"s{k}" for k in range(5)), tuple(map(str, range(COMPARE))), values)
    given = read("hku956", places["hku956"], cache, MUSIC, music=table)
    assert len(given.examples) == 10
    assert given.examples.inputs[0][3][0] == 3 * COMPARE
    assert all("the table has no song s5" in one.why for one in given.left_out)
    with pytest.raises(DataError, match="no figures of the music of s0 are there; give a table"):
        read("hku956", places["hku956"], cache, MUSIC)


def test_a_folder_without_sounds_has_no_music(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no sound to compute music's figures from"):
        music_table(tmp_path)


def test_targets_that_a_corpus_does_not_have_are_told(places: dict[str, Path], cache: ArrayCache) -> None:
    with pytest.raises(ConfigError, match="'mood' is no target; known are valence, arousal, state, group"):
        open_corpus("hku956", places["hku956"], "mood")
    with pytest.raises(ConfigError, match="deap has no target 'state'; it has valence and arousal"):
        open_corpus("deap", places["deap"], "state")
    with pytest.raises(ConfigError, match="nobody rated valence"):
        open_corpus("study", places["deap"], "valence")
    with pytest.raises(ConfigError, match="unknown corpus 'fer2013'"):
        open_corpus("fer2013", places["deap"], "valence")
    corpus = open_corpus("pmemo", places["pmemo"], "valence")
    with pytest.raises(ConfigError, match="PMEmo was opened for 'valence', not 'arousal'"):
        examples_of(corpus, CURVES, "arousal", cache)
    with pytest.raises(ConfigError, match="PMEmo gives no classes of its own"):
        examples_of(corpus, CURVES, "valence", cache, by="corpus")
    with pytest.raises(ConfigError, match="wants 'brain', which no corpus is read for"):
        examples_of(corpus, Spec("x", "", (Input("brain", (1,), ""),), 2, None), "valence", cache)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsed") / "study"
    board = devices_text(("board",))
    rehearse(Order(folder, 1, seed=5, devices_text=board, effect=EFFECTS["lively"]), jobs=1)
    return folder


def test_a_study_of_our_own_has_five_states_and_three_groups(study: Path, cache: ArrayCache) -> None:
    corpus = open_corpus("study", study, "state")
    found = examples_of(corpus, CURVES, "state", cache)
    examples = found.examples
    said = {ref.key: ref.label for ref in corpus.trials()}
    assert examples.classes == STATE_KEYS and len(examples) + len(found.left_out) == 15 and len(examples) > 9
    assert [STATE_KEYS[label] for label in examples.labels] == [said[key] for key in examples.keys]
    assert set(examples.subjects.tolist()) == {"P001"} and examples.ratings is not None
    groups = examples_of(open_corpus("study", study, "group"), FIGURES, "group", cache).examples
    assert groups.classes == GROUPS and groups.inputs[0].shape == (len(groups), 128)
    pictures = examples_of(corpus, PICTURES, "state", cache).examples
    assert np.isfinite(pictures.inputs[0][:2]).all()
    with pytest.raises(ConfigError, match="the study was opened for 'state', not 'group'"):
        examples_of(corpus, CURVES, "group", cache)


def test_what_is_written_is_what_was_meant() -> None:
    one = Heard(0, 1, True, True, 3)
    skin = one.skin(4.0)
    assert abs(np.argmax(skin - np.linspace(skin[0], skin[-1], len(skin))) / 4 - 41.2) < 1


def test_a_trial_too_short_for_its_low_pass_is_left_out(places: dict[str, Path], tmp_path: Path) -> None:
    place = tmp_path / "pmemo"
    shutil.copytree(places["pmemo"], place)
    cut = min((place / "EDA" / "Valence").glob("*.csv"))
    cut.write_text("\n".join(cut.read_text().splitlines()[:13]))
    found = read("pmemo", place, ArrayCache(tmp_path / "cache"), make("mlr").spec)
    (left,) = found.left_out
    assert "too short" in left.why and len(found.examples) == len(TRIALS) - 1


def test_what_is_left_out_is_counted_by_reason(places: dict[str, Path]) -> None:
    root = places["hku956"]
    whys = {
        "P5/8": f"{root}/1. signals/P5/EDA/8_x.csv is not there",
        "P6/9": f"{root}/1. signals/P6/EDA/9_x.csv is not there",
        "a/1": "8.0 s are too short; 10 s are needed",
    }
    kept = examples_of(open_corpus("hku956", root, "valence"), FIGURES, "valence", ArrayCache()).examples
    left_out = tuple(LeftOut(key, why) for key, why in whys.items())
    assert replace(Found(kept, left_out), how={"lost": {"high": 3}}).account(root) == {
        "n": 3,
        "of": 15,
        "why": {"1. signals/…/EDA/… is not there": 2, "8.0 s are too short; 10 s are needed": 1},
        "of_class": {"low": 0, "high": 3},
    }


def test_classes_of_trials_that_were_left_out_are_counted(places: dict[str, Path], tmp_path: Path) -> None:
    place = tmp_path / "pmemo"
    shutil.copytree(places["pmemo"], place)
    for path in (place / "EDA" / "Valence").glob("*.csv"):
        path.write_text("\n".join(path.read_text().splitlines()[:13]))
    whole = read("pmemo", places["pmemo"], ArrayCache(tmp_path / "cache"), make("mlr").spec)
    assert whole.account(place) == {"n": 0, "of": len(TRIALS), "why": {}, "of_class": {"low": 0, "high": 0}}
    (place / "EDA" / "Valence").joinpath(_one_of(place)).write_bytes(_one(places["pmemo"]))
    found = read("pmemo", place, ArrayCache(tmp_path / "cache"), make("mlr").spec)
    told, high = found.account(place), sum(one.is_high for one in TRIALS)
    assert told["n"] == len(TRIALS) - 1 and sum(told["of_class"].values()) == told["n"]
    assert told["of_class"]["high"] + found.examples.counts()["high"] == high
    assert len(told["why"]) == 1 and "too short" in next(iter(told["why"]))


def _one_of(place: Path) -> str:
    return min((place / "EDA" / "Valence").glob("*.csv")).name


def _one(place: Path) -> bytes:
    return (place / "EDA" / "Valence" / _one_of(place)).read_bytes()


def test_a_waveform_is_the_part_itself_in_a_hundred_points() -> None:
    times_s = np.arange(60 * 50) / 50
    slow, fast = np.sin(2 * np.pi * times_s / 20), np.sin(2 * np.pi * 2 * times_s)
    channels = np.stack([np.zeros(3000), 5 * slow + fast + 7, np.cos(2 * np.pi * times_s / 30)])
    skin = Skin(np.zeros(3000), 50.0)
    found = component_waveform_of(skin, channels, "phasic")
    at = np.linspace(0, 2999, 100)
    assert found.shape == (100,)
    assert found == pytest.approx(np.interp(at, np.arange(3000), slow) * 2**0.5, abs=0.08)
    assert found[1:-1] == pytest.approx(slow[at.astype(int)][1:-1] * 2**0.5, abs=0.03), "no 2 Hz is left"
    tonic = component_waveform_of(skin, channels, "tonic")
    assert tonic == pytest.approx(np.cos(2 * np.pi * at / 50 / 30) * 2**0.5, abs=0.05)


def test_of_a_long_trial_no_more_is_left_than_a_hundred_points_hold() -> None:
    """Of five minutes they are three seconds apart: 0.5 Hz, which is below 0.6, would be seen as a drift."""
    times_s = np.arange(300 * 4) / 4
    slow, fast = np.sin(2 * np.pi * times_s / 60), np.sin(2 * np.pi * 0.5 * times_s)
    channels = np.stack([slow, slow + fast, slow])
    skin = Skin(np.zeros(1200), 4.0)
    both, alone = (component_waveform_of(skin, channels, part) for part in ("phasic", "tonic"))  # type: ignore[arg-type]
    assert both[2:-2] == pytest.approx(alone[2:-2], abs=0.05)


def test_of_a_short_trial_nothing_above_six_tenths_of_a_hertz_is_left() -> None:
    times_s = np.arange(20 * 50) / 50
    slow = np.sin(2 * np.pi * times_s / 10)
    channels = np.stack([slow, slow + 0.5 * np.sin(2 * np.pi * 1.5 * times_s), slow])
    skin = Skin(np.zeros(1000), 50.0)
    both, alone = (component_waveform_of(skin, channels, part) for part in ("phasic", "tonic"))  # type: ignore[arg-type]
    assert both[3:-3] == pytest.approx(alone[3:-3], abs=0.03)


def test_a_part_with_nothing_in_it_is_refused() -> None:
    """A ramp has no phasic part: what the solver leaves of it is rounding, and not to be blown up."""
    skin = Skin(2 + 0.01 * np.arange(240) / 4, 4.0)
    channels = channels_of(skin)
    for taken in (component_waveform_of, component_figures_of):
        with pytest.raises(DataError, match="its phasic part is flat and says nothing"):
            taken(skin, channels, "phasic")
        assert np.isfinite(taken(skin, channels, "tonic")).all()


def test_of_a_waveform_what_came_before_the_trial_is_no_part() -> None:
    rng = np.random.default_rng(0)
    part = np.cumsum(rng.normal(0, 0.1, 30 * 50))
    bare = component_waveform_of(Skin(part, 50.0), np.stack([part] * 3), "phasic")
    led = np.concatenate([np.full(100, 90.0), part])
    assert np.array_equal(bare, component_waveform_of(Skin(led, 50.0, 100), np.stack([led] * 3), "phasic"))
    with pytest.raises(DataError, match=r"8\.0 s are too short"):
        component_waveform_of(Skin(part[:400], 50.0), np.stack([part[:400]] * 3), "phasic")


@pytest.mark.parametrize("model", ["mlr", "mlr_tonic"])
def test_figures_of_a_part_do_not_hang_on_the_unit_of_the_skin(model: str, tmp_path: Path) -> None:
    """Not even in their last digits: a column of nothing but rounding was scaled like all others."""
    spec = make(model).spec
    part = spec.inputs[0].modality.split("_")[1]
    rng = np.random.default_rng(0)
    us = 2.0 + 0.3 * np.cumsum(rng.normal(0, 0.02, 50 * 30))
    given = []
    for factor in (1.0, 3.0):
        skin = Skin(factor * us, 50.0, 0)
        channels = channels_of(skin, ArrayCache(tmp_path / f"{factor}"))
        given.append(component_figures_of(skin, channels, part))  # type: ignore[arg-type]
    assert np.allclose(*given, rtol=1e-6, atol=1e-9)
    names = [one.name for one in EDA_FEATURES]
    mean, deviation = (given[0][names.index(name)] for name in ("time_mean", "time_sd"))
    assert abs(mean) > 1e-6 and abs(deviation - 1) > 1e-6, "they say something"


def test_a_fixed_threshold_needs_nobody_s_own(
    places: dict[str, Path], cache: ArrayCache, tmp_path: Path
) -> None:
    """Three songs each are too few for a threshold of one's own."""
    few = write_pmemo(tmp_path / "few", heard(3, 3, by_skin))
    corpus = open_corpus("pmemo", few, "valence", "fixed")
    found = examples_of(corpus, FIGURES, "valence", cache, by="fixed")
    assert len(found.examples) == 9
    with pytest.raises(DataError, match="use a fixed threshold"):
        examples_of(open_corpus("pmemo", few, "valence"), FIGURES, "valence", cache)
