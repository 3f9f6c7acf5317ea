"""The loop: epochs over faces, a checkpoint after each, the best on the public set kept.

A run lives in a folder: `checkpoint.safetensors` (all that is needed to go on), `best.safetensors` (the
weights that were best on the public set), `history.csv` (one line per epoch). Called again on the same
folder it goes on after the last whole epoch, with the same result to the last bit as if it had never
stopped, given the same number of threads and the same emolab; the checkpoint notes which emolab learnt from
which epoch on.
"""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from emolab.core.errors import ConfigError, ModelError
from emolab.datasets.fer2013 import Faces
from emolab.faces.network_model import averaged_logits
from emolab.training.augment import Views, augmented
from emolab.training.checkpoint import load, save
from emolab.training.run_folder import NOT_NOTED, program, program_words
from emolab.training.schedule import authors_rate, trapezoid_rate

CHECKPOINT, BEST, HISTORY = "checkpoint.safetensors", "best.safetensors", "history.csv"
JUDGED_AT_ONCE = 256
TOLD_EVERY_S = 60.0


@dataclass(frozen=True)
class Recipe:
    """How a network learns.

    `clamp`: every element of the gradient is held within ± this, None leaves it. `average`: how much of the
    running average of the weights stays at each step, 0 takes the weights as they are. `decay_all`: whether
    biases and normalisations decay, too. `half`: products in bfloat16, sums and weights in float32.
    """

    network: str
    epochs: int
    rate: float
    schedule: str = "trapezoid"
    batch: int = 128
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    decay_all: bool = False
    smoothing: float = 0.1
    clamp: float | None = None
    average: float = 0.998
    test_views: str = "flip"
    half: bool = True
    leaves_twins_out: bool = True
    views: Views = field(default_factory=Views)

    def rate_at(self, epoch: int, part: float) -> float:
        """The learning rate in `epoch` (from 0), `part` (0 to 1) of it done."""
        if self.schedule == "authors":
            return authors_rate(epoch, self.rate, self.epochs)
        return trapezoid_rate((epoch + part) / self.epochs, self.rate)


@dataclass(frozen=True)
class Epoch:
    """One line of the history: `epoch` counts from 1, `public` is the accuracy there."""

    epoch: int
    rate: float
    loss: float
    public: float
    seconds: float


@dataclass
class _State:
    """What goes on from epoch to epoch; `programs` as `programs_of` tells them.

    `faces`: SHA-256 of those that are learnt from and stopped by.
    """

    network: nn.Module
    average: nn.Module
    optimiser: torch.optim.SGD
    history: list[Epoch]
    faces: str = ""
    step: int = 0
    programs: list[dict[str, Any]] = field(default_factory=list)


