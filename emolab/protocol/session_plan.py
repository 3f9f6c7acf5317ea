"""All of it for one participant and session: which clips, in which order, and when.

Participants are numbered from 1, sessions from 0. The same study, bank, participant, session, seed,
rule of `order` and clips heard before give the same plan on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS
from emolab.protocol import order
from emolab.protocol.bank import Bank, ClipEntry
from emolab.protocol.cap import trial_fits
from emolab.protocol.plan import Plan, bank_positions, plan_session
from emolab.protocol.steps import (
    Clip,
    Instruct,
    Pause,
    Play,
    Rate,
    Rest,
    Step,
    Study,
    kind_of,
    longest_s,
)


@dataclass(frozen=True)
class SessionPlan:
    """A session laid out.

    `sequence`: the states in the order their runs are played; `order_rule`: by which rule of `order`.
    `trials`: the clips in the order played. `planned_times_s`: for each step, seconds from the rest's
    onset, the latest it starts when nobody pauses: every report taking its whole window (0 for the
    pages before the rest). The last trial may lie beyond the cap; it is heard when reports were short
    enough. `washout_s`: how long a pause between opposites is, whether this session has one or not.
    """

    protocol: str
    participant: int
    session: int
    seed: int
    planned: int
    guaranteed: int
    needed_mean_report_s: float
    cap_s: float
    sequence: tuple[str, ...]
    trials: tuple[Clip, ...]
    steps: tuple[Step, ...]
    planned_times_s: tuple[float, ...]
    arithmetic: str
    order_rule: int
    washout_s: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-able facts, as `emolab plan --json` prints them."""
        return {
            "protocol": self.protocol,
            "participant": self.participant,
            "session": self.session,
            "seed": self.seed,
            "planned": self.planned,
            "guaranteed": self.guaranteed,
            "needed_mean_report_s": self.needed_mean_report_s,
            "cap_s": self.cap_s,
            "order_rule": self.order_rule,
            "sequence": list(self.sequence),
            "trials": [{"clip": c.id, "state": c.state, "title": c.title} for c in self.trials],
            "steps": [
                {"kind": kind_of(step), "name": step.name, "planned_s": at_s, "longest_s": longest_s(step)}
                for step, at_s in zip(self.steps, self.planned_times_s, strict=True)
            ],
            "arithmetic": self.arithmetic,
        }


def session_plan(
    study: Study,
    bank: Bank,
    participant: int,
    session: int,
    seed: int,
    order_rule: int = order.RULE,
    *,
    heard: Collection[str] = (),
    begun_with: Sequence[tuple[str, str]] = (),
) -> SessionPlan:
    """Lay out one session. `participant`: 1, 2, …; 0 works, but stands in a block before theirs (`order`).

    `heard`: ids of the clips that this participant has heard in other sessions; the next ones take their
    place, as long as there are any. `begun_with`: clip and state of each trial of a session that was begun
    already; it stays as it was laid out then, whatever has become of the bank. Raises `ConfigError` when
    bank or cap do not allow it, or a clip it was begun with is in the bank no more.
    """
    for name, number, first in (("participant", participant, 1), ("session", session, 0)):
        if number < 0:
            raise ConfigError(f"{name} is {number}; {name}s are numbered from {first}")
    if begun_with:
        trials = _as_begun(study, bank, begun_with)
        sequence = tuple(dict.fromkeys(clip.state for clip in trials))
    else:
        _check_bank(study, bank)
        sequence = order.state_sequence(participant, seed, study.neutral_position, order_rule)
        by_state = _choose(study, bank, participant, session, seed, heard)
        runs = (order.run_order(by_state[key], seed, participant, session, key) for key in sequence)
        trials = tuple(clip for run in runs for clip in run)
    per_state = len(trials) // len(STATE_KEYS)
    plan = plan_for(study, max(bank.smallest, per_state), per_state)
    steps = _steps(study, trials)
    return SessionPlan(
        protocol=study.name,
        participant=participant,
        session=session,
        seed=seed,
        planned=plan.planned,
        guaranteed=plan.guaranteed,
        needed_mean_report_s=plan.needed_mean_report_s,
        cap_s=study.cap_s,
        sequence=sequence,
        trials=trials,
        steps=steps,
        planned_times_s=_planned_times_s(steps),
        arithmetic=f"{plan.arithmetic}\n{_price(study, sequence, per_state)}{_old(order_rule)}",
        order_rule=order_rule,
        washout_s=study.washout_s,
    )


