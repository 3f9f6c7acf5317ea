"""Withdrawing erases all of one participant and nothing of another, whatever happens meanwhile."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError
from emolab.recording.places import places
from emolab.study import exports_made, participants, tombstone, withdrawal
from emolab.study.export import deidentify
from emolab.study.export.many import Hide, export_all
from emolab.study.identity import IdentityMap
from emolab.study.sessions import session_path
from emolab.study.study_file import read as study_facts
from emolab.study.withdrawal import withdraw
from tests.study import people
from tests.study.people import Place, mentioned, secret

ROOT = Path(__file__).parents[2]
ALLOWED = ["study/participants.jsonl", "study/withdrawn/P014.json"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of P014 and P0145 that no test changes."""
    root = tmp_path_factory.mktemp("whole") / "lab"
    with pytest.MonkeyPatch.context() as patch:
        people.quick_keys(patch)
        patch.setenv("XDG_STATE_HOME", str(root / "state"))
        people.fill(Place(root), "P014", "P0145")
    return root


@pytest.fixture
def place(whole: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The same, for one test: moved back afterwards, so that digests of its paths hold."""
    kept = whole.with_name("kept")
    shutil.copytree(whole, kept, symlinks=True)
    people.quick_keys(monkeypatch)
    monkeypatch.setenv("XDG_STATE_HOME", str(whole / "state"))
    yield Place(whole)
    shutil.rmtree(whole)
    kept.rename(whole)


def names(place: Place) -> IdentityMap:
    facts = study_facts(place.study)
    assert facts is not None
    return IdentityMap.open(place.map, facts.id, people.WORDS)


def bytes_of(place: Place, who: str) -> dict[str, bytes]:
    """All files named after somebody, and those below a folder that is."""
    return {
        path.relative_to(place.root).as_posix(): path.read_bytes()
        for path in place.root.rglob("*")
        if path.is_file() and any(f"{who}" in part for part in path.relative_to(place.root).parts)
    }


def test_nothing_of_the_participant_is_left_and_all_of_the_other(place: Place) -> None:
    assert len(mentioned(place.root, "P014", "P0145")) > 45
    assert len(mentioned(place.root, secret("P014"))) >= 12
    for name in ("withdrawn/.P014.json.1a.part", ".emolab/.exports.jsonl.1a.part", "shared/.x.tsv.part"):
        left = place.study / name  # of a kill
        left.parent.mkdir(exist_ok=True)
        left.write_text(f"sub-P014 {secret('P014')}", encoding="utf-8")
    others = bytes_of(place, "P0145")
    assert len(others) > 30
    done = withdraw(place.study, "P014", names(place))
    assert mentioned(place.root, "P014", "P0145") == ALLOWED
    assert mentioned(place.root, secret("P014")) == []
    assert bytes_of(place, "P0145") == others
    assert "sub-P0145" in (place.out / "bids" / "participants.tsv").read_text(encoding="utf-8")
    assert set(names(place).persons) == {"P0145"}
    assert done.stone.state == "done" and not done.residue and not done.unsure and not done.stone.left
    assert {export.participant for export in exports_made.made(place.study)} == {"P0145"}


def test_the_tombstone_tells_what_was_erased_and_nothing_of_the_person(place: Place) -> None:
    counted = {kind: len(paths) for kind, paths in withdrawal.look(place.study, "P014").files.items()}
    withdraw(place.study, "P014", names(place))
    told = json.loads((place.study / "withdrawn" / "P014.json").read_text(encoding="utf-8"))
    erased = told["erased"]
    assert {kind: erased[kind]["files"] for kind in counted} == counted
    assert erased["recordings"]["files"] == 3 and erased["recordings"]["bytes"] > 30_000
    assert erased["journals"]["files"] == 3 and erased["labels"]["files"] == 2
    assert erased["identity"] == {"entries": 1} and erased["logs"] == {"files": 1}
    assert (told["state"], told["participant"], told["left"]) == ("done", "P014", [])
    assert told["emolab"] and told["done_utc"] >= told["begun_utc"]
    assert secret("P014") not in json.dumps(told) and "Name" not in json.dumps(told)


def test_the_pseudonym_is_never_given_again(place: Place) -> None:
    withdraw(place.study, "P014")
    with pytest.raises(ConfigError, match="P014 withdrew"):
        participants.admit(place.study, "P014")
    assert participants.allocate(place.study).id == "P146"


def test_who_is_being_recorded_is_not_erased(place: Place) -> None:
    before = bytes_of(place, "P014")
    with pytest.raises(ConfigError, match=r"Session 1 is recorded\. Nothing was erased"):
        withdraw(place.study, "P014", is_recorded=lambda who: "Session 1 is recorded.")
    assert bytes_of(place, "P014") == before and tombstone.read(place.study, "P014") is None
    asked: list[str] = []

    def begins(who: str) -> str:
        asked.append(who)
        return "Session 1 is recorded." if len(asked) == 2 else ""

    with pytest.raises(ConfigError, match="nobody can be recorded as P014"):
        withdraw(place.study, "P014", is_recorded=begins)
    assert set(before) <= set(bytes_of(place, "P014"))
    withdraw(place.study, "P014")
    assert mentioned(place.root, secret("P014")) == []


def test_what_cannot_be_erased_is_named_and_it_goes_on_later(place: Place) -> None:
    stubborn = place.out / "csv" / "P014" / "P014_session-0_board.csv"
    stubborn.unlink()
    (stubborn / "of somebody else").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"P014_session-0_board.*cannot be erased.*goes on"):
        withdraw(place.study, "P014")
    stone = tombstone.read(place.study, "P014")
    assert stone is not None and stone.state == "begun"
    assert not session_path(place.study, "P014", 0).exists()
    shutil.rmtree(stubborn)
    assert withdraw(place.study, "P014").stone.state == "done" and not stubborn.parent.exists()


def test_a_kill_at_any_moment_leaves_what_can_be_gone_on_with(place: Place) -> None:
    total = sum(len(paths) for paths in withdrawal.look(place.study, "P014").files.values())
    counted = withdrawal.look(place.study, "P014").counted()
    for deed in (0, 2, 7, total // 2, total + 2):
        killed = subprocess.run(
            [sys.executable, "-c", _DIES, str(place.study), str(deed)], cwd=ROOT, timeout=120, check=False
        )
        stone = tombstone.read(place.study, "P014")
        if killed.returncode == 9:
            assert stone is None or stone.state == "begun"
        if stone is not None:
            with pytest.raises(ConfigError, match="P014 withdrew"):
                participants.check_open(place.study, "P014")
    done = withdraw(place.study, "P014", names(place))
    assert mentioned(place.root, secret("P014")) == [] and done.residue == () and done.stone.left == ()
    for kind, count in counted.items():
        assert done.stone.erased[kind] == count, kind


_DIES = """
import os, sys
from pathlib import Path
from emolab.study import kept, withdrawal
left = [int(sys.argv[2])]
def counted(deed):
    def do(*a, **k):
        left[0] -= 1
        if left[0] < 0:
            os._exit(9)
        return deed(*a, **k)
    return do
withdrawal._unlink = counted(withdrawal._unlink)
kept.write_whole = counted(kept.write_whole)
kept.add_line = counted(kept.add_line)
os.fsync = lambda handle: None
withdrawal.withdraw(Path(sys.argv[1]), "P014")
"""


def test_exports_that_were_not_there_are_erased_when_they_are_back(place: Place) -> None:
    away = place.root.with_name("away")
    (place.out / "csv").rename(away)
    done = withdraw(place.study, "P014")
    (left,) = done.stone.left
    assert left["folder"] == str(place.out / "csv" / "P014") and len(left["files"]) >= 4
    away.rename(place.out / "csv")
    again = withdraw(place.study, "P014")
    assert again.stone.left == () and not (place.out / "csv" / "P014").exists()
    assert again.stone.erased["exports"]["files"] > done.stone.erased["exports"]["files"]


def test_doing_it_twice_changes_nothing_more(place: Place) -> None:
    first = withdraw(place.study, "P014").stone
    again = withdraw(place.study, "p014").stone
    assert again.erased == first.erased and again.begun_utc == first.begun_utc


def test_a_list_that_names_files_of_others_erases_none_of_them(place: Place) -> None:
    precious = place.root / "precious"
    precious.mkdir()
    files = [precious / "thesis.txt", precious / "P0145_session-0_board.csv", precious / "sub-P0145_x.tsv"]
    for path in files:
        path.write_text("mine", encoding="utf-8")
    exports_made.register(place.study, "P014_session-0", "csv", precious, files)
    linked = place.study / "P014" / "elsewhere"
    linked.symlink_to(precious)
    withdraw(place.study, "P014")
    assert all(path.read_text(encoding="utf-8") == "mine" for path in files) and not linked.is_symlink()


def test_a_folder_that_is_a_link_gives_up_the_sessions_and_nothing_else(place: Place) -> None:
    disk = place.root / "disk"
    (place.study / "P014").rename(disk)
    (disk / "holiday.jpg").write_bytes(b"x")
    (place.study / "P014").symlink_to(disk)
    done = withdraw(place.study, "P014")
    assert [path.name for path in disk.iterdir()] == ["holiday.jpg"]
    assert not (place.study / "P014").is_symlink() and done.unsure == (disk / "holiday.jpg",)
    assert secret("P014") not in str(mentioned(place.root, secret("P014")))


def test_a_journal_that_may_be_of_another_study_is_told_and_left_alone(place: Place) -> None:
    theirs = places(session_path(place.root / "another", "P014", 0))[1]
    theirs.write_bytes(b"theirs")
    done = withdraw(place.study, "P014")
    assert done.unsure == (theirs,) and theirs.exists()


def test_what_people_wrote_about_the_participant_is_told(place: Place) -> None:
    (place.study / "remarks.txt").write_text("P014 was late. P0145 was not.", encoding="utf-8")
    (place.study / "others.txt").write_text("P0145 and XP014 and P014-B", encoding="utf-8")
    (place.study / "P014 plot.png").write_bytes(b"x")
    done = withdraw(place.study, "P014")
    assert {path.name for path in done.residue} == {"remarks.txt", "P014 plot.png"}


def test_de_identified_exports_are_found_with_their_key_alone(place: Place) -> None:
    codes = deidentify.Codes(place.key)
    export_all(place.study, "bids", place.out / "hidden", Hide(codes))
    code = codes.of("P014")
    first = withdraw(place.study, "P014")
    assert [left["folder"] for left in first.stone.left] == [str(place.out / "hidden")]
    assert mentioned(place.out, code)
    again = withdraw(place.study, "P014", key=place.key)
    assert again.stone.left == () and mentioned(place.root, code) == []
    assert mentioned(place.out, codes.of("P0145")) and "P014," not in place.key.read_text(encoding="utf-8")


def test_a_pseudonym_that_may_mean_other_things_takes_nothing_along(tmp_path: Path) -> None:
    participants.admit(tmp_path, "v1")
    for name in ("v1", "analysis/v1", "sub-v1"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "table.csv").write_text("model v1", encoding="utf-8")
    log = tmp_path / ".emolab" / "engine.log"
    log.parent.mkdir()
    log.write_text("protocol v1\nlost v1_session-0.h5\n", encoding="utf-8")
    done = withdraw(tmp_path, "v1")
    assert (tmp_path / "analysis" / "v1" / "table.csv").exists() and done.residue == ()
    assert not (tmp_path / "v1").exists() and not (tmp_path / "sub-v1").exists()
    assert log.read_text(encoding="utf-8").split() == ["protocol", "v1"]


def test_somebody_unknown_is_told_with_the_nearest_name(place: Place) -> None:
    with pytest.raises(ConfigError, match=r"knows no participant 'P0l4'; did you mean P014\?"):
        withdraw(place.study, "P0l4")
