"""`emolab review`: which recording a study folder stands for."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from emolab.cli.review import newest
from emolab.core.errors import RecordingError
from tests.recording.made import HEADER
from tests.review.test_merge import recorded


def test_the_newest_session_is_the_one_that_began_last_whichever_file_was_changed(tmp_path: Path) -> None:
    for days, who in enumerate(("P003", "P001", "P002")):
        header = replace(HEADER, participant=who, started_utc=HEADER.started_utc + timedelta(days=days))
        path = recorded(tmp_path / who / f"{who}_session-2.h5", header)
        os.utime(path, (1e9 - days, 1e9 - days))  # copied back from a backup
    assert newest(tmp_path).parent.name == "P002"


def test_files_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "P002" / "P002_session-2.h5"
    broken.parent.mkdir()
    broken.write_bytes(b"no session")
    with pytest.raises(RecordingError, match=r"no session in .* can be read"):
        newest(tmp_path)
    sound = recorded(tmp_path / "P001" / "P001_session-2.h5")
    os.utime(sound, (1e9, 1e9))
    assert newest(tmp_path) == sound
    broken.unlink()
    sound.unlink()
    with pytest.raises(RecordingError, match="there is no session"):
        newest(tmp_path)
