"""The analyst's window as its user has it: a real screen, real clicks and keys, real sound."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.review.checks import Check, to_label
from emolab.review.desk import Desk
from tests.e2e import laboratory
from tests.recording import made
from tests.simulators.desktop import Desktop
from tests.simulators.light import Picture
from tests.simulators.mjpeg_camera import BITS, BLOCK_PX, draw_number
from tests.simulators.sound_server import SoundServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(laboratory.why_not()), reason=laboratory.why_not() or "-"),
]

SECONDS, FPS, RATE_HZ = 24, 30, 48_000
CLICK_S = 0.004
ATTEMPTS = 3
CAMERA = StreamInfo("camera", (Channel("rgb", "rgb", "8 bit"),), 30.0, "uint8", (240, 320, 3))
MICROPHONE = made.MICROPHONE
EVENTS = [
    Event(0.0, "session_started", data={"planned": 2}),
    Event(4.0, "clip_onset", 4.0, {"clip": "a-1", "state": "most_positive", "fitted_s": 4.0}),
    Event(9.0, "clip_ended", data={"clip": "a-1", "how": "done"}),
    Event(11.0, "answer", data={"clip": "a-1", "state": "most_positive", "word": "enjoy"}),
    Event(13.0, "clip_onset", 13.0, {"clip": "b-2", "state": "neutral", "fitted_s": 13.0}),
    Event(18.0, "clip_ended", data={"clip": "b-2", "how": "done"}),
    Event(20.0, "answer", data={"clip": "b-2", "state": "neutral", "word": "calm"}),
]
CHECKS = (
    Check("a-1", 4.0, 9.0, "most_positive", "negative", 0.97, (0.83, 0.1, 0.07)),
    Check("b-2", 13.0, 18.0, "neutral", "neutral", 0.91, (0.2, 0.7, 0.1)),
)


def record(path: Path) -> Path:
    """Numbered pictures on a magenta ground, a click at each full second, a board."""
    path.parent.mkdir(parents=True)
    streams = (made.BOARD, CAMERA, MICROPHONE)
    writer = SessionWriter(path, made.HEADER)
    writer.open(streams)
    for second in range(SECONDS):
        writer.write(made.chunk(made.BOARD, second * 250, 250, 250.0))
        numbers = second * FPS + np.arange(FPS)
        frames = np.full((FPS, 240, 320, 3), (255, 0, 255), np.uint8)
        for frame, number in zip(frames, numbers, strict=True):
            draw_number(frame, int(number))
        times_s = numbers / FPS
        writer.write(Chunk("camera", times_s, frames, float(times_s[-1])))
        samples = np.zeros((RATE_HZ, 1), np.int16)
        samples[: round(CLICK_S * RATE_HZ)] = 20_000
        at_s = second + np.arange(RATE_HZ) / RATE_HZ
        writer.write(Chunk("microphone", at_s, samples, float(at_s[-1])))
    for event in EVENTS:
        writer.mark(event)
    writer.close()
    return path


@dataclass
class Review:
    """A review on a virtual desk."""

    desktop: Desktop
    process: subprocess.Popen[bytes]
    window: str

    def place(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the window's inside."""
        asked = ["xdotool", "getwindowgeometry", "--shell", self.window]
        told = subprocess.run(
            asked, env=self.desktop.environment, capture_output=True, text=True, check=True
        ).stdout
        found = dict(re.findall(r"(\w+)=(-?\d+)", told))
        return int(found["X"]), int(found["Y"]), int(found["WIDTH"]), int(found["HEIGHT"])


@contextmanager
def reviewed(desktop: Desktop, path: Path) -> Iterator[Review]:
    """`emolab review` as a process of its own, its window to be seen."""
    command = [sys.executable, "-m", "emolab", "review", str(path), "--analyst", "anna"]
    process = subprocess.Popen(command, env=desktop.environment)
    try:
        window = desktop.wait_for_window("P07 session 2 · review", 120.0)
        time.sleep(1.0)
        yield Review(desktop, process, window)
    finally:
        process.terminate()
        process.wait(60)


