"""RTCAN-1D beside its authors' own program: training step, one window, equal outputs; folds side by side.

    python -m tests.bench.bench_rtcan --authors DIR [--batch 256] [--threads 2] [--rounds 3] [--json FILE]

DIR (for steps and windows): guanghaoyin/RTCAN-1D @ d354197, unpacked; it has no licence and is no part of
emolab. Both networks are Rf with music (their PMEmo model: attention over times first, over the whole length,
maximum pooling, softmax before the loss) and hold the same weights; outputs and slopes of both are compared
first, in double precision, and if they differ the exit code is 1. A step is forward, cross-entropy, backward,
SGD with momentum, over the same rows; ours as `training.network` does it, with freed memory kept for the next
step. Rounds take turns. Times are those of the processor (all threads of the process, user and system), since
a machine may be shared; the wall's are printed beside them.

Goals: a step at 1.5 x the authors' speed, a window on one thread with onnxruntime at 2 x, two workers at
1.8 x one, and a decomposition found in the cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from emolab.core.executor import run
from emolab.datasets.cache import ArrayCache
from emolab.models.onnx_networks import opened
from emolab.models.rtcan import MUSIC, Rtcan
from emolab.training.memory import kept_memory

EQUAL = 1e-10  # in double precision
RATE_HZ = 50.0
GOALS = {"step": 1.5, "window": 2.0, "workers": 1.8}


def same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Ours, whose normalisations are moved off their beginnings, into theirs by name."""
    generator = torch.Generator().manual_seed(1)
    for part in ours.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5, generator=generator)
    with torch.no_grad():  # probabilities that tell of the curves and are not 0 or 1: nothing is hidden
        first, last = ours.classifier[0], ours.classifier[-1]  # type: ignore[index]
        first.weight[:, :-MUSIC] *= 0.5 / first.weight[:, :-MUSIC].std()
        last.weight *= 0.1 / last.weight.std()
    given = {theirs_name(name): value for name, value in ours.state_dict().items()}
    held = theirs.state_dict()
    assert held.keys() - given.keys() == {"Res_sub.fc.weight", "Res_sub.fc.bias"}  # never used
    theirs.load_state_dict({**held, **given})


def theirs_name(name: str) -> str:
    """What a weight of ours is called by the authors."""
    whole = {
        "shallow": "origin_block",
        "reduce": "Res_sub.final_downsample",
        "classifier": "regression",
        "attention.0.value": "Non_local.non_local.origin_conv.0",
        "attention.0.query": "Non_local.non_local.theta",
        "attention.0.key": "Non_local.non_local.phi.0",
        "attention.0.out": "Non_local.non_local.W",
        "attention.1.gate": "Attention.conv_du",
    }
    for ours, theirs in whole.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    _, stage, block, part, *rest = name.split(".")
    if part == "layers":
        layer = ("conv1", "bn1")[int(rest[0])]
    else:
        layer = {"attention": "Attention.conv_du", "straight": f"downsample.{rest[0]}"}[part]
        layer = f"{layer}.{rest[1]}" if part == "attention" else layer
    return ".".join((f"Res_sub.layer3x3_{int(stage) + 1}", block, layer, rest[-1]))


def differences(ours: nn.Module, theirs: nn.Module) -> dict[str, float]:
    """The largest differences of outputs, and of slopes over the largest slope, in double precision.

    While learning theirs normalises what attention adds clip by clip, ours all clips at once; therefore that
    normalisation is as it begins, at 0, and its own slopes are left out.
    """
    found = {}
    for mode in ("evaluation", "learning"):
        same_weights(ours, theirs)
        if mode == "learning":
            for norm in (ours.attention[0].out[1], theirs.Non_local.non_local.W[1]):  # type: ignore[index, union-attr]
                nn.init.zeros_(norm.weight)  # type: ignore[arg-type]
        outs, slopes = zip(*(_answered(one, mode == "learning") for one in (ours, theirs)), strict=True)
        named = {theirs_name(name): one for name, one in slopes[0].items()}
        if mode == "learning":
            named = {name: one for name, one in named.items() if ".W." not in name}
        found[f"outputs in {mode}"] = float((outs[0] - outs[1]).abs().max())
        found[f"slopes in {mode}"] = max(
            float((slopes[1][at] - one).abs().max()) for at, one in named.items()
        )
    same_weights(ours, theirs)
    return found


