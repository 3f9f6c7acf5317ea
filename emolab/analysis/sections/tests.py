"""Does the body tell the states apart? The paper's test, its corrections, and the checks beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from emolab.analysis.findings import TEST, Findings, title
from emolab.analysis.page import Part, Picture, Section, Table, Words
from emolab.analysis.sections.figures import count, equals, interval, number, p_value, state
from emolab.plots import tests as drawn
from emolab.stats.logit import CONSTANT, Coefficient, Logit
from emolab.stats.table import Estimate

ALPHA = 0.05
NOT_JUDGED = "Errors clustered by participant cannot be told: "
OF_ONE = "clips of one person say nothing about people."
HANGS_ON_ONE = "one participant has nearly all of the clips, or is the only one in whom a predictor differs."


def tests(found: Findings) -> Section:
    """The multinomial logit, then mixed models of every feature."""
    parts: list[Part] = []
    if found.logit is None:
        parts.append(Words(f"{TEST[0].upper()}{TEST[1:]} cannot be computed: {found.troubles[TEST]}", "look"))
        lead = ""
    else:
        lead = " ".join(sentences(found.logit))
        parts += [Words(note, "look") for note in found.logit.notes]
        parts.append(_forest(found.logit))
        parts += _tables(found.logit)
    if found.mixed:
        parts.append(_mixed(found))
    return Section("tests", "The body and the states", parts, lead)


def sentences(test: Logit) -> list[str]:
    """What came out, in words: as the paper tests, and as it should be read."""
    cells = [one for one in test.coefficients if one.predictor != CONSTANT]
    plain = [one for one in cells if one.plain.p < ALPHA]
    held = [one for one in cells if one.by_participant.p_holm < ALPHA]
    is_judged = test.is_clustered
    told = [
        NOT_JUDGED + (OF_ONE if test.participants == 1 else HANGS_ON_ONE)
        if not is_judged
        else f"With errors clustered by participant and Holm's correction, {_many(held)} of {len(cells)} "
        f"coefficients fall{'s' if len(held) == 1 else ''} below .05{_which(held)}.",
        "Tested as in the EmoMusic paper, which takes clips for independent and corrects nothing, "
        f"{_many(plain)} would{_which(plain)}.",
    ]
    for one in test.tests:
        p = one.p_f_holm
        if not is_judged and test.participants > 1:
            told.append(f"Nor can {name_of(one.predictor)} be judged as a whole.")
            continue
        if not math.isfinite(p):
            few = "One participant is" if test.participants == 1 else f"{test.participants} participants are"
            told.append(f"{few} too few to judge {name_of(one.predictor)} as a whole.")
            continue
        told.append(
            f"As a whole, {name_of(one.predictor)} "
            + ("tells" if p < ALPHA else "does not tell")
            + f" the states apart (F({one.df}, {one.df_f}) = {number(one.f)}, p {equals(one.p_f)}, "
            f"Holm {equals(p)})."
        )
    return told


def name_of(column: str) -> str:
    """A column of changes in words."""
    return f"the change of {title(column)}"


def _many(cells: Sequence[Coefficient]) -> str:
    return str(len(cells)) if cells else "none"


def _which(cells: Sequence[Coefficient]) -> str:
    return ": " + ", ".join(f"{title(one.predictor)} at {state(one.state)}" for one in cells) if cells else ""


def _tables(test: Logit) -> list[Part]:
    counts = ", ".join(f"{state(key)} {n}" for key, n in test.counts.items())
    left = "; ".join(f"{n} ({why})" for why, n in test.left_out.items() if n)
    whole = [
        [
            one.predictor, number(one.chi2), str(one.df), p_value(one.p), p_value(one.p_holm),
            number(one.f), f"{one.df}, {one.df_f}", p_value(one.p_f), p_value(one.p_f_holm),
        ]
        for one in test.tests
    ]  # fmt: skip
    rows = [
        [
            state(one.state), one.predictor, number(one.value), number(one.odds_ratio),
            interval(Estimate(one.value, one.plain.low, one.plain.high)).partition(" ")[2],
            p_value(one.plain.p), p_value(one.plain.p_holm),
            interval(Estimate(one.value, one.by_participant.low, one.by_participant.high)).partition(" ")[2],
            p_value(one.by_participant.p), p_value(one.by_participant.p_holm),
        ]
        for one in test.coefficients
        if one.predictor != CONSTANT
    ]  # fmt: skip
    note = (
        f"Multinomial logit of the reported state, reference {state(test.states[0])}; predictors z-scored "
        "over the "
        f"{'whole table' if test.scale == 'table' else 'clips of each participant'}. {test.rows} clips of "
        f"{count(test.participants, 'participant')} ({counts}). McFadden's R² = {number(test.pseudo_r2, 3)}."
        + (f" Not used: {left}." if left else "")
    )
    return [
        Table(
            "Each predictor as a whole",
            ("predictor", "LR χ²", "df", "p", "Holm", "clustered F", "df", "p", "Holm"),
            whole,
            "Likelihood ratio: clips taken for independent. F: errors clustered by participant.",
        ),
        Table(
            "Each state against neutral",
            ("state", "predictor", "β", "odds ratio", "95 %", "p", "Holm", "95 % clustered", "p", "Holm"),
            rows,
            note,
        ),
    ]


def _forest(test: Logit) -> Picture:
    names = {predictor: f"Change of {title(predictor)}" for predictor in test.predictors}
    return Picture(
        "coefficients",
        "Coefficients of the multinomial logit, each state against neutral.",
        lambda look: drawn.coefficients(test.table(), names, look=look),
    )


def _mixed(found: Findings) -> Table:
    rows = [
        [
            name, str(one.rows), str(one.participants), interval(one.icc), number(one.f),
            f"{one.df}, {one.df_f}", p_value(one.p_f), "; ".join(one.notes),
        ]
        for name, one in found.mixed.items()
    ]  # fmt: skip
    note = (
        "Each change by state with a random intercept per participant; F tests all states at once. ICC: "
        "share of the variance that lies between participants."
    )
    return Table(
        "Mixed-effects check",
        ("change", "clips", "participants", "ICC", "F", "df", "p", "remarks"),
        rows,
        note,
    )