def plan_for(study: Study, bank: int, per_state: int | None = None) -> Plan:
    """The plan of a study's sessions; `bank`: clips there are of each state."""
    return plan_session(
        cap=study.cap_s,
        rest=study.rest_s,
        clip=study.clip_s,
        report=study.report_s,
        states=len(STATE_KEYS),
        bank=bank,
        per_state=per_state or study.clips_per_state,
        has_baseline_report=study.has_baseline_report,
        washout=0.0 if study.neutral_position == "middle" else study.washout_s,
    )


def resolve_clip_paths(
    plan: SessionPlan, bank: Bank, where: Path | Callable[[ClipEntry], Path]
) -> SessionPlan:
    """The plan with every clip's file known: in the folder `where`, or where the function says.

    Raises `ConfigError` naming the first file that is not there.
    """
    paths: dict[str, Path] = {}
    for clip in plan.trials:
        entry = bank.entry(clip.id)
        path = where / entry.file if isinstance(where, Path) else where(entry)
        if not path.is_file():
            raise ConfigError(
                f"clip {clip.id!r} has no file {path}; "
                "run 'emolab stimuli render', or 'emolab stimuli check' to see all"
            )
        paths[clip.id] = path
    return with_clip_paths(plan, paths)


def with_clip_paths(plan: SessionPlan, paths: Mapping[str, Path]) -> SessionPlan:
    """The plan with the file of every clip, by its id; nobody looks whether it is there."""

    def placed(clip: Clip) -> Clip:
        return replace(clip, path=paths[clip.id])

    steps = tuple(
        replace(step, clip=placed(step.clip)) if isinstance(step, Play | Rate) and step.clip else step
        for step in plan.steps
    )
    return replace(plan, trials=tuple(placed(clip) for clip in plan.trials), steps=steps)


def rest_of(
    plan: SessionPlan, begun: Collection[str], elapsed_s: float, *, is_rested: bool, has_baseline: bool
) -> SessionPlan:
    """What is left of a session that broke off: same order, the clips not begun yet.

    `begun`: ids of the clips whose music was begun. `elapsed_s`: how much of the cap is used up.
    `is_rested`, `has_baseline`: the rest, its report need not be made again. The instructions are
    shown again before it goes on. Raises `ConfigError` when nothing is left.
    """
    left = tuple(clip for clip in plan.trials if clip.id not in begun)
    if not left:
        raise ConfigError(
            "every clip of this session was begun before it broke off, or left out; nothing is left to resume"
        )

    def stays(step: Step) -> bool:
        if isinstance(step, Play | Rate) and step.clip is not None:
            return step.clip.id not in begun
        if isinstance(step, Rest):
            return not is_rested
        if isinstance(step, Rate):
            return not has_baseline
        return not (isinstance(step, Pause) or (isinstance(step, Instruct) and step.page == "consent"))

    steps = _with_washouts((step for step in plan.steps if stays(step)), plan.washout_s)
    times_s = _planned_times_s(steps)
    cap_s = max(0.0, plan.cap_s - elapsed_s)
    guaranteed = sum(
        trial_fits(steps, index, times_s[index], cap_s)
        for index, step in enumerate(steps)
        if isinstance(step, Play)
    )
    return replace(
        plan,
        planned=len(left),
        guaranteed=guaranteed,
        cap_s=cap_s,
        trials=left,
        steps=steps,
        planned_times_s=times_s,
        arithmetic=f"{len(left)} of {plan.planned} clips are left, {guaranteed} of them guaranteed in the "
        f"{cap_s:.0f} s that are left of {plan.cap_s:g} s.",
    )


def _check_bank(study: Study, bank: Bank) -> None:
    for key, entries in bank.by_state.items():
        if len(entries) < study.clips_per_state:
            raise ConfigError(
                f"{bank.path}: has {len(entries)} clips of state {key!r} but {study.path.name} plays "
                f"{study.clips_per_state}; add some with 'emolab stimuli add' or lower clips.per_state"
            )


