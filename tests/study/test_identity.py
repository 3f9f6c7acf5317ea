"""The identity map: readable with its passphrase alone, and never lost to a slip or a power cut."""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emolab.core.disk import alone
from emolab.core.errors import ConfigError
from emolab.study import identity, kept, study_file
from emolab.study.identity import IdentityMap, Person, WrongPassphrase

ROOT = Path(__file__).parents[2]
WORDS, STUDY = "correct horse battery", "0" * 32
ANNA = Person("Anna Müller 音", "anna@example.org", "mornings", "2026-01-01T00:00:00+00:00")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in a millisecond; one test asks for the real work."""
    monkeypatch.setitem(identity.SCRYPT, "n", 1 << 10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A map with one person in it."""
    place = tmp_path / "identities" / "map.identity"
    made = IdentityMap.make(place, STUDY, WORDS)
    made.persons["P014"] = ANNA
    made.save()
    return place


def test_what_was_kept_comes_back_and_nothing_of_it_can_be_read_in_the_file(path: Path) -> None:
    assert IdentityMap.open(path, STUDY, WORDS).persons == {"P014": ANNA}
    raw = path.read_bytes()
    for word in ("Anna", "Müller", "anna@example.org", "P014", "mornings", WORDS):
        assert word.encode() not in raw and base64.b64encode(word.encode()) not in raw
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_entries_never_make_the_same_file(path: Path) -> None:
    first = path.read_bytes()
    IdentityMap.open(path, STUDY, WORDS).save()
    told, again = json.loads(first), json.loads(path.read_bytes())
    assert told["data"] != again["data"] and told["nonce"] != again["nonce"]
    assert told["kdf"]["salt"] != again["kdf"]["salt"]


def test_a_wrong_passphrase_is_told_and_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(WrongPassphrase, match=r"does not open .*nothing was changed"):
        IdentityMap.open(path, STUDY, WORDS + "!")
    assert path.read_bytes() == before


def test_every_damaged_byte_is_told_as_damage_not_as_a_wrong_passphrase(path: Path) -> None:
    raw = path.read_bytes()
    told = 0
    for at in range(0, len(raw), 7):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        try:
            opened = IdentityMap.open(path, STUDY, WORDS)
        except WrongPassphrase:
            pytest.fail(f"byte {at} is taken for a wrong passphrase")
        except ConfigError as error:
            assert str(path) in str(error)
            told += 1
        else:  # a blank between two fields
            assert opened.persons == {"P014": ANNA} and raw[at : at + 1].isspace()
    assert told > 50
    for cut in (0, 1, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:cut])
        with pytest.raises(ConfigError, match="damaged"):
            IdentityMap.open(path, STUDY, WORDS)


def test_a_file_altered_on_purpose_is_not_believed(path: Path) -> None:
    told = json.loads(path.read_bytes())
    del told["sha256"]
    told["study"] = "1" * 32
    path.write_text(json.dumps({**told, "sha256": identity._checksum(told)}), encoding="utf-8")
    with pytest.raises(WrongPassphrase):
        IdentityMap.open(path, "1" * 32, WORDS)


def test_a_file_that_asks_for_all_memory_is_refused_at_once(path: Path) -> None:
    told = json.loads(path.read_bytes())
    del told["sha256"]
    told["kdf"]["n"] = 1 << 40
    path.write_text(json.dumps({**told, "sha256": identity._checksum(told)}), encoding="utf-8")
    with pytest.raises(ConfigError, match="damaged"):
        IdentityMap.open(path, STUDY, WORDS)


def test_the_map_of_another_study_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="another study"):
        IdentityMap.open(path, "2" * 32, WORDS)
    with pytest.raises(ConfigError, match="there already"):
        IdentityMap.make(path, STUDY, WORDS)


def test_a_new_passphrase_shuts_out_the_old_one(path: Path) -> None:
    IdentityMap.open(path, STUDY, WORDS).change_passphrase("four other random words")
    with pytest.raises(WrongPassphrase):
        IdentityMap.open(path, STUDY, WORDS)
    assert IdentityMap.open(path, STUDY, "four other random words").persons == {"P014": ANNA}
    with pytest.raises(ConfigError, match="at least 12"):
        IdentityMap.open(path, STUDY, "four other random words").change_passphrase("short")


