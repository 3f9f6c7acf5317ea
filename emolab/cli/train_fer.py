"""`emolab train fer --data DIR`: expression models from FER2013, with their card."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import EmolabError, MissingExtra

if TYPE_CHECKING:
    from emolab.faces.card import Card

WHAT = """Train an expression model on FER2013.

The run lives in --out and may be killed at any time: the same command goes on after its last epoch. As long
as the learning rate is level (the first six tenths of --epochs of small, the first third of vgg19) --epochs
may be changed between calls; vgg19 goes through the rates of its 250 epochs in however many there are.
--so-far writes weights and card of the best epoch without a look at the private set; the end of the run
looks at it, once."""


def train_fer(arguments: list[str]) -> int:
    """Train, or finish a run; prints a line per epoch and the figures at the end."""
    options = _options(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))  # read when torch is loaded
    try:
        from emolab.training import fer
    except EmolabError:
        raise
    except ImportError as error:
        raise MissingExtra(f"training needs torch ({error}); pip install 'emolab[faces]'") from error
    from emolab.datasets.fer2013 import Fer2013

    order = fer.Order(
        data=options.data,
        out=options.out or Path(options.model),
        model=options.model,
        variant=options.variant,
        epochs=options.epochs,
        seed=options.seed,
        threads=options.threads,
        device=options.device,
        half=False if options.float32 else None,
        command=["emolab", "train", *arguments],
    )
    fer.recipe_of(order)  # a wrong name is told before a corpus is read
    corpus = Fer2013(options.data, options.cache)
    card = (
        fer.finished(order, corpus, private=False)
        if options.so_far
        else fer.train(order, corpus, tell=lambda line: print(line, flush=True))
    )
    if options.json:
        print_json(dict(card.figures))
    else:
        print("\n".join(_lines(card, order.out)))
    return 0


def _options(arguments: list[str]) -> Namespace:
    cli = parser("train", WHAT)
    cli.add_argument("what", choices=["fer"], help="expression models on FER2013")
    cli.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="FER2013: train, validation and test with seven folders each, or fer2013.csv",
    )
    cli.add_argument("--model", default="small", metavar="small|vgg19", help="which network (default: small)")
    cli.add_argument(
        "--variant", default="reference", choices=["reference", "authors"], help="see training.fer"
    )
    cli.add_argument("--epochs", type=_count, metavar="N", help="default: 100 for small, 250 for vgg19")
    cli.add_argument(
        "--out", type=Path, metavar="DIR", help="where the run lives (default: the model's name, here)"
    )
    cli.add_argument(
        "--threads", type=_count, metavar="N", default=os.cpu_count() or 1, help="default: all cores"
    )
    cli.add_argument("--seed", type=int, default=0, metavar="N")
    cli.add_argument("--device", default="cpu", metavar="cpu|cuda", help="where to compute (default: cpu)")
    cli.add_argument(
        "--float32", action="store_true", help="never compute in bfloat16, which some processors do faster"
    )
    cli.add_argument(
        "--so-far", action="store_true", help="no training: weights and card of the best epoch so far"
    )
    cli.add_argument("--cache", type=Path, metavar="DIR", help="where the corpus read is kept")
    cli.add_argument("--json", action="store_true", help="the card's figures as JSON at the end")
    return cli.parse_args(arguments)


def _lines(card: Card, out: Path) -> list[str]:
    """What came of it, for people."""
    lines = [f"{out / card.weights}, temperature {card.temperature:.3f}"]
    for split, found in card.figures.items():
        low, high = found["accuracy_95"]
        lines.append(
            f"{split}: {found['accuracy']:.2%} ({low:.1%} to {high:.1%}) of {found['n']}, "
            f"three classes {found['three']['accuracy']:.2%}, calibration error {found['ece']:.3f}"
        )
    return lines


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)
