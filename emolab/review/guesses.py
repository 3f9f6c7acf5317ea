"""The lane of a classifier: written as one act by model and weights, read back, and where it looked.

    name = keep(recording, guesses, by)         # `svm-valence`; other lanes are not touched
    Lane.guesses                                # of `lanes`, by label

The newest guesses of the same weights take the place of those before, which stay in the ledger. Other weights
of the same name have a lane of their own, `svm-valence-3fa1`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emolab.core.errors import DataError, EmolabError
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel
from emolab.recording.predicted import KIND, Guess, from_label, to_label
from emolab.review.desk import Desk

LEARNT_FROM = {True: "in training", False: "not in training", None: "not known"}  # as a ledger says it
MOST_NAME = 48
MARK = 4  # letters of the weights' hash


def keep(recording: Path, guesses: Iterable[Guess], by: Mapping[str, str]) -> str:
    """Make these guesses all there is in the model's lane; its name.

    `by`: `model`, `weights`, `target`, `windows`, and whatever else is to be known. Raises `RecordingError`
    when the ledger is broken or cannot be written.
    """
    settings = (f"weights {by['weights'][:16]}", by["windows"])
    labels = [to_label(guess, by.get("target", ""), settings) for guess in guesses]
    lane = lane_of(recording, by)
    Desk(recording, lane).say(labels, "predict", {**by, "kind": KIND})
    return lane


def lane_of(recording: Path, by: Mapping[str, str]) -> str:
    """The name under which a model's lane is kept."""
    words = "-".join(filter(None, (by["model"], by.get("target", ""))))
    name = re.sub(r"[^A-Za-z0-9_@+-]", "_", words)[:MOST_NAME]
    path = label_ledger.folder_of(recording) / f"{name}.jsonl"
    if not path.exists():
        return name
    with contextlib.suppress(EmolabError):  # one that is broken is not written into
        acts = label_ledger.read(path).acts
        if not acts or any(act.by.get("weights") == by["weights"] for act in acts):
            return name
    return f"{name}-{by['weights'][:MARK]}"


def is_classifier(by: Mapping[str, str]) -> bool:
    """Whether a ledger was written by a classifier, rather than by a face model."""
    return by.get("kind") == KIND


def was_learnt_from(by: Mapping[str, str]) -> bool | None:
    """Whether a classifier had learnt from the participant whom it judged; None where that is not known."""
    return {words: answer for answer, words in LEARNT_FROM.items()}.get(by.get("participant", ""))


def guesses_of(labels: Mapping[str, TimedLabel]) -> dict[str, Guess]:
    """The guesses that the labels of a lane tell of, by label."""
    found = {}
    for name, label in labels.items():
        with contextlib.suppress(DataError):
            found[name] = from_label(label)
    return found


def heats(guesses: Iterable[Guess]) -> Sequence[tuple[float, float, tuple[float, ...]]]:
    """`(start_s, end_s, heat)` of those that tell where the network looked, in order of time."""
    found = [(one.start_s, one.end_s, one.heat) for one in guesses if one.heat]
    return sorted(found)
