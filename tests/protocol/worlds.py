"""What the tests of this room share: a bank, the shipped studies, and a way to run a session."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from emolab.core import shipped
from emolab.core.label import STATE_KEYS, STATES
from emolab.protocol.bank import Bank, ClipEntry
from emolab.protocol.load import load
from emolab.protocol.runner import Answer, Command, Runner, Show
from emolab.protocol.session_plan import SessionPlan, session_plan
from emolab.protocol.steps import Instruct, Rate, Study

BEGIN_S = 5.0  # session time at which the tests begin; nothing may hang on it being 0


def bank(clips_of_each: int = 7) -> Bank:
    """A bank of made-up clips."""
    entries = [
        ClipEntry(f"{key}-{i + 1}", key, f"{key} {i + 1}", "", "CC0", "", -23.0, f"{key}-{i + 1}.flac", i)
        for key in STATE_KEYS
        for i in range(clips_of_each)
    ]
    return Bank(Path("manifest.csv"), tuple(entries))


@cache
def study(name: str = "emomusic") -> Study:
    """A shipped study."""
    return load(shipped.protocol(name))


def plan(
    name: str = "emomusic", participant: int = 0, session: int = 0, seed: int = 1, **changed: object
) -> SessionPlan:
    """A session of a shipped study, with some of its facts changed."""
    return session_plan(replace(study(name), **changed), bank(), participant, session, seed)  # type: ignore[arg-type]


Responder = Callable[[Show], list[Answer]]


def silent(show: Show) -> list[Answer]:
    """A participant who never answers."""
    return []


def after(seconds: float) -> Responder:
    """A participant who answers each report after so many seconds, always with the clip's own state."""

    def respond(show: Show) -> list[Answer]:
        assert isinstance(show.step, Rate)
        key = show.step.clip.state if show.step.clip else "neutral"
        word = next(state.words[0] for state in STATES if state.key == key)
        at_s = show.time_s + seconds
        return [Answer("choose", key, word, at_s), Answer("confirm", None, None, at_s)]

    return respond


def run(runner: Runner, respond: Responder = silent) -> list[Command]:
    """Run a session to its end, the participant going on from each page after 2 s."""
    commands: list[Command] = []
    now_s = BEGIN_S
    runner.begin(now_s)
    for _ in range(10_000):
        while (command := runner.tick(now_s)) is not None:
            commands.append(command)
            if isinstance(command, Show) and isinstance(command.step, Instruct):
                runner.proceed(command.time_s + 2.0)
            if isinstance(command, Show) and isinstance(command.step, Rate):
                for answer in respond(command):
                    assert runner.tick(now_s, answer) is None
        if math.isinf(runner.next_s):
            return commands
        now_s = runner.next_s
    raise AssertionError("the session does not end")


def of(commands: list[Command], kind: type) -> list:
    """The commands of one kind."""
    return [command for command in commands if isinstance(command, kind)]
