"""The command line as a whole: help, exit codes, and what starting it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emolab import __version__
from emolab.cli import main
from emolab.cli.main import VERBS
from tests.cli.command import ROOT, emolab

PEOPLES_VERBS = [verb for verb, (_, what) in VERBS.items() if what]
HEAVY = (
    "PySide6",
    "pyqtgraph",
    "torch",
    "cv2",
    "av",
    "h5py",
    "numpy",
    "scipy",
    "sounddevice",
    "pydantic",
    "yaml",
)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_lists_every_verb_and_the_exit_codes(arguments: list[str]) -> None:
    said = emolab(*arguments)
    assert said.code == 0
    assert all(f"\n  {verb} " in said.out for verb in PEOPLES_VERBS)
    assert "engine" not in said.out, "what the console spawns is not for people"
    assert "exit codes: 0 well; 1" in said.out


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_explains_itself(verb: str) -> None:
    said = emolab(verb, "--help")
    assert said.code == 0
    assert said.out.startswith("usage: emolab ") and not said.err


@pytest.mark.parametrize("word", ["check", "add", "render"])
def test_every_word_of_stimuli_explains_itself(word: str) -> None:
    assert f"usage: emolab stimuli {word}" in emolab("stimuli", word, "--help").out


def test_the_version_is_told() -> None:
    assert emolab("--version").out == f"emolab {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "meant"), [("recrod", "record"), ("plna", "plan"), ("inspct", "inspect"), ("docter", "doctor")]
)
def test_a_misspelt_verb_gets_the_right_one_suggested(typed: str, meant: str) -> None:
    said = emolab(typed)
    assert said.code == 2 and not said.out
    assert said.complaint == f"there is no command {typed!r}; did you mean 'emolab {meant}'?"


def test_a_word_that_resembles_nothing_is_pointed_to_the_help() -> None:
    assert emolab("xyzzy").complaint.endswith("'emolab --help' lists the commands")


@pytest.mark.parametrize("verb", ["plan", "record", "inspect", "recover"])
def test_a_verb_without_its_arguments_is_wrong_use(verb: str) -> None:
    said = emolab(verb)
    assert said.code == 2
    assert "required" in said.err and not said.out


def test_an_error_of_the_system_is_one_line_that_names_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: list[str]) -> int:
        raise PermissionError(13, "Permission denied", str(tmp_path / "x"))

    monkeypatch.setattr("emolab.cli.plan.plan", fail)
    said = emolab("plan")
    assert said.code == 2
    assert said.complaint == f"Permission denied ({tmp_path / 'x'}); EMOLAB_LOG=DEBUG tells more"


def test_a_fault_of_our_own_is_not_dressed_up_as_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolab.cli.plan.plan", lambda _: {}["not there"])
    with pytest.raises(KeyError):
        main.run(["plan"])


def test_help_loads_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys; from emolab.cli import main; main.run(['--help']); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_output_may_be_cut_off_by_its_reader() -> None:
    done = subprocess.run(
        f"{sys.executable} -m emolab plan emomusic --participant 1 --json | head -n 1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_an_old_terminal_gets_question_marks_rather_than_an_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emolab", "stimuli", "--help"],
        cwd=ROOT,
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        timeout=60,
    )
    assert done.returncode == 0 and not done.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux shows them")
def test_numpy_brings_no_threads_of_its_own_that_would_disturb_the_engine() -> None:
    program = (
        "import os; from emolab.cli.main import run; run(['--version']); "
        "import numpy, scipy.linalg; print(len(os.listdir('/proc/self/task')))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert said.stdout.split()[-1] == "1", said.stderr
