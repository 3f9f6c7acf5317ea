"""A signal ends the engine in order, whatever it was doing at that moment."""

from __future__ import annotations

import os
import random
import signal
import threading
from pathlib import Path

import pytest

from emolab.core.event import Event
from tests.session.live import engine_on

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals between processes")


@pytest.mark.parametrize("trial", range(6))
def test_a_signal_never_leaves_the_engine_waiting(tmp_path: Path, trial: int) -> None:
    late: list[float] = []
    with engine_on(tmp_path) as engine:
        before = signal.signal(signal.SIGTERM, lambda *_: engine.interrupt("signal"))
        wait_s = random.Random(trial).uniform(0.005, 0.03)
        strike = threading.Timer(wait_s, lambda: os.kill(os.getpid(), signal.SIGTERM))
        rescue = threading.Timer(60.0, lambda: (late.append(60.0), engine.report(Event(0.0, "mark"))))
        for timer in (strike, rescue):
            timer.start()
        try:
            engine.serve()
        finally:
            strike.join()
            rescue.cancel()
            signal.signal(signal.SIGTERM, before)
    assert engine.is_interrupted
    assert not late, "the engine slept until something else woke it"
