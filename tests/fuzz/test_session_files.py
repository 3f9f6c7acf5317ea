"""A damaged session file is read or refused in a sentence; a hostile one reaches nothing outside itself."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

pytest.importorskip("resource", reason="memory is limited with the system's own means, which Windows lacks")

from emolab.core.errors import RecordingError
from emolab.recording import apart
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.recover import recover
from emolab.recording.still import lookup3, open_still, settled
from tests.fuzz import files
from tests.fuzz.files import READ, REFUSED, bodies, damage, outcome

SECRET = b"what the study next door knows" * 40
DAMAGED = 60  # a hang of HDF5 costs a second each


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The sound files; written by another process, as encoder threads do not survive a fork."""
    folder = tmp_path_factory.mktemp("sources")
    code = f"from pathlib import Path; from tests.fuzz.files import bodies; bodies(Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    return bodies(folder)


def test_sound_files_are_read_so_that_the_other_tests_mean_something(
    sources: list[bytes], tmp_path: Path
) -> None:
    assert [outcome(tmp_path, body)[0] for body in sources] == [READ, READ]


def test_damage_of_any_kind_is_read_or_told_in_a_sentence(sources: list[bytes], tmp_path: Path) -> None:
    counts = {READ: 0, REFUSED: 0}
    hung = []
    for seed in range(1000, 1000 + DAMAGED):
        dice = random.Random(seed)
        code, said = outcome(tmp_path, damage(dice.choice(sources), dice.choice(sources), dice), seconds=1)
        if code < 0:  # in HDF5 itself: what `apart` is for
            hung.append(seed)
            continue
        assert code in counts, f"seed {seed}: {said}"
        counts[code] += 1
    assert counts[READ] > DAMAGED // 10
    assert counts[REFUSED] > DAMAGED // 10
    assert len(hung) <= 1, hung


@pytest.fixture
def session(sources: list[bytes], tmp_path: Path) -> Iterator[Path]:
    """A sound session in a study folder, with a secret beside the folder that must stay one."""
    (tmp_path / "secret.bin").write_bytes(SECRET)
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["samples"] = np.zeros((2000, 4), np.uint16)
    study = tmp_path / "study"
    study.mkdir()
    path = study / "s.h5"
    path.write_bytes(sources[0])
    yield path
    assert sorted(p.name for p in tmp_path.iterdir()) == ["secret.bin", "secret.h5", "study"]
    assert [p.name for p in study.iterdir()] == ["s.h5"]


def external_link(file: h5py.File) -> None:
    del file["streams/board/samples"]
    file["streams/board/samples"] = h5py.ExternalLink("../secret.h5", "samples")


def external_group(file: h5py.File) -> None:
    del file["streams/board"]
    file["streams/board"] = h5py.ExternalLink("../secret.h5", "/")


def soft_link(file: h5py.File) -> None:
    del file["streams/board/samples"]
    file["streams/board/samples"] = h5py.SoftLink("/streams/thermal/samples")


def external_storage(file: h5py.File) -> None:
    del file["protocol_text"]
    file.create_dataset("protocol_text", (900,), "u1", external=[("../secret.bin", 0, 900)])


def virtual(file: h5py.File) -> None:
    shape = file["streams/board/samples"].shape
    del file["streams/board/samples"]
    layout = h5py.VirtualLayout(shape, "u2")
    layout[...] = h5py.VirtualSource("../secret.h5", "samples", shape)
    file.create_virtual_dataset("streams/board/samples", layout)


def foreign_filter(file: h5py.File) -> None:
    shape = file["streams/board/samples"].shape
    del file["streams/board/samples"]
    file.create_dataset("streams/board/samples", shape, "u2", chunks=(256, 1), compression="lzf")


def filter_of_a_plugin(file: h5py.File) -> None:
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((256,))
    made.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)  # zstandard; not there, hence optional
    del file["protocol_text"]
    space = h5py.h5s.create_simple((256,))
    h5py.h5d.create(file.id, b"protocol_text", h5py.h5t.NATIVE_UINT8, space, made)


