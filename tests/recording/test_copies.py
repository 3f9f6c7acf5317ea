"""Which of several recordings counts: what each says of itself decides, not where it lies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from emolab.recording.copies import Identity, copies, identity, rivals

STUDY = Path("study")
HOME = STUDY / "P014" / "P014_session-0.h5"
BACKUP = STUDY / "A-backup" / "P014_session-0.h5"
MORNING, NOON = datetime(2026, 5, 4, 9, tzinfo=UTC), datetime(2026, 5, 4, 12, tzinfo=UTC)


def who(session: int = 0, when: datetime = MORNING, participant: str = "P014") -> Identity:
    return identity(participant, session, when)


def test_the_one_in_its_own_folder_counts() -> None:
    assert copies([(BACKUP, [who()]), (HOME, [who()])]) == {BACKUP: HOME}


def test_in_no_folder_of_their_own_the_first_counts() -> None:
    other = STUDY / "old" / "P014_session-0.h5"
    assert copies([(BACKUP, [who()]), (other, [who()])]) == {other: BACKUP}


def test_another_name_hides_no_copy() -> None:
    renamed = STUDY / "P010" / "P010_session-3.h5"
    assert copies([(renamed, [who()]), (HOME, [who()])]) == {renamed: HOME}


def test_capitals_and_a_report_s_spelling_of_the_time_make_no_difference() -> None:
    told = identity("p014", 0, "2026-05-04T11:00:00+02:00")
    assert copies([(HOME, [who()]), (BACKUP, [told])]) == {BACKUP: HOME}


def test_of_a_session_in_parts_the_fuller_one_counts() -> None:
    both = [who(), who(when=NOON)]
    assert copies([(HOME, [who()]), (BACKUP, both)]) == {HOME: BACKUP}
    later = STUDY / "old" / "P014_session-0_part-2.h5"
    assert copies([(HOME, both), (later, [who(when=NOON)])]) == {later: HOME}


def test_what_differs_in_any_of_the_three_is_no_copy() -> None:
    told = [who(), who(session=1), who(when=NOON), who(participant="P015")]
    assert copies([(STUDY / f"{at}.h5", [one]) for at, one in enumerate(told)]) == {}


def test_two_recordings_of_one_session_are_rivals() -> None:
    found = [(HOME, [who()]), (BACKUP, [who(when=NOON)]), (STUDY / "x.h5", [who(session=1)])]
    assert rivals(found) == {HOME: (BACKUP,), BACKUP: (HOME,)}
