"""How many clips fit under the cap of a session, and the arithmetic in words.

A session is the rest, the report on it, and clips each with a report. When every report takes
its whole window, `guaranteed` clips fit; one more may be planned, since reports rarely take
that long. A plan that could not keep its promise is refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from emolab.core.errors import ConfigError

CAP_S, REST_S, CLIP_S, REPORT_S = 1200.0, 300.0, 30.0, 30.0  # EmoMusic paper, section on the protocol
STATES, BANK = 5, 7
_TINY_S = 1e-6  # sums of seconds in floating point may miss the cap by less than this


@dataclass(frozen=True)
class Plan:
    """What a session promises.

    `planned`: clips laid out. `guaranteed`: clips heard even if every report takes its whole
    window. `needed_mean_report_s`: all planned clips fit when reports, the baseline's included,
    take this long or less on average; never more than the window. `arithmetic`: why, in words.
    """

    planned: int
    guaranteed: int
    needed_mean_report_s: float
    per_state: int
    cap_s: float
    arithmetic: str


def clips_that_fit(report_s: float, cap: float = CAP_S, rest: float = REST_S, clip: float = CLIP_S) -> int:
    """N(r): clips that fit after the rest alone when each report takes `report_s`."""
    return max(0, math.floor((cap - rest + _TINY_S) / (clip + report_s)))


def plan_session(
    cap: float = CAP_S,
    rest: float = REST_S,
    clip: float = CLIP_S,
    report: float = REPORT_S,
    states: int = STATES,
    bank: int = BANK,
    *,
    per_state: int | None = None,
    has_baseline_report: bool = True,
    washout: float = 0.0,
) -> Plan:
    """Plan a session; all times in seconds, `washout` the pauses of a whole session together.

    `bank`: clips there are of each state. `per_state`: clips of each state in a session; None:
    as many as the rules accept. Raises `ConfigError` with the arithmetic when nothing fits, when
    the bank is too small, when fewer than `planned − 1` clips are guaranteed, or when the last could
    not start even after reports that take no time.
    """
    for name, value in (("cap", cap), ("clip", clip), ("report", report), ("states", states), ("bank", bank)):
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"{name} is {value:g}; it must be more than 0")
    for name, value in (("rest", rest), ("washout", washout)):
        if not (math.isfinite(value) and value >= 0):
            raise ConfigError(f"{name} is {value:g}; it must not be less than 0")
    baseline = report if has_baseline_report else 0.0
    fixed = rest + baseline + washout
    fitting = max(0, math.floor((cap - fixed + _TINY_S) / (clip + report)))
    sums = _Sums(cap, rest, baseline, washout, clip, report)
    if fitting == 0:
        raise ConfigError(
            f"not one clip fits: {sums.longest(1)} > {cap:g} s cap; raise the cap or shorten the steps"
        )
    if per_state is None:
        per_state = min(bank, max(1, sums.most(fitting, states)))
    if not 1 <= per_state <= bank:
        raise ConfigError(
            f"{per_state} clips of each state are planned but the bank has {bank}; "
            f"plan 1 to {bank}, or add clips with 'emolab stimuli add'"
        )
    planned = per_state * states
    if fitting < planned - 1 or (fitting < planned and not sums.last_can_start(planned)):
        raise ConfigError(sums.refusal(planned, fitting, per_state, states))
    reports = planned + has_baseline_report
    needed_s = min(report, (cap - rest - washout - planned * clip) / reports)
    guaranteed = min(planned, fitting)
    arithmetic = sums.explain(planned, guaranteed, per_state, states, reports, needed_s)
    return Plan(planned, guaranteed, needed_s, per_state, cap, arithmetic)


@dataclass(frozen=True)
class _Sums:
    """The sums of a plan, written out."""

    cap: float
    rest: float
    baseline: float
    washout: float
    clip: float
    report: float

    def _before(self) -> str:
        parts = [f"{self.rest:g} s rest"]
        if self.baseline:
            parts.append(f"{self.baseline:g} s baseline report")
        if self.washout:
            parts.append(f"{self.washout:g} s wash-out")
        return " + ".join(parts)

    def longest_s(self, clips: int) -> float:
        return self.rest + self.baseline + self.washout + clips * (self.clip + self.report)

    def longest(self, clips: int) -> str:
        each = f"({self.clip:g} s clip + {self.report:g} s report)"
        return f"{self._before()} + {clips} × {each} = {self.longest_s(clips):g} s"

    def last_can_start(self, clips: int) -> bool:
        """Whether all clips start when reports take no time; the last report keeps its whole window."""
        return self.rest + self.washout + clips * self.clip + self.report <= self.cap + _TINY_S

    def most(self, fitting: int, states: int) -> int:
        """Most clips of each state that a plan may have."""
        most = (fitting + 1) // states
        return most if most * states <= fitting or self.last_can_start(most * states) else fitting // states

    def refusal(self, planned: int, fitting: int, per_state: int, states: int) -> str:
        instant_s = self.rest + self.washout + planned * self.clip
        instant = f"{self.rest + self.washout:g} + {planned} × {self.clip:g} = {instant_s:g} s"
        if instant_s > self.cap:
            instant += f" > {self.cap:g} s"
        elif not self.last_can_start(planned):
            instant += f", and {self.report:g} s for the last report > {self.cap:g} s"
        else:
            instant += f" ≤ {self.cap:g} s"
        most = self.most(fitting, states)
        remedy = f"plan at most {most} for each state" if most else "leave more time for clips"
        return (
            f"{planned} clips are planned ({per_state} for each of {states} states) but only {fitting} are "
            f"guaranteed: {self.longest(planned)} > {self.cap:g} s cap, and with reports that take no time "
            f"{instant}; {remedy}, raise the cap or shorten rest, clips or reports"
        )

    def explain(
        self, planned: int, guaranteed: int, per_state: int, states: int, reports: int, needed_s: float
    ) -> str:
        head = f"{planned} clips planned ({per_state} for each of {states} states), {guaranteed} guaranteed"
        if guaranteed == planned:
            return f"{head}: {self.longest(planned)} ≤ {self.cap:g} s cap, whatever time the reports take."
        taken = " − ".join(f"{s:g}" for s in (self.cap, self.rest, self.washout) if s)
        # the runner must leave the last report its whole window, which asks a little more
        last_s = (self.cap - self.rest - self.washout - planned * self.clip - self.report) / (reports - 1)
        return (
            f"{head}: {self.longest(planned)} > {self.cap:g} s cap, while {guaranteed} clips take at most "
            f"{self.longest_s(guaranteed):g} s.\n"
            f"All {planned} fit when the {reports} reports take {needed_s:g} s or less on average: "
            f"({taken} − {planned} × {self.clip:g}) / {reports} = {needed_s:g} s. The last clip starts only "
            f"if its report can still have its whole window: the {reports - 1} reports before it must "
            f"average {last_s:g} s or less; otherwise it is recorded as skipped."
        )


def bank_positions(
    participant: int, session: int, per_state: int, bank: int, smallest: int
) -> tuple[int, ...]:
    """Places in a state's shuffled bank of `bank` clips used by a participant's session, both from 0.

    Sessions of one participant never share a clip; for 3 of 7, seven participants use each clip
    three times. `smallest`: size of the smallest state's bank, so that all states end together.
    Empty when the participant has heard them all.
    """
    heard = per_state * session
    return tuple(
        (per_state * participant + heard + i) % bank for i in range(per_state) if heard + i < smallest
    )


def participant_number(pseudonym: str) -> int:
    """The number in a pseudonym: `P014` is 14; of several, the last.

    Orders are balanced in blocks counted from 1 (see `order`). Raises `ConfigError` when there is no digit.
    """
    digits = re.findall(r"[0-9]+", pseudonym)
    if not digits:
        raise ConfigError(
            f"pseudonym {pseudonym!r} holds no number, which decides the order of clips; use one such as P014"
        )
    return int(digits[-1])
