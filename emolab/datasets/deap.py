"""DEAP: 32 people watched 40 music videos of a minute each, their skin, breath and pulse measured.

    DIR/s01.dat … s32.dat                       or in DIR/data_preprocessed_python
        data    (40, 40, 8064)                  video, channel, sample at 128 Hz: 3 s of rest, 60 s of video
        labels  (40, 4)                         valence, arousal, dominance, liking, 1 to 9

Pickles of Python 2, read by `pickled`, which runs nothing of them and keeps on disk what is not asked for.
Channel 36 is skin conductance; recorded at two places, in units of their own: z-score each trial. The videos
stand in the same order for everybody, so their number is the song's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.datasets.dataset import Spec, Trial, TrialRef
from emolab.datasets.pickled import read_arrays
from emolab.datasets.rated import Rated, RatedCorpus, Target

RATE_HZ = 128.0
REST = 384  # samples before the video
CHANNELS: Mapping[str, int] = MappingProxyType(
    {"eda": 36, "respiration": 37, "pulse": 38, "temperature": 39}  # from 0
)
SHAPE = (40, 40, 8064)
COUNTS = {"trials": 1280, "participants": 32}
SMALLEST, LARGEST = 1.0, 9.0
FOLDER = "data_preprocessed_python"
_FILE = re.compile(r"s\d\d\.dat")


class Deap(RatedCorpus):
    """The corpus in `folder`, or in `data_preprocessed_python` below it."""

    spec = Spec(
        name="DEAP",
        citation="Koelstra et al. 2012, DEAP: a database for emotion analysis, doi:10.1109/T-AFFC.2011.15",
        licence="by agreement: academic research only, not to be passed on",
        where="eecs.qmul.ac.uk/mmv/datasets/deap, with a signed agreement of a staff member",
        published=COUNTS,
    )

    def __init__(self, folder: Path, target: Target = "valence", threshold: float | None = None) -> None:
        super().__init__(_place(Path(folder)), target, threshold)

    @property
    def missing(self) -> tuple[str, ...]:
        """Files of the published corpus that are not there."""
        here = {path.name for path in _files(self.place)}
        names = (f"s{number:02d}.dat" for number in range(1, COUNTS["participants"] + 1))
        return tuple(name for name in names if name not in here)

    def load(self, ref: TrialRef) -> Trial:
        """`eda`, `respiration`, `pulse`, `temperature` `(7680,)` at 128 Hz; `rest` `(384,)`, the skin before.

        `ratings`: valence, arousal. Raises `DataError` naming the file when there is no such trial, the file
        cannot be read, or the skin's signal is not all numbers.
        """
        rated = self._of(ref)
        path = self.place / f"{rated.subject}.dat"
        signals = _arrays(path)["data"][int(rated.song)]
        rows = {name: signals[channel].astype(np.float64) for name, channel in CHANNELS.items()}
        if not np.isfinite(rows["eda"]).all():
            raise DataError(f"{path}: the skin conductance of video {rated.song} is not all numbers")
        arrays: dict[str, NDArray[np.generic]] = {name: row[REST:] for name, row in rows.items()}
        arrays["rest"] = rows["eda"][:REST]
        arrays["ratings"] = np.array([rated.valence, rated.arousal])
        return Trial(ref, arrays)

    def _rated(self) -> Iterator[tuple[str, Rated]]:
        for path in _files(self.place):
            try:
                labels = _arrays(path)["labels"]
            except DataError as error:
                self._leave_out(path.stem, str(error))
                continue
            for video, (valence, arousal) in enumerate(labels[:, :2].astype(np.float64)):
                key = f"{path.stem}/{video:02d}"
                if SMALLEST <= valence <= LARGEST and SMALLEST <= arousal <= LARGEST:
                    yield key, Rated(path.stem, f"{video:02d}", float(valence), float(arousal))
                else:
                    self._leave_out(key, f"valence {valence:g} and arousal {arousal:g} are not from 1 to 9")


def _place(folder: Path) -> Path:
    for place in (folder, folder / FOLDER):
        if place.is_dir() and _files(place):
            return place
    raise DataError(
        f"{folder} is no DEAP: expected are s01.dat to s32.dat, the preprocessed data for Python; "
        f"it comes from {Deap.spec.where}"
    )


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if _FILE.fullmatch(path.name))


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    arrays = read_arrays(path)
    shapes = {name: arrays[name].shape if name in arrays else None for name in ("data", "labels")}
    if shapes != {"data": SHAPE, "labels": (SHAPE[0], 4)}:
        told = ", ".join(f"{name} {shape or 'missing'}" for name, shape in shapes.items())
        raise DataError(f"{path} has not the arrays of DEAP ({told}); get the file again")
    return arrays
