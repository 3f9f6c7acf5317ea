"""`emolab analyse STUDY|SESSION --out DIR`: from recordings to figures, tests and a report, in one go."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json, settings
from emolab.cli.display import has_display

FORMS = ("svg", "png", "pdf")

if TYPE_CHECKING:
    from emolab.analysis.study import Analysis


def analyse(arguments: list[str]) -> int:
    """Analyse and write; 0 when every session could be read, 1 when one could not."""
    options = _options(arguments)
    if options.window:
        return _window(options.place, options.out)
    from emolab.analysis.study import Asked, analyse

    is_watched = options.progress or sys.stderr.isatty()
    try:
        found = analyse(
            options.place,
            options.out,
            Asked(options.labels, options.drop_conflicts, options.z, options.thermal_calibration),
            where=options.on or ("here" if options.workers == 1 else "local"),
            workers=options.workers,
            tell=_tell if is_watched else lambda done, total, what: None,
            forms=options.figures,
        )
    finally:  # an error, too, begins on a line of its own
        if is_watched:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    if options.json:
        print_json(facts(found))
    else:
        print(text(found))
    return 1 if any(one.trouble for one in found.sessions) else 0


def _window(place: Path, out: Path | None) -> int:
    if not has_display():
        print("emolab: there is no display for the window; leave --window out", file=sys.stderr)
        return 2
    from emolab.gui import app

    return app.run_analysis(place, out, settings())


def facts(found: Analysis) -> dict[str, Any]:
    """What was done and written, as JSON."""
    return {
        "report": str(found.report),
        "files": [str(path) for path in found.files],
        "sessions": sum(not one.trouble for one in found.sessions),
        "participants": len({one.participant for one in found.sessions if not one.trouble}),
        "clips": len(found.table),
        "took_s": round(found.took_s, 3),
        "sentences": list(found.sentences),
        "troubles": [f"{', '.join(one.files)}: {one.trouble}" for one in found.sessions if one.trouble],
        "rivals": [told for one in found.sessions for told in one.rivals],
    }


def text(found: Analysis) -> str:
    """The same for people."""
    from emolab.analysis.sections.figures import count

    told = facts(found)
    lines = [
        f"{count(told['participants'], 'participant')}, {count(told['sessions'], 'session')}, "
        f"{count(told['clips'], 'clip')}, in {told['took_s']:.1f} s",
        *found.sentences,
        *(f"not analysed: {trouble}" for trouble in told["troubles"]),
        *(f"look: {rival}" for rival in told["rivals"]),
        "",
        f"report: {told['report']}  ({len(told['files'])} files beside it)",
    ]
    return "\n".join(lines)


def _options(arguments: list[str]) -> argparse.Namespace:
    cli = parser("analyse", "Features, figures, tests and a report, of one session or a whole study.")
    cli.add_argument("place", type=Path, help="a study folder, or a recording STUDY/P014/P014_session-0.h5")
    cli.add_argument("--out", type=Path, metavar="DIR", help="where everything is written")
    cli.add_argument("--window", action="store_true", help="look at it in a window")
    cli.add_argument(
        "--labels", default="reported", metavar="LANE", help="reported (default), or an analyst by name"
    )
    cli.add_argument(
        "--drop-conflicts", action="store_true", help="leave out clips whose face says the opposite"
    )
    cli.add_argument(
        "--z", choices=("table", "participant"), default="table", help="what z-scores are taken over"
    )
    cli.add_argument(
        "--thermal-calibration",
        type=Path,
        metavar="FILE",
        help="of 'emolab calibrate thermal' (default: the study's own)",
    )
    cli.add_argument(
        "--figures", type=_forms, default=FORMS, metavar="A,B", help="svg, png, pdf; all if not given"
    )
    cli.add_argument("--workers", type=int, metavar="N", help="processes; one a core if not given")
    cli.add_argument("--on", metavar="ADDRESS", help="a Dask scheduler, tcp://HOST:PORT, that sees the files")
    cli.add_argument("--json", action="store_true", help="what was found as JSON")
    cli.add_argument("--progress", action="store_true", help="tell how far it is, even where nobody looks")
    options = cli.parse_args(arguments)
    if options.workers is not None and options.workers < 1:
        cli.error("--workers must be 1 or more")
    if options.out is None and not options.window:
        cli.error("--out DIR is missing: where shall the report be written?")
    return options


def _forms(told: str) -> tuple[str, ...]:
    forms = tuple(form for form in told.split(",") if form)
    if set(forms) - set(FORMS):
        raise argparse.ArgumentTypeError(f"figures can be {', '.join(FORMS)}, not {told!r}")
    return forms


def _tell(done: int, total: int, what: str) -> None:
    print(f"\r{done / max(total, 1):4.0%} {what[:50]:<50}", end="", file=sys.stderr, flush=True)
