"""Tidy tables whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from emolab.core.label import STATE_KEYS


def choices(
    seed: int,
    people: int = 40,
    clips: int = 15,
    effects: ArrayLike | None = None,
    alike: float = 0.0,
    of_person: float = 0.0,
) -> pd.DataFrame:
    """Clips whose reports follow a multinomial logit exactly, with predictors `d_hr` and `d_face`.

    `effects (2, 5)`: coefficients of both for each of `STATE_KEYS`. Choosing the greatest of linear
    utilities with Gumbel noise is the logit (McFadden 1974). `alike`: the share of clips that take
    their noise from what all such clips of the participant share, so clips hang together while each alone
    follows the same logit. `of_person`: the share of the predictors' variance that lies between people.
    """
    generator = np.random.default_rng(seed)
    count = people * clips
    who = np.repeat(np.arange(people), clips)
    x = np.sqrt(of_person) * generator.standard_normal((people, 2))[who]
    x += np.sqrt(1 - of_person) * generator.standard_normal((count, 2))
    own, shared = generator.gumbel(size=(count, 5)), generator.gumbel(size=(people, 5))[who]
    noise = np.where(generator.random(count)[:, None] < alike, shared, own)
    utility = noise if effects is None else x @ np.asarray(effects, float) + noise
    reported = np.array(STATE_KEYS, object)[utility.argmax(1)]
    names = np.array([f"P{one + 1:03d}" for one in who])
    return pd.DataFrame(
        {"participant": names, "state_reported": reported, "d_hr": x[:, 0], "d_face": x[:, 1]}
    )


def measured(
    seed: int, people: int = 24, each: int = 3, shift: dict[str, float] | None = None, between: float = 1.0
) -> pd.DataFrame:
    """`each` clips of every state for each participant; `d_hr` differs by `shift` of its state.

    People differ by a normal of SD `between`, clips of one by a normal of SD 1.
    """
    generator = np.random.default_rng(seed)
    own = between * generator.standard_normal(people)
    rows = [
        {"participant": f"P{person + 1:03d}", "session": 1, "state_reported": key, "state_intended": key}
        | {"d_hr": own[person] + (shift or {}).get(key, 0.0) + generator.standard_normal()}
        for person in range(people)
        for key in STATE_KEYS
        for _ in range(each)
    ]
    return pd.DataFrame(rows)
