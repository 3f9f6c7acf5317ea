"""What still names somebody who withdrew is found in whatever another program keeps it, or is told."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from emolab.study import participants, unpacked
from emolab.study.check import check
from emolab.study.withdrawal import withdraw


def packed(folder: Path, words: bytes) -> dict[str, Path]:
    """The words as other programs keep them: in UTF-16, in a table, in a document in an archive …"""
    rows = b"<sst><si><t>" + words + b"</t></si></sst>" + b"<si/>" * 200
    table = BytesIO()
    with zipfile.ZipFile(table, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", rows)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("tables/results.xlsx", table.getvalue())
    kept = {
        "windows.txt": b"\xff\xfe" + f"乁{words.decode()}乁".encode("utf-16-le"),
        "big.txt": f"who {words.decode()} is".encode("utf-16-be"),
        "results.xlsx": table.getvalue(),
        "archive.zip": archive.getvalue(),
        "old.txt.bz2": bz2.compress(b"about " + words),
        "old.xz": lzma.compress(b"about " + words),
        "old.gz": gzip.compress(b"about " + words),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in kept.items():
        (folder / name).write_bytes(raw)
    return {name: folder / name for name in kept}


def test_words_in_packed_files_and_in_other_encodings_are_found(tmp_path: Path) -> None:
    participants.admit(tmp_path, "P014")
    theirs = packed(tmp_path / "theirs", b"P014")
    packed(tmp_path / "others", b"P0145")
    done = withdraw(tmp_path, "P014")
    assert set(done.residue) == set(theirs.values()) and done.unseen == ()


def test_what_cannot_be_looked_into_is_told_and_the_study_is_not_called_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, away = tmp_path / "study", tmp_path / "away"
    participants.admit(study, "P014")
    (away / "features").mkdir(parents=True)
    (study / "features").symlink_to(away / "features")
    (study / "lost").symlink_to(tmp_path / "a disk that is not there")
    (study / "inside").symlink_to(study / "participants.jsonl")
    (study / "report.pdf").write_bytes(b"%PDF-1.7 /FlateDecode")
    (study / "figure.pdf").write_bytes(b"%PDF-1.4 /FlateDecode /Creator (emolab)")
    (study / "cut.zip").write_bytes((packed(away, b"P0145")["archive.zip"]).read_bytes()[:-9])
    (study / "bomb.gz").write_bytes(gzip.compress(bytes(3000)))
    monkeypatch.setattr(unpacked, "LARGEST_BYTES", 2000)
    unseen = {study / name for name in ("features", "lost", "report.pdf", "cut.zip", "bomb.gz")}
    done = withdraw(study, "P014")
    assert set(done.unseen) == unseen and done.residue == ()
    found = check(study)
    assert {one.where for one in found} == unseen and {one.kind for one in found} == {"unseen"}
    assert all("may name P014" in one.what and one.remedy for one in found)


def test_folders_of_others_that_lie_on_another_disk_are_looked_into(tmp_path: Path) -> None:
    study, disk = tmp_path / "study", tmp_path / "disk"
    for who in ("P014", "P015"):
        participants.admit(study, who)
    disk.mkdir()
    (disk / "P015_session-0.notes.jsonl").write_text("like P014", encoding="utf-8")
    (study / "P015").symlink_to(disk)
    done = withdraw(study, "P014")
    assert done.residue == (study / "P015" / "P015_session-0.notes.jsonl",) and done.unseen == ()
