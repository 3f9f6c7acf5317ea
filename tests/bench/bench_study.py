"""A whole study analysed: its time, how it grows with the sessions, one worker against two.

    python -m tests.bench.bench_study STUDY [--sessions 6,12,24] [--rounds 1] [--no-whole] [--json FILE]

STUDY as `emolab rehearse STUDY --participants 24` makes it. Each figure is of a fresh folder, so that nothing
was measured before; workers take turns in every round. `all of it` has the statistics, figures and page
besides, which one process does. `CPU` is the workers' user and system time, their start included: on a busy
machine it tells more than the clock. `CPU ratio`: what two workers gain when none waits for a core, one's
CPU over the half of two's. No other program analyses such a study: two workers are compared with one.
Goal: measuring ≥ 1.8 times faster on two.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from emolab.core import executor

# every worker imports this file, as it does the program's own start: what only the report needs stays out


def timed_measure(recordings: list[Path], workers: int) -> tuple[float, float]:
    """Seconds to measure these in so many other processes, and their CPU seconds."""
    from emolab.analysis.measure import Job, measure

    began, used = time.perf_counter(), _children_s()
    executor.run(measure, [Job(path) for path in recordings], "local", workers)
    return time.perf_counter() - began, _children_s() - used


def _children_s() -> float:
    """CPU seconds of all processes that were started here and have ended."""
    told = os.times()
    return told.children_user + told.children_system


def timed_whole(study: Path, recordings: list[Path]) -> float:
    """Seconds for everything, the report's figures included, with two workers."""
    from emolab.analysis import table
    from emolab.analysis.study import analyse

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
    cli.add_argument("--no-whole", dest="whole", action="store_false", help="measure only, write no report")
    cli.add_argument("--json", type=Path)
    options = cli.parse_args()
    from emolab.analysis.study import first_parts

    every = [path.resolve() for path in first_parts(options.study)]
    timed_measure(every[:2], 2)  # numba's cache and the disk's are warm in every round
    rows = []
    names = "sessions,1 worker s,2 workers s,ratio,CPU 1 s,CPU 2 s,CPU ratio,all of it s"
    print("{:>8} {:>11} {:>12} {:>6} {:>8} {:>8} {:>10} {:>12}".format(*names.split(",")))
    for count in map(int, options.sessions.split(",")):
        taken: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        for _ in range(options.rounds):
            for workers, told in taken.items():
                told.append(timed_measure(every[:count], workers))
        (one, cpu_one), (two, cpu_two) = (
            (statistics.median(wall for wall, _ in told), statistics.median(cpu for _, cpu in told))
            for told in taken.values()
        )
        whole = timed_whole(options.study, every[:count]) if options.whole else math.nan
        row = {"sessions": count, "one_s": one, "two_s": two, "ratio": one / two}
        row |= {"cpu_one_s": cpu_one, "cpu_two_s": cpu_two, "cpu_ratio": 2 * cpu_one / cpu_two}
        rows.append(row | {"whole_s": whole})
        print(
            f"{count:>8} {one:>11.1f} {two:>12.1f} {one / two:>6.2f} {cpu_one:>8.1f} {cpu_two:>8.1f} "
            f"{2 * cpu_one / cpu_two:>10.2f} {whole:>12.1f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
