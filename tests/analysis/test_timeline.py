"""One session over time, also when it was resumed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from emolab.analysis.measure import Job, measure
from emolab.analysis.sections.timeline import steps
from emolab.recording.reader import Session
from emolab.study.sessions import parts, session_path


def test_steps_of_a_later_part_come_after_those_of_the_first(study_of: Callable[..., Path]):
    study = study_of("P001", "P002")
    first, other = (session_path(study, who, 0) for who in ("P001", "P002"))
    planned, alone = steps([first])
    with Session.open(first) as one, Session.open(other) as two:
        later = two.header.started_utc - one.header.started_utc
    assert later > timedelta(0)
    shutil.move(other, first.with_name("P001_session-0_part-2.h5"))
    together, actual = steps(parts(first))
    assert together == planned
    assert actual[: len(alone)] == alone
    assert actual[len(alone)].start_s == pytest.approx(later.total_seconds(), abs=60)
    assert [part.start_s for part in actual] == sorted(part.start_s for part in actual)
    rows = measure(Job(first)).rows
    assert [row["file"] for row in rows] == [path.name for path in parts(first) for _ in range(15)]
