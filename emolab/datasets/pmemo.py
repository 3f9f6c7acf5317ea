"""PMEmo: choruses of pop songs heard by 457 people, their skin measured at 50 Hz, as of 2018 and of 2019.

    2018  DIR/Annotations/Arousal|Valence/1-A.csv|1-V.csv       what each subject said of song 1
          DIR/EDA/Arousal|Valence/1_100012_A.csv                skin of a subject, who heard it once for each
          DIR/static_features.csv                               song, 6373 ComParE figures
    2019  DIR/annotations/static_annotations.csv                song, mean arousal, mean valence
          DIR/EDA/1_EDA.csv                                     time, a column a subject: its last 6 signs
          DIR/features/static_features.csv

What a subject said is in the layout of 2018 only. How the columns of its tables are called is not documented:
`opinions` finds them by name and says what it found when it cannot; rename them, or write your own, giving
an `Opinion` a subject and song, and pass it as `adapter`. Without opinions a song's means stand for what each
said (`is_own` tells). Two recordings of one trial, one a dimension, are `eda_valence` and `eda_arousal`;
`eda` is that of the target. Ratings go from 0 to 1; half-way thresholds do not mind.

Of 794 songs 767 have means, and only these are counted: what was heard of the other 27 is no trial of 2019,
and the papers' 7690 trials out of 7962 seem to leave it out, too.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, shown
from emolab.datasets.dataset import Spec, Trial, TrialRef
from emolab.datasets.rated import Rated, RatedCorpus, Target
from emolab.datasets.tables import opened
from emolab.datasets.thresholds import AXES
from emolab.signals.audio_features import FeatureTable, read_table

RATE_HZ = 50.0
COUNTS = {"trials": 7690, "participants": 457, "songs": 767}  # songs with means
SUBJECT_SIGNS = 6  # at the end of a column's name, 2019
STATIC = "static_annotations.csv"
MUSIC = "static_features.csv"
COLUMNS_SHOWN = 8  # of a table, in a message
_WORDS = {"valence": "Valence", "arousal": "Arousal"}
_EDA_2018 = re.compile(r"(?P<song>\d+)_(?P<subject>[A-Za-z0-9]+)_[AV]\.csv")
_EDA_2019 = re.compile(r"(?P<song>\d+)_EDA\.csv")
_SUBJECT_COLUMNS = ("subject", "subjectid", "user", "userid", "worker", "workerid", "id")
_RATING_COLUMNS = ("static", "rating", "score", "value")


@dataclass(frozen=True)
class Opinion:
    """What a subject said of a song."""

    subject: str
    song: str
    valence: float
    arousal: float


Adapter = Callable[[Path], Iterable[Opinion]]
Found = dict[str, tuple[Path, str]]  # by dimension: file, and its column ("" for the last)


class Pmemo(RatedCorpus):
    """The corpus in `folder`, of either layout; `adapter` reads what each subject said."""

    spec = Spec(
        name="PMEmo",
        citation="Zhang et al. 2018, The PMEmo dataset for music emotion recognition, "
        "doi:10.1145/3206025.3206037",
        licence="MIT (annotations and features; the songs belong to their labels)",
        where="github.com/HuiZhangDB/PMEmo (794 songs, 767 of them with mean ratings)",
        published=COUNTS,
    )

    def __init__(
        self,
        folder: Path,
        target: Target = "valence",
        threshold: float | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        super().__init__(Path(folder), target, threshold)
        self._adapter = adapter
        self.layout = _layout(Path(folder))

    @property
    def is_own(self) -> bool:
        """Whether ratings are what each subject said, not a song's means."""
        return self._adapter is not None or self.layout == 2018

    @property
    def features(self) -> FeatureTable | None:
        """The songs' ComParE figures, None where the table is not there. Raises as `read_table`."""
        if isinstance(self._features, str):
            raise DataError(self._features)
        return self._features

    @cached_property
    def _features(self) -> FeatureTable | str | None:
        """The table, or what is wrong with it: it is large, and every trial asks for it."""
        for path in (self.place / MUSIC, self.place / "features" / MUSIC):
            if path.is_file():
                try:
                    return read_table(path)
                except DataError as error:
                    return str(error)
        return None

    @property
    def missing(self) -> tuple[str, ...]:
        """Folders that have no table, and files, of those that are read and not there."""
        if self.layout == 2018:
            names = [f"{folder}/{word}" for folder in ("Annotations", "EDA") for word in _WORDS.values()]
            music = MUSIC
        else:
            names, music = [f"annotations/{STATIC}", "EDA"], f"features/{MUSIC}"
        absent = [name for name in names if not _is_there(self.place / name)]
        if not any((self.place / name).is_file() for name in (MUSIC, f"features/{MUSIC}")):
            absent.append(music)
        return tuple(absent)

    def by_target(self) -> dict[Target, RatedCorpus]:
        """The corpus for each target: as of 2018 both have recordings of their own."""
        if self.layout != 2018:
            return super().by_target()
        other: Target = "arousal" if self.target == "valence" else "valence"
        return {self.target: self, other: Pmemo(self.place, other, self.threshold, self._adapter)}

    def load(self, ref: TrialRef) -> Trial:
        """`eda` `(n,)` at 50 Hz, `ratings`: valence, arousal, and `music` `(6373,)` of songs in the table.

        2018: `eda_valence`, `eda_arousal` too, as far as they can be read. Raises `DataError` naming the file
        when there is no such trial, or its skin conductance is not all numbers.
        """
        rated = self._of(ref)
        files = self._recordings.get(ref.key)
        if files is None or self.target not in files:
            raise DataError(f"PMEmo in {self.place} has no skin conductance of {ref.key} for {self.target}")
        arrays: dict[str, NDArray[np.generic]] = {"eda": _skin(*files[self.target])}
        for axis, file in files.items() if self.layout == 2018 else ():
            with suppress(DataError):  # a trial is no worse for the recording made for its other rating
                arrays[f"eda_{axis}"] = _skin(*file)
        if self.features is not None and rated.song in self.features.ids:
            arrays["music"] = self.features.rows([rated.song])[0]
        arrays["ratings"] = np.array([rated.valence, rated.arousal])
        return Trial(ref, arrays)

    def whose(self, key: str) -> str | None:
        """The subject of a trial, also of one left out."""
        return key.partition("/")[2]

    @cached_property
    def _recordings(self) -> dict[str, Found]:
        return _recordings_2018(self.place) if self.layout == 2018 else _recordings_2019(self.place)

    def _rated(self) -> Iterator[tuple[str, Rated]]:
        said: dict[str, Opinion] = {}
        for one in self._opinions():
            key = f"{one.song}/{one.subject}"
            if said.setdefault(key, one) != one:
                said[key] = Opinion(one.subject, one.song, math.nan, math.nan)
        unrated = "nobody's rating of it is there"
        if not self.is_own:
            unrated = f"its song has no means in {STATIC}, as 27 of the 794 have none"
        left_out: dict[str, list[str]] = {}  # by reason
        for key in sorted(said.keys() | self._recordings.keys(), key=_by_number):
            found = said.get(key)
            if found is None:
                left_out.setdefault(unrated, []).append(key)
            elif not (math.isfinite(found.valence) and math.isfinite(found.arousal)):
                why = "it is not rated in both valence and arousal, or twice in one and differently"
                left_out.setdefault(why, []).append(key)
            else:
                if self.target not in self._recordings.get(key, {}):
                    why = f"no skin conductance of it for {self.target} is there"
                    left_out.setdefault(why, []).append(key)
                yield key, Rated(found.subject, found.song, found.valence, found.arousal)
        for why, keys in left_out.items():  # one dimension may lack all of 7690
            self._leave_out_all(keys, why)

    def _opinions(self) -> Iterable[Opinion]:
        if self._adapter is not None:
            return self._adapter(self.place)
        return opinions(self.place) if self.layout == 2018 else self._means()

    def _means(self) -> Iterator[Opinion]:
        """The song's means, as if every subject who heard it had said so."""
        path = self.place / "annotations" / STATIC
        means = {}
        for row in _rows(path):
            if "musicId" not in row:
                raise DataError(f"{path}:1: has no column 'musicId'; get the file again")
            if song := row["musicId"].strip():
                means[song] = _number(path, row, "Valence(mean)"), _number(path, row, "Arousal(mean)")
        for key in self._recordings:
            song, subject = key.split("/")
            if song in means:
                yield Opinion(subject, song, *means[song])


