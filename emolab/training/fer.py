"""Expression models on FER2013: two networks, their recipes, the choice on the public set, the card.

`small` is ours: moved, turned, scaled, dimmed and half hidden faces, smoothed labels, a running average of
the weights. `vgg19` is specification 1b, the validator of the EmoMusic paper. In the variant `reference`
faces of the training part that lie in the public or private part, too, are left out; `authors` keeps them
and computes in float32 throughout, as they did. Chosen is on the public part in both; temperature as well.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from emolab.core.errors import ConfigError
from emolab.datasets.fer2013 import SPLITS, Faces, Fer2013, twins, without
from emolab.faces.card import Card, read, sha256_of, write
from emolab.faces.fer import CLASSES, GROUPS
from emolab.faces.networks import NETWORKS, parameters
from emolab.recording.header import commit
from emolab.training.augment import PLAIN_CROP
from emolab.training.checkpoint import load
from emolab.training.fit import (
    BEST,
    CHECKPOINT,
    Epoch,
    Recipe,
    fit,
    logits_of,
    program_lines,
    programs_of,
)
from emolab.training.halves import multiplies_halves
from emolab.training.metrics import calibrated, figures, in_groups, labels_in_groups, temperature_of
from emolab.training.run_folder import program, program_words

RECIPES: dict[tuple[str, str], Recipe] = {
    ("small", "reference"): Recipe("small", epochs=100, rate=0.1),
    ("vgg19", "reference"): Recipe(
        "vgg19",
        epochs=250,
        rate=0.01,
        schedule="authors",
        nesterov=False,
        decay_all=True,
        smoothing=0.0,
        clamp=0.1,
        average=0.0,
        test_views="ten-crop",
        views=PLAIN_CROP,
    ),
}
RECIPES["vgg19", "authors"] = replace(RECIPES["vgg19", "reference"], half=False, leaves_twins_out=False)

LIMITS = (
    "Judges what a face shows in one picture of 48×48 grey, not what a person feels.",
    "FER2013 was gathered on the web with noisy labels; people agree with them in about 65 % of the faces.",
    "Who is in FER2013 is not known: age, skin and culture are unevenly covered and were not balanced.",
    "Disgust is rare in it (1.5 %); its figures rest on 55 faces.",
    "Faces in profile, hidden, smaller than 48 px or in the dark are outside of what was tested.",
)


@dataclass(frozen=True)
class Order:
    """What to train: a key of `RECIPES` as `model` and `variant`, the corpus, where the run lives.

    `epochs` None takes the recipe's; it may differ from call to call of one run as long as the rate is
    level. `half` None computes in bfloat16 where the processor does so itself and the recipe allows.
    """

    data: Path
    out: Path
    model: str = "small"
    variant: str = "reference"
    epochs: int | None = None
    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    half: bool | None = None
    command: Sequence[str] = ()


def recipe_of(order: Order) -> Recipe:
    """The recipe that `order` asks for; `ConfigError` when there is none."""
    if (order.model, order.variant) not in RECIPES:
        known = ", ".join(f"{model} {variant}" for model, variant in RECIPES)
        raise ConfigError(f"there is no recipe {order.model} {order.variant}; known are {known}")
    recipe = RECIPES[order.model, order.variant]
    half = recipe.half and (multiplies_halves(order.device) if order.half is None else order.half)
    return replace(recipe, half=half, epochs=order.epochs or recipe.epochs)


def train(order: Order, corpus: Fer2013, tell: Callable[[str], None] = print) -> Card:
    """Train to the end and write OUT/NAME.safetensors and OUT/NAME.json with the private set's figures."""
    recipe = prepared(order)
    public = corpus.faces("public")
    learnt = training_faces(corpus, recipe)
    product = "bfloat16" if recipe.half else "float32"
    tell(
        f"{order.model}: {parameters(NETWORKS[order.model]()):,} parameters, {len(learnt):,} faces to learn "
        f"from, {len(public):,} to choose on, {product}, threads {order.threads}"
    )
    fit(
        NETWORKS[order.model],
        recipe,
        learnt,
        public,
        order.out,
        seed=order.seed,
        device=order.device,
        tell=tell,
    )
    return finished(order, corpus, private=True)


def prepared(order: Order) -> Recipe:
    """Sets torch up as `order` says (threads, device), and gives its recipe."""
    torch.set_num_threads(order.threads)
    if order.device != "cpu" and not torch.cuda.is_available():
        raise ConfigError(
            f"there is no device {order.device!r} here; leave --device away to train on the processor"
        )
    return recipe_of(order)