def _answered(network: nn.Module, learns: bool) -> tuple[Tensor, dict[str, Tensor]]:
    curves, music, labels = drawn(4, torch.Generator().manual_seed(2))
    out = network.double().train(learns)(curves.double(), music.double())
    functional.cross_entropy(out, labels).backward()
    slopes = {name: one.grad.clone() for name, one in network.named_parameters() if one.grad is not None}
    network.zero_grad()
    network.float()
    return out.detach(), slopes


def drawn(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Curves, music, labels."""
    curves = torch.randn(n, 3, 2500, generator=generator)
    return curves, torch.randn(n, MUSIC, generator=generator), torch.arange(n) % 2


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor and on the wall."""
    begun = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - begun[0], time.perf_counter() - begun[1]


def steps(networks: dict[str, nn.Module], batch: int, threads: int, rounds: int) -> dict[str, Any]:
    """Each network's step; the first of each warms up and does not count."""
    torch.set_num_threads(threads)
    curves, music, labels = drawn(batch, torch.Generator().manual_seed(3))
    optimisers = {
        name: torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9) for name, network in networks.items()
    }

    def step(name: str) -> None:
        loss = functional.cross_entropy(networks[name](curves, music), labels)
        optimisers[name].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimisers[name].step()

    found: dict[str, list[tuple[float, float]]] = {name: [] for name in networks}
    for _ in range(rounds):
        for name in networks:
            # kept memory has to be filled once; at the authors' turn it is given back
            with kept_memory() if name != "authors" else nullcontext():
                step(name)
                found[name].append(taken(partial(step, name)))
    return told("training step", found, "authors", GOALS["step"])


