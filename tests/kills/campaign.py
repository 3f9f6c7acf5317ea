"""Kill an engine over and over, and print what that cost: `python -m tests.kills.campaign --kills 100`.

Kills are drawn evenly over the phases of a session and over each phase's length; every fifth file
that did not end is gone on with, in the middle of whose clip the next kill falls. Exit code 1 when
anything was unreadable, fewer than told to be saved, other than sent, or over a second late.
`--json FILE` keeps each kill; `--only PHASE …` and `--seed N` as they say.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from tests.kills.autopsy import Found, examine, leftovers
from tests.kills.room import Room
from tests.kills.victim import HEARD_TRIALS, PHASES, Kill

MOST_LOST_MS = 1000.0
STREAMS = ("board", "kit", "face", "thermal", "voice", "events")
RESUME_EVERY = 5


def draw(kills: int, phases: Sequence[str], seed: int) -> list[Kill]:
    """So many kills, each phase its share of them, each share of its length one of those; in random order."""
    lot = random.Random(seed)
    drawn = []
    for at, phase in enumerate(phases):
        count = (kills - at + len(phases) - 1) // len(phases)
        for index in range(count):
            first = 0 if phase == "report" else 1
            trial = first + index % (HEARD_TRIALS + 1 - first)
            drawn.append(Kill(phase, (index + lot.random()) / count, trial))
    lot.shuffle(drawn)
    return drawn


def run(room: Room, kills: Sequence[Kill], *, resume_every: int = RESUME_EVERY) -> Iterator[Found]:
    """What each kill left. A kill that left no file is followed by a start of the very same session."""
    participant = 1
    for number, kill in enumerate(kills):
        found = examine(
            room, f"P{participant:03}", kill, go_on=bool(resume_every) and number % resume_every == 0
        )
        participant += found.has_file
        yield found


def failures(found: Sequence[Found], *, be_patient: bool = False) -> list[str]:
    """All that must not be, in words. `be_patient`: what the machine was busy with otherwise is no loss."""
    said = []
    for number, each in enumerate(found, start=1):
        where = f"kill {number}, {each.kill.phase} at {each.kill.share:.2f}"
        said += [f"{where}: {fault}" for fault in each.faults]
        for one in (each, each.resumed) if each.resumed else (each,):
            most_ms = MOST_LOST_MS + (one.late_ms if be_patient else 0.0)
            said += [
                f"{where}: {kept.stream} lost {kept.lost_ms:.0f} ms, late {one.late_ms:.0f} ms"
                for kept in one.kept.values()
                if kept.lost_ms > most_ms
            ]
    return said


def table(found: Sequence[Found]) -> str:
    """For each phase: kills, files, unreadable ones, and the worst loss of each stream; then each stream."""
    lines = [
        "| phase | kills | files | ended before | unreadable | faults | "
        + " | ".join(f"{stream} ms" for stream in STREAMS)
        + " |"
    ]
    lines.append("|---" * (6 + len(STREAMS)) + "|")
    again = [each.resumed for each in found if each.resumed is not None]
    groups = {phase: [each for each in found if each.kill.phase == phase] for phase in PHASES}
    groups = {phase: group for phase, group in groups.items() if group}
    for phase, group in {**groups, "resumed, clip": again, "all": [*found, *again]}.items():
        numbers = [
            len(group),
            sum(each.has_file for each in group),
            sum(each.is_finished for each in group),
            sum(each.is_unreadable for each in group),
            sum(bool(each.faults) for each in group),
        ]
        worst = [_worst(group, stream) for stream in STREAMS]
        lines.append(f"| {phase} | " + " | ".join(map(str, [*numbers, *worst])) + " |")
    lines += [
        "",
        "| stream | rows acknowledged | recovered | fewer | wrong | holes | lost ms: median | p95 | worst |",
    ]
    lines.append("|---" * 9 + "|")
    for stream in STREAMS:
        kept = [each.kept[stream] for each in [*found, *again] if stream in each.kept]
        lost_ms = sorted(each.lost_ms for each in kept) or [0.0]
        acknowledged = "" if stream == "events" else str(sum(each.told for each in kept))
        lines.append(
            f"| {stream} | {acknowledged} | {sum(each.kept for each in kept)} "
            f"| {sum(each.fewer for each in kept)} | {sum(each.wrong for each in kept)} "
            f"| {sum(each.holes for each in kept)} | {median(lost_ms):.0f} "
            f"| {lost_ms[int(0.95 * (len(lost_ms) - 1))]:.0f} | {lost_ms[-1]:.0f} |"
        )
    return "\n".join(lines)


def _worst(group: Sequence[Found], stream: str) -> str:
    lost_ms = [each.kept[stream].lost_ms for each in group if stream in each.kept]
    return f"{max(lost_ms):.0f}" if lost_ms else "–"


def main() -> int:
    """The whole campaign; 1 when something was lost that must not be."""
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--kills", type=int, default=100)
    cli.add_argument("--seed", type=int, default=1)
    cli.add_argument("--only", nargs="+", choices=PHASES, default=PHASES, metavar="PHASE")
    cli.add_argument("--json", type=Path, metavar="FILE", help="each kill, one JSON object a line")
    cli.add_argument("--keep", type=Path, metavar="DIR", help="a new folder for the study, which stays")
    options = cli.parse_args()
    found: list[Found] = []
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="emolab-kills-") as scratch:
        where = options.keep or Path(scratch)
        where.mkdir(parents=True, exist_ok=True)
        with Room(where) as room:
            for each in run(room, draw(options.kills, options.only, options.seed)):
                found.append(each)
                print(_line(len(found), each), file=sys.stderr, flush=True)
                if options.json:
                    with options.json.open("a") as file:
                        file.write(json.dumps(asdict(each)) + "\n")
            left = leftovers(room.study)
    print(table(found))
    replayed = sum(each.replayed for each in found)
    print(f"\n{replayed} clips whose beginning was told but not kept; {len(left)} hidden files left: {left}")
    print(f"{len(found)} kills in {(time.monotonic() - begun_s) / 60:.1f} min")
    for failure in failures(found):
        print(failure)
    return 1 if failures(found) else 0


def _line(number: int, found: Found) -> str:
    lost = ", ".join(f"{kept.stream} {kept.lost_ms:.0f}" for kept in found.kept.values())
    state = "no file" if not found.has_file else "had ended" if found.is_finished else "mended"
    resumed = ", resumed" if found.resumed else ""
    faults = "".join(f"\n    {fault}" for fault in found.faults)
    when = f"{found.kill.phase} {found.kill.share:.2f}, late {found.late_ms:.0f} ms"
    return f"{number:3} {when}: {state}{resumed}; lost ms: {lost}{faults}"


if __name__ == "__main__":
    sys.exit(main())
