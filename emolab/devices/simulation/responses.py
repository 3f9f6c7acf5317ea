"""How a body answers to each state, and how bodies differ.

Directions follow the reviews of Kreibig 2010 (doi:10.1016/j.biopsycho.2010.03.010) on autonomic
activity in emotion, Krumhansl 1997 (doi:10.1037/1196-1961.51.4.336) and Khalfa et al. 2002
(doi:10.1016/S0304-3940(02)00462-7) on music: sadness slows the heart, fear and excitement quicken
heart and breath and bring skin conductance responses, calm does none of it. Skin conductance
figures are those of Dawson, Schell & Filion (Handbook of Psychophysiology): tonic level 2 to 20 µS,
1 to 3 spontaneous responses a minute at rest and up to 20 when aroused, 0.1 to 1 µS each. The nose
cools by some tenths of a degree under fear and strong arousal of either sign: Ioannou, Gallese &
Merla 2014 (doi:10.1111/psyp.12243), Kosonogov et al. 2017 (doi:10.1371/journal.pone.0183592).
Sizes are at the clear end of what is reported, so that a short demonstration shows them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Response:
    """What a state adds to the body at rest; `*_ratio` multiplies. `valence`: −1..1, for the face."""

    heart_bpm: float
    breath_per_min: float
    depth_ratio: float
    scr_per_min: float
    tonic_us: float
    pulse_ratio: float
    face_c: float
    nose_c: float
    valence: float


CALM = Response(0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
WAITING = Response(4.0, 1.5, 1.0, 2.0, 0.8, 0.9, 0.0, -0.1, 0.0)  # sensors just fitted, not settled yet

RESPONSES: dict[str, Response] = {
    "most_negative": Response(-3.0, -1.5, 1.10, 5.0, 0.3, 0.90, -0.05, -0.35, -1.0),
    "less_negative": Response(6.0, 4.0, 0.85, 10.0, 0.8, 0.70, -0.05, -0.50, -0.9),
    "neutral": Response(-1.0, -0.5, 1.00, 0.0, 0.0, 1.00, 0.00, 0.00, 0.0),
    "less_positive": Response(5.0, 3.0, 0.90, 8.0, 0.6, 0.75, 0.15, -0.20, 0.7),
    "most_positive": Response(3.0, 2.0, 1.05, 4.0, 0.4, 0.90, 0.10, -0.05, 1.0),
}

# Time constants of approach. Heart, breath and vessels follow within seconds (Kreibig 2010), skin
# temperature within ten to twenty (Ioannou 2014); tonic conductance drifts. A smile is there within a
# second: Schmidt, Cohn & Tian 2003 (doi:10.1016/s0301-0511(03)00098-x).
TAU_S = {
    "heart_bpm": 4.0,
    "breath_per_min": 3.0,
    "depth_ratio": 3.0,
    "scr_per_min": 1.0,
    "tonic_us": 15.0,
    "pulse_ratio": 4.0,
    "face_c": 12.0,
    "nose_c": 10.0,
    "valence": 0.5,
}
SETTLING_TAU_S = {"heart_bpm": 45.0, "breath_per_min": 45.0, "scr_per_min": 30.0, "tonic_us": 90.0}

LEAST = {  # nothing a state does takes a body below this
    "heart_bpm": 40.0,
    "breath_per_min": 5.0,
    "depth_ratio": 0.2,
    "scr_per_min": 0.0,
    "tonic_us": 0.5,
    "pulse_ratio": 0.1,
    "face_c": 20.0,
    "nose_c": 15.0,
    "valence": -1.0,
}


@dataclass(frozen=True)
class Traits:
    """One person's body at rest, and its own small rhythms (`phases`: radians, six of them)."""

    heart_bpm: float
    breath_per_min: float
    scr_per_min: float
    tonic_us: float
    face_c: float
    nose_c: float
    sinus_beats: float  # respiratory sinus arrhythmia: swing of the beat's phase, in beats
    scr_us: float  # median response
    phases: tuple[float, ...]

    def level(self, quantity: str, response: Response) -> float:
        """Where `quantity` (a field of `Response`) heads under `response`."""
        change = float(getattr(response, quantity))
        if quantity not in ("depth_ratio", "pulse_ratio", "valence"):
            change += float(getattr(self, quantity))
        return max(change, LEAST[quantity])


def traits(rng: np.random.Generator) -> Traits:
    """A healthy young adult sitting still, drawn from `rng`."""
    face_c = rng.uniform(34.0, 35.0)
    return Traits(
        heart_bpm=rng.uniform(64.0, 80.0),
        breath_per_min=rng.uniform(13.0, 16.5),
        scr_per_min=rng.uniform(1.5, 2.5),
        tonic_us=rng.uniform(3.0, 8.0),
        face_c=face_c,
        nose_c=face_c - rng.uniform(0.8, 2.0),
        sinus_beats=rng.uniform(0.018, 0.04),
        scr_us=rng.uniform(0.3, 0.45),
        phases=tuple(rng.uniform(0.0, 2 * np.pi, 6)),
    )
