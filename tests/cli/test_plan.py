"""`emolab plan`: the arithmetic of section 1.3, and the same clips that a recording then plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.core.label import STATE_KEYS
from emolab.recording.header import SessionHeader
from emolab.recording.writer import SessionWriter
from emolab.study.sessions import session_path
from tests.cli.command import Said, emolab


def plan(*arguments: object) -> Said:
    return emolab("plan", *arguments, "--json")


def test_emomusic_plans_fifteen_and_guarantees_fourteen() -> None:
    said = plan("emomusic", "--participant", 7, "--session", 1, "--seed", 42)
    assert said.code == 0 and not said.err
    facts = said.json
    assert (facts["planned"], facts["guaranteed"]) == (15, 14)
    assert facts["needed_mean_report_s"] == pytest.approx(28.125)
    assert facts["cap_s"] == 1200
    assert len(facts["trials"]) == 15
    assert sorted(trial["state"] for trial in facts["trials"]) == sorted(STATE_KEYS * 3)
    assert len({trial["clip"] for trial in facts["trials"]}) == 15


def test_a_plan_depends_on_participant_session_and_seed_and_on_nothing_else() -> None:
    def clips(*arguments: object) -> list[dict[str, str]]:
        return plan("emomusic", *arguments).json["trials"]

    base = ("--participant", 3, "--session", 0, "--seed", 5)
    assert clips(*base) == clips(*base) == clips("--participant", "P003", "--seed", 5)
    assert clips(*base) != clips("--participant", 4, "--session", 0, "--seed", 5)
    assert clips(*base) != clips("--participant", 3, "--session", 1, "--seed", 5)
    assert clips(*base) != clips("--participant", 3, "--session", 0, "--seed", 6)


def test_the_first_eight_participants_hear_eight_sequences() -> None:
    first = [plan("emomusic", "--participant", f"P{n:03}").json["sequence"] for n in range(1, 9)]
    assert len({tuple(sequence) for sequence in first}) == 8
    assert sum("negative" in sequence[0] for sequence in first) == 4


def test_participant_0_has_a_plan_of_their_own() -> None:
    assert plan("emomusic", "--participant", "P000").json["participant"] == 0


def test_the_plan_of_a_study_tells_who_goes_on_by_the_older_rule(tmp_path: Path) -> None:
    path = session_path(tmp_path, "P001", 0)
    path.parent.mkdir()
    writer = SessionWriter(path, SessionHeader("P001", 0, protocol_text="name: emomusic\n"))
    writer.open([])
    writer.close()
    arguments = ("emomusic", "--session", 1, "--study", tmp_path, "--participant")
    assert plan(*arguments, "P001").json["order_rule"] == 1
    assert "The order is that of rule 1, by which this participant began" in emolab(
        "plan", *arguments, "P001"
    ).out.replace("\n", " ")
    assert plan(*arguments, "P002").json["order_rule"] == 2
    assert "rule 1" not in emolab("plan", *arguments, "P002").out


def test_the_plan_of_a_study_tells_the_seed_by_which_a_participant_began(tmp_path: Path) -> None:
    path = session_path(tmp_path, "P001", 0)
    path.parent.mkdir()
    writer = SessionWriter(path, SessionHeader("P001", 0, seed=5, protocol_text="name: emomusic\n"))
    writer.open([])
    writer.close()
    arguments = ("emomusic", "--session", 1, "--seed", 7, "--study", tmp_path, "--participant")
    assert plan(*arguments, "P001").json["seed"] == 5
    said = emolab("plan", *arguments, "P001").out
    assert "seed 5" in said.splitlines()[0] and "with which this participant began, not 7" in said
    assert plan(*arguments, "P002").json["seed"] == 7


def test_the_page_for_people_lists_the_clips_and_the_arithmetic() -> None:
    said = emolab("plan", "emomusic", "--participant", "P007")
    assert "15 clips planned (3 for each of 5 states), 14 guaranteed" in said.out
    assert len([line for line in said.out.splitlines() if line.lstrip()[:1].isdigit()]) >= 15


def test_a_recording_plays_the_very_clips_of_the_plan(recorded: Path) -> None:
    planned = plan("quick", "--participant", "P001", "--session", 0, "--seed", 1).json["trials"]
    answers = emolab("inspect", recorded, "--json").json["answers"]
    heard = [(answer["clip"], answer["state"]) for answer in answers if answer["clip"]]
    assert [clip for clip, _ in heard] == [trial["clip"] for trial in planned]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["emomusik", "--participant", 1], "there is no protocol 'emomusik'"),
        (["emomusic", "--participant", "Anna"], "such as P014, and never a name"),
        (["emomusic", "--participant", -1], "'-1' cannot be a pseudonym"),
        (["emomusic", "--participant", 1, "--session", 3], "session"),
        (["emomusic", "--participant", 1, "--session", -1], "session is -1"),
        (
            ["emomusic", "--participant", 1, "--study", "no/such"],
            f"there is no study folder {Path('no/such')}; make it with 'emolab study new'",
        ),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_remedy(arguments: list[object], sentence: str) -> None:
    said = plan(*arguments)
    assert said.code == 2 and not said.out
    assert sentence in said.err
