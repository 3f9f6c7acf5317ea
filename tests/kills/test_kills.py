"""A small campaign: one kill in each phase of a session, one of them in a session gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills.autopsy import leftovers
from tests.kills.campaign import failures, run, table
from tests.kills.room import Room, why_not
from tests.kills.victim import Kill

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

# the first is gone on with; the third comes right after the file appeared, the last while it is packed
KILLS = (
    Kill("clip", 0.6),
    Kill("rest", 0.8),
    Kill("creation", 0.3, trial=0),
    Kill("report", 0.4),
    Kill("packing", 0.3),
)


@pytest.mark.timeout(600)
def test_an_engine_killed_in_any_phase_leaves_a_session_that_is_whole_again_or_none(tmp_path: Path) -> None:
    with Room(tmp_path, listens=False) as room:  # whose microphone would take a minute of waiting
        found = list(run(room, KILLS, resume_every=len(KILLS)))
        print(table(found))
        assert not failures(found, be_patient=True)
        assert found[0].resumed is not None
        assert [each.has_file for each in found if each.kill.phase != "creation"] == [True] * 4
        assert all(each.kept["board"].told > 200 for each in found if each.kill.phase in ("clip", "report"))
        assert len(leftovers(room.study)) <= 1, "but for the last kill's, the next engine swept"