def test_a_disk_that_fails_leaves_the_map_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    opened = IdentityMap.open(path, STUDY, WORDS)
    opened.persons.clear()
    monkeypatch.setattr(kept.os, "fsync", full)
    with pytest.raises(ConfigError, match="untouched"):
        opened.save()
    assert path.read_bytes() == before and [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_kill_in_the_middle_of_writing_leaves_a_whole_map(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from emolab.study import identity\n"
        "identity.SCRYPT['n'] = 1 << 10\n"
        "m = identity.IdentityMap.open(Path(sys.argv[1]), sys.argv[2], sys.argv[3])\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1; m.persons[f'X{n}'] = identity.Person('y' * 500); m.save(); print(n, flush=True)"
    )
    for wait_s in (0.0, 0.013, 0.027, 0.04):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(path), STUDY, WORDS], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert writer.stdout is not None and writer.stdout.readline()
        time.sleep(wait_s)
        writer.send_signal(signal.SIGKILL)
        told = writer.communicate()[0].split()
        persons = IdentityMap.open(path, STUDY, WORDS).persons
        assert persons["P014"] == ANNA and len(persons) > int(told[-1] if told else 1)


def test_what_two_programs_write_at_once_is_not_lost_in_silence(path: Path) -> None:
    one, other = IdentityMap.open(path, STUDY, WORDS), IdentityMap.open(path, STUDY, WORDS)
    one.persons["P015"] = Person("Berta")
    one.save()
    one.persons["P016"] = Person("Carla")
    one.save()
    other.persons["P017"] = Person("Dora")
    with pytest.raises(ConfigError, match="changed by another program"):
        other.save()
    assert set(IdentityMap.open(path, STUDY, WORDS).persons) == {"P014", "P015", "P016"}


def test_of_two_programs_that_save_in_the_same_moment_one_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, encrypted = threading.Barrier(2, timeout=30), identity._encrypted

    def together(*facts: object) -> bytes:
        both.wait()  # either has seen the map as it was
        return encrypted(*facts)  # type: ignore[arg-type]

    def saved(name: str) -> bool:
        opened = IdentityMap.open(path, STUDY, WORDS)
        opened.persons[name] = Person(name)
        try:
            opened.save()
        except ConfigError as error:
            assert "changed by another program" in str(error)
            return False
        return True

    monkeypatch.setattr(identity, "_encrypted", together)
    with ThreadPoolExecutor(2) as programs:
        done = dict(zip(("P015", "P016"), programs.map(saved, ("P015", "P016")), strict=True))
    kept_now = set(IdentityMap.open(path, STUDY, WORDS).persons)
    assert sorted(done.values()) == [False, True]
    assert kept_now == {"P014", *(name for name, is_saved in done.items() if is_saved)}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_lock_that_another_program_keeps_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emolab.study.identity.PATIENCE_S", 0.1)
    opened = IdentityMap.open(path, STUDY, WORDS)
    with alone(path, 0.0), pytest.raises(ConfigError, match="another program does not let go"):
        opened.save()
    opened.save()


def test_a_lock_that_a_killed_program_left_stops_nobody(path: Path) -> None:
    path.with_name(f".{path.name}.lock").touch()
    IdentityMap.open(path, STUDY, WORDS).save()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_a_killed_process_left_half_written_goes_with_the_next_save(path: Path) -> None:
    left = path.with_name(f".{path.name}.0badcafe.part")
    left.write_bytes(path.read_bytes())
    IdentityMap.open(path, STUDY, WORDS).save()
    assert not left.exists()


def test_the_map_lies_outside_the_study(tmp_path: Path) -> None:
    study = tmp_path / "study"
    facts = study_file.make(study)
    place = identity.default_path(study)
    assert place is not None and facts.id in place.name and not place.is_relative_to(study)
    with pytest.raises(ConfigError, match="inside the study"):
        identity.check_place(study / "P014" / "map.identity", study)
    with pytest.raises(ConfigError, match="inside the study"):
        identity.check_place(tmp_path / "x" / ".." / "study" / "map", study)
    assert identity.check_place(tmp_path / "map.identity", study)


def test_a_key_takes_a_guesser_real_work(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(identity.SCRYPT, "n", 1 << 17)
    opened = IdentityMap.open(path, STUDY, WORDS)
    opened.save()
    kdf = json.loads(path.read_bytes())["kdf"]
    assert (kdf["n"], kdf["r"], len(base64.b64decode(kdf["salt"]))) == (1 << 17, 8, 16)
    assert IdentityMap.open(path, STUDY, WORDS).persons == {"P014": ANNA}
