"""`emolab calibrate thermal SESSION`: how the two cameras lie to one another, from a face that both see."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from emolab.study.thermal_calibration import ThermalCalibration

HOW = """
Record with both cameras as for a session ('emolab record', half a minute is enough), with one person at the
participant's seat who moves the head slowly to the left, right, up and down. Or take a session: the map then
holds about where that face was. It is kept in the study's folder, and 'emolab analyse' takes it from there:
where no head is found in the thermal picture, the face is measured where the colour camera sees it.
"""


def calibrate(arguments: list[str]) -> int:
    """Fit, show and keep; 1 when the fit is too poor to be kept."""
    options = _options(arguments)
    from emolab.analysis.cameras import calibrate
    from emolab.study import thermal_calibration

    out = None if options.dry else options.out or _of_study(options.session)
    is_watched = options.progress or sys.stderr.isatty()
    try:
        made = calibrate(options.session, tell=_tell if is_watched else lambda done, total: None)
    except DataError as error:
        print(f"emolab: not calibrated: {error}", file=sys.stderr)
        return 1
    finally:
        if is_watched:
            print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    if out is not None:
        thermal_calibration.write(out, made)
    if options.json:
        print_json(facts(made, out))
    else:
        print(text(made, out))
    return 0


def facts(made: ThermalCalibration, out: Path | None) -> dict[str, Any]:
    """What was found, as JSON."""
    return {
        "kept": None if out is None else str(out),
        "moments": made.pairs,
        "agreeing": made.calibration.points,
        "residual_px": made.residual_px,
        "head_px": made.head_px,
        "seen_px": made.map["seen_px"],
        "rgb": dict(made.rgb),
        "thermal": dict(made.thermal),
        "recorded": made.recorded,
        "made_utc": made.made_utc,
    }


def text(made: ThermalCalibration, out: Path | None) -> str:
    """The same for people."""
    left, top, right, bottom = made.map["seen_px"]
    high, wide = made.rgb["shape"]
    lines = [
        f"{made.calibration.points} of {made.pairs} moments agree, to {made.residual_px:.1f} px of the "
        f"thermal picture ({made.residual_px / made.head_px:.0%} of a head's width, {made.head_px:.0f} px)",
        f"it holds for faces about {left:.0f} to {right:.0f} px from the left and {top:.0f} to "
        f"{bottom:.0f} px from the top of the colour picture ({wide}×{high})",
        "not kept: --dry" if out is None else f"kept in {out}",
    ]
    return "\n".join(lines)


def _of_study(session: Path) -> Path:
    """Where the calibration of a session's study is kept. Raises `ConfigError` when it lies in none."""
    from emolab.study import exports_made, thermal_calibration

    study = exports_made.study_of(session)
    if study is None:
        raise ConfigError(f"{session} lies in no study; say with --out FILE where the calibration is kept")
    return thermal_calibration.path_of(study)


def _options(arguments: list[str]) -> argparse.Namespace:
    cli = parser("calibrate", "How the colour and the thermal camera lie to one another.\n" + HOW)
    cli.add_argument("what", choices=("thermal",), help="the thermal camera to the colour camera")
    cli.add_argument("session", type=Path, help="a recording with both, STUDY/P014/P014_session-0.h5")
    cli.add_argument("--out", type=Path, metavar="FILE", help="where it is kept (default: in the study)")
    cli.add_argument("--dry", action="store_true", help="show it only, keep nothing")
    cli.add_argument("--json", action="store_true", help="all of it as JSON")
    cli.add_argument("--progress", action="store_true", help="tell how far it is, even where nobody looks")
    return cli.parse_args(arguments)


def _tell(done: int, total: int) -> None:
    print(f"\r{done / max(total, 1):4.0%} of the moments", end="", file=sys.stderr, flush=True)
