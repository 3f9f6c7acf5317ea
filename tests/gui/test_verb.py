"""A verb as a child: what it says last is what the window says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from emolab.gui.analysis.analyser import Analyser
from emolab.gui.review.checker import Checker
from emolab.gui.verb import Verb
from tests.gui.review_room import until


class Analysing(Verb):
    """A child that answers with 0 and 1, as `emolab analyse` does."""

    what = "the work"
    answers_with = (0, 1)

    def trouble(self, told: dict[str, str]) -> str:
        return told["trouble"]


def ending(program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """What a window hears of a child that runs `program` in place of emolab."""
    package = tmp_path / "emolab"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(f"import os, signal, sys\n{program}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    child, heard = Analysing(), list[object]()
    child.progressed.connect(lambda percent, what: heard.append((percent, what)))
    child.ended.connect(heard.append)
    child.run(["work"])
    until(lambda: not child.is_running)
    return heard


TOLD = 'print(\'{"trouble": "P02 cannot be read"}\')'


@pytest.mark.parametrize(
    ("program", "last"),
    [
        ('print(\'{"trouble": ""}\')', ""),
        (f"{TOLD}; sys.exit(1)", "P02 cannot be read"),
        ("print('emolab: no such study', file=sys.stderr); sys.exit(2)", "no such study"),
        ("sys.stderr.write('\\r  9% of it\\r   \\remolab: no space left\\n'); sys.exit(2)", "no space left"),
        (
            "sys.stderr.write('\\r 10% of it'); raise RuntimeError('never foreseen')",
            "RuntimeError: never foreseen",
        ),
        (
            "sys.stderr.write('\\r 10% of it'); sys.stderr.flush(); os._exit(1)",
            "The work ended without a word (code 1).",
        ),
        ("sys.exit(3)", "The work ended without a word (code 3)."),
    ],
)
def test_the_last_word_of_a_child_is_told(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, last: str
) -> None:
    heard = ending(program, monkeypatch, tmp_path)
    assert heard[-1] == last and heard.count(last) == 1
    assert heard[0] == (0, "starting")


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_child_that_was_killed_has_not_answered(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # by its number it would be an answer; where a test runs under nohup, hanging up is ignored
    program = f"{TOLD}; sys.stdout.flush(); signal.signal(1, signal.SIG_DFL); os.kill(os.getpid(), 1)"
    assert ending(program, monkeypatch, tmp_path)[-1] == "The work ended without a word (code 1)."


@pytest.mark.parametrize(("kind", "what"), [(Analyser, "the analysis"), (Checker, "the check")])
def test_a_child_that_cannot_be_started_says_so_and_runs_no_more(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: type[Verb], what: str
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    child, ends = kind(), list[str]()
    child.ended.connect(ends.append)
    child.run(["doctor"])
    until(lambda: bool(ends))
    assert len(ends) == 1 and ends[0].startswith(f"{what} could not be started: ")
    assert not child.is_running
    child.stop()
    child.close()


def test_an_answer_of_another_shape_is_none(qapp: QApplication) -> None:
    with pytest.raises(TypeError):
        Analyser().trouble(None)
    with pytest.raises(KeyError):
        Checker().trouble({"problem": None})
    assert Analyser().way(50, "P01") == 40 and Analyser().way(50, "drawing hr") == 90
