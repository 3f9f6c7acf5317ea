"""How good each stream is: what was recorded, what was lost, how much of it can be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from emolab.analysis.measure import Measured
from emolab.analysis.modalities import BY_CAMERA, FOUND, MODALITIES, NOT_SEEN
from emolab.analysis.page import Part, Section, Table, Words
from emolab.analysis.sections.figures import count, percent
from emolab.analysis.sections.protocol import name_of


def health(every: Sequence[Measured]) -> Section:
    """Verdicts, usable shares and losses, a row a session or stream."""
    sound = [one for one in every if not one.trouble]
    verdicts = Counter(_verdict(one) for one in sound)
    lead = ", ".join(
        f"{count(verdicts[word], 'session')} {'is' if verdicts[word] == 1 else 'are'} {what}"
        for word, what in WORDS.items()
        if verdicts[word]
    )
    absent = Counter(kind for one in sound for kind in one.absent if not MODALITIES[kind].of)
    for kind in unasked(sound):
        absent.pop(kind, None)
    gone = [
        Words(
            f"{MODALITIES[kind].title} is missing in {gone} of {count(len(sound), 'session')}; what else "
            "there is stays in.",
            "look",
        )
        for kind, gone in absent.items()
    ]
    usable = Table(
        "Share of the clips in which each signal is usable",
        ("session", *(modality.title for modality in MODALITIES.values()), "verdict"),
        [[name_of(one), *(_share(one, kind) for kind in MODALITIES), _verdict(one)] for one in sound],
        "Mean over the clips; –: not recorded, or nothing in it. The verdict is that of 'emolab inspect'.",
    )
    streams = Table(
        "Streams as they were recorded",
        (
            "session",
            "stream",
            "samples",
            "Hz",
            "announced",
            "drift ppm",
            "jitter ms",
            "lost",
            "gaps",
            "reopened",
        ),
        [row for one in sound for row in _streams(one)],
        "Hz is measured: announced rates are not to be trusted.",
        folded=True,
    )
    parts: list[Part] = [*gone, usable, *_ways(sound), streams]
    return Section("health", "Health of the recordings", parts, _sentence(lead))


WAYS = (FOUND, BY_CAMERA, NOT_SEEN)
WORDS = {"good": "good", "look": "usable with remarks", "bad": "bad"}


def _sentence(lead: str) -> str:
    return f"{lead[:1].upper()}{lead[1:]}." if lead else "No session could be read."


def unasked(sound: Sequence[Measured]) -> set[str]:
    """Kinds of signal that are none of the paper's and that no session has: nobody missed them."""
    return {
        kind
        for kind, modality in MODALITIES.items()
        if all(feature.is_extra for feature in modality.features) and all(kind in one.absent for one in sound)
    }


def is_bad(one: Measured) -> bool:
    """Whether a session could not be read, or one of its files is in bad health."""
    return bool(one.trouble and not one.is_copy) or _verdict(one) == "bad"


def _verdict(one: Measured) -> str:
    told = [str(health["verdict"]) for health in one.health]
    return next((word for word in ("bad", "look") if word in told), "good")


def _share(one: Measured, kind: str) -> str:
    if kind in one.absent or not one.rows:
        return "–"
    return percent(sum(row[f"good_{kind}"] for row in one.rows) / len(one.rows))


def _streams(one: Measured) -> list[list[str]]:
    return [
        [
            name_of(one), str(s["name"]), str(s["samples"]), _number(s["true_rate_hz"]),
            _number(s["nominal_rate_hz"]), _number(s["drift_ppm"]), _number(s["jitter_ms"]),
            str(s["lost"]), str(s["gaps"]), str(s["reopened"]),
        ]
        for health in one.health
        for s in health["streams"]
    ]  # fmt: skip


def _ways(sound: Sequence[Measured]) -> list[Table]:
    """How the face was found in the thermal films; nothing where no colour camera helped."""
    if not any(BY_CAMERA in one.ways for one in sound):
        return []
    rows = [
        [name_of(one), str(frames), *(percent(one.ways.get(way, 0) / frames) for way in WAYS)]
        for one in sound
        if (frames := sum(one.ways.values()))
    ]
    return [
        Table(
            "How the face was found in the thermal film",
            ("session", "frames", *WAYS),
            rows,
            "By the colour camera: no head was found in the thermal picture; it was measured where the "
            "colour camera's face is by the stored calibration, if it stood out and was as warm as before.",
        )
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
