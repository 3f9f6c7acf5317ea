"""FER2013: 35,887 grey faces of 48×48 px in seven classes, 28,709 to train, 3,589 public, 3,589 private.

Two layouts are read. Folders, one picture per file:

    DIR/train|validation|test/angry|disgust|fear|happy|sad|surprise|neutral/*.jpg|png

and the competition's table `DIR/fer2013.csv` (or the file itself), 2,304 grey values per line:

    emotion,pixels,Usage
    0,70 80 82 …,Training            PublicTest, PrivateTest

What was read is kept in a cache folder as one npz, and read from there as long as the corpus is unchanged.
The faces come from the web without names: who is in them is not known, and the same picture can lie in
train and test (of the 3,589 private ones 288 do, 280 of the public): `twins` tells, `without` leaves out.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.datasets.cache import keep_whole
from emolab.datasets.dataset import Spec, Trial, TrialRef
from emolab.datasets.tables import opened
from emolab.faces.fer import CLASSES, SIDE_PX

SPLITS = ("train", "public", "private")
COUNTS = {"train": 28_709, "public": 3_589, "private": 3_589}
_FOLDER_OF = {"train": "train", "public": "validation", "private": "test"}
_USAGE = {"Training": "train", "PublicTest": "public", "PrivateTest": "private"}
_PICTURES = {".jpg", ".jpeg", ".png"}
_LAYOUT = (
    "expected are the folders train, validation and test with the classes "
    f"{', '.join(CLASSES)} in them, or fer2013.csv with the columns emotion,pixels,Usage"
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Faces:
    """Faces of one split: `pictures` `(n, 48, 48)` uint8, `labels` `(n,)` uint8 in the order of `CLASSES`."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which: NDArray[np.bool_] | slice) -> Faces:
        return Faces(self.pictures[which], self.labels[which])


class Fer2013:
    """The corpus in `folder` (or the csv); `cache` is where the npz is kept, the user's cache by default."""

    spec = Spec(
        name="FER2013",
        citation="Goodfellow et al. 2013, Challenges in representation learning, arXiv:1307.0414",
        licence="none stated; offered by its authors for research, pictures found on the web",
        where="kaggle.com/competitions/challenges-in-representation-learning-facial-expression-recognition-challenge",
        published=COUNTS,
    )

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        self.place = _table_or_folder(Path(folder))
        self._cache = Path(platformdirs.user_cache_dir("emolab")) if cache is None else cache
        self._splits: dict[str, Faces] | None = None

    def faces(self, split: str) -> Faces:
        """All faces of `train`, `public` or `private`."""
        if split not in SPLITS:
            raise DataError(f"FER2013 has no split {split!r}; known are {', '.join(SPLITS)}")
        if self._splits is None:
            self._splits = self._read()
        return self._splits[split]

    def is_whole(self) -> bool:
        """Whether the counts are those of the published corpus."""
        return all(len(self.faces(split)) == COUNTS[split] for split in SPLITS)

    def trials(self) -> Sequence[TrialRef]:
        """One per face, keyed `split/number`; the corpus does not say who is in it."""
        return [
            TrialRef(f"{split}/{k}", None, CLASSES[label], split)
            for split in SPLITS
            for k, label in enumerate(self.faces(split).labels)
        ]

    def load(self, ref: TrialRef) -> Trial:
        """The face of `ref`, as `face` `(48, 48)` uint8."""
        split, _, number = ref.key.partition("/")
        faces = self.faces(split)
        if not number.isdecimal() or int(number) >= len(faces):
            raise DataError(
                f"FER2013 in {self.place} has no face {ref.key!r}; it has {len(faces)} in {split}"
            )
        return Trial(ref, {"face": faces.pictures[int(number)]})

    def _read(self) -> dict[str, Faces]:
        kept = self._cache / f"fer2013-{_mark(self.place)}.npz"
        if kept.is_file():
            try:
                with kept.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                    return {s: Faces(stored[f"{s}_pictures"], stored[f"{s}_labels"]) for s in SPLITS}
            except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
                log.warning("%s cannot be read; the corpus is read anew", kept)
        read = _read_table(self.place) if self.place.is_file() else _read_folders(self.place)
        _keep(kept, read)
        return read


def twins(faces: Faces, others: Faces) -> NDArray[np.bool_]:
    """Which of `faces` lie in `others` too, the same in every pixel; `(n,)`."""
    known = {picture.tobytes() for picture in others.pictures}
    return np.array([picture.tobytes() in known for picture in faces.pictures], bool)