def huge(file: h5py.File) -> None:
    del file["streams/board/step_us"]
    file.create_dataset("streams/board/step_us", (10**15,), "i8", chunks=(1024,))


def huge_frames(file: h5py.File) -> None:
    del file["streams/thermal/samples"]
    file.create_dataset("streams/thermal/samples", (16, 10**5, 10**5), "u2", chunks=(1, 100, 100))


def huge_block(file: h5py.File) -> None:
    del file["events/lines"]
    lines = file.create_dataset("events/lines", (10**9,), "u1", chunks=(10**9,), compression="gzip")
    assert lines.shape


def bomb(file: h5py.File) -> None:
    """A terabyte of zeros, of which one block is there."""
    del file["streams/board/counter"]
    made = file.create_dataset("streams/board/counter", (10**11,), "i8", chunks=(2**20,), compression=9)
    made[: 2**20] = 0


def pickled(file: h5py.File) -> None:
    del file["answers"]
    kind = h5py.vlen_dtype(np.uint8)
    rows = file.create_dataset("answers", (1,), kind)
    rows[0] = np.frombuffer(pickle.dumps(Escape()), np.uint8)


def pickled_fact(file: h5py.File) -> None:
    file.attrs["software"] = np.void(pickle.dumps(Escape()))


def references(file: h5py.File) -> None:
    del file["answers"]
    rows = file.create_dataset("answers", (1,), h5py.ref_dtype)
    rows[0] = file["streams"].ref


def ring(file: h5py.File) -> None:
    file["streams/board/again"] = file["streams"]


def climbing_name(file: h5py.File) -> None:
    file.move("streams/board", "streams/..")


def backslashes(file: h5py.File) -> None:
    file.move("streams/board", "streams/..\\..\\x")


def named_type(file: h5py.File) -> None:
    file["streams/board/kind"] = np.dtype("f8")


def ledger(file: h5py.File) -> None:
    made = file.create_dataset("committed", data=np.array([[10**15, 0]], np.int64))
    made.attrs["tables"] = '["streams/board"]'


def objects(file: h5py.File) -> None:
    stream = file["streams/board"]
    stream.attrs["dtype"] = "|O"


def wide(file: h5py.File) -> None:
    file["streams/board"].attrs["sample_shape"] = np.array([2**31, 2**31], np.int64)


