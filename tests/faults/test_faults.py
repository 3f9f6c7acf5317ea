"""Each line of the table of faults, run against the real engine.

Those of the sessions `unplug`, `noise` and `sound` run always; with EMOLAB_CAMPAIGN=1 all of them do.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import laboratory
from tests.faults import sessions, shift
from tests.faults.room import Evidence
from tests.faults.table import FAULTS, Fault
from tests.simulators import sound_server

ALWAYS = ("unplug", "noise", "sound")
MEASURED = [fault for fault in FAULTS if fault.check is not None]

pytestmark = pytest.mark.slow


def why_not(session: str) -> str:
    """Why this session cannot be run here; empty when it can."""
    if session not in ALWAYS and not os.environ.get("EMOLAB_CAMPAIGN"):
        return "part of the campaign: EMOLAB_CAMPAIGN=1, or python -m tests.faults"
    if not hasattr(os, "openpty"):
        return "needs pseudo-terminals"
    if session in ("unplug", "stall"):
        pytest.importorskip("pylsl")
    if session == "frozen":
        return laboratory.why_not()
    if session in ("sound", "stall"):
        return sound_server.why_not() or shift.why_not()
    return ""


@pytest.fixture(scope="module")
def evidence_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Evidence]:
    """What a session left; it is run when its first fault asks for it."""
    known: dict[str, Evidence | BaseException] = {}

    def run(session: str) -> Evidence:
        if session not in known:
            try:
                folder: Path = tmp_path_factory.mktemp(session)
                known[session] = getattr(sessions, session)(folder / "room")
            except Exception as error:
                known[session] = error
        found = known[session]
        if isinstance(found, BaseException):
            raise AssertionError(f"session {session} did not come to its end") from found
        return found

    return run


@pytest.mark.parametrize("fault", MEASURED, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_lived_through_and_told(fault: Fault, evidence_of: Callable[[str], Evidence]) -> None:
    if reason := why_not(fault.session):
        pytest.skip(reason)
    assert fault.check is not None
    found = fault.check(evidence_of(fault.session))
    print(f"{fault.name}: {found.told}; back after {found.recovered_s}")


def test_every_fault_of_the_table_is_covered_somewhere() -> None:
    root = Path(__file__).parents[2]
    for fault in FAULTS:
        if fault.check is None:
            path, _, test = fault.session.partition("::")
            assert f"def {test}(" in (root / path).read_text(encoding="utf-8"), fault.session
        else:
            assert hasattr(sessions, fault.session), fault.session