def test_picture_cursor_and_sound_of_a_replay_are_less_than_a_frame_apart(tmp_path: Path) -> None:
    path = record(tmp_path / "P07" / "P07_session-2.h5")
    for attempt in range(ATTEMPTS):  # another program may have had the machine
        picture_ms, cursor_ms, pixel_ms = replayed(path, tmp_path / f"heard-{attempt}.npz")
        print(
            f"picture − sound: median {np.median(picture_ms):.1f} ms, worst {np.abs(picture_ms).max():.1f}; "
            f"cursor − sound: median {np.median(cursor_ms):.1f} ms; {len(picture_ms)} clicks"
        )
        assert len(picture_ms) >= 6
        frame_ms = 1e3 / FPS
        if abs(np.median(picture_ms)) < frame_ms and abs(np.median(cursor_ms)) < frame_ms + pixel_ms:
            return
    raise AssertionError(f"more than a frame apart in {ATTEMPTS} replays")


def replayed(path: Path, heard: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Play eleven seconds: how late picture and cursor are at each click that is heard, in ms.

    And what a pixel of the cursor's is worth. The middle of a frame's time counts as its moment.
    """
    with SoundServer() as sound, Desktop(sound.environment) as desktop, reviewed(desktop, path) as review:
        listener = subprocess.Popen(
            [sys.executable, "-m", "tests.simulators.listener", "--seconds", "14", "--out", str(heard)],
            env=desktop.environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert listener.stdout is not None and listener.stdout.readline() == b"ready\n"
        looks = Looks(Picture(desktop.picture, "0,0,1280,800"), review.place())
        desktop.key("space")
        looks.watch(11.0)
        assert listener.wait(60) == 0
        listener.stdout.close()
    told = np.load(heard)
    clicks_s = int(told["first_ns"]) / 1e9 + onsets(told["samples"]) / float(told["rate_hz"])
    seen = [at for at in clicks_s if looks.at_s[0] + 0.2 < at < looks.at_s[-1] - 0.2]
    shown_s = np.array([looks.shown_at(at) for at in seen])
    cursor_s = np.array([looks.cursor_at(at) for at in seen])
    seconds = np.round(shown_s)  # clicks are at full seconds
    return (shown_s - seconds) * 1e3, (cursor_s - seconds) * 1e3, looks.pixel_ms


def test_a_conflict_is_found_relabelled_undone_and_exported(tmp_path: Path) -> None:
    path = record(tmp_path / "study" / "P07" / "P07_session-2.h5")
    by = {"model": "small", "weights": "ab" * 32, "agg": "sum"}
    Desk(path, "face-small").say([to_label(check, ("sum",)) for check in CHECKS], "validate", by)
    with Desktop() as desktop:
        with reviewed(desktop, path) as review:
            left, top, width, height = review.place()
            desktop.click(left + width * 3 // 4, top + height * 6 // 10)  # somewhere in the curves
            desktop.key("space")
            time.sleep(1.0)
            desktop.key("space", "n", "1")
            time.sleep(0.5)
            desktop.shot(tmp_path / "why.png")
            desktop.write("frown throughout")
            desktop.key("Return")
            wait_for(lambda: states(path) == ["most_negative"])
            desktop.key("ctrl+z")
            wait_for(lambda: states(path) == [])
        with reviewed(desktop, path):
            desktop.key("ctrl+y")
            wait_for(lambda: states(path) == ["most_negative"])
            desktop.shot(tmp_path / "redone.png")
            desktop.key("ctrl+e")
            desktop.wait_for_window("Export this session")
            desktop.key("Return")
            desktop.wait_for_window("Export into")
            out = tmp_path / "out"
            out.mkdir()
            desktop.write(str(out))
            desktop.key("Return")
            if desktop.windows("Export into"):  # the first Enter may have completed the name
                desktop.key("Return")
            wait_for(lambda: any(out.rglob("*labels*.csv")), 60.0)
            time.sleep(1.0)
    acts = [json.loads(line) for line in ledger(path)][1:]
    assert [act["do"] for act in acts] == ["edit", "undo", "redo"]
    assert acts[0]["why"] == "frown throughout"
    with Session.open(path) as session:
        assert [answer.state for answer in session.answers] != []
    (table,) = out.rglob("*labels*.csv")
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows if "anna" in row.values()] == ["most_negative"]
    assert [row["state"] for row in rows if "reported" in row.values()] == ["most_positive", "neutral"]


def onsets(samples: np.ndarray) -> np.ndarray:
    """The first sample of each click."""
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    return loud[np.concatenate([[True], np.diff(loud) > RATE_HZ // 10])] if len(loud) else loud


def ledger(path: Path) -> list[str]:
    """The lines of anna's ledger."""
    file = path.with_suffix(".labels") / "anna.jsonl"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def states(path: Path) -> list[str | None]:
    """What anna's labels say now."""
    return [label.state for label in Desk(path, "anna").labels.values()] if ledger(path) else []


def wait_for(comes_true: object, timeout_s: float = 60.0) -> None:
    """Wait until it holds."""
    ends_s = time.monotonic() + timeout_s
    while not comes_true():  # type: ignore[operator]
        assert time.monotonic() < ends_s, "it did not come true"
        time.sleep(0.05)


class Looks:
    """What the screen shows, and when: the number in the picture and the place of the cursor."""

    ACCENT, MAGENTA = (0x56, 0xB4, 0xE9), (255, 0, 255)

    def __init__(self, screen: Picture, place: tuple[int, int, int, int]) -> None:
        self._pixels = screen._pixels  # BGRX
        self._left, self._top, self._width, self._height = place
        self._box = self._find_picture()
        self._row = self._find_lanes()
        self.at_s: list[float] = []
        self._numbers: list[int] = []
        self._cursors: list[float] = []
        self._plot_left = self._left + 148
        self.pixel_ms = SECONDS * 1e3 / (self._left + self._width - self._plot_left)

    def watch(self, seconds: float) -> None:
        """Look as often as can be."""
        ends_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < ends_s:
            number, x = self._number(), self._cursor()
            if number is not None and x is not None:
                self.at_s.append(now_s)
                self._numbers.append(number)
                self._cursors.append((x - self._plot_left) * self.pixel_ms / 1e3)
            time.sleep(0.004)

    def shown_at(self, monotonic_s: float) -> float:
        """The middle of the frame shown then, session time."""
        at = int(np.searchsorted(self.at_s, monotonic_s)) - 1
        return (self._numbers[at] + 0.5) / FPS

    def cursor_at(self, monotonic_s: float) -> float:
        """The cursor's moment then."""
        return self._cursors[int(np.searchsorted(self.at_s, monotonic_s)) - 1]

    def _near(self, colour: tuple[int, int, int], within: int = 40) -> np.ndarray:
        rgb = np.array(self._pixels[..., 2::-1], np.int16)
        return (np.abs(rgb - np.array(colour)) < within).all(axis=2)

    def _find_picture(self) -> tuple[int, int, float]:
        """Left and top of the picture on the screen, and how large it is shown."""
        found = self._near(self.MAGENTA, 60)
        columns, rows = np.flatnonzero(found.sum(0) > 40), np.flatnonzero(found.sum(1) > 40)
        right, bottom = int(columns[-1]) + 1, int(rows[-1]) + 1
        # the numbers hide the upper left corner; the right and lower edges are free
        top = int(np.flatnonzero(found[:, right - 4])[0])
        scale = (bottom - top) / 240
        return round(right - 320 * scale), top, scale

    def _find_lanes(self) -> slice:
        """Rows in which only the cursor has its colour."""
        bottom = self._top + self._height
        return slice(bottom - 140, bottom - 80)

    def _number(self) -> int | None:
        left, top, scale = self._box
        xs = left + np.round((np.arange(8) + 0.5) * BLOCK_PX * scale).astype(int)
        ys = top + np.round((np.arange(4) + 0.5) * BLOCK_PX * scale).astype(int)
        rows = np.packbits(np.array(self._pixels[ys][:, xs, 1]) > 127, axis=1)[:, 0].astype(int)
        is_whole = rows[0] ^ rows[2] == 255 and rows[1] ^ rows[3] == 255
        return int(rows[0] << BITS // 2 | rows[1]) if is_whole else None

    def _cursor(self) -> float | None:
        line = np.array(self._pixels[self._row.start, :, 2::-1], np.int16)
        found = np.flatnonzero((np.abs(line - np.array(self.ACCENT)) < 24).all(axis=1))
        return float(found.mean()) + 0.5 if len(found) else None
