"""Pictures of every page and state of the console, from the fake engine of the tests.

    python packaging/screenshots/console_pages.py OUT [--size 1366x768] [--theme dark] [--only run]

Needs a display (`xvfb-run -a`) for real fonts. The pictures kept beside this file are made with
the defaults, then `optipng` or `pngquant` where there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from emolab.core.settings import Settings
from emolab.gui import app as program
from emolab.gui import theme
from emolab.gui.console.flow import Flow
from emolab.gui.console.memory import Memory
from tests.gui import engine_states as states
from tests.gui.fake_engine import FakeEngine

SETTLE_S = 1.2


def main() -> None:
    """Take the pictures."""
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("out", type=Path)
    cli.add_argument("--size", default="1366x768")
    cli.add_argument("--theme", default="dark", choices=("dark", "light"))
    cli.add_argument("--only", default="")
    options = cli.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    options.out.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    theme.apply(app, options.theme)
    with tempfile.TemporaryDirectory() as folder:
        for name, flow in pages(Path(folder), options.only):
            flow.window.setFixedSize(QSize(width, height) / flow.window.devicePixelRatioF())
            flow.window.show()
            settle(app)
            flow.window.grab().save(str(options.out / f"console-{name}.png"))
            flow.seat.close()
            flow.desk.hang_up()
            flow.window.leave()
            flow.window.deleteLater()
            settle(app, 0.05)


def pages(folder: Path, only: str):
    """Name and console of each picture."""
    study = folder / "emomusic-2026"
    (study / "P013").mkdir(parents=True)
    (study / "P013" / "P013_session-0.h5").touch()
    (study / "devices.toml").touch()

    def console(name: str, snapshot=None) -> Flow | None:
        if only not in name:
            return None
        flow = program.open_console(Settings(), Memory(folder / "memory.json"))
        if snapshot is not None:
            rings = folder / f"rings-{name}"
            rings.mkdir()
            flow._enter(study)
            flow.window.setup.instruments.show_devices(study / "devices.toml")
            flow._has_seated = True
            flow.desk.adopt(FakeEngine(rings, snapshot), study)
            flow._has_seated = True
        return flow

    if flow := console("start-first"):
        flow.begin(None)
        yield "start-first", flow
    if flow := console("start-running"):
        flow.window.start.show_recent(study)
        flow.window.start.show_running(study, states.running())
        yield "start-running", flow
    if flow := console("setup-empty"):
        flow._enter(study)
        flow.use_devices(None)
        yield "setup-empty", flow
    for name, make in states.ALL.items():
        if flow := console(name, make()):
            yield name, flow
    if flow := console("lost", states.running()):
        flow.window.show()
        settle(QApplication.instance(), 0.3)
        flow.desk.bridge._worker._client.alive = False
        yield "lost", flow
    if flow := console("twelve-channels", states.long_names()):
        yield "twelve-channels", flow


def settle(app: QApplication, seconds: float = SETTLE_S) -> None:
    """Let the page run for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        app.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
