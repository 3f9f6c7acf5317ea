"""FER2013 is read in both its layouts, once, and what is no FER2013 is told with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.dataset import Dataset
from emolab.datasets.fer2013 import SPLITS, Faces, Fer2013, twins, without
from emolab.faces.fer import CLASSES

FOLDERS = {"train": "train", "public": "validation", "private": "test"}
USAGE = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}
COUNTS = {"train": 3, "public": 1, "private": 2}  # per class


def made_faces() -> dict[str, Faces]:
    random = np.random.default_rng(0)
    return {
        split: Faces(
            random.integers(0, 256, (count * 7, 48, 48), np.uint8),
            np.repeat(np.arange(7, dtype=np.uint8), count),
        )
        for split, count in COUNTS.items()
    }


def write_folders(place: Path, splits: dict[str, Faces]) -> Path:
    for split, faces in splits.items():
        for k, (picture, label) in enumerate(zip(faces.pictures, faces.labels, strict=True)):
            folder = place / FOLDERS[split] / CLASSES[label]
            folder.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(folder / f"{k:05}.png"), picture)
    return place


def write_table(path: Path, splits: dict[str, Faces]) -> Path:
    lines = ["emotion,pixels,Usage"]
    for split, faces in splits.items():
        for picture, label in zip(faces.pictures, faces.labels, strict=True):
            lines.append(f"{label},{' '.join(map(str, picture.ravel()))},{USAGE[split]}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(params=["folders", "table", "folder of the table"])
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Fer2013:
    place = tmp_path / "fer"
    if request.param == "folders":
        write_folders(place, made_faces())
    else:
        place.mkdir()
        table = write_table(place / "fer2013.csv", made_faces())
        place = table if request.param == "table" else place
    return Fer2013(place, tmp_path / "cache")


def test_all_faces_come_with_their_class_and_split(corpus: Fer2013) -> None:
    for split, made in made_faces().items():
        read = corpus.faces(split)
        assert np.array_equal(read.pictures, made.pictures)
        assert np.array_equal(read.labels, made.labels)
    assert not corpus.is_whole()


def test_it_is_a_data_set_of_trials(corpus: Fer2013) -> None:
    assert isinstance(corpus, Dataset)
    assert resolve(DATASETS, "fer2013", "corpus") is Fer2013
    trials = corpus.trials()
    assert len(trials) == 7 * sum(COUNTS.values())
    assert trials[-1].label == "neutral"
    assert trials[-1].split == "private"
    face = corpus.load(trials[-1]).arrays["face"]
    assert np.array_equal(face, made_faces()["private"].pictures[-1])


def test_it_is_read_once_and_then_from_the_cache(corpus: Fer2013, tmp_path: Path) -> None:
    first = corpus.faces("train").pictures
    kept = list((tmp_path / "cache").iterdir())
    assert [path.suffix for path in kept] == [".npz"]
    written = kept[0].stat().st_mtime_ns
    assert np.array_equal(Fer2013(corpus.place, tmp_path / "cache").faces("train").pictures, first)
    assert kept[0].stat().st_mtime_ns == written


def test_a_corpus_that_grew_is_read_anew(tmp_path: Path) -> None:
    place = write_folders(tmp_path / "fer", made_faces())
    assert len(Fer2013(place, tmp_path / "cache").faces("train")) == 21
    cv2.imwrite(str(place / "train" / "happy" / "new.png"), np.zeros((48, 48), np.uint8))
    assert len(Fer2013(place, tmp_path / "cache").faces("train")) == 22


def test_a_damaged_cache_is_made_again(corpus: Fer2013, tmp_path: Path) -> None:
    corpus.faces("train")
    kept = next((tmp_path / "cache").iterdir())
    kept.write_bytes(kept.read_bytes()[:1000])
    assert len(Fer2013(corpus.place, tmp_path / "cache").faces("train")) == 21


def test_a_missing_class_is_named(tmp_path: Path) -> None:
    place = write_folders(tmp_path / "fer", made_faces())
    for file in (place / "validation" / "fear").iterdir():
        file.unlink()
    (place / "validation" / "fear").rmdir()
    with pytest.raises(DataError, match="validation/fear is not there"):
        Fer2013(place, tmp_path / "cache")


def test_a_folder_that_is_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no FER2013.*fer2013\.csv"):
        Fer2013(tmp_path, tmp_path / "cache")


@pytest.mark.parametrize(
    "content", [b"", b"no picture", cv2.imencode(".png", np.zeros((50, 48), np.uint8))[1]]
)
def test_a_picture_that_is_none_or_of_another_size_is_named(tmp_path: Path, content: bytes) -> None:
    place = write_folders(tmp_path / "fer", made_faces())
    (place / "train" / "sad" / "odd.png").write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"odd\.png is (no picture|48×50 px)"):
        Fer2013(place, tmp_path / "cache").faces("train")


@pytest.mark.parametrize(
    "line",
    [
        "7," + "0 " * 2304 + ",Training",
        "0," + "0 " * 2303 + ",Training",
        "0," + "256 " * 2304 + ",Training",
        "0," + "x " * 2304 + ",Training",
        "0," + "0 " * 2304 + ",Test",
        "0,1",
    ],
)
def test_a_broken_line_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    table = write_table(tmp_path / "fer2013.csv", {"train": made_faces()["train"]})
    table.write_text(table.read_text() + line + "\n")
    with pytest.raises(DataError, match=r"fer2013\.csv:23: "):
        Fer2013(table, tmp_path / "cache").faces("train")


def test_a_table_without_private_faces_or_with_other_columns_is_told(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", {"train": made_faces()["train"]})
    with pytest.raises(DataError, match="no faces"):
        Fer2013(table, tmp_path / "cache").faces("train")
    table.write_text("emotion,Usage,pixels\n")
    with pytest.raises(DataError, match="columns"):
        Fer2013(table, tmp_path / "cache").faces("train")


def test_an_unknown_split_lists_the_known_ones(corpus: Fer2013) -> None:
    with pytest.raises(DataError, match=", ".join(SPLITS)):
        corpus.faces("test")


def test_faces_that_lie_in_two_parts_are_found_and_left_out() -> None:
    made = made_faces()
    train, private = made["train"], made["private"]
    train.pictures[4] = private.pictures[3]
    assert np.flatnonzero(twins(train, private)).tolist() == [4]
    assert len(without(train, private, made["public"])) == 20
    assert not twins(without(train, private), private).any()


def test_a_picture_that_was_written_over_is_read_anew(tmp_path: Path) -> None:
    place = write_folders(tmp_path / "fer", made_faces())
    first = Fer2013(place, tmp_path / "cache").faces("train").pictures[0]
    file = min((place / "train" / CLASSES[0]).iterdir())
    assert cv2.imwrite(str(file), 255 - first)
    assert np.array_equal(Fer2013(place, tmp_path / "cache").faces("train").pictures[0], 255 - first)


def test_a_table_that_is_no_text_is_told(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", made_faces())
    table.write_bytes(table.read_bytes() + b"\xe9")
    with pytest.raises(DataError, match=r"fer2013\.csv cannot be read"):
        Fer2013(table, tmp_path / "cache").faces("train")


def test_empty_lines_of_a_table_are_passed_over(tmp_path: Path) -> None:
    table = write_table(tmp_path / "fer2013.csv", made_faces())
    table.write_text(table.read_text() + "\n\n")
    assert len(Fer2013(table, tmp_path / "cache").faces("train")) == 21


def test_two_processes_may_read_the_corpus_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write_folders(tmp_path / "fer", made_faces())
    write, others = np.savez_compressed, iter([Fer2013(place, tmp_path / "cache")])

    def slowly(out: Any, **arrays: Any) -> None:
        for other in others:  # reads and writes the same meanwhile
            other.faces("train")
        write(out, **arrays)

    monkeypatch.setattr(np, "savez_compressed", slowly)
    assert len(Fer2013(place, tmp_path / "cache").faces("train")) == 21
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npz"]


def test_a_cache_that_cannot_be_written_to_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = write_folders(tmp_path / "fer", made_faces())
    (tmp_path / "cache").write_text("no folder")
    assert len(Fer2013(place, tmp_path / "cache").faces("train")) == 21
    assert "nothing can be kept" in caplog.text


def test_what_a_mac_leaves_beside_a_picture_is_none(tmp_path: Path) -> None:
    place = write_folders(tmp_path / "fer", made_faces())
    (place / "train" / "happy" / "._00001.png").write_bytes(b"\0\5\x16\7")
    assert len(Fer2013(place, tmp_path / "cache").faces("train")) == 21
