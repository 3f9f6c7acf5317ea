"""The example files of xdf-modules, imported and held against what pyxdf reads in them.

Needs `EMOLAB_REAL_DATA`, a folder with `minimal.xdf`, `clock_resets.xdf` and `empty_streams.xdf` of
xdf-modules/example-files @ 76a6be7 somewhere in it.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.study.xdf.file import safe_name
from emolab.study.xdf.intake import import_xdf

ROOT = os.environ.get("EMOLAB_REAL_DATA")
NAMES = ("minimal", "clock_resets", "empty_streams")
FILES = {name: path for name in NAMES for path in Path(ROOT).rglob(f"{name}.xdf")} if ROOT else {}

pytestmark = pytest.mark.skipif(not FILES, reason="set EMOLAB_REAL_DATA to a folder with XDF's example files")


@pytest.mark.parametrize("name", FILES)
def test_an_example_comes_in_as_pyxdf_reads_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "P001_session-0.h5"
    done = import_xdf(FILES[name], path, "P001", 0)
    assert done.damage == []
    theirs, _ = pyxdf.load_xdf(str(FILES[name]), dejitter_timestamps=False)
    zero_s = min(stream["time_stamps"].min() for stream in theirs if len(stream["time_stamps"]))
    with Session.open(path) as session:
        assert len(session.streams) == len(theirs)
        marks = [event for event in session.events if event.kind == "mark"]
        for other in theirs:
            stream = session.streams[safe_name(other["info"]["name"][0], "?")]
            assert len(stream) == len(other["time_stamps"])
            if not len(stream):
                continue
            np.testing.assert_allclose(stream.times_s(), other["time_stamps"] - zero_s, atol=1e-6)
            if other["info"]["channel_format"] == ["string"]:
                texts = [event.data["text"] for event in marks if event.data["stream"] == stream.name]
                assert texts == [row[0] for row in other["time_series"]]
            else:
                np.testing.assert_array_equal(stream.samples(), other["time_series"])
        assert session.header.devices_text.count("<sample_count>") == len(theirs)
    report = inspect(path)
    assert report["outcome"] == "complete" and len(report["streams"]) >= len(theirs)
    assert done.resets == ({"MyMarkerStream": 1, "BioSemi": 1} if name == "clock_resets" else {})