def fit(
    make: Callable[[], nn.Module],
    recipe: Recipe,
    train: Faces,
    public: Faces,
    folder: Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    tell: Callable[[str], None] = print,
) -> list[Epoch]:
    """Train what `make` makes until `recipe.epochs`, from where `folder` left off; `tell` gets a line each.

    Raises `ConfigError` when the folder holds a run of another recipe, `ModelError` when the loss is lost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = _begun(make, recipe, seed, device)
    state.faces = _digest(train, public)
    if (folder / CHECKPOINT).is_file():
        _go_on(state, folder / CHECKPOINT, recipe, seed)
        tell(f"going on after epoch {len(state.history)}")
    if len(state.history) < recipe.epochs:
        _note_program(state, tell)
    pictures = torch.from_numpy(train.pictures).to(device)
    labels = torch.from_numpy(train.labels.astype(np.int64)).to(device)
    for epoch in range(len(state.history), recipe.epochs):
        begun_s = time.monotonic()
        loss = _one_epoch(state, recipe, pictures, labels, epoch, seed, tell)
        side_px = int(state.network.side_px)  # type: ignore[arg-type]
        views = "one" if recipe.test_views != "ten-crop" else "ten-crop"
        logits = logits_of(state.average, public.pictures, views, side_px, half=recipe.half, device=device)
        accuracy = float((logits.argmax(1) == public.labels).mean())
        best = max((line.public for line in state.history), default=0.0)
        state.history.append(
            Epoch(epoch + 1, recipe.rate_at(epoch, 0), loss, accuracy, time.monotonic() - begun_s)
        )
        if accuracy > best:
            save(folder / BEST, state.average.state_dict(), {"epoch": epoch + 1, "public": accuracy})
        _keep(state, folder, recipe, seed)
        tell(_line(state.history, recipe.epochs))
    return state.history


def programs_of(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """By which programs the epochs of a checkpoint's `facts` were learnt, and `from_epoch` on (from 1).

    Each as `run_folder.program` tells it; of epochs that older programs learnt, which did not note it, None.
    """
    if not facts["history"]:
        return []
    return [dict(one) for one in facts.get("programs", [{"from_epoch": 1, **NOT_NOTED}])]


def program_lines(programs: Sequence[Mapping[str, Any]], epochs: int) -> list[str]:
    """The programs of `programs_of` in words, with their epochs."""
    ends = [*(one["from_epoch"] - 1 for one in programs[1:]), epochs]
    return [
        f"epochs {one['from_epoch']} to {end}: {program_words(one)}"
        for one, end in zip(programs, ends, strict=True)
    ]


def logits_of(
    network: nn.Module,
    faces: NDArray[np.uint8],
    views: str,
    side_px: int,
    *,
    half: bool = False,
    device: str = "cpu",
) -> NDArray[np.float32]:
    """Logits `(n, 7)` of `faces` `(n, 48, 48)`, judged in evaluation mode."""
    network.eval()
    parts = []
    with torch.inference_mode(), torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
        for k in range(0, len(faces), JUDGED_AT_ONCE):
            some = torch.from_numpy(faces[k : k + JUDGED_AT_ONCE]).to(device)
            parts.append(averaged_logits(network, some, views, side_px).float().cpu().numpy())
    return np.concatenate(parts)


def _begun(make: Callable[[], nn.Module], recipe: Recipe, seed: int, device: str) -> _State:
    torch.manual_seed(seed)
    network, average = (make().to(device).to(memory_format=torch.channels_last) for _ in range(2))  # type: ignore[call-overload]
    average.load_state_dict(network.state_dict())
    weights = [weight for weight in network.parameters() if weight.ndim > 1 or recipe.decay_all]
    others = [weight for weight in network.parameters() if not (weight.ndim > 1 or recipe.decay_all)]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=recipe.rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        foreach=True,
    )
    return _State(network, average, optimiser, [])


def _note_program(state: _State, tell: Callable[[str], None]) -> None:
    """The epochs to come are learnt by this program; where the last were by another, that is told."""
    now = program()
    if state.programs:
        before, ours = program_words(state.programs[-1]), program_words(now)
        if before == ours:
            return
        tell(f"learnt until here by {before}, from here on by {ours}; the card will name both")
    state.programs.append({"from_epoch": len(state.history) + 1, **now})


def _one_epoch(
    state: _State,
    recipe: Recipe,
    pictures: Tensor,
    labels: Tensor,
    epoch: int,
    seed: int,
    tell: Callable[[str], None],
) -> float:
    """One pass over all faces; returns the mean loss. All that is drawn hangs on seed and epoch alone."""
    torch.manual_seed(seed * 1_000_003 + epoch)  # dropout
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    state.network.train()
    batches = list(_batches(len(labels), recipe.batch, generator))
    total = torch.zeros((), device=labels.device)
    begun_s = told_s = time.monotonic()
    for k, which in enumerate(batches):
        which = which.to(labels.device)
        for group in state.optimiser.param_groups:
            group["lr"] = recipe.rate_at(epoch, k / len(batches))
        faces = augmented(pictures[which], recipe.views, generator)
        faces = faces.contiguous(memory_format=torch.channels_last)
        with torch.autocast(labels.device.type, torch.bfloat16, enabled=recipe.half):
            logits = state.network(faces)
        loss = functional.cross_entropy(logits.float(), labels[which], label_smoothing=recipe.smoothing)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clamp is not None:
            for weight in state.network.parameters():
                if weight.grad is not None:
                    weight.grad.clamp_(-recipe.clamp, recipe.clamp)
        state.optimiser.step()
        state.step += 1
        _averaged_in(state, recipe.average)
        total += loss.detach()
        if (now_s := time.monotonic()) - told_s > TOLD_EVERY_S:
            told_s, left_s = now_s, (now_s - begun_s) / (k + 1) * (len(batches) - k - 1)
            done, mean = (k + 1) / len(batches), float(total / (k + 1))
            tell(f"epoch {epoch + 1}: {done:.0%}, loss {mean:.3f}, {left_s / 60:.0f} min left in it")
    mean = float(total / len(batches))
    if not np.isfinite(mean):
        raise ModelError(
            f"the loss of epoch {epoch + 1} is {mean}: the run is lost; begin anew with a lower rate"
        )
    return mean


def _batches(n: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Numbers of the faces in each batch; a last face left alone, which cannot be normalised, is left out."""
    order = torch.randperm(n, generator=generator)
    for k in range(0, n, batch):
        if len(which := order[k : k + batch]) > 1:
            yield which


