"""What the user set once, read once, passed on as an argument.

`config.toml` in the user's configuration folder, then the environment: `EMOLAB_STUDY`,
`EMOLAB_LANGUAGE`, `EMOLAB_THEME`, `EMOLAB_STIMULI`, `EMOLAB_SOUND`, `EMOLAB_LSL`. The later wins.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError, shown

THEMES = ("system", "dark", "light")
TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class Settings:
    """`study`: folder opened last, or None. `stimuli`: where rendered clips are kept.

    `sound`: name or number of the sound output, None for the system's default. `lsl`: whether streams and
    events are offered to other programs in the network (see `session.outlets`).
    """

    study: Path | None = None
    language: str = "en"
    theme: str = "system"
    stimuli: Path | None = None
    sound: str | int | None = None
    lsl: bool = False


def read(config_file: Path, environment: Mapping[str, str]) -> Settings:
    """Settings from `config_file` (may be absent) and `environment`.

    Raises `ConfigError` naming file and key, or the variable, when a key is unknown or a value impossible.
    """
    known = [field.name for field in fields(Settings)]
    values = _stored(config_file)
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{config_file}: unknown key {shown(key)}; known are {', '.join(known)}")
        is_number = key == "sound" and type(value) is int  # of two cards of one name only the number tells
        if key != "lsl" and not isinstance(value, str) and not is_number:
            raise ConfigError(f"{config_file}: {key} must be text in quotes, not {shown(value)}")
    said_by = {key: f"{config_file}: {key}" for key in known}
    for key in known:
        if value := environment.get(f"EMOLAB_{key.upper()}"):
            values[key], said_by[key] = value, f"the environment's EMOLAB_{key.upper()}"
    for key in ("study", "stimuli"):
        if key in values:
            try:
                values[key] = Path(values[key]).expanduser()
            except RuntimeError as error:
                raise ConfigError(
                    f"{said_by[key]} {shown(values[key])} begins with the home folder of nobody known here; "
                    "write the whole path"
                ) from error
    if str(values.get("lsl", False)).lower() not in TRUTHS:
        raise ConfigError(f"{said_by['lsl']} {shown(values['lsl'])} is none of true, false")
    values["lsl"] = TRUTHS[str(values.get("lsl", False)).lower()]
    settings = replace(Settings(), **values)
    if settings.theme not in THEMES:
        raise ConfigError(f"{said_by['theme']} {settings.theme!r} is none of {', '.join(THEMES)}")
    return settings


def _stored(config_file: Path) -> dict[str, Any]:
    """The file's keys as they stand; none when there is no file."""
    try:
        if not config_file.is_file():
            return {}
        text = config_file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read the settings {config_file} ({error}); save it as UTF-8, or delete it"
        ) from error
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a list without bottom
        raise ConfigError(f"{config_file}: {error}; mend the line or delete the file") from error
