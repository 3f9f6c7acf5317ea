"""Which labels an analysis goes by: what participants said, or what an analyst decided of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emolab.core.errors import ConfigError, RecordingError
from emolab.core.label import state as state_of
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel, standing
from emolab.recording.trials import Trial
from emolab.study.sessions import parts

REPORTED = "reported"
CONFLICT = "conflict"  # the tag of a clip whose face says the opposite
OPPOSITE = {"negative": "positive", "positive": "negative"}


@dataclass(frozen=True)
class Labels:
    """What is known of a recording's clips besides what was said.

    `decided`: by the analyst whose lane was chosen, by start of clip; None where the reports stand.
    `conflicts`: the labels by which a face contradicts a report. `unsound`: ledgers that cannot be
    believed, and why: nothing of them is used.
    """

    decided: Mapping[str, TimedLabel] | None
    conflicts: tuple[TimedLabel, ...] = ()
    unsound: tuple[str, ...] = ()

    def of(self, trial: Trial) -> tuple[str | None, str | None]:
        """`(state, word)` of a clip: the analyst's where they looked at it, else the participant's."""
        if self.decided is not None:
            over = [one for one in self.decided.values() if _is_about(one, trial) and one.state]
            if over:
                label = max(
                    over, key=lambda one: min(one.end_s, trial.end_s) - max(one.start_s, trial.start_s)
                )
                return label.state, label.word
        return (trial.said.state, trial.said.word) if trial.said else (None, None)

    def is_conflict(self, trial: Trial) -> bool:
        """Whether a face contradicts the label of a clip: the report, or what the analyst made of it."""
        state, _ = self.of(trial)
        said = state_of(state).group if state else ""
        return any(
            trial.start_s - 0.5 <= one.start_s < trial.end_s and _is_against(one, said)
            for one in self.conflicts
        )


def labels(recording: Path, lane: str = REPORTED) -> Labels:
    """The labels of a recording, `lane` those of an analyst by name, with all faces' conflicts.

    A session that the analyst has not looked at keeps its reports. Raises `RecordingError` when the
    ledger of that lane is not sound: an analysis must not go by labels that were tampered with. Others
    that are not sound are told in `unsound`.
    """
    decided: Mapping[str, TimedLabel] | None = None
    conflicts: list[TimedLabel] = []
    unsound = []
    for path in label_ledger.ledgers(recording):
        try:
            ledger = label_ledger.read(path)
        except RecordingError as error:
            if path.stem == lane:
                raise
            unsound.append(str(error))
            continue
        stand = standing(act.changes for act in ledger.acts)
        if ledger.name == lane:
            decided = stand
        elif any(act.by for act in ledger.acts):
            conflicts += [one for one in stand.values() if CONFLICT in one.tags]
    return Labels(decided, tuple(conflicts), tuple(unsound))


def analysts(recordings: Sequence[Path]) -> list[str]:
    """Who decided labels of these sessions, by name; one whose ledger is not sound is among them."""
    found = set()
    for path in (
        path for first in recordings for part in parts(first) for path in label_ledger.ledgers(part)
    ):
        try:
            if any(act.by for act in label_ledger.read(path).acts):
                continue  # a model's
        except RecordingError:
            pass
        found.add(path.stem)
    return sorted(found)


def check_lane(recordings: Sequence[Path], lane: str) -> None:
    """Raises `ConfigError` when no recording at all has a lane of that name, or when it is a model's."""
    if lane == REPORTED:
        return
    ledgers = [path for first in recordings for part in parts(first) for path in label_ledger.ledgers(part)]
    own = [path for path in ledgers if path.stem == lane]
    if not own:
        others = ", ".join(sorted({path.stem for path in ledgers})) or "none but what was reported"
        raise ConfigError(f"nobody called {lane!r} has labelled these sessions; there are {others}")
    for path in own:
        with suppress(RecordingError):  # told of its session
            if any(act.by for act in label_ledger.read(path).acts):
                raise ConfigError(
                    f"{lane!r} is what a model saw in faces: negative, neutral or positive, none of the five "
                    "states; take 'reported' or an analyst's, and --drop-conflicts for the face"
                )


def _is_against(face: TimedLabel, said: str) -> bool:
    """Whether a face's conflict still is one: the analyst may have decided as the face has it."""
    seen = next((tag for tag in face.tags if tag in OPPOSITE), None)
    return seen is None or not said or OPPOSITE[seen] == said


def _is_about(label: TimedLabel, trial: Trial) -> bool:
    """Whether a label covers more than half of a clip."""
    shared_s = min(label.end_s, trial.end_s) - max(label.start_s, trial.start_s)
    return shared_s > (trial.end_s - trial.start_s) / 2
