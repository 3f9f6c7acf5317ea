"""The script that sets emolab up: broken environments, machines without network, and Ctrl-C."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "packaging" / "bootstrap.py"
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and links of POSIX systems")
ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="apt-get is Linux's")


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script for a checkout that holds nothing but itself, in a path with a space."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return placed(module, tmp_path / "my checkout", monkeypatch)


def placed(module: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The same script, lying in `root`."""
    (root / "packaging").mkdir(parents=True, exist_ok=True)
    for name in ("packaging/constraints.txt", "pyproject.toml"):
        (root / name).write_text("")
    venv = root / ".venv"
    folder = venv / ("Scripts" if sys.platform == "win32" else "bin")
    places = {"ROOT": root, "VENV": venv, "BIN": folder, "STAMP": venv / "stamp"}
    places["CONSTRAINTS"] = root / "packaging" / "constraints.txt"
    places["PYTHON"] = folder / ("python.exe" if sys.platform == "win32" else "python")
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)
    return module


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Nothing is downloaded: an installation only asks whether pip is there. The commands that were run."""
    ran, run = [], subprocess.run

    def instead(command: list[Any], **options: Any) -> subprocess.CompletedProcess[bytes]:
        words = [str(word) for word in command]
        ran.append(words)
        if "emolab.analysis.ready" in words:
            return subprocess.CompletedProcess(words, 0)
        if "install" in words:
            words = [*words[: words.index("install")], "--version"]
        return run(words, **options)

    monkeypatch.setattr(subprocess, "run", instead)
    return ran


@ON_POSIX
def test_an_environment_whose_python_is_gone_is_made_anew(
    bootstrap: ModuleType, offline: list[list[str]]
) -> None:
    bootstrap.BIN.mkdir(parents=True)
    bootstrap.PYTHON.symlink_to("/gone/python")
    bootstrap.make_environment()
    assert bootstrap.PYTHON.exists() and bootstrap.STAMP.exists()


def test_an_environment_that_was_broken_off_before_pip_was_there_is_made_anew(
    bootstrap: ModuleType, offline: list[list[str]]
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bootstrap.VENV], check=True)
    bootstrap.make_environment()
    assert bootstrap.STAMP.exists()


def test_an_environment_that_was_moved_is_made_anew_and_one_that_was_not_is_kept(
    bootstrap: ModuleType, offline: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.make_environment()
    bootstrap.STAMP.unlink()  # as before an update of the libraries
    offline.clear()
    bootstrap.make_environment()
    assert not [words for words in offline if "venv" in words]
    bootstrap.ROOT.rename(bootstrap.ROOT.with_name("renamed"))
    placed(bootstrap, bootstrap.ROOT.with_name("renamed"), monkeypatch)
    bootstrap.make_environment()
    (pip,) = bootstrap.BIN.glob("pip") if sys.platform != "win32" else bootstrap.BIN.glob("pip.exe")
    assert os.fsencode(bootstrap.VENV) in pip.read_bytes()


@ON_LINUX
def test_without_network_it_goes_on_without_what_cannot_be_installed(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fake(tmp_path / "apt-get", "exit 100")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(bootstrap, "is_there", lambda shown_by: False)
    bootstrap.install_system_packages({"libegl1": "EGL"})
    assert "going on without" in capfd.readouterr().out


@ON_LINUX
def test_sudo_is_told_the_proxy_and_that_nobody_answers_questions(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    fake(tmp_path / "sudo", f'exec env -i "PATH={tmp_path}:/usr/bin:/bin" "$@"')
    fake(tmp_path / "apt-get", f'echo "$DEBIAN_FRONTEND $https_proxy" > {told}')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(bootstrap, "is_there", lambda shown_by: False)
    bootstrap.install_system_packages({"libegl1": "EGL"})
    assert told.read_text().strip() == "noninteractive http://proxy:3128"


@ON_LINUX
def test_where_debian_keeps_venv_apart_it_is_installed_too(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    fake(tmp_path / "apt-get", f'echo "$@" > {told}')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name))
    bootstrap.install_system_packages({})
    assert f"python3.{sys.version_info.minor}-venv" in told.read_text()


@ON_POSIX
def test_ctrl_c_leaves_a_session_the_time_to_end_in_order(tmp_path: Path) -> None:
    session = tmp_path / "session.py"
    session.write_text(
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep(1.0)\n    print('ended in order', flush=True)\n    sys.exit(1)\n"
        "signal.signal(signal.SIGINT, end)\nprint('recording', flush=True)\ntime.sleep(30)\n"
    )
    fake(tmp_path / "python", f'exec "{sys.executable}" "{session}"')
    caller = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import bootstrap as b; "
        "b.install_system_packages = lambda packages: None; b.make_environment = lambda: None; "
        "b.PYTHON = Path(sys.argv[2]); sys.exit(b.main(['demo', '--headless']))"
    )
    command = [sys.executable, "-c", caller, str(SCRIPT.parent), str(tmp_path / "python")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "recording\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=30)[0] == "ended in order\n"
    assert process.returncode == 1


def test_an_old_terminal_gets_question_marks_rather_than_an_error(tmp_path: Path) -> None:
    caller = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bootstrap as b; "
        "b.install_system_packages = lambda packages: None; b.demo = lambda rest: 0; "
        "b.make_environment = lambda: print('Setting up …'); sys.exit(b.main(['demo']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", caller, str(SCRIPT.parent)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        timeout=60,
    )
    assert (done.returncode, done.stdout.strip()) == (0, b"Setting up ?")


def fake(program: Path, what: str) -> None:
    """A program of that name that does `what`."""
    program.write_text(f"#!/bin/sh\n{what}\n")
    program.chmod(0o755)
