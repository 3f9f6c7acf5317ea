"""Of a run's card: how its model learnt, in each fold, and where that is not as the recipe has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.models.choices import written
from emolab.models.classifier import CARD, Input, Spec
from emolab.models.regression import FREE
from emolab.training import run_folder
from emolab.training.card_figures import table
from emolab.training.learner import make_model
from emolab.training.order import Order
from emolab.training.run_folder import FINAL, RESULT

if TYPE_CHECKING:  # without torch, which networks alone need
    from emolab.training.recipes import Recipe

VARIANTS = {
    "reference": "what is right, also where the authors' program was not",
    "authors": "what the authors' program did",
}
SETTINGS = {  # of classical models, with what `vars` tells of them
    **dict.fromkeys(("svm", "music_svm"), "linear kernel, C {c:g}"),
    "forest": "{trees} trees, which grow until a leaf holds one class; {leaf} or more rows a leaf; classes "
    "weigh alike",
    **dict.fromkeys(
        ("svr", "svr_tonic"),
        f"Gaussian kernel as wide as the columns spread, C {{c:g}}, errors up to {FREE:g} of a scale from 0 "
        "to 1 free",
    ),
}
NAMES = {"c": "C", "leaf": "rows a leaf", "rate": "rate", "batch": "batch", "weight_decay": "weight decay"}
PAPERS = "as the paper has it"


@dataclass(frozen=True)
class Taught:
    """What learnt in a fold, or from all rows: what the card calls it, its `result.json`, its folder."""

    name: str
    result: Mapping[str, Any]
    folder: Path

    @property
    def is_fold(self) -> bool:
        """It is judged, unlike what learns from all rows."""
        return self.result["fold"] is not None


def section(
    order: Order, corpus: str, classes: Sequence[str], out: Path, final: Mapping[str, Any] | None
) -> list[str]:
    """Lines of Markdown: what the model is, how it learns, and a table of folds where they differ."""
    every, model = _taught(order, out, final), make_model(order, corpus, {})
    facts = _model(order, model, classes)
    facts += _network(order, corpus, model, every) if order.is_network else _settings(order, model, every)
    if order.search:
        facts += _search(order, every)
    lines = [f"- {line}" for line in facts]
    if order.is_network or order.search:
        lines += ["", *_table(order, every)]
    return lines


def idle(learnt: Sequence[tuple[Recipe, int]]) -> list[str]:
    """What a recipe has and what cannot happen: a rate that is never lowered, patience that stops nothing.

    `learnt`: of each fold the recipe, and from how many rows it learnt. At least one.
    """
    first, lines = learnt[0][0], []
    if first.factor != 1:
        done = [one.epochs * (1 if one.step_unit == "epoch" else _batches(one, n)) for one, n in learnt]
        reached = sum(steps > one.step for steps, (one, _) in zip(done, learnt, strict=True))
        step = f"its first step, after {_count(first.step, first.step_unit)}"
        if not reached:
            lines.append(f"the rate is never lowered: {step}, is never reached")
            if first.step_unit == "iteration":
                lines[-1] += f": {_count(first.epochs, 'epoch')} are {max(done)} at most"
        elif reached < len(learnt):
            lines.append(
                f"the rate is not lowered everywhere: {step}, is reached in {reached} of {len(learnt)}"
            )
    if first.patience is not None and first.epochs <= first.patience + 1:
        lines.append(f"patience {first.patience} cannot stop it within {_count(first.epochs, 'epoch')}")
    return lines


def _taught(order: Order, out: Path, final: Mapping[str, Any] | None) -> list[Taught]:
    """All that has learnt: fold by fold, then what learnt from all rows."""
    found = []
    for seed in order.every_seed:
        for k in range(order.folds):
            folder = run_folder.fold_folder(out, k, seed, order.seeds)
            name = str(k) + (f", seed {seed}" if order.seeds > 1 else "")
            if (result := run_folder.read_json(folder / RESULT)) is not None:
                found.append(Taught(name, result, folder))
    if final is not None:
        found.append(Taught(f"`{FINAL}/`", final, out / FINAL))
    return [one for one in found if not one.result["skipped"]]


def _model(order: Order, model: Any, classes: Sequence[str]) -> list[str]:
    spec = _spec_of(order, model, classes)
    size = "how many parameters hangs on the data"
    if spec.parameters is not None:
        size = f"{spec.parameters:,} parameters"
    options = "".join(f", {name} {written(value)}" for name, value in getattr(model, "options", {}).items())
    lines = [f"model: {spec.name}, {spec.paper}; {size}{options}"]
    lines += [f"input: {_input(one)}" for one in spec.inputs]
    return [*lines, f"variant {order.variant}: {VARIANTS[order.variant]}"]


def _spec_of(order: Order, model: Any, classes: Sequence[str]) -> Spec:
    """With as many classes as there are."""
    if order.is_network:
        options = {**model.options, "classes": len(classes)}
        model = type(model)(order.model, variant=order.variant, recipe=model.recipe, options=options)
    elif not order.is_regression:
        model.classes = tuple(classes)
    spec: Spec = model.spec
    return spec


def _input(one: Input) -> str:
    return f"`{one.modality}`, {' × '.join(map(str, one.shape))}: {one.what}"


def _settings(order: Order, model: Any, every: Sequence[Taught]) -> list[str]:
    """Of a classical model, as it is when nothing is searched for; from how many rows it learns."""
    has = {name: value for name, value in vars(model).items() if isinstance(value, int | float)}
    words = SETTINGS.get(order.model, ", ".join(f"{name} {{{name}:g}}" for name in has)).format(**has)
    words = getattr(model, "how", words)
    lines = [f"settings {PAPERS}: {words}" if order.search else f"settings: {words}"]
    if sizes := [one.result["train"] + one.result["valid"] for one in every if one.is_fold]:
        lines.append(
            f"it learns from {_span(sizes)} rows in a fold, also those held back, for nothing stops it"
        )
    return lines


def _network(order: Order, corpus: str, model: Any, every: Sequence[Taught]) -> list[str]:
    from emolab.training.recipes import choices_of, options_of, recipe_of

    used, paper = model.recipe, recipe_of(order.model, order.variant, corpus)
    lines = [_recipe(used), _stopping(used)]
    others = [_departure(one.name, used, paper) for one in fields(used) if _differs(one.name, used, paper)]
    usual = {name: one.usual for name, one in choices_of(order.model).items()}
    usual |= options_of(order.model, corpus, order.variant)
    others += [
        f"{name} {written(value)} instead of {written(usual[name])}"
        for name, value in model.options.items()
        if value != usual[name]
    ]
    if others:
        lines.append(f"**departs from the recipe: {', '.join(others)}**")
    learnt = [
        (make_model(order, corpus, one.result["settings"]).recipe, _rows(used, one))
        for one in every
        if one.is_fold
    ]
    if learnt:
        sizes, batches = _span([n for _, n in learnt]), _span([_batches(*one) for one in learnt])
        lines += [f"it learns from {sizes} rows in a fold; batches an epoch: {batches}", *idle(learnt)]
    cards = [run_folder.read_json(one.folder / CARD) or {} for one in every]
    versions = sorted({str(card["torch"]) for card in cards if "torch" in card})
    return [*lines, f"torch {' and '.join(versions)}"] if versions else lines


def _recipe(recipe: Recipe) -> str:
    size = f"about {recipe.batch} rows, equally long" if recipe.even else f"{recipe.batch} rows"
    decay = f"weight decay {recipe.weight_decay:g}" if recipe.weight_decay else "no weight decay"
    steps = "throughout"
    if recipe.factor != 1:
        steps = f"times {recipe.factor:g} every {_count(recipe.step, recipe.step_unit)}"
    moved = "; pictures are moved by some pixels while it learns" if recipe.crop else ""
    return (
        f"recipe: {_count(recipe.epochs, 'epoch')} of batches of {size}; stochastic gradient descent with "
        f"momentum {recipe.momentum:g}, {decay}; rate {recipe.rate:g}, {steps}{moved}"
    )


def _stopping(recipe: Recipe) -> str:
    if recipe.patience is None:
        return (
            "nothing stops it early: it learns from rows held back, too; the last epoch's weights are taken"
        )
    return (
        f"it stops after {_count(recipe.patience, 'epoch')} without a lower loss on the rows held back; the "
        "best epoch's weights are taken"
    )


def _differs(name: str, used: Recipe, paper: Recipe) -> bool:
    return bool(getattr(used, name) != getattr(paper, name))


def _departure(name: str, used: Recipe, paper: Recipe) -> str:
    now, then = getattr(used, name), getattr(paper, name)
    if name == "epochs":
        return f"{_count(now, 'epoch')} instead of {then}"
    if name == "step_unit":
        return f"its rate falls by {now}s instead of {then}s"
    if name == "half":
        return "products in bfloat16 instead of float32"
    return f"{NAMES.get(name, name)} {now} instead of {then}"


def _rows(recipe: Recipe, one: Taught) -> int:
    """From which it learnt; those held back are among them where they stop nothing."""
    train, valid = int(one.result["train"]), int(one.result["valid"])
    return train if recipe.patience is not None else train + valid


def _batches(recipe: Recipe, rows: int) -> int:
    """In an epoch, as `learning.Batches.shuffled` makes them."""
    if recipe.even:
        return max(round(rows / recipe.batch), 1)
    return rows // recipe.batch + (rows % recipe.batch > 1)


def _search(order: Order, every: Sequence[Taught]) -> list[str]:
    folds = [one for one in every if one.is_fold]
    tries = (
        f"{_count(order.search, 'setting')} beside the paper's {'was' if order.search == 1 else 'were'} tried"
    )
    judged = "judged on rows held back from its training part; see `chosen` in metrics.json"
    lines = [f"{tries} in each fold, {judged}"]
    scores = [each["score"] for one in folds for each in one.result["tried"]]
    if lost := scores.count(None):
        lines.append(f"with {lost} of {len(scores)} settings tried nothing was learnt; `why` is there")
    if others := sum(bool(one.result["settings"]) for one in folds):
        lines.append(f"**settings other than the paper's were the best in {others} of {len(folds)} folds**")
    else:
        lines.append(f"the paper's settings were the best in all {len(folds)} folds")
    return lines


def _table(order: Order, every: Sequence[Taught]) -> list[str]:
    """What differs from fold to fold: rows, epochs, and with a search the settings and how well they did."""
    heads = ["fold", "rows to learn from", "held back"]
    heads += ["epochs", "weights of epoch"] * order.is_network
    figure = "RMSE" if order.is_regression else "macro-F1"
    heads += ["settings", f"{figure} on rows held back", "the paper's"] * bool(order.search)
    rows = []
    for one in every:
        result = one.result
        cells = [one.name, str(result["train"]), str(result["valid"])]
        if order.is_network:
            cells += [str(len(result["history"])), str(result.get("chosen_epoch", "–"))]
        if order.search:
            tried = result["tried"]
            best = next(each for each in tried if each["settings"] == result["settings"])
            cells += [_words(result["settings"]), _score(order, best), _score(order, tried[0])]
        rows.append(cells)
    return table(heads, rows)


def _words(settings: Mapping[str, Any]) -> str:
    if not settings:
        return PAPERS
    return f"**{', '.join(f'{NAMES.get(name, name)} {value:g}' for name, value in settings.items())}**"


def _score(order: Order, tried: Mapping[str, Any]) -> str:
    score = tried["score"]
    return "–" if score is None else f"{-score if order.is_regression else score:.3f}"


def _span(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")
