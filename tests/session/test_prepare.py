"""What is known of a session before it starts."""

from __future__ import annotations

from pathlib import Path

from emolab.session.prepare import Prepared, StartRequest, check
from emolab.study.consent import Version

DEVICES = """[[instrument]]
kind = "rgb_camera"
name = "face"
source = {source}  # the lab's, ask user@lab.org

[[instrument]]
kind = "physiokit"
name = "board"
port = "COM3"
"""


def test_no_session_file_holds_the_password_of_a_camera(tmp_path: Path) -> None:
    request = StartRequest("quick", "P001")
    study, _, plan, path = check(request, tmp_path)
    prepared = Prepared(request, study, study.text(None), plan, path, Version("en", 1, "", ""))
    text = DEVICES.format(source='"rtsp://lab:hunter2@10.0.0.5/s"')
    header = prepared.header("lab", text, 1.0)
    assert header.devices_text == DEVICES.format(source='"rtsp://10.0.0.5/s"')
