"""How often the tests of a study find what is there and what is not: `python -m tests.stats.rates [SEEDS]`.

Studies of 15 clips a participant, two predictors. "Alike": half of the predictors' variance and half of the
choices are a matter of the person, as the paper's test does not expect. Prints a line per setting.
"""

from __future__ import annotations

import sys

import numpy as np

from emolab.core.label import STATE_KEYS
from emolab.stats import logit
from tests.stats.tables import choices

PLANTED = ("less_positive", "d_face")
EFFECT = 1.5  # log odds for one SD, spec 01 §1.9


def main(seeds: int) -> None:
    groups = ("planted effect found", "wrong, each of 7", "wrong, any of 7, Holm", "no effect: LR, F")
    print(f"{'':24}", *[f"{words:>33}" for words in groups])
    ways = ("plain", "by participant") * 4
    print(f"{'people':>6} {'clips':>11} {'fits':>5}", *[f"{way:>16}" for way in ways])
    for people in (6, 12, 24):
        for name, alike in (("independent", 0.0), ("alike", 0.5)):
            print(_line(seeds, people, name, alike), flush=True)


def _line(seeds: int, people: int, name: str, alike: float) -> str:
    effects = np.zeros((2, 5))
    effects[1, STATE_KEYS.index(PLANTED[0])] = EFFECT
    found, wrong, holm, joint = [], [], [], []
    fits = 0
    for seed in range(seeds):
        result = logit.fit(choices(seed, people, 15, effects, alike, alike), ["d_hr", "d_face"])
        if len(result.states) < 5:
            continue
        fits += 1
        table = result.table()
        table = table[table["predictor"] != logit.CONSTANT]
        planted = (table["state"] == PLANTED[0]) & (table["predictor"] == PLANTED[1])
        found.append((table.loc[planted, ["p", "p_clustered"]] < 0.05).to_numpy()[0])
        wrong.append((table.loc[~planted, ["p", "p_clustered"]] < 0.05).to_numpy().mean(0))
        holm.append((table.loc[~planted, ["p_holm", "p_holm_clustered"]] < 0.05).to_numpy().any(0))
        nothing = logit.fit(choices(seed, people, 15, None, alike, alike), ["d_hr", "d_face"])
        joint += [(one.p < 0.05, one.p_f < 0.05) for one in nothing.tests]
    shown = [f"{rate:>16.1%}" for rates in (found, wrong, holm) for rate in np.mean(rates, 0)]
    return " ".join(
        [f"{people:>6} {name:>11} {fits:>5}", *shown, *(f"{rate:>16.1%}" for rate in np.mean(joint, 0))]
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
