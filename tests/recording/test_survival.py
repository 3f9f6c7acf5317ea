"""A session survives the death of its process, a full disk, and readers who come early."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from emolab.core.errors import RecordingError, SchemaMismatch
from emolab.core.event import Event
from emolab.recording import recover as recover_module
from emolab.recording import writer as writer_module
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.recover import from_journal, recover, text, was_cut_off
from emolab.recording.writer import SessionWriter
from tests.recording.made import BOARD, CAMERA, HEADER, THERMAL, chunk, number
from tests.recording.victim import RATES_HZ


@contextmanager
def victim(path: Path) -> Iterator[subprocess.Popen[str]]:
    """The recording process, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.recording.victim", str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def told_until(process: subprocess.Popen[str], time_s: float) -> float:
    """Wait until it says that it has come so far; where it is then."""
    assert process.stdout is not None
    while (line := process.stdout.readline()) and float(line) < time_s:
        pass
    assert line, "it died"
    return float(line)


def offered_until_s(process: subprocess.Popen[str]) -> float:
    """Kill the process; how far it had come, by its own words."""
    process.kill()
    assert process.stdout is not None
    said = process.stdout.read().split("\n")[:-1]  # the last line may be torn
    return float(said[-1]) if said else 0.0


def check(session: Session, offered_s: float) -> float:
    """Nothing is wrong; how much of what was offered is missing, in seconds."""
    lost_s = []
    board, thermal = session.streams["board"], session.streams["thermal"]
    for name, stream in session.streams.items():
        rate_hz = RATES_HZ[name]
        np.testing.assert_allclose(stream.times_s(), np.arange(len(stream)) / rate_hz, atol=1e-6)
        lost_s.append(offered_s - (len(stream) + 1) / rate_hz)
    assert len(board.samples()) == len(board)
    assert len(thermal.samples()) == len(thermal)
    if len(thermal):
        first = chunk(THERMAL, 0, 1, 9.0).samples
        np.testing.assert_array_equal(thermal.samples(0, 1), first)
    video = session.video("camera")
    numbers = [number(pixels) for _, pixels in video.frames(max(0, len(video) - 40))]
    assert numbers == [index % 100 for index in range(max(0, len(video) - 40), len(video))]
    marks = session.events
    assert [event.data["text"] for event in marks] == [f"{event.time_s:.3f}" for event in marks]
    return max([*lost_s, offered_s - (marks[-1].time_s if marks else 0.0)])


@pytest.mark.parametrize("trial", range(3))
def test_a_killed_recording_keeps_all_but_the_last_second(tmp_path: Path, trial: int) -> None:
    path = tmp_path / "s.h5"
    with victim(path) as process:
        # blocks of 1024 rows fill at 1.02 and 2.05 s
        offered_s = told_until(process, random.Random(trial).uniform(0.3, 2.5))
        offered_s = max(offered_s, offered_until_s(process))
    with Session.open(path) as session:
        assert not session.finished
        lost_s = check(session, offered_s)
        assert lost_s < 1.0
        rows = {name: len(stream) for name, stream in session.streams.items()}
    assert inspect(path)["verdict"] == "bad"
    if trial == 0:  # the file alone, moved to another computer
        (tmp_path / ".s.h5.journal").unlink()
    report = recover(path)
    assert report["mended"]
    mended = {stream["name"]: stream["samples"] for stream in report["streams"]}
    assert all(mended[name] >= count for name, count in rows.items())
    assert mended == rows or trial
    assert "is whole again" in text(report)
    with h5py.File(path) as file:  # an ordinary file now
        assert file["outcome"][0] == b"interrupted"
    with Session.open(path) as session:
        assert check(session, offered_s) <= lost_s
        assert session.recovery["outcome_found"] == "recording"
        assert inspect(path)["recovery"]
    with Session.open(tmp_path / "s.damaged.h5") as session:
        assert check(session, offered_s) == lost_s
    assert sorted(file.name for file in tmp_path.iterdir()) == ["s.damaged.h5", "s.h5"]


