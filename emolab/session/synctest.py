"""The timing test: flash the participant's screen, play clicks, and see when each stream shows them.

The moments are irregular, so that nothing periodic is taken for an answer and a delay may be longer
than the time to the next stimulus; flashes stay below three a second (WCAG 2.3.1). A stimulus's moment is
known the way a session knows it: a flash by the stamp of the painted page, a click by the fitted
time of the sound card's converter. Nothing is recorded. `synctest_report` judges and keeps the results.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from emolab.core.clock import Clock
from emolab.core.errors import ConfigError
from emolab.core.stream import Chunk, StreamInfo
from emolab.devices.source import Source
from emolab.session.hub import Hub
from emolab.session.player import RATE_HZ, Player
from emolab.session.pump import Pump
from emolab.signals.onsets import CLUSTER_S, Delay, click, clicks, delay, is_by_chance, rises

Kind = Literal["flash", "click"]
Array = NDArray[np.float64]

SECONDS = 60.0
LEAST_SECONDS, MOST_SECONDS = 10.0, 600.0
EVERY_S = (0.8, 1.6)
WHITE_S = (0.2, 0.45)
CLICK_LEVEL = 0.5
OPEN_TIMEOUT_S = 15.0
POLL_S = 0.05
WARM_UP_S = 4.0  # the sound card's stamps have settled by then
ASK_AFTER_S = 0.45  # after a click was asked for, its onset is known
TAIL_S = 3.0  # answers to the last stimulus come, and what buffers hold
LEAST_SHARE = 0.5  # of the stimuli a channel must answer, to be one that reacts
STEP_PX = 4  # every fourth pixel is enough for the mean of a picture


class Flasher(Protocol):
    """What paints flashes. `begin` may be called from any thread and returns at once."""

    name: str

    def begin(self, steps: Sequence[tuple[float, float]], clock: Clock) -> None:
        """Turn white at the first moment of each step and black at the second, session clock."""

    def painted_s(self) -> Sequence[float]:
        """When each white page was painted so far, session clock, in order."""


@dataclass(frozen=True)
class Trigger:
    """A channel told to be wired to a stimulus: `board/ppg_ear=flash`."""

    stream: str
    channel: str
    kind: Kind

    @classmethod
    def parse(cls, text: str) -> Trigger:
        """From `STREAM/CHANNEL=flash` or `=click`. Raises `ConfigError` when it is neither."""
        place, _, kind = text.partition("=")
        stream, _, channel = place.partition("/")
        if not (stream and channel) or kind not in ("flash", "click"):
            raise ConfigError(f"trigger {text!r} is not of the form STREAM/CHANNEL=flash or =click")
        return cls(stream, channel, "flash" if kind == "flash" else "click")


@dataclass(frozen=True)
class Answer:
    """What one channel showed of one kind of stimulus. `step_ms`: between two of its samples."""

    stream: str
    channel: str
    kind: Kind
    step_ms: float
    given: int
    delay: Delay | None

    @property
    def key(self) -> str:
        """What it is called from one test to the next."""
        return f"{self.stream}/{self.channel} {self.kind}"


@dataclass(frozen=True)
class Outcome:
    """What a test measured. `lost`: why an instrument did not deliver, by its name."""

    answers: tuple[Answer, ...]
    given: Mapping[Kind, int]
    lost: Mapping[str, str]
    sound: Mapping[str, Any] = field(default_factory=dict)
    screen: str = ""
    was_stopped: bool = False


class Collector:
    """Keeps what a test needs of each chunk: sound and rows whole, of a picture its mean."""

    def __init__(self) -> None:
        self._parts: dict[str, list[tuple[Array, NDArray[Any]]]] = {}

    def take(self, chunk: Chunk) -> None:
        """From the pump of its stream."""
        samples = chunk.samples
        if samples.ndim > 2:
            seen = samples[:, ::STEP_PX, ::STEP_PX]
            samples = seen.reshape(len(seen), -1).mean(axis=1, dtype=np.float64)[:, None]
        self._parts.setdefault(chunk.stream, []).append((chunk.times_s, samples))

    def series(self, stream: str, from_s: float) -> tuple[Array, NDArray[Any]]:
        """`(times_s (n,), samples (n, channels))` since `from_s`, in order of time."""
        parts = list(self._parts.get(stream, ()))
        if not parts:
            return np.empty(0), np.empty((0, 1))
        times_s = np.concatenate([times for times, _ in parts])
        samples = np.concatenate([rows.reshape(len(rows), -1) for _, rows in parts])
        order = np.argsort(times_s, kind="stable")
        order = order[times_s[order] >= from_s]
        return times_s[order], samples[order]


class SyncTest:
    """One test of some instruments. `player`, `flasher`: None leaves that kind of stimulus out.

    Raises `ConfigError` when nothing can be given, or a trigger names what is not there.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        clock: Clock,
        player: Player | None,
        flasher: Flasher | None,
        triggers: Sequence[Trigger] = (),
        seconds: float = SECONDS,
    ) -> None:
        if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
            raise ConfigError(
                f"a timing test of {seconds:g} s is not sensible; take {LEAST_SECONDS:g} to {MOST_SECONDS:g}"
            )
        if player is None and flasher is None:
            raise ConfigError(
                "there is neither a screen to flash nor a sound output to click with; start from a "
                "desktop, or see what 'emolab doctor' says of the sound"
            )
        self.sources = list(sources)
        self._clock, self._player, self._flasher, self._seconds = clock, player, flasher, seconds
        self._triggers = {(t.stream, t.channel): t.kind for t in triggers}
        self._stopped = threading.Event()
        self._slipped_ms = 0.0
        self.progress = 0.0
        for trigger in triggers:
            _check(trigger, [source.info for source in self.sources])

    def stop(self) -> None:
        """End the test early; what was measured until then is in the outcome."""
        self._stopped.set()

    def run(self) -> Outcome:
        """Open everything, give the stimuli, close everything. Takes `seconds` and some ten more."""
        collector = Collector()
        # Windows removes no ring while it is mapped, and the results are worth more than a tidy folder
        with tempfile.TemporaryDirectory(prefix="emolab-synctest-", ignore_cleanup_errors=True) as folder:
            hub = Hub(self._clock, Path(folder))
            pumps = [Pump(s.info.name, s, self._clock, hub, lambda _: None) for s in self.sources]
            with hub.tapped(collector.take), _running(pumps):
                lost = self._wait_for(pumps, hub)
                begin_s = self._clock.now_s() - 0.5
                given = self._give(Path(folder)) if len(lost) < len(pumps) else {}
                infos = [state.info for state in hub.streams.values()]
        if self._player is not None:
            sound = {"underruns": self._player.underruns(), "slipped_ms": self._slipped_ms}
        else:
            sound = {}
        answers = [answer for info in infos for answer in self._answers(info, collector, begin_s, given)]
        counts = {kind: len(times_s) for kind, times_s in given.items()}
        screen = self._flasher.name if self._flasher is not None else ""
        return Outcome(tuple(answers), counts, lost, sound, screen, self._stopped.is_set())

    # giving

    def _wait_for(self, pumps: Sequence[Pump], hub: Hub) -> dict[str, str]:
        """Wait until every instrument delivers and sound has settled; why some do not."""
        begun_s, poll_s = self._clock.now_s(), POLL_S / self._clock.speed
        while (past_s := self._clock.now_s() - begun_s) < OPEN_TIMEOUT_S and not self._stopped.wait(poll_s):
            silent = {pump.name: pump for pump in pumps if not _delivers(pump, hub)}
            if past_s > WARM_UP_S and all(pump.status.state == "lost" for pump in silent.values()):
                break
        silent = {pump.name: pump for pump in pumps if not _delivers(pump, hub)}
        return {name: pump.status.message or f"{name} delivers nothing" for name, pump in silent.items()}

    def _give(self, folder: Path) -> dict[Kind, Array]:
        """Flash and click; the moments at which it was done."""
        rng = np.random.default_rng()
        start_s = self._clock.now_s() + 0.5
        given: dict[Kind, Array] = {}
        if self._flasher is not None:
            at_s = _irregular(rng, start_s, self._seconds)
            until_s = at_s + rng.uniform(*WHITE_S, len(at_s))
            self._flasher.begin(list(zip(at_s.tolist(), until_s.tolist(), strict=True)), self._clock)
        if self._player is not None:
            given["click"] = self._click(self._player, folder, _irregular(rng, start_s, self._seconds))
        self._sleep_until(start_s + self._seconds + TAIL_S)
        if self._flasher is not None:
            given["flash"] = np.array(self._flasher.painted_s(), np.float64)
        self.progress = 1.0
        return given

    def _click(self, player: Player, folder: Path, moments_s: Array) -> Array:
        import soundfile

        path, wave = folder / "click.wav", CLICK_LEVEL * click(RATE_HZ)
        duration_s = len(wave) / RATE_HZ
        soundfile.write(path, wave, RATE_HZ)
        player.prepare(path, duration_s)
        player.slip_ms()
        onsets_s = []
        for at_s in moments_s:
            if not self._sleep_until(at_s):
                break
            player.play(path, duration_s, float(at_s))
            self._sleep_until(at_s + ASK_AFTER_S)
            onset = player.onset()
            if onset is not None:
                onsets_s.append(onset.time_s)
            self._slipped_ms += abs(player.slip_ms())
        player.stop()
        return np.array(onsets_s)

    def _sleep_until(self, time_s: float) -> bool:
        """False when the test was stopped meanwhile."""
        while (left_s := time_s - self._clock.now_s()) > 0:
            self.progress = min(max(self.progress, 1 - left_s / (self._seconds + TAIL_S)), 1.0)
            if self._stopped.wait(min(left_s, 4 * POLL_S) / self._clock.speed):
                return False
        return not self._stopped.is_set()

    # finding

    def _answers(
        self, info: StreamInfo, collector: Collector, begin_s: float, given: Mapping[Kind, Array]
    ) -> Iterator[Answer]:
        """What each channel of a stream shows: cameras of flashes, microphones of clicks, others of both."""
        times_s, samples = collector.series(info.name, begin_s)
        if info.may_be_silent or info.kind == "thermal" or len(times_s) < 4:
            return
        step_s = float(np.median(np.diff(times_s)))
        if info.kind == "rgb":
            if "flash" in given:
                late = best_delay(given["flash"], times_s, samples[:, 0], step_s, "flash", is_light=True)
                yield _answer(info, 0, "flash", step_s, given, late)
        elif info.kind == "audio":
            if "click" in given:
                rate_hz = (len(times_s) - 1) / (times_s[-1] - times_s[0])
                heard_s = clicks(samples[:, 0].astype(np.float64), times_s, info.nominal_rate_hz or rate_hz)
                yield _answer(info, 0, "click", step_s, given, delay(given["click"], heard_s))
        else:
            for column, channel in enumerate(info.channels):
                wanted = self._triggers.get((info.name, channel.name))
                found = [
                    _answer(info, column, kind, step_s, given, late)
                    for kind in ((wanted,) if wanted else tuple(given))
                    if kind in given
                    for late in [best_delay(given[kind], times_s, samples[:, column], step_s, kind)]
                    if wanted or late is not None
                ]
                yield from sorted(found, key=lambda a: -a.delay.found if a.delay else 0)[:1]


