"""Copies brought home."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from emolab.core.errors import ConfigError, DataError, RecordingError
from emolab.recording import label_ledger as ledger
from emolab.recording.header import SessionHeader
from emolab.recording.labels import TimedLabel
from emolab.recording.writer import SessionWriter
from emolab.review.desk import Desk
from emolab.review.merge import Met, merge
from emolab.study import participants
from tests.recording.made import HEADER

SAD = TimedLabel(0.0, 30.0, state="most_negative", word="sad")
CALM = TimedLabel(40.0, 70.0, state="neutral", word="calm")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A recording on which Anna has done one act."""
    path = recorded(tmp_path / "home" / "P1_session-0.h5")
    Desk(path, "anna").add(SAD)
    return path


def recorded(path: Path, header: SessionHeader = HEADER) -> Path:
    """A recording without a stream."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = SessionWriter(path, header)
    writer.open([])
    writer.close()
    return path


def copied(home: Path, to: str) -> Path:
    path = home.parents[1] / to / home.name
    shutil.copytree(home.parent, path.parent)
    return path


def test_another_analysts_lane_comes_whole(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "berta").add(CALM, "calm breath")
    assert merge(home, copy) == [Met("anna", "same", 0), Met("berta", "new", 1)]
    assert list(Desk(home, "berta").labels.values()) == [CALM]
    assert merge(home, copy) == [Met("anna", "same", 0), Met("berta", "same", 0)]


def test_the_same_analyst_goes_on_where_the_copy_ends(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "anna").add(CALM)
    assert merge(home, copy) == [Met("anna", "longer", 1)]
    desk = Desk(home, "anna")
    assert list(desk.labels.values()) == [SAD, CALM]
    desk.add(CALM)
    assert merge(home, copy) == [Met("anna", "behind", 0)]


def test_work_done_apart_lies_beside_once_and_grows(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "anna").add(CALM)
    Desk(home, "anna").undo()
    assert merge(home, copy) == [Met("anna 2", "apart", 2)]
    assert Desk(home, "anna").labels == {}
    assert list(Desk(home, "anna 2").labels.values()) == [SAD, CALM]
    Desk(copy, "anna").add(SAD)
    assert merge(home, copy) == [Met("anna 2", "longer", 1)]


def forked(copy: Path, other: Path) -> None:
    """Anna goes on in both; what she did in `other` then lies beside her ledger in `copy`."""
    Desk(copy, "anna").add(CALM, "in the copy")
    Desk(other, "anna").add(CALM, "in the other")
    assert merge(copy, other) == [Met("anna 2", "apart", 2)]


def whys(home: Path) -> dict[str, list[str]]:
    """The reasons of all acts, a list a ledger."""
    return {one.name: [act.why for act in one.acts] for one in map(ledger.read, ledger.ledgers(home))}


def test_two_ledgers_of_one_analyst_both_come_to_a_home_that_has_none(home: Path, tmp_path: Path) -> None:
    copy = copied(home, "copy")
    forked(copy, copied(home, "other"))
    empty = recorded(tmp_path / "empty" / home.name)
    assert merge(empty, copy) == [Met("anna", "new", 2), Met("anna 2", "new", 2)]
    assert whys(empty) == {"anna": ["", "in the copy"], "anna 2": ["", "in the other"]} == whys(copy)
    assert {one.how for one in merge(empty, copy)} == {"same"}


def test_of_two_that_went_on_from_one_act_the_second_lies_beside(home: Path) -> None:
    copy = copied(home, "copy")
    forked(copy, copied(home, "other"))
    assert merge(home, copy) == [Met("anna", "longer", 1), Met("anna 2", "apart", 2)]
    assert whys(home) == {"anna": ["", "in the copy"], "anna 2": ["", "in the other"]}


def test_what_is_at_home_under_another_name_is_not_brought_twice(home: Path) -> None:
    copy, other = copied(home, "copy"), copied(home, "other")
    forked(copy, other)
    assert merge(other, copy) == [Met("anna 2", "apart", 2), Met("anna", "same", 0)]
    assert whys(other) == {"anna": ["", "in the other"], "anna 2": ["", "in the copy"]}
    Desk(copy, "anna 2").add(SAD, "more")
    assert merge(other, copy) == [Met("anna 2", "same", 0), Met("anna", "longer", 1)]


def test_a_file_of_somebody_else_is_not_in_the_way(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "ben").add(CALM, "of Ben")
    mine = ledger.folder_of(home) / "anna.jsonl"
    mine.rename(mine.with_name("ben.jsonl"))  # by hand, and wrongly
    assert merge(home, copy) == [Met("ben", "same", 0), Met("ben 2", "new", 1)]
    assert whys(home) == {"ben": [""], "ben 2": ["of Ben"]}


def test_half_a_line_at_home_is_set_aside_before_a_longer_ledger_comes(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "anna").add(CALM)
    mine = ledger.folder_of(home) / "anna.jsonl"
    mine.write_bytes(mine.read_bytes() + b'{"number":2,"utc"')
    assert merge(home, copy) == [Met("anna", "longer", 1)]
    assert mine.with_name("anna.jsonl.cut").read_bytes() == b'{"number":2,"utc"\n'
    assert len(Desk(home, "anna").labels) == 2


@pytest.mark.parametrize("step", range(8))
def test_a_merge_that_was_killed_is_finished_by_the_next(
    home: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Two ledgers come, each in two steps, the file and its newest hash: killed before or after one."""
    copy = copied(home, "copy")
    forked(copy, copied(home, "other"))
    steps, replace = iter(range(100)), Path.replace

    class Killed(BaseException):
        pass

    def killing(path: Path, to: Path) -> Path:
        if next(steps) == step:
            raise Killed
        replace(path, to)
        if next(steps) == step:
            raise Killed
        return to

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killing)
        with pytest.raises(Killed):
            merge(home, copy)
    assert whys(home)["anna"][:1] == [""]
    merge(home, copy)
    assert whys(home) == {"anna": ["", "in the copy"], "anna 2": ["", "in the other"]}
    assert len(Desk(home, "anna").labels) == len(Desk(home, "anna 2").labels) == 2


