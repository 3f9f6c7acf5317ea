"""The command line as a whole: help, exit codes, and what starting it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emolab import __version__
from emolab.cli import demo, display, main
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


def run_in_shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of bash in which `$emolab` is the command, with output buffered as usual."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=ROOT,
        capture_output=True,
        env=clean | {"emolab": f"{sys.executable} -m emolab"} | environment,
        timeout=60,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX systems")
@pytest.mark.parametrize("arguments", ["--help", "plan --help", "data list"])
@pytest.mark.parametrize("buffering", ["", "1"])
def test_a_reader_that_has_gone_is_no_error(arguments: str, buffering: str) -> None:
    done = run_in_shell(f"$emolab {arguments} | exec true", PYTHONUNBUFFERED=buffering)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as Linux has it")
@pytest.mark.parametrize("arguments", ["--help", "plan quick --participant 1"])
def test_output_that_a_full_disk_refuses_is_told_in_one_line(arguments: str) -> None:
    done = run_in_shell(f"$emolab {arguments} > /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith(b"emolab: ") and done.stderr.count(b"\n") == 1
    assert b"No space left" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as POSIX shells do")
def test_streams_that_are_closed_are_as_good_as_empty(tmp_path: Path) -> None:
    study = tmp_path / "study"
    assert run_in_shell(f"$emolab study new {study} >&- 2>&- <&-").returncode == 0
    withdrawn = run_in_shell(f"$emolab study add {study}; $emolab study withdraw {study} P001 <&-")
    assert withdrawn.returncode == 2 and b"say '--yes-erase P001'" in withdrawn.stderr
    said = run_in_shell(f"$emolab study list {study} --json 2>&-")
    assert said.returncode == 0 and json.loads(said.stdout)["participants"][0]["id"] == "P001"


def test_a_word_longer_than_any_name_is_no_command() -> None:
    assert "there is no command" in emolab("a" * 300).complaint


def test_an_answer_that_never_comes_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_: list[str]) -> int:
        raise EOFError

    monkeypatch.setattr("emolab.cli.plan.plan", asked)
    said = emolab("plan")
    assert said.code == 2 and said.complaint == "the input ended where an answer was needed"


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
def test_json_is_whole_where_the_output_cannot_hold_every_sign(tmp_path: Path) -> None:
    study = tmp_path / "Stüdie 中"
    done = run_in_shell(f"$emolab study new '{study}' --json", PYTHONIOENCODING="latin-1")
    assert json.loads(done.stdout)["folder"] == str(study)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays as Linux names them")
def test_a_display_that_does_not_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.setenv(name, ":4711")
        assert not display.has_display()
        assert display.screens() == []
        monkeypatch.delenv(name)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.has_display()


def test_a_demo_of_the_folder_one_stands_in_is_analysed_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study").mkdir()
    monkeypatch.chdir(tmp_path / "study")
    asked: list[list[str]] = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("emolab.cli.analyse.analyse", asked.append)
    demo._look_back(Path("P001/P001_session-0.h5"), checks=True)
    assert str((tmp_path / "study-analysis").resolve()) in asked[0]
