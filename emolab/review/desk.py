"""Where an analyst works on one session: labels as the ledger makes them, unlimited undo."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from emolab.core.errors import DataError, RecordingError
from emolab.recording.label_ledger import Act, Ledger
from emolab.recording.labels import Change, TimedLabel

Labels = Mapping[str, TimedLabel]


class State:
    """The labels after some acts, and what could be undone or done again then."""

    def __init__(self) -> None:
        self.labels: dict[str, TimedLabel] = {}
        self.undoable: list[Act] = []
        self.redoable: list[Act] = []

    def take(self, act: Act) -> None:
        """Go on by one act. Raises `DataError` when it does not follow from what was before."""
        if act.do == "undo":
            self._expect(act, self.undoable)
            self.redoable.append(self.undoable.pop())
        elif act.do == "redo":
            self._expect(act, self.redoable)
            self.undoable.append(self.redoable.pop())
        else:
            self.undoable.append(act)
            self.redoable.clear()
        for change in act.changes:
            if self.labels.get(change.label) != change.before:
                raise DataError(f"act {act.number} does not follow from the acts before it")
            if change.after is None:
                del self.labels[change.label]
            else:
                self.labels[change.label] = change.after

    def _expect(self, act: Act, stack: list[Act]) -> None:
        if not stack or stack[-1].number != act.of:
            raise DataError(f"act {act.number} takes back act {act.of}, which was not its turn")


def replay(acts: Iterable[Act]) -> State:
    """The state these acts lead to, from nothing."""
    state = State()
    for act in acts:
        state.take(act)
    return state


class Desk:
    """One analyst's labels of one recording. Every method that changes something is one act."""

    def __init__(self, recording: Path, analyst: str) -> None:
        """Raises `RecordingError` when the ledger was tampered with, `ConfigError` for a bad name."""
        self.ledger = Ledger.open(recording, analyst)
        try:
            self._state = replay(self.ledger.acts)
        except DataError as error:
            raise RecordingError(f"{self.ledger.path}: {error}") from error

    @property
    def labels(self) -> Labels:
        """The labels as they stand, by their names in the ledger."""
        return self._state.labels

    @property
    def can_undo(self) -> bool:
        """Whether there is an act to take back."""
        return bool(self._state.undoable)

    @property
    def can_redo(self) -> bool:
        """Whether an act that was taken back can be done again."""
        return bool(self._state.redoable)

    def at(self, number: int) -> Labels:
        """The labels as they stood after act `number`; 0 for before the first."""
        return replay(self.ledger.acts[:number]).labels

    def add(self, label: TimedLabel, why: str = "", by: Mapping[str, str] | None = None) -> str:
        """Add a label; returns its name."""
        (name,) = self._names(1)
        self._do((Change(name, None, label),), why, by)
        return name

    def add_all(
        self, labels: Iterable[TimedLabel], why: str = "", by: Mapping[str, str] | None = None
    ) -> list[str]:
        """Add several as one act, such as all that a model said; returns their names."""
        added = list(labels)
        names = self._names(len(added))
        self._do(tuple(Change(name, None, label) for name, label in zip(names, added, strict=True)), why, by)
        return names

    def say(self, labels: Iterable[TimedLabel], why: str = "", by: Mapping[str, str] | None = None) -> bool:
        """Make `labels` all there is in this lane, as one act; False when they are just that already.

        `by` that is not what the lane says so far is an act all the same, which changes no label.
        """
        wanted = list(labels)
        changes = []
        for name, label in self._state.labels.items():
            if label in wanted:
                wanted.remove(label)
            else:
                changes.append(Change(name, label, None))
        names = self._names(len(wanted))
        changes += [Change(name, None, label) for name, label in zip(names, wanted, strict=True)]
        self._do(tuple(changes), why, by)
        if not changes and by and dict(by) != self._by:
            self._state.take(self.ledger.append("edit", (), why, by=by))
        return bool(changes)

    def change(self, name: str, label: TimedLabel, why: str = "") -> None:
        """Put `label` in the place of the one called `name`."""
        before = self._label(name)
        if before != label:
            self._do((Change(name, before, label),), why)

    def remove(self, name: str, why: str = "") -> None:
        """Take a label away."""
        self._do((Change(name, self._label(name), None),), why)

    def split(self, name: str, at_s: float, why: str = "") -> str:
        """Make two of one label at a moment inside it; returns the name of the later one."""
        whole = self._label(name)
        if not whole.start_s < at_s < whole.end_s:
            raise DataError(f"{at_s:.3f} s is not inside the label, so it cannot be split there")
        (later,) = self._names(1)
        first = replace(whole, end_s=at_s, trace=tuple(p for p in whole.trace if p[0] < at_s))
        second = replace(whole, start_s=at_s, trace=tuple(p for p in whole.trace if p[0] >= at_s))
        self._do((Change(name, whole, first), Change(later, None, second)), why)
        return later

    def undo(self) -> Act | None:
        """Take the last act back; returns it, or None when there is none."""
        if not self._state.undoable:
            return None
        last = self._state.undoable[-1]
        self._append("undo", tuple(change.undone for change in reversed(last.changes)), of=last.number)
        return last

    def redo(self) -> Act | None:
        """Do again what was taken back last; returns it, or None when there is none."""
        if not self._state.redoable:
            return None
        last = self._state.redoable[-1]
        self._append("redo", last.changes, of=last.number)
        return last

    @property
    def _by(self) -> Mapping[str, str]:
        """Which model the lane is of, as its newest act that names one tells."""
        return next((act.by for act in reversed(self.ledger.acts) if act.by), {})

    def _do(self, changes: tuple[Change, ...], why: str, by: Mapping[str, str] | None = None) -> None:
        if changes:
            self._state.take(self.ledger.append("edit", changes, why, by=by))

    def _append(self, do: str, changes: tuple[Change, ...], of: int) -> None:
        self._state.take(self.ledger.append(do, changes, of=of))

    def _label(self, name: str) -> TimedLabel:
        try:
            return self._state.labels[name]
        except KeyError:
            raise DataError(
                f"there is no label {name!r}; it was removed, or belongs to another lane"
            ) from None

    def _names(self, count: int) -> list[str]:
        """Names never used before: the act's number and a letter's place in it."""
        number = len(self.ledger.acts) + 1
        return [f"{number}.{place}" for place in itertools.islice(itertools.count(), count)]
