"""The loop of a network's learning: epochs, early stopping, a checkpoint that a killed run goes on from.

All that is drawn hangs on seed and epoch alone, so that a run that goes on draws what it would have drawn.
Epochs shorter than five seconds share a checkpoint: of those at most five seconds are learnt again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from emolab.core.errors import ConfigError, ModelError
from emolab.models.classifier import Epoch, Told
from emolab.models.res_sin import random_crop
from emolab.training import checkpoint, run_folder
from emolab.training.metrics import confusion_of, rates_of
from emolab.training.recipes import Recipe

CHECKPOINT = "checkpoint.safetensors"
JUDGED_AT_ONCE = 64  # trials: 39 MB of pictures
MEASURED = 256  # rows, for the normalisations after an epoch: a tenth of what the epoch takes
KEPT_EVERY_S = 5.0  # an epoch of a small corpus takes less than writing it down
RECENT = 5  # epochs that the time left is reckoned from

Probabilities = Callable[[nn.Module, tuple[Tensor, ...]], Tensor]


@dataclass(frozen=True)
class Batches:
    """Rows of several inputs and their labels; tensors, or what draws the rows asked for."""

    inputs: tuple[Any, ...]
    labels: Tensor
    device: str

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, which: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Some rows on the device: the inputs, and the labels."""
        some = (
            one[which] if isinstance(one, Tensor) else torch.from_numpy(one[which.numpy()])
            for one in self.inputs
        )
        return tuple(one.to(self.device) for one in some), self.labels[which].to(self.device)

    def in_order(self, size: int) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        """All rows, `size` at a time."""
        for some in torch.arange(len(self)).split(size):
            yield self.rows(some)

    def shuffled(self, size: int, generator: torch.Generator, even: bool = True) -> list[Tensor]:
        """Numbers of the rows in each batch.

        `even`: all as long as the next, as near to `size` as can be; else the last is what is left, and a
        lone one, which cannot be normalised, is left out.
        """
        order = torch.randperm(len(self), generator=generator)
        if even:
            return list(order.tensor_split(max(round(len(self) / size), 1)))
        return [some for some in order.split(size) if len(some) > 1]


@dataclass
class Learnt:
    """What goes on from epoch to epoch; `best` holds the weights of `best_epoch` (from 1).

    `programs`: those by which the epochs in a checkpoint were learnt, as `run_folder.program` tells.
    """

    history: list[Epoch]
    best: dict[str, Tensor]
    best_epoch: int = 0
    stopped: bool = False
    programs: list[dict[str, Any]] = field(default_factory=list)

    def is_done(self, recipe: Recipe) -> bool:
        """No epoch is to come."""
        return self.stopped or len(self.history) >= recipe.epochs


def learn(
    network: nn.Module,
    recipe: Recipe,
    train: Batches,
    valid: Batches | None,
    probabilities: Probabilities,
    *,
    seed: int,
    on_epoch: Told | None,
    folder: Path | None,
    identity: Mapping[str, Any],
) -> Learnt:
    """Teach `network` in place until recipe or patience ends, from a checkpoint where there is one."""
    optimiser = torch.optim.SGD(
        network.parameters(), recipe.rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    learnt = Learnt([], {})
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).is_file():
            learnt = _go_on(folder / CHECKPOINT, network, optimiser, identity)
        if not learnt.is_done(recipe):
            learnt.programs = run_folder.joined(learnt.programs, run_folder.program())
    chooses = valid is not None and recipe.patience is not None
    kept_s = -np.inf
    while not learnt.is_done(recipe):
        begun_s, epoch = time.monotonic(), len(learnt.history)
        loss = _one_epoch(network, optimiser, recipe, train, epoch, seed)
        valid_loss = valid_score = float("nan")
        if valid is not None:
            measure_anew(network, train, recipe.batch, seed, MEASURED)
            valid_loss, valid_score = _judged(network, valid, probabilities)
        _note(learnt, recipe, network, chooses, epoch, loss, valid_loss, valid_score, begun_s)
        if folder is not None and (learnt.is_done(recipe) or time.monotonic() - kept_s > KEPT_EVERY_S):
            _keep(folder / CHECKPOINT, network, optimiser, learnt, identity)
            kept_s = time.monotonic()
        if on_epoch is not None:
            on_epoch(learnt.history[-1])
    if chooses:
        if not learnt.best:
            raise ModelError(
                "the loss of rows held back is a number after no epoch: the run is lost; take a lower rate"
            )
        network.load_state_dict(learnt.best)
    measure_anew(network, train, recipe.batch, seed)
    return learnt


