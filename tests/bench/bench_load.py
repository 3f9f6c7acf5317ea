"""A session at full load: what is lost, what it costs, what it needs on the disk.

    python -m tests.bench.bench_load [--minutes 5] [--json FILE]

Three boards of 4 × 1000 Hz, RGB 1280×720 at 30 frames a second, thermal 160×120 at 9, microphone
48 kHz, both windows open (see `load_room`). Lost samples are counted against what the simulators
say they sent. Goals: nothing lost; memory flat within 20 MB after the first minute; the signals
at most 0.35 times the same data as XDF. The simulators run on the same processor: what they
cost is told beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from emolab.recording.reader import Session
from emolab.session.client import EngineClient
from tests.bench import bench_recording, bench_startup
from tests.bench.load_room import BOARDS, LoadRoom
from tests.simulators.mjpeg_camera import read_number
from tests.simulators.thermal_file import thermal_frame

SAFE_STEP_S = 0.5
MINUTE_S = 60.0


class Watch:
    """Processor time and memory of every process, and each thread of the engine, between two moments."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in processes.items()}
        self._names = thread_names(processes["engine"])
        self._begun_s = self._last_s = time.monotonic()
        self._before = self._last = self._times()
        self.memory: list[tuple[float, float, float]] = []  # seconds, MB of the engine, MB of the windows

    def look(self) -> None:
        """Note how things stand; to be called while everything runs."""
        engine, windows = (self._processes[name].memory_info().rss / 1e6 for name in ("engine", "windows"))
        self._last_s, self._last = time.monotonic(), self._times()
        self.memory.append((self._last_s - self._begun_s, engine, windows))

    def shares(self) -> tuple[dict[str, float], dict[str, float]]:
        """Percent of one core up to the last look: of each process, of each thread of the engine."""
        passed_s = self._last_s - self._begun_s
        (before, threads_before), (processes, threads) = self._before, self._last
        of_threads: dict[str, float] = {}
        for thread, took in threads.items():
            name = self._names.get(thread) or "native (sound, codecs)"
            spent = 100 * (took - threads_before.get(thread, 0.0)) / passed_s
            of_threads[name] = of_threads.get(name, 0.0) + spent
        return {n: 100 * (t - before[n]) / passed_s for n, t in processes.items()}, of_threads

    def _times(self) -> tuple[dict[str, float], dict[int, float]]:
        processes = {name: sum(process.cpu_times()[:2]) for name, process in self._processes.items()}
        threads = {t.id: t.user_time + t.system_time for t in self._processes["engine"].threads()}
        return processes, threads


def thread_names(pid: int) -> dict[int, str]:
    """What the engine calls its threads, by the system's number; empty without py-spy."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        print("py-spy is not installed: the engine's threads stay without names")
        return {}
    told = subprocess.run([spy, "dump", "--json", "--pid", str(pid)], capture_output=True, text=True)
    if told.returncode:
        print(f"the engine's threads stay without names: {told.stderr.strip().splitlines()[-1]}")
        return {}
    return {thread["os_thread_id"]: thread["thread_name"] for thread in json.loads(told.stdout)}


class SafeAge(threading.Thread):
    """Reads the file while it is written: how old is the newest sample that nothing can take away."""

    def __init__(self, path: Path, client: EngineClient) -> None:
        super().__init__(name="safe age", daemon=True)
        self._path, self._client = path, client
        self._stopping = threading.Event()
        self.ages_s: list[float] = []

    def run(self) -> None:
        with Session.open(self._path, live=True) as session:
            stream = session.streams["board0"]
            while not self._stopping.wait(SAFE_STEP_S):
                session.refresh()
                now_s = self._client.snapshot().now_s
                self.ages_s.append(now_s - float(stream.times_s(-1)[0]))

    def stop(self) -> None:
        self._stopping.set()
        self.join()


@dataclass(frozen=True)
class Run:
    """A session that has ended: its file, what was watched meanwhile, and what the engine says of it."""

    path: Path
    watch: Watch
    safe_s: list[float]
    summary: Mapping[str, Any]


def run_session(room: LoadRoom, seconds: float, step_s: float = 2.0) -> Run:
    """Run a session to its end, looking at its processes each `step_s`."""
    client = room.start()
    path = Path(client.snapshot().path)
    watch = Watch(room.processes)
    safe = SafeAge(path, client)
    safe.start()
    ends_s = time.monotonic() + seconds - 1
    while time.monotonic() < ends_s and client.snapshot().phase in ("running", "holding"):
        watch.look()
        time.sleep(step_s)
    safe.stop()
    last = client.snapshot()
    while last.phase in ("running", "holding"):
        time.sleep(0.2)
        last = client.snapshot()
    if last.phase != "finished":
        raise RuntimeError(f"the session ended as {last.phase}: {last.message}")
    client.close()
    return Run(path, watch, safe.ages_s, last.summary)


def measure(folder: Path, minutes: float) -> dict[str, Any]:
    """Run a session and return every figure."""
    seconds = minutes * MINUTE_S
    with LoadRoom(folder, seconds) as room:
        run = run_session(room, seconds)
    print("reading the file …", file=sys.stderr, flush=True)
    processes, threads = run.watch.shares()
    with Session.open(run.path) as session:
        found: dict[str, Any] = {
            "minutes": minutes,
            "seconds recorded": run.summary["duration_s"],
            "lost": lost(session, room),
            "counted as lost by emolab": {s["name"]: s["lost"] for s in run.summary["streams"]},
            "processor, % of a core": processes,
            "engine's threads, % of a core": threads,
            "memory, MB": memory(run.watch.memory),
            "in hand after, ms": {name: delays(session, name) for name in session.streams},
            "safe on disk after, ms": percentiles(np.array(run.safe_s) * 1e3),
            "bytes a second": run.path.stat().st_size / run.summary["duration_s"],
            "signals beside XDF": beside_xdf(session),
        }
    return found


def lost(session: Session, room: LoadRoom) -> dict[str, int]:
    """Samples the simulators sent between a stream's first and last, that are not in the file unchanged."""
    found = {f"board{n}": lost_lines(session, n, room.board_logs[n]) for n in range(BOARDS)}
    numbers = [read_number(pixels) for _, pixels in session.video("face").frames()]
    sent = np.loadtxt(room.camera_log, int, delimiter=",", usecols=0)
    found["face"] = int(((sent >= numbers[0]) & (sent <= numbers[-1])).sum()) - len(set(numbers))
    thermal = session.streams["thermal"]
    steps = np.diff(thermal.samples()[:, 0, 0].astype(int))
    found["thermal"] = int(sum(step - 1 for step in steps if step > 1))
    for at in range(0, len(thermal), 100):
        frame = thermal.samples(at, at + 1)[0]
        assert np.array_equal(frame, thermal_frame(int(frame[0, 0]))), f"thermal frame {at} was altered"
    voice = session.streams["voice"]
    first_s, last_s = voice.times_s(0, 1)[0], voice.times_s(-1)[0]
    found["voice (of its time)"] = max(round((last_s - first_s) * 48_000) - (len(voice) - 1) - 480, 0)
    return found


