"""`emolab predict RUN --live STUDY`: what a classifier makes of the newest seconds of a live session.

A process of its own at the lowest priority, which looks at the memory that the engine shares with windows:
nothing waits for it. It takes what is newest; turns that came while it was reckoning are dropped and counted.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emolab.cli.display import as_alarm
from emolab.training import people

if TYPE_CHECKING:
    from emolab.recording.predicted import Guess
    from emolab.session.snapshot import Snapshot, StreamHealth
    from emolab.training.opened import Model

LOWEST = 19  # of the niceness that systems know
RING_ROWS = 1 << 20  # more than any ring holds
STALE_S = 5.0
ENDED = ("finished", "failed")


class Client(Protocol):
    """What is asked of `session.client.EngineClient`."""

    def snapshot(self) -> Snapshot:
        """The newest snapshot. Raises `OSError` when the engine is gone."""


@dataclass
class Listener:
    """Judges the newest `window_s` of a session's skin conductance, again and again."""

    model: Model
    client: Client
    window_s: float
    known: dict[str, dict[str, Any]] = field(default_factory=dict)  # of a stream's converter, by recording

    def hear(self) -> tuple[Snapshot, Guess | None]:
        """What there is to say now; None without skin conductance. Raises `OSError` without an engine."""
        from emolab.core.errors import DataError
        from emolab.core.label import PredictedLabel
        from emolab.core.ring import SampleRing
        from emolab.recording.predicted import UNKNOWN, Guess
        from emolab.signals.eda.conductance import conductance
        from emolab.training.predict import Stretch, judge

        now = self.client.snapshot()
        found = skin_stream(now)
        if found is None:
            return now, None
        stream, column = found
        times_s, values = SampleRing.attach(Path(stream.ring)).newest(RING_ROWS)
        if not len(times_s):
            return now, None
        unit = stream.units[column] if column < len(stream.units) else "counts"
        end_s = now.now_s - (stream.age_s or 0.0)
        times_s = times_s - times_s[-1] + end_s  # the ring's are on the engine's clock
        try:
            if (stream.age_s or 0.0) > STALE_S:
                raise DataError(f"no skin conductance has come for {stream.age_s:.0f} s")
            skin = conductance(values[:, column], times_s, unit, **self._known(now, stream, column))
            (guess,) = judge(self.model, skin, [Stretch(end_s - self.window_s, end_s)], looks=0)
        except DataError as error:
            nothing = PredictedLabel(None, UNKNOWN, (), self.model.name)
            guess = Guess(end_s - self.window_s, end_s, nothing, (), 0.0, str(error))
        return now, guess

    def _known(self, now: Snapshot, stream: StreamHealth, column: int) -> dict[str, Any]:
        """Of the converter, as the file being recorded tells it; nothing before there is one."""
        from emolab.core.errors import EmolabError
        from emolab.recording import converter
        from emolab.recording.reader import Session

        if not now.path:
            return {}
        if now.path not in self.known:
            self.known[now.path] = {}
            with (
                suppress(EmolabError, OSError, KeyError, IndexError),
                Session.open(Path(now.path), live=True) as file,
            ):
                info = file.streams[stream.name].info
                channel = info.channels[column]
                self.known[now.path] = {
                    "adc_range": converter.ends(info, channel),
                    "is_falling": converter.is_falling(info, channel),
                }
        return self.known[now.path]


@dataclass
class Training:
    """Whether a model has learnt from who sits there: asked once, as soon as it is known who."""

    model: Model
    study: Path
    who: str = ""
    answer: bool | None = None

    def asked(self, participant: str) -> str:
        """What is to be told now; empty when it was told before, or is nothing to tell."""
        if not participant or participant == self.who:
            return ""
        self.who = participant
        self.answer = self.model.known.learnt_from(self.study / participant / "session", participant)
        told = people.told(self.answer, participant)
        return as_alarm(told) if told else ""


def skin_stream(now: Snapshot) -> tuple[StreamHealth, int] | None:
    """The first stream with skin conductance that has samples, and which column it is."""
    for stream in now.streams:
        if "eda" in stream.kinds and stream.ring and not stream.is_image:
            return stream, stream.kinds.index("eda")
    return None


def turns(
    hop_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[int]:
    """A turn every `hop_s`; how many were dropped since the one before, because they came too late."""
    due_s = clock()
    while True:
        late = max(math.floor((clock() - due_s) / hop_s), 0)
        due_s += late * hop_s
        if (wait_s := due_s - clock()) > 0:
            sleep(wait_s)
        yield late
        due_s += hop_s


def read_out(run: str, study: Path, window_s: float, hop_s: float, as_json: bool) -> int:
    """Print a line each turn until the session ends. Raises `ConfigError` when no engine runs there."""
    from emolab.session.client import attach
    from emolab.training.opened import open_model
    from emolab.training.predict import sliding

    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):  # the cores are the recorder's
        os.environ.setdefault(name, "1")
    sliding(0.0, window_s, window_s, hop_s)  # refuses windows that are none
    client = attach(study)
    with suppress(OSError, AttributeError):
        os.nice(LOWEST)
    model = open_model(run)
    listener, was_running = Listener(model, client, window_s), False
    for note in () if as_json else model.known.notes:
        print(note, flush=True)
    speed, training = max(client.snapshot().speed, 1e-3), Training(model, study)
    try:
        for dropped in turns(hop_s / speed):
            began_s = time.perf_counter()
            try:
                now, guess = listener.hear()
            except OSError:
                print("emolab: the engine has ended, and the read-out with it", file=sys.stderr)
                return 0
            if now.phase in ENDED and was_running:
                return 0
            was_running = was_running or now.phase not in ("setup", *ENDED)
            told = training.asked(now.participant)
            if told and not as_json:  # there it stands in every line
                print(told, flush=True)
            if guess is not None:
                took_ms = 1e3 * (time.perf_counter() - began_s)
                print(line(model, guess, took_ms, dropped, as_json, training.answer), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        with suppress(OSError):
            client.close()
    return 0


def line(
    model: Model, guess: Guess, took_ms: float, dropped: int, as_json: bool, in_training: bool | None = None
) -> str:
    """One turn, as JSON or for people."""
    from emolab.recording.predicted import words

    if not as_json:
        return f"{guess.start_s:8.1f} to {guess.end_s:8.1f} s  {words(guess, model.target)}"
    likely = dict(zip(guess.classes, guess.said.probabilities, strict=True))
    return json.dumps(
        {
            "from_s": round(guess.start_s, 3),
            "to_s": round(guess.end_s, 3),
            "model": model.name,
            "target": model.target or None,
            "predicted": guess.said.state if guess.is_known else None,
            "probabilities": likely or None,
            "usable": round(guess.usable, 4),
            "why": guess.why or None,
            "in_training": in_training,
            "took_ms": round(took_ms, 1),
            "dropped": dropped,
        }
    )
