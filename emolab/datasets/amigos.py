"""AMIGOS: 40 people watched 16 short videos, and most of them 4 long ones, with their skin measured.

    DIR/Data_Preprocessed_P01.mat … P40.mat          or each in a folder Data_Preprocessed_P01
        joined_data            1×20 cells of (samples, 17) at 128 Hz: 14 EEG, 2 ECG, skin; 5 s of rest first
        labels_selfassessment  1×20 cells of 1×12: arousal, valence, dominance, …, 1 to 9
        VideoIDs               1×20 names of the videos

A video without a name has that of the other subjects' videos in its place, where they agree; else it is left
out, since under two names it would lie on both sides of a split. Where no file names any, places are names.

Arousal stands before valence. Trials 0 to 15 are the short videos, 16 to 19 the long ones: subjects 8, 24 and
28 saw none, and where a cell is empty or a rating missing the trial is left out, and told.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from emolab.core.errors import DataError, shown
from emolab.datasets.dataset import Spec, Trial, TrialRef
from emolab.datasets.rated import Rated, RatedCorpus, Target

RATE_HZ = 128.0
REST = 640  # samples before the video
CHANNELS, SKIN = 17, 16  # of them, from 0
AROUSAL, VALENCE = 0, 1  # in labels_selfassessment
SHORT, VIDEOS = 16, 20
COUNTS = {"trials": 788, "participants": 40}
SMALLEST, LARGEST = 1.0, 9.0
DATA, LABELS, VIDEO_IDS = "joined_data", "labels_selfassessment", "VideoIDs"
MOST_BYTES = 1 << 30  # of a file unpacked: 40 minutes of 17 channels are 42 MB
COMPRESSED, HEADER = 15, 128
_FILE = re.compile(r"Data_Preprocessed_(P\d\d)\.mat")


class Amigos(RatedCorpus):
    """The corpus in `folder`: its 40 files, or 40 folders of one file."""

    spec = Spec(
        name="AMIGOS",
        citation="Miranda-Correa et al. 2021, AMIGOS: affect, personality and mood, "
        "doi:10.1109/TAFFC.2018.2884461",
        licence="by agreement: academic research only, not to be passed on",
        where="eecs.qmul.ac.uk/mmv/datasets/amigos, with a signed agreement of a staff member",
        published=COUNTS,
    )

    def __init__(self, folder: Path, target: Target = "valence", threshold: float | None = None) -> None:
        self._files = _files(Path(folder))
        super().__init__(Path(folder), target, threshold)
        self._skin: tuple[str, list[NDArray[np.float64] | str]] | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Files of the published corpus that are not there."""
        names = (f"P{number:02d}" for number in range(1, COUNTS["participants"] + 1))
        return tuple(f"Data_Preprocessed_{name}.mat" for name in names if name not in self._files)

    def load(self, ref: TrialRef) -> Trial:
        """`eda` `(n,)` at 128 Hz without its rest, `rest` `(640,)` before it; `ratings`: valence, arousal.

        Raises `DataError` naming the file when there is no such trial, the file cannot be read, or the skin's
        signal is empty or not all numbers.
        """
        rated = self._of(ref)
        if self._skin is None or self._skin[0] != rated.subject:  # one subject at a time is held
            cells = _cells(self._files[rated.subject], DATA)
            self._skin = rated.subject, [_skin(cell) for cell in cells]
        number = int(ref.key.partition("/")[2])
        skin = self._skin[1][number] if number < len(self._skin[1]) else "has no cell"
        if isinstance(skin, str):
            raise DataError(f"{self._files[rated.subject]}: trial {number} {skin}")
        ratings = np.array([rated.valence, rated.arousal])
        return Trial(ref, {"eda": skin[REST:].copy(), "rest": skin[:REST].copy(), "ratings": ratings})

    def _rated(self) -> Iterator[tuple[str, Rated]]:
        found: list[tuple[str, int, Rated]] = []
        for subject, path in self._files.items():
            try:
                labels, videos = _cells(path, LABELS), _cells(path, VIDEO_IDS, is_needed=False)
            except DataError as error:
                self._leave_out(subject, str(error))
                continue
            for number in range(max(VIDEOS, len(labels))):
                key = f"{subject}/{number:02d}"
                rating = _numbers(labels[number]).ravel() if number < len(labels) else np.zeros(0)
                if len(rating) <= VALENCE or not np.isfinite(rating[[AROUSAL, VALENCE]]).all():
                    self._leave_out(key, f"{path} has no rating of trial {number}")
                elif rating[:2].min() < SMALLEST or rating[:2].max() > LARGEST:
                    self._leave_out(key, f"{path}: a rating of trial {number} is not from 1 to 9")
                else:
                    song = _word(videos[number]) if number < len(videos) else ""
                    arousal, valence = float(rating[AROUSAL]), float(rating[VALENCE])
                    found.append((key, number, Rated(subject, song, valence, arousal)))
        yield from self._named(found)

    def _named(self, found: Sequence[tuple[str, int, Rated]]) -> Iterator[tuple[str, Rated]]:
        """Each trial with its video's name."""
        names: dict[int, set[str]] = {}
        for _, number, rated in found:
            if rated.song:
                names.setdefault(number, set()).add(rated.song)
        for key, number, rated in found:
            known = names.get(number, set()) if names else {f"{number:02d}"}
            if rated.song:
                yield key, rated
            elif len(known) == 1:
                yield key, replace(rated, song=min(known))
            else:
                why = "others differ" if known else "nor does another"
                self._leave_out(key, f"{self._files[rated.subject]} does not name video {number}, {why}")
                yield key, rated


