"""Corpora in their own layouts, with skin that says something of the ratings, music that does, or neither.

A subject has a level, a size of responses and a scale of ratings of its own. Each trial has one large
response: at `PLANTED_S` where the skin tells that a rating is high, elsewhere otherwise. Ratings come in two
heaps, so that each subject's own threshold is known.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from emolab.datasets import amigos, deap, hku956, pmemo
from emolab.signals.audio_features import COMPARE
from tests.datasets import python2

SECONDS = 60
PLANTED_S = 40.0
APART_S = 8.0  # from it, responses elsewhere
NOISE_US = 0.01
TOLD_BY_MUSIC = 1500  # of a song's figures: among 6373 that are noise, few could not be found in few songs

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """One trial: who, which song, its class, and what the skin and the song tell of it."""

    subject: int
    song: int
    is_high: bool
    skin_says: bool
    seed: int

    @property
    def rating(self) -> float:
        """Within −1..1: about ±0.6, moved by up to 0.2 for the subject, by chance for the trial."""
        rng = np.random.default_rng(self.seed)
        return (0.6 if self.is_high else -0.6) + 0.2 * np.sin(self.subject) + rng.uniform(-0.15, 0.15)

    def skin(self, rate_hz: float, rest_s: float = 0.0) -> Array:
        """µS, evenly at a rate."""
        rng = np.random.default_rng(self.seed + 1)
        times_s = np.arange(round((SECONDS + rest_s) * rate_hz)) / rate_hz - rest_s
        at_s = PLANTED_S if self.skin_says else _elsewhere(rng)
        level = 2 + self.subject % 5 + rng.normal(0, 0.2) + np.cumsum(rng.normal(0, 0.02, 8))[0]
        drift = rng.normal(0, 0.2) * times_s / SECONDS
        return np.asarray(
            level
            + drift
            + (0.8 + 0.1 * (self.subject % 4)) * response(times_s - at_s)
            + rng.normal(0, NOISE_US, len(times_s))
        )


def response(since_s: Array) -> Array:
    """Bateman's, of height 1."""
    from_there = np.clip(since_s, 0, None)
    shape = np.exp(-from_there / 2.0) - np.exp(-from_there / 0.7)
    return np.asarray(shape / 0.4152, np.float64)


def _elsewhere(rng: np.random.Generator) -> float:
    while True:
        at_s = float(rng.uniform(8.0, SECONDS - 5.0))
        if abs(at_s - PLANTED_S) > APART_S:
            return at_s


Rule = Callable[[int, int, np.random.Generator], tuple[bool, bool]]


