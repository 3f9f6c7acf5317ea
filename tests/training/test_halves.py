"""Products in bfloat16 are for processors that make them themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.cli import train
from emolab.core.errors import ConfigError
from emolab.training import halves


def test_a_processor_without_them_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(halves, "FLAGS", ("a flag that none has",))
    asked = ("rtcag", "--data", "hku956", "--root", str(tmp_path), "--target", "valence", "--half")
    with pytest.raises(ConfigError, match="does not multiply bfloat16 itself; leave --half out"):
        train.train([*asked, "--out", str(tmp_path / "run")])
    assert not (tmp_path / "run").exists()


def test_a_processor_with_one_of_the_flags_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = Path("/proc/cpuinfo")
    if not flags.exists():
        assert not halves.multiplies_halves("cpu")
        return
    word = next(line for line in flags.read_text().splitlines() if ":" in line).split()[0]
    monkeypatch.setattr(halves, "FLAGS", ("a flag that none has", word))
    assert halves.multiplies_halves("cpu")
