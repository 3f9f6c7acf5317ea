"""`emolab agreement SESSION`: how far the lanes of a session agree, with intervals."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import ConfigError, RecordingError

if TYPE_CHECKING:
    from emolab.review.agreement import Comparison, Figure
    from emolab.review.lanes import Lane


def agreement(arguments: list[str]) -> int:
    """Print every figure of agreement between lanes."""
    cli = parser("agreement", "How far the lanes of a session agree: participant, face, analysts.")
    cli.add_argument("session", type=Path, help="a recording, STUDY/P014/P014_session-0.h5")
    cli.add_argument(
        "--lanes", metavar="A,B,…", help="which lanes; all that say something of it, when not given"
    )
    cli.add_argument(
        "--what", choices=("state", "group", "valence", "arousal"), default="state", help="what is compared"
    )
    cli.add_argument("--window", type=float, metavar="S", help="windows of so many seconds instead of clips")
    cli.add_argument("--json", action="store_true", help="all of it as JSON")
    options = cli.parse_args(arguments)
    from emolab.recording.trials import trials
    from emolab.review.agreement import compare
    from emolab.review.lanes import lanes
    from emolab.review.timeline import Timeline

    with Timeline(options.session) as line:
        every, there = trials(line.events, line.end_s), lanes(line)
    compared, left_out = chosen(there, options.lanes)
    for lane in left_out:
        print(f"emolab: {lane.name} is left out: {lane.problem}", file=sys.stderr)
    found = compare(compared, every, options.what, options.window)
    if options.json:
        print_json(facts(found, left_out))
    else:
        print(text(found))
    return 0


def chosen(there: Sequence[Lane], names: str | None) -> tuple[list[Lane], list[Lane]]:
    """The lanes that are compared, and those that would be if they could be read.

    Raises `ConfigError` for a lane there is none of, `RecordingError` for one named that cannot be read.
    """
    if names is None:
        voices = [lane for lane in there if lane.source != "event"]
        return [lane for lane in voices if lane.labels], [lane for lane in voices if lane.problem]
    known = {lane.name: lane for lane in there}
    wanted = [name.strip() for name in names.split(",")]
    if missing := [name for name in wanted if name not in known]:
        raise ConfigError(f"there is no lane {missing[0]!r}; the lanes are {', '.join(known)}")
    if unread := [known[name].problem for name in wanted if known[name].problem]:
        raise RecordingError(unread[0])
    return [known[name] for name in wanted], []


def facts(found: Comparison, left_out: Sequence[Lane] = ()) -> dict[str, Any]:
    """A comparison as JSON; undefined figures are null. `left_out`: lanes that could not be read."""
    return {
        "what": found.what,
        "lanes": list(found.lanes),
        "left_out": [{"name": lane.name, "why": lane.problem} for lane in left_out],
        "windowing": found.windowing,
        "figures": [
            {"name": one.name, "lanes": list(one.lanes), "why": one.why or None, **_numbers(one)}
            for one in found.figures
        ],
    }


def text(found: Comparison) -> str:
    """A comparison as people read it."""
    lines = [f"{found.what} of {', '.join(found.lanes)}", found.windowing, ""]
    lines.append(f"{'figure':<28}{'lanes':<34}{'value':>7}  {'95 % interval':<18}{'units':>6}")
    most = max((len(one.lanes) for one in found.figures), default=0)
    for one in found.figures:
        who = "all" if len(one.lanes) == most > 2 else " × ".join(one.lanes)
        lines.append(f"{one.name:<28}{who[:33]:<34}{told(one)}")
    return "\n".join(lines)


def told(figure: Figure) -> str:
    """Value, interval and units of a figure, or why there is none."""
    got = figure.agreement
    if got is None or math.isnan(got.value):
        return f"{'–':>7}  {figure.why}"
    interval = "–" if math.isnan(got.low) else f"{got.low:.2f} to {got.high:.2f}"
    return f"{got.value:>7.2f}  {interval:<18}{got.units:>6}"


def _numbers(figure: Figure) -> dict[str, Any]:
    got = figure.agreement
    numbers = (math.nan,) * 3 if got is None else (got.value, got.low, got.high)
    value, low, high = (None if math.isnan(number) else number for number in numbers)
    return {"value": value, "low": low, "high": high, "units": got.units if got else 0}
