"""A paragraph for the paper's methods, with this study's numbers in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from emolab import __version__
from emolab.analysis.measure import Measured
from emolab.analysis.modalities import MODALITIES
from emolab.analysis.page import Section, Words


def methods(every: Sequence[Measured], table: pd.DataFrame, settings: Mapping[str, Any]) -> Section:
    """What was done, as it can be printed; nothing in it that was not done."""
    sound = [one for one in every if not one.trouble]
    paragraphs = [_procedure(sound, table), _recording(sound), _features(sound), _statistics(settings)]
    return Section(
        "methods",
        "Methods, for the paper",
        [Words(paragraph) for paragraph in paragraphs if paragraph],
        "Read it before you print it: it knows what was recorded and computed, not why.",
    )


def _procedure(every: Sequence[Measured], table: pd.DataFrame) -> str:
    people = len({one.participant for one in every})
    simulated = "simulated participants" if is_simulated(every) else "participants"
    protocols = " and ".join(sorted({str(one.header.get("protocol") or "unnamed") for one in every}))
    clip_s = (table["end_s"] - table["start_s"])[table["is_whole"]]
    rests = sorted({round(one.window.end_s - one.window.start_s) for one in every if one.window})
    told = (
        f"{people} {simulated} took part in {len(every)} sessions (protocol {protocols}). In each session "
        "the "
        "participant rested, reported how the rest felt, and then listened to "
        f"{_range([len(one.rows) for one in every])} clips of {clip_s.median():.0f} s (median), with a "
        "report on five "
        "steps, from most negative to most positive, after each. "
    )
    if rests:
        told += f"Changes are counted from {_range(rests)} s of the rest. "
    reported = table["state_reported"].notna()
    return told + (
        f"Of {len(table)} clips begun, {int(table['is_whole'].sum())} were heard to their end and "
        f"{int(reported.sum())} "
        "were reported on; a missing report was never imputed."
    )


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
    there = [kind for kind in MODALITIES if any(kind not in one.absent for one in every)]
    told = " ".join(HOW[kind] for kind in there)
    return f"{told} Features of a clip were reduced by those of the same participant's rest." if told else ""


def _statistics(settings: Mapping[str, Any]) -> str:
    scaled = (
        "within each participant" if settings.get("z-scores") == "participant" else "over the whole table"
    )
    return (
        "The reported state (reference: neutral) was modelled by multinomial logistic regression on the "
        "changes of "
        f"pulse rate and mean face temperature, z-scored {scaled}. Wald tests are given as in the "
        "EmoMusic paper, "
        "with Holm's correction over all of them and with standard errors clustered by participant, since a "
        "participant's clips are repeated measures; likelihood-ratio tests judge each predictor as a "
        "whole. Changes "
        "by state are described by medians and by effect sizes with bootstrap intervals that resample "
        "participants, and "
        "checked with mixed models with a random intercept per participant. "
        f"Analyses were made with emolab {__version__}."
    )


def is_simulated(every: Sequence[Measured]) -> bool:
    """Whether any instrument of any session was a simulated one."""
    return any(
        facts.get("simulated") for one in every for facts in one.header.get("instruments", {}).values()
    )


NAMES = {
    "eda": "skin conductance", "ppg": "pulse (photoplethysmogram)", "respiration": "respiration",
    "thermal": "thermal video", "rgb": "video", "audio": "sound", "lsl": "LSL streams",
}  # fmt: skip
HOW = {
    "ppg": (
        "The pulse was resampled on its time stamps, filtered (0.5 to 8 Hz) and searched for systolic "
        "peaks after "
        "Elgendi (2013); intervals outside 300 to 2000 ms or more than 30 % from the running median were "
        "left out, and "
        "at least ten beats were required in a clip."
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
