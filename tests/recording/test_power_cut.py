"""A power cut at any moment: the session is readable again, and a second of it lacks at most."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from emolab.core.errors import RecordingError
from emolab.core.stream import Chunk
from emolab.recording import journal, places
from emolab.recording.entries import End, Head
from emolab.recording.journal import Journal
from emolab.recording.reader import Session
from emolab.recording.rebuild import rebuild
from emolab.recording.recorder import Recorder
from emolab.recording.recover import recover, text, was_cut_off
from emolab.recording.writer import SessionWriter
from tests.recording.filmed import RATES_HZ
from tests.recording.made import BOARD, HEADER, chunk
from tests.recording.power_cut import Film, film, judge
from tests.recording.real_power_cut import disks, look, record, why_not

CUTS = 16


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return film(tmp_path_factory.mktemp("film"), 3.5)


@pytest.mark.slow
def test_whatever_mixture_of_sectors_a_power_cut_leaves_the_session_is_made_whole(
    filmed: Film, tmp_path: Path
) -> None:
    chance = random.Random(3)
    for number in range(CUTS):
        at = len(filmed.frames) * number // CUTS
        (here := tmp_path / str(number)).mkdir()
        path = filmed.cut(at, here, chance, sector=chance.choice([512, 4096]))
        frame = filmed.frames[at]
        verdict, lacks = judge(path, frame.offered_s)
        assert verdict == "whole", f"cut {number}, at {frame.offered_s:.2f} s"
        for name, ms in lacks.items():
            assert ms < 1000 or filmed.slowest_sync_s > 0.3, (
                f"{name} lost {ms:.0f} ms at {frame.offered_s:.2f} s"
            )
            if name != "camera":  # its newest frames are still being encoded when other streams are safe
                one_ms = 1000 / RATES_HZ.get(name, 20)
                assert ms <= (frame.offered_s - frame.safe_s) * 1000 + one_ms, f"{name} lacks what was safe"
        assert sorted(file.name for file in here.iterdir()) == ["s.damaged.h5", "s.h5"]


@pytest.mark.slow
def test_without_its_journal_no_fsync_of_the_file_would_have_helped(filmed: Film, tmp_path: Path) -> None:
    chance = random.Random(4)
    verdicts = set()
    for number in range(6):
        at = len(filmed.frames) * (number + 6) // 12
        (here := tmp_path / str(number)).mkdir()
        path = filmed.cut(at, here, chance)
        (here / ".s.h5.journal").unlink()
        verdicts.add(judge(path, filmed.frames[at].offered_s)[0])
    assert verdicts != {"whole"}, "the journal could go"


@pytest.mark.slow
@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_what_a_real_file_system_had_on_its_disk_at_an_instant_is_made_whole(tmp_path: Path) -> None:
    with disks(tmp_path) as here:
        for number, cut in enumerate(record(here, "ext4", 4, random.Random(5))):
            verdict, lacks = look(cut, here / "mnt")
            assert verdict == "whole", f"cut {number}, at {cut.offered_s:.2f} s"
            # a second on a machine of one's own; here other tests may use the disk as well
            assert max(lacks.values()) < 3000, f"cut {number}: {lacks}"


def recorded(folder: Path, seconds: int = 4) -> Path:
    """A journal of so many seconds of a board, as a process leaves it that was killed; no session file."""
    made = Journal(folder / ".s.h5.journal", Head(HEADER, (BOARD,), 2.0))
    for at in range(seconds * 10):
        made.take(chunk(BOARD, at * 25, 25, 250.0, 2.0))
        made.write()
    made._end.set()
    made._thread.join()
    return made.path


def test_a_session_file_that_never_reached_the_disk_is_made_from_the_journal(tmp_path: Path) -> None:
    recorded(tmp_path)
    assert was_cut_off(tmp_path / "s.h5")
    report = recover(tmp_path / "s.h5")
    assert (report["mended"], report["damaged"], report["outcome"]) == (True, None, "interrupted")
    assert report["streams"][0]["samples"] == 1000
    assert "made from its journal" in text(report)
    assert [file.name for file in tmp_path.iterdir()] == ["s.h5"]
    with Session.open(tmp_path / "s.h5") as session:
        assert session.header == HEADER
        assert session.recovery["journal"] == ".s.h5.journal"


def test_a_journal_cut_anywhere_gives_what_is_before(tmp_path: Path) -> None:
    whole = recorded(tmp_path).read_bytes()
    lengths = []
    for size in range(0, len(whole), len(whole) // 40):
        (cut := tmp_path / "cut.journal").write_bytes(whole[:size] + bytes(50))
        try:
            entries = [*journal.read(cut)]
        except RecordingError:
            assert size < 3000, "the head was whole"
            continue
        assert isinstance(entries[0], Head)
        lengths.append(len(entries))
    assert lengths == sorted(lengths)
    assert lengths[-1] > 30


def test_a_flipped_bit_ends_a_journal_before_it(tmp_path: Path) -> None:
    path = recorded(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 4
    path.write_bytes(whole)
    entries = [*journal.read(path)]
    assert 10 < len(entries) < 35
    first = entries[1]
    assert isinstance(first, Chunk)
    assert (first.samples == chunk(BOARD, 0, 25, 250.0).samples).all()


def test_what_an_older_journal_left_on_the_disk_is_no_part_of_a_newer_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old, new = recorded(tmp_path / "old").read_bytes(), recorded(tmp_path, seconds=1)
    count = len([*journal.read(new)])
    new.write_bytes(new.read_bytes() + old[new.stat().st_size :])
    assert len([*journal.read(new)]) == count


def test_a_session_ended_in_order_keeps_its_outcome_when_only_its_journal_reached_the_disk(
    tmp_path: Path,
) -> None:
    made = Journal(tmp_path / ".s.h5.journal", Head(HEADER, (BOARD,), 0.0))
    made.take(chunk(BOARD, 0, 250, 250.0))
    assert made.close("complete")
    assert [*journal.read(made.path)][-1] == End("complete")
    assert made.unsafe_s == 0.0
    rebuild(made.path, tmp_path / "s.h5", {})
    with Session.open(tmp_path / "s.h5") as session:
        assert session.complete


def test_a_session_that_ends_in_order_leaves_no_journal(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "s.h5", HEADER, [BOARD])
    assert places.find(tmp_path / "s.h5") is not None
    recorder.put(chunk(BOARD, 0, 25, 250.0))
    recorder.close()
    assert places.find(tmp_path / "s.h5") is None


def test_nothing_is_recorded_over_a_session_that_waits_to_be_mended(tmp_path: Path) -> None:
    recorded(tmp_path)
    with pytest.raises(RecordingError, match=r"emolab recover .*s\.h5"):
        Recorder(tmp_path / "s.h5", HEADER, [BOARD])


@pytest.mark.parametrize("left", [0, 10, 24, 60])
def test_a_journal_torn_as_it_was_begun_does_not_keep_the_session_file_from_being_mended(
    tmp_path: Path, left: int
) -> None:
    path = tmp_path / "s.h5"
    writer = SessionWriter(path, HEADER)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 1500, 1000.0))
    writer.flush()
    killed = path.read_bytes()
    writer.close()
    path.write_bytes(killed)  # as a process leaves it that dies now
    torn = Journal(places.place(path), Head(HEADER, (BOARD,), 0.0))
    torn.close("interrupted")
    torn.path.write_bytes(torn.path.read_bytes()[:left])
    report = recover(path)
    assert report["mended"] and report["streams"][0]["samples"] == 1500
    assert not torn.path.exists() and not was_cut_off(path)


def test_a_journal_of_another_session_is_left_alone(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "s.h5", HEADER, [BOARD])
    recorder.close()
    another = replace(HEADER, started_utc=HEADER.started_utc + timedelta(days=1))
    made = Journal(tmp_path / ".s.h5.journal", Head(another, (BOARD,), 0.0))
    made.close("complete")
    assert not recover(tmp_path / "s.h5")["mended"]