def lost_lines(session: Session, n: int, log: Path) -> int:
    """The same for one board: every sample's counter and values against the board's log."""
    rows = [line.split("\t")[3].split(",") for line in log.read_text().splitlines() if "\tsent\t" in line]
    sent = {int(counter): tuple(map(int, values)) for counter, _, *values in rows}
    stream = session.streams[f"board{n}"]
    counters = stream.counter()
    assert counters is not None
    told = dict(zip(counters.tolist(), map(tuple, stream.samples().tolist()), strict=True))
    first, last = int(counters[0]), int(counters[-1])
    return sum(told.get(counter) != sent[counter] for counter in range(first, last + 1))


def memory(seen: list[tuple[float, float, float]]) -> dict[str, dict[str, float]]:
    """Resident memory after the first minute (or half-way) and at the end."""
    seconds = np.array([row[0] for row in seen])
    at = min(int(np.searchsorted(seconds, MINUTE_S)), len(seen) // 2)
    tail = seen[-5:]
    return {
        name: {
            "after the first minute": seen[at][column],
            "at the end": statistics.median(row[column] for row in tail),
            "most": max(row[column] for row in seen),
        }
        for name, column in (("engine", 1), ("windows", 2))
    }


def delays(session: Session, name: str) -> dict[str, float]:
    """From the capture of a chunk's last sample until the program had it in hand."""
    stream = session.streams[name]
    rows, arrivals_s = stream.arrivals()
    times_s = stream.times_s()
    ends = np.append(rows[1:], len(times_s)) - 1
    good = (ends >= 0) & (ends < len(times_s))
    return percentiles((arrivals_s[good] - times_s[ends[good]]) * 1e3)


def percentiles(values: np.ndarray) -> dict[str, float]:
    return {"p50": float(np.percentile(values, 50)), "p99": float(np.percentile(values, 99))}


def beside_xdf(session: Session) -> dict[str, float]:
    """Bytes of the boards' streams in the file, as part of the same samples in XDF."""
    ours = theirs = deduced = 0
    for n in range(BOARDS):
        stream = session.streams[f"board{n}"]
        times_s, samples = stream.times_s(), stream.samples()
        ours += stored_bytes(session.path, stream.name)
        theirs += len(bench_recording.xdf_bytes(times_s, samples, 1000.0, deduced=False))
        deduced += len(bench_recording.xdf_bytes(times_s, samples, 1000.0, deduced=True))
    return {"with a stamp a sample": ours / theirs, "with deduced stamps": ours / deduced}


def stored_bytes(path: Path, name: str) -> int:
    """What everything of a stream takes in the file."""
    import h5py

    found = 0

    def add(_: str, item: Any) -> None:
        nonlocal found
        if isinstance(item, h5py.Dataset):
            found += item.id.get_storage_size()

    with h5py.File(path, "r") as file:
        file[f"streams/{name}"].visititems(add)
    return found


def text(found: Mapping[str, Any], indent: str = "") -> str:
    """The figures as an indented table."""
    lines = []
    for name, value in found.items():
        if isinstance(value, Mapping):
            flat = all(not isinstance(inner, Mapping) for inner in value.values())
            if flat and len(value) <= 3:
                shown = ", ".join(f"{key} {_number(inner)}" for key, inner in value.items())
                lines.append(f"{indent}{name}: {shown}")
            else:
                lines += [f"{indent}{name}", text(value, indent + "    ")]
        else:
            lines.append(f"{indent}{name:<28}{_number(value):>12}")
    return "\n".join(lines)


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"


def main() -> None:
    """Print every figure."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--json", type=Path, metavar="FILE")
    options.add_argument("--keep", type=Path, metavar="DIR", help="keep the session file and logs there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        found = measure(folder, chosen.minutes)
        print("write latency on the quiet machine\n" + bench_recording.latency(Path(name), 20.0))
    started = bench_startup.measure(3)
    found["start-up, s"] = {what: statistics.median(took) for what, took in started.items()}
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    print(text(found))


if __name__ == "__main__":
    main()
