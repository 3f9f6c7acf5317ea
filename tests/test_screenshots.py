"""The pictures of all pages can still be drawn: what the README and the design show is made by this."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

FOLDER = Path(__file__).parents[1] / "packaging" / "screenshots"


@pytest.mark.slow
def test_every_page_is_drawn_anew(tmp_path: Path) -> None:
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen")
    done = subprocess.run(
        [sys.executable, FOLDER / "make.py", tmp_path],
        env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    drawn = {path.name: QImage(str(path)) for path in tmp_path.glob("*.png")}
    shown = {path.name for path in FOLDER.glob("*.png")} - {
        "review.png",
        "analysis.png",
        "console-run-light.png",
    }
    assert shown <= drawn.keys()
    assert all(image.width() >= 640 for image in drawn.values())
