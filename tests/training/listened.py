"""A session whose skin conductance has known responses: many in clips called high, none in the others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.devices.simulation.body import bateman
from emolab.models.examples import Examples, whole_trials
from emolab.models.svm import Svm
from emolab.recording import layout, recover
from emolab.recording.header import SessionHeader
from emolab.recording.writer import SessionWriter
from emolab.signals.eda.features import hand_crafted
from emolab.training.trial_inputs import at_50_hz

RATE_HZ = 20.0
CLIP_S, GAP_S, FIRST_S = 40.0, 10.0, 30.0
SKIN = StreamInfo("board", (Channel("gsr", "eda", "uS", 1e-3),), RATE_HZ, "uint16", (1,))
COUNTS = StreamInfo("board", (Channel("gsr", "eda"),), RATE_HZ, "uint16", (1,))
MICROPHONE = StreamInfo("microphone", (Channel("voice", "audio", "", 1 / 32768),), RATE_HZ, "int16", (1,))
PULSE = StreamInfo("pulse", (Channel("pulse", "ppg"),), RATE_HZ, "int16", (1,))
TOP = np.uint16(20_000)
CLIPS = ("high", "low", "high", "low")
Array = NDArray[np.float64]


def start_s(number: int) -> float:
    """When clip `number`, from 0, begins."""
    return FIRST_S + number * (CLIP_S + GAP_S)


def skin(length_s: float, responses_s: Sequence[float], seed: int = 0, rate_hz: float = RATE_HZ) -> Array:
    """Skin conductance in µS with a response at each of these moments."""
    times_s = np.arange(round(length_s * rate_hz)) / rate_hz
    rng = np.random.default_rng(seed)
    level = 4.0 + 0.3 * np.sin(2 * np.pi * times_s / 90 + seed) + rng.normal(0, 0.002, len(times_s))
    for at_s in responses_s:
        level += 0.6 * np.where(times_s > at_s, bateman(np.maximum(times_s - at_s, 0.0)), 0.0)
    return level


def responses_s(clips: Sequence[str] = CLIPS) -> list[float]:
    """When the responses of a session begin: one every five seconds of a clip called high."""
    return [
        start_s(k) + at_s
        for k, kind in enumerate(clips)
        if kind == "high"
        for at_s in np.arange(4.0, CLIP_S - 2, 5.0).tolist()
    ]


def record(
    path: Path,
    clips: Sequence[str] = CLIPS,
    *,
    participant: str = "P07",
    study: str = "listening",
    session: int = 0,
    gaps_s: Sequence[tuple[float, float]] = (),
    info: StreamInfo = SKIN,
    is_falling: bool = False,
    beside: StreamInfo | None = None,
) -> Path:
    """Write it: clip `k` is called `high-k` or `low-k`. `gaps_s`: stretches without samples.

    `is_falling`: counts fall when conductance rises. `beside`: another instrument, which says nothing.
    """
    length_s = start_s(len(clips)) + 20.0
    counts = (skin(length_s, responses_s(clips)) * 1000).astype(np.uint16)[:, None]
    counts = TOP - counts if is_falling else counts
    times_s = np.arange(len(counts)) / RATE_HZ
    writer = SessionWriter(
        path, SessionHeader(participant, session, 1, "en", study, "quick", "name: quick\n", "")
    )
    writer.open([info, *([] if beside is None else [beside])])
    for at in range(0, len(counts), 100):
        own = slice(at, at + 100)
        there = np.all([(times_s[own] < a) | (times_s[own] > b) for a, b in gaps_s], axis=0)
        there = np.broadcast_to(there, times_s[own].shape)
        if there.any():
            chunk = Chunk(
                info.name, times_s[own][there], counts[own][there], float(times_s[own][there][-1]) + 0.004
            )
            writer.write(chunk)
    if beside is not None:
        writer.write(Chunk(beside.name, times_s, np.zeros((len(times_s), 1), np.int16), length_s))
    for event in events(clips):
        writer.mark(event)
    writer.close()
    return path


def rot(path: Path, stream: str) -> Path:
    """Damage the times of a stream."""
    with h5py.File(path) as file:
        at = file[layout.group(stream)]["step_us"].id.get_chunk_info(0).byte_offset
    with path.open("rb+") as raw:
        raw.seek(at + 40)
        raw.write(b"rotten")
    return path


def events(clips: Sequence[str]) -> list[Event]:
    """What an engine would have written."""
    found = [Event(0.0, "session_started", data={"planned": len(clips)})]
    for k, kind in enumerate(clips):
        clip, at_s = f"{kind}-{k}", start_s(k)
        onset = {"clip": clip, "state": "neutral", "fitted_s": at_s}
        said = {"clip": clip, "state": "neutral", "word": None, "response_s": 0.5}
        found += [
            Event(at_s, "clip_onset", at_s, onset),
            Event(at_s + CLIP_S, "clip_ended", data={"clip": clip, "how": "done"}),
            Event(at_s + CLIP_S + 1, "answer", data=said),
        ]
    return found


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """A file that shows signs of life, as one that an engine writes: whenever it is watched for a while."""

    def touch(_: float) -> None:
        now_ns = max(time.time_ns(), path.stat().st_mtime_ns + 1)
        os.utime(path, ns=(now_ns, now_ns))

    touch(0.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recover, "time", SimpleNamespace(time=time.time, sleep=touch))
        yield


def figures(n: int = 40) -> Examples:
    """Trials of other people, by figures."""
    rows, labels = [], []
    for k in range(n):
        is_high = k % 2
        moments = np.arange(4.0, CLIP_S - 2, 5.0).tolist() if is_high else []
        rows.append(at_50_hz(skin(CLIP_S, moments, seed=k + 1), RATE_HZ))
        labels.append(is_high)
    inputs = (hand_crafted(np.stack(rows), 50.0).astype(np.float32),)
    who = [f"P{k // 4 + 20}" for k in range(n)]
    keys = [f"k{k}" for k in range(n)]
    return whole_trials(inputs, labels, ("low", "high"), who, keys, keys, [CLIP_S] * n)


def svm(folder: Path) -> Path:
    """A linear model that tells the two kinds of clips apart."""
    Svm().fit(figures(), seed=0).save(folder)
    return folder
