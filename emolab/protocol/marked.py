"""YAML that remembers where each key stands, so that an error can name file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from emolab.core.errors import ConfigError, shown

FILE_BYTES = 1 << 20  # a protocol has three thousand
NUMBER_CHARACTERS = 40
DEEPEST = 30
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

Key = tuple[str | int, ...]  # ("rest", "baseline_window_s", 1)


@dataclass(frozen=True)
class Marked:
    """A file read: its text, the mapping it holds, and the line of each key in it."""

    path: Path
    text: str
    data: dict[str, Any]
    lines: Mapping[Key, int]

    def line(self, key: Key) -> int:
        """Line of `key`, or of the section it would belong to when it is not there."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def error(self, key: Key, message: str) -> ConfigError:
        """The error `FILE:LINE: key.path: message`."""
        return ConfigError(f"{self.path}:{self.line(key)}: {dotted(key)}{': ' if key else ''}{message}")


def dotted(key: Key) -> str:
    """`rest.baseline_window_s[1]`, as a person would write it."""
    written = ""
    for part in key:
        written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
    return written


def read(path: Path) -> Marked:
    """Read a YAML mapping. Raises `ConfigError` naming file and line, also for a key given twice."""
    try:
        text = _text(path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text; save it again as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    try:
        walker = _Walker(path, text)
        data = walker.walk()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError(
            f"{path}:{line}: is no YAML here ({error.problem}); write 'key: value', indented by spaces"
        ) from error
    except yaml.YAMLError as error:  # a character YAML does not allow carries no mark
        raise ConfigError(f"{path}: holds a character YAML does not allow; remove it ({error})") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: is nested too deeply; a protocol needs four levels at most") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: holds no keys; start from a copy of a shipped file")
    return Marked(path, text, data, walker.lines)


def says_the_same(text: str, other: str) -> bool:
    """Whether two files differ in comments, spaces and the order of keys alone."""
    if text == other:
        return True
    try:
        return bool(_Walker(Path("one"), text).walk() == _Walker(Path("other"), other).walk())
    except (ConfigError, RecursionError, yaml.YAMLError):
        return False


def _text(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        text = file.read(FILE_BYTES + 1)
    if len(text) > FILE_BYTES:
        raise ConfigError(f"{path}: is larger than {FILE_BYTES >> 10} kB; that is no file for emolab")
    return text


class _Loader(yaml.SafeLoader):
    """Stops at a depth no file of ours has: each level costs the scanner more than the one before."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        self._check(self.flow_level)
        super().fetch_flow_collection_start(token)

    def add_indent(self, column: int) -> bool:
        self._check(len(self.indents))
        return bool(super().add_indent(column))

    def _check(self, depth: int) -> None:
        if depth > DEEPEST:
            raise RecursionError


class _Walker:
    """Turns YAML nodes into plain data and notes the line of each."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines: dict[Key, int] = {}
        self._loader = _Loader(text)
        self._seen: set[int] = set()

    def walk(self) -> Any:
        try:
            node = self._loader.get_single_node()
            return None if node is None else self._plain(node, ())
        finally:
            self._loader.dispose()

    def _plain(self, node: yaml.Node, key: Key) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(key, line)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, line)
        if id(node) in self._seen:  # an alias may hold itself, or grow without end
            raise ConfigError(f"{self.path}:{line}: uses an alias (*name); write the value out instead")
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*key, i)) for i, item in enumerate(node.value)]
        data: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name_line = name_node.start_mark.line + 1
            name = self._scalar(name_node, name_line) if isinstance(name_node, yaml.ScalarNode) else None
            if not isinstance(name, str):
                raise ConfigError(
                    f"{self.path}:{name_line}: a key is no word ({shown(name)}); put it in quotes"
                )
            inner = (*key, name)
            if name in data:
                raise ConfigError(
                    f"{self.path}:{name_line}: {dotted(inner)}: is given twice, "
                    f"first in line {self.lines[inner]}; keep one"
                )
            self.lines[inner] = name_line
            data[name] = self._plain(value_node, inner)
        return data

    def _scalar(self, node: yaml.ScalarNode, line: int) -> Any:
        if node.tag in _NUMBERS and len(node.value) > NUMBER_CHARACTERS:  # YAML's 1:59:59 would take hours
            raise ConfigError(f"{self.path}:{line}: {shown(node.value)} is too long for a number; shorten it")
        try:
            return self._loader.construct_object(node)
        except yaml.YAMLError:
            raise
        except Exception as error:  # such as the date 2024-13-45, or !!bool perhaps: any of a dozen
            raise ConfigError(
                f"{self.path}:{line}: {shown(node.value)} is no value; put text in quotes"
            ) from error