def windows(ours: nn.Module, theirs: nn.Module, rounds: int) -> dict[str, Any]:
    """One window on one thread: the authors', ours in torch, ours in onnxruntime."""
    torch.set_num_threads(1)
    ours.eval()
    theirs.eval()
    ask = opened(ours, 1)
    assert ask is not None, "onnxruntime is not installed"
    curves, music, _ = drawn(1, torch.Generator().manual_seed(4))
    arrays = curves.numpy(), music.numpy()

    def in_torch(network: nn.Module) -> Tensor:
        with torch.no_grad():
            return network(curves, music)  # type: ignore[no-any-return]

    found_there = in_torch(theirs)
    apart = float((found_there - torch.from_numpy(ask(arrays))).abs().max())
    print(f"one window: {found_there.numpy().round(3)}; onnxruntime and the authors differ by {apart:.1e}")
    works: dict[str, Callable[[], object]] = {
        "authors": lambda: in_torch(theirs),
        "emolab, torch": lambda: in_torch(ours),
        "emolab, onnxruntime": lambda: ask(arrays),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(10 * rounds):
        for name, work in works.items():
            found[name].append(taken(work))
    return {"apart": apart, **told("one window, one thread", found, "authors", GOALS["window"])}


def told(what: str, found: dict[str, list[tuple[float, float]]], peer: str, goal: float) -> dict[str, Any]:
    """Print medians, and the ratios to the peer round by round."""
    lines: dict[str, Any] = {}
    for name, times in found.items():
        own, wall = (1000 * statistics.median(column) for column in zip(*times, strict=True))
        ratios = [other[0] / mine[0] for mine, other in zip(times, found[peer], strict=True)]
        ratio = statistics.median(ratios)
        lines[name] = {"cpu_ms": own, "wall_ms": wall, "ratio": ratio, "rounds": ratios}
        verdict = (
            ""
            if name in (peer, "emolab, torch")
            else f"  goal {goal:g} {'well' if ratio >= goal else 'MISSED'}"
        )
        print(
            f"{what:<24}{name:<22}{own:9.1f} ms cpu {wall:9.1f} ms wall {ratio:6.2f} x "
            f"({min(ratios):.2f} to {max(ratios):.2f}){verdict}",
            flush=True,
        )
    return lines


def fold(seed: int) -> tuple[float, float, float]:
    """A fit of 15 s; when it began and ended on the wall, and its seconds of the processor."""
    torch.set_num_threads(1)
    begun_s = time.time()
    from emolab.models.examples import whole_trials
    from emolab.training.network import NetworkClassifier
    from emolab.training.recipes import Recipe

    rng = np.random.default_rng(seed)
    n = 192
    names = [f"p{k % 12}" for k in range(n)], [f"s{k % 4}" for k in range(n)], [f"t{k}" for k in range(n)]
    curves = rng.normal(size=(n, 3, 2500)).astype(np.float32)
    rows = whole_trials((curves,), [k % 2 for k in range(n)], ("low", "high"), *names, [60.0] * n)
    # a process's first epoch compiles what all later ones use
    NetworkClassifier("rtcag", recipe=Recipe(1, 64, 1e-3, patience=None)).fit(rows, seed=seed)
    own = time.process_time()
    NetworkClassifier("rtcag", recipe=Recipe(6, 64, 1e-3, patience=None)).fit(rows, seed=seed)
    return begun_s, time.time(), time.process_time() - own


def workers(folds: int) -> dict[str, float]:
    """Folds by one and by two processes.

    Two workers do in so much less time what one does as the processor's work goes up little: the gain on a
    machine of its own is 2 x (work of one / work of two); on a shared one the wall tells of others, too.
    """
    found = {}
    for count in (1, 2):
        begun_s = time.perf_counter()
        parts = run(fold, list(range(folds)), "local", count)
        found[count] = (time.perf_counter() - begun_s, sum(own for *_, own in parts))
    wall = found[1][0] / found[2][0]
    own = 2 * found[1][1] / found[2][1]
    verdict = "well" if own >= GOALS["workers"] else "MISSED"
    print(
        f"{folds} folds, 1 → 2 workers: {own:.2f} x by processor time ({verdict}), {wall:.2f} x on this wall"
    )
    return {"by_cpu": own, "by_wall": wall, "loadavg": os.getloadavg()[0]}


def decompositions() -> dict[str, float]:
    """Twenty trials of a minute at 50 Hz, as PMEmo has them, decomposed, then found again."""
    from emolab.signals.eda.convex import cvxeda, standardise

    rng = np.random.default_rng(0)

    def parts(signal: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        found = cvxeda(signal, RATE_HZ, workers=1)
        return {"phasic": found.phasic, "tonic": found.tonic}

    signals = [standardise(np.cumsum(rng.normal(0, 0.02, 3000))) for _ in range(20)]
    cvxeda(signals[0], RATE_HZ)  # loads and compiles
    with tempfile.TemporaryDirectory() as folder:
        kept = ArrayCache(Path(folder))

        def all_of_them() -> None:
            for signal in signals:
                kept.get_or_make("bench", {"y": signal}, {"rate_hz": RATE_HZ}, partial(parts, signal))

        cold, warm = taken(all_of_them)[0], taken(all_of_them)[0]
    print(f"20 decompositions: {cold * 50:.2f} ms each anew, {warm * 50:.3f} ms found, {cold / warm:.0f} x")
    return {"cold_ms": cold * 50, "warm_ms": warm * 50}


def main() -> int:
    """Print the table."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--authors", type=Path, metavar="DIR")
    cli.add_argument("--batch", type=int, default=256)
    cli.add_argument("--threads", type=int, default=2)
    cli.add_argument("--rounds", type=int, default=3)
    cli.add_argument("--folds", type=int, default=10)
    cli.add_argument("--only", nargs="*", choices=("step", "window", "workers", "cache"))
    cli.add_argument("--json", type=Path, metavar="FILE")
    chosen = cli.parse_args()
    wanted = set(chosen.only or ("step", "window", "workers", "cache"))
    found: dict[str, Any] = {}
    if wanted & {"step", "window"}:
        if chosen.authors is None:
            cli.error("step and window want --authors DIR")
        found |= beside_the_authors(chosen, wanted)
    if "workers" in wanted:
        found["workers"] = workers(chosen.folds)
    if "cache" in wanted:
        found["cache"] = decompositions()
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    return 0 if max(found.get("apart", {"": 0.0}).values()) < EQUAL else 1


def beside_the_authors(chosen: argparse.Namespace, wanted: set[str]) -> dict[str, Any]:
    """Steps and windows of both programs, once their outputs were compared."""
    sys.path.append(str(chosen.authors))
    warnings.filterwarnings("ignore", message="Implicit dimension choice")  # theirs
    from model.PMEmo_model import Model

    torch.manual_seed(0)
    ours, theirs = Rtcan(variant="authors"), Model(True, True, True)
    same_weights(ours, theirs)
    found: dict[str, Any] = {"apart": differences(ours, theirs)}
    apart = ", ".join(f"{what} {size:.0e}" for what, size in found["apart"].items())
    print(f"the same weights, largest differences in double precision: {apart}")
    if "window" in wanted:
        found["window"] = windows(ours, theirs, chosen.rounds)
    if "step" in wanted:
        ours.train()
        theirs.train()
        networks = {"authors": theirs, "emolab, as the authors": ours, "emolab, reference": Rtcan()}
        found["step"] = steps(networks, chosen.batch, chosen.threads, chosen.rounds)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
