"""How long one waits for emolab: its help, and the console on the screen.

    python -m tests.bench.bench_startup [--times 5] [--json FILE]

Goals: `emolab --help` within 0.5 s, the console shown within 2 s. The console counts from the start of
the process until the X server shows its window; the first start of each is thrown away, as it
fills the disk's cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.simulators.desktop import Desktop, why_not

EMOLAB = [sys.executable, "-m", "emolab"]
GOALS_S = {"emolab --help": 0.5, "console shown": 2.0}


def help_s() -> float:
    """Seconds until `emolab --help` has said everything."""
    begun_s = time.monotonic()
    subprocess.run([*EMOLAB, "--help"], check=True, capture_output=True)
    return time.monotonic() - begun_s


def console_s(desktop: Desktop) -> float:
    """Seconds from the start of the process until the console can be seen."""
    begun_s = time.monotonic()
    process = subprocess.Popen(EMOLAB, env=desktop.environment, stderr=subprocess.DEVNULL)
    try:
        desktop.wait_for_window("emolab$")
        return time.monotonic() - begun_s
    finally:
        process.kill()
        process.wait(10)


def measure(times: int) -> dict[str, list[float]]:
    """Seconds of each start but the first."""
    found = {"emolab --help": [help_s() for _ in range(times + 1)][1:]}
    if reason := why_not():
        print(f"console not measured: {reason}")
        return found
    with Desktop() as desktop:
        found["console shown"] = [console_s(desktop) for _ in range(times + 1)][1:]
    return found


def table(found: dict[str, list[float]]) -> str:
    """One line a figure."""
    return "\n".join(
        f"{what:<16}{statistics.median(took):6.2f} s median, {max(took):.2f} s worst of {len(took)}"
        f"  (goal {GOALS_S[what]:g} s)"
        for what, took in found.items()
    )


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--times", type=int, default=5)
    options.add_argument("--json", type=Path, metavar="FILE")
    chosen = options.parse_args()
    found = measure(chosen.times)
    print(table(found))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
