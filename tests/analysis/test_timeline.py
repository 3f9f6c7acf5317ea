"""One session over time, also when it was resumed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from emolab.analysis.measure import Job, measure
from emolab.analysis.sections.timeline import _planned, steps
from emolab.core import shipped
from emolab.core.event import Event
from emolab.protocol.bank import read_manifest
from emolab.protocol.load import load
from emolab.protocol.session_plan import session_plan
from emolab.protocol.steps import Pause, Play, Rate, Rest
from emolab.recording.reader import Session
from emolab.study.sessions import parts, session_path


def test_what_was_planned_has_its_wash_out_between_opposite_states(tmp_path: Path):
    text = (shipped.folder("protocols") / "emomusic.yaml").read_text(encoding="utf-8")
    text = text.replace("neutral_position: middle", "neutral_position: first").replace("1200", "1260")
    path = tmp_path / "first.yaml"
    path.write_text(text, encoding="utf-8")
    study = load(path)
    plan = session_plan(study, read_manifest(study.bank_path), 1, 0, 0)
    started = Event(0.0, "session_started", data={"trials": [{"state": clip.state} for clip in plan.trials]})
    planned = _planned([started], yaml.safe_load(text), [])
    laid = list(zip(plan.steps, plan.planned_times_s, strict=True))
    zero_s = next(at_s for step, at_s in laid if isinstance(step, Rest))
    for kind, parts_of in (("clip", Play), ("pause", Pause), ("report", Rate)):
        asked = [at_s - zero_s for step, at_s in laid if isinstance(step, parts_of)]
        assert [part.start_s for part in planned if part.kind == kind] == pytest.approx(asked)
    (pause,) = (part for part in planned if part.kind == "pause")
    assert pause.end_s - pause.start_s == study.washout_s == 30.0


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
