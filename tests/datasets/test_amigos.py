"""AMIGOS is read from its MATLAB files: arousal first, the 17th channel, and no trial dropped in silence."""

from __future__ import annotations

import io
import logging
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from emolab.core.errors import DataError
from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets import amigos as room
from emolab.datasets.amigos import RATE_HZ, REST, Amigos
from emolab.datasets.dataset import Dataset, TrialRef

SECONDS = 2


def cells(*values: Any) -> Any:
    """A 1×n cell array."""
    made = np.empty((1, len(values)), object)
    made[0] = values
    return made


def signals(number: int) -> Any:
    """Each channel tells its number and trial; the rest is negative."""
    values = np.tile(np.arange(17.0) + 100 * number, (REST + int(SECONDS * RATE_HZ), 1))
    values[:REST] *= -1
    return values


def rating(number: int) -> Any:
    """Arousal 1 and valence 9 in even trials, the other way round in odd ones."""
    pair = (1.0, 9.0) if number % 2 == 0 else (9.0, 1.0)
    return np.array([[*pair, *[5.0] * 10]])


def variables(videos: int = 20) -> dict[str, Any]:
    data = [signals(number) for number in range(videos)] + [np.zeros((0, 0))] * (20 - videos)
    labels = [rating(number) for number in range(videos)] + [np.zeros((0, 0))] * (20 - videos)
    names = [f"{10 + number}" if number < 16 else f"N{number}" for number in range(20)]
    return {
        "joined_data": cells(*data),
        "labels_selfassessment": cells(*labels),
        "labels_ext_annotation": cells(*[np.zeros((3, 2))] * 20),
        "VideoIDs": cells(*names),
    }


def write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, content, do_compression=True)
    return path


def name(subject: int) -> str:
    return f"Data_Preprocessed_P{subject:02d}.mat"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects, the second one without long videos."""
    place = tmp_path_factory.mktemp("amigos")
    write(place / name(8), variables(16))
    write(place / name(1), variables())
    return place


def test_it_is_a_data_set_of_twenty_trials_a_subject_or_sixteen(folder: Path) -> None:
    corpus = Amigos(folder)
    assert isinstance(corpus, Dataset) and resolve(DATASETS, "amigos", "corpus") is Amigos
    trials = corpus.trials()
    assert [ref.key for ref in trials] == [f"P01/{k:02d}" for k in range(20)] + [
        f"P08/{k:02d}" for k in range(16)
    ]
    assert [one.key for one in corpus.left_out] == [f"P08/{k}" for k in (16, 17, 18, 19)]
    assert corpus.left_out[0].why.endswith("has no rating of trial 16")
    assert corpus.ratings()["P01/16"].song == "N16"


def test_the_order_in_which_files_are_listed_does_not_matter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, listed = Amigos(folder).trials(), sorted(folder.iterdir())
    for order in (listed, listed[::-1]):
        monkeypatch.setattr(Path, "glob", lambda _, like, order=order: iter(order if like == "*.mat" else []))
        assert Amigos(folder).trials() == straight


def test_a_folder_for_each_subject_will_do(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.stem).mkdir()
        (tmp_path / path.stem / path.name).write_bytes(path.read_bytes())
    assert Amigos(tmp_path).trials() == Amigos(folder).trials()


def test_arousal_stands_before_valence(folder: Path) -> None:
    rated = Amigos(folder).ratings()["P01/00"]
    assert (rated.arousal, rated.valence) == (1.0, 9.0)
    for target, first in (("valence", "high"), ("arousal", "low")):
        labels = [ref.label for ref in Amigos(folder, target).trials()[:20]]  # type: ignore[arg-type]
        assert labels[0] == first and labels[::2] == [first] * 10 and first not in labels[1::2]


def test_a_trial_is_the_skin_of_one_video_without_its_rest(folder: Path) -> None:
    corpus = Amigos(folder)
    arrays = corpus.load(corpus.trials()[17]).arrays
    assert arrays["eda"].tolist() == [1700.0 + 16] * int(SECONDS * RATE_HZ)
    assert arrays["rest"].tolist() == [-1716.0] * 640
    assert arrays["ratings"].tolist() == [1.0, 9.0]
    with pytest.raises(DataError, match=r"AMIGOS in .* has no trial 'P08/16'"):
        corpus.load(TrialRef("P08/16", "P08", "high"))


def test_empty_cells_and_what_is_no_number_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = variables()
    content["joined_data"][0, 1] = np.zeros((0, 0))
    content["joined_data"][0, 2][700, 16] = np.nan
    content["joined_data"][0, 3][700, 3] = np.nan  # of the brain: none of ours
    content["joined_data"][0, 4] = np.zeros((900, 14))
    content["joined_data"][0, 5] = signals(5)[:REST]
    content["joined_data"][0, 6] = "lost"
    content["labels_selfassessment"][0, 7][0, 0] = np.nan
    content["labels_selfassessment"][0, 8][0, 1] = 0.0
    write(tmp_path / name(32), content)
    corpus = Amigos(tmp_path)
    with caplog.at_level(logging.WARNING):
        loaded = [int(trial.ref.key[4:]) for trial in corpus.each()]
    assert loaded == [0, 3, *range(9, 20)]
    why = {int(one.key[4:]): one.why for one in corpus.left_out}
    assert sorted(why) == [1, 2, 4, 5, 6, 7, 8] and len(caplog.records) == 7
    assert "is empty" in why[1] and "not all numbers" in why[2] and "shape (900, 14)" in why[4]
    assert "shape (640, 17)" in why[5] and "is empty" in why[6]
    assert "has no rating" in why[7] and "not from 1 to 9" in why[8]
    assert len(corpus.trials()) == 13


def test_videos_without_names_are_numbered(tmp_path: Path) -> None:
    content = variables()
    del content["VideoIDs"]
    write(tmp_path / name(1), content)
    assert Amigos(tmp_path).ratings()["P01/03"].song == "03"


def test_a_video_without_a_name_has_that_of_the_others_or_is_left_out(tmp_path: Path) -> None:
    nameless, other = variables(), variables()
    del nameless["VideoIDs"]
    nameless["labels_selfassessment"][0, 0][0, 0] = 3.0
    other["VideoIDs"][0, 4] = "77"
    for number, content in enumerate((nameless, other, variables()), 1):
        write(tmp_path / name(number), content)
    corpus = Amigos(tmp_path)
    songs = {key: rated.song for key, rated in corpus.ratings().items()}
    assert (songs["P01/10"], songs["P02/04"], songs["P03/04"]) == ("20", "77", "14")
    (left_out,) = corpus.left_out
    assert left_out.key == "P01/04" and "others differ" in left_out.why
    assert "P01" in corpus.thresholds() and len(corpus.trials()) == 59


def test_bytes_behind_a_variable_do_not_cost_a_subject(folder: Path, tmp_path: Path) -> None:
    """Other programs read AMIGOS with SciPy's check of this switched off: its files seem to have them."""
    plain = io.BytesIO()
    savemat(plain, variables())
    content, at = plain.getvalue(), 128
    padded = content[:128]
    while at < len(content):
        end = at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")
        packed = zlib.compress(content[at:end] + b"\0" * 8)
        padded += struct.pack("<II", 15, len(packed)) + packed
        at = end
    (tmp_path / name(1)).write_bytes(padded)
    corpus = Amigos(tmp_path)
    assert len(list(corpus.each())) == 20 and corpus.left_out == ()
    first = corpus.trials()[0]
    assert corpus.load(first).arrays["eda"].tolist() == Amigos(folder).load(first).arrays["eda"].tolist()


