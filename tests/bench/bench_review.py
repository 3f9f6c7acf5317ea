"""What one waits for in the review, and what it takes of memory: the real window, offscreen.

    python -m tests.bench.bench_review --keep DIR [--lengths 1200 28800] [--rounds 3] [--json FILE]

A session of 20 minutes and one of 8 hours (`review_recordings` tells what is in them and how they are made,
which takes minutes the first time), each opened in a process of its own, in turns. Measured, on the wall's
clock and beside it what this process itself worked:

    opened      from asking for the window to seeing it, signals still being read
    picture     to the first frame of each camera; signals: all of them; sound: its envelope too
    seek        to a random moment until both cameras show its frame and all is painted, with the number
                burnt into the picture checked; half of them while sound is still being read
    pan, zoom   a step of either until the whole window is painted, at widths from 10 s to all
    judged      how usable each signal is, told under all of them: this takes most memory, for some seconds
    memory      of the process in the end and at its highest, MB; `bare` is what it takes with no recording

The files' pages are in the system's cache. Goals, for 20 minutes: opened in 1 s, seek p95 100 ms, pan and
zoom p95 16 ms, 1 GB; 8 hours at most twice of each.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.bench.review_recordings import CLIP_S, FPS, Length, frame_number, made

GOALS = {"opened_s": 1.0, "seek_p95_ms": 100.0, "pan_p95_ms": 16.0, "zoom_p95_ms": 16.0, "memory_mb": 1000.0}
TWICE = 2.0
WIDTHS_S = (10.0, 60.0, 300.0, 1200.0, 3 * 3600.0, 8 * 3600.0)
SEEKS, STEPS = 40, 40
LINE = "{:<26}{:>12}{:>12}{:>9}{:>12}"


def measure(recording: Path) -> dict[str, Any]:
    """All figures of one recording; one process measures one."""
    from PySide6.QtWidgets import QApplication

    from emolab.gui import theme
    from emolab.gui.review.flow import ReviewFlow
    from emolab.gui.review.menus import menus

    app = QApplication([])
    theme.apply(app)
    found: dict[str, Any] = {"bare_mb": _memory_mb("VmRSS")}
    shown: dict[str, int] = {}
    asked_s = begun_s = time.perf_counter()
    begun_cpu_s = time.process_time()
    flow = ReviewFlow(recording, "bench", sound="no such output")
    flow.window.set_menus(menus(flow))
    window, line = flow.window, flow.line
    window.pictures.shown.connect(lambda camera, index, _: shown.__setitem__(camera, index))
    window.resize(1366, 768)
    window.show()
    QApplication.processEvents()
    window.chart.repaint()
    found["opened_s"], found["opened_cpu_s"] = (
        time.perf_counter() - begun_s,
        time.process_time() - begun_cpu_s,
    )
    _until(lambda: len(shown) == len(line.cameras))
    found["picture_s"] = time.perf_counter() - begun_s
    curves = [track.name for track in line.tracks if not track.envelope]
    _until(lambda: all(line.is_ready(name) for name in curves))
    found["signals_s"] = time.perf_counter() - begun_s
    rng = np.random.default_rng(1)
    seeks, reading = [], []
    while len(reading) < SEEKS // 2 and not line.wait(0):
        reading.append(_seek(flow, shown, float(rng.uniform(line.begin_s, line.end_s))))
    _until(lambda: line.wait(0))
    found["sound_s"] = time.perf_counter() - begun_s
    while len(seeks) < SEEKS - len(reading):
        seeks.append(_seek(flow, shown, float(rng.uniform(line.begin_s, line.end_s))))
    found["seek_p50_ms"] = statistics.median(seeks + reading)
    found["seek_p95_ms"] = float(np.percentile(seeks + reading, 95))
    if reading:
        found["seek_reading_worst_ms"] = max(reading)
    for what, step in (("pan", _pan), ("zoom", _zoom)):
        wall, own = [], []
        for width_s in WIDTHS_S:
            if width_s > 1.5 * (line.end_s - line.begin_s):
                continue
            middle_s = (line.begin_s + line.end_s) / 2
            flow.span.show(middle_s - 0.45 * width_s, middle_s + 0.45 * width_s)
            for _ in range(3):
                QApplication.processEvents()
            for number in range(STEPS):
                begun_s, begun_own_s = time.perf_counter(), time.thread_time()
                step(flow, number)
                QApplication.processEvents()
                wall.append(1e3 * (time.perf_counter() - begun_s))
                own.append(1e3 * (time.thread_time() - begun_own_s))
        found[f"{what}_p50_ms"], found[f"{what}_p95_ms"] = np.percentile(wall, (50, 95)).tolist()
        found[f"{what}_own_p95_ms"] = float(np.percentile(own, 95))
    _until(lambda: line.wait_judged(0))
    found["judged_s"] = time.perf_counter() - asked_s
    found["memory_mb"], found["memory_peak_mb"] = _memory_mb("VmRSS"), _memory_mb("VmHWM")
    flow.window.close()
    return found


def _pan(flow: Any, number: int) -> None:
    flow.span.pan((0.02 if number % 20 < 10 else -0.02) * flow.span.width_s)


def _zoom(flow: Any, number: int) -> None:
    flow.span.zoom(0.25 if number % 8 < 4 else -0.25, (flow.span.from_s + flow.span.to_s) / 2)


def _seek(flow: Any, shown: dict[str, int], time_s: float) -> float:
    """Milliseconds until both pictures are those of this moment."""
    wanted = {camera: flow.line.frame_index(camera, time_s) for camera in flow.line.cameras}
    begun_s = time.perf_counter()
    flow.seek(time_s)
    _until(lambda: shown == wanted)
    took_ms = 1e3 * (time.perf_counter() - begun_s)
    if frame_number(flow.line.frame("camera", wanted["camera"])) != wanted["camera"] % (CLIP_S * FPS):
        raise AssertionError(f"at {time_s} s another frame is shown than was recorded")
    return took_ms


def _until(comes_true: Callable[[], bool]) -> None:
    from PySide6.QtWidgets import QApplication

    ends_s = time.monotonic() + 300
    while not comes_true():
        if time.monotonic() > ends_s:
            raise TimeoutError("it did not come true within five minutes")
        QApplication.processEvents()
        time.sleep(2e-4)
    QApplication.processEvents()


def _memory_mb(what: str) -> float:
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(told.split(f"{what}:")[1].split()[0]) / 1024


def report(found: dict[str, list[dict[str, Any]]], names: dict[str, str]) -> str:
    """Medians over the rounds: the first length against the goals, the others against the first."""
    lines = [LINE.format("", *[names[key] for key in found][:2], "times", "goal")]
    keys = sorted({name for rounds in found.values() for told in rounds for name in told})
    for name in keys:
        values = [
            statistics.median(told[name] for told in rounds if name in told)
            if any(name in told for told in rounds)
            else float("nan")
            for rounds in found.values()
        ]
        texts = [f"{value:.3g}" if name.endswith("_s") else f"{value:.1f}" for value in values]
        times, goal = "", ""
        if name in GOALS:
            times = f"{values[1] / values[0]:.2f}" if len(values) > 1 else ""
            is_well = values[0] <= GOALS[name] and (len(values) < 2 or values[1] <= TWICE * values[0])
            goal = f"{GOALS[name]:g} {'well' if is_well else 'MISSED'}"
        lines.append(LINE.format(name, *[*texts, ""][:2], times, goal))
    return "\n".join(lines)


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--keep", type=Path, metavar="DIR", help="where recordings are kept for next time")
    options.add_argument("--lengths", type=int, nargs="+", default=[1200, 28_800], help="two, in seconds")
    options.add_argument("--grain", type=float, default=0.0, help="noise of the video, in grey levels")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path, metavar="FILE")
    options.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        recordings = [made(folder, Length(seconds, chosen.grain)) for seconds in chosen.lengths]
        found: dict[str, list[dict[str, Any]]] = {path.name: [] for path in recordings}
        for _ in range(chosen.rounds):
            for path in recordings:
                told = subprocess.run(
                    [sys.executable, "-m", __spec__.name, "--measure", path],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                found[path.name].append(json.loads(told.stdout.splitlines()[-1]))
    names = {path.name: f"{seconds} s" for path, seconds in zip(recordings, chosen.lengths, strict=True)}
    print(report(found, names))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
