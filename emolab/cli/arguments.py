"""What several verbs share: a parser that exits with 2 and names the remedy, JSON, settings."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import platformdirs

from emolab.core.settings import Settings, read


def parser(verb: str, what: str) -> argparse.ArgumentParser:
    """An argument parser for `emolab VERB`."""
    return argparse.ArgumentParser(
        prog=f"emolab {verb}", description=what, formatter_class=argparse.RawDescriptionHelpFormatter
    )


class _OfferThroughLsl(argparse.Action):
    """Sets EMOLAB_LSL, so that the settings say so here and in an engine this process starts."""

    def __call__(self, *_: object, **__: object) -> None:
        os.environ["EMOLAB_LSL"] = "1"


def add_lsl(cli: argparse.ArgumentParser) -> None:
    """The option `--lsl`."""
    what = "offer streams and events to other programs in the network (LSL)"
    cli.add_argument("--lsl", action=_OfferThroughLsl, nargs=0, help=what)


def settings() -> Settings:
    """The user's settings, from the configuration file and the environment."""
    return read(Path(platformdirs.user_config_dir("emolab")) / "config.toml", os.environ)


def print_json(facts: Any) -> None:
    """One JSON value on standard output; signs are escaped where it cannot hold them all."""
    holds_all = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"
    text = json.dumps(facts, ensure_ascii=not holds_all, indent=2, allow_nan=False)
    print(text)
