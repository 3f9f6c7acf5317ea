"""Protocols, texts, device files and manifests: whatever they hold, a file is taken or told in a sentence."""

from __future__ import annotations

import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolab.core import shipped
from emolab.core.clock import SessionClock
from emolab.core.errors import ConfigError, shown
from emolab.devices import config
from emolab.devices.simulated import demo_device_file
from emolab.protocol import bank, load, marked

PROTOCOL = (shipped.folder("protocols") / "quick.yaml").read_text(encoding="utf-8")
DEVICES = demo_device_file()
MANIFEST = (shipped.folder("stimuli") / "manifest.csv").read_text(encoding="utf-8")
QUICKLY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

VALUES = st.sampled_from(
    [
        "",
        "1",
        "-1",
        "0",
        "1e999",
        ".nan",
        "-.inf",
        "1e-320",
        "0x" + "f" * 6000,
        "9" * 6000,
        "1" + ":59" * 3000,
        "nan",
        "inf",
        "true",
        "~",
        "[1, 2]",
        "{a: 1}",
        "{}",
        "2024-13-45",
        "!!bool x",
        "!!int ''",
        "!!float x",
        "!!timestamp x",
        "!!binary '='",
        "!!null x",
        "!!set {a}",
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system",
        "!<tag:yaml.org,2002:python/module:os>",
        "&a [*a]",
        "*a",
        "<<",
        "'\x00'",
        "'../../../etc/passwd'",
        "/etc/passwd",
        "/dev/zero",
        "\ud7ff",
        "\u2028",
        "'" + "x" * 5000 + "'",
        "[" * 3000,
        '"""',
        "1979-05-27T07:32:00Z",
        "[[[]]]",
        "{a.b.c = 1}",
        "a.b.c",
        "= =",
        "-23",
        "<script>",
        "%s{0}",
        "{kind}",
    ]
)


@st.composite
def mangled(draw: st.DrawFn, text: str) -> str:
    """A sound text with some values replaced, lines doubled, swapped, indented or cut."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 6)):
            case 0 | 1 | 2:
                mark = next((sign for sign in (":", "=", ",") if sign in lines[at]), ":")
                pieces = lines[at].split(mark)
                pieces[draw(st.integers(0, len(pieces) - 1))] = " " + draw(VALUES)
                lines[at] = mark.join(pieces)
            case 3:
                lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
            case 4:
                lines[at] = " " * draw(st.integers(1, 9)) + lines[at]
            case 5:
                lines[at] = draw(st.text(max_size=40))
            case 6:
                del lines[at]
        lines = lines or [""]
    return "\n".join(lines)


def taken_or_told(read: Callable[[Path], object], content: str | bytes, name: str) -> ConfigError | None:
    """Read a file of that content; the error when it was refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        path.write_bytes(raw)
        try:
            read(path)
        except ConfigError as error:
            assert len(str(error)) < 5000
            return error
    return None


def read_devices(path: Path) -> object:
    return config.build(config.load(path), SessionClock())


READERS: tuple[tuple[Callable[[Path], object], str], ...] = (
    (load.load, "p.yaml"),
    (read_devices, "devices.toml"),
    (bank.read_manifest, "manifest.csv"),
)


@settings(QUICKLY, max_examples=15)  # each reads the texts in all languages
@given(mangled(PROTOCOL))
def test_mangled_protocol_is_taken_or_told(text: str) -> None:
    taken_or_told(load.load, text, "p.yaml")


def test_a_key_of_thousands_of_letters_is_told_short() -> None:
    text = DEVICES.replace("stream = ", f"{'f' * 6000} = ", 1)
    error = taken_or_told(read_devices, text, "devices.toml")
    assert error is not None and len(str(error)) < 500


@QUICKLY
@given(mangled(DEVICES))
def test_mangled_device_file_is_taken_or_told(text: str) -> None:
    taken_or_told(read_devices, text, "devices.toml")


@QUICKLY
@given(mangled(MANIFEST))
def test_mangled_manifest_is_taken_or_told(text: str) -> None:
    taken_or_told(bank.read_manifest, text, "manifest.csv")


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)), st.sampled_from(READERS))
def test_any_content_is_taken_or_told(
    content: str | bytes, reader: tuple[Callable[[Path], object], str]
) -> None:
    taken_or_told(reader[0], content, reader[1])


