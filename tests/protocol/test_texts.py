"""Participant texts: complete in every language, mistakes named by file and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from emolab.core import shipped
from emolab.core.errors import ConfigError
from emolab.protocol import texts

FOLDER = shipped.folder("protocols") / "texts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped texts, to be damaged."""
    return Path(shutil.copytree(FOLDER, tmp_path / "texts"))


def damage(folder: Path, old: str, new: str) -> None:
    path = folder / "en.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_english_and_chinese_are_shipped() -> None:
    assert {"en", "zh"} <= set(texts.languages(FOLDER))


@pytest.mark.parametrize("language", texts.languages(FOLDER))
def test_every_shipped_language_is_complete(language: str) -> None:
    read = texts.load(FOLDER, language)
    assert read.name and read.consent.agree and read.rate.hint and read.source_text
    assert set(read.words) == set(texts.WORDS) and len(set(read.words.values())) == 15


@pytest.mark.parametrize("language", texts.languages(FOLDER))
def test_every_shipped_language_has_the_keys_of_the_english_one(language: str) -> None:
    def keys(name: str) -> dict:
        data = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        return {page: sorted(parts) if isinstance(parts, dict) else None for page, parts in data.items()}

    assert keys(language) == keys("en")


def test_english_words_are_shown_as_stored() -> None:
    assert all(stored == shown for stored, shown in texts.load(FOLDER, "en").words.items())


def test_the_consent_names_what_is_recorded_and_that_one_may_stop() -> None:
    consent = texts.load(FOLDER, "en").consent.text
    for word in (
        "heart",
        "skin",
        "breathing",
        "video camera",
        "thermal camera",
        "under a code",
        "stop at any time",
    ):
        assert word in consent


def test_a_language_is_added_by_adding_a_file(folder: Path) -> None:
    english = (folder / "en.yaml").read_text(encoding="utf-8")
    (folder / "de.yaml").write_text(
        english.replace("language: en", "language: de").replace("title: Please rest", "title: Bitte ruhen"),
        encoding="utf-8",
    )
    assert texts.languages(folder) == ("de", "en", "zh")
    assert texts.load(folder, "de").rest.title == "Bitte ruhen"


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("  agree: I have", "  agreed: I have", "consent.agreed", "unknown key; did you mean 'agree'?"),
        ("  button: Begin\n", "", "instruct.button", "is missing"),
        ("  sad: sad\n", "", "words.sad", "is missing"),
        ("  sad: sad", "  sadd: sad", "words.sadd", "is no word of Table I; did you mean 'sad'?"),
        ("  sad: sad", '  sad: ""', "words.sad", "is empty"),
        ("  sad: sad", "  sad: angry", "words.angry", "is shown as 'angry' like 'sad'"),
        ("  title: Please rest", "  title: 5", "rest.title", "must be text, not 5"),
        ("language: en", "language: fr", "language", "is 'fr' in a file named en.yaml"),
        ("schema: 1", "schema: 2", "schema", "is 2; it must be 1"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_key(
    folder: Path, old: str, new: str, key: str, says: str
) -> None:
    damage(folder, old, new)
    with pytest.raises(ConfigError) as error:
        texts.load(folder, "en")
    place, _, rest = str(error.value).removeprefix(f"{folder / 'en.yaml'}:").partition(": ")
    assert place.isdigit()
    assert rest.startswith(f"{key}: ")
    assert says in rest


def test_a_file_whose_name_is_no_language_code_is_told_when_it_is_loaded(folder: Path) -> None:
    chinese = (folder / "zh.yaml").read_text(encoding="utf-8")
    (folder / "zh_TW.yaml").write_text(chinese.replace("language: zh", "language: zh_TW"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"zh_TW\.yaml: is named after no language code; .* zh-TW\.yaml"):
        texts.load(folder, "zh_TW")
    (folder / "zh_TW.yaml").rename(folder / "notes of 2026.yaml")
    with pytest.raises(
        ConfigError, match=r"notes of 2026\.yaml: is named after no language code; .* en\.yaml"
    ):
        texts.load(folder, "notes of 2026")
    (folder / "zh-TW.yaml").write_text(chinese.replace("language: zh", "language: zh-TW"), encoding="utf-8")
    assert texts.load(folder, "zh-TW").language == "zh-TW"


def test_what_a_system_leaves_beside_files_is_no_language(folder: Path) -> None:
    (folder / "._en.yaml").write_bytes(b"\0\5\x16\7")
    assert texts.languages(folder) == ("en", "zh")


def test_a_language_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"fr\.yaml: there is no such language file; there are en, zh"):
        texts.load(folder, "fr")
