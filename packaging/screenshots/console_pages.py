"""Pictures of every page and state of the console, from the fake engine of the tests.

    xvfb-run -a python packaging/screenshots/console_pages.py OUT [--size 1366x768] [--theme dark] [--only X]

With QT_SCALE_FACTOR=2 and --size 3840x2160 it shows a 4K screen at 200 %. The pictures kept
beside this file were made with the defaults, `console-run-light` with `--theme light`, and made
small with `mogrify -colors 128 +dither`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QApplication

from emolab.core.settings import Settings
from emolab.gui import app as program
from emolab.gui import theme
from emolab.gui.bridge import Bridge
from emolab.gui.console.flow import Flow
from emolab.gui.console.memory import Memory
from emolab.gui.screens import ScreenFact
from tests.gui import engine_states as states
from tests.gui.fake_engine import FakeEngine
from tests.gui.windows import settle

SETTLE_S = 1.2
SHOWN_STUDY = Path("/home/lab/emomusic-2026")
SCREENS = [
    ScreenFact("EXP", QRect(0, 0, 1366, 768), True, 1.0),
    ScreenFact("PART", QRect(1366, 0, 1920, 1080), False, 1.0),
]
PICTURES = {
    "setup": states.setup,
    "setup-loading": states.loading,
    "setup-red": states.one_red,
    "run": states.running,
    "run-report": states.reporting,
    "run-paused": states.paused,
    "run-holding": states.holding,
    "run-red": states.unwell,
    "run-crowded": states.long_names,
    "finish": states.finished,
    "finish-look": lambda: states.finished(False),
    "failed": states.failed,
    "lost": states.running,
}


def main() -> None:
    """Take the pictures."""
    cli = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    cli.add_argument("out", type=Path)
    cli.add_argument("--size", default="1366x768")
    cli.add_argument("--theme", default="dark", choices=("dark", "light"))
    cli.add_argument("--only", default="", help="only pictures with this in their name")
    options = cli.parse_args()
    width, height = (int(number) for number in options.size.split("x"))
    options.out.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    theme.apply(app, options.theme)
    with tempfile.TemporaryDirectory() as folder:
        for name, flow in consoles(Path(folder), options.only):
            flow.window.setFixedSize(QSize(width, height) / flow.window.devicePixelRatioF())
            flow.window.show()
            settle(SETTLE_S)
            flow.window.grab().save(str(options.out / f"console-{name}.png"))
            flow.window.leave()


def consoles(folder: Path, only: str) -> Iterator[tuple[str, Flow]]:
    """Name and console of each picture."""

    def console() -> Flow:
        flow = program.open_console(Settings(), Memory(folder / "memory.json"))
        study = folder / SHOWN_STUDY.name
        (study / "P013").mkdir(parents=True, exist_ok=True)
        (study / "P013" / "P013_session-0.h5").touch()
        flow.enter(study)
        flow.window.setup.room.want_screen("PART")
        flow.window.setup.room.show_screens(SCREENS)
        return flow

    if only in "start":
        flow = console()
        flow.window.start.show_recent(None)
        flow.window.show_page("start")
        yield "start", flow
    if only in "start-running":
        flow = console()
        flow.window.start.show_recent(SHOWN_STUDY)
        flow.window.start.show_running(SHOWN_STUDY, states.running())
        flow.window.show_page("start")
        yield "start-running", flow
    if only in "setup-empty":
        flow = console()
        flow.use_devices(None)
        yield "setup-empty", flow
    if only in "preflight":
        flow = watched(console(), states.checked(), folder / "preflight", dies=False)
        flow.window.setup.open_checks()
        yield "preflight", flow
    for name, state in PICTURES.items():
        if only in name:
            yield name, watched(console(), state(), folder / name, dies=name == "lost")


def watched(flow: Flow, snapshot: states.Snapshot, rings: Path, *, dies: bool) -> Flow:
    """A console before a fake engine in a state; one that `dies` after its first word."""
    rings.mkdir()
    engine = FakeEngine(rings, snapshot)
    bridge = Bridge(engine, parent=flow)
    flow.window.setup.instruments.show_devices(SHOWN_STUDY / "devices.toml")
    flow.window.watch(bridge)
    bridge.snapshotChanged.connect(flow.window.show_snapshot)
    bridge.engineLost.connect(lambda reason: flow.window.show_loss(reason, bridge.snapshot))
    flow.window.left.connect(bridge.close)
    if dies:
        bridge.snapshotChanged.connect(lambda _snapshot: setattr(engine, "alive", False))
    return flow


if __name__ == "__main__":
    main()