def laughs() -> str:
    """A billion laughs: nine lines, each ten times the one before."""
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (laughs(), "alias"),
        ("a: &a\n  b: *a\n", "alias"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "no YAML|no value|alias|is no word"),
        ("[" * 20_000, "nested too deeply"),
        ("- " * 20_000, "nested too deeply"),
        ("{a: " * 20_000, "nested too deeply"),
        ("a: !!python/object/apply:os.mkdir [escaped]", "holds|no YAML|unknown key"),
        ("a: !!python/name:os.system ''", "no YAML"),
        ("a: " + "1:" * 200_000 + "1", "too long for a number"),
        ("a: 0x" + "f" * 100_000, "too long for a number"),
        ("a: !!bool perhaps", "no value"),
        ("a: !!int ''", "no value"),
        ("a: !!timestamp now", "no value"),
        ("x" * (2 << 20), "larger than"),
        ("? [a, b]\n: 1\n", "no word"),
        ("\x00", "does not allow"),
    ],
)
def test_yaml_made_to_harm_is_told_at_once(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(ConfigError, match=said):
        load.load(path)
    assert tracemalloc.get_traced_memory()[1] < 150 << 20
    tracemalloc.stop()
    assert time.process_time() - begun < 30  # without the checks some of these take hours
    assert [each.name for each in tmp_path.iterdir()] == ["p.yaml"]


@pytest.mark.parametrize(
    "value", [".nan", ".inf", "-.inf", "1e400", "-1", "0", "1e9", "99999999999999999999999"]
)
@pytest.mark.parametrize("key", ["cap_s", "duration_s", "window_s"])
def test_no_duration_is_endless(tmp_path: Path, key: str, value: str) -> None:
    lines = [
        f"{line.split(':')[0]}: {value}" if line.strip().startswith(f"{key}:") else line
        for line in PROTOCOL.splitlines()
    ]
    assert "\n".join(lines) != PROTOCOL
    path = tmp_path / "p.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError):
        load.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 50_000,
        "x = " + "{a = " * 50_000,
        "x = 0x" + "f" * 6000,
        "x = " + "9" * 6000,
        "[[instrument]]\nkind = 0x" + "f" * 6000,
        "[[instrument]]\nkind" + ".a" * 3000 + " = 1",
        "[[instrument]]\nkind = 'physiokit'\nname = 'b'\nport = 0x" + "f" * 6000,
        "[[instrument]]\nkind = 'physiokit'\nname = 'b'\nport = 'loop://'\nlatency_s = nan",
        "[[instrument]]\nkind = 'physiokit'\nname = 'b'\nport = 'loop://'\nnominal_rate_hz = inf",
        "[[instrument]]\nkind = 'physiokit'\nname = '../../b'\nport = 'loop://'",
        "[[instrument]]\nkind = '" + "k" * 100_000 + "'\nname = 'b'",
        "[[instrument]]\nkind = 'os:system'\nname = 'b'",
        "instrument = 1",
        "[instrument]\nkind = 'physiokit'",
        "a" * (1 << 20),
    ],
)
def test_toml_made_to_harm_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "d.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        read_devices(path)
    assert len(str(told.value)) < 3000


def row(**cells: str) -> str:
    sound = dict(zip(bank.COLUMNS, ("c-1", "neutral", "c.flac", "t", "s", "l", "", "-23"), strict=True))
    return ",".join(f'"{cell}"' for cell in (sound | cells).values())


@pytest.mark.parametrize(
    "cells",
    [
        {"file": name}
        for name in (
            "../c.flac",
            "/etc/passwd",
            "a/../../c.flac",
            "..\\c.flac",
            "C:\\c.flac",
            "C:c.flac",
            "\\\\host\\c.flac",
            "//host/c",
            "c\x00.flac",
            "c\x1b[2J.flac",
            "..",
        )
    ]
    + [
        {"id": "a\x00b"},
        {"title": "x" * 100_000},
        {"title": "x" * 200_000},
        {"loudness_lufs": "nan"},
        {"loudness_lufs": "1e999"},
        {"loudness_lufs": "9" * 1500},
        {"sha256": "A" * 64},
        {"state": "x" * 1500},
    ],
)
def test_row_made_to_harm_is_told(tmp_path: Path, cells: dict[str, str]) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text(",".join(bank.COLUMNS) + "\n" + row() + "\n", encoding="utf-8")
    assert len(bank.read_manifest(path).entries) == 1
    path.write_text(",".join(bank.COLUMNS) + "\n" + row(**cells) + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        bank.read_manifest(path)
    assert len(str(told.value)) < 1000


def test_a_manifest_without_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    rows = "".join(f"c-{n},neutral,c.flac,t,s,l,,\n" for n in range(30_000))
    path.write_text(",".join(bank.COLUMNS) + "\n" + rows, encoding="utf-8")
    assert len(bank.read_manifest(path).entries) == 30_000
    path.write_text(",".join(bank.COLUMNS) + "\n" + rows * 6, encoding="utf-8")
    with pytest.raises(ConfigError, match="larger than"):
        bank.read_manifest(path)


def test_what_a_file_holds_is_shown_short() -> None:
    endless: list[object] = []
    for _ in range(100_000):
        endless = [endless]
    assert shown("a") == "'a'"
    assert shown("a" * 100) == "'" + "a" * 56 + "..."
    assert shown(16**6000) == "a very long int"
    assert shown(endless) == "a very long list"


def test_the_reader_of_yaml_keeps_every_sound_file(tmp_path: Path) -> None:
    for path in [
        *shipped.folder("protocols").glob("*.yaml"),
        *shipped.folder("protocols").glob("texts/*.yaml"),
    ]:
        assert marked.read(path).data


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("physiokit", "port", "spy://loop://?file=VICTIM"),
        ("physiokit", "port", "SPY://loop://?file=VICTIM"),
        ("emolab_board", "port", "alt://loop?class=Serial"),
        ("physiokit", "port", "file:///etc/passwd"),
        ("rgb_camera", "source", "/dev/video0 ! filesink location=VICTIM"),
        ("rgb_camera", "source", "concat:///etc/passwd"),
        ("rgb_camera", "source", "file:///etc/passwd"),
        ("rgb_camera", "source", "pipe://0"),
        ("rgb_camera", "source", ""),
        ("thermal_camera", "source", "/dev/video0\nx"),
        ("thermal_camera", "source", "tee://VICTIM"),
    ],
)
def test_no_address_makes_a_device_write_or_run_anything(
    tmp_path: Path, kind: str, key: str, value: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    address = json.dumps(value.replace("VICTIM", str(victim)))
    path = tmp_path / "d.toml"
    path.write_text(f'[[instrument]]\nkind = "{kind}"\nname = "x"\n{key} = {address}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=key):
        read_devices(path)
    assert victim.read_text(encoding="utf-8") == "precious"
