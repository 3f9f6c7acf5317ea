"""How much of a signal of the body can be used, ten seconds at a time, and how good that is.

    body = read_body("ppg", values, times_s)        # once for a session
    for share in shares(body, end_s):
        level_of(share)                             # well, look or act: `finding`

The pre-flight judges by it (`quality`), the review shows it under each curve, the analysis in its report:
this is the one place that says it, so that they cannot disagree.
"""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

WINDOW_S = 10.0
KINDS = ("ppg", "respiration", "eda")  # that `read_body` can read
SHORTEST_S = {"ppg": 5.0}  # of the others ten seconds


class Body(Protocol):
    """A signal of a whole session, read once."""

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window can be used, 0 to 1."""
        ...


def shortest_s(kind: str) -> float:
    """How much of a kind of signal can be judged at all."""
    return SHORTEST_S.get(kind, WINDOW_S)


def shares(body: Body, end_s: float) -> tuple[float, ...]:
    """The usable share of each ten seconds from time zero on; what is left at the end says nothing."""
    starts = [at * WINDOW_S for at in range(int(end_s // WINDOW_S))]
    return tuple(round(body.good_share(at_s, at_s + WINDOW_S), 4) for at_s in starts)


def read_body(
    kind: str,
    values: ArrayLike,
    times_s: ArrayLike,
    *,
    unit: str = "counts",
    adc_range: tuple[float, float] | None = None,
    is_falling: bool | None = None,
    name: str = "the signal",
) -> Body:
    """A signal of one of `KINDS`, as far as is needed to ask how much of it can be used.

    The arguments are those of `read_pulse`, `read_breath` and `conductance`, which raise `DataError` for
    what can give nothing.
    """
    if kind == "ppg":
        from emolab.signals.ppg import read_pulse

        return read_pulse(values, times_s)
    if kind == "respiration":
        from emolab.signals.respiration import read_breath

        return read_breath(values, times_s, unit=unit, adc_range=adc_range, name=name)
    from emolab.signals.eda.conductance import conductance  # the decomposition is not needed

    return conductance(values, times_s, unit, adc_range=adc_range, is_falling=is_falling, name=name)
