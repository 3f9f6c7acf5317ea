"""Consent texts: each version kept, never altered, and named by its hash in every session."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emolab.core.errors import ConfigError
from emolab.protocol.texts import PageText
from emolab.study import consent, kept

PAGE = PageText("Mitmachen", "Zuerst: Ruhe.\n\n音乐 – dann Musik \t\n: '#'\n", "Weiter", "Ich stimme zu.")


def test_what_a_protocol_shows_is_kept_once_and_comes_back_as_it_was(tmp_path: Path) -> None:
    assert consent.shown(tmp_path, "de", PAGE) == (PAGE, None)
    page, version = consent.keep_shown(tmp_path, "de", PAGE)
    assert page == PAGE == consent.page(tmp_path, version)
    assert consent.keep_shown(tmp_path, "de", PAGE) == (PAGE, version)
    raw = (tmp_path / "consent" / "de-1.yaml").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == version.sha256 and len(consent.versions(tmp_path)) == 1


def test_a_wording_that_changed_is_a_new_version_and_the_old_one_stays(tmp_path: Path) -> None:
    first = consent.keep_shown(tmp_path, "de", PAGE)[1]
    second = consent.keep_shown(tmp_path, "de", replace(PAGE, agree="Ja."))[1]
    assert (first.version, second.version) == (1, 2)
    assert consent.keep_shown(tmp_path, "de", PAGE)[1] == first
    assert consent.keep_shown(tmp_path, "en", PAGE)[1].version == 1


def test_the_newest_text_added_is_shown_in_the_protocols_place(tmp_path: Path) -> None:
    consent.keep_shown(tmp_path, "de", PAGE)
    for words in ("Erste.\n", "Zweite.\n"):
        consent.keep(tmp_path, "de", replace(PAGE, text=words))
    page, version = consent.shown(tmp_path, "de", PAGE)
    assert page.text == "Zweite.\n" and version is not None and version.version == 3
    with pytest.raises(ConfigError, match="already"):
        consent.keep(tmp_path, "de", replace(PAGE, text="Zweite.\n"))


def test_texts_that_two_programs_add_in_the_same_moment_are_two_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, written = threading.Barrier(2, timeout=30), kept.write_whole

    def together(path: Path, *facts: Any) -> None:
        both.wait()  # either has looked which version is free
        written(path, *facts)

    monkeypatch.setattr(kept, "write_whole", together)
    pages = [replace(PAGE, text=words) for words in ("Eins.\n", "Zwei.\n")]
    with ThreadPoolExecutor(2) as programs:
        list(programs.map(lambda what: consent.keep(tmp_path, "de", what), pages))
    found = consent.versions(tmp_path)
    assert sorted(version.version for version in found) == [1, 2]
    assert {consent.page(tmp_path, version).text for version in found} == {"Eins.\n", "Zwei.\n"}


def test_a_text_that_cannot_be_written_leaves_nothing_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(ConfigError, match="No space left"):
        patch.setattr(kept.os, "fsync", full)
        consent.keep(tmp_path, "de", PAGE)
    assert list((tmp_path / "consent").iterdir()) == []
    assert consent.keep(tmp_path, "de", PAGE).version == 1


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_text_that_was_tampered_with_stops_the_session(tmp_path: Path, harm: str) -> None:
    consent.keep(tmp_path, "de", PAGE)
    path = tmp_path / "consent" / "de-1.yaml"
    path.chmod(0o644)
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"Ruhe", b"Rube"))
    with pytest.raises(ConfigError, match=r"de-1\.yaml.*(was changed|cannot be read).*put the file back"):
        consent.shown(tmp_path, "de", PAGE)


def test_a_text_is_added_from_a_plain_file_or_a_whole_page(tmp_path: Path) -> None:
    plain, whole = tmp_path / "board.txt", tmp_path / "board.yaml"
    plain.write_text("Approved.\n\nTwice.", encoding="utf-8")
    page = consent.from_file(plain, PAGE)
    assert page == replace(PAGE, text="Approved.\n\nTwice.\n")
    whole.write_text("title: T\ntext: X\nagree: A\nbutton: B\n", encoding="utf-8")
    assert consent.from_file(whole, PAGE) == PageText("T", "X", "B", "A")
    whole.write_text("title: T\ntext: X\nagree: A\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="button: is missing"):
        consent.from_file(whole, PAGE)
    with pytest.raises(ConfigError, match="language code"):
        consent.keep(tmp_path, "../en", page)
