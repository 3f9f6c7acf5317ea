"""The README's table of what classifiers tell from HKU956: its cells learnt one by one, and kept.

    python -m tests.bench.bench_cells learn HKU956 RUNS [--only WORD …] [--workers N]
    python -m tests.bench.bench_cells table

A cell is a model, a variant, a target, a kind of labels and a kind of split: one `emolab train` of ten folds,
seed 0, into a folder of its own below RUNS. `learn` goes through the cells that `cells.csv` beside this file
does not hold, or holds without their folds, those of the words (`--only rtcag authors`) or all, and puts in a
line for each when it is done; killed, it goes on with the same command. `table` prints them as the README has
them, with Holm's correction over all and what splits by song flatter. The forest takes seconds, a network up
to half an hour.

A line without a `p` is of a run that is not kept any more, and was not below 0.05.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from emolab.stats.correction import holm
from emolab.training.comparison import compare
from emolab.training.run_folder import CONFIG, METRICS, read_json

KEPT = Path(__file__).with_name("cells.csv")
README = Path(__file__).parents[2] / "README.md"
TARGETS = ("valence", "arousal")
GROUPS = ("subject", "song", "both")
# in the README's order: (model, variant), its name there, and whether the corpus's own classes are told too
MODELS = {
    ("svm", "reference"): ("SVM", True),
    ("svm", "authors"): ("SVM, authors' variant", True),
    ("forest", "reference"): ("forest", True),
    ("feature_cnn", "reference"): ("3-layer CNN", False),
    ("feature_cnn", "authors"): ("3-layer CNN, authors' variant", False),
    ("rtcag", "reference"): ("RTCAN-1D, skin alone", False),
    ("rtcag", "authors"): ("RTCAN-1D, skin alone, authors' variant", False),
    ("res_si", "reference"): ("Res-SIN, skin alone", False),
    ("res_si", "authors"): ("Res-SIN, skin alone, authors' variant", False),
}
HALVES = ("rtcag", "res_si")
LABELS = {"own": "own threshold", "corpus": "corpus's classes"}
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Cell:
    """What is learnt, and how it is judged."""

    model: str
    variant: str
    target: str
    labels: str
    group: str

    def words(self) -> list[str]:
        return [self.model, self.variant, self.target, self.labels, self.group]

    def command(self, root: Path, out: Path, workers: int) -> list[str]:
        """As `emolab` takes it."""
        told = ["train", self.model, "--variant", self.variant, "--data", "hku956", "--root", str(root)]
        told += ["--target", self.target, "--labels", self.labels, "--group", self.group, "--no-final"]
        told += ["--half"] if self.model in HALVES else []
        return [*told, "--workers", str(workers), "--out", str(out)]


def cells() -> list[Cell]:
    """All, in the README's order."""
    return [
        Cell(*kind, target, labels, group)
        for target, labels, (kind, (_, is_told_by_corpus)), group in product(
            TARGETS, LABELS, MODELS.items(), GROUPS
        )
        if labels == "own" or is_told_by_corpus
    ]


def kept(path: Path = KEPT) -> pd.DataFrame:
    """A row for each cell that was learnt."""
    return pd.read_csv(path, dtype={"commit": str}) if path.is_file() else pd.DataFrame(columns=_names())


def _names() -> list[str]:
    figures = ["macro_f1", "sd", "balanced_accuracy", "kappa", "majority_macro_f1", "p", "folds", "commit"]
    return [*(one.name for one in fields(Cell)), *figures]


def learn(root: Path, runs: Path, only: Sequence[str], workers: int) -> None:
    """Cell after cell, of those that are missing, or of which not even the folds are known."""
    done = {tuple(row) for row in kept().dropna(subset="folds")[_names()[:5]].itertuples(index=False)}
    wanted = [one for one in cells() if set(only) <= set(one.words()) and tuple(one.words()) not in done]
    for k, cell in enumerate(wanted):
        out = runs / "_".join(cell.words())
        print(f"{k + 1} of {len(wanted)}: {' '.join(cell.words())}", flush=True)
        if not (out / METRICS).is_file():
            code = subprocess.run(
                [sys.executable, "-m", "emolab", *cell.command(root, out, workers)],
                stdout=subprocess.DEVNULL,
            ).returncode
            if not (out / METRICS).is_file():
                raise SystemExit(f"{out} was not finished (exit {code}); the same command goes on from there")
        _keep(cell, out)