def by_skin(_subject: int, _song: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """High or low by chance, and the skin knows."""
    is_high = bool(rng.random() < 0.5)
    return is_high, is_high


def by_song(_subject: int, song: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """The song decides, and the skin knows nothing."""
    return song % 2 == 1, bool(rng.random() < 0.5)


def by_chance(_subject: int, _song: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """Nobody knows."""
    return bool(rng.random() < 0.5), bool(rng.random() < 0.5)


def heard(subjects: int, songs: int, rule: Rule, seed: int = 0) -> list[Heard]:
    """Every subject hears every song."""
    rng = np.random.default_rng(seed)
    found = []
    for subject in range(subjects):
        for song in range(songs):
            is_high, says = rule(subject, song, rng)
            found.append(Heard(subject, song, is_high, says, int(rng.integers(2**31))))
    return found


def write_hku956(place: Path, trials: list[Heard]) -> Path:
    (place / hku956.SIGNALS).mkdir(parents=True)
    with (place / hku956.RATINGS).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(hku956.COLUMNS)
        for one in trials:
            said = f"{10 * one.rating:.3f}"
            word = "positive" if one.is_high else "negative"
            rows.writerow([f"hku{one.subject:02d}", one.song, f"s{one.song}", said, word, said, word])
    for one in trials:
        made = {
            "bvp": np.zeros(SECONDS * 64),
            "eda": one.skin(4.0),
            "hr": np.full(SECONDS, 72.0),
            "ibi": np.zeros(0),
            "temp": np.full(SECONDS * 4, 33.0),
        }
        for name, values in made.items():
            path = (
                place
                / hku956.SIGNALS
                / f"hku{one.subject:02d}"
                / name.upper()
                / f"{one.song}_s{one.song}.csv"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(f"{value:.5g}" for value in values.tolist()))
    return place


def write_pmemo(place: Path, trials: list[Heard]) -> Path:
    """The layout of 2018; of a song's figures some say whether its number is odd, the others are noise."""
    for word, letter in (("Valence", "V"), ("Arousal", "A")):
        for folder in (place / "Annotations" / word, place / "EDA" / word):
            folder.mkdir(parents=True)
        for song in sorted({one.song for one in trials}):
            said = [f"{one.subject:06d},{0.5 + one.rating / 2:.4f}" for one in trials if one.song == song]
            path = place / "Annotations" / word / f"{song}-{letter}.csv"
            path.write_text("\n".join(["subject_id,static", *said, ""]))
        for one in trials:
            path = place / "EDA" / word / f"{one.song}_{one.subject:06d}_{letter}.csv"
            values = one.skin(pmemo.RATE_HZ).tolist()
            path.write_text(
                "\n".join(["time,eda", *(f"{k / 50:g},{value:.5g}" for k, value in enumerate(values))])
            )
    rows = [",".join(["musicId", *(f"f{k}" for k in range(COMPARE))])]
    for song in sorted({one.song for one in trials}):
        figures = np.random.default_rng(1000 + song).normal(size=COMPARE)
        figures[:TOLD_BY_MUSIC] += 3.0 if song % 2 else -3.0
        rows.append(",".join([str(song), *(f"{value:.3f}" for value in figures.tolist())]))
    (place / "static_features.csv").write_text("\n".join(rows))
    return place


def write_pmemo_2019(place: Path, trials: list[Heard]) -> Path:
    """The layout of 2019: of what was said there are the songs' means alone."""
    (place / "EDA").mkdir(parents=True)
    means = ["musicId,Arousal(mean),Valence(mean)"]
    for song in sorted({one.song for one in trials}):
        own = [one for one in trials if one.song == song]
        mean = 0.5 + float(np.mean([one.rating for one in own])) / 2
        means.append(f"{song},{mean:.4f},{mean:.4f}")
        table = np.stack([one.skin(pmemo.RATE_HZ) for one in own], axis=1)
        lines = [",".join(["time", *(f"{one.subject:06d}" for one in own)])]
        lines += [f"{k / 50:g}," + ",".join(f"{value:.5g}" for value in row) for k, row in enumerate(table)]
        (place / "EDA" / f"{song}_EDA.csv").write_text("\n".join(lines))
    path = place / "annotations" / pmemo.STATIC
    path.parent.mkdir()
    path.write_text("\n".join(means))
    return place


def write_deap(place: Path, trials: list[Heard]) -> Path:
    """Forty videos a subject, three seconds of rest before each."""
    place.mkdir(parents=True, exist_ok=True)
    for subject in sorted({one.subject for one in trials}):
        data = np.zeros(deap.SHAPE, np.float32)
        labels = np.full((40, 4), 5.0)
        for one in (one for one in trials if one.subject == subject):
            data[one.song, deap.CHANNELS["eda"]] = one.skin(deap.RATE_HZ, 3.0)
            labels[one.song, :2] = 5 + 4 * one.rating
        arrays = {"labels": python2.array(labels), "data": python2.array(data)}
        (place / f"s{subject + 1:02d}.dat").write_bytes(python2.dictionary(arrays))
    return place


def write_amigos(place: Path, trials: list[Heard]) -> Path:
    """Twenty videos a subject, five seconds of rest before each; some cells are empty."""
    place.mkdir(parents=True, exist_ok=True)
    for subject in sorted({one.subject for one in trials}):
        data, labels = np.empty((1, 20), object), np.empty((1, 20), object)
        for number in range(20):
            data[0, number] = labels[0, number] = np.zeros((0, 0))
        for one in (one for one in trials if one.subject == subject):
            skin = one.skin(amigos.RATE_HZ, 5.0)
            data[0, one.song] = np.zeros((len(skin), amigos.CHANNELS), np.float32)
            data[0, one.song][:, amigos.SKIN] = skin
            labels[0, one.song] = np.full((1, 12), 5 + 4 * one.rating)
        names = np.empty((1, 20), object)
        names[0] = [str(number) for number in range(20)]
        content = {"joined_data": data, "labels_selfassessment": labels, "VideoIDs": names}
        savemat(place / f"Data_Preprocessed_P{subject + 1:02d}.mat", content, do_compression=True)
    return place


WRITERS: dict[str, Callable[[Path, list[Heard]], Path]] = {
    "hku956": write_hku956,
    "pmemo": write_pmemo,
    "deap": write_deap,
    "amigos": write_amigos,
}
