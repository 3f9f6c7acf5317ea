"""A paragraph for the paper's methods, with this study's numbers in it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emolab import __version__
from emolab.analysis.findings import Findings, title
from emolab.analysis.labels import REPORTED
from emolab.analysis.measure import Measured
from emolab.analysis.modalities import BY_CAMERA, MODALITIES
from emolab.analysis.page import Section, Words
from emolab.analysis.sections.figures import count, state, words
from emolab.stats.effects import Effects


def methods(
    every: Sequence[Measured], table: pd.DataFrame, found: Findings, asked: Mapping[str, Any]
) -> Section:
    """What was done, as it can be printed; nothing in it that was not done."""
    sound = [one for one in every if not one.trouble]
    paragraphs = [
        _procedure(sound, table),
        _recording(sound),
        _features(sound),
        _labels(table, asked),
        _statistics(found),
    ]
    return Section(
        "methods",
        "Methods, for the paper",
        [Words(paragraph) for paragraph in paragraphs if paragraph],
        "Read it before you print it: it knows what was recorded and computed, not why.",
    )


def _procedure(every: Sequence[Measured], table: pd.DataFrame) -> str:
    people = {one.participant for one in every}
    simulated = len({one.participant for one in every if is_simulated(one)})
    kind = "simulated participant" if simulated == len(people) else "participant"
    protocols = words(sorted({str(one.header.get("protocol") or "unnamed") for one in every}))
    told = f"{count(len(people), kind)} took part in {count(len(every), 'session')} (protocol {protocols}). "
    if 0 < simulated < len(people):
        told += f"{simulated} of them {'was' if simulated == 1 else 'were'} simulated. "
    rested = [one for one in every if one.window]
    if rested:
        lasting = _range(
            sorted({round(one.window.end_s - one.window.start_s) for one in rested if one.window})
        )
        told += f"{_in_so_many(len(rested), len(every))} the participant rested; changes are counted from "
        told += f"{lasting} s of that rest. "
    if not len(table):
        return told + "No clip was begun."
    heard_s = (table["end_s"] - table["start_s"])[table["is_whole"]]
    told += f"{_range([len(one.rows) for one in every])} clips were begun in each session"
    told += f", of {heard_s.median():.0f} s (median). " if len(heard_s) else ". "
    reported = int(table["state_reported"].notna().sum())
    if reported:
        told += "Reports are on five steps, from most negative to most positive. "
    return told + (
        f"Of {count(len(table), 'clip')} begun, {len(heard_s)} {_was(len(heard_s))} heard to "
        f"the end and {reported} reported on; a missing report was never imputed."
    )


def _labels(table: pd.DataFrame, asked: Mapping[str, Any]) -> str:
    """Only what differs from taking every report as it was given."""
    told = ""
    if asked["lane"] != REPORTED:
        told = f"Reports were reviewed by an analyst ({asked['lane']}), whose decision replaced the report. "
    if asked["drop_conflicts"]:
        left = int((table["is_whole"] & table["is_conflict"]).sum())
        told += f"{count(left, 'clip')} contradicted by a model of facial expression {_was(left)} left out. "
    return told.strip()


def _was(many: int) -> str:
    return "was" if many == 1 else "were"


def _in_so_many(many: int, of: int) -> str:
    return "In each session" if many == of else f"In {many} of {of} sessions"


def _recording(every: Sequence[Measured]) -> str:
    rates: dict[str, list[float]] = {}
    for one in every:
        for health in one.health:
            for stream in health["streams"]:
                if stream["true_rate_hz"]:
                    rates.setdefault(str(stream["kind"]), []).append(float(stream["true_rate_hz"]))
    if not rates:
        return ""
    told = ", ".join(
        f"{NAMES.get(kind, kind)} at {_range(np.round(found, 1))} Hz" for kind, found in rates.items()
    )
    return (
        f"Signals were recorded with emolab: {told} (rates as measured by time stamps, not as announced). "
        "Every sample carries the time of its capture on one monotonic clock, to which sound onsets were "
        "fitted."
    )


def _features(every: Sequence[Measured]) -> str:
    told = []
    for kind in MODALITIES:
        there = [one for one in every if kind not in one.absent]
        if not there:
            continue
        told.append(HOW[kind])
        if kind == "ppg":
            told.append(_sites(there))
        if kind == "thermal":
            told += _by_camera(there)
        if len(there) < len(every):
            told.append(f"{MODALITIES[kind].title}: in {len(there)} of {len(every)} sessions.")
    if told and any(one.window for one in every):
        told.append("Features of a clip were reduced by those of the same session's rest.")
    return " ".join(told)


def _sites(every: Sequence[Measured]) -> str:
    """Which channel the pulse was read from."""
    sites = Counter(one.sources.get("ppg", "a later part's channel") for one in every)
    if len(sites) == 1:
        return f"It was read from {next(iter(sites))}."
    told = [f"{site} ({count(many, 'session')})" for site, many in sites.items()]
    return f"It was read from {words(told)}."


def _by_camera(every: Sequence[Measured]) -> list[str]:
    """In how many of the frames the colour camera told where the face is, if in any."""
    frames = sum(sum(one.ways.values()) for one in every)
    by_camera = sum(one.ways.get(BY_CAMERA, 0) for one in every)
    if not by_camera:
        return []
    return [
        f"In {by_camera / frames:.1%} of the frames no head was found; it was taken where the colour "
        "camera's face (MTCNN) lay by a calibration of both cameras."
    ]


def _statistics(found: Findings) -> str:
    told = ""
    if (test := found.logit) is not None:
        scaled = "within each participant" if test.scale == "participant" else "over the whole table"
        predictors = words([title(name) for name in test.predictors])
        told = (
            f"The state (reference: {state(test.states[0])}) was modelled by multinomial logistic regression "
            f"on the changes of {predictors}, z-scored {scaled}. Wald tests are given as in the EmoMusic "
            "paper"
        )
        if test.is_clustered:
            told += (
                " and with standard errors clustered by participant, since a participant's clips are "
                "repeated measures; both also with Holm's correction over all of them"
            )
        else:
            told += ", also with Holm's correction over all of them"
        told += "; likelihood-ratio tests judge each predictor as a whole. "
    if found.effects:
        told += _comparisons(found.effects.values())
    if found.mixed:
        told += "They were checked with mixed models with a random intercept per participant. "
    return told + f"Analyses were made with emolab {__version__}."


def _comparisons(every: Iterable[Effects]) -> str:
    """How states were compared, as far as there were participants enough for it."""
    every = list(every)
    contrasts = [contrast for one in every for contrast in one.contrasts]
    sizes = [size for one in contrasts for size in (one.hedges_g, one.rank_biserial)]
    told = "Changes by state are described by medians of the participants' means"
    if any(math.isfinite(size.value) for size in sizes):
        told += " and by effect sizes"
    medians = [level.median for one in every for level in one.levels] + [one.median for one in contrasts]
    if any(math.isfinite(figure.low) for figure in sizes + medians):
        told += " with 95 % intervals"
    tests = []
    if any(math.isfinite(one.p) for one in contrasts):
        tests.append("Wilcoxon's")
    if any(math.isfinite(one.friedman.p) for one in every):
        tests.append("Friedman's")
    if tests:
        told += f", and compared within participants by {words(tests)} test{'s' * (len(tests) > 1)} with "
        told += "Holm's correction"
    return told + ". "


def is_simulated(one: Measured) -> bool:
    """Whether any instrument of a session was a simulated one."""
    return any(facts.get("simulated") for facts in one.header.get("instruments", {}).values())


NAMES = {
    "eda": "skin conductance", "ppg": "pulse (photoplethysmogram)", "respiration": "respiration",
    "thermal": "thermal video", "rgb": "video", "audio": "sound", "lsl": "LSL streams",
}  # fmt: skip
HOW = {
    "ppg": (
        "The pulse was resampled on its time stamps, filtered (0.5 to 8 Hz) and searched for systolic "
        "peaks after Elgendi (2013); intervals of ectopic, missed and extra beats, told after Lipponen and "
        "Tarvainen (2019), and those outside 300 to 2000 ms or more than 30 % from the running median were "
        "left out, and at least ten beats were required in a clip."
    ),
    "respiration": "Breaths were found in the belt's signal by their inhalations and exhalations.",
    "thermal": "Face and nose were found in each thermal frame; maxima and means are of degrees Celsius, "
    "mean over frames.",
    "eda": (
        "Skin conductance was z-scored and decomposed into tonic and phasic parts by cvxEDA (Greco et al. "
        "2016), with "
        "emolab's own solver."
    ),
    "rsa": (
        "Respiratory sinus arrhythmia is the longest interval between beats while breathing out less the "
        "shortest while breathing in, mean over breaths (Grossman et al. 1990)."
    ),
    "audio": (
        "The loudness of what the microphone heard was measured after EBU R 128, below its full scale: it "
        "compares stretches of one session, not rooms."
    ),
}


def _range(values: Sequence[float] | np.ndarray) -> str:
    """`15`, or `14 to 15`."""
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
