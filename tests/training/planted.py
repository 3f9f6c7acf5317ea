"""What the networks find in corpora whose truth is known: the long campaign, with the paper's sizes.

    python -m tests.training.planted [--threads 2] [--subjects 40] [--songs 16] [--epochs 6]

Every model on a corpus where the skin tells the rating, on the same with labels shuffled, and on one where
only the song tells: accuracy on subjects (or songs) never seen, beside how many of them there are.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emolab.datasets.cache import ArrayCache
from emolab.models.eda_inputs import CURVES_FROM_S
from emolab.models.examples import Examples
from emolab.models.grad_cam import grad_cam
from emolab.training.corpus_examples import examples_of, open_corpus
from emolab.training.network import NetworkClassifier
from emolab.training.recipes import Recipe
from tests.training.corpora import PLANTED_S, SECONDS, WRITERS, Heard, Rule, by_skin, by_song, heard

QUICK = Recipe(epochs=2, batch=16, rate=0.01, patience=None)


@dataclass(frozen=True)
class Judged:
    """A model, how often it was right on rows whose group it never saw, and how many they were."""

    model: NetworkClassifier
    unseen: Examples
    accuracy: float


def corpus(folder: Path, name: str, trials: list[Heard], spec_of: NetworkClassifier) -> Examples:
    """The trials written in a corpus's layout, if they are not there yet, and read again."""
    place = folder / name
    if not place.exists():
        WRITERS[name](place, trials)
    opened = open_corpus(name, place, "valence")
    return examples_of(opened, spec_of.spec, "valence", ArrayCache(folder / "cache")).examples


def judged(model: NetworkClassifier, rows: Examples, unseen: NDArray[np.bool_], seed: int = 0) -> Judged:
    """Learn from all rows but the unseen ones, and be judged on those."""
    model.fit(rows.take(~unseen), seed=seed)
    kept = rows.take(unseen)
    guessed = model.predict_proba(kept.inputs).argmax(1)
    return Judged(model, kept, float((guessed == kept.labels).mean()))


def shuffled(rows: Examples, seed: int = 0) -> Examples:
    """The same rows with each other's labels."""
    return replace(rows, labels=np.random.default_rng(seed).permutation(rows.labels))


def last(names: NDArray[np.str_], count: int) -> NDArray[np.bool_]:
    """The rows of the last few of those named."""
    return np.isin(names, np.unique(names)[-count:])


def looked_at(found: Judged, before_s: float = 0.5, after_s: float = 3.5) -> float:
    """Grad-CAM's mass about the planted response, as a multiple of what chance gives."""
    high = found.unseen.take(found.unseen.labels == 1)
    curves = torch.from_numpy(high.inputs[0][:])
    heat = grad_cam(found.model.network, curves, classes=torch.ones(len(high), dtype=torch.long)).numpy()
    at_s = np.linspace(CURVES_FROM_S, SECONDS, heat.shape[1])
    near = (at_s >= PLANTED_S - before_s) & (at_s < PLANTED_S + after_s)
    share = heat[:, near].sum(1) / np.maximum(heat.sum(1), 1e-12)
    return float(share.mean() / near.mean())


def campaign(subjects: int, songs: int, epochs: int) -> Iterator[str]:
    """A line for each model and corpus."""
    recipe = replace(QUICK, epochs=epochs)
    with tempfile.TemporaryDirectory() as folder:
        for name, rule, models in (
            ("hku956", by_skin, ("rtcag", "feature_cnn", "res_si")),
            ("pmemo", by_song, ("rtcan", "rtcag", "res_sin", "res_si")),
        ):
            yield from _lines(Path(folder), name, heard(subjects, songs, rule), models, recipe, rule)


def _lines(
    folder: Path, name: str, trials: list[Heard], models: tuple[str, ...], recipe: Recipe, rule: Rule
) -> Iterator[str]:
    for kind in models:
        ours = replace(recipe, crop=kind.startswith("res"))
        model = NetworkClassifier(kind, recipe=ours)
        rows = corpus(folder, name, trials, model)
        names = rows.songs if rule is by_song else rows.subjects
        unseen = last(names, max(len(np.unique(names)) // 4, 2))
        found = judged(model, rows, unseen)
        chance = judged(NetworkClassifier(kind, recipe=ours), shuffled(rows), unseen)
        line = f"{name} {rule.__name__} {kind}: {found.accuracy:.3f} of {len(found.unseen)} unseen"
        line += f", labels shuffled {chance.accuracy:.3f}"
        if kind == "rtcag" and rule is by_skin:
            line += f", Grad-CAM about the planted second {looked_at(found):.1f} × chance"
        yield line


def main() -> None:
    """Print a line as soon as it is known."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--subjects", type=int, default=40)
    asked.add_argument("--songs", type=int, default=16)
    asked.add_argument("--epochs", type=int, default=6)
    given = asked.parse_args()
    torch.set_num_threads(given.threads)
    for line in campaign(given.subjects, given.songs, given.epochs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