DIES_WHILE_MAKING = """
import os, signal, sys
from pathlib import Path
from emolab.recording import layout
from emolab.recording.writer import SessionWriter
from tests.recording.made import BOARD, CAMERA, HEADER

make, left = layout.make_stream, [int(sys.argv[2])]

def die(*arguments):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return make(*arguments)

layout.make_stream = die
SessionWriter(Path(sys.argv[1]), HEADER).open([BOARD, CAMERA])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not rename open files")
@pytest.mark.parametrize("streams", [0, 1, 2])
def test_a_process_killed_while_it_makes_the_file_leaves_a_session_or_none(
    tmp_path: Path, streams: int
) -> None:
    path = tmp_path / "P001" / "s.h5"
    died = subprocess.run(
        [sys.executable, "-c", DIES_WHILE_MAKING, str(path), str(streams)], cwd=Path(__file__).parents[2]
    )
    assert died.returncode == -signal.SIGKILL
    if streams == 2:  # it was made to its end
        assert recover(path)["mended"]
        with Session.open(path) as session:
            assert [len(stream) for stream in session.streams.values()] == [0, 0]
        return
    assert not path.exists()
    writer = SessionWriter(path, HEADER)  # the next attempt is not held up, and sweeps
    writer.open([BOARD])
    assert [file.name for file in path.parent.iterdir()] == ["s.h5"]
    writer.write(chunk(BOARD, 0, 1500, 1000.0))
    assert writer.saved == {}
    writer.flush()
    assert writer.saved == {"board": 1500}
    writer.close()


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path, monkeypatch) -> None:
    def make(writer: SessionWriter, streams: object) -> None:
        made(writer, streams)
        writer.path.write_text("another's")

    made = SessionWriter._make
    monkeypatch.setattr(SessionWriter, "_make", make)
    with pytest.raises(RecordingError, match="exists already and is never overwritten"):
        SessionWriter(tmp_path / "s.h5", HEADER).open([BOARD])
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("s.h5", "another's")]


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not here")

    monkeypatch.setattr(os, "link", refuse)
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 1500, 1000.0))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        assert len(session.streams["board"].samples()) == 1500
    with pytest.raises(RecordingError, match="exists already"):
        SessionWriter(tmp_path / "s.h5", HEADER).open([BOARD])
    assert [file.name for file in tmp_path.iterdir()] == ["s.h5"]


def test_another_process_reads_along_and_is_not_allowed_to_mend(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    with victim(path) as process:
        with Session.open(path, live=True) as session:
            board = session.streams["board"]
            before = len(board)
            deadline = time.monotonic() + 60
            while len(board) < before + 2500 and time.monotonic() < deadline:
                session.refresh()
                np.testing.assert_allclose(board.times_s(), np.arange(len(board)) / 1000, atol=1e-6)
                assert len(board.samples(max(0, len(board) - 1500))) == min(len(board), 1500)
                time.sleep(0.05)
            assert len(board) >= before + 2500
            video = session.video("camera")
            assert number(video.frame(len(video) - 1)[1]) == (len(video) - 1) % 100
        with pytest.raises(RecordingError, match="is being recorded at this moment"):
            recover(path)
        offered_s = offered_until_s(process)
    with Session.open(path) as session:
        check(session, offered_s)


def test_everything_flushed_is_there_when_the_next_block_was_on_its_way(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 1000, 1000.0))
    writer.flush()
    writer.write(chunk(BOARD, 1000, 5000, 1000.0))  # four blocks go to the file, none is committed yet
    with Session.open(tmp_path / "s.h5", live=True) as session:
        board = session.streams["board"]
        assert len(board) == 1000
        np.testing.assert_array_equal(board.samples(), chunk(BOARD, 0, 1000, 1000.0).samples)
        writer.flush()
        assert len(board) == 1000  # what was handed out does not change
        np.testing.assert_array_equal(board.samples(), chunk(BOARD, 0, 1000, 1000.0).samples)
        session.refresh()
        assert len(board) == 6000
        np.testing.assert_array_equal(board.samples(990, 1010)[:10], board.samples(0, 1000)[990:])
    writer.close()


def fill_until_it_breaks(writer: SessionWriter) -> int:
    """Rows flushed before the writer raised; raises `AssertionError` when it never does."""
    writer.open([BOARD, CAMERA])
    flushed = 0
    with pytest.raises(RecordingError, match="free some space"):
        for first in range(0, 200_000, 500):
            writer.write(chunk(BOARD, first, 500, 1000.0))
            writer.mark(Event(first / 1000, "mark"))
            writer.flush()
            flushed = first + 500
    return flushed


def test_a_full_disk_ends_the_recording_and_what_was_flushed_stays(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))
    try:
        flushed = fill_until_it_breaks(writer)
        writer.close("interrupted")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert flushed > 10_000
    assert recover(tmp_path / "s.h5")["mended"]
    with Session.open(tmp_path / "s.h5") as session:
        board = session.streams["board"]
        assert len(board) >= flushed
        np.testing.assert_allclose(board.times_s(), np.arange(len(board)) / 1000, atol=1e-6)
        np.testing.assert_array_equal(board.samples(0, 500), chunk(BOARD, 0, 500, 1000.0).samples)
        assert len(session.events) >= flushed // 500


def test_a_nearly_full_disk_is_noticed_while_the_file_can_still_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Disk:
        free = 100 << 20

    monkeypatch.setattr(writer_module.shutil, "disk_usage", lambda _: Disk)
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 1500, 1000.0))
    writer.flush()
    Disk.free = 1 << 20
    with pytest.raises(RecordingError, match="nearly full"):
        writer.flush()
    writer.close("interrupted")
    with Session.open(tmp_path / "s.h5") as session:
        assert session.outcome == "interrupted"
        assert len(session.streams["board"].samples()) == 1500


@pytest.mark.parametrize("keep", [0.5, 0.97])
def test_a_damaged_block_costs_what_comes_after_it_and_no_more(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "s.h5"
    writer = SessionWriter(path, HEADER)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 60_000, 1000.0))
    writer.close()
    with h5py.File(path) as file:
        samples = file["streams/board/samples"]
        struck = int(keep * 60_000) // samples.chunks[0]
        place = samples.id.get_chunk_info_by_coord((struck * samples.chunks[0], 1)).byte_offset
    with path.open("rb+") as raw:
        raw.seek(place + 40)
        raw.write(b"rotten")
    with Session.open(path) as session, pytest.raises(RecordingError, match="run 'emolab recover'"):
        session.streams["board"].samples()
    report = recover(path)
    kept = struck * 8192
    (stream,) = report["streams"]
    assert (stream["samples"], stream["rows_dropped"]) == (kept, 60_000 - kept)
    with Session.open(path) as session:
        np.testing.assert_array_equal(
            session.streams["board"].samples(), chunk(BOARD, 0, 60_000, 1000.0).samples[:kept]
        )


def test_a_sound_file_is_left_alone(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD])
    writer.close()
    before = (tmp_path / "s.h5").read_bytes()
    report = recover(tmp_path / "s.h5")
    assert not report["mended"]
    assert "nothing was changed" in text(report)
    assert (tmp_path / "s.h5").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def _cut_short(path: Path, keep: float = 0.9) -> bytes:
    """A session file of 40 s that lost its end; what is left of it."""
    writer = SessionWriter(path, HEADER, pack_below_bytes=0)
    writer.open([BOARD])
    for first in range(0, 40_000, 500):
        writer.write(chunk(BOARD, first, 500, 1000.0))
        writer.flush()
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    return path.read_bytes()


def _is_same(handle: Path, target: Path) -> bool:
    try:
        return handle.samefile(target)
    except OSError:  # closed meanwhile
        return False


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux which files are open")
def test_no_file_is_replaced_while_it_is_open_as_windows_would_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.h5"
    _cut_short(path)
    replace = Path.replace

    def as_windows(self: Path, target: Path) -> Path:
        if any(_is_same(handle, target) for handle in Path("/proc/self/fd").iterdir()):
            raise PermissionError(13, "Access is denied", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", as_windows)
    assert recover(path)["mended"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["s.damaged.h5", "s.h5"]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_damaged_file_that_another_program_holds_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    path = tmp_path / "s.h5"
    damaged = _cut_short(path)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Access is denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        if not has_links:
            patched.setattr(os, "link", refuse)
        with pytest.raises(RecordingError, match=r"Access is denied\); close the programs that use it"):
            recover(path)
    assert [file.name for file in tmp_path.iterdir()] == ["s.h5"] and path.read_bytes() == damaged
    assert recover(path)["mended"]


FULL_IN_HDF5S_WORDS = "Can't decrement id ref count (unable to extend file properly, errno = 28)"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), os.strerror(errno.EACCES)),
        (OSError(errno.EROFS, "Read-only file system"), os.strerror(errno.EROFS)),
        (RuntimeError(FULL_IN_HDF5S_WORDS), os.strerror(errno.ENOSPC)),
    ],
)
def test_a_folder_that_takes_nothing_is_told_and_not_as_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    path = tmp_path / "s.h5"
    damaged = _cut_short(path)

    def refuse(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(recover_module, "write_again", refuse)
        with pytest.raises(RecordingError, match="nothing can be written beside it") as told:
            recover(path)
    assert why in str(told.value) and "damaged" not in str(told.value) and "lost" not in str(told.value)
    assert [file.name for file in tmp_path.iterdir()] == ["s.h5"] and path.read_bytes() == damaged
    assert recover(path)["mended"]


def test_a_journal_whose_folder_takes_nothing_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / ".s.h5.journal"
    source.write_bytes(b"whole")

    def refuse(*_: object) -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RecordingError("the rest is to be recorded as a new session") from error

    monkeypatch.setattr(recover_module, "rebuild", refuse)
    with pytest.raises(RecordingError, match=r"s\.h5 cannot be mended: nothing can be written beside it"):
        from_journal(source, tmp_path / "s.h5")
    assert [file.name for file in tmp_path.iterdir()] == [source.name]


def test_packing_that_fails_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no")

    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 1500, 1000.0))
    monkeypatch.setattr(Path, "replace", fail)
    writer.close()
    assert [file.name for file in tmp_path.iterdir()] == ["s.h5"]
    with Session.open(tmp_path / "s.h5") as session:
        assert session.complete
        assert len(session.streams["board"].samples()) == 1500


@pytest.mark.parametrize("keep", [0.4, 0.9])
def test_a_file_cut_short_gives_back_its_beginning(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "s.h5"
    _cut_short(path, keep)
    report = recover(path)
    (stream,) = report["streams"]
    assert 40_000 * (keep - 0.2) < stream["samples"] < 40_000 * keep + 1024
    assert stream["rows_dropped"] == 40_000 - stream["samples"]
    with Session.open(path) as session:
        board = session.streams["board"]
        np.testing.assert_allclose(board.times_s(), np.arange(len(board)) / 1000, atol=1e-6)
        np.testing.assert_array_equal(board.samples(0, 500), chunk(BOARD, 0, 500, 1000.0).samples)
        assert len(board.samples()) == len(board)


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_a_finished_file_cut_short_gives_back_its_beginning_and_all_events(
    tmp_path: Path, keep: float
) -> None:
    path = tmp_path / "s.h5"
    writer = SessionWriter(path, HEADER)
    writer.open([CAMERA, BOARD, THERMAL])
    for second in range(10):
        writer.write(chunk(CAMERA, second * 30, 30, 30.0))
        writer.write(chunk(BOARD, second * 1000, 1000, 1000.0))
        writer.write(chunk(THERMAL, second * 9, 9, 9.0))
        writer.mark(Event(float(second), "mark", data={"text": "x" * 60}))
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    report = recover(path)
    assert report["mended"] and sum(stream["samples"] for stream in report["streams"]) > 0
    with Session.open(path) as session:
        assert [event.time_s for event in session.events] == list(range(10))
        for _, pixels in session.video("camera").frames():
            assert pixels.shape == CAMERA.sample_shape
        if keep > 0.9:
            assert len(session.streams["camera"]) == 300 and len(session.streams["board"]) == 10_000


@pytest.mark.parametrize("keep", [0.8, 0.9])
def test_events_beyond_the_cut_do_not_take_those_before_it_along(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "s.h5"
    writer = SessionWriter(path, HEADER, pack_below_bytes=0)
    writer.open([BOARD])
    for second in range(40):
        writer.write(chunk(BOARD, second * 1000, 1000, 1000.0))
        for tenth in range(10):
            writer.mark(Event(second + tenth / 10, "mark", data={"text": "x" * 60}))
        writer.flush()
    for late in range(200):  # in blocks of their own at the end of the file
        writer.mark(Event(40.0, "mark", data={"text": f"late {late}"}))
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with Session.open(path) as session:
        with pytest.raises(RecordingError, match="emolab recover"):
            _ = session.events
        sound, lost = session.sound_events()
        assert lost and len(sound) + lost == 600
    recover(path)
    with Session.open(path) as session:
        kept = session.events
    assert kept[: len(sound)] == sound and len(sound) > 400 * (keep - 0.2)
    assert [event.time_s for event in sound[:400]] == [at / 10 for at in range(min(len(sound), 400))]


def test_foreign_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="check the spelling"):
        Session.open(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(SchemaMismatch, match="no HDF5 file"):
        Session.open(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(SchemaMismatch, match="no emolab session"):
        Session.open(tmp_path / "other.h5")
    with h5py.File(tmp_path / "newer.h5", "w") as file:
        file.attrs.update({"format": "emolab session", "schema": 99})
    with pytest.raises(SchemaMismatch, match=r"schema 99.*newer emolab"):
        Session.open(tmp_path / "newer.h5")
    with h5py.File(tmp_path / "half.h5", "w") as file:
        file.attrs.update({"format": "emolab session", "schema": 1})
    with pytest.raises(RecordingError, match="damaged"):
        Session.open(tmp_path / "half.h5")


def test_a_file_that_was_never_closed_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    assert not was_cut_off(path)
    path.write_bytes(b"\x89HDF")
    assert not was_cut_off(path)
    path.unlink()
    with victim(path) as process:
        while not path.exists():
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert was_cut_off(path)
    recover(path)
    assert not was_cut_off(path) and was_cut_off(tmp_path / "s.damaged.h5")


def test_a_whole_file_that_was_killed_while_it_was_closed_opens_everywhere_once_mended(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.h5"
    writer = SessionWriter(path, HEADER)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 250, 250.0))
    writer.close()
    killed = "import h5py, os, sys; f = h5py.File(sys.argv[1], 'r+', libver='latest'); f.swmr_mode = True; "
    killed += "os._exit(0)"
    subprocess.run([sys.executable, "-c", killed, str(path)], check=True)
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(path, "r")
    assert recover(path)["mended"]
    with h5py.File(path, "r"), Session.open(path) as session:
        assert session.complete and len(session.streams["board"]) == 250