def best_delay(
    given_s: Array, times_s: Array, values: NDArray[Any], step_s: float, kind: Kind, *, is_light: bool = False
) -> Delay | None:
    """The delay of a channel's steps, whichever way they go; None when it does not react.

    `is_light`: a camera's picture, which can only turn brighter.
    """
    level = values.astype(np.float64)
    cluster_s = max(CLUSTER_S, 1.5 * step_s)
    found = []
    for sign in (1.0,) if is_light else (1.0, -1.0):
        steps_s = rises(sign * level, times_s)
        late = delay(given_s, steps_s, cluster_s)
        if late is None or late.found < LEAST_SHARE * len(given_s):
            continue
        if is_light or not is_by_chance(given_s, steps_s, late.found, cluster_s):
            found.append(late)
    steadiest_ms = min((late.jitter_ms for late in found), default=0.0)
    steady = [late for late in found if late.jitter_ms <= 3 * steadiest_ms]
    return min(
        steady, key=lambda late: late.offset_ms, default=None
    )  # a pulse's end is a step too, but later


def _answer(
    info: StreamInfo, column: int, kind: Kind, step_s: float, given: Mapping[Kind, Array], late: Delay | None
) -> Answer:
    name = info.channels[column].name
    return Answer(info.name, name, kind, step_s * 1e3, len(given[kind]), late)


