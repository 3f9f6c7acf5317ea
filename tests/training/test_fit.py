"""A run learns, keeps its best, and goes on after a kill as if nothing had been."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from emolab.core.errors import ConfigError, ModelError
from emolab.training.augment import PLAIN_CROP
from emolab.training.checkpoint import load, save
from emolab.training.fit import BEST, CHECKPOINT, HISTORY, Recipe, fit, program_lines, programs_of
from emolab.training.run_folder import NOT_NOTED
from tests.training.striped import RECIPE, striped, tiny

pytestmark = pytest.mark.usefixtures("one_thread")


def run(folder: Path, recipe: Recipe = RECIPE, **more: object) -> list[str]:
    lines: list[str] = []
    fit(tiny, recipe, striped(112), striped(35, 1), folder, tell=lines.append, **more)  # type: ignore[arg-type]
    return lines


def same(one: Path, other: Path) -> bool:
    a, b = load(one)[0], load(other)[0]
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns(tmp_path: Path) -> None:
    history = fit(
        tiny, replace(RECIPE, epochs=25), striped(224), striped(70, 1), tmp_path, tell=lambda _: None
    )
    assert history[-1].loss < history[0].loss * 0.8
    assert max(line.public for line in history) > 0.6


@pytest.mark.parametrize(
    "recipe",
    [
        RECIPE,
        replace(
            RECIPE, clamp=0.1, average=0.0, views=PLAIN_CROP, nesterov=False, decay_all=True, smoothing=0.0
        ),
        replace(RECIPE, half=True),
    ],
    ids=["ours", "specification 1b's", "in bfloat16"],
)
def test_a_run_in_two_parts_is_the_run_in_one_to_the_last_bit(tmp_path: Path, recipe: Recipe) -> None:
    run(tmp_path / "one", replace(recipe, epochs=4))
    with pytest.raises(InterruptedError):
        fit(tiny, replace(recipe, epochs=4), striped(112), striped(35, 1), tmp_path / "two", tell=_stop_at(2))
    lines = run(tmp_path / "two", replace(recipe, epochs=4))
    assert lines[0] == "going on after epoch 2"
    assert len(lines) == 3
    assert same(tmp_path / "one" / CHECKPOINT, tmp_path / "two" / CHECKPOINT)
    assert same(tmp_path / "one" / BEST, tmp_path / "two" / BEST)


def _stop_at(epoch: int) -> object:
    def tell(line: str) -> None:
        if line.startswith(f"epoch {epoch}/"):
            raise InterruptedError

    return tell


def test_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-m", "tests.training.striped"]
    with subprocess.Popen([*command, str(killed)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch 2/"):
                process.kill()
    run(killed)
    run(whole)
    assert same(whole / CHECKPOINT, killed / CHECKPOINT)


def test_another_seed_is_another_run_and_the_same_seed_the_same(tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=1)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(7)  # what was drawn before makes no difference
        run(tmp_path / name, recipe, seed=seed)
    assert same(tmp_path / "a" / CHECKPOINT, tmp_path / "b" / CHECKPOINT)
    assert not same(tmp_path / "a" / CHECKPOINT, tmp_path / "c" / CHECKPOINT)


def test_a_run_can_be_made_longer_and_a_finished_one_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path, replace(RECIPE, epochs=2))
    lines = run(tmp_path, replace(RECIPE, epochs=3))
    assert lines[0] == "going on after epoch 2"
    assert lines[1].startswith("epoch 3/3")
    assert run(tmp_path, replace(RECIPE, epochs=3)) == ["going on after epoch 3"]


def test_a_folder_with_another_recipe_is_refused_with_what_differs(tmp_path: Path) -> None:
    run(tmp_path, replace(RECIPE, epochs=1))
    with pytest.raises(ConfigError, match=r"other rate, batch \(0\.1, 16\)"):
        run(tmp_path, replace(RECIPE, rate=0.2, batch=32))
    with pytest.raises(ConfigError, match="seed"):
        run(tmp_path, seed=5)


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    run(tmp_path, replace(RECIPE, epochs=1))
    (tmp_path / CHECKPOINT).write_bytes(b"\0" * 100)
    with pytest.raises(ModelError, match="delete it to begin anew"):
        run(tmp_path)


def test_a_run_that_is_lost_says_so_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lower rate"):
        run(tmp_path, replace(RECIPE, rate=float("inf")))
    assert not (tmp_path / CHECKPOINT).exists()


def test_lines_tell_where_it_is_and_how_long_still(tmp_path: Path) -> None:
    lines = run(tmp_path, replace(RECIPE, epochs=2))
    assert all(word in lines[0] for word in ("epoch 1/2", "rate", "loss", "public", "best", "min left"))
    assert lines[1].endswith(" 0 min left")
    with (tmp_path / HISTORY).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert set(rows[0]) == {"epoch", "rate", "loss", "public", "seconds"}


def test_the_best_epoch_is_kept_not_the_last(tmp_path: Path) -> None:
    history = fit(tiny, RECIPE, striped(112), striped(35, 1), tmp_path, tell=lambda _: None)
    facts = load(tmp_path / BEST)[1]
    best = max(history, key=lambda line: line.public)
    assert facts == {"epoch": best.epoch, "public": best.public}


def test_every_element_of_the_gradient_is_clamped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    largest: list[float] = []
    step = torch.optim.SGD.step

    def watched(self: torch.optim.SGD, *rest: object) -> object:
        gradients = [w.grad for group in self.param_groups for w in group["params"] if w.grad is not None]
        largest.append(max(float(gradient.abs().max()) for gradient in gradients))
        return step(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.optim.SGD, "step", watched)
    run(tmp_path / "clamped", replace(RECIPE, epochs=1, clamp=0.001))
    assert max(largest) == pytest.approx(0.001)
    largest.clear()
    run(tmp_path / "free", replace(RECIPE, epochs=1))
    assert max(largest) > 0.001


FIRST = {"version": "0.1.0", "commit": "a" * 40, "is_changed": False}
SECOND = {"version": "0.2.0", "commit": "b" * 40, "is_changed": False}


def test_a_checkpoint_tells_which_program_learnt_from_which_epoch_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emolab.training.fit.program", lambda: dict(FIRST))
    run(tmp_path, replace(RECIPE, epochs=1))
    assert not any("learnt until here" in line for line in run(tmp_path, replace(RECIPE, epochs=2)))
    monkeypatch.setattr("emolab.training.fit.program", lambda: dict(SECOND))
    run(tmp_path, replace(RECIPE, epochs=2))  # learns nothing
    told = programs_of(load(tmp_path / CHECKPOINT)[1])
    assert told == [{"from_epoch": 1, **FIRST}]
    lines = run(tmp_path, replace(RECIPE, epochs=4))
    assert lines[1].startswith(
        f"learnt until here by emolab 0.1.0, commit {'a' * 40}, from here on by emolab 0.2"
    )
    found = programs_of(load(tmp_path / CHECKPOINT)[1])
    assert found == [{"from_epoch": 1, **FIRST}, {"from_epoch": 3, **SECOND}]
    assert program_lines(found, 4) == [
        f"epochs 1 to 2: emolab 0.1.0, commit {'a' * 40}",
        f"epochs 3 to 4: emolab 0.2.0, commit {'b' * 40}",
    ]


def test_a_checkpoint_of_a_program_that_noted_none_goes_on_to_the_same_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emolab.training.fit.program", lambda: dict(SECOND))
    four = replace(RECIPE, epochs=4)
    run(tmp_path / "one", four)
    with pytest.raises(InterruptedError):
        fit(tiny, four, striped(112), striped(35, 1), tmp_path / "two", tell=_stop_at(2))
    tensors, facts = load(tmp_path / "two" / CHECKPOINT)
    del facts["programs"]  # as it was written before
    save(tmp_path / "two" / CHECKPOINT, tensors, facts)
    lines = run(tmp_path / "two", four)
    assert lines[0] == "going on after epoch 2" and "did not note which" in lines[1]
    assert same(tmp_path / "one" / CHECKPOINT, tmp_path / "two" / CHECKPOINT)
    found = programs_of(load(tmp_path / "two" / CHECKPOINT)[1])
    assert found == [{"from_epoch": 1, **NOT_NOTED}, {"from_epoch": 3, **SECOND}]


def test_what_a_checkpoint_holds_comes_back(tmp_path: Path) -> None:
    tensors = {"weight": nn.Linear(3, 2).weight, "count": torch.tensor(4)}
    save(tmp_path / "c.safetensors", tensors, {"epoch": 3})
    found, facts = load(tmp_path / "c.safetensors")
    assert torch.equal(found["weight"], tensors["weight"])
    assert found["count"] == 4
    assert facts == {"epoch": 3}


def test_long_epochs_tell_how_far_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolab.training.fit.TOLD_EVERY_S", 0.0)
    lines = run(tmp_path, replace(RECIPE, epochs=1))
    assert lines[0].startswith("epoch 1: 14%, loss ")
    assert lines[-2].startswith("epoch 1: 100%")
    assert lines[-2].endswith("0 min left in it")


def test_a_run_does_not_go_on_with_other_faces(tmp_path: Path) -> None:
    """Its private faces may be among those that were learnt from."""
    run(tmp_path, replace(RECIPE, epochs=1))
    with pytest.raises(ConfigError, match="learnt from other faces"):
        fit(tiny, replace(RECIPE, epochs=2), striped(112, 5), striped(35, 1), tmp_path, tell=print)
    with pytest.raises(ConfigError, match="learnt from other faces"):
        fit(tiny, replace(RECIPE, epochs=2), striped(112), striped(35, 6), tmp_path, tell=print)
    assert run(tmp_path, replace(RECIPE, epochs=2))[0] == "going on after epoch 1"
