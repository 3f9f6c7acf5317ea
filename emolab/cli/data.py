"""`emolab data`: the corpora that are known, and whether a download of one is whole.

list              what there is: licence, citation, where to ask for it
check NAME DIR    what is there, what is missing, and counts beside those published

A check reads names and ratings; with --all it reads every signal too, which takes minutes. It ends with 0
when all is there, with 1 when something is missing, with 2 when DIR is something else.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from emolab.cli.arguments import parser, print_json
from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.dataset import Dataset, LeftOut, quietly
from emolab.datasets.reasons import by_reason

SHOWN = 10  # reasons why something is left out; --json tells all


def data(arguments: list[str]) -> int:
    """List the corpora, or check one."""
    cli = parser("data", __doc__ or "")
    words = cli.add_subparsers(dest="word", required=True, metavar="{list,check}")
    listed = words.add_parser("list", help="licence, citation, where to ask for each")
    checked = words.add_parser("check", help="is a download whole")
    checked.add_argument("name", metavar="NAME", help=f"corpus: {', '.join(sorted(DATASETS))}")
    checked.add_argument("folder", type=Path, metavar="DIR", help="where it lies")
    checked.add_argument("--all", action="store_true", help="read every signal too")
    for each in (listed, checked):
        each.add_argument("--json", action="store_true", help="facts as JSON")
    options = cli.parse_args(arguments)
    return _list(options) if options.word == "list" else _check(options)


def _list(options: argparse.Namespace) -> int:
    specs = {name: resolve(DATASETS, name, "corpus").spec for name in sorted(DATASETS)}
    if options.json:
        print_json({name: {**vars(spec), "published": dict(spec.published)} for name, spec in specs.items()})
        return 0
    for name, spec in specs.items():
        counts = ", ".join(f"{count} {what}" for what, count in spec.published.items())
        print(f"{name}: {spec.name}, {counts}")
        print(f"    licence   {spec.licence}\n    cite      {spec.citation}\n    from      {spec.where}")
    return 0


def _check(options: argparse.Namespace) -> int:
    corpus: Dataset = resolve(DATASETS, options.name, "corpus")(options.folder)
    facts = check(corpus, options.all)
    if options.json:
        print_json(facts)
    else:
        _tell(facts, options.folder)
    return 0 if facts["is_whole"] else 1


def check(corpus: Dataset, reads_all: bool = False) -> dict[str, Any]:
    """What of a corpus is there: counts found and published, files missing, trials left out and why.

    Where each target has recordings of its own (`by_target`), counts are those of the target with fewer.
    """
    sides: dict[str, Dataset] = dict(corpus.by_target()) if hasattr(corpus, "by_target") else {"": corpus}
    with quietly():  # the table says it
        counts = {target: _counts(side, reads_all) for target, side in sides.items()}
    found = {what: min(one[what] for one in counts.values()) for what in next(iter(counts.values()))}
    left_out = dict.fromkeys(one for side in sides.values() for one in getattr(side, "left_out", ()))
    published = dict(corpus.spec.published)
    missing = list(getattr(corpus, "missing", ()))
    return {
        "corpus": corpus.spec.name,
        "found": found,
        "by_target": {target: one["trials"] for target, one in counts.items()} if len(sides) > 1 else {},
        "published": published,
        "missing": missing,
        "left_out": [vars(one) for one in left_out],
        "is_read": reads_all,
        "is_whole": not missing and all(found.get(what, 0) >= count for what, count in published.items()),
    }


def _counts(corpus: Dataset, reads_all: bool) -> dict[str, int]:
    """How many can be used, of trials, of participants, of each split, of songs."""
    trials = corpus.trials()
    if reads_all and hasattr(corpus, "each"):
        for _ in corpus.each():
            pass
        trials = corpus.trials()
    found = {"trials": len(trials), "participants": len({ref.subject for ref in trials} - {None})}
    found |= Counter(ref.split for ref in trials if ref.split is not None)
    if hasattr(corpus, "ratings"):
        found["songs"] = len({corpus.ratings()[ref.key].song for ref in trials})
    return found


def _tell(facts: dict[str, Any], folder: Path) -> None:
    print(facts["corpus"])
    for what, count in facts["found"].items():
        if what in facts["published"]:
            print(f"    {what:<14}{count:>7} of {facts['published'][what]} published")
        elif count:
            print(f"    {what:<14}{count:>7}")
    for target, count in facts["by_target"].items():
        print(f"    {f'for {target}':<14}{count:>7}")
    if facts["missing"]:
        print(f"    not there: {', '.join(facts['missing'])}")
    told = list(by_reason((LeftOut(**one) for one in facts["left_out"]), folder).items())
    for why, keys in told[:SHOWN]:
        named = keys[0] if len(keys) == 1 else f"{len(keys)} trials, such as {keys[0]}"
        print(f"    left out: {named}: {why}")
    if more := sum(len(keys) for _, keys in told[SHOWN:]):
        print(f"    left out: {more} more; --json tells all")
    read = "every signal was read" if facts["is_read"] else "signals were not read; --all reads them"
    print(f"{'it is whole' if facts['is_whole'] else 'it is not whole'}; {read}")
