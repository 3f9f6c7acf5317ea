"""What the statistics say of a table of clips: the paper's test, and the checks beside it.

Only clips that count (`is_used`) come in here. What cannot be computed is a sentence in `troubles`, never
a missing section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import pandas as pd

from emolab.analysis.modalities import MODALITIES
from emolab.core.errors import DataError
from emolab.signals.feature import Feature
from emolab.stats import effects, logit, mixed
from emolab.stats import labels as reports
from emolab.stats.correction import holm
from emolab.stats.logit_rows import Scale

PULSE_RATE, FACE_HEAT = "d_hr_mean", "d_face_t_mean"
PREDICTORS = (PULSE_RATE, FACE_HEAT)  # of the EmoMusic paper
TEST = "the multinomial logit"
TITLES = {
    "hr_mean": "heart rate", "hr_var": "heart rate variance", "rr_mean": "RR interval", "rr_sd": "SD of RR",
    "rsp_rate_mean": "breath rate", "rsp_rate_sd": "SD of breath rate", "rsp_amp_mean": "breath depth",
    "face_t_max": "greatest face temperature", "face_t_mean": "mean face temperature",
    "nose_t_mean": "nose temperature", "eda_tonic_mean": "skin conductance level",
    "scr_count": "skin conductance responses",
}  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True)
class Findings:
    """All of it. Where something could not be computed, `troubles` says why, by what it is about."""

    labels: reports.Distribution | None
    crossing: reports.Crossing | None
    logit: logit.Logit | None
    effects: Mapping[str, effects.Effects]
    mixed: Mapping[str, mixed.Mixed]
    troubles: Mapping[str, str] = field(default_factory=dict)

    @property
    def friedman_holm(self) -> dict[str, float]:
        """Friedman's p of each feature after Holm over all features looked at."""
        found = {name: one.friedman.p for name, one in self.effects.items()}
        return dict(zip(found, map(float, holm(list(found.values()))), strict=True))


def shown() -> dict[str, Feature]:
    """The features of the paper, as changes from the rest, by column."""
    return {
        f"d_{feature.name}": feature
        for modality in MODALITIES.values()
        for feature in modality.features
        if not feature.is_extra
    }


def title(column: str) -> str:
    """A column of changes in a few words."""
    name = column.removeprefix("d_")
    return TITLES.get(name, name)


def find(clips: pd.DataFrame, z: Scale = "table", seed: int = 0) -> Findings:
    """Everything the report tells of the table of clips. `seed`: of the bootstraps."""
    used = clips[clips["is_used"]]
    troubles: dict[str, str] = {}

    def tried(what: str, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except DataError as error:
            troubles[what] = str(error)
            return None

    predictors = _measured(used)
    if predictors:  # else none is left that the others could do without
        troubles |= {
            f"{TEST} on the change of {title(name)}": "no clip with a report has it, so it is left out"
            for name in PREDICTORS
            if name not in predictors
        }
    features = [name for name in shown() if used[name].notna().any()]
    compared = {
        name: tried(f"the change of {title(name)}", partial(effects.compare, used, name, seed=seed))
        for name in features
    }
    models = {}
    if used["participant"].nunique() > 1:  # of one alone the logit says enough
        models = {
            name: tried(f"the mixed model of {title(name)}", partial(mixed.fit, used, name))
            for name in features
        }
    return Findings(
        tried("labels", lambda: reports.distribution(used, seed=seed)),
        tried("intended against reported", lambda: reports.crossing(used, seed=seed)),
        tried(TEST, lambda: _logit(used, predictors, z)),
        {name: one for name, one in compared.items() if one is not None},
        {name: one for name, one in models.items() if one is not None},
        troubles,
    )


def _measured(used: pd.DataFrame) -> list[str]:
    """The predictors that some clip with a report has."""
    reported = used[used["state_reported"].notna()]
    return [name for name in PREDICTORS if reported[name].notna().any()]


def _logit(used: pd.DataFrame, predictors: Sequence[str], z: Scale) -> logit.Logit:
    """The paper's test on what was measured of its predictors."""
    if not predictors and used["state_reported"].notna().any():
        raise DataError(
            f"no clip with a report has the change of {' or '.join(map(title, PREDICTORS))}; record a rest "
            "before the clips, and the pulse or the thermal camera"
        )
    return logit.fit(used, predictors or PREDICTORS, scale=z)
