"""`emolab inspect FILE` tells what a session file holds; `emolab recover FILE` mends a damaged one."""

from __future__ import annotations

from pathlib import Path

from emolab.cli.arguments import parser, print_json


def inspect(arguments: list[str]) -> int:
    """Print a session's facts; exit code 1 when the recording is not good."""
    cli = parser("inspect", "What a session file holds, stream by stream, and whether it is whole.")
    cli.add_argument("file", type=Path)
    cli.add_argument("--json", action="store_true", help="facts as JSON")
    options = cli.parse_args(arguments)

    from emolab.recording.inspect import inspect, text

    report = inspect(options.file)
    if options.json:
        print_json(report)
    else:
        print(text(report))
    return 1 if report["verdict"] == "bad" else 0


def recover(arguments: list[str]) -> int:
    """Mend a session file and print what was damaged."""
    cli = parser("recover", "Make the file of a session that died normally readable, and report the damage.")
    cli.add_argument("file", type=Path)
    cli.add_argument("--json", action="store_true", help="the damage report as JSON")
    options = cli.parse_args(arguments)

    from emolab.recording.recover import recover, text

    report = recover(options.file)
    if options.json:
        print_json(report)
    else:
        print(text(report))
    return 0
