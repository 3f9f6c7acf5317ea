"""A whole study of simulated participants, without waiting: real session files before anybody comes.

The same protocol, planner, runner, instruments and writer as in a live simulated session, driven by a clock
that is moved from one thing due to the next. A session of twenty minutes takes a second or two, and each is
made in a process of its own turn. Nothing is played, so no clip need be composed.

    STUDY/rehearsal.json                        what was rehearsed; real sessions are refused in there
    STUDY/P001/P001_session-0.h5                the recording; its streams say that they are simulated
    STUDY/P001/P001_session-0.truth.json        what was really so, and the effect that was planted

The same order gives files of the same content, with the same software. A rehearsal that was broken off is
gone on with: what is there is whole.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from emolab.core.clock import SteppedClock
from emolab.core.errors import ConfigError, DeviceError, EmolabError
from emolab.core.event import Event
from emolab.core.stream import Chunk
from emolab.devices import config
from emolab.devices.simulated import participant_for
from emolab.devices.simulation import effect
from emolab.devices.source import Source
from emolab.protocol.session_plan import with_clip_paths
from emolab.recording.writer import SessionWriter
from emolab.session import folder
from emolab.session.player import SilentPlayer
from emolab.session.prepare import Prepared, StartRequest, check, lay_out
from emolab.session.respondent import respondent_for
from emolab.session.run import Run
from emolab.study import consent, participants, rehearsed, study_file

STEP_S = 2.0  # of simulated time between two looks at the instruments
LONGEST_S = 4 * 3600.0
FIRST_DAY = datetime(2000, 1, 3, 9, tzinfo=UTC)  # nobody takes these for days on which somebody came
A_DAY = 8  # participants
MOST = 10_000
JITTER_MS = {"board": 0.5, "thermal": 40.0}  # a real board's steps of 3 and 4 ms; a camera without a trigger
BOARD_AND_THERMAL = ("board", "thermal")


def devices_text(streams: Sequence[str] = BOARD_AND_THERMAL, thermal_hz: float = 2.0) -> str:
    """A device file of simulated instruments, named after their streams: board, thermal, rgb, audio.

    A rate that is none stands in it as it is, for whoever reads it to refuse.
    """
    lines = ["# The simulated participant. Keys: emolab/devices/simulated.py"]
    for stream in streams:
        lines += ["", "[[instrument]]", 'kind = "simulated"', f'name = "{stream}"', f'stream = "{stream}"']
        if stream == "thermal":
            lines.append(f"rate_hz = {thermal_hz}")
        if stream in JITTER_MS:
            rate_hz = thermal_hz if stream == "thermal" else 255.0
            jitter_ms = min(JITTER_MS[stream], 250.0 / rate_hz) if rate_hz else 0.0
            lines.append(f"jitter_ms = {jitter_ms:g}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Order:
    """What to rehearse. `devices_text`: a device file of simulated instruments; `effect`: name or file."""

    study: Path
    participants: int = 24
    seed: int = 0
    session: int = 0
    protocol: str = "emomusic"
    language: str = ""
    devices_text: str = devices_text()
    effect: effect.Effect = effect.EFFECTS["lively"]

    def facts(self) -> dict[str, Any]:
        """What `rehearsal.json` says; the number of participants may grow afterwards."""
        return {
            "seed": self.seed,
            "protocol": self.protocol,
            "language": self.language,
            "devices": self.devices_text,
            "effect": self.effect.facts(),
        }


class _Mute(SilentPlayer):
    """Plays nothing, and does not ask for the clips either."""

    def prepare(self, path: Path, duration_s: float) -> None:
        pass


def rehearse(order: Order, jobs: int = 0, tell: Callable[[Path], None] = lambda path: None) -> list[Path]:
    """Make the study, and give the paths of its recordings, in order. `jobs`: processes, 0 for all cores.

    `tell` hears of each recording when it is there; what it raises ends the rehearsal. Raises `ConfigError`
    when the folder is of real participants or of another rehearsal, or an instrument is not simulated.
    """
    _check(order)
    rehearsed.claim(order.study, order.facts())
    who = _admit(order)
    paths = [folder.session_path(order.study, one, order.session) for one in who]
    waiting = [one for one, path in zip(who, paths, strict=True) if not path.exists()]
    for path in _made(order, waiting, jobs or os.cpu_count() or 1):
        tell(path)
    return paths


def _made(order: Order, waiting: list[str], jobs: int) -> Iterator[Path]:
    if jobs == 1 or len(waiting) < 2:
        yield from map(partial(rehearse_one, order), waiting)
        return
    # spawned: a forked copy of a program with threads may never wake up
    with ProcessPoolExecutor(
        min(jobs, len(waiting)), mp_context=get_context("spawn"), initializer=_let_the_first_end_it
    ) as pool:
        running = [pool.submit(rehearse_one, order, one) for one in waiting]
        try:
            for done in as_completed(running):
                yield done.result()
        except BrokenProcessPool as error:
            raise EmolabError(
                "a process of the rehearsal was killed, perhaps for want of memory; the same command goes on "
                "with it, with --jobs 1 in the least room"
            ) from error
        finally:
            for each in running:
                each.cancel()


def _let_the_first_end_it() -> None:
    """Ctrl-C reaches every process; what these have in hand is made whole within a second or two."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def rehearse_one(order: Order, participant: str) -> Path:
    """One session, of somebody who is in the study's list; the path of its recording."""
    prepared = _prepare(order, participant)
    half = order.study / ".emolab" / "rehearsing" / prepared.path.name
    half.parent.mkdir(parents=True, exist_ok=True)
    for old in (half, folder.truth_path(half)):
        old.unlink(missing_ok=True)  # of one that was broken off
    _record(order, prepared, half)
    prepared.path.parent.mkdir(parents=True, exist_ok=True)
    folder.truth_path(half).replace(folder.truth_path(prepared.path))
    half.replace(prepared.path)
    with suppress(OSError):
        half.parent.rmdir()
    return prepared.path


