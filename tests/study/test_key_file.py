"""The key of de-identified exports, as programs save it that tables are looked at with."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.core.errors import ConfigError
from emolab.study import exports_made, participants, tombstone
from emolab.study.withdrawal import withdraw

KEYS = {  # a key as programs save it that tables are looked at with: before, and after P014 has gone
    "quoted": ('"pseudonym","code"\n"P014","X1"\n"P0145","X2"\n', '"pseudonym","code"\n"P0145","X2"\n'),
    "BOM": ("\ufeffpseudonym,code\r\np014,X1\r\nP0145,X2\r\n", "\ufeffpseudonym,code\r\nP0145,X2\r\n"),
    "columns": ('code,pseudonym,why\nX1, P014,"a,\nb"\nX2,P0145,\n', "code,pseudonym,why\nX2,P0145,\n"),
}


@pytest.mark.parametrize("how", KEYS)
def test_a_key_that_another_program_saved_is_read_and_loses_the_row(tmp_path: Path, how: str) -> None:
    key, (before, after) = tmp_path / "key.csv", KEYS[how]
    key.write_bytes(before.encode())
    study = tmp_path / "study"
    for who in ("P014", "P0145"):
        participants.admit(study, who)
    hidden = tmp_path / "hidden" / "X1_session-0.xdf"
    hidden.parent.mkdir()
    hidden.touch()
    exports_made.register(study, "P014_session-0", "de-identified xdf", hidden.parent, [])
    done = withdraw(study, "P014", key=key)
    assert not hidden.exists() and done.stone.left == ()
    assert key.read_bytes() == after.encode()


def test_a_key_that_is_none_is_told_before_anything_is_erased(tmp_path: Path) -> None:
    participants.admit(tmp_path, "P014")
    key = tmp_path / "key.csv"
    for text in ("pseudonym;code\nP014;X1\n", "who,code\n", 'pseudonym,code\n"' + "x" * 200_000):
        key.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="is no key file"):
            withdraw(tmp_path, "P014", key=key)
    assert tombstone.read(tmp_path, "P014") is None
