"""`emolab study`: pseudonyms, consents, identities and withdrawing, as a person at a terminal does them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emolab.core import shipped
from emolab.session import folder, occupied
from emolab.study import consent, identity, study_file, tombstone
from tests.cli.command import ROOT, emolab, finish, simulated, start

WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data lie in a folder of the test; keys take a millisecond."""
    monkeypatch.setitem(identity.SCRYPT, "n", 1 << 10)
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study"
    assert emolab("study", "new", path, "--title", "Music and skin", "--pattern", "MS-##").code == 0
    return path


@pytest.fixture
def passphrase(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    return


def identify(study: Path, who: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    """Keep a name for a pseudonym, through the environment and standard input."""
    lines = iter([f"Name of {who}\n", "telephone\n", "\n"])
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    monkeypatch.setattr("sys.stdin", type("Lines", (), {"isatty": lambda self: False,
                                                       "readline": lambda self: next(lines)})())  # fmt: skip
    said = emolab("study", "identity", study, "set", who, *more)
    assert said.code == 0, said.err


def test_a_study_is_made_and_gives_pseudonyms_in_order(study: Path) -> None:
    assert emolab("study", "add", study, "--count", "2").out.split() == ["MS-01", "MS-02"]
    assert emolab("study", "add", study, "--json").json == [{"id": "MS-03", "number": 3}]
    assert emolab("study", "add", study, "--id", "guest-9").out.split() == ["guest-9"]
    told = emolab("study", "list", study, "--json").json
    assert [one["id"] for one in told["participants"]] == ["MS-01", "MS-02", "MS-03", "guest-9"]
    assert told["next"] == "MS-01" and "MS-03" in emolab("study", "list", study).out
    assert "is a study already" in emolab("study", "new", study).complaint


def test_an_older_study_takes_its_people_into_the_list(tmp_path: Path) -> None:
    path = folder.session_path(tmp_path / "old", "VP07", 0)
    path.parent.mkdir(parents=True)
    path.touch()
    said = emolab("study", "new", tmp_path / "old", "--json").json
    assert (said["pattern"], said["next"]) == ("VP##", "VP08")
    assert emolab("study", "list", tmp_path / "old", "--json").json["participants"][0]["sessions"] == [0]


def test_the_numbers_of_the_list_decide_what_is_heard(study: Path, tmp_path: Path) -> None:
    codes = tmp_path / "codes"
    emolab("study", "new", codes, "--pattern", "X-****")
    second = emolab("study", "add", codes, "--count", "2").out.split()[1]
    heard = emolab("plan", "quick", "--participant", second, "--study", codes, "--json").json
    assert heard["participant"] == 2
    assert heard["trials"] == emolab("plan", "quick", "--participant", "P002", "--json").json["trials"]


def test_consent_texts_are_added_listed_and_guarded(study: Path, tmp_path: Path) -> None:
    text = tmp_path / "approved.txt"
    text.write_text("Approved by the board.", encoding="utf-8")
    assert "none yet" in emolab("study", "consent", study).out
    made = emolab("study", "consent", study, "--add", text, "--json").json
    assert (made["version"], made["language"]) == (1, "en")
    assert made["sha256"] in emolab("study", "consent", study).out
    kept = study / "consent" / "en-1.yaml"
    kept.chmod(0o644)
    kept.write_text("something else", encoding="utf-8")
    said = emolab("study", "consent", study)
    assert said.code == 1 and "was changed" in said.out


@pytest.mark.parametrize(
    ("code", "hint"), [("zh-CN", " did you mean zh?"), ("EN", " did you mean en?"), ("fr", "")]
)
def test_a_consent_in_a_language_that_no_session_asks_for_is_refused(
    study: Path, tmp_path: Path, code: str, hint: str
) -> None:
    text = tmp_path / "approved.txt"
    text.write_text("Approved by the board.", encoding="utf-8")
    said = emolab("study", "consent", study, "--add", text, "--language", code)
    assert (
        said.code == 2 and f"no session asks for a text in {code!r};{hint} there are en, zh" in said.complaint
    )
    assert consent.versions(study) == []


def test_a_consent_is_added_in_a_language_of_the_studys_own_protocol(study: Path, tmp_path: Path) -> None:
    shutil.copytree(shipped.folder("protocols"), tmp_path / "protocols")
    own = tmp_path / "protocols" / "quick.yaml"
    own.write_text(
        own.read_text(encoding="utf-8").replace("folder: shipped", "folder: texts"), encoding="utf-8"
    )
    english = (tmp_path / "protocols" / "texts" / "en.yaml").read_text(encoding="utf-8")
    german = english.replace("language: en", "language: de").replace("button: ", "button: Ja, ")
    (tmp_path / "protocols" / "texts" / "de.yaml").write_text(german, encoding="utf-8")
    text = tmp_path / "approved.txt"
    text.write_text("Genehmigt.", encoding="utf-8")
    add = ("study", "consent", study, "--add", text, "--language", "de")
    refused = emolab(*add)
    assert refused.code == 2 and "--protocol" in refused.complaint
    assert emolab(*add, "--protocol", own, "--json").json["language"] == "de"
    page = consent.page(study, consent.versions(study)[-1])
    assert page.text == "Genehmigt.\n" and page.button.startswith("Ja, ")
    another = tmp_path / "another"
    emolab("study", "new", another)
    consent.keep_shown(another, "de", page)  # a session has shown it
    text.write_text("Neu genehmigt.", encoding="utf-8")
    assert emolab("study", "consent", another, *add[3:], "--json").json["version"] == 2


def test_a_session_tells_which_text_was_agreed_to(recorded: Path) -> None:
    told = emolab("inspect", recorded, "--json").json["consent"]
    study = recorded.parents[1]
    (version,) = consent.versions(study)
    assert told["sha256"] == version.sha256 and (told["version"], told["language"]) == (1, "en")
    assert told["given_s"] > 0 and consent.page(study, version).agree
    assert f"version 1 (en), SHA-256 {version.sha256}; agreed to at" in emolab("inspect", recorded).out


def test_names_are_kept_shown_and_forgotten(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emolab("study", "add", study, "--count", "2")
    for who in ("MS-01", "MS-02"):
        identify(study, who, monkeypatch)
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    shown = emolab("study", "identity", study, "show", "--json").json
    assert shown["MS-01"]["name"] == "Name of MS-01" and len(shown) == 2
    assert "EMOLAB_PASSPHRASE" not in os.environ
    monkeypatch.setenv("EMOLAB_PASSPHRASE", "a wrong passphrase")
    assert "does not open" in emolab("study", "identity", study, "show").complaint
    assert "no terminal" in emolab("study", "identity", study, "show").complaint
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    monkeypatch.setenv("EMOLAB_NEW_PASSPHRASE", "another long passphrase")
    assert emolab("study", "identity", study, "passphrase").code == 0
    reading, writing = os.pipe()
    os.write(writing, b"another long passphrase\n")
    os.close(writing)
    said = emolab("study", "identity", study, "forget", "MS-01", "--passphrase-fd", reading)
    os.close(reading)
    assert said.code == 0, said.err
    monkeypatch.setenv("EMOLAB_PASSPHRASE", "another long passphrase")
    assert set(emolab("study", "identity", study, "show", "--json").json) == {"MS-02"}
    inside = emolab("study", "identity", study, "show", "--map", study / "map")
    assert "inside the study" in inside.complaint
    assert "knows no P09" in emolab("study", "identity", study, "set", "P09").complaint


def test_what_was_done_to_the_map_is_told_as_json(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emolab("study", "add", study)
    identify(study, "MS-01", monkeypatch)
    for deed, who, after in (
        ("passphrase", [], "another long passphrase"),
        ("forget", ["MS-01"], "another long passphrase"),
    ):
        monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS if deed == "passphrase" else after)
        monkeypatch.setenv("EMOLAB_NEW_PASSPHRASE", after)
        told = emolab("study", "identity", study, deed, *who, "--json").json
        assert (told["deed"], told["participants"]) == (deed, who)


def test_a_person_has_one_entry_whatever_the_spelling(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emolab("study", "add", study)
    assert (
        "this study knows MS-01; write it so, not ms-01"
        in emolab("study", "identity", study, "set", "ms-01").complaint
    )
    for old, new in (("MS-01", "ms-01"), ("MS-01", "Ms-01")):  # as an older emolab kept them
        identify(study, old, monkeypatch, "--replace")
        respell(study, old, new)
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    shown = emolab("study", "identity", study, "show", "MS-01", "--json").json
    assert set(shown) == {"Ms-01"}  # setting MS-01 again took the place of ms-01
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    said = emolab("study", "identity", study, "forget", "MS-01")
    assert said.code == 0 and "Ms-01 is nobody any more" in said.out
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    assert "has no ms-01" in emolab("study", "identity", study, "show", "ms-01").complaint


def test_a_person_is_written_over_only_when_that_is_said(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emolab("study", "add", study)
    identify(study, "MS-01", monkeypatch)
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    said = emolab("study", "identity", study, "set", "MS-01")
    assert said.code == 2 and "has somebody as MS-01, since 20" in said.complaint
    assert "--replace" in said.complaint and "Name of" not in said.err
    respell(study, "MS-01", "ms-01")
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    assert "has somebody as ms-01" in emolab("study", "identity", study, "set", "MS-01").complaint
    identify(study, "MS-01", monkeypatch, "--replace")


def respell(study: Path, old: str, new: str) -> None:
    """Keep an entry of the identity map under another spelling."""
    facts, place = study_file.read(study), identity.default_path(study)
    assert facts is not None and place is not None
    opened = identity.IdentityMap.open(place, facts.id, WORDS)
    opened.persons[new] = opened.persons.pop(old)
    opened.save()


def test_withdrawing_finds_the_entry_under_another_spelling(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emolab("study", "add", study)
    identify(study, "MS-01", monkeypatch)
    respell(study, "MS-01", "ms-01")
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    said = emolab("study", "withdraw", study, "ms-01")
    assert "the entry in the identity map" in said.err and "--yes-erase MS-01" in said.err
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    done = emolab("study", "withdraw", study, "ms-01", "--yes-erase", "MS-01", "--json").json
    assert done["tombstone"]["erased"]["identity"] == {"entries": 1}


def test_a_map_that_is_named_and_is_not_there_stops_withdrawing_before_anything_is_erased(
    study: Path, tmp_path: Path
) -> None:
    emolab("study", "add", study)
    theirs = study / "MS-01" / "MS-01_session-0.notes.jsonl"
    theirs.parent.mkdir()
    theirs.touch()
    gone = (
        "study",
        "withdraw",
        study,
        "MS-01",
        "--yes-erase",
        "MS-01",
        "--map",
        tmp_path / "mistyped.identity",
    )
    said = emolab(*gone)
    assert said.code == 2 and "mistyped.identity" in said.complaint and "nothing was erased" in said.complaint
    assert theirs.exists() and tombstone.read(study, "MS-01") is None
    assert emolab(*gone, "--keep-identity").code == 0 and not theirs.exists()


def test_what_may_be_of_others_is_shown_before_anything_is_erased(study: Path) -> None:
    emolab("study", "add", study)
    scan = study / "openneuro" / "sub-MS01" / "scan.nii"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"theirs")
    (study / "openneuro" / "dataset_description.json").write_text("{}", encoding="utf-8")
    told = emolab("study", "withdraw", study, "MS-01", "--look").out
    assert f"may be theirs, and would be left alone: {scan.parent}" in told
    done = emolab("study", "withdraw", study, "MS-01", "--yes-erase", "MS-01")
    assert (
        done.code == 1 and scan.exists() and f"May be theirs, and was left alone: {scan.parent}" in done.out
    )


def test_nobody_is_recorded_under_another_spelling_or_as_anothers_subject_of_bids(
    study: Path, tmp_path: Path
) -> None:
    emolab("study", "add", study)
    devices = simulated(tmp_path)
    for who, why in (("ms-01", "this study knows MS-01; write it so"), ("MS01", "told from MS-01 in BIDS")):
        said = emolab(
            "record", "quick", "--study", study, "--participant", who, "--devices", devices, "--headless"
        )
        assert said.code == 2 and why in said.complaint and not (study / who).exists()
        planned = emolab("plan", "quick", "--study", study, "--participant", who)
        assert planned.code == 2 and why in planned.complaint


def test_an_older_study_with_two_spellings_takes_one_of_them_into_its_list(tmp_path: Path) -> None:
    for who, session in (("VP07", 0), ("vp07", 1)):
        path = folder.session_path(tmp_path / "old", who, session)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert emolab("study", "new", tmp_path / "old").code == 0
    told = emolab("study", "list", tmp_path / "old", "--json").json["participants"]
    assert [one["id"] for one in told] == ["VP07"]


def test_withdrawing_takes_the_pseudonym_twice(
    study: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(recorded.parent, study / "P001")
    assert emolab("study", "add", study, "--id", "P001").code == 0
    identify(study, "P001", monkeypatch)
    look = emolab("study", "withdraw", study, "P001", "--look", "--json").json
    assert str(study / "P001" / recorded.name) in look["files"]["recordings"]
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    said = emolab("study", "withdraw", study, "P001")
    assert said.code == 2 and "--yes-erase P001" in said.err and recorded.name in said.err
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    assert "nothing was erased" in emolab("study", "withdraw", study, "P001", "--yes-erase", "P002").complaint
    monkeypatch.setenv("EMOLAB_PASSPHRASE", WORDS)
    done = emolab("study", "withdraw", study, "P001", "--yes-erase", "P001", "--json")
    assert done.code == 0, done.err
    stone = done.json["tombstone"]
    assert stone["state"] == "done" and stone["erased"]["identity"] == {"entries": 1}
    assert any("SSD" in each for each in done.json["beyond_reach"]) and not (study / "P001").exists()
    assert "P001 withdrew" in emolab("study", "add", study, "--id", "P001").complaint
    told = emolab("study", "list", study).out
    assert "withdrew 20" in told


def test_a_recording_is_refused_for_who_withdrew(study: Path, tmp_path: Path) -> None:
    emolab("study", "add", study)
    assert emolab("study", "withdraw", study, "MS-01", "--yes-erase", "MS-01").code == 0
    devices = simulated(tmp_path)
    said = emolab(
        "record", "quick", "--study", study, "--participant", "MS-01", "--devices", devices, "--headless"
    )
    assert said.code == 2 and "MS-01 withdrew" in said.complaint and "Take MS-02" in said.complaint


def test_who_is_being_recorded_is_not_erased(study: Path, tmp_path: Path, stimuli: Path) -> None:
    emolab("study", "add", study)
    engine = start(
        "record", "quick", "--study", study, "--participant", "MS-01", "--devices", simulated(tmp_path),
        "--headless", "--speed", 0.25,
    )  # fmt: skip
    path = folder.session_path(study, "MS-01", 0)
    try:
        while "Session 0 of MS-01 is being recorded" not in occupied.why_not(study, "MS-01"):
            assert engine.poll() is None, engine.communicate()
            time.sleep(0.05)
        said = emolab("study", "withdraw", study, "MS-01", "--yes-erase", "MS-01")
        assert said.code == 2 and "Session 0 of MS-01 is being recorded" in said.complaint
        assert path.exists() and tombstone.read(study, "MS-01") is None
    finally:
        engine.send_signal(signal.SIGINT)
        finish(engine)
    assert emolab("study", "withdraw", study, "MS-01", "--yes-erase", "MS-01").code == 0
    assert not path.parent.exists()


def test_a_study_is_checked(study: Path, recorded: Path) -> None:
    shutil.copytree(recorded.parent, study / "P001")
    shutil.copytree(recorded.parents[1] / "consent", study / "consent")
    shutil.copy(recorded.parents[1] / "participants.jsonl", study)
    assert emolab("study", "check", study).out == "all is in order\n"
    shutil.rmtree(study / "consent")
    (study / "MS-02").mkdir()
    (study / "MS-02" / "MS-02_session-0.h5").write_bytes(b"no HDF5")
    emolab("study", "add", study, "--id", "MS-03")
    emolab("study", "withdraw", study, "MS-03", "--yes-erase", "MS-03")
    (study / "notes.txt").write_text("MS-03 had a cold", encoding="utf-8")
    shutil.copytree(study / "P001", study / "MS-03")
    said = emolab("study", "check", study, "--json")
    assert said.code == 1
    kinds = {(one["kind"], one["participant"]) for one in said.json}
    assert {("consent", "P001"), ("damaged", "MS-02"), ("unlisted", "MS-02")} <= kinds
    assert {("returned", "MS-03"), ("residue", "MS-03")} <= kinds and all(one["remedy"] for one in said.json)


@pytest.mark.skipif(os.name != "posix", reason="a terminal of one's own is POSIX")
def test_at_a_terminal_the_passphrase_is_asked_for_and_never_shown(study: Path, tmp_path: Path) -> None:
    emolab("study", "add", study)
    place = tmp_path / "map.identity"
    said, code = at_terminal(
        ["study", "identity", str(study), "set", "MS-01", "--map", str(place)],
        [("a new passphrase: ", WORDS), ("once more: ", WORDS), ("name: ", "Anna Müller"),
         ("contact: ", "anna@example.org"), ("note: ", "")],
    )  # fmt: skip
    assert code == 0 and WORDS not in said and "MS-01 is kept" in said, said
    said, code = at_terminal(
        ["study", "withdraw", str(study), "MS-01", "--map", str(place)],
        [("passphrase of map.identity: ", WORDS), ("for ever: ", "MS-01")],
    )
    assert code == 0 and "MS-01 is erased" in said and "identity: 1" in said, said
    said, code = at_terminal(
        ["study", "withdraw", str(study), "MS-01", "--map", str(place)],
        [("passphrase of map.identity: ", WORDS), ("for ever: ", "MS-02")],
    )
    assert code == 2 and "another word; nothing was erased" in said


def at_terminal(arguments: list[str], talk: list[tuple[str, str]]) -> tuple[str, int]:
    """Run a command at a terminal of its own; waits for each question and answers it."""
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "emolab", *arguments])
    said = ""
    for question, answer in [*talk, ("", "")]:
        begun = len(said)
        while not question or question not in said[begun:]:
            try:
                raw = os.read(terminal, 4096)
            except OSError:  # the other end has gone
                raw = b""
            if not raw:
                break
            said += raw.decode(errors="replace")
        if question:
            os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    return said, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_tombstone_is_plain_json_that_anybody_can_read(study: Path) -> None:
    emolab("study", "add", study)
    emolab("study", "withdraw", study, "MS-01", "--yes-erase", "MS-01")
    told = json.loads((study / "withdrawn" / "MS-01.json").read_text(encoding="utf-8"))
    assert set(told) == {
        "tombstone", "participant", "state", "begun_utc", "done_utc", "erased", "left", "reached", "emolab"
    }  # fmt: skip
