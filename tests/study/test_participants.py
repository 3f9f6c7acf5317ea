"""Pseudonyms: given in order, never twice, and as a study began them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emolab.core.errors import ConfigError
from emolab.study import participants, study_file, tombstone
from emolab.study.sessions import named, sessions
from emolab.study.tombstone import Tombstone

ROOT = Path(__file__).parents[2]


def record(study: Path, *who: str) -> None:
    """Leave a recording of each, as a study has it that was begun before there was a list."""
    for participant in who:
        path = study / participant / f"{participant}_session-0.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_pseudonyms_are_given_in_order_and_the_order_is_the_number(tmp_path: Path) -> None:
    study_file.make(tmp_path, "Music", "MUS-##")
    given = [participants.allocate(tmp_path) for _ in range(11)]
    assert [one.id for one in given[:2]] == ["MUS-01", "MUS-02"] and given[-1].id == "MUS-11"
    assert [participants.number_of(tmp_path, one.id) for one in given] == list(range(1, 12))


def test_random_codes_do_not_tell_the_order_but_the_list_does(tmp_path: Path) -> None:
    study_file.make(tmp_path, pattern="S-*****")
    given = [participants.allocate(tmp_path) for _ in range(40)]
    assert len({one.id for one in given}) == 40 and all(any(c.isdigit() for c in one.id) for one in given)
    assert [participants.number_of(tmp_path, one.id) for one in given] == list(range(1, 41))
    offered = participants.new_pseudonym(tmp_path)
    assert participants.number_of(tmp_path, offered) == 41 == participants.admit(tmp_path, offered).number


def test_a_study_with_typed_pseudonyms_keeps_its_numbers_and_goes_on_after_them(tmp_path: Path) -> None:
    record(tmp_path, "VP07", "VP12-B")
    assert participants.number_of(tmp_path, "VP07") == 7
    assert participants.next_pseudonym(tmp_path) == "VP13"
    assert participants.admit(tmp_path, "VP07").number == 7
    assert participants.allocate(tmp_path).id == "VP13"
    assert [one.id for one in participants.everyone(tmp_path)] == ["VP12-B", "VP07", "VP13"]
    assert all(one.utc for one in participants.everyone(tmp_path))


def test_who_was_given_a_pseudonym_and_has_not_come_yet_is_offered_first(tmp_path: Path) -> None:
    for _ in range(3):
        participants.allocate(tmp_path)
    record(tmp_path, "P001")
    assert participants.next_pseudonym(tmp_path) == "P002"
    record(tmp_path, "P002", "P003")
    assert participants.next_pseudonym(tmp_path) == "P004"


def test_a_pseudonym_whose_folder_cannot_be_looked_into_is_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        participants.allocate(tmp_path)
    record(tmp_path, "P001", "P002", "P003")
    look = os.scandir

    def refused(path: Any = ".") -> Any:
        if Path(os.fsdecode(path)).name in ("P002", "P003"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert participants.next_pseudonym(tmp_path) == "P004" == participants.new_pseudonym(tmp_path)
    away = tmp_path / "P004"
    away.symlink_to(tmp_path / "a disk that is not there")
    assert participants.allocate(tmp_path).id == "P005"


def test_what_macos_leaves_beside_recordings_is_no_participant(tmp_path: Path) -> None:
    record(tmp_path, "P014")
    (tmp_path / "P014" / "._P014_session-0.h5").write_bytes(b"\0\5\x16\7")
    assert [one.id for one in participants.everyone(tmp_path)] == ["P014"]
    assert [who for who, _, _ in sessions(tmp_path)] == ["P014"]
    assert named(tmp_path / "._P014_session-0_part-2.h5") is None
    assert participants.next_pseudonym(tmp_path) == "P015"


def test_a_pseudonym_joins_the_list_once(tmp_path: Path) -> None:
    first, again = participants.admit(tmp_path, "P014"), participants.admit(tmp_path, "P014")
    assert first == again and len(participants.everyone(tmp_path)) == 1


def test_programs_that_ask_at_once_are_given_different_pseudonyms(tmp_path: Path) -> None:
    for pattern in ("P###", "X-****"):
        study = tmp_path / pattern.strip("#*")
        study_file.make(study, pattern=pattern)
        code = (
            "import sys; from pathlib import Path; from emolab.study.participants import allocate\n"
            "for _ in range(12): print(allocate(Path(sys.argv[1])).number, flush=True)"
        )
        asking = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(study)], stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            for _ in range(3)
        ]
        numbers = [int(line) for one in asking for line in one.communicate(timeout=120)[0].split()]
        assert sorted(numbers) == list(range(1, 37))
        known = participants.everyone(study)
        assert len({one.id for one in known}) == len({one.number for one in known}) == len(known) == 36


@pytest.mark.parametrize("pattern", ["P", "P##-##", "P##-2", "**", "Anna", "P###-**", "../P###", "P_##"])
def test_a_pattern_that_gives_no_pseudonyms_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"pattern|pseudonym"):
        study_file.check_pattern(pattern)


def test_who_withdrew_is_refused_for_ever_also_when_the_tombstone_is_gone(tmp_path: Path) -> None:
    for _ in range(2):
        participants.allocate(tmp_path)
    participants.mark_withdrawn(tmp_path, "P002")
    with pytest.raises(ConfigError, match=r"P002 withdrew .* never used again\. Take P003"):
        participants.check_open(tmp_path, "p002")
    assert participants.next_pseudonym(tmp_path) == "P001"
    tombstone.write(tmp_path, Tombstone("P009", "done", "2026-01-02T03:04:05+00:00"))
    with pytest.raises(ConfigError, match="2026-01-02"):
        participants.admit(tmp_path, "P009")
    assert participants.new_pseudonym(tmp_path) == "P010"


@pytest.mark.parametrize("is_listed", [True, False])
def test_who_is_known_is_written_as_the_study_wrote_them(tmp_path: Path, is_listed: bool) -> None:
    if is_listed:
        participants.admit(tmp_path, "P014")
    else:
        record(tmp_path, "P014")
    for refuses in (participants.check_open, participants.admit, participants.number_of):
        with pytest.raises(ConfigError, match="this study knows P014; write it so, not p014"):
            refuses(tmp_path, "p014")
    assert participants.check_open(tmp_path, "P014") == "P014" == participants.admit(tmp_path, "P014").id
    participants.mark_withdrawn(tmp_path, "P014")
    with pytest.raises(ConfigError, match="P014 withdrew"):
        participants.check_open(tmp_path, "p014")


def test_an_older_study_with_two_spellings_of_one_person_lists_them_once(tmp_path: Path) -> None:
    participants.admit(tmp_path, "P014")
    record(tmp_path, "p014")
    assert participants.admit(tmp_path, "p014").id == "P014"
    assert participants.check_open(tmp_path, "p014") == "p014"  # a session that broke off must go on
    assert participants.number_of(tmp_path, "p014") == 14
    participants.mark_withdrawn(tmp_path, "p014")
    assert [one.id for one in participants.everyone(tmp_path)] == ["P014"]
    assert len(participants.list_path(tmp_path).read_text(encoding="utf-8").splitlines()) == 2


def test_a_new_pseudonym_that_bids_could_not_tell_from_another_is_refused(tmp_path: Path) -> None:
    participants.admit(tmp_path, "P1-1")
    for clash in ("P11", "p11", "P-1-1"):
        for refuses in (participants.check_open, participants.admit, participants.number_of):
            with pytest.raises(ConfigError, match=rf"{clash} cannot be told from P1-1 in BIDS.*take another"):
                refuses(tmp_path, clash)
    participants.mark_withdrawn(tmp_path, "P1-1")
    with pytest.raises(ConfigError, match=r"P11 cannot be told from P1-1"):
        participants.check_open(tmp_path, "P11")
    assert participants.admit(tmp_path, "P12").number == 12


def test_who_is_in_a_study_already_stays_though_bids_cannot_tell_them_apart(tmp_path: Path) -> None:
    record(tmp_path, "P1-1", "P11")
    assert [participants.admit(tmp_path, who).id for who in ("P1-1", "P11")] == ["P1-1", "P11"]
    assert participants.check_open(tmp_path, "P11") == "P11"


def test_no_pseudonym_is_given_that_bids_could_not_tell_from_another(tmp_path: Path) -> None:
    study_file.make(tmp_path, pattern="P1-#")
    participants.list_path(tmp_path).write_text('{"id": "p11", "number": 0}\n', encoding="utf-8")
    assert participants.new_pseudonym(tmp_path) == "P1-2" == participants.allocate(tmp_path).id


def test_half_a_line_of_a_killed_process_gives_nobodys_pseudonym_away(tmp_path: Path) -> None:
    participants.allocate(tmp_path)
    with participants.list_path(tmp_path).open("ab") as file:
        file.write(b'{"id": "P002", "num')
    assert participants.allocate(tmp_path).id == "P002"  # nobody was told of the first
    assert [one.number for one in participants.everyone(tmp_path)] == [1, 2]


def test_a_list_made_to_harm_leads_nowhere(tmp_path: Path) -> None:
    lines = (
        '{"id": "../P001", "number": 1}', '{"id": "P001", "number": true}', '{"withdrawn": "../../9"}', "[1]",
        '{"id": "P002", "number": -3}', '{"id": 7, "number": 7}', "{" * 5000, '{"id": "P3", "number": 1e400}',
    )  # fmt: skip
    participants.list_path(tmp_path).write_text("\n".join(lines), encoding="utf-8")
    assert participants.everyone(tmp_path) == [] and participants.allocate(tmp_path).id == "P001"


def test_files_that_an_editor_saved_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    facts = study_file.make(tmp_path, "Music", "MUS-##")
    given = [participants.allocate(tmp_path).id for _ in range(2)]
    participants.mark_withdrawn(tmp_path, "MUS-02")
    tombstone.write(tmp_path, Tombstone("MUS-02", "done", "2026-01-02T03:04:05+00:00"))
    for path in (
        study_file.path_of(tmp_path),
        participants.list_path(tmp_path),
        *tmp_path.glob("withdrawn/*"),
    ):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert study_file.read(tmp_path) == facts
    assert [one.id for one in participants.everyone(tmp_path)] == given
    stone = tombstone.read(tmp_path, "MUS-02")
    assert stone is not None and stone.state == "done"


def test_a_damaged_study_file_is_told_and_nothing_is_given(tmp_path: Path) -> None:
    study_file.make(tmp_path)
    study_file.path_of(tmp_path).write_text('{"study": 1', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"study\.json is damaged"):
        participants.allocate(tmp_path)
