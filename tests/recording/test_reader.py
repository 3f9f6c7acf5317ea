"""What the reader says of a file that it cannot read, or that is none."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from emolab.core.errors import RecordingError
from emolab.recording import layout
from emolab.recording.reader import Session
from tests.training import listened


def test_a_file_whose_end_is_cut_off_is_called_by_its_name(tmp_path: Path) -> None:
    path = listened.record(tmp_path / "Prüfung_session-0.h5", listened.CLIPS * 20)
    with h5py.File(path) as file:
        at = file[layout.group("board")][layout.SAMPLES].id.get_chunk_info(0).byte_offset
    with path.open("rb+") as file:
        file.truncate(at + 100)
    with pytest.raises(RecordingError) as said, Session.open(path) as session:
        session.streams["board"].values(0)
    assert str(said.value).startswith(f"{path}: rows 0 to ") and "FileIO" not in str(said.value)