def _check(order: Order) -> None:
    """Whatever can be wrong, before anything is written."""
    if not 1 <= order.participants <= MOST:
        raise ConfigError(f"{order.participants} participants are none; take 1 to {MOST}")
    if not config.is_simulated(_devices(order)):
        raise ConfigError(
            "a rehearsal has simulated instruments only; take the others out of the device file"
        )
    config.build(_devices(order), SteppedClock(FIRST_DAY))
    check(_request(order, participants.next_pseudonym(order.study)), order.study)


def _devices(order: Order) -> config.DeviceFile:
    return config.parse(order.devices_text, "the rehearsal's device file")


def _request(order: Order, participant: str) -> StartRequest:
    return StartRequest(
        order.protocol, participant, order.session, order.seed, order.language, answers="simulated"
    )


def _admit(order: Order) -> list[str]:
    """The list of participants, and the consent text that all are shown: once, before any session."""
    if study_file.read(order.study) is None:
        study_file.make(order.study, f"Rehearsal of {order.protocol}, effect {order.effect.name or 'own'}")
    for _ in range(len(participants.everyone(order.study)), order.participants):
        participants.allocate(order.study)
    study, _, _ = lay_out(_request(order, "P001"))
    texts = study.text(order.language or None)
    consent.keep_shown(order.study, texts.language, texts.consent)
    return [one.id for one in participants.everyone(order.study)[: order.participants]]


def _prepare(order: Order, participant: str) -> Prepared:
    """The session; its clips are named, and nobody looks for their files."""
    request = _request(order, participant)
    study, bank, plan, path = check(request, order.study)
    paths = {clip.id: bank.path.parent / bank.entry(clip.id).file for clip in plan.trials}
    texts = study.text(request.language or None)
    page, version = consent.shown(order.study, texts.language, texts.consent)
    if version is None:  # of a study that is not on disk
        version = consent.Version(texts.language, 0, "", "")
    return Prepared(request, study, replace(texts, consent=page), with_clip_paths(plan, paths), path, version)


def truth(order: Order, participant: str) -> dict[str, Any]:
    """What would be really so in a session of somebody, without a file of it: in a tenth of the time.

    For power: figures as an analyst would find them who measures without error (`clips`, `rest`). Nothing is
    read but the study's list, and nothing written.
    """
    prepared = _prepare(order, participant)
    clock = _clock(order, prepared)
    _go_through(prepared, clock, [], lambda event: None, lambda chunk: None)
    return participant_for(clock).truth()


def _clock(order: Order, prepared: Prepared) -> SteppedClock:
    """A clock of its own, and with it a participant of its own (see `participant_for`)."""
    days, place = divmod(max(prepared.plan.participant - 1, 0), A_DAY)
    clock = SteppedClock(FIRST_DAY + timedelta(days=days, hours=place))
    participant_for(clock).effect = order.effect
    return clock


def _record(order: Order, prepared: Prepared, path: Path) -> None:
    """As `live_session` does it, without an engine's threads."""
    clock = _clock(order, prepared)
    sources = config.build(_devices(order), clock)
    header = prepared.header(order.study.resolve().name, order.devices_text, clock.speed)
    writer = SessionWriter(path, replace(header, started_utc=clock.started_utc))
    writer.open([source.info for source in sources])
    outcome = "interrupted"
    try:
        facts = {**prepared.facts(), "left_out": [], "rehearsal": order.effect.name or "an effect of its own"}
        writer.mark(Event(0.0, "session_started", data=facts))
        outcome = _go_through(prepared, clock, sources, writer.mark, writer.write)
        writer.mark(Event(clock.now_s(), "session_ended", data={"outcome": outcome}))
    finally:
        writer.close(outcome)
    participant_for(clock).write_truth(folder.truth_path(path))


def _go_through(
    prepared: Prepared,
    clock: SteppedClock,
    sources: list[Source],
    mark: Callable[[Event], None],
    write: Callable[[Chunk], None],
) -> str:
    """The session, from one thing due to the next; its outcome."""
    run = Run(prepared, clock, _Mute(), respondent_for("simulated", clock), mark)
    person = participant_for(clock)
    run.begin(0.0)
    for source in sources:
        source.open()
    while not run.outcome and clock.now_s() < LONGEST_S:
        clock.go_to(min(run.next_s, clock.now_s() + STEP_S))
        for source in sources:
            for chunk in _taken(source):
                write(chunk)
        person.body.reach(np.array([clock.now_s()]))
        run.tick(clock.now_s())
    for source in sources:
        source.close()
    return run.outcome or "interrupted"


def _taken(source: Source) -> Iterator[Chunk]:
    """All that an instrument has taken until now; one that was unplugged is opened again."""
    try:
        while (chunk := source.read(0.0)) is not None:
            yield chunk
    except DeviceError:
        with suppress(DeviceError):  # still unplugged: asked again at the next step
            source.open()
