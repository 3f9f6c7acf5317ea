"""A session that broke off goes on in a new file: same order, next clip, the gap on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emolab.core.errors import ConfigError
from emolab.recording.reader import Session
from emolab.session import folder
from emolab.session.prepare import StartRequest, check, lay_out
from tests.cli.command import emolab, finish, start, wait_until
from tests.session.live import BOARD

pytestmark = [pytest.mark.usefixtures("stimuli"), pytest.mark.slow]


def started(path: Path) -> dict[str, Any]:
    with Session.open(path) as session:
        return dict(next(event.data for event in session.events if event.kind == "session_started"))


def played(path: Path, *, live: bool = False) -> list[str]:
    with Session.open(path, live=live) as session:
        return [str(event.data["clip"]) for event in session.events if event.kind == "clip_onset"]


@pytest.fixture(scope="module")
def broken_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose only session was killed in its third clip."""
    for _ in range(5):
        study = tmp_path_factory.mktemp("lab") / "study"
        devices = study.parent / "devices.toml"
        devices.write_text(BOARD)
        arguments = ("quick", "--study", study, "--devices", devices, "--headless", "--speed", 3)
        process = start("record", *arguments, "--participant", "P001", "--answers", "simulated")
        path = folder.session_path(study, "P001", 0)
        try:
            wait_until(path.is_file, "no recording came")
            wait_until(lambda path=path: len(played(path, live=True)) >= 3, "the third clip never came")
        finally:
            process.kill()
            finish(process)
        if len(played(path)) == 3:
            return study
    raise AssertionError("the machine is too busy to kill it in time")


def test_what_is_left_is_laid_out_in_the_same_order(broken_study: Path) -> None:
    request = StartRequest("quick", "P001", resume=True)
    _, _, whole = lay_out(request)
    _, _, left, path = check(request, broken_study)
    assert path.name == "P001_session-0_part-2.h5"
    assert [clip.id for clip in left.trials] == [clip.id for clip in whole.trials][3:]
    assert [step.name for step in left.steps[:2]] == ["instructions", "clip 4 of 5"]
    assert 0 < left.cap_s < whole.cap_s


def test_a_killed_session_goes_on_with_the_next_clip_and_keeps_the_gap(broken_study: Path) -> None:
    arguments = ("quick", "--study", broken_study, "--devices", broken_study.parent / "devices.toml")
    arguments += ("--headless", "--speed", 40, "--participant", "P001", "--answers", "simulated")
    again = emolab("record", *arguments)
    assert again.code == 2 and "can be resumed" in again.err

    resumed = emolab("record", *arguments, "--resume")
    assert resumed.code == 0, resumed.err
    first = folder.session_path(broken_study, "P001", 0)
    assert Path(resumed.out.strip().splitlines()[-1]) == folder.part_path(first, 2)
    _, _, whole = lay_out(StartRequest("quick", "P001"))
    heard = played(first) + played(folder.part_path(first, 2))
    assert heard == [clip.id for clip in whole.trials]
    facts = started(folder.part_path(first, 2))["resumes"]
    assert facts["file"] == first.name and facts["part"] == 2 and facts["trials_before"] == 3
    assert facts["gap_s"] > 0
    assert len(folder.sessions(broken_study)) == 2

    once_more = emolab("record", *arguments, "--resume")
    assert once_more.code == 2 and "did not break off" in once_more.err


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no session 0 to resume"):
        check(StartRequest("quick", "P002", resume=True), tmp_path)
