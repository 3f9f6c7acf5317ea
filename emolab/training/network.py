"""A network as a classifier: it learns by its recipe, goes on after a kill, and is stored without a pickle.

    classifier = NetworkClassifier("rtcag")
    classifier.fit(train, valid, seed=0, on_epoch=print, folder=run / "fold-0")
    classifier.predict_proba(test.inputs)           # (n, 2)
    classifier.save(run / "fold-0")

The same rows, recipe, seed and number of torch's threads give the same weights to the last bit, killed in
between or not; on a GPU products are in bfloat16 and nothing is promised to the bit. A recipe with `half` has
them on a processor, too, and promises it among processors of one kind. Music and hand-crafted figures are
z-scored by the training rows. After each epoch the normalisations are measured anew over training rows,
since after a few steps the running ones lag, and at the end over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emolab.core.errors import ConfigError, ModelError, NotFitted, WrongInput
from emolab.core.registry import resolve
from emolab.models import MODELS
from emolab.models.classifier import Epoch, Spec, Told
from emolab.models.examples import Examples, Rows
from emolab.models.onnx_networks import Ask, opened
from emolab.models.res_sin import ResSin
from emolab.signals.audio_features import ZScore
from emolab.training import network_files
from emolab.training.learning import JUDGED_AT_ONCE, Batches, as_lines, from_lines, learn
from emolab.training.memory import kept_memory
from emolab.training.recipes import Recipe, Variant, recipe_of

SCALED = ("music", "eda_features")  # modalities that are z-scored by the training rows
TAKES_VARIANT = ("rtcan", "rtcag")
Runtime = Literal["torch", "onnxruntime"]


class NetworkClassifier:
    """A network of `MODELS`, by its name.

    `options`: how it is made, such as `{"ablation": "re"}`; words and numbers. `recipe`: that of the variant
    when not given. `history`: its epochs; `network`: what has learnt, for Grad-CAM. Raises `ConfigError` for
    an unknown name, and a `device` that is not there.
    """

    def __init__(
        self,
        name: str,
        *,
        variant: Variant = "reference",
        recipe: Recipe | None = None,
        options: Mapping[str, Any] | None = None,
        device: str = "cpu",
    ) -> None:
        if device != "cpu" and not torch.cuda.is_available():
            raise ConfigError(f"there is no device {device!r} here; take 'cpu'")
        self.name = name
        self.variant: Variant = variant
        self.recipe = recipe or recipe_of(name, variant)
        self.options = dict(options or {})
        self.device = device
        self.classes: tuple[str, ...] = ()
        self.seed: int | None = None
        self.history: list[Epoch] = []
        self.chosen_epoch = 0
        self._network: nn.Module | None = None
        self._scales: dict[int, ZScore] = {}
        self._opened: tuple[tuple[nn.Module, int], Ask | None] | None = None
        with torch.random.fork_rng(devices=[]):
            self._spec: Spec = self._made(int(self.options.get("classes", 2))).spec  # type: ignore[assignment]

    @property
    def spec(self) -> Spec:
        """Of the network: paper, inputs, classes, parameters."""
        return self._spec

    @property
    def network(self) -> nn.Module:
        """What has learnt, in evaluation mode. Raises `NotFitted` before."""
        if self._network is None:
            raise NotFitted(f"{self.name} has not learnt yet; call fit, or load what did")
        return self._network

    def fit(
        self,
        train: Examples,
        valid: Examples | None = None,
        *,
        seed: int = 0,
        on_epoch: Told | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Learn from `train`; see `Classifier.fit`. A finished run in `folder` is read, not repeated.

        Raises `ConfigError` when `folder` holds a run of other rows, recipe or seed, `ModelError` when the
        loss is lost.
        """
        _check(self._spec, train, "train")
        if valid is not None:
            _check(self._spec, valid, "validate", classes=train.classes)
        self.classes, self.seed = train.classes, seed
        self._scales = {
            k: ZScore.fit(np.asarray(train.inputs[k][:], np.float64))
            for k, wanted in enumerate(self._spec.inputs)
            if wanted.modality in SCALED
        }
        with torch.random.fork_rng(enabled=True):
            torch.manual_seed(seed)
            network = self._made(len(train.classes)).to(self.device)
            self._spec = network.spec  # type: ignore[assignment]
            learnt_from = self._batches(train.inputs, train.labels)
            if isinstance(network, ResSin):
                network.learn_mean(_mean_image(learnt_from))
            with kept_memory() if self.device == "cpu" else nullcontext():
                learnt = learn(
                    network,
                    self.recipe,
                    learnt_from,
                    self._batches(valid.inputs, valid.labels) if valid is not None and len(valid) else None,
                    self._probabilities,
                    seed=seed,
                    on_epoch=on_epoch,
                    folder=folder,
                    identity=self._identity(train, valid, seed) if folder is not None else {},
                )
        self._network, self.history, self.chosen_epoch = network.eval(), learnt.history, learnt.best_epoch
        return self

    def predict_proba(self, inputs: Sequence[Rows], *, runtime: Runtime | None = None) -> NDArray[np.float64]:
        """`(n, classes)`, float64; see `Classifier.predict_proba`.

        `runtime`: None takes onnxruntime where it is installed and the device is the CPU, else torch; both
        use as many threads as torch is set to, and agree to 1e-5. Raises `ConfigError` when "onnxruntime"
        is asked for and is not there.
        """
        network = self.network
        check_inputs(self._spec, inputs)
        if not len(inputs[0]):
            return np.zeros((0, len(self.classes)))
        batches = self._batches(inputs, np.zeros(len(inputs[0]), np.int64)).in_order(JUDGED_AT_ONCE)
        ask = None if runtime == "torch" or self.device != "cpu" else self._onnx(network)
        if ask is None and runtime == "onnxruntime":
            raise ConfigError("onnxruntime cannot be used: it wants device 'cpu', and 'emolab[faces]'")
        if ask is not None:
            answers = (torch.from_numpy(ask(tuple(one.numpy() for one in some))) for some, _ in batches)
            return torch.cat([self._shares(network, out) for out in answers]).numpy()
        with torch.inference_mode():
            found = [self._probabilities(network, some) for some, _ in batches]
        return torch.cat(found).cpu().numpy()

    def _onnx(self, network: nn.Module) -> Ask | None:
        """The network in onnxruntime, opened at the first question and again for other threads."""
        asked_with = (network, torch.get_num_threads())
        if self._opened is None or self._opened[0] != asked_with:
            self._opened = (asked_with, opened(*asked_with))
        return self._opened[1]

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors`, then `classifier.json`, which knows its checksum."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for k, scale in self._scales.items():
            tensors |= {f"scale.{k}.mean": torch.tensor(scale.mean), f"scale.{k}.sd": torch.tensor(scale.sd)}
        card = {
            "kind": "network",
            "name": self.name,
            "variant": self.variant,
            "options": self.options,
            "classes": list(self.classes),
            "recipe": vars(self.recipe),
            "seed": self.seed,
            "chosen_epoch": self.chosen_epoch,
            "history": as_lines(self.history),
        }
        network_files.write(folder, card, tensors)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote, ready to predict; see `Classifier.load`."""
        card, tensors = network_files.read(folder)
        try:
            made = cls(
                card["name"],
                variant=card["variant"],
                recipe=Recipe(**card["recipe"]),
                options=_with_tuples(card["options"]),
            )
            made.classes, made.seed = tuple(card["classes"]), card["seed"]
            made.history = from_lines(card["history"])
            made.chosen_epoch = card["chosen_epoch"]
            network = made._made(len(made.classes))
            made._spec = network.spec  # type: ignore[assignment]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{folder} holds no classifier of this version of emolab ({error!r}); train it again"
            ) from error
        parts = {name: value for name, value in tensors.items() if name.startswith("network.")}
        network_files.fill(network, parts, "network.", folder)
        for k, wanted in enumerate(made._spec.inputs):
            if wanted.modality not in SCALED:
                continue
            mean, sd = (tensors.get(f"scale.{k}.{part}") for part in ("mean", "sd"))
            if mean is None or sd is None or tuple(mean.shape) != wanted.shape or mean.shape != sd.shape:
                raise ModelError(f"{folder} has no scaling for {wanted.modality}; train the model again")
            made._scales[k] = ZScore(mean.double().numpy(), sd.double().numpy())
        made._network = network.eval()
        return made

    def _made(self, classes: int) -> nn.Module:
        more: dict[str, Any] = {"variant": self.variant} if self.name in TAKES_VARIANT else {}
        make: Callable[..., nn.Module] = resolve(MODELS, self.name, "model")
        return make(**{**more, **self.options, "classes": classes})

    def _batches(self, inputs: Sequence[Rows], labels: NDArray[np.int64]) -> Batches:
        """The rows on the device, scaled; pictures stay undrawn."""
        held: list[Any] = []
        for k, one in enumerate(inputs):
            if k in self._scales:
                held.append(torch.from_numpy(self._scales[k].apply(one[:]).astype(np.float32)))
            elif isinstance(one, np.ndarray):
                held.append(torch.from_numpy(np.ascontiguousarray(one, np.float32)))
            else:
                held.append(one)
        return Batches(tuple(held), torch.from_numpy(np.asarray(labels, np.int64)), self.device)

    def _probabilities(self, network: nn.Module, some: tuple[Tensor, ...]) -> Tensor:
        """`(n, classes)` of double precision; the authors' head with music gives probabilities itself."""
        return self._shares(network, network(*some))

    def _shares(self, network: nn.Module, out: Tensor) -> Tensor:
        out = out.double()
        options = getattr(network, "options", None)
        is_done = options is not None and options.authors_head and getattr(network, "music", 0)
        return out / out.sum(1, keepdim=True) if is_done else torch.softmax(out, 1)

    def _identity(self, train: Examples, valid: Examples | None, seed: int) -> dict[str, Any]:
        return {
            "model": self.name,
            "variant": self.variant,
            "options": str(sorted(self.options.items())),
            **{name: value for name, value in vars(self.recipe).items() if name != "epochs"},
            "seed": seed,
            "train": train.digest,
            "valid": valid.digest if valid is not None else "",
        }


def check_inputs(spec: Spec, inputs: Sequence[Rows]) -> None:
    """Raises `WrongInput` unless they are what `spec` wants, in equal numbers, and all numbers."""
    shapes = [tuple(one.shape) for one in inputs]
    wanted = [one.shape for one in spec.inputs]
    if [shape[1:] for shape in shapes] != wanted or len({shape[0] for shape in shapes}) > 1:
        told = ", ".join(f"{one.modality} (n, {', '.join(map(str, one.shape))})" for one in spec.inputs)
        raise WrongInput(f"{spec.name} takes {told}, not {', '.join(map(str, shapes)) or 'nothing'}")
    for one, values in zip(spec.inputs, inputs, strict=True):
        if isinstance(values, np.ndarray) and not np.isfinite(values).all():
            rows = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(1))
            raise WrongInput(
                f"{one.modality} of row {rows[0]} ({len(rows)} of {len(values)}) holds NaN or infinity; "
                "leave such trials out"
            )


def _check(spec: Spec, examples: Examples, what: str, classes: tuple[str, ...] | None = None) -> None:
    check_inputs(spec, examples.inputs)
    if classes is not None:
        if examples.classes != classes:
            raise ModelError(f"rows to {what} have classes {examples.classes}, those to learn from {classes}")
        return
    if len(np.unique(examples.labels)) < 2:
        told = ", ".join(f"{name} {count}" for name, count in examples.counts().items())
        raise ModelError(f"one class alone cannot be learnt ({told}); take more subjects, or another target")


def _mean_image(batches: Batches) -> Tensor:
    """The mean picture of the training rows, `(1, 3, side, side)`: a few are drawn at a time."""
    total: Tensor | None = None
    for some, _ in batches.in_order(JUDGED_AT_ONCE):
        part = some[0].double().sum(0, keepdim=True)
        total = part if total is None else total + part
    assert total is not None
    return (total / len(batches)).float()


def _with_tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists alone."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
