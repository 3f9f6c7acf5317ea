"""What several verbs share: a parser that exits with 2 and names the remedy, JSON, settings."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import platformdirs

from emolab.core.settings import Settings, read


def parser(verb: str, what: str) -> argparse.ArgumentParser:
    """An argument parser for `emolab VERB`."""
    return argparse.ArgumentParser(
        prog=f"emolab {verb}", description=what, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def settings() -> Settings:
    """The user's settings, from the configuration file and the environment."""
    return read(Path(platformdirs.user_config_dir("emolab")) / "config.toml", os.environ)


def print_json(facts: Any) -> None:
    """One JSON value on standard output."""
    print(json.dumps(facts, ensure_ascii=False, indent=2, allow_nan=False))
