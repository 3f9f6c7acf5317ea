"""`emolab import FILE.xdf --study STUDY --participant P014 [--session N]`: an XDF recording as a session."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from emolab.cli.arguments import parser, print_json
from emolab.session import folder
from emolab.study import participants
from emolab.study.sessions import check_pseudonym, sessions
from emolab.study.xdf import intake as xdf


def import_xdf(arguments: list[str]) -> int:
    """Make the session and tell what came; exit code 1 when the file is damaged."""
    cli = parser("import", "Make a session of an XDF recording, by LabRecorder or others.")
    cli.epilog = xdf.__doc__
    cli.add_argument("file", type=Path, help="the recording, FILE.xdf; it is only read")
    cli.add_argument("--study", type=Path, required=True, help="the study folder, made when it is not there")
    cli.add_argument("--participant", required=True, metavar="P014", help="whose session it is: a pseudonym")
    cli.add_argument("--session", type=int, metavar="N", help="its number; the first free one when left out")
    cli.add_argument("--json", action="store_true", help="what came as JSON")
    options = cli.parse_args(arguments)
    who = check_pseudonym(options.participant)
    participants.check_open(options.study, who)
    number = options.session
    if number is None:
        used = {number for name, number, _ in sessions(options.study) if name == who}
        number = next(free for free in range(len(used) + 1) if free not in used)
    path = folder.check_unused(options.study, who, number)
    folder.make(options.study)
    done = xdf.import_xdf(options.file, path, who, number, options.study.resolve().name)
    participants.admit(options.study, who)
    if options.json:
        print_json({**asdict(done), "recording": str(done.recording)})
    else:
        print(xdf.text(done))
    return 1 if done.damage else 0
