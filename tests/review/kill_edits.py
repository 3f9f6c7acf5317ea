"""An analyst's program killed in the midst of editing, again and again: what is left is what was done.

    python -m tests.review.kill_edits [KILLS] [SEED]      # 50 kills by default; prints what was found

A child edits one ledger as fast as it can, and says each act's number when the act is done; it is killed
with SIGKILL at a random moment. Which act comes next follows from the seed and the acts before it, so the
state after any number of acts is known without the ledger: a plain list of states and a place in it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from emolab.core.label import STATES
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk

ROOT = Path(__file__).parents[2]
MOST_ACTS = 3000  # then a new ledger is begun
Labels = dict[str, TimedLabel]


@dataclass
class Plain:
    """What should be: all states so far and which of them is shown. `do` names the next act."""

    seed: int
    states: list[Labels] = field(default_factory=lambda: [{}])
    here: int = 0
    acts: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @property
    def labels(self) -> Labels:
        return self.states[self.here]

    @property
    def can_redo(self) -> bool:
        return self.here < len(self.states) - 1

    def step(self) -> tuple[str, str, TimedLabel | float | None]:
        """The next act: what, on which label, with what; and do it here."""
        now, number = dict(self.labels), self.acts + 1
        choices = ["add"] * (3 if len(now) < 30 else 1)
        choices += ["change", "split", "remove"] * bool(now) + ["undo"] * 2 * (self.here > 0)
        what = self._random.choice(choices + ["redo"] * 3 * self.can_redo)
        self.acts = number
        if what in ("undo", "redo"):
            self.here += -1 if what == "undo" else 1
            return what, "", None
        name = f"{number}.0" if what == "add" else self._random.choice(sorted(now))
        on: TimedLabel | float | None = None
        if what in ("add", "change"):
            on = now[name] = self._label(number)
        elif what == "split":
            whole = now[name]
            on = (whole.start_s + whole.end_s) / 2
            now[name], now[f"{number}.0"] = replace(whole, end_s=on), replace(whole, start_s=on)
        else:
            del now[name]
        self.states = [*self.states[: self.here + 1], now]
        self.here += 1
        return what, name, on

    def _label(self, number: int) -> TimedLabel:
        state = self._random.choice(STATES)
        start_s = self._random.uniform(0, 1000)
        note = f"{number} „ü“ " + "n" * self._random.choice([0, 10, 3000])
        return TimedLabel(start_s, start_s + 60, state=state.key, word=state.words[0], note=note)


def forward(seed: int, acts: int) -> Plain:
    """What should be after so many acts."""
    plain = Plain(seed)
    while plain.acts < acts:
        plain.step()
    return plain


def edit(recording: Path, seed: int) -> None:
    """The child: go on from where the ledger is, without end."""
    desk = Desk(recording, "anna")
    plain = forward(seed, len(desk.ledger.acts))
    while True:
        what, name, on = plain.step()
        match what, on:
            case "add", TimedLabel():
                desk.add(on)
            case "change", TimedLabel():
                desk.change(name, on, "on second thought")
            case "split", float():
                desk.split(name, on)
            case "remove", _:
                desk.remove(name)
            case _:
                getattr(desk, what)()
        os.write(1, b"%d\n" % plain.acts)


def kill_once(recording: Path, seed: int, after_s: float) -> tuple[int, int]:
    """Edit, kill after so long; returns how many acts had been told, and how many are in the ledger.

    Raises `AssertionError` when an act is lost, or what is left is not what was done.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.review.kill_edits", "--edit", str(recording), str(seed)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    try:
        first = child.stdout.readline()
        assert first, "the child did not edit"
        time.sleep(after_s)
    finally:
        child.kill()
    told = int((first + child.stdout.read()).rpartition(b"\n")[0].rpartition(b"\n")[2])
    child.stdout.close()
    child.wait(30)
    path = next(label_ledger.ledgers(recording))
    acts = len(label_ledger.read(path).acts)  # readable as it is left
    assert acts in (told, told + 1), f"{told} acts were told, {acts} are there"
    check(recording, forward(seed, acts))
    return told, acts


def check(recording: Path, plain: Plain) -> None:
    """The ledger opened anew shows what should be, and undo and redo have what they should."""
    desk = Desk(recording, "anna")
    assert desk.labels == plain.labels
    assert (desk.can_undo, desk.can_redo) == (plain.here > 0, plain.can_redo)
    state = desk._state
    assert (len(state.undoable), len(state.redoable)) == (plain.here, len(plain.states) - 1 - plain.here)
    heads = json.loads((label_ledger.folder_of(recording) / label_ledger.HEADS).read_text())
    assert heads["anna.jsonl"][0] in (plain.acts, plain.acts - 1)


def rewind(recording: Path, plain: Plain) -> None:
    """All is undone, step by step, and done again."""
    desk = Desk(recording, "anna")
    for place in range(plain.here, 0, -1):
        desk.undo()
        assert desk.labels == plain.states[place - 1]
    assert not desk.can_undo and desk.labels == {}
    for place in range(1, len(plain.states)):
        desk.redo()
        assert desk.labels == plain.states[place]
    assert not desk.can_redo


def kills(folder: Path, count: int, seed: int, longest_s: float = 0.3) -> Iterator[tuple[int, int]]:
    """So many kills, on one ledger as long as it is short; each gives what `kill_once` does."""
    moment = random.Random(seed)
    number, acts = 0, MOST_ACTS
    recording = folder
    for _ in range(count):
        if acts >= MOST_ACTS:
            if number:
                rewind(recording, forward(seed + number, acts))
            number += 1
            recording = folder / f"P{number}_session-0.h5"
        told, acts = kill_once(recording, seed + number, moment.uniform(0, longest_s))
        yield told, acts
    rewind(recording, forward(seed + number, acts))


def main() -> None:
    if sys.argv[1:2] == ["--edit"]:
        edit(Path(sys.argv[2]), int(sys.argv[3]))
    told_words = dict(zip(("kills", "seed"), sys.argv[1:], strict=False))
    count, seed = int(told_words.get("kills", 50)), int(told_words.get("seed", 0))
    with tempfile.TemporaryDirectory() as folder:
        beyond = acts = 0
        for told, found in kills(Path(folder), count, seed):
            beyond += found - told
            acts = max(acts, found)
        cut = len(list(Path(folder).rglob("*.cut")))
    print(
        f"{count} kills: no act that was told is lost; {beyond} times one more was on the disk; "
        f"{cut} ledgers with half a line set aside; up to {acts} acts in one; undo and redo right each time"
    )


if __name__ == "__main__":
    main()
