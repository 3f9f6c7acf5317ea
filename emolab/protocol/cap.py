"""What still fits under the cap of a session; all times in seconds since the rest's onset."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from emolab.protocol.steps import Pause, Play, Rate, Step, longest_s

_TINY_S = 1e-6  # sums of seconds in floating point may miss the cap by less than this


def trial_fits(steps: Sequence[Step], index: int, at_s: float, cap_s: float) -> bool:
    """Whether the trial whose clip is step `index` ends by the cap when it starts at `at_s`.

    Its report counts with its whole window.
    """
    play = steps[index]
    assert isinstance(play, Play)
    windows_s = (
        step.window_s for step in steps[index:] if isinstance(step, Rate) and step.trial == play.trial
    )
    return at_s + play.duration_s + next(windows_s, 0.0) <= cap_s + _TINY_S


def washout_is_of_use(steps: Sequence[Step], index: int, at_s: float, cap_s: float) -> bool:
    """Whether any clip up to the next wash-out still fits after the wash-out that is step `index`."""
    washout = steps[index]
    assert isinstance(washout, Pause)
    for later in range(index + 1, len(steps)):
        if isinstance(steps[later], Pause):
            return False
        if isinstance(steps[later], Play) and trial_fits(steps, later, at_s + washout.duration_s, cap_s):
            return True
    return False


def latest_end_s(
    steps: Sequence[Step], index: int, at_s: float, cap_s: float, skipped: Collection[int]
) -> float:
    """When the session ends at the latest if step `index` starts at `at_s`; `skipped`: trials left out."""
    left_out = set(skipped)
    for later in range(index, len(steps)):
        step = steps[later]
        if isinstance(step, Play) and not trial_fits(steps, later, at_s, cap_s):
            left_out.add(step.trial)
        if not (isinstance(step, Play | Rate) and step.trial in left_out):
            at_s += longest_s(step) or 0.0
    return at_s
