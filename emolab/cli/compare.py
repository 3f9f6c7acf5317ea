"""`emolab compare RUN…`: runs of 'emolab train' beside one another, and whether they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emolab.cli.arguments import parser, print_json

WHAT = """Runs of 'emolab train' beside one another, and tests of those judged in the same folds.

Beside a run with --variant authors stands what its paper prints for the same model and --set, corpus, target
and --people, where the run has ten folds, labels 'own', and neither --epochs nor --search.

p is of the corrected t test over folds (Nadeau and Bengio), then as Holm corrects it for all pairs. The tests
of Wilcoxon and of turned signs do not know that folds share what they learn from. McNemar's counts rows."""
COLUMNS = ("macro_f1", "balanced_accuracy", "kappa", "accuracy", "majority")
RATED = ("rmse", "rmse_of_mean", "r")
PRINTED = {
    "accuracy": "accuracy",
    "high_f1": "F1 of high",
    "high_precision": "precision of high",
    "high_recall": "recall of high",
    "rmse": "RMSE",
    "r": "r",
}
SPLITS = {"none": ", single trials dealt out", "subject": ", folds user-independent", None: ""}
OF_PEOPLE = {128: " (for 40 % of 457, which are 183)"}  # as the paper has it
HEADS = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced",
    "kappa": "κ",
    "majority": "commonest",
    "rmse": "RMSE",
    "rmse_of_mean": "of mean",
}


def compare(arguments: list[str]) -> int:
    """Print the table and the tests; 0."""
    cli = parser("compare", WHAT)
    cli.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a folder of 'emolab train'")
    cli.add_argument("--figure", metavar="NAME", help="what folds are compared by (default: macro_f1)")
    cli.add_argument("--json", action="store_true", help="all of it as JSON")
    options = cli.parse_args(arguments)
    from emolab.training.comparison import compare as compared

    found = compared(options.runs, options.figure)
    if options.json:
        print_json(found)
    else:
        print("\n".join([*_table(found["runs"]), *(f"\n{_pair(one)}" for one in found["pairs"])]))
    return 0


def _table(runs: list[dict[str, Any]]) -> list[str]:
    wide = max(len(run["name"]) for run in runs)
    lines: list[str] = []
    for names in (COLUMNS, RATED):
        ours = [run for run in runs if names[0] in run["figures"]]
        if not ours:
            continue
        heads = "".join(f"{HEADS.get(name, name):>15}" for name in names)
        lines.append(f"{'':<{wide}}{heads}" + (f"{'p by shuffling':>16}" if names is COLUMNS else ""))
        for run in ours:
            cells = "".join(f"{_figure(run['figures'][name]):>15}" for name in names)
            p = f"{p_words(run['permutation_p']):>16}" if names is COLUMNS else ""
            lines.append(f"{run['name']:<{wide}}{cells}{p}")
    for run in runs:
        lines.append(f"{run['name']}: {_asked(run)}")
        alarms = [f"    {level}: {text}" for level in ("red", "amber") for text in run[level]]
        lines += [*_left_out(run["left_out"], alarms), *alarms]
        lines += [f"    {run['skipped']} folds were skipped"] * bool(run["skipped"])
        lines += _printed(run)
    return lines


def _printed(run: dict[str, Any]) -> list[str]:
    """What its paper prints for the same, beside what came of it here."""
    told = run["printed"]
    if told is None:
        return []
    people = f"{told['people']} participants{OF_PEOPLE.get(told['people'], '')}"
    head = f"    printed in {told['where']}, of {people}{SPLITS[told['split']]}"
    figures = [
        f"{PRINTED[name]} {one['printed']:.4f}, here {_share(one['here'], 4)}"
        for name, one in told["figures"].items()
    ]
    return [f"{head}:", f"        {'; '.join(figures)}"]


def _asked(run: dict[str, Any]) -> str:
    """What a run was asked for; what is as usual is not told."""
    from emolab.training.fewer_people import people_words

    made = "".join(f", {name}={value}" for name, value in run["options"].items())
    split = "" if run["group"] == "none" else f" by {run['group']}"
    parts = [f"{run['model']} ({run['variant']}{made})", f"{run['corpus']} {run['target']}"]
    parts += [f"labels {run['labels']}"] * bool(run["labels"])
    parts += [f"{run['folds']} folds{split}", f"{run['rows']} rows"]
    parts += [f"--people {people_words(run['people'])}"] if run["people"] else []
    parts += [f"--search {run['search']}"] * bool(run["search"])
    parts += [f"--epochs {run['epochs']}"] * bool(run["epochs"])
    parts += [f"--seed {run['seed']}"] * bool(run["seed"])
    parts += [f"--seeds {run['seeds']}"] * (run["seeds"] > 1)
    return ", ".join(parts)


def _left_out(told: dict[str, Any], alarms: list[str]) -> list[str]:
    """How many trials were left out, where no alarm tells of it."""
    count = f"{told['n']} of {told['of']} trials {'was' if told['n'] == 1 else 'were'} left out"
    if not told["n"] or any(f"{count} (" in line for line in alarms):
        return []
    return [f"    {count}" + (f" (most often: {next(iter(told['why']))})" if told["why"] else "")]


def _pair(one: dict[str, Any]) -> str:
    head = f"{one['one']} less {one['other']}"
    if one["why"]:
        return f"{head}: not tested, {one['why']}"
    better = "better in {} folds, worse in {}, equal in {}".format(*one["better"])
    line = (
        f"{head}: {HEADS.get(one['figure'], one['figure'])} {_number(one['difference'])} "
        f"({_number(one['low'])} to {_number(one['high'])}), {better}\n    p {p_words(one['p'])}, Holm "
        f"{p_words(one['p_holm'])}; Wilcoxon {p_words(one['p_wilcoxon'])}, signs {p_words(one['p_signs'])}"
    )
    return line + ("" if one["p_mcnemar"] is None else f", McNemar {p_words(one['p_mcnemar'])}")


def _figure(told: dict[str, Any]) -> str:
    return _share(told["mean"]) + ("" if told["sd"] is None else f" ± {told['sd']:.3f}")


def _share(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def p_words(value: float | None) -> str:
    """A p, never as nought: `0.012`, `< 0.001`."""
    return "–" if value is None else ("< 0.001" if value < 0.001 else f"{value:.3f}")