def _as_begun(study: Study, bank: Bank, begun_with: Sequence[tuple[str, str]]) -> tuple[Clip, ...]:
    titles = {entry.id: entry.title for entry in bank.entries}
    for clip, _ in begun_with:
        if clip not in titles:
            raise ConfigError(
                f"{bank.path}: there is no clip {clip!r}, with which this session was begun; put it back "
                "into the manifest, then resume"
            )
    return tuple(Clip(clip, key, titles[clip], None, study.clip_s) for clip, key in begun_with)


def _choose(
    study: Study, bank: Bank, participant: int, session: int, seed: int, heard: Collection[str]
) -> dict[str, list[Clip]]:
    chosen: dict[str, list[Clip]] = {}
    for key, entries in bank.by_state.items():
        drawn = order.shuffled(entries, seed, "bank", key)
        at = bank_positions(participant, session, study.clips_per_state, len(drawn), bank.smallest)
        in_turn = drawn[at[0] :] + drawn[: at[0]] if at else []
        in_turn.sort(key=lambda entry: entry.id in heard)  # those come again only when no other is left
        chosen[key] = [Clip(each.id, key, each.title, None, study.clip_s) for each in in_turn[: len(at)]]
    if not chosen[STATE_KEYS[0]]:
        sessions = -(-bank.smallest // study.clips_per_state)
        raise ConfigError(
            f"session {session} has no clips left: {bank.path} lasts for sessions 0 to {sessions - 1} of a "
            "participant, who hears no clip twice; add clips with 'emolab stimuli add'"
        )
    return chosen


def _steps(study: Study, trials: tuple[Clip, ...]) -> tuple[Step, ...]:
    steps: list[Step] = [
        Instruct("consent", "consent"),
        Instruct("instructions", "instruct"),
        Rest("rest", study.rest_s, study.baseline_window_s),
    ]
    if study.has_baseline_report:
        steps.append(Rate("baseline report", None, 0, study.report_s, study.ends_early))
    for trial, clip in enumerate(trials, start=1):
        steps.append(Play(f"clip {trial} of {len(trials)}", clip, trial, clip.duration_s))
        steps.append(Rate(f"report {trial} of {len(trials)}", clip, trial, study.report_s, study.ends_early))
    steps.append(Instruct("thanks", "thanks"))
    return _with_washouts(steps, study.washout_s)


def _with_washouts(steps: Iterable[Step], washout_s: float) -> tuple[Step, ...]:
    """The steps with a pause wherever a clip follows its opposite.

    With neutral in the middle none arises; none before the first clip, either, where a break washed out.
    """
    washed: list[Step] = []
    previous = ""
    for step in steps:
        if isinstance(step, Play):
            if previous and order.needs_washout(previous, step.clip.state):
                washed.append(Pause("wash-out", washout_s))
            previous = step.clip.state
        washed.append(step)
    return tuple(washed)


def _planned_times_s(steps: tuple[Step, ...]) -> tuple[float, ...]:
    times_s, at_s = [], 0.0
    for step in steps:
        times_s.append(at_s)
        at_s += longest_s(step) or 0.0
    return tuple(times_s)


def _price(study: Study, sequence: tuple[str, ...], per_state: int) -> str:
    words = ", ".join(key.replace("_", " ") for key in sequence)
    place = sequence.index("neutral")
    first = place * per_state + 1
    clips = f"clip {first}" if per_state == 1 else f"clips {first} to {first + per_state - 1}"
    if study.neutral_position == "rotate":
        price = (
            f"neutral is {clips} here and elsewhere for others; {study.washout_s:g} s of wash-out pay for it"
        )
    elif study.neutral_position == "middle":
        price = (
            f"the price of neutral in the middle: it is always {clips}, so neutral cannot be told from time "
            "elapsed (neutral_position: rotate can, for a wash-out)"
        )
    else:
        price = (
            f"the price of neutral {study.neutral_position}: it is always {clips}, so neutral cannot be "
            f"told from time elapsed, and a {study.washout_s:g} s wash-out stands between the opposite halves"
        )
    return f"Order: {words}; {price}."


def _old(order_rule: int) -> str:
    if order_rule == order.RULE:
        return ""
    return (
        f"\nThe order is that of rule {order_rule}, by which this participant began; whoever begins now has "
        f"rule {order.RULE}."
    )