def _keep(cell: Cell, out: Path) -> None:
    """Put a finished run's line in its place, in the README's order; whole or not at all."""
    told = compare([out])["runs"][0]
    figures = told["figures"]
    judged = read_json(out / METRICS)["seeds"]["0"]
    row = asdict(cell) | {
        "macro_f1": round(figures["macro_f1"]["mean"], 6),
        "sd": round(figures["macro_f1"]["sd"], 6),
        "balanced_accuracy": round(figures["balanced_accuracy"]["mean"], 4),
        "kappa": round(figures["kappa"]["mean"], 4),
        "majority_macro_f1": round(float(np.mean([one["majority_macro_f1"] for one in judged["folds"]])), 4),
        "p": round(told["permutation_p"], 4),
        "folds": " ".join(f"{one:.3f}" for one in judged["over_folds"]["macro_f1"]["folds"]),
        "commit": read_json(out / CONFIG)["program"]["commit"][:7],
    }
    place = {tuple(one.words()): k for k, one in enumerate(cells())}
    rows = {place[tuple(one[name] for name in _names()[:5])]: one for one in kept().to_dict("records")}
    rows[place[tuple(cell.words())]] = row
    draft = KEPT.with_suffix(".draft")
    pd.DataFrame([rows[k] for k in sorted(rows)], columns=_names()).to_csv(draft, index=False)
    draft.replace(KEPT)


def table(found: pd.DataFrame) -> Iterator[str]:
    """The README's lines."""
    yield "| target, labels | model | by participant | by song | by both | commonest class alone |"
    yield "|---|---|---|---|---|---|"
    by_cell = {tuple(row[:5]): row for row in found[_names()].itertuples(index=False, name=None)}
    for target, labels in product(TARGETS, LABELS):
        for kind, (name, is_told_by_corpus) in MODELS.items():
            if labels == "corpus" and not is_told_by_corpus:
                continue
            rows = [by_cell.get((*kind, target, labels, group)) for group in GROUPS]
            if not any(rows):
                continue
            commonest = next(
                row[9] for row in by_cell.values() if row[2:4] == (target, labels) and row[4] == "subject"
            )
            told = " | ".join("not yet" if row is None else _figure(*row[5:7], row[10]) for row in rows)
            yield f"| {target}, {LABELS[labels]} | {name} | {told} | {commonest:.3f} |"


def _figure(mean: float, sd: float, p: float) -> str:
    return f"{mean:.3f} ± {sd:.3f}{' *' if p < SIGNIFICANT else ''}"


def remarks(found: pd.DataFrame) -> Iterator[str]:
    """What is left after Holm, and what splits by song flatter."""
    adjusted = holm(found["p"].fillna(1.0).to_numpy(float))
    yield f"Holm over {len(found)} of {len(cells())} cells:"
    for row, p in zip(found.itertuples(index=False), np.asarray(adjusted), strict=True):
        if p < 2 * SIGNIFICANT:
            yield f"    {row.model} {row.variant} {row.target} {row.labels} {row.group}: {p:.3f}"
    yield "by song less by participant, the mean over targets and labels:"
    by = ["model", "variant", "target", "labels"]
    wide = found.pivot_table(index=by, columns="group", values="macro_f1").reindex(columns=list(GROUPS))
    gained = (wide["song"] - wide["subject"]).dropna()
    for (model, variant), some in gained.groupby(level=["model", "variant"], sort=False):
        yield f"    {model} {variant}: {some.mean():+.3f} over {len(some)}"
    kappa, balanced = found["kappa"].max(), found["balanced_accuracy"].max()
    yield f"largest κ {kappa:.2f}, largest balanced accuracy {balanced:.2f}"


def main() -> None:
    """Learn, or print."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = cli.add_subparsers(dest="verb", required=True)
    learning = verbs.add_parser("learn")
    learning.add_argument("root", type=Path, metavar="HKU956")
    learning.add_argument("runs", type=Path, metavar="RUNS")
    learning.add_argument("--only", nargs="*", default=[], metavar="WORD")
    learning.add_argument("--workers", type=int, default=2, metavar="N")
    verbs.add_parser("table")
    options = cli.parse_args()
    if options.verb == "learn":
        learn(options.root, options.runs, options.only, options.workers)
    else:
        print("\n".join([*table(kept()), "", *remarks(kept())]))


if __name__ == "__main__":
    main()