def training_faces(corpus: Fer2013, recipe: Recipe) -> Faces:
    """The faces to learn from, less those that come back in the public or private part."""
    faces = corpus.faces("train")
    if recipe.leaves_twins_out:
        faces = without(faces, corpus.faces("public"), corpus.faces("private"))
    return faces


def finished(order: Order, corpus: Fer2013, private: bool) -> Card:
    """Weights and card of the best epoch so far, its temperature found on the public set.

    The private set is looked at only with `private`; the card counts the looks of this run. Where more than
    one emolab had a hand in it, `learnt_by` names each with its epochs, and this one, which judged. Raises
    `ConfigError` when the folder holds no run.
    """
    recipe = prepared(order)
    if not (order.out / BEST).is_file():
        raise ConfigError(f"{order.out} holds no run to finish; train first")
    tensors, chosen = load(order.out / BEST)
    facts = load(order.out / CHECKPOINT)[1]
    history = [Epoch(**line) for line in facts["history"]]
    weights, card_file = order.out / f"{order.model}.safetensors", order.out / f"{order.model}.json"
    looks = read(card_file).training.get("private_looks", 0) if card_file.is_file() else 0
    stored = {name: value.half() if value.ndim > 1 else value for name, value in tensors.items()}
    weights.write_bytes(save(stored))  # `save_file` heeds no umask
    network = NETWORKS[order.model]()
    network.load_state_dict({name: value.float() for name, value in stored.items()})
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(faces: Faces) -> NDArray[np.float32]:
        side_px = int(network.side_px)  # type: ignore[arg-type]
        return logits_of(network, faces.pictures, recipe.test_views, side_px)

    public = corpus.faces("public")
    public_logits = logits(public)
    temperature = temperature_of(public_logits, public.labels)
    found = {"public": both(calibrated(public_logits, temperature), public, corpus.faces("train"))}
    if private:
        faces = corpus.faces("private")
        found["private"] = both(calibrated(logits(faces), temperature), faces, corpus.faces("train"))
    card = Card(
        name=order.model,
        network=order.model,
        weights=weights.name,
        weights_sha256=sha256_of(weights),
        classes=CLASSES,
        temperature=round(temperature, 5),
        views=recipe.test_views,
        data=_data(corpus, recipe),
        figures=found,
        limits=LIMITS,
        training={
            "command": shlex.join(order.command),
            "commit": program()["commit"] or commit(),
            "emolab": program()["version"],
            **_learnt_by(facts),
            "torch": str(torch.__version__),
            "variant": order.variant,
            "seed": order.seed,
            "parameters": parameters(network),
            "epochs": len(history),
            "epochs_of_the_schedule": recipe.epochs,
            "chosen_epoch": chosen["epoch"],
            "chosen_on": "public set: best accuracy of all epochs, and the temperature",
            "seconds": round(sum(line.seconds for line in history)),
            "private_looks": looks + private,
        },
    )
    write(card, card_file)
    return card


def both(probabilities: NDArray[Any], faces: Faces, train: Faces) -> dict[str, Any]:
    """Figures of seven classes, of three (`three`), and of the faces not in `train` alone (`unseen`)."""
    found = figures(probabilities, faces.labels, CLASSES)
    found["three"] = figures(in_groups(probabilities), labels_in_groups(faces.labels), GROUPS)
    new = ~twins(faces, train)
    if new.any() and not new.all():
        unseen = figures(probabilities[new], faces.labels[new], CLASSES)
        found["unseen"] = {name: unseen[name] for name in ("n", "accuracy", "accuracy_95", "macro_f1", "ece")}
    return found


def _learnt_by(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each program that learnt the epochs of a checkpoint, and this one, unless they are one."""
    programs, now = programs_of(facts), program_words(program())
    if {program_words(one) for one in programs} <= {now}:
        return {}
    return {"learnt_by": [*program_lines(programs, len(facts["history"])), f"figures and temperature: {now}"]}


def _data(corpus: Fer2013, recipe: Recipe) -> dict[str, Any]:
    learnt = len(training_faces(corpus, recipe))
    left_out = len(corpus.faces("train")) - learnt
    return {
        **vars(corpus.spec),
        "split": {split: len(corpus.faces(split)) for split in SPLITS},
        "learnt_from": learnt,
        "left_out": f"{left_out} faces that lie in the public or private part, too",
    }
