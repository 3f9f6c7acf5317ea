"""`emolab synctest`: one minute of flashes and clicks, and how late each instrument shows them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from emolab.cli.arguments import parser, print_json, settings
from emolab.cli.display import SIGNS, has_display
from emolab.core.errors import DeviceError

if TYPE_CHECKING:
    from emolab.core.clock import Clock
    from emolab.gui.flash import FlashWindow
    from emolab.session.player import SoundPlayer
    from emolab.session.synctest import Outcome, SyncTest

WHAT = """Flash the participant's screen and play clicks for a minute; say how late each camera,
microphone and wired trigger shows them, how much that varies and whether it drifts.

The screen flashes about once a second: not for people with photosensitive epilepsy.
With --study the first test is kept as the laboratory's baseline, and later ones are judged by it."""


def synctest(arguments: list[str]) -> int:
    """Test the laboratory's timing; exit code 1 when something must be done."""
    cli = parser("synctest", WHAT)
    cli.add_argument("--devices", type=Path, required=True, metavar="FILE", help="device file (TOML)")
    cli.add_argument("--study", type=Path, metavar="DIR", help="study folder, which keeps the baseline")
    cli.add_argument("--seconds", type=float, default=60.0, metavar="N", help="how long (default: 60)")
    cli.add_argument("--headless", action="store_true", help="no flashes: clicks only")
    cli.add_argument("--silent", action="store_true", help="no clicks: flashes only")
    cli.add_argument("--screen", metavar="NAME", help="which screen flashes (default: the participant's)")
    cli.add_argument(
        "--trigger", action="append", default=[], metavar="STREAM/CHANNEL=flash",
        help="a channel wired to the screen (=flash) or the sound (=click); others are found by themselves",
    )  # fmt: skip
    cli.add_argument("--save", action="store_true", help="make this the baseline")
    cli.add_argument("--json", action="store_true", help="facts as JSON")
    options = cli.parse_args(arguments)

    from emolab.core.clock import SessionClock
    from emolab.devices import config
    from emolab.session import folder
    from emolab.session.synctest import SyncTest, Trigger
    from emolab.session.synctest_report import Baseline, judge, report, table

    device_file = config.load(options.devices)
    triggers = [Trigger.parse(text) for text in options.trigger]
    baseline = Baseline(folder.make(options.study)) if options.study is not None else None
    notes: list[str] = []
    window = _window(options.screen, notes) if not options.headless else None
    if options.headless:
        notes.append("No flashes were asked for, so cameras were not tested.")
    if options.silent:
        notes.append("No clicks were asked for, so microphones were not tested.")
    clock = SessionClock()
    player = _sound(clock, notes) if not options.silent else None
    try:
        sources = config.build(device_file, clock)
        outcome = _run(SyncTest(sources, clock, player, window, triggers, options.seconds), window)
    finally:
        if player is not None:
            player.close()
    facts = report(outcome, options.seconds, device_file.path, device_file.text, notes)
    judged = judge(facts, baseline.facts if baseline is not None else None)
    is_new = baseline is not None and baseline.keep(judged, as_baseline=options.save)
    if options.json:
        print_json({**judged, "is_baseline": is_new})
    else:
        print(table(judged, SIGNS))
        if baseline is not None:
            print(f"{'Kept as the baseline' if is_new else 'Kept'}: {baseline.path}")
    return 1 if judged["level"] == "act" else 0


def _run(test: SyncTest, window: FlashWindow | None) -> Outcome:
    """The test, here or beside the window's loop; Ctrl-C ends it early and in order."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, lambda *_: test.stop()) for number in numbers}
    print("Testing; Ctrl-C or Esc ends it early …", file=sys.stderr, flush=True)
    try:
        return test.run() if window is None else window.during(test.run, test.stop)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _window(screen: str | None, notes: list[str]) -> FlashWindow | None:
    """The window that flashes; None without a display, which the notes then say."""
    if not has_display():
        notes.append("No flashes: there is no display, so cameras were not tested.")
        return None
    from emolab.gui.flash import FlashWindow

    window = FlashWindow.open(screen)
    if window.sentence:
        notes.append(window.sentence)
    return window


def _sound(clock: Clock, notes: list[str]) -> SoundPlayer | None:
    """The sound output; None when there is none, which the notes then say."""
    from emolab.session.player import SoundPlayer

    try:
        return SoundPlayer(clock, settings().sound)
    except DeviceError as error:
        notes.append(f"No clicks: {error}.")
        return None
