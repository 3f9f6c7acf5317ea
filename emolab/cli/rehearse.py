"""`emolab rehearse STUDY`: a whole study of simulated participants, before a single one comes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import ConfigError

WHAT = """Make a whole study of simulated participants, as fast as the machine can.

The files are real session files, which say that they are simulated; beside each lies its truth. So
'emolab analyse STUDY' can be tried, and it can be seen how many participants an effect needs. --effect plants
what is to be found: lively (every state does what the literature says), none, surprise (the face is warmer
by 0.25 degrees in surprise, nothing else), or a TOML file; see emolab/devices/simulation/effect.py.

A rehearsal that was broken off goes on with the same command; with a higher --participants it grows. A folder
in which somebody takes part is refused, and so is recording somebody in a rehearsal."""

STREAMS = ("board", "thermal", "rgb", "audio")


def rehearse(arguments: list[str]) -> int:
    """Make the study; prints the path of each recording."""
    cli = parser("rehearse", WHAT)
    cli.add_argument("study", type=Path, metavar="STUDY", help="study folder, a new one")
    cli.add_argument("--participants", type=int, default=24, metavar="N", help="how many (default 24)")
    cli.add_argument("--seed", type=int, default=0, metavar="S", help="the same seed, the same study")
    cli.add_argument("--protocol", default="emomusic", metavar="P", help="a shipped one or a YAML file")
    cli.add_argument("--session", type=int, default=0, metavar="K", help="counted from 0, the first")
    cli.add_argument("--language", default="", metavar="CODE", help="of the texts")
    cli.add_argument("--effect", default="lively", metavar="E", help="lively, none, surprise or a TOML file")
    cli.add_argument(
        "--streams",
        default="board,thermal",
        metavar="A,B",
        help=f"of {', '.join(STREAMS)} (default board,thermal)",
    )
    cli.add_argument(
        "--thermal-rate", type=float, default=2.0, metavar="HZ", help="default 2 frames a second"
    )
    cli.add_argument("--devices", type=Path, metavar="FILE", help="a device file of simulated instruments")
    cli.add_argument("--jobs", type=int, default=0, metavar="J", help="processes (default: all cores)")
    cli.add_argument("--json", action="store_true", help="the paths as JSON at the end")
    options = cli.parse_args(arguments)
    if options.jobs < 0:
        raise ConfigError(f"--jobs {options.jobs} is none; give 1 or more, or leave it out")

    from emolab.devices import config
    from emolab.devices.simulation import effect
    from emolab.session import rehearsal

    if options.devices is not None:
        devices_text = config.load(options.devices).text
    else:
        devices_text = rehearsal.devices_text(_streams(options.streams), options.thermal_rate)
    order = rehearsal.Order(
        options.study,
        options.participants,
        options.seed,
        options.session,
        options.protocol,
        options.language,
        devices_text,
        effect.load(options.effect),
    )
    progress = _Progress()
    paths = rehearsal.rehearse(order, options.jobs, progress.tell)
    if options.json:
        print_json([str(path) for path in paths])
    else:
        print("\n".join(map(str, paths)))
    return 0


def _streams(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in STREAMS:
            raise ConfigError(f"--streams: {name!r} is none of {', '.join(STREAMS)}")
    if not names or len(set(names)) < len(names):
        raise ConfigError(
            f"--streams {text!r}: name each of {', '.join(STREAMS)} at most once, and one at least"
        )
    return names


class _Progress:
    """A line for each recording that is there."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._done = 0

    def tell(self, path: Path) -> None:
        self._done += 1
        passed_s = time.monotonic() - self._began_s
        print(f"  {path.stem} ({self._done}, {passed_s:.0f} s)", file=sys.stderr, flush=True)
