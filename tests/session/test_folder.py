"""Study folders: names stay out, nothing is overwritten, the next participant is proposed."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.core.errors import ConfigError
from emolab.session import folder


@pytest.mark.parametrize("name", ["Anna", "Anna Smith", "", "P0/14", "../P1", "P1" * 30])
def test_a_name_or_a_path_cannot_be_a_pseudonym(name: str) -> None:
    with pytest.raises(ConfigError, match="pseudonym"):
        folder.check_pseudonym(name)


def test_a_used_session_is_refused_with_the_free_ones(tmp_path: Path) -> None:
    for session in (0, 1):
        path = folder.session_path(tmp_path, "P014", session)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with pytest.raises(ConfigError, match=r"take session 2, or another pseudonym .*P015"):
        folder.check_unused(tmp_path, "P014", 0)
    assert folder.check_unused(tmp_path, "P014", 2) == tmp_path / "P014" / "P014_session-2.h5"
    assert [(who, number) for who, number, _ in folder.sessions(tmp_path)] == [("P014", 0), ("P014", 1)]


def test_the_first_pseudonym_of_a_new_study(tmp_path: Path) -> None:
    assert folder.next_pseudonym(tmp_path) == "P001"


def test_the_next_pseudonym_has_a_number_nobody_has_had(tmp_path: Path) -> None:
    """The number decides the order of clips: P002 after P002-B would hear what P002-B heard."""
    for participant in ("P001", "P002-B"):
        (tmp_path / participant).mkdir()
        (tmp_path / participant / f"{participant}_session-0.h5").touch()
    assert folder.next_pseudonym(tmp_path) == "P003"
