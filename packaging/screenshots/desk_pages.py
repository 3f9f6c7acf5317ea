"""Pictures of the analyst's windows, from a recording of one's own: `emolab demo` leaves one.

    xvfb-run -a python packaging/screenshots/desk_pages.py SESSION OUT [--size 1366x768] [--theme dark]
        [--run RUN] [--clip 3] [--only X]

`SESSION` is only read; labels lie beside it, and a copy of the study is a good thing to give. `review` is
the desk in a clip, `review-classifier` with the lane of the last classifier on top,
`review-classifier-choice` the dialog of F6 (with `--run`, of that run), `review-card` what K shows,
`review-check` all verdicts of the face, `review-agreement` how far lanes agree; `analysis` needs what
`emolab analyse` wrote beside the study.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QWidget

from emolab.gui import theme
from emolab.gui.analysis.flow import AnalysisFlow, beside
from emolab.gui.review.classifier_dialog import ClassifierDialog
from emolab.gui.review.flow import ReviewFlow
from emolab.gui.review.menus import menus
from emolab.training.opened import DEFAULT
from tests.gui.windows import settle

SETTLE_S = 1.5
NOBODYS_SOUND = "no such output"  # a picture is silent
Pages = Iterator[tuple[str, QWidget]]


def main() -> None:
    """Take the pictures."""
    cli = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    cli.add_argument("session", type=Path)
    cli.add_argument("out", type=Path)
    cli.add_argument("--size", default="1366x768")
    cli.add_argument("--theme", default="dark", choices=("dark", "light"))
    cli.add_argument("--run", default=DEFAULT, help="the classifier that the dialog shows")
    cli.add_argument("--clip", type=int, default=3, help="at which the desk stands")
    cli.add_argument("--analyst", default="anna")
    cli.add_argument("--only", default="", help="only pictures with this in their name")
    options = cli.parse_args()
    width, height = (int(number) for number in options.size.split("x"))
    options.out.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    theme.apply(app, options.theme)
    for draw in (review, analysis):
        for name, window in draw(app, options, QSize(width, height)):
            settle(SETTLE_S)
            if options.only in name:
                window.grab().save(str(options.out / f"{name}.png"))


def review(app: QApplication, options: argparse.Namespace, size: QSize) -> Pages:
    """The desk, and what it opens."""
    flow = ReviewFlow(options.session.resolve(), options.analyst, sound=NOBODYS_SOUND)
    window = flow.window
    window.set_menus(menus(flow))
    window.setFixedSize(size / window.devicePixelRatioF())
    window.show()
    flow.line.wait()
    settle(SETTLE_S)  # what was read first is shown then
    clip = next((one for one in flow.trials if one.number == options.clip), flow.trials[0])
    flow.seek(clip.start_s + 0.3 * (clip.end_s - clip.start_s))
    length_s = clip.end_s - clip.start_s
    flow.span.show(clip.start_s - 2.5 * length_s, clip.end_s + 3.5 * length_s)
    yield "review", window
    flow.show_clip()
    yield "review-classifier", window
    header = flow.line.session.header
    dialog = ClassifierDialog(flow.recording, header.participant, options.run, header.study, window)
    dialog.show()
    yield "review-classifier-choice", dialog
    dialog.close()
    for name, opened in (
        ("review-card", flow.show_card),
        ("review-check", flow.show_checks),
        ("review-agreement", flow.show_agreement),
    ):
        yield from _dialogs(app, name, opened)
    window.close()
    flow.close()


def _dialogs(app: QApplication, name: str, open_it: Callable[[], object]) -> Pages:
    """The windows that come when something is asked for, and go again."""
    before = {one for one in app.topLevelWidgets() if one.isVisible()}
    open_it()
    settle(SETTLE_S)
    for one in app.topLevelWidgets():
        if one.isVisible() and one not in before:
            yield name, one
            one.close()


def analysis(app: QApplication, options: argparse.Namespace, size: QSize) -> Pages:
    """The analysis of the recording's study, as far as it was computed."""
    study = options.session.resolve().parents[1]
    if not beside(study).is_dir():
        return
    flow = AnalysisFlow(study, beside(study))
    flow.window.setFixedSize(size / flow.window.devicePixelRatioF())
    flow.window.show()
    yield "analysis", flow.window
    flow.window.close()
    flow.close()


if __name__ == "__main__":
    main()
