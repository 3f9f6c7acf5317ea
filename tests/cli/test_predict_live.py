"""The read-out of a session while it is recorded: newest first, and the recorder does not notice."""

from __future__ import annotations

import json
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from emolab.cli.predict_live import ENDED, skin_stream, turns
from emolab.session.snapshot import Snapshot
from tests.cli.command import start
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


@pytest.mark.slow
def test_a_live_session_is_read_out_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    run = listened.svm(tmp_path / "model")
    study = tmp_path / "study"
    study.mkdir()
    with live.engine_on(study, speed=8.0) as engine:
        path = live.start(engine)
        with live.served(engine) as client:
            child = start("predict", run, "--live", study, "--window", 10, "--hop", 1, "--json")
            while client.snapshot().phase not in ENDED:
                time.sleep(0.05)
            out, err = child.communicate(timeout=60)
        summary = engine.summary
    said: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert err == "" and child.returncode == 0
    assert len(said) > 3 and any(one["predicted"] for one in said)
    assert [one["to_s"] for one in said] == sorted(one["to_s"] for one in said)
    assert path.is_file() and summary["streams"]
    for stream in summary["streams"]:
        assert (stream["lost"], stream["corrupt"], stream["reopened"], stream["gaps"]) == (0, 0, 0, 0)
