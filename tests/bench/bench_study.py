"""A whole study analysed: its time, how it grows with the sessions, one worker against two.

    python -m tests.bench.bench_study STUDY [--sessions 6,12,24] [--rounds 1] [--json FILE]

STUDY as `emolab rehearse STUDY --participants 24` makes it. Each figure is of a fresh folder, so that nothing
was measured before; workers take turns in every round. `measure` is the part that many processes share,
`write` the statistics, figures and page, which one does. No other
program analyses such a study: two workers are compared with one. Goal: measuring ≥ 1.8 times faster on two.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from emolab.analysis import table
from emolab.analysis.measure import Job, measure
from emolab.analysis.study import analyse, first_parts
from emolab.core import executor


def timed_measure(recordings: list[Path], workers: int) -> float:
    """Seconds to measure these, in this process or in so many others."""
    began = time.perf_counter()
    executor.run(measure, [Job(path) for path in recordings], "local", workers)
    return time.perf_counter() - began


def timed_whole(study: Path, recordings: list[Path]) -> float:
    """Seconds for everything, the report's figures included, with two workers."""
    folder = Path(tempfile.mkdtemp(prefix="emolab-bench-"))
    try:
        part = folder / "study"
        for path in recordings:
            (part / path.parent.name).mkdir(parents=True)
            (part / path.parent.name / path.name).symlink_to(path)
        began = time.perf_counter()
        found = analyse(part, folder / "out", where="local", workers=2)
        assert len(found.table) == len(table.clips(found.sessions))
        return time.perf_counter() - began
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure and tell."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("study", type=Path)
    cli.add_argument("--sessions", default="6,12,24")
    cli.add_argument("--rounds", type=int, default=1)
    cli.add_argument("--json", type=Path)
    options = cli.parse_args()
    every = [path.resolve() for path in first_parts(options.study)]
    timed_measure(every[:2], 2)  # numba's cache and the disk's are warm in every round
    rows = []
    head = ("sessions", "1 worker s", "2 workers s", "ratio", "s a session", "all of it s")
    print("{:>8} {:>11} {:>12} {:>6} {:>12} {:>12}".format(*head))
    for count in map(int, options.sessions.split(",")):
        taken: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(options.rounds):
            for workers, seconds in taken.items():
                seconds.append(timed_measure(every[:count], workers))
        one, two = (statistics.median(taken[workers]) for workers in (1, 2))
        whole = timed_whole(options.study, every[:count])
        rows.append({"sessions": count, "one_s": one, "two_s": two, "ratio": one / two, "whole_s": whole})
        print(f"{count:>8} {one:>11.1f} {two:>12.1f} {one / two:>6.2f} {one / count:>12.2f} {whole:>12.1f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
