"""Two hours with every kind of instrument at once: memory, processor, drift, and what was lost.

    nice -n -5 python -m tests.bench.bench_soak [--minutes 120] [--json FILE] [--keep DIR]

A PhysioKit board (259.3 Hz, no counter), an emolab board (275 Hz, its crystal 80 ppm fast), a camera
of 640×480 at 30 frames a second, a thermal camera, a microphone, an LSL stream of 64 Hz, both
windows open, real time. What was lost is counted against what the simulators say they sent, not
against emolab's own count. Goals: nothing lost; memory flat after the first minutes; drift found.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from tests.bench.bench_load import MINUTE_S, delays, memory, percentiles, run_session, text
from tests.bench.load_room import LoadRoom, start_board
from tests.simulators.lsl_world import sender
from tests.simulators.mjpeg_camera import BITS, read_number

DRIFT_PPM = 80.0
PHYSIOKIT_HZ, BOARD_HZ, LSL_HZ = 259.3, 275.0, 64.0
STEP_S = 5.0
ROWS = 1 << 20  # after so many a PhysioKit board of the simulators counts anew
DEVICES = """
[[instrument]]
kind = "physiokit"
name = "physiokit"
port = "{physiokit}"

[[instrument]]
kind = "emolab_board"
name = "board0"
port = "{board}"

[[instrument]]
kind = "lsl"
name = "lsl"
stream = "soak"
"""


class SoakRoom(LoadRoom):
    """One of each, at the rates of an ordinary laboratory."""

    size = "640x480"
    per_state = 7

    def _boards(self, stack: ExitStack) -> str:
        physiokit, self.processes["simulated physiokit"] = start_board(
            stack, "tests.simulators.physiokit_board", "--rate", str(PHYSIOKIT_HZ), "--pattern", "count",
            "--burst-ms", "4", "--log", str(self.folder / "physiokit.tsv"),
        )  # fmt: skip
        board, self.processes["simulated board"] = start_board(
            stack, "tests.simulators.framed_board", "--rate", str(BOARD_HZ), "--pattern", "noisy",
            "--burst-ms", "4", "--drift-ppm", str(DRIFT_PPM), "--log", str(self.board_logs[0]),
        )  # fmt: skip
        outlet = stack.enter_context(sender(name="soak", rate_hz=LSL_HZ, count=1 << 40, channels=2))
        assert outlet.process.stdin is not None
        outlet.process.stdin.write("go\n")  # it waits for its receiver by itself
        outlet.process.stdin.flush()
        self.processes["simulated LSL"] = outlet.process.pid
        return DEVICES.format(physiokit=physiokit, board=board)


def measure(folder: Path, minutes: float) -> dict[str, Any]:
    """Run the session and return every figure."""
    seconds = minutes * MINUTE_S
    with SoakRoom(folder, seconds) as room:
        run = run_session(room, seconds, STEP_S)
    print("reading the file …", file=sys.stderr, flush=True)
    facts = inspect(run.path)
    processes, threads = run.watch.shares()
    with Session.open(run.path) as session:
        return {
            "minutes": minutes,
            "seconds recorded": run.summary["duration_s"],
            "verdict": facts["verdict"],
            "lost, by the simulators' logs": lost(session, room),
            "counted as lost by emolab": {s["name"]: s["lost"] for s in facts["streams"]},
            "drift found, ppm": {s["name"]: s["drift_ppm"] for s in facts["streams"] if s.get("refined")},
            "drift given, ppm": {"board0": DRIFT_PPM},
            "true rate found, Hz": {s["name"]: s["true_rate_hz"] for s in facts["streams"]},
            "processor, % of a core": processes,
            "engine's threads, % of a core": threads,
            "memory, MB": memory(run.watch.memory),
            "memory of the engine each ten minutes, MB": each_ten_minutes(run.watch.memory),
            "in hand after, ms": {name: delays(session, name) for name in session.streams},
            "safe on disk after, ms": percentiles(np.array(run.safe_s) * 1e3),
            "size, MB": run.path.stat().st_size / 1e6,
        }


def lost(session: Session, room: LoadRoom) -> dict[str, int]:
    """Samples sent between a stream's first and last, that are not in the file, or not as they were sent."""
    found = {"board0": wrong_lines(session, room.board_logs[0])}
    rows = session.streams["physiokit"].samples()
    found["physiokit"] = gaps(rows[:, 0].astype(np.int64) + 1024 * rows[:, 1].astype(np.int64), ROWS)
    found["lsl"] = gaps(session.streams["lsl"].samples()[:, 0].astype(np.int64), 100)
    seen = np.array([read_number(pixels) for _, pixels in session.video("face").frames()])
    found["face"] = gaps(seen, 1 << BITS)
    voice = session.streams["voice"]
    spent_s = float(voice.times_s(-1)[0] - voice.times_s(0, 1)[0])
    found["voice (of its time)"] = max(round(spent_s * 48_000 * (1 - 1e-5)) - len(voice), 0)
    return found


def gaps(numbers: np.ndarray, modulus: int) -> int:
    """How many numbers are missing in a sequence that counts modulo `modulus`; disorder counts, too."""
    return int(((np.diff(numbers) - 1) % modulus).sum())


def wrong_lines(session: Session, log: Path) -> int:
    """Rows of the board between the first and the last that are missing or differ from its log."""
    stream = session.streams["board0"]
    counters = stream.counter()
    assert counters is not None
    told = dict(zip(counters.tolist(), map(tuple, stream.samples().tolist()), strict=True))
    first, last, wrong = int(counters[0]), int(counters[-1]), 0
    with log.open() as lines:
        for line in lines:
            if "\tsent\t" in line:
                counter, _, *values = line.split("\t")[3].split(",")
                if first <= int(counter) <= last:
                    wrong += told.get(int(counter)) != tuple(map(int, values))
    return wrong


def each_ten_minutes(seen: list[tuple[float, float, float]]) -> dict[str, float]:
    """The engine's median memory over each ten minutes."""
    minutes = np.array([row[0] for row in seen]) / MINUTE_S
    engine = np.array([row[1] for row in seen])
    edges = [*np.arange(0, minutes[-1], 10), minutes[-1] + 1]
    return {
        f"from {low:.0f} min": float(np.median(engine[(minutes >= low) & (minutes < high)]))
        for low, high in pairwise(edges)
    }


def main() -> None:
    """Print every figure."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, default=120.0)
    options.add_argument("--json", type=Path, metavar="FILE")
    options.add_argument("--keep", type=Path, metavar="DIR", help="keep the session file and logs there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        found = measure(folder, chosen.minutes)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    print(text(found))


if __name__ == "__main__":
    main()
