"""How each network learns: as it should (`reference`), or as its authors' program did (`authors`).

    recipe = recipe_of("rtcag", "authors", "DEAP")
    options_of("rtcag", "DEAP")         # {"ablation": "re"}
    read_options("rtcag", ["depth=2"])  # (("depth", 2),), what a user has chosen otherwise

Facts in specifications 04 §4.3 and 05 §5.3. `authors` takes the weights of the last epoch and looks at no
rows held back. The 3-layer CNN has no recipe of its own in the paper and learns as RTCAN-1D does. What is
known of no corpus in particular is PMEmo's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from emolab.core.errors import ConfigError, shown
from emolab.models import choices
from emolab.models.choices import Choice, written

Options = tuple[tuple[str, Any], ...]  # names and values, by name
Variant = Literal["reference", "authors"]
Unit = Literal["epoch", "iteration"]
STEP_UNIT = "lr_step_unit"  # `Recipe.step_unit`, as specification 04 §4.3 calls it


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


def choices_of(name: str) -> dict[str, Choice]:
    """What a user may choose of a model: how it is made and, of a network, what its rate falls by."""
    found = choices.choices_of(name)
    if (name, "reference") in RECIPES:
        usual = RECIPES[name, "reference"].step_unit
        found[STEP_UNIT] = Choice("what the steps of its falling rate are", get_args(Unit), usual)
    return found


def read_options(name: str, words: Iterable[str]) -> Options:
    """What is chosen of the model `name` by `words` such as `depth=2`.

    Raises `ConfigError` with what there is for what is unknown, `MissingExtra` as `choices_of`.
    """
    known = choices_of(name)
    found: dict[str, Any] = {}
    for word in words:
        key, _, value = word.partition("=")
        if not known:
            raise ConfigError(f"{name} leaves nothing to set; leave --set out")
        if key not in known or "=" not in word:
            some = ", ".join(f"{one}={written(choice.usual)}" for one, choice in known.items())
            raise ConfigError(
                f"{name} cannot be set {shown(word)}; what there is, as it usually is: {some}; "
                "see 'emolab models list'"
            )
        if key in found:
            raise ConfigError(f"{key} is set twice; leave one --set out")
        try:
            found[key] = known[key].read(value)
        except ConfigError as error:
            raise ConfigError(f"{key} of {name}: {error}") from error
    return tuple(sorted(found.items()))


def check_options(name: str, options: Options) -> None:
    """Raises `ConfigError` for what is not as `read_options` gives it for the model `name`."""
    known = read_options(name, [f"{key}={written(value)}" for key, value in options])
    if known != options:
        raise ConfigError(f"options of {name} must be {known}, not {shown(options)}")


def as_chosen(recipe: Recipe, options: Mapping[str, Any], given: Options) -> tuple[Recipe, dict[str, Any]]:
    """A recipe, and how its network is made, with what a user has chosen in their places.

    Raises `ConfigError` where the rate falls by no steps.
    """
    wanted = dict(given)
    if STEP_UNIT in wanted:
        if recipe.factor == 1:
            raise ConfigError(f"the rate of this recipe never falls; leave --set {STEP_UNIT} out")
        recipe = replace(recipe, step_unit=wanted.pop(STEP_UNIT))
    return recipe, {**options, **wanted}
