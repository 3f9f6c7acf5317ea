"""A run's card, in Markdown: what was learnt from what, how well beside chance, and what to doubt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.sessions import Sessions
from emolab.models.classifier import Spec, make
from emolab.training import run_folder
from emolab.training.alarm import Alarm
from emolab.training.corpus_examples import Found
from emolab.training.order import Order
from emolab.training.run_folder import CONFIG, FIGURES
from emolab.training.splits import Fold

WORDS = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    "kappa": "Cohen's κ",
    "accuracy": "accuracy",
    "majority": "accuracy of the commonest class",
    "majority_macro_f1": "macro-F1 of the commonest class",
    "harmonic_macro_f1": "harmonic macro-F1",
    "high_f1": "F1 of the high class",
    "auroc": "area under the ROC curve",
    "ece": "expected calibration error",
    "rmse": "RMSE",
    "rmse_of_mean": "RMSE of always guessing the mean",
    "r": "Pearson's r",
}
NAMED = 8  # participants in a sentence
COLUMNS = ("macro_f1", "balanced_accuracy", "kappa", "accuracy", "majority")
LABELS = {
    "own": "each participant's own threshold, half-way between two clusters of all ratings they gave, "
    "those of tested trials included: that is how the label is defined, and no learning",
    "fixed": "the middle of the scale",
    "corpus": "the corpus's two classes; its neutral trials are left out",
}
MEANS = "each song's mean rating, which all who heard it share, not what each participant said"
OF_SONGS = {
    "own": f"{MEANS}; high begins half-way between two clusters of the means of songs a participant heard",
    "fixed": f"{MEANS}; high begins at the middle of the scale",
}
SPLITS = {
    "subject": "no participant is in two parts",
    "song": "no song is in two parts; participants are",
    "both": "neither a participant nor a song is in two parts",
    "none": "single trials are dealt out: participants and songs are on both sides, which flatters",
}


def text(
    order: Order,
    out: Path,
    found: Found,
    every: Sequence[Fold],
    metrics: Mapping[str, Any],
    alarms: Sequence[Alarm],
    final: Mapping[str, Any] | None,
    programs: Sequence[str],
) -> str:
    """The card, ending with a new line. `programs`: those by which the folds were learnt, in words."""
    spec: Spec = make(order.model).spec
    config = json.loads((out / CONFIG).read_text(encoding="utf-8"))
    lines = [f"# {spec.name} on {found.how['corpus']}: {order.target}", ""]
    lines += _alarms(alarms, metrics)
    lines += ["## Figures", ""]
    lines += _regression(metrics) if order.is_regression else _figures(metrics)
    lines += ["", *_pictures(out), "## What it learnt from", ""]
    lines += [f"- {line}" for line in _data(order, found, every)]
    lines += ["", "## How", ""]
    lines += [f"- {line}" for line in _how(order, spec, config, metrics, final, programs)]
    return "\n".join(lines) + "\n"


def _alarms(alarms: Sequence[Alarm], metrics: Mapping[str, Any]) -> list[str]:
    lines = [f"- **{one.level.upper()}** ({one.kind.replace('_', ' ')}): {one.text}" for one in alarms]
    lines += [f"- **SKIPPED** fold {one['fold']}: {one['why']}" for one in metrics["skipped"]]
    return ["## Alarms", "", *(lines or ["None: no overlap between parts, nothing fitted on test rows."]), ""]


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    lines = []
    for seed, one in metrics["seeds"].items():
        if not one["folds"]:
            continue
        over, line = one["over_folds"], one["permutation"]
        lines += [f"Seed {seed}, mean and population SD over {len(one['folds'])} folds:", ""]
        lines += ["| figure | mean | SD |", "|---|---|---|"]
        lines += [
            f"| {WORDS[name]} | {_told(over[name]['mean'])} | {_told(over[name]['sd'])} |"
            for name in (*COLUMNS, "harmonic_macro_f1", "high_f1", "auroc", "ece")
            if name in over
        ]
        lines += [
            "",
            f"The same guesses, labels shuffled within folds {line['draws']} times: macro-F1 "
            f"{line['mean']:.3f} on average, {line['high_95']:.3f} at the 95th percentile; "
            f"p = {line['p']:.4f}, rows of one person taken for independent, which makes it rather small.",
            "",
            "| fold | tested | " + " | ".join(WORDS[name] for name in COLUMNS) + " |",
            "|---|---|" + "---|" * len(COLUMNS),
        ]
        lines += [
            f"| {fold['fold']} | {fold['n']} | " + " | ".join(_told(fold[name]) for name in COLUMNS) + " |"
            for fold in one["folds"]
        ]
        pooled = one["pooled"]
        lines += ["", "All folds together; rows said, columns guessed:", ""]
        lines += ["| | " + " | ".join(metrics["classes"]) + " | recall |"]
        lines += ["|---|" + "---|" * (len(metrics["classes"]) + 1)]
        for name, row in zip(metrics["classes"], pooled["confusion"], strict=True):
            recall = pooled["per_class"][name]["recall"]
            lines += [f"| {name} | " + " | ".join(map(str, row)) + f" | {_told(recall)} |"]
        lines += [""]
    return lines


def _regression(metrics: Mapping[str, Any]) -> list[str]:
    lines = ["| seed | figure | mean over folds | SD |", "|---|---|---|---|"]
    for seed, one in metrics["seeds"].items():
        for name, told in one["over_folds"].items():
            lines.append(f"| {seed} | {WORDS[name]} | {_told(told['mean'])} | {_told(told['sd'])} |")
    return lines


def _pictures(out: Path) -> list[str]:
    there = [path.name for path in sorted((out / FIGURES).glob("*.svg"))]
    return [*(f"![{name.removesuffix('.svg')}]({FIGURES}/{name})" for name in there), ""] if there else []


def _data(order: Order, found: Found, every: Sequence[Fold]) -> list[str]:
    examples, spec = found.examples, _corpus(order)
    classes = ", ".join(f"{count} {name}" for name, count in examples.counts().items())
    people, songs = len(set(examples.subjects.tolist())), len(set(examples.songs.tolist()))
    lines = [f"{len(examples)} trials of {people} participants and {songs} songs: {classes}"]
    why = Counter(one.why for one in found.left_out)
    lines += [f"left out: {count} trials, {reason}" for reason, count in why.most_common(5)]
    if len(why) > 5:
        lines.append(
            f"left out: {sum(why.values()) - sum(n for _, n in why.most_common(5))} more, see folds.json"
        )
    if order.target in ("valence", "arousal"):
        lines += _labels(order, found.how)
    shared, purged = sum(len(one.shared) for one in every), sum(len(one.purged) for one in every)
    lines.append(f"{order.folds} folds, {SPLITS[order.group]}")
    if shared or purged:
        lines.append(
            f"in no part of a fold: {shared} rows that share a song or a participant, {purged} that overlap"
        )
    return [*lines, f"corpus: {spec.citation}", f"licence of the corpus: {spec.licence}"]


def _labels(order: Order, how: Mapping[str, Any]) -> list[str]:
    """What the labels come of, and for whom that is otherwise."""
    if order.is_regression:
        return [] if how["is_own"] else [f"ratings: {MEANS}"]
    lines = [f"labels: {(LABELS if how['is_own'] else OF_SONGS)[order.labels]}"]
    if lent := how["population"]:
        some = ", ".join(lent[:NAMED]) + (f" and {len(lent) - NAMED} more" if len(lent) > NAMED else "")
        lines.append(
            f"without a threshold of their own, since they rated too few songs or all alike: {some}; theirs "
            "is the median of the others'"
        )
    return lines


def _how(
    order: Order,
    spec: Spec,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    final: Mapping[str, Any] | None,
    programs: Sequence[str],
) -> list[str]:
    lines = [
        f"model: {spec.paper}; variant {order.variant}",
        f"seeds {', '.join(metrics['seeds'])}; {order.threads} thread(s), device {order.device}"
        + (", products in bfloat16" if order.half else ""),
    ]
    if order.search:
        lines.append(
            f"{order.search} settings beside the paper's were tried in each fold, judged on rows held back "
            "from its training part; see `chosen` in metrics.json"
        )
        scores = [each["score"] for one in metrics["chosen"] for each in one["tried"]]
        if lost := scores.count(None):
            lines.append(f"with {lost} of {len(scores)} settings tried nothing was learnt; `why` is there")
    if final is not None:
        seen = f"knows {final['train'] + final['valid']} of {config['rows']} rows"
        kept = f"was not learnt: {final['skipped']}" if final["skipped"] else seen
        lines.append(f"`final/` {kept}; the figures above are of the folds' classifiers, not of that one")
    now = run_folder.program_words(run_folder.program())
    judged = "" if now in programs else f"; judged by {now}"
    lines.append(f"learnt by {'; and by '.join(programs)}{judged}")
    lines.append(f"data SHA-256 {config['data_sha256']}")
    if config["command"]:
        lines.append(f"`{' '.join(config['command'])}`")
    return lines


def _corpus(order: Order) -> Any:
    return Sessions.spec if order.data == "study" else resolve(DATASETS, order.data, "corpus").spec


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
