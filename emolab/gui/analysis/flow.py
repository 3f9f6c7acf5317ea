"""What happens when something is asked for in the analysis window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from emolab.analysis.labels import analysts
from emolab.core.errors import EmolabError
from emolab.gui.actions import Action
from emolab.gui.analysis.analyser import Analyser
from emolab.gui.analysis.figure_view import FigureView
from emolab.gui.analysis.window import AnalysisWindow
from emolab.gui.errand import tell

if TYPE_CHECKING:
    from emolab.analysis.page import Page

WHAT = (
    "Analyse measures each clip against the participant's rest, tests what the body tells of the states, "
    "and writes the report with its tables and figures. Recordings are only read."
)
REPORTED = ("as participants reported", "reported")


def beside(place: Path) -> Path:
    """Where the analysis of a study or a recording is written when nobody says otherwise."""
    return place.with_name(f"{place.stem}-analysis")


class AnalysisFlow(QObject):
    """One study, or one recording. `out`: where everything is written."""

    _opened = Signal(int, object, str)  # number of the request, Page or None, why not

    def __init__(self, place: Path, out: Path) -> None:
        super().__init__()
        self.place, self.out = place, out
        self.window = AnalysisWindow()
        self.analyser = Analyser(self)
        self._request, self._many, self._folder = 0, "", Path.home()
        self._is_closed = False
        self._connect()
        self._begin()

    def analyse(self) -> None:
        """Measure what is new, then show all of it."""
        if self._many and not self.analyser.is_running:
            self._request += 1  # what is being computed is of before
            self.analyser.start(self.place, self.out, self._options())

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self._is_closed = True
        self._request += 1
        self.analyser.close()

    def _begin(self) -> None:
        from emolab.analysis.study import first_parts

        window = self.window
        window.title.setText(f"Analysis of {self.place.stem}")
        window.setWindowTitle(f"{self.place.stem}: analysis")
        window.where.setText(f"written to {self.out}")
        try:
            found = first_parts(self.place)
        except EmolabError as error:
            window.show_empty(_sentence(str(error)))
            window.allow(go=False, report=False, folder=self.out.is_dir())
            return
        lanes = [(f"as {who} decided", who) for who in analysts(found)]
        window.show_lanes([REPORTED, *lanes], "reported")
        people = len({path.parent for path in found})
        self._many = f"{_count(len(found), 'session')} of {_count(people, 'participant')}."
        self._show_nothing("")
        self._change()

    def _open(self) -> None:
        """Show what was measured before, in a thread: figures of a study take seconds."""
        self._request += 1
        request, place, out, choices = self._request, self.place, self.out, self._choices()
        self.window.show_progress(-1, "computing")

        def work() -> None:
            page, why = None, "The report could not be made."
            try:
                from emolab.analysis.study import opened

                page, why = opened(place, out, **choices), ""
            except (EmolabError, OSError) as error:
                why = _sentence(str(error))
            finally:  # what else is raised is told by the program's last door
                tell(self._opened, request, page, why)

        threading.Thread(target=work, name="analysis", daemon=True).start()

    def _show(self, request: int, page: Page | None, why: str) -> None:
        if request != self._request:
            return
        self.window.show_idle()
        if page is None:
            self._show_nothing(why)
            return
        self.window.show_page(page)
        self._allow()

    def _show_nothing(self, why: str) -> None:
        self.window.show_empty(f"{self._many} {why}".strip() + f"\n\n{WHAT}")
        self._allow()

    def _allow(self) -> None:
        self.window.allow(True, (self.out / "report.html").is_file(), self.out.is_dir())

    def _ended(self, trouble: str) -> None:
        if self._is_closed:
            return
        self.window.show_idle()
        if trouble:
            trouble = _sentence(trouble)
            self.window.notice.say(trouble, "look")
            if self.window.page is None:
                self._show_nothing(trouble)
        self._change()

    def _change(self) -> None:
        """Show it under the present choices: what was measured is enough, unless the labels are others."""
        if not self.analyser.is_running and (self.out / "sessions.json").is_file():
            self._open()

    def _choices(self) -> dict[str, Any]:
        window = self.window
        return {
            "lane": str(window.lane_box.currentData() or "reported"),
            "drop_conflicts": bool(window.drop_box.currentData()),
            "z": str(window.z_box.currentData()),
        }

    def _options(self) -> list[str]:
        choices = self._choices()
        options = ["--labels", choices["lane"], "--z", choices["z"]]
        return [*options, "--drop-conflicts"] if choices["drop_conflicts"] else options

    def _save(self, view: FigureView) -> None:
        name = str(self._folder / f"{view.picture.name}.svg")
        path, _ = QFileDialog.getSaveFileName(
            self.window, "Save the figure: the name's end says the form", name, "Figures (*.svg *.png *.pdf)"
        )
        if not path:
            return
        self._folder = Path(path).parent
        try:
            files = view.save_to(Path(path))
        except OSError as error:
            self.window.notice.say(f"{path} cannot be written ({error.strerror or error}).", "act")
            return
        self.window.notice.say(f"Saved {', '.join(file.name for file in files)}.", "well")

    def _connect(self) -> None:
        window = self.window
        window.analyseRequested.connect(self.analyse)
        window.stopRequested.connect(self.analyser.stop)
        window.choicesChanged.connect(self._change)
        window.reportRequested.connect(lambda: _show_file(self.out / "report.html"))
        window.folderRequested.connect(lambda: _show_file(self.out))
        window.saveRequested.connect(self._save)
        window.left.connect(self.close)
        self.analyser.progressed.connect(window.show_progress)
        self.analyser.ended.connect(self._ended)
        self._opened.connect(self._show)
        window.set_menus(
            {
                "&Analysis": [
                    Action("analyse", "Analyse", "F5", self.analyse),
                    Action("stop", "Stop", "Esc", self.analyser.stop),
                    Action("report", "Open the report", "Ctrl+R", window.reportRequested.emit),
                    Action("folder", "Open the folder", "", window.folderRequested.emit),
                    Action("close", "Close", "Ctrl+W", window.leave),
                ],
                "&Go": [
                    Action("next", "Next section", "Ctrl+Down", self._step(1)),
                    Action("before", "Section before", "Ctrl+Up", self._step(-1)),
                ],
            }
        )

    def _step(self, by: int) -> Callable[[], None]:
        sections = self.window.sections
        return lambda: sections.setCurrentRow(min(max(sections.currentRow() + by, 0), sections.count() - 1))


def _sentence(words: str) -> str:
    """What an error says, as a sentence."""
    words = words[:1].upper() + words[1:] if words.partition(" ")[0].isalpha() else words
    return words if words.endswith(".") else f"{words}."


def _count(many: int, what: str) -> str:
    return f"{many} {what}{'s' if many != 1 else ''}"


def _show_file(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
