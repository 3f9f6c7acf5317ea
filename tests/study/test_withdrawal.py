"""Withdrawing erases all of one participant and nothing of another, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emolab.core.errors import ConfigError
from emolab.recording.labels import TimedLabel
from emolab.recording.places import places
from emolab.review.desk import Desk
from emolab.study import exports_made, participants, tombstone, withdrawal
from emolab.study.check import check
from emolab.study.export import deidentify
from emolab.study.export.many import Hide, export_all
from emolab.study.identity import IdentityMap, Person
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


def shut(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Let nobody look into these folders, not even root."""
    for name in ("scandir", "listdir"):
        look = getattr(os, name)

        def refused(path: Any = ".", look: Any = look) -> Any:
            if Path(os.fsdecode(path)) in folders:
                raise PermissionError(13, "Permission denied", str(path))
            return look(path)

        monkeypatch.setattr(os, name, refused)


@pytest.mark.parametrize("inner", ["", "P014_session-0.labels"])
def test_a_folder_of_theirs_that_cannot_be_read_is_not_called_erased(
    place: Place, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    home = place.study / "P014" / inner
    held = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    with monkeypatch.context() as patch:
        shut(patch, home)
        assert [path for path, _ in withdrawal.look(place.study, "P014").shut] == [home]
        with pytest.raises(
            ConfigError, match=rf"{home.name} cannot be erased \(Permission denied\).*goes on"
        ):
            withdraw(place.study, "P014", names(place))
    stone = tombstone.read(place.study, "P014")
    assert held and {path: path.read_bytes() for path in held} == held
    assert stone is not None and stone.state == "begun"
    assert mentioned(place.out, "P014", "P0145") == []  # all else is gone
    assert withdraw(place.study, "P014").stone.state == "done" and not home.exists()


def test_a_folder_of_theirs_on_a_disk_that_is_away_is_not_called_erased(place: Place) -> None:
    disk, away = place.root / "disk", place.root / "away"
    (place.study / "P014").rename(disk)
    (place.study / "P014").symlink_to(disk)
    disk.rename(away)
    with pytest.raises(ConfigError, match=r"P014 cannot be erased .*not there.*goes on"):
        withdraw(place.study, "P014")
    stone = tombstone.read(place.study, "P014")
    assert stone is not None and stone.state == "begun" and (place.study / "P014").is_symlink()
    away.rename(disk)
    assert withdraw(place.study, "P014").stone.state == "done" and not disk.exists()


def test_what_cannot_be_read_of_who_withdrew_before_is_found(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place.study / "P014"
    withdraw(place.study, "P014")
    home.mkdir()
    with monkeypatch.context() as patch:
        shut(patch, home)
        found = [(one.kind, one.where) for one in check(place.study) if one.participant == "P014"]
    assert found == [("returned", home)]


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


def record_as(place: Place, who: str) -> None:
    """What an older emolab made of somebody under a spelling that the study does not know."""
    path = people.record(place.study, who, 7)
    words = secret(who)
    path.with_suffix(".notes.jsonl").write_text(words, encoding="utf-8")
    Desk(path, "anna").add(TimedLabel(0.1, 0.2, state="neutral", note=words))
    for journal in places(session_path(place.study, who, 8)):
        journal.write_text(words, encoding="utf-8")
    derived = place.study / "analysis" / who / "features.csv"
    derived.parent.mkdir(parents=True, exist_ok=True)
    derived.write_text(words, encoding="utf-8")
    with (place.study / ".emolab" / "engine.log").open("a", encoding="utf-8") as log:
        log.write(f"WARNING pump of {who} {words}\n")
    for to in ("csv", "xdf", "bids"):
        assert all(one.files for one in export_all(place.study / who, to, place.out / to))


def test_what_was_recorded_under_another_spelling_is_erased_too(place: Place) -> None:
    others = bytes_of(place, "P0145")
    record_as(place, "p014")
    opened = names(place)
    opened.persons["p014"] = Person("Name of p014", secret("p014"))
    opened.save()
    codes = deidentify.Codes(place.key)
    export_all(place.study, "bids", place.out / "hidden", Hide(codes))
    assert len(mentioned(place.root, secret("p014"))) >= 8 and codes.of("p014") != codes.of("P014")
    done = withdraw(place.study, "P014", names(place), place.key)
    for words in ("p014", secret("p014"), secret("P014"), codes.of("p014"), codes.of("P014")):
        assert mentioned(place.root, words) == []
    assert mentioned(place.root, "P014", "P0145") == ALLOWED
    assert done.stone.erased["identity"] == {"entries": 2} and set(names(place).persons) == {"P0145"}
    assert {export.participant for export in exports_made.made(place.study)} == {"P0145"}
    assert {path: raw for path, raw in bytes_of(place, "P0145").items() if path in others} == others
    assert done.stone.left == () and not (done.residue or done.unsure)


def test_a_file_that_names_another_spelling_is_told(place: Place) -> None:
    (place.study / "remarks.txt").write_text("p014 was late", encoding="utf-8")
    assert [path.name for path in withdraw(place.study, "P014").residue] == ["remarks.txt"]


def test_a_tombstone_under_another_spelling_is_the_participants(tmp_path: Path) -> None:
    participants.admit(tmp_path, "P014")
    tombstone.write(tmp_path, tombstone.Tombstone("p014", "begun", "2026-01-02T03:04:05+00:00"))
    assert withdraw(tmp_path, "P014").stone.begun_utc == "2026-01-02T03:04:05+00:00"
    assert len(list((tmp_path / "withdrawn").iterdir())) == 1


def alien(folder: Path, *files: str, makers: object = None) -> dict[Path, bytes]:
    """A BIDS data set that emolab did not begin; its files with their bytes."""
    told = {"Name": "alien", "BIDSVersion": "1.8.0"} | ({"GeneratedBy": makers} if makers else {})
    for name in (*files, "dataset_description.json"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told) if path.suffix == ".json" else "theirs", encoding="utf-8")
    (folder / "participants.tsv").write_text("participant_id\tage\nsub-P014\t31\n", encoding="utf-8")
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SCANS = (
    "sub-P014/anat/sub-P014_T1w.nii",
    "sub-P014_scans.tsv",
    "P014/scan.nii",
    "derivatives/x/sub-P014/y.nii",
)


def test_of_an_export_folder_no_data_set_of_others_is_erased(place: Place) -> None:
    out = place.out / "bids"
    theirs = alien(out / "openneuro-ds1", *SCANS, makers=[{"Name": "heudiconv"}])
    theirs |= alien(out / "derivatives" / "more" / "deep", *SCANS)
    theirs |= alien(out / "deeper" / "ds2", *SCANS)
    computed = out / "derivatives" / "fmriprep" / "sub-P014" / "func" / "bold.nii"
    computed.parent.mkdir(parents=True)
    computed.write_text(secret("P014"), encoding="utf-8")
    (out / "derivatives" / "fmriprep" / "dataset_description.json").write_text("{}", encoding="utf-8")
    done = withdraw(place.study, "P014")
    assert {path: path.read_bytes() for path in theirs} == theirs
    assert not computed.exists() and not (out / "sub-P014").exists()
    assert mentioned(place.root, secret("P014")) == []
    assert out / "openneuro-ds1" / "sub-P014" in done.residue
    assert not any(path.is_relative_to(out / "openneuro-ds1" / "sub-P014" / "anat") for path in done.residue)


def test_of_de_identified_exports_only_what_lies_at_their_top_is_erased(place: Place) -> None:
    codes = deidentify.Codes(place.key)
    out = place.out / "hidden"
    for to in ("csv", "xdf"):
        export_all(place.study, to, out, Hide(codes))
    code = codes.of("P014")
    theirs = alien(out / "ds1", f"sub-{code}/x.nii", f"{code}/x.nii", f"{code}_session-0.xdf")
    assert (out / code).is_dir()
    withdraw(place.study, "P014", key=place.key)
    assert {path: path.read_bytes() for path in theirs} == theirs and not (out / code).exists()
    assert (out / codes.of("P0145")).is_dir()


def test_of_a_data_set_of_others_in_the_study_a_subject_is_told_and_not_erased(place: Place) -> None:
    ds = place.study / "material" / "openneuro-ds1"
    theirs = alien(ds, *SCANS)
    computed = place.study / "shared" / "derivatives" / "fmriprep"
    (computed / "sub-P014").mkdir(parents=True)
    (computed / "sub-P014" / "bold.nii").write_text("x", encoding="utf-8")
    (computed / "dataset_description.json").write_text("{}", encoding="utf-8")
    done = withdraw(place.study, "P014")
    assert {path: path.read_bytes() for path in theirs} == theirs
    names = {"sub-P014", "sub-P014_scans.tsv", "P014", "participants.tsv", "derivatives/x/sub-P014"}
    assert set(done.unsure) == {ds / name for name in names} and done.residue == ()
    assert not (computed / "sub-P014").exists() and not (place.study / "shared" / "sub-P014").exists()


def test_of_an_export_into_a_data_set_of_others_what_emolab_wrote_is_erased(place: Place) -> None:
    ds = place.root / "theirs"
    alien(ds)
    (ds / "participants.tsv").write_text("participant_id\tage\nsub-01\t31\n", encoding="utf-8")
    export_all(place.study, "bids", ds)
    scan = ds / "sub-P014" / "anat" / "sub-P014_T1w.nii"
    scan.parent.mkdir()
    scan.write_text("theirs", encoding="utf-8")
    done = withdraw(place.study, "P014")
    assert scan.exists() and done.unsure == (ds / "sub-P014",)
    assert mentioned(ds, secret("P014")) == [] and not (ds / "sub-P014" / "ses-0").exists()
    table = (ds / "participants.tsv").read_text(encoding="utf-8").splitlines()
    assert table == ["participant_id\tage\tpseudonym", "sub-01\t31\tn/a", "sub-P0145\tn/a\tP0145"]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """P1-1 and P11, whom an older emolab let into one study and into one data set."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = Place(tmp_path)
    (place.study / ".emolab").mkdir(parents=True)
    for who in ("P1-1", "P11"):
        people.record(place.study, who)
        export_all(place.study / who, "bids", place.out / "bids")
        (place.out / "bids" / "participants.tsv").unlink()
    return place


def test_a_subject_of_bids_that_may_be_another_participant_is_told_and_not_erased(pair: Place) -> None:
    out = pair.out / "bids"
    kept = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    strayed = pair.study / "derived" / "sub-P11_x.tsv"
    strayed.parent.mkdir()
    strayed.write_text("whose", encoding="utf-8")
    done = withdraw(pair.study, "P1-1")
    assert {path: path.read_bytes() for path in kept} == kept and strayed.exists()
    assert set(done.unsure) == {out / "sub-P11", out / "derivatives" / "labels" / "sub-P11", strayed}
    assert not (pair.study / "P1-1").exists() and (pair.study / "P11").exists()
    after = withdraw(pair.study, "P11")
    assert not (out / "sub-P11").exists() and not strayed.exists() and after.unsure == ()


def test_the_folder_of_somebody_called_as_a_subject_of_bids_is_not_taken(tmp_path: Path) -> None:
    for who in ("01", "sub-01"):
        people.record(tmp_path, who)
    withdraw(tmp_path, "01")
    assert session_path(tmp_path, "sub-01", 0).exists() and not (tmp_path / "01").exists()


def test_a_file_that_names_the_participant_as_bids_does_is_told(tmp_path: Path) -> None:
    participants.admit(tmp_path, "MUS-01")
    (tmp_path / "plan.txt").write_text("sub-mus01 is missing", encoding="utf-8")
    (tmp_path / "others.txt").write_text("sub-MUS011 and MUS01 and sub-MUS01-B", encoding="utf-8")
    assert withdraw(tmp_path, "MUS-01").residue == (tmp_path / "plan.txt",)