class Escape:
    """Would make a file if anything unpickled it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(Path.cwd() / "escaped"),)


HOSTILE = (
    external_link, external_group, soft_link, external_storage, virtual, foreign_filter, filter_of_a_plugin,
    huge, huge_frames, huge_block, bomb, pickled, pickled_fact, references, ring, climbing_name, backslashes,
    named_type, ledger, objects, wide,
)  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_hostile_file_is_refused_by_every_door(
    session: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[h5py.File], None]
) -> None:
    monkeypatch.chdir(session.parent)
    with h5py.File(session, "r+") as file:
        make(file)
    doors: tuple[Callable[[Path], object], ...] = (Session.open, inspect, recover)
    for door in doors:
        with pytest.raises(RecordingError, match=r"never writes|does not fit|ledger counts|damaged"):
            door(session)


def test_a_stream_group_with_a_slash_in_its_name_is_refused(session: Path) -> None:
    with h5py.File(session) as file, h5py.File(session.with_name("old.h5"), "w") as old:  # without checksums
        old.attrs.update(file.attrs)
        for name in {*file} - {"streams"}:
            file.copy(name, old)
        for name in file["streams"]:
            file.copy(f"streams/{name}", old.require_group("streams"))
    body = session.with_name("old.h5").read_bytes()
    session.with_name("old.h5").unlink()
    assert body.count(b"thermal\0") == 1
    session.write_bytes(body)
    Session.open(session).close()
    session.write_bytes(body.replace(b"thermal\0", b"../../x\0"))
    with pytest.raises(RecordingError, match=r"never writes|damaged"):
        Session.open(session)


def test_a_file_that_hangs_the_library_is_told_in_a_sentence(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "emolab", lambda *_: [sys.executable, "-c", "while True: pass"])
    monkeypatch.setattr(apart, "LEAST_S", 0.1)
    with pytest.raises(RecordingError, match="takes too long"):
        apart.run("inspect", session)


def test_a_file_that_crashes_the_library_is_told_in_a_sentence(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = f"open({str(apart.mending(session))!r}, 'w'); import os; os.abort()"
    monkeypatch.setattr(apart, "emolab", lambda *_: [sys.executable, "-c", crash])
    with pytest.raises(RecordingError, match="brought the program that read it down"):
        apart.run("recover", session)


def test_the_process_of_its_own_says_what_the_function_says(session: Path) -> None:
    assert apart.run("inspect", session) == inspect(session)
    with pytest.raises(RecordingError, match="check the spelling"):
        apart.run("recover", session.with_name("other.h5"))


def test_memory_and_time_of_that_process_are_limited(session: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from emolab.recording import apart;"
        "apart.limit(Path(sys.argv[1])); import resource;"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0]); bytearray(5 << 30)"
    )
    ended = subprocess.run([sys.executable, "-c", code, session], capture_output=True, text=True, check=False)
    assert int(ended.stdout) == 20
    assert "MemoryError" in ended.stderr


def test_a_killed_and_damaged_file_does_not_make_the_library_wait(
    sources: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "s.h5"
    body = bytearray(sources[1])
    at = body.index(b"OHDR", 48)
    body[at + 20] ^= 0xFF  # of the root group's facts; read for changing files, it would be tried for ever
    path.write_bytes(body)
    code, said = files.in_a_fork(lambda: Session.open(path), seconds=5, more_bytes=1 << 30)
    assert code == REFUSED
    assert "checksum" in said


def test_the_hash_is_the_one_hdf5_writes(sources: list[bytes]) -> None:
    for body in sources:
        assert lookup3(body[:44]).to_bytes(4, "little") == body[44:48]
    assert settled(sources[0][:48], len(sources[0])) == sources[0][:48]
    assert settled(b"no HDF5 file" * 9, 108) == b"no HDF5 file" * 9


def test_what_was_cut_off_is_no_row_of_zeros(sources: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file["rows"] = np.arange(1, 50_001)
    path.write_bytes(path.read_bytes()[:200_000])
    with open_still(path) as file:
        assert file["rows"][10_000] == 10_001
        with pytest.raises(OSError):
            file["rows"][30_000:]


def test_a_rotten_event_costs_only_itself(session: Path) -> None:
    with h5py.File(session, "r+") as file:
        _, at, _ = file["events/index"][2]
        file["events/lines"][at + 3] = 0xFF
    with pytest.raises(RecordingError, match="emolab recover"):
        inspect(session)
    report = recover(session)
    assert report["mended"]
    with Session.open(session) as mended:
        assert len(mended.events) == 10
        assert mended.recovery["events_dropped"] == 1
    session.with_name("s.damaged.h5").unlink()


def test_mending_does_not_write_through_a_link_that_lies_in_wait(session: Path) -> None:
    with h5py.File(session, "r+") as file:
        file["outcome"][0] = b"interrupted"
        _, at, _ = file["events/index"][2]
        file["events/lines"][at + 3] = 0xFF
    apart.mending(session).symlink_to("../secret.bin")
    assert recover(session)["mended"]
    assert (session.parent.parent / "secret.bin").read_bytes() == SECRET
    session.with_name("s.damaged.h5").unlink()


def test_nothing_is_kept_in_the_heap_that_makes_hdf5_search_for_ever(sources: list[bytes]) -> None:
    for body in sources:
        assert b"participant" in body
        assert b"GCOL" not in body
