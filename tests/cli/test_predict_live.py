"""The read-out of a session while it is recorded: newest first, and the recorder does not notice."""

from __future__ import annotations

import json
import os
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from emolab.cli.predict_live import ENDED, line, read_out, skin_stream, turns
from emolab.core.label import PredictedLabel
from emolab.recording.predicted import Guess
from emolab.session.snapshot import Snapshot
from emolab.training.opened import open_model
from emolab.training.people import mark
from tests.cli.command import emolab, finish, start
from tests.session import live
from tests.training import listened


def test_turns_that_come_too_late_are_dropped_and_counted() -> None:
    now_s = [0.0]

    def sleep(seconds: float) -> None:
        now_s[0] += seconds

    dropped = []
    for late in islice(turns(2.0, lambda: now_s[0], sleep), 5):
        dropped.append((now_s[0], late))
        now_s[0] += {0.0: 0.5, 2.0: 7.0}.get(now_s[0], 0.1)  # the second takes three turns and a half
    assert dropped == [(0.0, 0), (2.0, 0), (9.0, 2), (10.0, 0), (12.0, 0)]


def test_without_skin_conductance_nothing_is_said() -> None:
    assert skin_stream(Snapshot()) is None


class Client:
    """An engine that records P07, and ends."""

    def __init__(self) -> None:
        self.phases = iter(("setup", "running", "running", "finished"))

    def snapshot(self) -> Snapshot:
        phase: Any = next(self.phases)
        return Snapshot(phase=phase, participant="" if phase == "setup" else "P07", speed=40.0)

    def close(self) -> None:
        pass


def test_whoever_was_in_the_training_is_told_once_before_anything_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr("emolab.session.client.attach", lambda _: Client())
    people, study = listened.svm(tmp_path / "model") / "people.json", tmp_path / "study"
    for marks, told in (([mark("study study", "P07")], "■ P07 is among those"), ([], "")):
        people.write_text(json.dumps({"participants": marks}))
        said = emolab("predict", tmp_path / "model", "--live", study, "--hop", 0.5)
        assert said.code == 0 and said.out.startswith(told) and said.out.count("\n") == bool(told)
    people.write_text(json.dumps({"participants": [], "notes": ["it is at chance"]}))
    said = emolab("predict", tmp_path / "model", "--live", study, "--hop", 0.5)
    assert said.code == 0 and said.out == "it is at chance\n"
    people.unlink()
    said = emolab("predict", tmp_path / "model", "--live", study, "--hop", 0.5)
    assert "■ Whether P07 is among those" in said.out and "is not known" in said.out


@pytest.mark.parametrize("answer", [True, False, None])
def test_every_line_tells_whether_the_model_has_learnt_from_who_sits_there(
    tmp_path: Path, answer: bool | None
) -> None:
    model = open_model(listened.svm(tmp_path))
    guess = Guess(0.0, 30.0, PredictedLabel(None, "high", (0.4, 0.6), "svm"), ("low", "high"))
    assert json.loads(line(model, guess, 1.0, 0, True, answer))["in_training"] is answer


@pytest.mark.slow
def test_a_live_session_is_read_out_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    run = listened.svm(tmp_path / "model")
    study = tmp_path / "study"
    study.mkdir()
    said: list[dict[str, Any]] = []
    with live.engine_on(study, speed=8.0) as engine:
        path = live.start(engine)
        held = engine.clock.follow("the read-out")  # which takes its time to load
        held.allow_until(engine.clock.now_s() + 30.0)
        with live.served(engine) as client:
            child = start("predict", run, "--live", study, "--window", 10, "--hop", 1, "--json")
            assert child.stdout is not None and child.stderr is not None
            try:
                while len(said) < 4 or not any(one["predicted"] for one in said):
                    said.append(json.loads(child.stdout.readline()))
                held.leave()
                while client.snapshot().phase not in ENDED:
                    time.sleep(0.05)
                said += [json.loads(line) for line in child.stdout]
                err = child.stderr.read()
                child.wait(60)
            finally:
                held.leave()
                finish(child)
        summary = engine.summary
    assert err == "" and child.returncode == 0
    assert {one["in_training"] for one in said} == {None}
    assert [one["to_s"] for one in said] == sorted(one["to_s"] for one in said)
    assert path.is_file() and summary["streams"]
    for stream in summary["streams"]:
        assert (stream["lost"], stream["corrupt"], stream["reopened"], stream["gaps"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("more", [["--dry"], ["--music", "figures.csv"]])
def test_what_a_live_session_has_no_use_for_is_refused(more: list[str], tmp_path: Path) -> None:
    said = emolab("predict", "default", "--live", tmp_path, *more)
    assert said.code == 2 and "for a SESSION" in said.err


def test_a_reader_who_has_enough_ends_the_read_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said that the engine had ended."""

    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr("emolab.session.client.attach", lambda _: Client())
    listened.svm(tmp_path / "model")  # of whom it has learnt is not noted: there is something to tell
    monkeypatch.setattr("builtins.print", gone)
    with pytest.raises(BrokenPipeError):  # which the command line takes for the end
        read_out(str(tmp_path / "model"), tmp_path, 30.0, 0.5, False)