def _files(folder: Path) -> dict[str, Path]:
    found = {}
    for path in [*folder.glob("*.mat"), *folder.glob("*/Data_Preprocessed_P*.mat")]:
        if (name := _FILE.fullmatch(path.name)) is not None:
            found[name[1]] = path
    if not found:
        raise DataError(
            f"{folder} is no AMIGOS: expected are Data_Preprocessed_P01.mat to P40.mat; "
            f"they come from {Amigos.spec.where}"
        )
    return dict(sorted(found.items()))


def _cells(path: Path, name: str, is_needed: bool = True) -> list[Any]:
    """The cells of one variable of a file. Raises `DataError` for one that cannot be read."""
    try:
        _check_size(path)
        # whether it is sound was just seen; SciPy would refuse bytes behind a variable, too
        found = loadmat(path, variable_names=[name], verify_compressed_data_integrity=False).get(name)
    except Exception as error:  # scipy raises whatever a damaged file makes it stumble over
        why = str(error) or type(error).__name__
        raise DataError(f"{path} is no MATLAB file of version 5 ({why}); get the file again") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind != "O":
        if not is_needed:
            return []
        raise DataError(f"{path} has no cells {name!r}; get the file again")
    return list(found.ravel())


def _check_size(path: Path) -> None:
    """Walk over a file's elements and unpack each, piece by piece: none is cut, and they fit in memory."""
    size, unpacked = path.stat().st_size, 0
    with path.open("rb") as file:
        head = file.read(HEADER)
        if len(head) < HEADER or head[126:128] not in (b"IM", b"MI"):
            raise ValueError("its first 128 bytes are none of its kind")
        order: Any = "little" if head[126:128] == b"IM" else "big"
        while tag := file.read(8):
            kind, length = int.from_bytes(tag[:4], order), int.from_bytes(tag[4:], order)
            start = file.tell()
            if len(tag) < 8 or length > size - start:
                raise ValueError("it ends in the middle")
            unpacked += _unpacked(file, length, MOST_BYTES - unpacked) if kind == COMPRESSED else length
            if unpacked > MOST_BYTES:
                raise ValueError(f"unpacked it is larger than {MOST_BYTES >> 20} MiB")
            file.seek(start + length)


def _unpacked(file: Any, length: int, room: int) -> int:
    """Bytes of a packed element, as far as there is room, and some more; at its end stands a checksum."""
    packed, total = zlib.decompressobj(), 0
    piece = b""
    while total <= room and not packed.eof and (length > 0 or piece):
        if not piece:
            piece = file.read(min(length, 1 << 16))
            length -= len(piece)
        total += len(packed.decompress(piece, 1 << 20))
        piece = packed.unconsumed_tail
    if total <= room and not packed.eof:
        raise ValueError("it ends in the middle")
    return total


def _skin(cell: Any) -> NDArray[np.float64] | str:
    """The skin's channel of a trial, or why there is none."""
    values = _numbers(cell)
    if not values.size:
        return "is empty"
    if values.ndim != 2 or values.shape[1] != CHANNELS or len(values) <= REST:
        return f"is of shape {shown(values.shape)}, not {REST + 1} or more samples of {CHANNELS} channels"
    skin = values[:, SKIN].copy()
    return skin if np.isfinite(skin).all() else "has skin conductance that is not all numbers"


def _numbers(cell: Any) -> NDArray[np.float64]:
    """A cell's numbers; none of a cell that holds something else."""
    values = np.asarray(cell)
    return values.astype(np.float64) if values.dtype.kind in "fiu" else np.zeros(0)


def _word(cell: Any) -> str:
    values = np.asarray(cell).ravel()
    if values.dtype.kind in "fiu":
        values = np.array([f"{value:g}" for value in values], str)
    word = str(values[0]).strip() if len(values) else ""
    return word if word.isalnum() else ""