def test_what_is_packed_and_cut_is_told(tmp_path: Path) -> None:
    packed = zlib.compress(b"\0" * 5000, 0)[:-600]
    (tmp_path / name(1)).write_bytes(b" " * 124 + b"\0\1IM" + struct.pack("<II", 15, len(packed)) + packed)
    corpus = Amigos(tmp_path)
    assert corpus.trials() == []
    (left_out,) = corpus.left_out
    assert "it ends in the middle" in left_out.why


def test_videos_called_by_numbers_keep_their_names(tmp_path: Path) -> None:
    content = variables()
    content["VideoIDs"] = cells(*[np.array([[30.0 + number]]) for number in range(20)])
    write(tmp_path / name(1), content)
    assert [rated.song for rated in Amigos(tmp_path).ratings().values()] == [str(30 + k) for k in range(20)]


def a_bomb() -> bytes:
    """Two gigabytes of nothing, packed."""
    packer = zlib.compressobj(9)
    piece = b"\0" * (1 << 24)
    packed = b"".join(packer.compress(piece) for _ in range(8)) + packer.flush()
    return b" " * 124 + b"\0\1IM" + struct.pack("<II", 15, len(packed)) + packed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first 128 bytes"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 500, "first 128 bytes"),
        (b" " * 124 + b"\0\1IM" + struct.pack("<II", 15, 1 << 30) + b"x" * 100, "ends in the middle"),
        (b" " * 124 + b"\0\1IM" + struct.pack("<II", 15, 100) + b"x" * 100, "is no MATLAB file"),
        (b" " * 124 + b"\0\1IM" + struct.pack("<II", 14, 100) + b"\xff" * 100, "is no MATLAB file"),
        (b" " * 124 + b"\0\1IM", "has no cells 'labels_selfassessment'"),
        (a_bomb(), "unpacked it is larger than"),
    ],
    ids=["empty", "version 7.3", "cut", "no packing", "no matrix", "no variable", "bomb"],
)
def test_a_file_that_cannot_be_read_leaves_its_subject_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str
) -> None:
    monkeypatch.setattr(room, "MOST_BYTES", 1 << 26)
    (tmp_path / name(1)).write_bytes((folder / name(1)).read_bytes())
    (tmp_path / name(2)).write_bytes(content)
    corpus = Amigos(tmp_path)
    tracemalloc.start()
    try:
        assert {ref.subject for ref in corpus.trials()} == {"P01"}
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (left_out,) = corpus.left_out
    assert left_out.key == "P02" and said in left_out.why and name(2) in left_out.why
    assert peak < 16 << 20


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_told_or_harmless(folder: Path, tmp_path: Path, data: st.DataObject) -> None:
    whole = (folder / name(8)).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    is_cut = data.draw(st.booleans())
    hurt = (
        whole[:at] if is_cut else whole[:at] + data.draw(st.binary(min_size=1, max_size=8)) + whole[at + 8 :]
    )
    (tmp_path / name(8)).write_bytes(hurt)
    corpus = Amigos(tmp_path)
    try:
        loaded = len(list(corpus.each()))
    except DataError as error:
        assert "threshold" in str(error)  # too few trials are left
    else:
        assert loaded == 16 or corpus.left_out


def test_another_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no AMIGOS: expected are Data_Preprocessed_P01\.mat"):
        Amigos(tmp_path)
