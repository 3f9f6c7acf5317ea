"""SIGINT and SIGTERM end a session in order: a whole file, marked as interrupted, its path printed last."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.session.client import find_engine
from tests.cli.command import PATIENCE_S, emolab, finish, simulated, start, wait_until

pytestmark = [
    pytest.mark.usefixtures("stimuli"),
    pytest.mark.skipif(os.name == "nt", reason="Windows has no signals between processes"),
]


def wait_for_samples(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if path.is_file() and path.stat().st_size > 0:
            try:
                with Session.open(path, live=True) as session:
                    if len(session.streams["board"]) > 1000:
                        return
            except OSError:
                pass  # still being made
        time.sleep(0.05)
    raise AssertionError(f"nothing was recorded in {path}")


def has_windows(process: subprocess.Popen[str]) -> bool:
    """Whether Qt is up there, as Linux shows it."""
    loaded = Path(f"/proc/{process.pid}/maps")
    return not loaded.exists() or "libqoffscreen" in loaded.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_recording_in_order(tmp_path: Path, number: signal.Signals) -> None:
    study = tmp_path / "study"
    process = start(
        "record", "quick", "--study", study, "--participant", "P001", "--devices", simulated(tmp_path),
        "--headless", "--speed", "5", "--answers", "simulated",
    )  # fmt: skip
    path = study / "P001" / "P001_session-0.h5"
    try:
        wait_for_samples(path, process)
        process.send_signal(number)
        said = finish(process)
    finally:
        process.kill()
    assert (said.code, said.last) == (1, str(path)), said.err
    assert "interrupted" in said.out
    facts = inspect(path)
    assert facts["outcome"] == "interrupted" and facts["streams"][0]["samples"] > 1000
    assert facts["trials"]["done"] + facts["trials"]["skipped"] == 5
    assert emolab("recover", path).out.strip().endswith("is sound; nothing was changed.")
    assert not (study / ".emolab" / "engine.json").exists(), "the study is free for the next session"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_session_in_windows_too(tmp_path: Path, number: signal.Signals) -> None:
    study = tmp_path / "study"
    arguments = ("demo", "--protocol", "quick", "--speed", "1.5", "--out", study)
    process = start(*arguments, QT_QPA_PLATFORM="offscreen")
    path = study / "P001" / "P001_session-0.h5"
    try:
        wait_for_samples(path, process)
        wait_until(lambda: has_windows(process), "the windows never came up")
        process.send_signal(number)
        said = finish(process)
    finally:
        process.kill()
    assert (said.code, said.last) == (1, str(path)), said.err
    assert inspect(path)["outcome"] == "interrupted"
    assert find_engine(study) is None, "no engine is left behind"


def test_a_signal_before_the_recording_begins_leaves_nothing_behind(tmp_path: Path) -> None:
    study, clips = tmp_path / "study", tmp_path / "no clips yet"
    process = start(
        "record", "quick", "--study", study, "--participant", "P001", "--devices", simulated(tmp_path),
        "--headless", "--speed", "40", EMOLAB_STIMULI=str(clips),
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Composing 5 clips, once")
        process.send_signal(signal.SIGTERM)
        said = finish(process)
    finally:
        process.kill()
    assert said.code == 2 and not said.out
    assert said.err.splitlines()[-1] == "emolab: stopped before the recording began; nothing was written"
    assert not list(study.glob("**/*.h5"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_before_the_windows_come_up_leaves_no_engine_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    study, clips = tmp_path / "study", tmp_path / "no clips yet"
    process = start(
        "demo", "--protocol", "quick", "--out", study,
        QT_QPA_PLATFORM="offscreen", EMOLAB_STIMULI=str(clips),
    )  # fmt: skip
    try:
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith("Composing the clips, once"):
            assert line, "it ended"
        process.send_signal(number)
        said = finish(process)
    finally:
        process.kill()
    assert said.code == 130 and "Traceback" not in said.err
    wait_until(lambda: find_engine(study) is None, "the engine goes on")
    assert not list(study.glob("**/*.h5")) and not list(clips.glob("**/*.part"))
