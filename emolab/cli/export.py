"""`emolab export SESSION --to csv|bids|xdf|mp4|eaf --out DIR`: a session in the formats of others."""

from __future__ import annotations

from pathlib import Path

from emolab.cli.arguments import parser, print_json
from emolab.study.export import FORMATS, export


def export_session(arguments: list[str]) -> int:
    """Write one session's files, and print their names."""
    cli = parser("export", "Write a session in the formats of other programs.")
    cli.add_argument("session", type=Path, help="a recording, STUDY/P014/P014_session-0.h5")
    cli.add_argument(
        "--to",
        choices=sorted(FORMATS),
        required=True,
        help="tables, a BIDS data set, one XDF, films, or labels for ELAN",
    )
    cli.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to, made when it is not there"
    )
    cli.add_argument("--json", action="store_true", help="the files as JSON")
    options = cli.parse_args(arguments)
    files = export(options.session, options.to, options.out)
    if options.json:
        print_json({"files": [str(path) for path in files]})
    else:
        print("\n".join(map(str, files)))
    return 0
