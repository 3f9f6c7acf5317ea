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

    `sound`: name of the sound output, None for the system's default. `lsl`: whether streams and events are
    offered to other programs in the network (see `session.outlets`).
    """

    study: Path | None = None
    language: str = "en"
    theme: str = "system"
    stimuli: Path | None = None
    sound: str | None = None
    lsl: bool = False


def read(config_file: Path, environment: Mapping[str, str]) -> Settings:
    """Settings from `config_file` (may be absent) and `environment`.

    Raises `ConfigError` naming file and key when a key is unknown or a value impossible.
    """
    known = [field.name for field in fields(Settings)]
    values: dict[str, Any] = {}
    if config_file.is_file():
        try:
            values = tomllib.loads(config_file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{config_file}: {error}; mend the line or delete the file") from error
    for key in values:
        if key not in known:
            raise ConfigError(f"{config_file}: unknown key {shown(key)}; known are {', '.join(known)}")
    for key in known:
        if value := environment.get(f"EMOLAB_{key.upper()}"):
            values[key] = value
    for key in ("study", "stimuli"):
        if key in values:
            values[key] = Path(values[key]).expanduser()
    if str(values.get("lsl", False)).lower() not in TRUTHS:
        raise ConfigError(f"{config_file}: lsl {values['lsl']!r} is none of true, false")
    values["lsl"] = TRUTHS[str(values.get("lsl", False)).lower()]
    settings = replace(Settings(), **values)
    if settings.theme not in THEMES:
        raise ConfigError(f"{config_file}: theme {settings.theme!r} is none of {', '.join(THEMES)}")
    return settings