@torch.no_grad()
def _averaged_in(state: _State, stays: float) -> None:
    stays = min(stays, state.step / (state.step + 10))  # the first weights are soon forgotten
    for mean, now in zip(
        state.average.state_dict().values(), state.network.state_dict().values(), strict=True
    ):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - stays) if stays else mean.copy_(now)
        else:
            mean.copy_(now)


def _keep(state: _State, folder: Path, recipe: Recipe, seed: int) -> None:
    tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in state.average.state_dict().items()}
    for name, weight in state.network.named_parameters():
        tensors[f"momentum.{name}"] = state.optimiser.state[weight]["momentum_buffer"]
    history = [vars(line) for line in state.history]
    facts = {"step": state.step, "history": history, "programs": state.programs, "faces": state.faces}
    save(folder / CHECKPOINT, tensors, {**_identity(recipe, seed), **facts})
    with (folder / HISTORY).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(history[0]))
        table.writeheader()
        table.writerows(history)


def _go_on(state: _State, path: Path, recipe: Recipe, seed: int) -> None:
    tensors, facts = load(path)
    wanted = _identity(recipe, seed)
    if other := [name for name, value in wanted.items() if facts.get(name) != value]:
        raise ConfigError(
            f"{path.parent} holds a run with other {', '.join(other)} "
            f"({', '.join(str(facts.get(name)) for name in other)}); take another --out, or delete the folder"
        )
    if facts.get("faces", state.faces) != state.faces:  # older checkpoints do not say
        raise ConfigError(
            f"{path.parent} holds a run that learnt from other faces, among which those tested now may be; "
            "take another --out, or delete the folder"
        )
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "momentum": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    state.network.load_state_dict(parts["network"])
    state.average.load_state_dict(parts["average"])
    for name, weight in state.network.named_parameters():
        buffer = torch.empty_like(weight).copy_(parts["momentum"][name])
        state.optimiser.state[weight]["momentum_buffer"] = buffer
    state.history = [Epoch(**line) for line in facts["history"]]
    state.step = facts["step"]
    state.programs = programs_of(facts)


def _identity(recipe: Recipe, seed: int) -> dict[str, Any]:
    """What must be the same to go on; the number of epochs may change."""
    facts = {**vars(replace(recipe, epochs=0)), "views": str(recipe.views), "seed": seed}
    del facts["epochs"]
    return facts


def _digest(*parts: Faces) -> str:
    """SHA-256 of faces and their labels."""
    mark = hashlib.sha256()
    for part in parts:
        mark.update(np.ascontiguousarray(part.pictures).tobytes())
        mark.update(np.ascontiguousarray(part.labels).tobytes())
    return mark.hexdigest()


def _line(history: list[Epoch], epochs: int) -> str:
    last = history[-1]
    best = max(history, key=lambda line: line.public)
    recent = [line.seconds for line in history[-5:]]
    left_s = (epochs - last.epoch) * sum(recent) / len(recent)
    left = f"{left_s / 3600:.1f} h" if left_s >= 5400 else f"{left_s / 60:.0f} min"
    return (
        f"epoch {last.epoch}/{epochs}  rate {last.rate:.4f}  loss {last.loss:.3f}  public {last.public:.2%} "
        f"(best {best.public:.2%} in {best.epoch})  {last.seconds:.0f} s, {left} left"
    )
