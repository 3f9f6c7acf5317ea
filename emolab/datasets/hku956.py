"""HKU956: 956 pieces of music heard by 30 people with an Empatica E4 at the wrist, and how they felt.

    DIR/1. physiological_signals/hku1903/BVP|EDA|HR|IBI|TEMP/0_262957.csv      order of hearing, song
    DIR/3. AV_ratings.csv           participant_id,song_no,song_id,valence_rating,valence,arousal_rating,…

One value a line, no header, no times: BVP at 64 Hz in the E4's own unit, EDA at 4 Hz in µS, HR at 1 Hz in bpm
(the E4's own, over some ten seconds), TEMP at 4 Hz in °C, and IBI in seconds, of the beats it was sure of:
of 19 trials none. Signals were cut to the song, 27 to 329 s. Ratings go from −10 to 10.

`trials` are those whose files are there; `left_out` names the others, and those that `each` could not load.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.datasets.dataset import Account, LeftOut, Spec, Trial, TrialRef
from emolab.datasets.tables import opened

SIGNALS = "1. physiological_signals"
RATINGS = "3. AV_ratings.csv"
COLUMNS = ("participant_id", "song_no", "song_id", "valence_rating", "valence", "arousal_rating", "arousal")
CLASSES = ("negative", "neutral", "positive")
RATES_HZ: Mapping[str, float | None] = MappingProxyType(
    {"bvp": 64.0, "eda": 4.0, "hr": 1.0, "ibi": None, "temp": 4.0}
)
UNITS = MappingProxyType({"bvp": "a.u.", "eda": "uS", "hr": "bpm", "ibi": "s", "temp": "degC"})
MAY_BE_EMPTY = ("ibi",)  # the E4 tells no interval it is not sure of
LARGEST_RATING = 10.0
TOLERANCE_S = 1.0  # by which signals of one trial may differ in length
COUNTS = {"trials": 956, "participants": 30}


@dataclass(frozen=True)
class Rating:
    """What was felt: −10..10, and the class the corpus gives each; `song_no`: order of hearing, from 0."""

    participant: str
    song_no: int
    song: str
    valence: float
    arousal: float
    valence_class: str
    arousal_class: str

    @property
    def key(self) -> str:
        """What the trial is called: `hku1903/0_262957`."""
        return f"{self.participant}/{self.song_no}_{self.song}"


class Hku956:
    """The corpus in `folder`, or in `data/HKU956` below it. Labels are classes of valence."""

    spec = Spec(
        name="HKU956",
        citation="Hu, Li & Liu 2022, Detecting music-induced emotion, doi:10.3390/app12189354",
        licence="CC BY-NC 4.0",
        where="the authors (xiaoxhu@hku.hk), or github.com/pp121200z/music-emotion-probing-interactive",
        published=COUNTS,
    )

    def __init__(self, folder: Path) -> None:
        self.place = _place(Path(folder))
        self._ratings: dict[str, Rating] | None = None
        self._left_out = Account(self.spec.name)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Trials that are rated but cannot be used, as far as they were looked at."""
        self.trials()
        return self._left_out.every()

    def whose(self, key: str) -> str | None:
        """The participant of a trial, also of one left out."""
        return key.partition("/")[0]

    def ratings(self) -> Mapping[str, Rating]:
        """What was felt in each trial, by its key, also of those left out."""
        if self._ratings is None:
            self._ratings = _read_ratings(self.place / RATINGS)
            for rating in self._ratings.values():
                if (why := self._missing(rating)) is not None:
                    self._left_out.leave_out(rating.key, why)
        return self._ratings

    def trials(self) -> Sequence[TrialRef]:
        """One per piece heard, labelled with its class of valence; those that can be used."""
        return [
            TrialRef(key, rating.participant, rating.valence_class)
            for key, rating in self.ratings().items()
            if key not in self._left_out
        ]

    def load(self, ref: TrialRef) -> Trial:
        """`bvp`, `eda`, `hr`, `temp` `(n,)` at `RATES_HZ`, `ibi` `(k,)`, and `ratings`: valence, arousal.

        Raises `DataError` naming the file when there is no such trial, a file is gone or holds something else
        than numbers, or the signals are not equally long.
        """
        rating = self.ratings().get(ref.key)
        if rating is None:
            raise DataError(
                f"HKU956 in {self.place} has no trial {ref.key!r}; they are called hku1903/0_262957"
            )
        arrays: dict[str, NDArray[np.generic]] = {
            name: _column(self._file(rating, name), name) for name in RATES_HZ
        }
        lengths_s = {name: len(arrays[name]) / rate_hz for name, rate_hz in RATES_HZ.items() if rate_hz}
        if max(lengths_s.values()) - min(lengths_s.values()) > TOLERANCE_S:
            told = ", ".join(f"{name} {length_s:g} s" for name, length_s in lengths_s.items())
            raise DataError(f"the signals of {ref.key} in {self.place} are not equally long: {told}")
        arrays["ratings"] = np.array([rating.valence, rating.arousal])
        return Trial(ref, arrays)

    def each(self) -> Iterator[Trial]:
        """All trials, loaded one after the other; what cannot be loaded is left out, and told."""
        return self._left_out.each(self)

    def _file(self, rating: Rating, name: str) -> Path:
        folder = self.place / SIGNALS / rating.participant / name.upper()
        return folder / f"{rating.song_no}_{rating.song}.csv"

    def _missing(self, rating: Rating) -> str | None:
        for name in RATES_HZ:
            path = self._file(rating, name)
            try:
                size = path.stat().st_size
            except OSError:
                return f"{path} is not there"
            if not size and name not in MAY_BE_EMPTY:
                return f"{path} is empty"
        return None


