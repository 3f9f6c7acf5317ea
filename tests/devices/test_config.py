"""Device files with one mistake each: the error says file, line, instrument, key and remedy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from emolab.core.errors import ConfigError
from emolab.devices import channels, config, emolab_board, physiokit
from emolab.devices.channels import SIEMENS, Scaling
from emolab.devices.config import InstrumentKeys, read_keys
from emolab.devices.physiokit import PhysioKit
from emolab.signals.body import MICROSIEMENS
from emolab.signals.eda.conductance import UNITS_US
from tests.fakes import FakeClock

BOARD = """
[[instrument]]
kind = "physiokit"
name = "board"
port = "loop://"
channels = ["respiration", "gsr"]

[instrument.scaling]
gsr = { unit = "uS", scale = -0.054, offset = 27.65 }
"""
SIMULATED = '[[instrument]]\nkind = "simulated"\nname = "{}"\n'


def scaled(how: str) -> str:
    """The same board with its skin conductance scaled otherwise."""
    return BOARD.replace('unit = "uS", scale = -0.054, offset = 27.65', how)


def refused(text: str) -> str:
    """The message of the `ConfigError` that reading and building `text` raises."""
    with pytest.raises(ConfigError) as caught:
        config.build(config.parse(text, "lab.toml"), FakeClock())
    return str(caught.value)


def test_file_becomes_sources_with_channels_in_the_order_of_the_board(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(BOARD, encoding="utf-8")
    device_file = config.load(path)
    assert device_file.path == path
    assert device_file.text == BOARD
    (source,) = config.build(device_file, FakeClock())
    assert isinstance(source, PhysioKit)
    assert [(channel.name, channel.kind, channel.unit) for channel in source.info.channels] == [
        ("respiration", "respiration", "counts"),
        ("gsr", "eda", "uS"),
    ]
    assert (source.info.channels[1].scale, source.info.channels[1].offset) == (-0.054, 27.65)


def test_which_way_counts_of_skin_conductance_go_can_be_said() -> None:
    text = scaled("falls = false")
    for kind in ("physiokit", "emolab_board"):
        (source,) = config.build(config.parse(text.replace("physiokit", kind), "lab.toml"), FakeClock())
        assert [(one.name, one.unit, one.falls) for one in source.info.channels] == [
            ("respiration", "counts", None),
            ("gsr", "counts", False),
        ]


@pytest.mark.parametrize("kind", ["physiokit", "emolab_board"])
@pytest.mark.parametrize("unit", ["uS", "µS", "mS", "S"])
def test_conductance_that_would_fall_when_conductance_rises_is_refused(kind: str, unit: str) -> None:
    text = scaled(f'unit = "{unit}", scale = 0.0195, offset = -0.4, falls = true').replace("physiokit", kind)
    told = refused(text)
    assert re.search(r"lab\.toml:2: instrument 'board': key 'scaling\.gsr\.scale' is 0\.0195", told), told
    assert "'falls' says so" in told and "need a negative one" in told and "keep counts" in told
    for good in (
        f'unit = "{unit}", scale = -0.0195, offset = 10.0, falls = true',
        'unit = "kOhm", scale = 0.5, falls = true',  # resistance does fall when conductance rises
        f'unit = "{unit}", scale = 0.0195, offset = -0.4, falls = false',
    ):
        (source,) = config.build(
            config.parse(scaled(good).replace("physiokit", kind), "lab.toml"), FakeClock()
        )
        assert source.info.channels[1].kind == "eda"


def test_a_physiokit_is_known_to_fall_without_a_word() -> None:
    told = refused(scaled('unit = "uS", scale = 0.0195, offset = -0.4'))
    assert "a PhysioKit's Grove GSR is such a one" in told and "say 'falls = false' if another sensor" in told
    # nobody knows what hangs on another board
    text = scaled('unit = "uS", scale = 0.0195, offset = -0.4').replace("physiokit", "emolab_board")
    (source,) = config.build(config.parse(text, "lab.toml"), FakeClock())
    assert source.info.channels[1].scale == 0.0195


def test_every_unit_of_conductance_that_is_read_is_known_to_the_device_file() -> None:
    assert {*SIEMENS} == {*MICROSIEMENS, *UNITS_US}


@pytest.mark.parametrize("module", [channels, config, emolab_board, physiokit])
def test_the_examples_of_the_docstrings_are_right_in_sign(module: ModuleType) -> None:
    (line,) = (line for line in str(module.__doc__).splitlines() if 'unit = "uS"' in line)
    how = Scaling.model_validate(tomllib.loads(line)["gsr"])
    for counts, us in ((472.6, 2.0), (418.9, 5.0), (341.3, 10.0)):  # a Grove GSR's, of ten bits
        assert how.scale * counts + how.offset == pytest.approx(us, rel=0.08)


def test_only_the_wanted_instruments_are_built() -> None:
    text = BOARD + BOARD.replace('"board"', '"second"')
    device_file = config.parse(text, "lab.toml")
    assert [source.info.name for source in config.build(device_file, FakeClock(), only=["second"])] == [
        "second"
    ]
    with pytest.raises(ConfigError, match=r"no instrument 'secnd'; did you mean 'second'\?"):
        config.build(device_file, FakeClock(), only=["secnd"])


def test_file_is_simulated_only_when_nothing_in_it_is_real() -> None:
    simulated = SIMULATED.format("one") + SIMULATED.format("two")
    assert config.is_simulated(config.parse(simulated, "lab.toml"))
    assert not config.is_simulated(config.parse(simulated + BOARD, "lab.toml"))


def test_a_missing_file_names_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml.*emolab doctor --write"):
        config.load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[instrument]]\nkind = \n", r"lab\.toml:2: this is no TOML"),
        ("", r"lab\.toml: names no instrument; add one \[\[instrument\]\] table"),
        ("[instrument]\nkind = 'physiokit'\n", r"two brackets"),
        ("[[instruments]]\n", r"unknown key 'instruments'"),
        ("[[instrument]]\nname = 'a'\n", r"lab\.toml:1: instrument 1 has no 'kind'"),
        ("\n[[instrument]]\nkind = 'physiokit'\n", r"lab\.toml:2: instrument 1 has no 'name'"),
        ("[[instrument]]\nkind = 3\nname = 'a'\n", r"'kind' must be text in quotes, not 3"),
        ("[[instrument]]\nkind = 'physiokid'\nname = 'a'\n",
         r"unknown kind 'physiokid'; did you mean 'physiokit'\?"),
        ("[[instrument]]\nkind = 'physiokit'\nname = 'a/b'\n", r"name 'a/b' must begin with a letter"),
        (BOARD + BOARD, r"lab\.toml:11: instrument 2 has the same name 'board' as instrument 1"),
        (BOARD.replace("port =", "prot ="),
         r"lab\.toml:2: instrument 'board': .*unknown key 'prot'; did you mean 'port'\?"),
        (BOARD.replace("port =", "prot ="), r"key 'port' is missing"),
        (BOARD.replace('"loop://"', "7"), r"key 'port': input should be a valid string, not 7"),
        (BOARD.replace("loop:", "lop:"), r"unknown sort of address lop://; known are .*loop"),
        (BOARD.replace('"gsr"]', '"gsd"]'),
         r"instrument 'board': unknown channel 'gsd'; did you mean 'gsr'\?"),
        (BOARD.replace('"gsr"]', '"respiration"]'), r"channel 'respiration' comes twice"),
        (BOARD.replace('"gsr"]', '{ name = "x", kind = "edu" }]'),
         r"unknown kind 'edu'; did you mean 'eda'\?"),
        (BOARD.replace("gsr = {", "gsx = {"), r"scaling speaks of channel 'gsx'; did you mean 'gsr'\?"),
        (BOARD.replace("scale =", "scael ="), r"unknown key 'scaling.gsr.scael'; take it out"),
        (BOARD.replace("gsr = {", "respiration = { falls = true }\ngsr = {"),
         r"channel 'respiration' is no skin conductance, so 'falls' says nothing; take it out"),
        (BOARD.replace("port", "baud = 0\nport"), r"key 'baud': input should be greater than 0, not 0"),
    ],
)  # fmt: skip
def test_mistake_is_told_with_place_and_remedy(text: str, expected: str) -> None:
    assert re.search(expected, refused(text)), refused(text)


def test_a_driver_reads_its_own_keys() -> None:
    class Keys(InstrumentKeys):
        gain: float = 1.0

    assert read_keys({"kind": "x", "name": "a", "gain": 2}, Keys).gain == 2.0
    with pytest.raises(ConfigError, match=r"instrument 'a': unknown key 'gian'; did you mean 'gain'\?"):
        read_keys({"kind": "x", "name": "a", "gian": 2}, Keys)