def without(faces: Faces, *others: Faces) -> Faces:
    """`faces` less those that lie in any of `others` too."""
    kept = np.ones(len(faces), bool)
    for other in others:
        kept &= ~twins(faces, other)
    return faces[kept]


def _keep(kept: Path, read: dict[str, Faces]) -> None:
    arrays: dict[str, Any] = {f"{split}_pictures": faces.pictures for split, faces in read.items()}
    arrays |= {f"{split}_labels": faces.labels for split, faces in read.items()}
    keep_whole(kept, lambda half: np.savez_compressed(half, **arrays))


def _table_or_folder(place: Path) -> Path:
    if place.is_file():
        return place
    if (place / "fer2013.csv").is_file():
        return place / "fer2013.csv"
    for split in _FOLDER_OF.values():
        missing = [name for name in CLASSES if not (place / split / name).is_dir()]
        if missing:
            raise DataError(f"{place} is no FER2013: {split}/{missing[0]} is not there; {_LAYOUT}")
    return place


def _mark(place: Path) -> str:
    """Changes when a picture is added, taken away or written over, or the table written."""
    mark = hashlib.sha256(str(place.resolve()).encode())
    if place.is_file():
        states = [(place.name, place.stat())]
    else:
        folders = [place / split / name for split in _FOLDER_OF.values() for name in CLASSES]
        listed = (entry for folder in folders for entry in sorted(os.scandir(folder), key=attrgetter("name")))
        states = [(entry.path, entry.stat()) for entry in listed]
    for name, state in states:
        mark.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return mark.hexdigest()[:16]


def _read_folders(place: Path) -> dict[str, Faces]:
    read = {}
    for split, folder in _FOLDER_OF.items():
        pictures, labels = [], []
        for label, name in enumerate(CLASSES):
            for file in sorted((place / folder / name).iterdir()):
                if file.suffix.lower() in _PICTURES and not file.name.startswith("."):
                    pictures.append(_picture(file))
                    labels.append(label)
        read[split] = _stacked(pictures, labels, place / folder)
    return read


def _picture(file: Path) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(file.read_bytes() or b"\0", np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None or picture.shape != (SIDE_PX, SIDE_PX):
        found = "no picture" if picture is None else f"{picture.shape[1]}×{picture.shape[0]} px"
        raise DataError(f"{file} is {found}; FER2013's faces are {SIDE_PX}×{SIDE_PX}; copy the file again")
    return np.asarray(picture, np.uint8)


def _read_table(table: Path) -> dict[str, Faces]:
    pictures: dict[str, list[NDArray[np.uint8]]] = {split: [] for split in SPLITS}
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    for split, label, picture in _rows(table):
        pictures[split].append(picture)
        labels[split].append(label)
    return {split: _stacked(pictures[split], labels[split], table) for split in SPLITS}


def _rows(table: Path) -> Iterator[tuple[str, int, NDArray[np.uint8]]]:
    with opened(table) as file:
        rows = csv.reader(file)
        header = [name.strip() for name in next(rows, [])]
        if header != ["emotion", "pixels", "Usage"]:
            raise DataError(f"{table}:1: columns are {header[:5]}; {_LAYOUT}")
        for row in filter(None, rows):
            try:
                emotion, text, usage = row
                values = np.array(text.split(), dtype=np.int64)
                if values.shape != (SIDE_PX * SIDE_PX,) or values.min() < 0 or values.max() > 255:
                    raise ValueError(f"{len(values)} grey values")
                if not 0 <= int(emotion) < len(CLASSES):
                    raise ValueError(f"class {emotion}")
                split = _USAGE[usage.strip()]
            except (ValueError, KeyError) as error:
                raise DataError(
                    f"{table}:{rows.line_num}: {error} is no line of FER2013 (class 0 to {len(CLASSES) - 1}, "
                    f"{SIDE_PX * SIDE_PX} values from 0 to 255, one of {', '.join(_USAGE)}); get it again"
                ) from error
            yield split, int(emotion), values.astype(np.uint8).reshape(SIDE_PX, SIDE_PX)


def _stacked(pictures: list[NDArray[np.uint8]], labels: list[int], place: Path) -> Faces:
    if not pictures:
        raise DataError(f"{place} holds no faces; {_LAYOUT}")
    return Faces(np.stack(pictures), np.array(labels, np.uint8))
