"""The user's settings file: read as it was saved, or refused by file and key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError
from emolab.core.settings import Settings, read


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    path = write(tmp_path, 'study = "C:/Müller"\ntheme = "dark"\nsound = "Speakers"\nlsl = true\n')
    settings = read(path, {"EMOLAB_THEME": "light"})
    assert settings == Settings(study=Path("C:/Müller"), theme="light", sound="Speakers", lsl=True)


def test_of_two_sound_cards_of_one_name_the_number_tells(tmp_path: Path) -> None:
    assert read(write(tmp_path, "sound = 3"), {}).sound == 3


def test_without_a_file_everything_is_as_shipped(tmp_path: Path) -> None:
    assert read(tmp_path / "config.toml", {}) == Settings()
    assert read(Path(os.devnull), {}) == Settings()


def test_a_file_saved_by_windows_notepad_with_its_mark_is_read(tmp_path: Path) -> None:
    assert read(write(tmp_path, b'\xef\xbb\xbftheme = "dark"\r\n'), {}).theme == "dark"


def test_a_file_that_is_not_utf_8_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, 'study = "C:/Müller"\n'.encode("cp1252"))
    with pytest.raises(ConfigError, match=r"config\.toml .*save it as UTF-8"):
        read(path, {})


def test_a_file_that_may_not_be_read_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ConfigError, match=r"cannot read the settings .*config\.toml"):
        read(path, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("study = 3", "study must be text in quotes, not 3"),
        ("language = ['en']", "language must be text in quotes"),
        ("theme = true", "theme must be text in quotes, not True"),
        ("stimuli = 1979-05-27", "stimuli must be text in quotes"),
        ("sound = true", "sound must be text in quotes, not True"),
        ("lsl = 'perhaps'", "lsl 'perhaps' is none of true, false"),
        ("lsl = []", "lsl [] is none of true, false"),
        ("theme = 'pink'", "theme 'pink' is none of"),
        ("tehme = 'dark'", "unknown key 'tehme'; known are study"),
        ("study = ", "mend the line or delete the file"),
        pytest.param(f"study = {'9' * 5000}", "mend the line or delete the file", id="endless number"),
    ],
)
def test_what_cannot_be_a_setting_is_refused_by_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refusal:
        read(path, {})
    assert str(path) in str(refusal.value) and words in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("EMOLAB_THEME", "pink"), ("EMOLAB_LSL", "perhaps"), ("EMOLAB_STUDY", "~nobody-we-know/study")],
)
def test_what_the_environment_says_wrongly_is_refused_by_variable(
    tmp_path: Path, variable: str, value: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        read(tmp_path / "config.toml", {variable: value})
    assert variable in str(refusal.value) and value in str(refusal.value)
    assert "config.toml" not in str(refusal.value)
