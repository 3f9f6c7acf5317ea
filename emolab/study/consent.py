"""What participants agree to: every version of the consent page that was ever shown, never altered.

    STUDY/consent/en-1.yaml          the page as it is shown: title, text, agree, button; UTF-8
    STUDY/consent/versions.jsonl     one line a version: language, version, file, sha256, utc, source

Each session keeps version and SHA-256 of the page its participant agreed to; `sha256sum en-1.yaml` gives
the same. Versions count from 1 in each language. The newest one that was added (`source: added`) is
shown; a study that added none shows its protocol's page, and every wording of that is kept, too
(`source: protocol`). A version file that was changed or is gone is an error wherever it is needed.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from emolab.core.errors import ConfigError
from emolab.protocol.marked import read
from emolab.protocol.schema import Section, Text, validate
from emolab.protocol.texts import PageText, is_language
from emolab.study import kept

Source = Literal["added", "protocol"]


@dataclass(frozen=True)
class Version:
    """One wording in one language. `sha256`: of its file."""

    language: str
    version: int
    file: str
    sha256: str
    utc: str = ""
    source: Source = "added"

    @property
    def words(self) -> str:
        """For people: `version 2 (en), 3f0c12ab…`."""
        return f"version {self.version} ({self.language}), {self.sha256[:8]}…"

    def facts(self) -> dict[str, Any]:
        """What a session keeps of it."""
        return {"language": self.language, "version": self.version, "sha256": self.sha256, "file": self.file}


class _Page(Section):
    title: Text = Field(examples=["Taking part in this study"])
    text: Text = Field(examples=["|"])
    agree: Text = Field(examples=["I have read this and agree to take part."])
    button: Text = Field(examples=["Continue"])


def folder_of(study: Path) -> Path:
    """Where the versions lie."""
    return study / "consent"


def list_path(study: Path) -> Path:
    """The list of versions."""
    return folder_of(study) / "versions.jsonl"


def versions(study: Path) -> list[Version]:
    """Every version of a study, in the order in which they were kept."""
    found: list[Version] = []
    for line in kept.read_lines(list_path(study)):
        one = _read(line)
        if one is not None and not any((o.language, o.version) == (one.language, one.version) for o in found):
            found.append(one)
    return found


def _read(line: dict[str, Any]) -> Version | None:
    try:
        source: Source = "protocol" if line.get("source") == "protocol" else "added"
        one = Version(
            str(line["language"]),
            int(line["version"]),
            str(line["file"]),
            str(line["sha256"]),
            str(line.get("utc", "")),
            source,
        )
    except (KeyError, TypeError, ValueError):
        return None
    return one if one.file == f"{one.language}-{one.version}.yaml" else None


def page(study: Path, version: Version) -> PageText:
    """The page of a version. Raises `ConfigError` when its file is gone, or not what was kept."""
    path = folder_of(study) / version.file
    remedy = (
        "put the file back as it was (from a backup, or another copy of the study); "
        "a new wording is added with 'emolab study consent STUDY --add FILE'"
    )
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(
            f"the consent text {path}, version {version.version}, cannot be read "
            f"({error.strerror or error}); {remedy}"
        ) from error
    if found != version.sha256:
        raise ConfigError(
            f"the consent text {path} was changed after it had been kept as version {version.version}: its "
            f"SHA-256 is {found[:12]}…, not {version.sha256[:12]}…; {remedy}"
        )
    return PageText(**validate(_Page, read(path)).model_dump())


def shown(study: Path, language: str, protocols: PageText) -> tuple[PageText, Version | None]:
    """The page a participant is to see, and its version; None when `protocols` page is not kept yet.

    Nothing is written. Raises as `page` does.
    """
    known = [version for version in versions(study) if version.language == language]
    added = [version for version in known if version.source == "added"]
    if added:
        return page(study, added[-1]), added[-1]
    for version in reversed(known):
        if page(study, version) == protocols:
            return protocols, version
    return protocols, None


def keep_shown(study: Path, language: str, protocols: PageText) -> tuple[PageText, Version]:
    """As `shown`, and a protocol's page that was never shown before is kept as a version."""
    what, version = shown(study, language, protocols)
    return what, version or keep(study, language, what, "protocol")


def keep(study: Path, language: str, what: PageText, source: Source = "added") -> Version:
    """Keep a page as the next version. Raises `ConfigError` when it cannot be written, or was the newest."""
    if not is_language(language):
        raise ConfigError(f"{language!r} is no language code; write one such as en or zh")
    known = [version for version in versions(study) if version.language == language]
    if source == "added" and known and known[-1].source == "added" and page(study, known[-1]) == what:
        raise ConfigError(f"this wording is {known[-1].words} already; nothing was changed")
    raw = _raw(what)
    try:
        number = _claim(folder_of(study), language, max((v.version for v in known), default=0) + 1, raw)
        made = Version(
            language,
            number,
            f"{language}-{number}.yaml",
            hashlib.sha256(raw).hexdigest(),
            kept.now(),
            source,
        )
        kept.add_line(list_path(study), asdict(made))
    except OSError as error:
        raise ConfigError(
            f"the consent text cannot be kept in {folder_of(study)} ({error.strerror or error}); make room, "
            "and see that the folder is yours"
        ) from error
    return made


def _claim(folder: Path, language: str, number: int, raw: bytes) -> int:
    """Write the first file that is not there yet; nothing that is there is ever written over."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / f"{language}-{number}.yaml"
        try:
            path.open("x").close()  # the name is ours; a program that comes in the same moment takes the next
        except FileExistsError:
            number += 1
            continue
        try:
            kept.write_whole(path, raw, 0o444)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return number


def _raw(what: PageText) -> bytes:
    told = {"title": what.title, "text": what.text, "agree": what.agree, "button": what.button}
    return yaml.dump(told, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000).encode("utf-8")


class _Dumper(yaml.SafeDumper):
    """Writes paragraphs as paragraphs."""

    def text(self, value: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _Dumper.text)


def from_file(path: Path, like: PageText) -> PageText:
    """A page from a YAML file with title, text, agree and button, or from plain text (.txt, .md).

    Plain text is the text alone; the rest is as on the page `like`. Raises `ConfigError` saying what is
    wrong.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        return PageText(**validate(_Page, read(path)).model_dump())
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as UTF-8 text ({error}); check the path") from error
    if not text:
        raise ConfigError(f"{path} is empty; write the consent text into it")
    return PageText(like.title, text + "\n", like.button, like.agree)