def _irregular(rng: np.random.Generator, start_s: float, seconds: float) -> Array:
    gaps_s = rng.uniform(*EVERY_S, int(seconds / EVERY_S[0]) + 1)
    moments_s: Array = start_s + np.cumsum(gaps_s) - gaps_s[0]
    return moments_s[moments_s < start_s + seconds - WHITE_S[1]]


def _delivers(pump: Pump, hub: Hub) -> bool:
    state = hub.streams.get(pump.name)
    return state is not None and (bool(state.samples) or state.info.may_be_silent)


def _check(trigger: Trigger, infos: Sequence[StreamInfo]) -> None:
    for info in infos:
        if info.name == trigger.stream:
            names = [channel.name for channel in info.channels]
            if trigger.channel not in names:
                raise ConfigError(
                    f"trigger: {info.name} has no channel {trigger.channel!r}; it has {', '.join(names)}"
                )
            return
    names = [info.name for info in infos]
    raise ConfigError(f"trigger: there is no instrument {trigger.stream!r}; there are {', '.join(names)}")


@contextmanager
def _running(pumps: Sequence[Pump]) -> Iterator[None]:
    try:
        for pump in pumps:
            pump.start()
        yield
    finally:
        for pump in pumps:
            pump.stop()
        for pump in pumps:
            pump.join(3.0)
