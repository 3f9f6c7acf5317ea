"""Draw every page of the windows again: `python packaging/screenshots/make.py [FOLDER]`.

Needs a display with fonts (`xvfb-run` will do). The participant's pages are drawn here, the
console's in `console_pages.py` beside this file; the analyst's, of a recording, by `desk_pages.py`.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont, QFontDatabase, QImage, qRgb
from PySide6.QtWidgets import QApplication

from emolab.core.label import STATES
from emolab.gui import theme
from emolab.gui.participant.canvas import StageCanvas
from emolab.protocol import texts
from emolab.session.snapshot import Choice, StageView

SMALL = QSize(1366, 768)
PROTOCOLS = Path(__file__).parents[2] / "protocols"
PAGES = ("consent", "instruct", "rest", "listen", "rate", "pause", "hold", "thanks")
SHOWN_FONT = "Noto Sans CJK SC"  # has all the letters these pictures need, on every machine that makes them


def views(language: str) -> dict[str, StageView]:
    """Every page of the participant's by name, with the shipped texts of a language."""
    t = texts.load(PROTOCOLS / "texts", language)
    choices = tuple(
        Choice(state.key, state.rank, state.words, tuple(t.words[word] for word in state.words))  # type: ignore[arg-type]
        for state in STATES
    )
    found = {}
    for step, page in enumerate(PAGES):
        text: texts.PageText = getattr(t, page)
        found[page] = StageView(page, step, text.title, text.text, text.button, text.hint, text.agree)  # type: ignore[arg-type]
    rate = replace(found["rate"], choices=choices, closes_s=30.0)
    found["rate"] = rate
    found["rate-chosen"] = replace(rate, chosen="less_positive")
    found["rate-word"] = replace(rate, chosen="less_positive", word="excited")
    return found


def participant_pages(out_dir: Path, size: QSize = SMALL, languages: tuple[str, ...] = ("en", "zh")) -> None:
    """Write `participant-PAGE-LANGUAGE.png` for every page into `out_dir`."""
    for language in languages:
        for name, view in views(language).items():
            save(picture(view, size), out_dir / f"participant-{name}-{language}.png")
    canvas = StageCanvas()
    canvas.resize(size)
    canvas.show_waiting()
    save(canvas.grab().toImage(), out_dir / "participant-waiting.png")


def picture(view: StageView, size: QSize) -> QImage:
    """One page as the participant sees it, with a third of the time gone."""
    canvas = StageCanvas()
    canvas.resize(size)
    canvas.show_view(view)
    canvas.set_now(11.0)
    return canvas.grab().toImage()


def save(image: QImage, path: Path) -> None:
    """Write a small PNG: the participant's greys all have the ground's tint, so 256 of them do."""
    tint = QColor(theme.PARTICIPANT.ground)
    red, blue = tint.red() - tint.green(), tint.blue() - tint.green()
    greys = image.convertToFormat(QImage.Format.Format_Grayscale8)
    greys.reinterpretAsFormat(QImage.Format.Format_Indexed8)
    greys.setColorTable([qRgb(max(g + red, 0), g, min(g + blue, 255)) for g in range(256)])
    greys.save(str(path), quality=0)


def main() -> None:
    """All pages into the folder named, or into this one."""
    out_dir = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    out_dir.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    if SHOWN_FONT in QFontDatabase.families():
        app.setFont(QFont(SHOWN_FONT))
    theme.apply(app, "dark")
    participant_pages(out_dir)
    console = Path(__file__).with_name("console_pages.py")
    subprocess.run([sys.executable, str(console), str(out_dir)], check=True)


if __name__ == "__main__":
    main()
