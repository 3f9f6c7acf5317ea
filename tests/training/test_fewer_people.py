"""Fewer participants are drawn by lot, the same ones again, and a small draw is part of every greater one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError
from emolab.datasets import hku956
from emolab.datasets.cache import ArrayCache
from emolab.models.classifier import make
from emolab.training.corpus_examples import Found, examples_of, open_corpus
from emolab.training.fewer_people import check_people, drawn, people_words, read_people
from tests.training import listened
from tests.training.corpora import WRITERS, by_skin, heard

MANY = [f"P{number:03d}" for number in range(457)]
TRIALS = heard(5, 4, by_skin)
FIGURES = make("svm").spec


def test_a_small_draw_is_part_of_every_greater_one() -> None:
    draws = [drawn(MANY, people, seed=0) for people in (46, 128, 319, 457)]
    assert [len(one) for one in draws] == [46, 128, 319, 457]
    assert draws[0] < draws[1] < draws[2] < draws[3] == set(MANY)


def test_the_draw_hangs_on_names_and_seed_and_not_on_their_order() -> None:
    assert drawn(MANY, 46, seed=3) == drawn([*MANY[::-1], *MANY], 46, seed=3)
    assert drawn(MANY, 46, seed=3) != drawn(MANY, 46, seed=4)
    often = [sum(name in drawn(MANY[:10], 5, seed) for seed in range(400)) for name in MANY[:10]]
    assert min(often) > 150 and max(often) < 250  # 200 ± 10 of each: nobody is preferred


def test_who_is_missing_elsewhere_changes_the_draw_by_one() -> None:
    for seed in range(20):
        whole, less = drawn(MANY, 46, seed), drawn(MANY[:100] + MANY[101:], 46, seed)
        assert len(whole - less) <= 1 and (whole == less) == (MANY[100] not in whole)


def test_a_share_is_rounded_to_the_nearest() -> None:
    assert [len(drawn(MANY, share, 0)) for share in (0.1, 0.4, 0.7, 1.0)] == [46, 183, 320, 457]


@pytest.mark.parametrize(
    ("text", "people"), [("46", 46), ("40%", 0.4), (" 0.4 ", 0.4), ("100 %", 1.0), ("12.5%", 0.125)]
)
def test_a_number_and_a_share_are_read(text: str, people: float) -> None:
    found = read_people(text)
    assert found == people and type(found) is type(people)


@pytest.mark.parametrize(
    "text", ["", "half", "0", "1", "-3", "0%", "101%", "46.5", "nan", "inf%", "1e400", "%"]
)
def test_what_is_neither_is_told_with_what_there_is(text: str) -> None:
    with pytest.raises(ConfigError, match="give 2 or more, or a share such as 40%"):
        read_people(text)


def test_words_are_as_they_were_given() -> None:
    assert [people_words(one) for one in (46, 0.4, 1.0, 0.125)] == ["46", "40%", "100%", "12.5%"]
    with pytest.raises(ConfigError, match=r"not 1\.5"):
        check_people(1.5)


@pytest.mark.parametrize(("people", "would_be"), [(458, "458"), (0.001, "0")])
def test_more_than_there_are_and_nobody_are_refused(people: float, would_be: str) -> None:
    with pytest.raises(ConfigError, match=f"would be {would_be} of the corpus's 457 participants"):
        drawn(MANY, people, seed=0)


def read(name: str, place: Path, tmp_path: Path, people: tuple[float, int] | None = None) -> Found:
    cache = ArrayCache(tmp_path / "cache")
    return examples_of(open_corpus(name, place, "valence"), FIGURES, "valence", cache, people=people)


@pytest.mark.parametrize("name", WRITERS)
def test_of_a_corpus_only_they_are_there_with_the_labels_they_have_among_all(
    name: str, tmp_path: Path
) -> None:
    place = WRITERS[name](tmp_path / name, TRIALS)
    all_, some = read(name, place, tmp_path), read(name, place, tmp_path, (3, 0))
    who = drawn(all_.examples.subjects.tolist(), 3, 0)
    assert set(some.examples.subjects.tolist()) == who and some.how["people"] == {"of": 5, "drawn": 3}
    labels = dict(zip(all_.examples.keys.tolist(), all_.examples.labels.tolist(), strict=True))
    own = dict(zip(some.examples.keys.tolist(), some.examples.labels.tolist(), strict=True))
    mine = [subject in who for subject in all_.examples.subjects.tolist()]
    assert set(own) == set(all_.examples.keys[mine].tolist()) and own.items() <= labels.items()
    assert all_.how["people"] is None


@pytest.mark.parametrize("name", ["hku956", "pmemo"])
def test_what_is_left_out_is_counted_of_those_who_were_drawn(name: str, tmp_path: Path) -> None:
    """Each of five people lacks the song after their own number; keys are of another order in PMEmo."""
    place = WRITERS[name](tmp_path / name, heard(5, 5, by_skin))
    lost = {
        f"hku{number:02d}/{number}_s{number}" if name == "hku956" else f"{number}/{number:06d}"
        for number in range(5)
    }
    for number in range(5):
        paths = {
            "hku956": place / hku956.SIGNALS / f"hku{number:02d}" / "EDA" / f"{number}_s{number}.csv",
            "pmemo": place / "EDA" / "Valence" / f"{number}_{number:06d}_V.csv",
        }
        paths[name].unlink()
    whole, some = read(name, place, tmp_path), read(name, place, tmp_path, (2, 0))
    who = set(some.examples.subjects.tolist())
    assert {one.key for one in whole.left_out} == lost and whole.account(place)["n"] == 5
    corpus = open_corpus(name, place, "valence")
    assert {corpus.whose(one.key) for one in some.left_out} == who and len(who) == 2  # type: ignore[attr-defined]
    assert (some.account(place)["n"], some.account(place)["of"]) == (2, 10)


def test_of_a_study_what_cannot_be_read_counts_for_whom_its_folder_is_named_after(tmp_path: Path) -> None:
    for who in ("P01", "P02", "P03", "P04"):
        for session in (0, 1):
            (tmp_path / who).mkdir(exist_ok=True)
            listened.record(tmp_path / who / f"{who}_session-{session}.h5", participant=who, session=session)
        (tmp_path / who / f"{who}_session-1.h5").write_bytes(b"no recording")
        (tmp_path / f"{who}-backup").mkdir()
        shutil.copy(tmp_path / who / f"{who}_session-0.h5", tmp_path / f"{who}-backup")
    (tmp_path / "P99").mkdir()
    (tmp_path / "P99" / "P99_session-0.h5").write_bytes(b"of nobody known")
    cache = ArrayCache(tmp_path / "cache")
    found = examples_of(open_corpus("study", tmp_path, "state"), FIGURES, "state", cache, people=(2, 0))
    who_are = set(found.examples.subjects.tolist())
    assert who_are == drawn(["P01", "P02", "P03", "P04"], 2, 0)
    theirs = {f"{who}_session-1" for who in who_are} | {f"{who}-backup/{who}_session-0" for who in who_are}
    assert {one.key for one in found.left_out} == theirs | {"P99_session-0"}
