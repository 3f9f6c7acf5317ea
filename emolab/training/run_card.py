"""A run's card, in Markdown: what was learnt from what, how well beside chance, and what to doubt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.sessions import Sessions
from emolab.models.classifier import Spec, make
from emolab.training import card_figures, card_labels, card_learning, run_folder
from emolab.training.alarm import Alarm
from emolab.training.corpus_examples import Found
from emolab.training.fewer_people import people_words
from emolab.training.order import Order
from emolab.training.run_folder import CONFIG, FIGURES
from emolab.training.splits import Fold

REASONS = 5  # for which trials are left out
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
    spec: Spec = make(order.model, **order.made).spec
    config = json.loads((out / CONFIG).read_text(encoding="utf-8"))
    lines = [f"# {spec.name} on {found.how['corpus']}: {order.target}", ""]
    lines += _alarms(alarms, metrics)
    lines += ["## Figures", ""]
    corpus, classes = str(found.how["corpus"]), found.examples.classes
    is_rated = order.is_regression
    lines += card_figures.of_ratings(metrics, corpus) if is_rated else card_figures.of_classes(metrics)
    lines += [*_pictures(out), "## What it learnt from", ""]
    lines += [f"- {line}" for line in _data(order, found, every, metrics)]
    lines += ["", "## How it learnt", "", *card_learning.section(order, corpus, classes, out, final)]
    lines += ["", "## How it was run", ""]
    lines += [f"- {line}" for line in _how(order, config, metrics, final, programs)]
    return "\n".join(lines) + "\n"


def _alarms(alarms: Sequence[Alarm], metrics: Mapping[str, Any]) -> list[str]:
    lines = [f"- **{one.level.upper()}** ({one.kind.replace('_', ' ')}): {one.text}" for one in alarms]
    lines += [f"- **SKIPPED** fold {one['fold']}: {one['why']}" for one in metrics["skipped"]]
    return ["## Alarms", "", *(lines or ["None: no overlap between parts, nothing fitted on test rows."]), ""]


def _pictures(out: Path) -> list[str]:
    there = [path.name for path in sorted((out / FIGURES).glob("*.svg"))]
    return [*(f"![{name.removesuffix('.svg')}]({FIGURES}/{name})" for name in there), ""] if there else []


def _data(order: Order, found: Found, every: Sequence[Fold], metrics: Mapping[str, Any]) -> list[str]:
    examples, spec = found.examples, _corpus(order)
    classes = ", ".join(f"{count} {name}" for name, count in examples.counts().items())
    told = card_labels.rated(order, examples, found.how["corpus"]) if order.is_regression else classes
    people, songs = len(set(examples.subjects.tolist())), len(set(examples.songs.tolist()))
    lines = [f"{len(examples)} trials of {people} participants and {songs} songs: {told}"]
    if order.people is not None:
        draw, asked = found.how["people"], f"--people {people_words(order.people)}, seed {order.seed}"
        drawn = f"{draw['drawn']} of the corpus's {draw['of']} participants were drawn by lot ({asked})"
        lines.append(f"{drawn}; labels are as among all")
    lines += _left_out(metrics["left_out"])
    lines += card_labels.told(order, examples, found.how)
    shared, purged = sum(len(one.shared) for one in every), sum(len(one.purged) for one in every)
    lines.append(f"{order.folds} folds, {SPLITS[order.group]}")
    if shared or purged:
        lines.append(
            f"in no part of a fold: {shared} rows that share a song or a participant, {purged} that overlap"
        )
    return [*lines, f"corpus: {spec.citation}", f"licence of the corpus: {spec.licence}"]


def _left_out(account: Mapping[str, Any]) -> list[str]:
    """How many trials, and the commonest reasons; `account` as `Found.account` gives it."""
    every = list(account["why"].items())
    lines = [f"left out: {count} of {account['of']} trials, {reason}" for reason, count in every[:REASONS]]
    if rest := sum(count for _, count in every[REASONS:]):
        lines.append(f"left out: {rest} more, see folds.json")
    return lines


def _how(
    order: Order,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    final: Mapping[str, Any] | None,
    programs: Sequence[str],
) -> list[str]:
    lines = [
        f"seeds {', '.join(metrics['seeds'])}; {order.threads} thread(s), device {order.device}"
        + (", products in bfloat16" if order.half or (order.is_network and order.device != "cpu") else ""),
    ]
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