def _place(folder: Path) -> Path:
    for place in (folder, folder / "data" / "HKU956", folder / "HKU956"):
        if (place / RATINGS).is_file() and (place / SIGNALS).is_dir():
            return place
    raise DataError(
        f"{folder} is no HKU956: expected are the folder '{SIGNALS}' and the file '{RATINGS}'; "
        f"it comes from {Hku956.spec.where}"
    )


def _read_ratings(path: Path) -> dict[str, Rating]:
    found: dict[str, Rating] = {}
    with opened(path) as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise DataError(f"{path}:1: has no column {missing[0]!r}; expected are {', '.join(COLUMNS)}")
        for row in rows:
            try:
                rating = _rating(row)
                if rating.key in found:
                    raise ValueError(f"{rating.key} is rated twice")
            except (ValueError, TypeError, AttributeError) as error:
                raise DataError(f"{path}:{rows.line_num}: no rating ({error}); get the file again") from error
            found[rating.key] = rating
    return found


def _rating(row: Mapping[str, str]) -> Rating:
    valence, arousal = float(row["valence_rating"]), float(row["arousal_rating"])
    for value in (valence, arousal):
        if not -LARGEST_RATING <= value <= LARGEST_RATING:
            raise ValueError(f"{value:g} is not from −10 to 10")
    classes = row["valence"].strip(), row["arousal"].strip()
    for name in classes:
        if name not in CLASSES:
            raise ValueError(f"class {name!r} is none of {', '.join(CLASSES)}")
    participant, song = row["participant_id"].strip(), row["song_id"].strip()
    for name in (participant, song):
        if not name.isalnum():  # it becomes part of a path
            raise ValueError(f"{name!r} names nothing")
    return Rating(participant, int(row["song_no"]), song, valence, arousal, *classes)


def _column(path: Path, name: str) -> NDArray[np.float64]:
    """The numbers of a file, one a line."""
    try:
        values = np.array(path.read_text(encoding="utf-8-sig").split(), np.float64)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); copy it again") from error
    except ValueError as error:
        raise DataError(f"{path} holds something else than numbers ({error}); copy it again") from error
    if not np.isfinite(values).all():
        raise DataError(f"{path} holds a number that is none; copy it again")
    if not len(values) and name not in MAY_BE_EMPTY:
        raise DataError(f"{path} is empty; copy it again")
    return values
