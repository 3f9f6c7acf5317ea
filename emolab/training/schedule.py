"""The learning rate by epoch."""

from __future__ import annotations

AUTHORS_EPOCHS = 250


def authors_rate(epoch: int, start: float = 0.01, epochs: int = AUTHORS_EPOCHS) -> float:
    """Specification 1b: `start` up to epoch 80, from there a tenth less every 5 epochs (epoch 85: 0.009).

    A run of other `epochs` than 250 goes through the same rates in as much shorter or longer steps: where
    there is no time for 250, what was learnt at the level rate is still brought in.
    """
    at = epoch * AUTHORS_EPOCHS / epochs
    return start if at <= 80 else start * 0.9 ** ((at - 80) // 5)


def trapezoid_rate(progress: float, peak: float, rise: float = 0.04, fall: float = 0.4) -> float:
    """Up to `peak` in the first `rise` of the run, level, and in its last `fall` down to 0 in a line.

    `progress`: from 0 to 1. On the level part the end of the run can still be moved: earlier, and what
    was learnt is brought in; later, and it goes on learning.
    """
    if progress < rise:
        return peak * (progress + 0.01) / (rise + 0.01)
    return peak * min(1.0, max(0.0, 1 - progress) / fall)
