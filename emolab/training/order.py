"""What is to be learnt, from what, and how it is judged: everything that a run's numbers hang on.

    order = Order("svm", "hku956", Path("HKU956"), "valence", group="subject")
    order.identity()        # as JSON holds it; two runs of the same identity and data have the same numbers

Where the data lie and where they are cached is not part of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from emolab.core.errors import ConfigError
from emolab.core.registry import resolve
from emolab.datasets.thresholds import AXES
from emolab.models import LISTENING, MODELS
from emolab.training.corpus_labels import By, check_target
from emolab.training.fewer_people import check_people
from emolab.training.recipes import STEP_UNIT, Options, check_options
from emolab.training.splits import Group
from emolab.training.trial_inputs import Variant

WITH_MUSIC = ("pmemo",)  # corpora that may bring the figures of their songs
ELSEWHERE = ("root", "cache", "music")  # of an order, what is no part of its identity


@dataclass(frozen=True)
class Order:
    """`data`: a corpus of `DATASETS`, or `study`, in the folder `root`.

    `target`, `labels`: see `corpus_labels`. `folds`, `group`: see `splits`; `seed` makes them and the first
    weights; with more `seeds` the same folds are learnt again from `seed + 1` and so on. `epochs`: None
    as the recipe has it. `search`: so many settings are tried in each fold's own training part. `threads`: of
    one fold's reckoning; another number gives other last digits. `half`: a network's products in bfloat16
    while it learns; another kind of processor gives other last digits. `music`: a table of songs' figures,
    where the corpus has none. `options`: what is chosen of the model, such as `(("ablation", "re"),)`; see
    `recipes.choices_of`. `people`: only so many participants, or that share of them, drawn by `seed`; see
    `fewer_people`. Raises `ConfigError` for what is none of these.
    """

    model: str
    data: str
    root: Path
    target: str
    labels: By = "own"
    folds: int = 10
    group: Group = "subject"
    variant: Variant = "reference"
    seed: int = 0
    seeds: int = 1
    epochs: int | None = None
    search: int = 0
    threads: int = 1
    device: str = "cpu"
    half: bool = False
    music: Path | None = None
    cache: Path | None = None
    options: Options = ()
    people: int | float | None = None

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ConfigError(
                f"there is no model {self.model!r}; known are {', '.join(MODELS)}: see 'emolab models list'"
            )
        check_target(self.target)
        for what, given, known in (
            ("labels", self.labels, get_args(By)),
            ("split", self.group, get_args(Group)),
            ("variant", self.variant, get_args(Variant)),
        ):
            if given not in known:
                raise ConfigError(f"there are no {what} {given!r}; take {', '.join(known)}")
        for what, number, least in (
            ("folds", self.folds, 2),
            ("seeds", self.seeds, 1),
            ("threads", self.threads, 1),
            ("epochs", 1 if self.epochs is None else self.epochs, 1),
            ("search", self.search, 0),
            ("seed", self.seed, 0),
        ):
            if number < least:
                raise ConfigError(f"{what} must be {least} or more, not {number}")
        self._check_music()
        if self.labels != "own" and self.target not in AXES:
            raise ConfigError(
                f"labels {self.labels!r} are made of ratings, and a {self.target} is none; leave --labels out"
            )
        if self.is_regression and self.target not in ("valence", "arousal"):
            raise ConfigError(f"{self.model} guesses ratings; its targets are valence and arousal")
        if self.epochs is not None and not self.is_network:
            raise ConfigError(f"{self.model} does not learn in epochs; leave --epochs out")
        if self.half and not self.is_network:
            raise ConfigError(f"{self.model} is no network and has no products in bfloat16; leave --half out")
        check_options(self.model, self.options)
        if self.people is not None:
            check_people(self.people)

    def _check_music(self) -> None:
        """Before a corpus is read, which may take long. Raises `ConfigError`."""
        listens = self.model in LISTENING
        if self.music is not None and not listens:
            raise ConfigError(
                f"{self.model} does not hear the music; leave --music out, or take {', '.join(LISTENING)}"
            )
        if self.music is None and listens and self.data not in WITH_MUSIC:
            raise ConfigError(
                f"{self.model} also hears the music, whose figures are not there; give a table of them, or a "
                "folder with the clips, with --music"
            )

    @property
    def is_network(self) -> bool:
        """Does it learn in epochs? The others know how to store themselves."""
        return not hasattr(resolve(MODELS, self.model, "model"), "load")

    @property
    def is_regression(self) -> bool:
        """Does it guess ratings?"""
        return hasattr(resolve(MODELS, self.model, "model"), "predict")

    @property
    def made(self) -> dict[str, Any]:
        """What is chosen of how its model is made, of `options` those that are no matter of learning."""
        return {name: value for name, value in self.options if name != STEP_UNIT}

    @property
    def every_seed(self) -> tuple[int, ...]:
        """Of first weights and of whatever else a model draws."""
        return tuple(range(self.seed, self.seed + self.seeds))

    def identity(self) -> dict[str, Any]:
        """What the numbers hang on, beside the data, as JSON gives it back.

        Of a run of which nothing is chosen it has no `options`, and of one on everybody no `people`, as
        before there were any.
        """
        found = {name: value for name, value in asdict(self).items() if name not in ELSEWHERE}
        options = found.pop("options")
        if self.people is None:
            del found["people"]
        if options:
            found["options"] = {
                name: list(value) if isinstance(value, tuple) else value for name, value in options
            }
        return found
