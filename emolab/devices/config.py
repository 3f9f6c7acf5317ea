"""The device file: which instruments a laboratory has, as TOML, and the sources made from it.

    [[instrument]]
    kind = "physiokit"            # one of emolab.devices.DEVICES
    name = "board"                # unique in the file; becomes the stream's name
    port = "/dev/ttyUSB0"         # from here on the kind's own keys
    channels = ["gsr", "respiration", "ppg_finger", "ppg_ear"]

    [instrument.scaling]
    gsr = { unit = "uS", scale = -0.054, offset = 27.65 }   # counts fall when conductance rises

A driver declares its own keys as an `InstrumentKeys` model and reads its table with `read_keys`,
so that every mistake is told in the same words: file, line, instrument, key and remedy.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from emolab.core.clock import Clock
from emolab.core.errors import ConfigError, shown
from emolab.core.registry import resolve
from emolab.devices import DEVICES
from emolab.devices.source import Source

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")  # names a group in the session file
FILE_CHARACTERS = 256 << 10  # a device file has two thousand
HEADER = re.compile(r"\s*\[\[\s*instrument\s*\]\]")


class InstrumentKeys(BaseModel):
    """The keys every instrument has; a driver's own model inherits from it and adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    name: str


Keys = TypeVar("Keys", bound=BaseModel)


@dataclass(frozen=True)
class DeviceFile:
    """A device file that has been read: `text` as it stood, one mapping an instrument, in order."""

    path: Path
    text: str
    instruments: tuple[Mapping[str, Any], ...]

    def where(self, position: int) -> str:
        """`file:line` of the instrument at `position` (from 0)."""
        lines = [n for n, line in enumerate(self.text.splitlines(), 1) if HEADER.match(line)]
        return f"{self.path}:{lines[position]}" if position < len(lines) else str(self.path)


def load(path: str | Path) -> DeviceFile:
    """The instruments a device file names, checked as far as one can without the drivers.

    Raises `ConfigError` naming file, line and remedy: no such file, no TOML, a key that is not
    `instrument`, no instrument, a missing or unknown `kind`, a missing, odd or double `name`.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(FILE_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read the device file {path} ({error}); give the path of a TOML file, "
            "or let 'emolab doctor --write FILE' propose one"
        ) from error
    if len(text) > FILE_CHARACTERS:
        raise ConfigError(f"{path}: is larger than {FILE_CHARACTERS >> 10} kB; that is no device file")
    return parse(text, path)


def parse(text: str, path: str | Path) -> DeviceFile:
    """The same from text; `path` is what the errors call the file."""
    path = Path(path)
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a list without bottom
        place = re.search(r"line (\d+)", str(error))
        where = f"{path}:{place[1]}" if place else str(path)
        raise ConfigError(f"{where}: this is no TOML ({error}); correct that line") from error
    for key in tree:
        if key != "instrument":
            raise ConfigError(
                f"{path}: unknown key {shown(key)} at the top; every instrument is one [[instrument]] table"
            )
    tables = tree.get("instrument", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(
            f"{path}: names no instrument; add one [[instrument]] table for each (two brackets)"
        )
    device_file = DeviceFile(path, text, tuple(tables))
    names: dict[str, int] = {}
    for position, table in enumerate(tables):
        _check_table(table, position, names, device_file.where(position))
    return device_file


def build(device_file: DeviceFile, clock: Clock, only: Collection[str] | None = None) -> list[Source]:
    """One source an instrument, not yet opened, in the file's order.

    `only`: names of the instruments wanted, None for all. Raises `ConfigError` naming file,
    line, instrument and key when a driver refuses its table or `only` has a name the file has not.
    """
    names = [table["name"] for table in device_file.instruments]
    for name in only or ():
        if name not in names:
            raise ConfigError(
                f"{device_file.path}: has no instrument {shown(name)}{did_you_mean(name, names)}"
            )
    sources: list[Source] = []
    for position, table in enumerate(device_file.instruments):
        if only is not None and table["name"] not in only:
            continue
        maker = resolve(DEVICES, table["kind"], "instrument kind")
        try:
            sources.append(maker.from_config(table, clock))
        except ConfigError as error:
            raise ConfigError(f"{device_file.where(position)}: {error}") from error
    return sources


def is_simulated(device_file: DeviceFile) -> bool:
    """True when nothing in the file is real, so that the session may run faster than time."""
    return all(table["kind"] == "simulated" for table in device_file.instruments)


def read_keys(table: Mapping[str, Any], model: type[Keys]) -> Keys:
    """The table as the driver's `model`.

    Raises `ConfigError` with every key that is wrong: `instrument 'board': unknown key 'prot';
    did you mean 'port'?`
    """
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        problems = "; ".join(_sentence(problem, model) for problem in error.errors())
        raise ConfigError(f"instrument {table.get('name', '?')!r}: {problems}") from error


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean 'port'?` when one of `known` is near, else the list of them."""
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"


def _check_table(table: Mapping[str, Any], position: int, names: dict[str, int], where: str) -> None:
    """Refuse a table without a known `kind` or a good, new `name`; enter the name in `names`."""
    ordinal = f"instrument {position + 1}"
    for key in ("kind", "name"):
        if key not in table:
            raise ConfigError(f'{where}: {ordinal} has no {key!r}; add a line {key} = "..."')
        if not isinstance(table[key], str):
            raise ConfigError(f"{where}: {ordinal}: {key!r} must be text in quotes, not {shown(table[key])}")
    kind, name = table["kind"], table["name"]
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: {ordinal}: name {shown(name)} must begin with a letter and hold only letters, digits, "
            "'_' and '-', at most 32"
        )
    if kind not in DEVICES:
        raise ConfigError(
            f"{where}: instrument {shown(name)}: unknown kind {shown(kind)}{did_you_mean(kind, DEVICES)}"
        )
    if name in names:
        raise ConfigError(
            f"{where}: instrument {position + 1} has the same name {shown(name)} as instrument "
            f"{names[name] + 1}; each needs its own"
        )
    names[name] = position


def _sentence(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One of pydantic's findings in our words."""
    path = ".".join(str(part) for part in problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            # only keys of the table itself can be guessed from the model at hand
            known = list(model.model_fields) if len(problem["loc"]) == 1 else []
            return f"unknown key {shown(path)}" + (did_you_mean(path, known) if known else "; take it out")
        case "missing":
            return f"key {shown(path)} is missing; add it"
        case "value_error":
            words = str(problem["ctx"]["error"])
            return f"key {shown(path)}: {words}" if path else words
        case _:
            said = f"{problem['msg'][:1].lower()}{problem['msg'][1:]}"
            return f"key {shown(path)}: {said}, not {shown(problem['input'])}"