PLACES = some.integers(0, 3)
ACTS = some.tuples(some.just("act"), PLACES, some.sampled_from(["anna", "anna", "ben"]), PLACES)
MERGES = some.tuples(some.just("merge"), PLACES, some.just(""), PLACES)


@settings(max_examples=60, deadline=None)
@given(some.lists(some.one_of(ACTS, MERGES), min_size=4, max_size=16))
def test_nothing_that_either_side_did_is_lost_whoever_merges_what(
    steps: list[tuple[str, int, str, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = recorded(Path(folder, "0", "P1_session-0.h5"))
        places = [first, *(copied(first, f"{folder}/{at}") for at in range(1, 4))]
        for what, at, who, other in steps:
            if what == "act":
                lanes = [p.stem for p in ledger.ledgers(places[at]) if p.stem.startswith(who)]
                Desk(places[at], lanes[other % len(lanes)] if lanes else who).add(SAD)
            elif at != other:
                check_merge(places[at], places[other])


def check_merge(home: Path, copy: Path) -> None:
    """Every ledger of either side goes on in one at home, those at home under their names."""
    before, theirs = hashes(home), hashes(copy)
    met = merge(home, copy)
    after = hashes(home)
    assert all(after[name][: len(mine)] == mine for name, mine in before.items())
    assert all(any(mine[: len(one)] == one for mine in after.values()) for one in theirs.values())
    assert hashes(copy) == theirs
    assert {one.name for one in met if one.how in ("new", "apart")} == set(after) - set(before)
    assert all(one.acts == 0 and one.how in ("same", "behind") for one in merge(home, copy))
    assert hashes(home) == after


def hashes(recording: Path) -> dict[str, list[str]]:
    return {one.name: [act.hash for act in one.acts] for one in map(ledger.read, ledger.ledgers(recording))}


def test_a_damaged_copy_changes_nothing_at_home(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "anna").add(CALM)
    Desk(copy, "berta").add(CALM)
    path = ledger.folder_of(copy) / "berta.jsonl"
    path.write_bytes(path.read_bytes().replace(b"calm", b"fear"))
    with pytest.raises(RecordingError, match="not as it was written"):
        merge(home, copy)
    assert list(Desk(home, "anna").labels.values()) == [SAD]


def test_another_recording_is_no_copy(home: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="choose its copy"):
        merge(home, tmp_path / "P2_session-0.h5")


def test_a_recording_of_the_same_name_that_is_another_is_no_copy(home: Path, tmp_path: Path) -> None:
    later = replace(HEADER, started_utc=HEADER.started_utc + timedelta(days=1))
    copy = recorded(tmp_path / "other" / home.name, later)
    Desk(copy, "ben").add(CALM)
    with pytest.raises(ConfigError, match="is another recording than"):
        merge(home, copy)
    assert list(whys(home)) == ["anna"]


def test_labels_that_were_copied_without_their_recording_come_home(home: Path) -> None:
    copy = copied(home, "copy")
    copy.unlink()
    Desk(copy, "ben").add(CALM)
    assert merge(home, copy) == [Met("anna", "same", 0), Met("ben", "new", 1)]


def test_labels_are_not_brought_to_a_recording_that_is_not_there(home: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / home.name
    with pytest.raises(ConfigError, match="there is no recording"):
        merge(nowhere, home)
    assert not nowhere.parent.exists()


def test_a_copy_that_is_not_there_is_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"neither a recording .* nor labels"):
        merge(home, tmp_path / "nowhere" / home.name)


def test_a_ledger_that_lies_with_the_wrong_recording_is_not_brought(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "apart" / "P2_session-0.h5"
    Desk(other, "ben").add(CALM)
    copy = copied(home, "copy")
    shutil.copy(ledger.folder_of(other) / "ben.jsonl", ledger.folder_of(copy))
    with pytest.raises(DataError, match="labels of P2_session-0"):
        merge(home, copy)
    assert list(whys(home)) == ["anna"]


def test_labels_of_somebody_who_withdrew_are_not_brought_back(tmp_path: Path) -> None:
    home = tmp_path / "study" / "P014" / "P014_session-0.h5"
    copy = tmp_path / "copy" / "P014" / home.name
    Desk(copy, "anna").add(SAD)
    participants.admit(home.parents[1], "P014")
    participants.mark_withdrawn(home.parents[1], "P014")
    with pytest.raises(ConfigError, match="P014 withdrew"):
        merge(home, copy)
    assert not ledger.folder_of(home).exists()
