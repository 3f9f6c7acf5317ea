"""`emolab train MODEL --data NAME|STUDY`: a model learns, and is judged on what it never saw."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import SUPPRESS, ArgumentTypeError, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json
from emolab.cli.compare import p_words
from emolab.core.errors import ConfigError
from emolab.datasets import DATASETS
from emolab.models import MODELS

if TYPE_CHECKING:
    from emolab.training.run import Made

FER = "fer"
STUDY = "study"  # a corpus of one's own
REASONS = 3  # for which trials are left out, on a line
CORPORA = sorted(set(DATASETS) - {"fer2013"})
WHAT = f"""A model learns from a corpus, fold by fold, and is judged on what it never saw.

    emolab train svm --data hku956 --root HKU956 --target valence --out runs/svm
    emolab train forest --data STUDY --target group --out runs/forest
    emolab train rtcag --data deap --root DEAP --target arousal --workers 4 --out runs/rtcag
    emolab train rtcag --data deap --root DEAP --target arousal --set ablation=rf --set depth=2 --out runs/rf
    emolab train music_svm --data STUDY --target group --music CLIPS --group song --out runs/music
    emolab train svm --data pmemo --root PMEMO --target valence --people 46 --out runs/svm46
    emolab train fer --data DIR        expression models; 'emolab train fer --help' tells more

Models: {", ".join(MODELS)}; 'emolab models list' tells what they are.
Corpora: {", ".join(CORPORA)} ('emolab data list'), or the folder of a study of your own.

By default no participant is both learnt from and tested (--group subject). Other splits flatter, and the run
says so: look at the alarms, in the terminal and on card.md. Every figure stands beside what chance does.

A run lives in --out and may be stopped at any time (Ctrl-C, kill -9, a power cut): the same command goes on,
folds that are done are kept, and the numbers are those of an unbroken run. They are the same in one process,
in several and on a cluster; another number of --threads changes last digits."""


def train(arguments: list[str]) -> int:
    """Train, or finish a run: 0 when all folds were judged and no alarm is red, 1 otherwise."""
    if arguments and arguments[0] == FER:
        from emolab.cli.train_fer import train_fer

        return train_fer(arguments)
    options = _options(arguments)
    # read when their libraries are loaded; a worker sets its own
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    _check_halves(options)
    from emolab.training.run import train as run

    is_watched = options.progress or sys.stderr.isatty()
    try:
        made = run(
            _order(options),
            options.out,
            options.on or ("here" if options.workers == 1 else "local"),
            options.workers,
            _tell if is_watched else None,
            command=["emolab", "train", *(shlex.quote(word) for word in arguments)],
            with_final=not options.no_final,
        )
    except KeyboardInterrupt:
        print("\nemolab: stopped; the same command goes on from here", file=sys.stderr)
        raise
    finally:
        if is_watched:
            print("\r" + " " * 78 + "\r", end="", file=sys.stderr)
    if options.json:
        print_json({"out": str(made.out), **made.metrics})
    else:
        print(_text(made))
    return 1 if made.skipped or any(one.level == "red" for one in made.alarms) else 0


def _check_halves(options: Namespace) -> None:
    """Raises `ConfigError` where --half would be slower; what a cluster's processors can, it must know."""
    if options.half and options.on is None:
        from emolab.training.halves import multiplies_halves

        if not multiplies_halves(options.device):
            raise ConfigError("this processor does not multiply bfloat16 itself; leave --half out")


def _order(options: Namespace) -> Any:
    from emolab.training.clip_music import table_file
    from emolab.training.fewer_people import read_people
    from emolab.training.order import Order
    from emolab.training.recipes import read_options

    data, root = place(options.data, options.root)
    names = ("model", "target", "labels", "folds", "group", "variant", "seed", "seeds", "epochs", "search")
    more = ("threads", "device", "half", "music", "cache")
    asked = {name: getattr(options, name) for name in (*names, *more)}
    for name in ("music", "cache"):  # a worker may stand elsewhere
        asked[name] = asked[name] and asked[name].resolve()
    asked["people"] = None if options.people is None else read_people(options.people)
    order = Order(data=data, root=root, options=read_options(options.model, options.set), **asked)
    return replace(order, music=table_file(order.music, order.cache)) if order.music else order


def place(data: str, root: Path | None) -> tuple[str, Path]:
    """Which corpus lies where: a name with its --root, or the folder of a study, which may be called `study`.

    Raises `ConfigError` where it is neither.
    """
    if root is None and data not in CORPORA and Path(data).is_dir():
        data, found = STUDY, Path(data)
    elif root is None and data == STUDY:
        raise ConfigError(
            "--root DIR is missing: give the folder of the study, --data DIR, or --data study --root DIR"
        )
    elif data in CORPORA or data == STUDY:
        if root is None:
            raise ConfigError(
                f"--root DIR is missing: where does {data} lie? 'emolab data list' tells where to ask"
            )
        found = root
    else:
        raise ConfigError(
            f"{data!r} is neither a corpus ({', '.join(CORPORA)}) nor the folder of a study; "
            "where a corpus lies is told by --root"
        )
    if not found.is_dir():
        if data == STUDY:
            raise ConfigError(f"{found} is no folder; give the folder of a study, with --data or --root")
        raise ConfigError(
            f"{found} is no folder; 'emolab data check {data} DIR' tells whether a download is whole"
        )
    return data, found.resolve()


