"""Do the body's changes tell which state was reported? The multinomial logit of the EmoMusic paper.

The paper's test takes clips for independent; they are not, since fifteen come from one person, and where
the predictors of a person resemble one another its p values are far too small. So each figure
stands here twice: as the paper has it, and with errors clustered by participant. Beside the raw p stands
Holm's, over all Wald tests of the table (the constants are no tests).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from emolab.stats.correction import holm
from emolab.stats.likelihood import maximise, softmax
from emolab.stats.logit_rows import Rows, Scale, usable, words
from emolab.stats.sandwich import clustered, information
from emolab.stats.table import REFERENCE, Floats
from emolab.stats.wald import Wald, joint, walds

CONSTANT = "constant"
FEW_ROWS = 10  # reports of a state for each predictor; Peduzzi 1996, doi:10.1016/S0895-4356(96)00236-3
FEW_PARTICIPANTS = 10


@dataclass(frozen=True)
class Coefficient:
    """How the log odds of a state against the reference change with one SD of a predictor.

    `plain`: clips independent, normal. `by_participant`: clustered errors, Student's t.
    """

    state: str
    predictor: str
    value: float
    plain: Wald
    by_participant: Wald

    @property
    def odds_ratio(self) -> float:
        """What the odds are multiplied with for one SD more."""
        return math.exp(self.value)


@dataclass(frozen=True)
class PredictorTest:
    """Does a predictor tell any of the states apart?

    `chi2`, `df`, `p`: likelihood ratio, clips independent. `f`, `df_f`, `p_f`: clustered errors,
    F with `df` and `df_f` degrees of freedom; NaN with too few participants.
    """

    predictor: str
    chi2: float
    df: int
    p: float
    p_holm: float
    f: float
    df_f: int
    p_f: float
    p_f_holm: float


@dataclass(frozen=True)
class Logit:
    """The test as it came out, with what it could not use.

    `states`: those of the model, the reference first; `counts`: rows of each. `left_out`: rows that
    were not used, by reason. `notes`: sentences on what a reader must know. `probabilities`: fitted,
    `(rows, states)`; `index`: their rows in the table.
    """

    states: tuple[str, ...]
    predictors: tuple[str, ...]
    scale: Scale
    rows: int
    participants: int
    counts: dict[str, int]
    left_out: dict[str, int]
    coefficients: tuple[Coefficient, ...]
    tests: tuple[PredictorTest, ...]
    log_likelihood: float
    log_likelihood_constant: float
    notes: tuple[str, ...]
    probabilities: Floats
    index: pd.Index

    @property
    def is_clustered(self) -> bool:
        """Whether errors clustered by participant could be told of any coefficient but the constants."""
        return any(
            math.isfinite(one.by_participant.p_holm) for one in self.coefficients if one.predictor != CONSTANT
        )

    @property
    def pseudo_r2(self) -> float:
        """McFadden's: the share of the log likelihood that the predictors explain."""
        return 1 - self.log_likelihood / self.log_likelihood_constant

    def table(self) -> pd.DataFrame:
        """One row per (state, predictor), constants last; the clustered columns end in `_clustered`."""
        return pd.DataFrame([_flat(one) for one in self.coefficients])

    def tests_table(self) -> pd.DataFrame:
        """One row per predictor."""
        return pd.DataFrame([vars(one) for one in self.tests])


def fit(
    table: pd.DataFrame,
    predictors: Sequence[str],
    label: str = "state_reported",
    reference: str = REFERENCE,
    scale: Scale = "table",
) -> Logit:
    """The multinomial logit of `label` on z-scored predictors, by Newton's maximum likelihood.

    `scale`: z scores over all rows used, or over each participant's. A state that the predictors tell
    apart without a fault has no finite coefficients: its rows are taken out, which leaves the
    other equations consistent (a logit's odds of two states do not depend on a third), and a note
    says so. Raises `DataError` when nothing can be estimated: fewer than two states, no
    reference, too few rows, predictors that are constant or sums of one another.
    """
    rows = usable(table, predictors, label, reference, scale)
    beta, likelihood = maximise(rows.x, rows.codes, len(rows.states))
    probabilities = softmax(rows.x, beta)
    p, y = probabilities[:, 1:], np.eye(len(rows.states))[rows.codes][:, 1:]
    robust = clustered(rows.x, y, p, rows.groups)
    participants = int(rows.groups.max()) + 1
    plain = walds(beta, np.asarray(np.linalg.inv(information(rows.x, p)), np.float64), math.inf)
    by_participant = walds(beta, robust, participants - 1)
    columns = (*predictors, CONSTANT)
    cells = [(i, j) for i in range(len(beta)) for j in range(len(predictors))]
    cells += [(i, len(predictors)) for i in range(len(beta))]
    counts = np.bincount(rows.codes, minlength=len(rows.states)).tolist()
    counted = dict(zip(rows.states, counts, strict=True))
    return Logit(
        states=rows.states,
        predictors=tuple(predictors),
        scale=scale,
        rows=len(rows.x),
        participants=participants,
        counts=counted,
        left_out=rows.left_out,
        coefficients=tuple(
            Coefficient(rows.states[i + 1], columns[j], float(beta[i, j]), plain[i][j], by_participant[i][j])
            for i, j in cells
        ),
        tests=_tests(predictors, rows, beta, robust, likelihood),
        log_likelihood=likelihood,
        log_likelihood_constant=sum(count * math.log(count / len(rows.x)) for count in counts),
        notes=(*rows.notes, *_warnings(counted, len(predictors), participants)),
        probabilities=probabilities,
        index=rows.index,
    )


def _tests(
    predictors: Sequence[str], rows: Rows, beta: Floats, robust: Floats, likelihood: float
) -> tuple[PredictorTest, ...]:
    equations, m = beta.shape
    made = []
    for at, name in enumerate(predictors):
        without = maximise(np.delete(rows.x, at, 1), rows.codes, equations + 1)[1]
        chi2 = max(2 * (likelihood - without), 0.0)
        together = joint(beta[:, at], robust[at::m, at::m], int(rows.groups.max()) + 1)
        made.append((name, chi2, float(stats.chi2.sf(chi2, equations)), together))
    corrected = holm([p for _, _, p, _ in made])
    corrected_f = holm([together[2] for *_, together in made])
    return tuple(
        PredictorTest(name, chi2, equations, p, float(corrected[at]), *together, float(corrected_f[at]))
        for at, (name, chi2, p, together) in enumerate(made)
    )


def _warnings(counts: dict[str, int], predictors: int, participants: int) -> list[str]:
    notes = []
    few = [f"{key} (n = {count})" for key, count in counts.items() if count < FEW_ROWS * predictors]
    if few:
        notes.append(f"Fewer than {FEW_ROWS} reports for each predictor: {words(few)}; p values are coarse.")
    if participants < 2:
        notes.append("One participant only: no clustered errors, and nothing said about people in general.")
    elif participants < FEW_PARTICIPANTS:
        notes.append(
            f"{participants} participants are few for clustered errors: Student's t with "
            f"{participants - 1} degrees of freedom, and coarse."
        )
    return notes


def _flat(one: Coefficient) -> dict[str, object]:
    row: dict[str, object] = {"state": one.state, "predictor": one.predictor, "coefficient": one.value}
    row["odds_ratio"] = one.odds_ratio
    for wald, end in ((one.plain, ""), (one.by_participant, "_clustered")):
        row |= {f"{name}{end}": value for name, value in vars(wald).items()}
        row |= {f"odds_{name}{end}": _raised(getattr(wald, name)) for name in ("low", "high")}
    return row


def _raised(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
