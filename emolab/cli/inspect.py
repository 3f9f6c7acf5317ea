"""`emolab inspect FILE` tells what a session file holds; `emolab recover FILE` mends a damaged one."""

from __future__ import annotations

import argparse
from pathlib import Path

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import RecordingError
from emolab.recording import apart


def inspect(arguments: list[str]) -> int:
    """Print a session's facts; exit code 1 when the recording is not good."""
    cli = parser("inspect", "What a session file holds, stream by stream, and whether it is whole.")
    options = _options(cli, arguments, "facts as JSON")
    if not options.here:
        return _relay("inspect", options)

    from emolab.recording.inspect import inspect, text

    apart.limit(options.file)
    report = inspect(options.file)
    if options.json:
        print_json(report)
    else:
        print(text(report))
    return 1 if report["verdict"] == "bad" else 0


def recover(arguments: list[str]) -> int:
    """Mend a session file and print what was damaged."""
    cli = parser("recover", "Make the file of a session that died normally readable, and report the damage.")
    options = _options(cli, arguments, "the damage report as JSON")
    if not options.here:
        _refuse_what_is_recorded(options.file)
        return _relay("recover", options)

    from emolab.recording.recover import recover, text

    apart.limit(options.file)
    report = recover(options.file)
    if options.json:
        print_json(report)
    else:
        print(text(report))
    return 0


def _refuse_what_is_recorded(path: Path) -> None:
    """Raises `RecordingError` for a session that an engine here records, though its disk may stand still.

    One of another computer is not asked: mending is how its session is ended when it died.
    """
    from emolab.session import occupied, owner
    from emolab.session.address import read_address
    from emolab.study.sessions import named

    study, who = path.absolute().parent.parent, named(path)
    address = read_address(study)
    if who is None or address is None or owner.is_elsewhere(address):
        return
    if why := occupied.why_not(study, *who):
        raise RecordingError(f"{why} End it before {path} is mended; a session that ends needs no mending")


def _options(cli: argparse.ArgumentParser, arguments: list[str], json_help: str) -> argparse.Namespace:
    cli.add_argument("file", type=Path)
    cli.add_argument("--json", action="store_true", help=json_help)
    cli.add_argument(apart.HERE, action="store_true", help=argparse.SUPPRESS)
    return cli.parse_args(arguments)


def _relay(verb: apart.Verb, options: argparse.Namespace) -> int:
    """Have a process of its own read the file, which may be damaged enough to bring it down."""
    said, code = apart.say(verb, options.file, is_json=options.json)
    print(said, end="")
    return code