@torch.no_grad()
def measure_anew(network: nn.Module, rows: Batches, size: int, seed: int, most: int | None = None) -> None:
    """Normalisations take the plain mean over batches of rows, of all or of `most` and some more."""
    parts = [part for part in network.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [part.momentum for part in parts]
    for part in parts:
        part.reset_running_stats()
        part.momentum = None
    network.train()
    batches = rows.shuffled(size, _generator(seed, -1))
    for which in batches if most is None else batches[: -(-most // size)]:
        network(*rows.rows(which)[0])
    for part, momentum in zip(parts, momenta, strict=True):
        part.momentum = momentum
    network.eval()


def _one_epoch(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    recipe: Recipe,
    train: Batches,
    epoch: int,
    seed: int,
) -> float:
    """One pass over all rows; the mean loss."""
    generator = _generator(seed, epoch)
    torch.manual_seed(_drawn_from(seed, epoch))
    batches = train.shuffled(recipe.batch, generator, recipe.even)
    kind = "cpu" if train.device == "cpu" else "cuda"
    network.train()
    total = torch.zeros((), dtype=torch.float64, device=train.device)
    for k, which in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate_at(epoch, epoch * len(batches) + k)
        some, labels = train.rows(which)
        if recipe.crop:
            some = (random_crop(some[0], generator), *some[1:])
        with torch.autocast(kind, torch.bfloat16, enabled=recipe.half or kind == "cuda"):
            out = network(*some)
        loss = functional.cross_entropy(out.float(), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += loss.detach()
    mean = float(total / len(batches))
    if not np.isfinite(mean):
        raise ModelError(f"the loss of epoch {epoch + 1} is {mean}: the run is lost; take a lower rate")
    return mean


@torch.inference_mode()
def _judged(network: nn.Module, rows: Batches, probabilities: Probabilities) -> tuple[float, float]:
    """Cross-entropy and macro-F1 (as `metrics.rates_of`) of rows held back."""
    found = [(probabilities(network, some), labels) for some, labels in rows.in_order(JUDGED_AT_ONCE)]
    shares = torch.cat([one for one, _ in found]).cpu().numpy()
    labels = torch.cat([one for _, one in found]).cpu().numpy()
    loss = -np.log(np.maximum(shares[np.arange(len(labels)), labels], 1e-12)).mean()
    rates = rates_of(confusion_of(labels, shares.argmax(1), shares.shape[1]))
    return float(loss), float(rates["macro_f1"])


def _note(
    learnt: Learnt,
    recipe: Recipe,
    network: nn.Module,
    chooses: bool,
    epoch: int,
    loss: float,
    valid_loss: float,
    valid_score: float,
    begun_s: float,
) -> None:
    """A line of the history, whether it is the best, and whether patience has ended."""
    before = min((line.valid_loss for line in learnt.history), default=np.inf)
    if not chooses or valid_loss < before:
        learnt.best_epoch = epoch + 1
        if chooses:
            learnt.best = {name: value.detach().clone() for name, value in network.state_dict().items()}
    elif epoch + 1 - learnt.best_epoch >= (recipe.patience or 0):
        learnt.stopped = True
    took_s = time.monotonic() - begun_s
    recent = [*(line.seconds for line in learnt.history[1 - RECENT :]), took_s]
    left_s = 0.0 if learnt.stopped else (recipe.epochs - epoch - 1) * sum(recent) / len(recent)
    rate = recipe.rate_at(epoch, 0) if recipe.step_unit == "epoch" else recipe.rate
    learnt.history.append(
        Epoch(epoch + 1, recipe.epochs, rate, loss, valid_loss, valid_score, took_s, left_s)
    )


def _keep(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    learnt: Learnt,
    identity: Mapping[str, Any],
) -> None:
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in learnt.best.items()}
    for name, weight in network.named_parameters():
        if (buffer := optimiser.state[weight].get("momentum_buffer")) is not None:
            tensors[f"momentum.{name}"] = buffer
    facts = {"identity": dict(identity), "history": as_lines(learnt.history), "programs": learnt.programs}
    checkpoint.save(path, tensors, {**facts, "best_epoch": learnt.best_epoch, "stopped": learnt.stopped})


def _go_on(
    path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, identity: Mapping[str, Any]
) -> Learnt:
    tensors, facts = checkpoint.load(path)
    before = facts.get("identity", {})
    if other := [name for name, value in identity.items() if before.get(name) != value]:
        raise ConfigError(
            f"{path.parent} holds a run with other {', '.join(other)}; take another folder, or delete it"
        )
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "momentum": {}}
    try:
        for name, value in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = value
        network.load_state_dict(parts["network"])
        for name, weight in network.named_parameters():
            if name in parts["momentum"]:
                buffer = torch.empty_like(weight).copy_(parts["momentum"][name])
                optimiser.state[weight]["momentum_buffer"] = buffer
        learnt = Learnt(from_lines(facts["history"]), parts["best"], facts["best_epoch"], facts["stopped"])
        learnt.programs = run_folder.joined(facts.get("programs", [run_folder.NOT_NOTED]))
        return learnt
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} is no checkpoint of this run ({error}); delete it to begin anew") from error


def as_lines(history: Sequence[Epoch]) -> list[dict[str, Any]]:
    """The history as JSON has it: null for NaN."""
    return [
        {name: None if value != value else value for name, value in vars(line).items()} for line in history
    ]


def from_lines(lines: Sequence[Mapping[str, Any]]) -> list[Epoch]:
    """What `as_lines` made."""
    found: list[dict[str, Any]] = [dict(line) for line in lines]
    for line in found:
        line.update({name: float("nan") for name, value in line.items() if value is None})
    return [Epoch(**line) for line in found]


def _drawn_from(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch + 1) % 2**63


def _generator(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(_drawn_from(seed, epoch))
