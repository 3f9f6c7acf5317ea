"""How numbers are written in the report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from emolab.stats.table import Estimate


def number(value: float, digits: int = 2) -> str:
    """`1.23`, with a true minus, none before a nought; – for none."""
    if not math.isfinite(value):
        return "–"
    told = f"{value:.{digits}f}"
    return told.replace("-", "−") if float(told) else told.removeprefix("-")


def p_value(value: float) -> str:
    """`.034`, or `< .001`; – for none."""
    if not math.isfinite(value):
        return "–"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def equals(value: float) -> str:
    """`= .034`, or `< .001`."""
    told = p_value(value)
    return told if told.startswith("<") else f"= {told}"


def interval(estimate: Estimate, digits: int = 2) -> str:
    """`1.23 [0.98, 1.48]`."""
    if not math.isfinite(estimate.value):
        return "–"
    if not math.isfinite(estimate.low):
        return number(estimate.value, digits)
    return (
        f"{number(estimate.value, digits)} [{number(estimate.low, digits)}, {number(estimate.high, digits)}]"
    )


def share(estimate: Estimate) -> str:
    """`24 % [19, 30]`."""
    if not math.isfinite(estimate.value):
        return "–"
    if not math.isfinite(estimate.low):
        return percent(estimate.value)
    return f"{percent(estimate.value)} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def percent(share: float) -> str:
    """`24 %`."""
    return f"{100 * share:.0f} %"


def count(many: int, what: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{many} {what}" if many == 1 else f"{many} {what}s"


def words(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def state(key: str) -> str:
    """A state's key in words."""
    return key.replace("_", " ")
