"""What the body did, by reported state: box and swarm as in Figs. 3 and 4, medians, effect sizes."""

from __future__ import annotations

import pandas as pd

from emolab.analysis.findings import Findings, shown, title
from emolab.analysis.modalities import MODALITIES
from emolab.analysis.page import Part, Picture, Section, Table, Words
from emolab.analysis.sections.figures import interval, number, p_value, state
from emolab.plots import changes as drawn
from emolab.plots import tests
from emolab.signals.feature import Feature

FIGURES = {"ppg": "Fig. 3", "thermal": "Fig. 4"}


def changes(found: Findings, clips: pd.DataFrame) -> Section:
    """A figure and a table of levels for each kind of signal, then effect sizes of all."""
    parts: list[Part] = []
    used = clips[clips["is_used"]]
    for kind, modality in MODALITIES.items():
        names = [
            f"d_{f.name}" for f in modality.features if not f.is_extra and f"d_{f.name}" in found.effects
        ]
        if all(feature.is_extra for feature in modality.features):
            continue
        if not names:
            parts.append(Words(f"{modality.title}: nothing was measured in clips with a report.", "look"))
            continue
        parts.append(_picture(kind, modality.title, names, used))
        parts.append(_levels(modality.title, names, found))
    if found.effects:
        parts += [_sizes(found), _effects(found)]
    lead = "Every value is the clip's less that of the same session's rest: zero means as at rest."
    return Section("changes", "Changes from the rest", parts, lead)


def _picture(kind: str, title: str, names: list[str], used: pd.DataFrame) -> Picture:
    features = {name: _label(feature) for name, feature in shown().items() if name in names}
    where = f" (as {FIGURES[kind]} of the EmoMusic paper)" if kind in FIGURES else ""
    return Picture(
        f"changes-{kind}",
        f"{title} by reported state{where}.",
        lambda look: drawn.changes(used, features, look=look),
    )


def _label(feature: Feature) -> str:
    unit = f" ({feature.unit})" if feature.unit not in ("", "1") else ""
    return f"Δ {title(feature.name)}{unit}"


def _levels(title: str, names: list[str], found: Findings) -> Table:
    rows = [
        [
            name, state(level.state), str(level.participants), str(level.clips), str(level.missing),
            interval(level.median), interval(level.mean),
        ]
        for name in names
        for level in found.effects[name].levels
    ]  # fmt: skip
    head = ("change", "state", "participants", "clips", "missing", "median [95 %]", "mean [95 %]")
    note = "Of the participants' own means; intervals resample participants, six or more."
    return Table(f"{title}: levels", head, rows, note, folded=True)


def _sizes(found: Findings) -> Picture:
    table = pd.concat([one.table() for one in found.effects.values()], ignore_index=True)
    names = {name: f"Δ {title(name)}" for name in found.effects}
    return Picture(
        "effect-sizes",
        "How far each state lies from neutral, in standard deviations (Hedges g).",
        lambda look: tests.effect_sizes(table, names, look=look),
    )


def _effects(found: Findings) -> Table:
    corrected = found.friedman_holm
    rows = []
    for name, one in found.effects.items():
        for contrast in one.contrasts:
            rows.append(
                [
                    name, f"{state(contrast.state)} − {state(contrast.other)}", str(contrast.participants),
                    interval(contrast.median), interval(contrast.hedges_g), interval(contrast.rank_biserial),
                    p_value(contrast.p), p_value(contrast.p_holm), number(one.friedman.chi2),
                    p_value(one.friedman.p), p_value(corrected[name]),
                ]
            )  # fmt: skip
    head = (
        "change", "contrast", "participants", "median difference", "Hedges g", "rank biserial", "Wilcoxon p",
        "Holm", "Friedman χ²", "p", "Holm",
    )  # fmt: skip
    note = (
        "Within participants who have both states. Wilcoxon: Holm over the contrasts of one change. "
        "Friedman: all "
        "states at once, Holm over the changes. Hedges g: of three participants or more."
    )
    return Table("Effect sizes against neutral", head, rows, note)
