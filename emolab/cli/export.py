"""`emolab export SESSION|STUDY --to csv|bids|xdf|mp4|eaf --out DIR`: sessions in the formats of others."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import ConfigError
from emolab.study.export import FORMATS, Done, Hide, deidentify, export_all
from emolab.study.export.blurred import detector
from emolab.study.export.many import told

WHAT = """Write a session, or every session of a study, in the formats of other programs.

Of a study each participant has a folder in DIR; --to bids makes one data set. A session that cannot be
written stops no other: it is listed, and the exit code is 1."""


def export_session(arguments: list[str]) -> int:
    """Write the files, and print their names; exit code 1 when something could not be written."""
    cli = parser("export", WHAT)
    cli.epilog = f"with --deidentify:\n\n{(deidentify.__doc__ or '').strip()}"
    cli.add_argument(
        "session", type=Path, help="a recording, STUDY/P014/P014_session-0.h5, or a study folder"
    )
    cli.add_argument(
        "--to",
        choices=sorted(FORMATS),
        required=True,
        help="tables, a BIDS data set, one XDF a session, films, or labels for ELAN",
    )
    cli.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to, made when it is not there"
    )
    cli.add_argument(
        "--deidentify", action="store_true", help="without what tells who it was; below is what that is"
    )
    cli.add_argument(
        "--video",
        choices=["none", "blurred"],
        default=None,
        help="de-identified: none (the default), or mp4 with faces blurred (frames without one: whole)",
    )
    cli.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="de-identified: keep which code is whose in FILE, and use those in it; without, nobody knows",
    )
    cli.add_argument("--json", action="store_true", help="files, and what could not be written, as JSON")
    options = cli.parse_args(arguments)
    hide = _hide(options)
    is_many = options.session.is_dir()
    count = 0

    def on_done(done: Done, of: int) -> None:
        nonlocal count
        count += 1
        if is_many or done.blurred:
            parts = [f"{len(done.files)} files", *filter(None, [done.blurred]), *done.troubles, *done.remarks]
            said = "; ".join(parts)
            print(f"{count} of {of}  {done.recording.stem}: {said}", file=sys.stderr)

    done = export_all(options.session, options.to, options.out, hide, on_done)
    files = (
        sorted(str(path) for one in done for path in one.files)
        if hide
        else [str(path) for one in done for path in one.files]
    )
    short = told(done)
    if options.json:
        remarks = [f"{one.recording.stem}: {remark}" for one in done for remark in one.remarks]
        print_json({"files": files, "sessions": len(done), "troubles": short, "remarks": remarks})
    elif files:
        print("\n".join(files))
    if not (is_many or options.json):
        print("".join(f"{remark}\n" for one in done for remark in one.remarks), end="", file=sys.stderr)
    if short and not (is_many or options.json):
        print("\n".join(f"emolab: {line}" for line in short), file=sys.stderr)
    return (1 if files or is_many else 2) if short else 0


def _hide(options: argparse.Namespace) -> Hide | None:
    if not options.deidentify:
        if options.video or options.key:
            raise ConfigError("--video and --key belong to --deidentify; add it, or leave them out")
        return None
    if options.key is not None and options.key.resolve().is_relative_to(options.out.resolve()):
        raise ConfigError(f"{options.key} lies among the data it leads back from; keep it elsewhere")
    blurs = options.video == "blurred"
    faces = detector() if blurs else None
    if blurs and faces is None:
        print("no face detector is installed: every frame is blurred whole", file=sys.stderr)
    return Hide(deidentify.Codes(options.key), blurs, faces)
