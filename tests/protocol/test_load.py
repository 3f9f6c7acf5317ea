"""Protocol files: the shipped ones load, every mistake names file, line, key and remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolab.core import shipped
from emolab.core.errors import ConfigError
from emolab.core.label import STATES
from emolab.protocol.bank import write_manifest
from emolab.protocol.load import load
from emolab.protocol.marked import says_the_same
from tests.protocol.worlds import bank, study

SHIPPED = shipped.folder("protocols")
TEXT = (SHIPPED / "emomusic.yaml").read_text(encoding="utf-8")


def damaged(tmp_path: Path, old: str, new: str) -> Path:
    assert TEXT.count(old) >= 1, f"the protocol has no {old!r} to damage"
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_protocols_load(path: Path) -> None:
    assert load(path).name == path.stem


def test_emomusic_is_the_session_of_the_paper() -> None:
    emomusic = study()
    assert (emomusic.cap_s, emomusic.rest_s, emomusic.clip_s, emomusic.report_s) == (1200, 300, 30, 30)
    assert emomusic.baseline_window_s == (240, 300) and emomusic.has_baseline_report and emomusic.ends_early
    assert (emomusic.clips_per_state, emomusic.neutral_position, emomusic.washout_s) == (3, "middle", 30)
    assert emomusic.scale == STATES
    assert emomusic.bank_path == shipped.folder("stimuli") / "manifest.csv"
    assert emomusic.source_text == TEXT


def test_texts_come_in_every_language_there_is() -> None:
    assert {"en", "zh"} <= set(study().languages)
    assert study().text().language == "en"
    assert study().text("zh").name == "中文"
    with pytest.raises(ConfigError, match="no texts in 'xx', only in en, zh"):
        study().text("xx")


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("cap_s: 1200", "cap: 1200", "cap", "unknown key; did you mean 'cap_s'?"),
        ("cap_s: 1200", "", "cap_s", "is missing; add it, such as 'cap_s: 1200'"),
        ("cap_s: 1200", "cap_s: 1200\ncap_s: 1300", "cap_s", "is given twice, first in line 14"),
        ("cap_s: 1200", "cap_s: '1200'", "cap_s", "must be a number, not '1200'; write it without quotes"),
        ("cap_s: 1200", "cap_s: 20 min", "cap_s", "must be a number, not '20 min'"),
        ("cap_s: 1200", "cap_s: yes", "cap_s", "must be a number, not True"),
        ("cap_s: 1200", "cap_s: .nan", "cap_s", "must be a finite number"),
        ("cap_s: 1200", "cap_s: -5", "cap_s", "is -5; it must be more than 0"),
        ("cap_s: 1200", "cap_s: 1e99", "cap_s", "must be a number"),  # YAML 1.1 reads it as text
        ("cap_s: 1200", "cap_s: 1100", "clips.per_state", "only 12 are guaranteed"),
        ("cap_s: 1200", "cap_s: 300", "clips.per_state", "not one clip fits"),
        (
            "  duration_s: 300",
            "  duration_s: 290",
            "rest.baseline_window_s",
            "is [240, 300] in a rest of 290 s",
        ),
        ("[240, 300]", "[300, 240]", "rest.baseline_window_s", "write a beginning before an end"),
        ("[240, 300]", "[240]", "rest.baseline_window_s[1]", "is missing"),
        ("[240, 300]", "[240, 270, 300]", "rest.baseline_window_s", "has 3 entries; it must have 2"),
        ("[240, 300]", "[240, x]", "rest.baseline_window_s[1]", "must be a number, not 'x'"),
        ("[240, 300]", "240", "rest.baseline_window_s", "must be a list such as"),
        ("  report: true  ", "  report: 1  ", "rest.report", "must be true or false, not 1"),
        ("duration_s: 30 ", "duration_s: 31 ", "clips.duration_s", "is 31; it must be 30.0 or less"),
        ("per_state: 3", "per_state: 7", "clips.per_state", "300 + 35 × 30 = 1350 s > 1200 s"),
        ("per_state: 3", "per_state: 2.5", "clips.per_state", "must be a whole number, not 2.5"),
        ("per_state: 3", "per_state: 0", "clips.per_state", "is 0; it must be 1 or more"),
        ("bank: shipped", "bank: mine/manifest.csv", "clips.bank", "there is no manifest"),
        ("rule: runs", "rule: random", "order.rule", "is 'random'; it must be 'runs'"),
        (
            "position: middle",
            "position: centre",
            "order.neutral_position",
            "it must be 'middle', 'first', 'last' or 'rotate'",
        ),
        (
            "  washout_s: 30",
            "  #",
            "order.washout_s",
            "is missing; add it, such as 'washout_s: 30' below 'order'",
        ),
        (
            "fear, scared, nervous",
            "fear, scared, anxious",
            "report.scale.less_negative[2]",
            "'anxious' is no word of this state",
        ),
        (
            "fear, scared, nervous",
            "fear, scared, sad",
            "report.scale.less_negative[2]",
            "'sad' is no word of this state",
        ),
        (
            "fear, scared, nervous",
            "fear, scared",
            "report.scale.less_negative",
            "must hold each of fear, scared, nervous once",
        ),
        ("fear, scared, nervous", "fear, fear, scared", "report.scale.less_negative", "must hold each of"),
        (
            "    neutral: [neutral, peace, calm]\n",
            "",
            "report.scale.neutral",
            "is missing; add 'neutral: [neutral, peace, calm]'",
        ),
        ("    neutral: [", "    neutrl: [", "report.scale.neutrl", "unknown state; did you mean 'neutral'?"),
        ("folder: shipped", "folder: mine", "texts.folder", "there is no text file in"),
        ("language: en", "language: fr", "texts.language", "fr.yaml; add that file or choose en or zh"),
        ("language: en", "language: no", "texts.language", "must be text, not False; put it in quotes"),
        ("schema: 1", "schema: 2", "schema", "is 2; it must be 1"),
        ("rest:\n", "rest: 300\nresting:\n", "resting", "unknown key; did you mean 'rest'?"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_key(
    tmp_path: Path, old: str, new: str, key: str, says: str
) -> None:
    path = damaged(tmp_path, old, new)
    with pytest.raises(ConfigError) as error:
        load(path)
    place, _, rest = str(error.value).removeprefix(f"{path}:").partition(": ")
    assert place.isdigit()
    assert rest.startswith(f"{key}: "), str(error.value)
    assert says in rest, str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("cap_s: 1200", "cap_s: many", "cap_s:"),
        ("per_state: 3", "per_state: many", "per_state:"),
        ("fear, scared, nervous", "fear, scared, anxious", "less_negative:"),
        ("language: en", "language: fr", "language:"),
        ("washout_s: 30", "washout: 30", "washout:"),
    ],
)
def test_the_line_named_is_the_line_of_the_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = damaged(tmp_path, old, new)
    lines = path.read_text(encoding="utf-8").splitlines()
    (line,) = (number for number, text in enumerate(lines, start=1) if text.strip().startswith(key))
    with pytest.raises(ConfigError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cap_s: 1200", "\tcap_s: 1200", "14: is no YAML here"),
        ("  rule: runs", "rule: runs", "32: is no YAML here"),
        ("cap_s: 1200", "cap_s: &all [*all]", "14: uses an alias"),
        ("cap_s: 1200", "12: 1200", "14: a key is no word (12)"),
        ("cap_s: 1200", "cap_s: 2024-13-45", "14: '2024-13-45' is no value"),
        ("cap_s: 1200", "cap_s: !!python/name:os.system 1", "is no YAML here"),
        ("cap_s: 1200", "cap_s: " + "[" * 5000, "nested too deeply"),
        ("cap_s: 1200", "cap_s: \x07", "a character YAML does not allow"),
        ("cap_s: 1200", "---\ncap_s: 1200", "is no YAML here"),
        (TEXT, "", "holds no keys"),
        (TEXT, "- 1\n- 2\n", "holds no keys"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_protocol_at_all_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(damaged(tmp_path, old, new))
    assert says in str(error.value)
    assert "mine.yaml" in str(error.value)


def test_further_mistakes_are_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\(2 more to mend in this file\)"):
        load(damaged(tmp_path, "  duration_s: 30 ", "  length: 30\n  loops: 2 "))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        load(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(tmp_path / "latin.yaml")


def test_a_laboratory_s_own_bank_and_texts_lie_beside_its_protocol(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.csv", bank().entries)
    shutil.copytree(SHIPPED / "texts", tmp_path / "words")
    path = tmp_path / "mine.yaml"
    text = TEXT.replace("bank: shipped", "bank: manifest.csv").replace("folder: shipped", "folder: words")
    path.write_text(text, encoding="utf-8")
    mine = load(path)
    assert mine.bank_path == tmp_path / "manifest.csv"
    assert mine.languages == ("en", "zh")


def test_opposite_halves_that_touch_need_a_washout(tmp_path: Path) -> None:
    without = TEXT.replace("washout_s: 30", "washout_s: 0")
    path = tmp_path / "mine.yaml"
    path.write_text(without, encoding="utf-8")
    assert load(path).neutral_position == "middle"
    path.write_text(without.replace(": middle", ": first"), encoding="utf-8")
    with pytest.raises(ConfigError, match="washout_s: is 0 but neutral_position is 'first'"):
        load(path)


def test_words_are_shown_in_the_order_written(tmp_path: Path) -> None:
    mine = load(damaged(tmp_path, "[sad, disgust, angry]", "[angry, sad, disgust]"))
    assert mine.scale[0].words == ("angry", "sad", "disgust")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(TEXT)), cut=st.integers(0, 12), put=st.text(max_size=6))
def test_no_damage_brings_anything_but_a_config_error(tmp_path: Path, at: int, cut: int, put: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes((TEXT[:at] + put + TEXT[at + cut :]).encode("utf-8", "surrogatepass"))
    try:
        load(path)
    except ConfigError as error:
        assert str(error).startswith(str(path))


def test_files_that_differ_in_comments_and_order_alone_say_the_same() -> None:
    assert says_the_same("a: 1\nb: [x, y]\n", "# why\nb: [x, y]  # both\na: 1\n")
    assert not says_the_same("a: 1\n", "a: 2\n")
    assert not says_the_same("a: 1\n", "a: [1\n") and not says_the_same("a: [1\n", "a: 1\n")
    assert not says_the_same("a: 1\n", "a: 1\na: 2\n")
