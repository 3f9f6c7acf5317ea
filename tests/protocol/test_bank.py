"""The manifest of clips: read, written, and its mistakes named by line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError
from emolab.protocol.bank import COLUMNS, is_one_line, read_manifest, write_manifest
from tests.protocol.worlds import bank

HEADER = ",".join(COLUMNS)
GOOD = "joy-1,most_positive,joy-1.flac,Joy,us,CC0,,-23.0"


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    entries = bank().entries
    read_back = write_manifest(tmp_path / "manifest.csv", entries)
    assert read_back.entries == entries
    assert [entry.position for entry in read_back.by_state["neutral"]] == list(range(7))
    assert read_back.smallest == 7
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.csv"]


def test_a_spreadsheet_s_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f'{HEADER}\r\nx,neutral,x.flac,"Air, slow",us,CC0,,\r\n\r\n'.encode())
    (entry,) = read_manifest(path).entries
    assert (entry.title, entry.loudness_lufs) == ("Air, slow", None)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("joy-2,joyful,a.flac,t,s,l,,", "state 'joyful' is none of"),
        ("joy-2,neutral,a.flac,t,s,l,", "has 7 cells instead of 8"),
        (GOOD, "'joy-1' is used twice"),
        (",neutral,a.flac,t,s,l,,", "id is empty"),
        ("joy-2,neutral,,t,s,l,,", "file is empty"),
        ("joy-2,neutral,../a.flac,t,s,l,,", "leads out of the bank's folder"),
        ("joy-2,neutral,C:\\a.flac,t,s,l,,", "leads out of the bank's folder"),
        ("joy-2,neutral,a.flac,t,s,l,abc,", "sha256 is not 64"),
        ("joy-2,neutral,a.flac,t,s,l,,loud", "loudness_lufs 'loud' is no number"),
        ("joy-2,neutral,a.flac,t,s,l,,nan", "loudness_lufs 'nan' is no number"),
        ('joy-2,neutral,"a.flac,t,s,l,,', "is no CSV here"),
    ],
)
def test_a_wrong_row_is_named_by_line(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_manifest(written(tmp_path, HEADER, GOOD, row))
    assert str(error.value).startswith(f"{tmp_path / 'manifest.csv'}:3: ")
    assert says in str(error.value)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"manifest\.csv:1: the columns are id;state; they must be id,state"
    ):
        read_manifest(written(tmp_path, "id;state"))


def test_an_empty_bank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lists no clip"):
        read_manifest(written(tmp_path, HEADER))


def test_a_missing_or_unreadable_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.csv: cannot be read"):
        read_manifest(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes(b"\xe4")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_manifest(tmp_path / "latin.csv")


def test_an_unknown_clip_is_named() -> None:
    assert bank().entry("neutral-3").position == 2
    with pytest.raises(ConfigError, match="no clip 'neutral-9'"):
        bank().entry("neutral-9")


@pytest.mark.parametrize(
    "source",
    ["Bach\tCello", "Bach\nCello", "Bach\u2028Cello", "caf\udce9", "x" * 2001],
    ids=["tab", "line", "separator", "half a sign", "too long"],
)
def test_text_that_could_not_be_read_again_leaves_the_manifest_as_it_was(tmp_path: Path, source: str) -> None:
    path = write_manifest(tmp_path / "manifest.csv", bank().entries).path
    before = path.read_bytes()
    first, *others = bank().entries
    with pytest.raises(ConfigError, match=r"manifest\.csv:2: "):
        write_manifest(path, [replace(first, source=source), *others])
    assert path.read_bytes() == before
    assert [left.name for left in tmp_path.iterdir()] == ["manifest.csv"]
    assert not is_one_line(source) and is_one_line("Bach, Cello “1”")


def test_an_id_used_twice_leaves_the_manifest_as_it_was(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "manifest.csv", bank().entries).path
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"manifest\.csv:37: id 'most_negative-1' is used twice"):
        write_manifest(path, [*bank().entries, bank().entries[0]])
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