def opinions(place: Path) -> Iterator[Opinion]:
    """What each subject said, from `Annotations` as of 2018.

    NaN in a dimension that is not there, or of which the subject said two different things.
    The subject's column is one called subject, user or worker, the rating's one called static, rating or like
    the dimension. Raises `DataError` naming file and columns when there is none.
    """
    said: dict[tuple[str, str], dict[str, float]] = {}
    for axis, word in _WORDS.items():
        for path in sorted((place / "Annotations" / word).glob("*.csv")):
            song = path.stem.partition("-")[0]
            who = value = ""
            for row in _rows(path):
                if not who:
                    who = _called(path, row, _SUBJECT_COLUMNS, "the subject")
                    value = _called(path, row, (*_RATING_COLUMNS, axis), "the rating")
                rated, number = said.setdefault((row[who].strip(), song), {}), _number(path, row, value)
                rated[axis] = number if rated.get(axis, number) == number else math.nan
    for (subject, song), by_axis in said.items():
        yield Opinion(subject, song, *(by_axis.get(axis, math.nan) for axis in AXES))


def _called(path: Path, row: dict[str, str], names: tuple[str, ...], what: str) -> str:
    """The column called by the first of these names that there is; `what`: of what, in words."""
    plain = {column.lower().replace("_", "").replace(" ", ""): column for column in row}
    for name in names:
        if name in plain:
            return plain[name]
    found = ", ".join(map(shown, list(row)[:COLUMNS_SHOWN]))
    more = f" and {len(row) - COLUMNS_SHOWN} more" if len(row) > COLUMNS_SHOWN else ""
    raise DataError(
        f"{path}:1: none of its columns {found}{more} is known for {what}: known are {', '.join(names)} "
        f"(capitals, spaces and _ do not count); rename it to {names[0]!r} in every table of Annotations, or "
        "in Python give Pmemo an adapter that reads these tables: Pmemo(folder, adapter=read)"
    )