def _options(arguments: list[str]) -> Namespace:
    cli = parser("train", WHAT)
    cli.add_argument("model", metavar="MODEL", choices=[*MODELS, FER], help="see 'emolab models list'")
    _add_data(cli)
    _add_judging(cli)
    cli.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the run lives")
    cli.add_argument("--epochs", type=_count, metavar="N", help="at most; default: as the paper has it")
    cli.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="how the model is made, such as ablation=re, depth=2, component=tonic; may be given several "
        "times; 'emolab models list' names what there is",
    )
    cli.add_argument(
        "--search",
        type=_number,
        default=0,
        metavar="N",
        help="try N settings beside the paper's, within each fold's own training part",
    )
    cli.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="folds side by side in so many processes"
    )
    cli.add_argument("--on", metavar="ADDRESS", help="a Dask scheduler, tcp://HOST:PORT, that sees the files")
    cli.add_argument("--scheduler", dest="on", help=SUPPRESS)  # the same
    cli.add_argument("--threads", type=_count, default=1, metavar="N", help="of each fold (default: 1)")
    cli.add_argument("--device", default="cpu", metavar="cpu|cuda", help="where networks compute")
    cli.add_argument(
        "--half",
        action="store_true",
        help="networks multiply in bfloat16: up to twice as fast, on processors that multiply bfloat16; "
        "a GPU always does",
    )
    cli.add_argument("--no-final", action="store_true", help="no classifier of all rows at the end")
    cli.add_argument("--cache", type=Path, metavar="DIR", help="where what was decomposed is kept")
    cli.add_argument("--json", action="store_true", help="metrics.json at the end")
    cli.add_argument("--progress", action="store_true", help="tell how far it is, even where nobody looks")
    return cli.parse_args(arguments)


def _add_data(cli: Any) -> None:
    cli.add_argument("--data", required=True, metavar="NAME|STUDY", help="a corpus, or a study's folder")
    cli.add_argument("--root", type=Path, metavar="DIR", help="where the corpus lies")
    cli.add_argument(
        "--target", required=True, choices=["valence", "arousal", "state", "group"], help="what is to be told"
    )
    cli.add_argument(
        "--labels",
        default="own",
        choices=["own", "fixed", "corpus"],
        help="high from each participant's own threshold (default), from the middle of the scale, or as "
        "the corpus says",
    )
    cli.add_argument(
        "--people",
        metavar="N|SHARE",
        help="only so many participants, such as 46 or 40%%, drawn by lot; with the same --seed whoever is "
        "in a small draw is in every greater one",
    )
    cli.add_argument(
        "--music",
        type=Path,
        metavar="FILE|DIR",
        help="a table of the songs' figures, as PMEmo has, or a folder of the clips: openSMILE makes a table "
        "of them, which is kept in --cache",
    )


def _add_judging(cli: Any) -> None:
    cli.add_argument("--folds", type=_count, default=10, metavar="N", help="default: 10")
    cli.add_argument(
        "--group",
        default="subject",
        choices=["subject", "song", "both", "none"],
        help="what is never on both sides of a split (default: subject)",
    )
    cli.add_argument(
        "--variant",
        default="reference",
        choices=["reference", "authors"],
        help="as it should be, or as the authors' programs did it",
    )
    cli.add_argument(
        "--seed", type=_number, default=0, metavar="N", help="of folds, first weights, and --people"
    )
    cli.add_argument(
        "--seeds", type=_count, default=1, metavar="N", help="learn the same folds from N first weights"
    )


def _text(made: Made) -> str:
    lines = []
    for seed, one in made.metrics["seeds"].items():
        told = {name: each["mean"] for name, each in one["over_folds"].items()}
        if "rmse" in told:
            r = "–" if told["r"] is None else f"{told['r']:.3f}"
            line = one["permutation"]
            words = f"seed {seed}: RMSE {told['rmse']:.3f} (the mean alone {told['rmse_of_mean']:.3f}), r {r}"
            if line is not None:
                words += f"; shuffled ratings reach r {line['mean']:.3f} (95 %: {line['high_95']:.3f}), "
                words += f"p {p_words(line['p'])}"
            lines.append(words)
        elif told:
            line = one["permutation"]
            lines += [
                f"seed {seed}: macro-F1 {told['macro_f1']:.3f} ± {one['over_folds']['macro_f1']['sd']:.3f}, "
                f"balanced accuracy {told['balanced_accuracy']:.3f}, κ {told['kappa']:.3f}",
                f"    accuracy {told['accuracy']:.3f}, of the commonest class {told['majority']:.3f}; "
                f"shuffled labels reach macro-F1 {line['mean']:.3f} (95 %: {line['high_95']:.3f}), "
                f"p {p_words(line['p'])}",
            ]
    lines += _left_out(made.metrics["left_out"])
    lines += [f"skipped: {one}" for one in made.skipped]
    lines += [f"{one.level}: {one.text}" for one in made.alarms]
    return "\n".join([*lines, f"card: {made.out / 'card.md'}"])


def _left_out(account: dict[str, Any]) -> list[str]:
    """How many trials were left out, and the commonest reasons; no line where none was."""
    if not account["n"]:
        return []
    every = list(account["why"].items())
    told = [f"{why} ({count})" for why, count in every[:REASONS]]
    if rest := sum(count for _, count in every[REASONS:]):
        told.append(f"other reasons, see folds.json ({rest})")
    return [f"{account['n']} of {account['of']} trials left out: {', '.join(told)}"]


def _tell(share: float, left_s: float | None, words: str) -> None:
    bar = "#" * round(20 * share) + "." * (20 - round(20 * share))
    left = "" if left_s is None else f", {_duration(left_s)} left"
    print(f"\r[{bar}] {share:4.0%}{left}  {words}"[:78].ljust(78), end="", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)
