"""Which labels an analysis goes by: what participants said, or what an analyst decided of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emolab.core.errors import ConfigError
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel, standing
from emolab.recording.trials import Trial

REPORTED = "reported"
CONFLICT = "conflict"  # the tag of a clip whose face says the opposite


@dataclass(frozen=True)
class Labels:
    """What is known of a recording's clips besides what was said.

    `decided`: by the analyst whose lane was chosen, by start of clip; None where the reports stand.
    `conflicts`: the starts of the clips that a face contradicts.
    """

    decided: Mapping[str, TimedLabel] | None
    conflicts: tuple[float, ...] = ()

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
        """Whether a face contradicts what was said of a clip."""
        return any(trial.start_s - 0.5 <= at_s < trial.end_s for at_s in self.conflicts)


def labels(recording: Path, lane: str = REPORTED) -> Labels:
    """The labels of a recording, `lane` those of an analyst by name, with all faces' conflicts.

    A session that the analyst has not looked at keeps its reports. Raises `RecordingError` when a ledger
    is not sound: an analysis must not go by labels that were tampered with.
    """
    decided: Mapping[str, TimedLabel] | None = None
    conflicts: list[float] = []
    for path in label_ledger.ledgers(recording):
        ledger = label_ledger.read(path)
        if ledger.name != lane and not any(act.by for act in ledger.acts):
            continue
        stand = standing(act.changes for act in ledger.acts)
        if ledger.name == lane:
            decided = stand
        else:
            conflicts += [one.start_s for one in stand.values() if CONFLICT in one.tags]
    return Labels(decided, tuple(conflicts))


def check_lane(recordings: Sequence[Path], lane: str) -> None:
    """Raises `ConfigError` when no recording at all has a lane of that name."""
    if lane == REPORTED:
        return
    known = {path.stem for recording in recordings for path in label_ledger.ledgers(recording)}
    if lane not in known:
        others = ", ".join(sorted(known)) or "none but what was reported"
        raise ConfigError(f"nobody called {lane!r} has labelled these sessions; there are {others}")


def _is_about(label: TimedLabel, trial: Trial) -> bool:
    """Whether a label covers more than half of a clip."""
    shared_s = min(label.end_s, trial.end_s) - max(label.start_s, trial.start_s)
    return shared_s > (trial.end_s - trial.start_s) / 2