def _layout(place: Path) -> int:
    if (place / "Annotations").is_dir() and any((place / "EDA" / word).is_dir() for word in _WORDS.values()):
        return 2018
    if (place / "annotations" / STATIC).is_file() and (place / "EDA").is_dir():
        return 2019
    raise DataError(
        f"{place} is no PMEmo: expected are Annotations and EDA/Arousal, EDA/Valence (2018), or EDA and "
        f"annotations/{STATIC} (2019); it comes from {Pmemo.spec.where}"
    )


def _is_there(place: Path) -> bool:
    return place.is_file() or any(place.glob("*.csv"))


def _recordings_2018(place: Path) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for axis, word in _WORDS.items():
        for path in sorted((place / "EDA" / word).glob("*.csv")):
            if (name := _EDA_2018.fullmatch(path.name)) is not None:
                found.setdefault(f"{name['song']}/{name['subject']}", {})[axis] = path, ""
    return found


def _recordings_2019(place: Path) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for path in sorted((place / "EDA").glob("*.csv")):
        if (name := _EDA_2019.fullmatch(path.name)) is None:
            continue
        with opened(path) as file:
            columns = next(csv.reader([file.readline()]), [])
        for column in columns[1:]:
            if subject := _subject(column):
                found[f"{name['song']}/{subject}"] = dict.fromkeys(AXES, (path, column))
    return found


def _subject(column: str) -> str:
    return column.strip()[-SUBJECT_SIGNS:]


def _skin(path: Path, column: str) -> NDArray[np.float64]:
    """A column of a table, the last one when it has no name; shorter than others it ends in empty cells."""
    with opened(path) as file:
        rows = [row for row in csv.reader(file) if row]
    head = rows[0] if rows else []
    own = [_subject(cell) for cell in head[1:]].count(_subject(column)) if column else 1
    if own > 1:
        raise DataError(f"{path}:1: has {own} columns of subject {_subject(column)!r}; take one away")
    at = head.index(column) if column and column in head else -1
    has_header = bool(column) or not all(map(_is_number, head))  # a subject's number is a name, too
    cells = [row[at].strip() if -1 <= at < len(row) else "" for row in rows[has_header:]]
    while cells and cells[-1].lower() in ("", "nan"):
        cells.pop()
    try:
        values = np.array(cells, np.float64)
    except ValueError:
        values = np.full(1, np.nan)
    if not len(values) or not np.isfinite(values).all():
        raise DataError(f"{path}: its skin conductance {shown(column)} is empty or not all numbers")
    return values


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with opened(path) as file:
        for row in csv.DictReader(file, restkey="", restval=""):
            yield {name: value for name, value in row.items() if name}


def _number(path: Path, row: dict[str, str], column: str) -> float:
    try:
        return float(row[column] or "nan")
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{path}: no number in its column {column!r} ({error}); get the file again"
        ) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _by_number(key: str) -> tuple[int, str, str]:
    song, _, subject = key.partition("/")
    return (int(song) if song.isdecimal() else -1, song, subject)
