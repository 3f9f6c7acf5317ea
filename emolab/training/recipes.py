"""How each network learns: as it should (`reference`), or as its authors' program did (`authors`).

    recipe = recipe_of("rtcag", "authors", "DEAP")
    options_of("rtcag", "DEAP")         # {"ablation": "re"}

Facts in specifications 04 §4.3 and 05 §5.3. `authors` takes the weights of the last epoch and looks at no
rows held back. The 3-layer CNN has no recipe of its own in the paper and learns as RTCAN-1D does. What is
known of no corpus in particular is PMEmo's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from emolab.core.errors import ConfigError

Variant = Literal["reference", "authors"]
Unit = Literal["epoch", "iteration"]


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent on cross-entropy, `batch` trials at a time.

    The rate is multiplied by `factor` every `step` epochs or iterations (`step_unit`). `patience`: learning
    stops when so many epochs were no better on the rows held back, and the best epoch's weights are taken;
    None takes the last one's. `even`: batches are equally long, as near to `batch` as can be, so that no few
    trials left over at the end weigh as much as a whole one. `crop`: pictures are moved by some pixels
    while learning. `half`: products in bfloat16, as a GPU always has them.
    """

    epochs: int
    batch: int
    rate: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    factor: float = 1.0
    step: int = 1
    step_unit: Unit = "epoch"
    patience: int | None = 20
    even: bool = True
    crop: bool = False
    half: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.step < 1 or not self.rate > 0:
            raise ConfigError(
                f"a recipe needs an epoch, two trials a batch and a rate above 0, not {self.epochs}, "
                f"{self.batch} and {self.rate}"
            )

    def rate_at(self, epoch: int, iteration: int) -> float:
        """The rate in `epoch` at `iteration`, both from 0 and from the beginning."""
        done = epoch if self.step_unit == "epoch" else iteration
        return self.rate * self.factor ** (done // self.step)


_RTCAN = Recipe(epochs=100, batch=256, rate=1e-3, factor=0.9, step=15)
_RTCAN_AUTHORS = Recipe(epochs=100, batch=300, rate=1e-3, patience=None, even=False)
# 17 epochs of PMEmo: afterwards its rate is too low to move anything
_RES_SIN = Recipe(epochs=17, batch=100, rate=1e-3, factor=0.1, step=300, step_unit="iteration", crop=True)
_RES_SIN_AUTHORS = replace(_RES_SIN, patience=None, even=False)

RECIPES: dict[tuple[str, str], Recipe] = {
    ("rtcan", "reference"): _RTCAN,
    ("rtcan", "authors"): _RTCAN_AUTHORS,
    ("rtcag", "reference"): _RTCAN,
    ("rtcag", "authors"): _RTCAN_AUTHORS,
    ("res_sin", "reference"): _RES_SIN,
    ("res_sin", "authors"): _RES_SIN_AUTHORS,
    ("res_si", "reference"): _RES_SIN,
    ("res_si", "authors"): _RES_SIN_AUTHORS,
    ("feature_cnn", "reference"): _RTCAN,
    ("feature_cnn", "authors"): _RTCAN_AUTHORS,
}
# what the authors' programs changed from corpus to corpus
BY_CORPUS: dict[tuple[str, str, str], dict[str, Any]] = {
    ("rtcan", "authors", "DEAP"): {"epochs": 300, "rate": 0.1, "weight_decay": 1e-3},
    ("rtcan", "authors", "AMIGOS"): {"epochs": 1000, "weight_decay": 1e-2},
}
BY_CORPUS |= {("rtcag", *rest): changed for (_, *rest), changed in BY_CORPUS.items()}  # type: ignore[misc]


def recipe_of(name: str, variant: str = "reference", corpus: str = "") -> Recipe:
    """The recipe of a network; `ConfigError` where there is none."""
    if (name, variant) not in RECIPES:
        known = ", ".join(f"{model} {kind}" for model, kind in RECIPES)
        raise ConfigError(f"there is no recipe for {name} {variant}; known are {known}")
    return replace(RECIPES[name, variant], **BY_CORPUS.get((name, variant, corpus), {}))


def options_of(name: str, corpus: str = "", variant: str = "reference") -> dict[str, Any]:
    """How a network is made for a corpus: RTCAN-1D without attention in its blocks for DEAP and AMIGOS.

    There its authors' weights began after Xavier.
    """
    if name not in ("rtcan", "rtcag") or corpus not in ("DEAP", "AMIGOS"):
        return {}
    return {"ablation": "re"} | ({"init": "authors_xavier"} if variant == "authors" else {})
