"""Where no guest can run, the reason names what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guest import guest


def test_missing_tools_are_named_with_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "TOOLS", {"no-such-qemu": "qemu-system-x86", "no-such-cpio": "cpio"})
    with pytest.raises(guest.NoGuest, match="apt-get install cpio qemu-system-x86"):
        guest.run("tests.guest.inside", tmp_path, 1.0)


def test_a_kernel_that_cannot_be_fetched_is_a_reason_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "TOOLS", {})
    monkeypatch.setattr(guest, "DEBIAN_TOOLS", ("no-such-apt",))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(guest.NoGuest, match="no apt here"):
        guest.find_kernel()
    assert list((tmp_path / "emolab-tests").iterdir()) == []
