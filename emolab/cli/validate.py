"""`emolab validate SESSION`: does the face agree with what was said of each clip?"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json

if TYPE_CHECKING:
    from emolab.review.checks import Check, Validation
    from emolab.stats.agreement import Agreement

AGGREGATIONS = ("sum", "argmax", "mean_logit")
POLICIES = ("flag", "drop")


def validate(arguments: list[str]) -> int:
    """Judge each clip by the face and print it beside the report; 1 when its lane was not written."""
    options = _options(arguments)
    from emolab.review.validate import validate

    is_watched = options.progress or sys.stderr.isatty()
    found = validate(
        options.session,
        options.model,
        agg=options.agg,
        baseline=options.baseline,
        policy=options.policy,
        keep=not options.dry,
        progress=_tell if is_watched else lambda done, total: None,
    )
    if is_watched:
        print("\r" + " " * 30 + "\r", end="", file=sys.stderr)
    if options.json:
        print_json(facts(found))
    else:
        print(text(found))
    if found.not_kept:
        print(f"emolab: the lane was not written: {found.not_kept}", file=sys.stderr)
    return 1 if found.not_kept else 0


def facts(found: Validation) -> dict[str, Any]:
    """A validation as JSON; undefined figures are null."""
    return {
        "session": str(found.session),
        "model": {"name": found.model, "weights_sha256": found.weights or None},
        "agg": found.agg,
        "baseline": found.baseline,
        "policy": found.policy,
        "clips": [_clip(found, check) for check in found.clips],
        "counts": found.counts,
        "agreeing": found.agreeing,
        "kappa": {"plain": _figure(found.kappa), "linear": _figure(found.kappa_linear)},
        "table": {"rows": "said", "columns": "face", "groups": _groups(), "counts": found.table},
        "conflicts": [check.clip for check in found.conflicts],
        "lane": found.lane or None,
        "not_kept": found.not_kept or None,
        "problem": found.problem or None,
        "damage": list(found.damage),
    }


def text(found: Validation) -> str:
    """A validation as people read it."""
    lines = [
        f"{'clip':<24}{'said':<10}{'face':<10}{'p':>5}{'coverage':>10}  verdict",
        *(_line(check) for check in found.clips),
        "",
        ", ".join(f"{count} {verdict}" for verdict, count in found.counts.items()),
    ]
    if found.kappa.units:
        lines.append(f"{found.agreeing:.0%} of the {found.kappa.units} clips both speak of agree")
        lines += [f"κ {_shown(found.kappa)}, linear {_shown(found.kappa_linear)}", "", "said \\ face"]
        lines.append(" " * 10 + "".join(f"{group:>10}" for group in _groups()))
        lines += [
            f"{group:<10}" + "".join(f"{count:>10}" for count in row)
            for group, row in zip(_groups(), found.table, strict=True)
        ]
    if found.conflicts:
        lines += ["", "to look at, the surest first: " + ", ".join(check.clip for check in found.conflicts)]
    if found.policy == "drop":
        lines.append(f"{len(found.remaining)} of {len(found.clips)} clips remain without the conflicts")
    if found.problem:
        lines += ["", f"No clip could be judged: {found.problem}"]
    lines += [f"damage: {told}" for told in found.damage]
    if found.lane:
        lines.append(f"kept in the lane {found.lane}, by {found.model} with weights {found.weights[:12]}")
    return "\n".join(lines)


def _options(arguments: list[str]) -> argparse.Namespace:
    cli = parser("validate", "Compare what the face says of each clip with what the participant said.")
    cli.add_argument("session", type=Path, help="a recording, STUDY/P014/P014_session-0.h5")
    cli.add_argument(
        "--model", default="small", metavar="NAME|FILE", help="small, vgg19, or a .safetensors or .onnx file"
    )
    cli.add_argument("--agg", choices=AGGREGATIONS, default="sum", help="from seven classes to three")
    cli.add_argument("--baseline", action="store_true", help="judge against the same face at rest")
    cli.add_argument(
        "--policy", choices=POLICIES, default="flag", help="whether conflicts stay in the analysis"
    )
    cli.add_argument("--dry", action="store_true", help="print only, write no lane")
    cli.add_argument("--json", action="store_true", help="all of it as JSON")
    cli.add_argument("--progress", action="store_true", help="tell how far it is, even where nobody looks")
    return cli.parse_args(arguments)


def _clip(found: Validation, check: Check) -> dict[str, Any]:
    three = check.probabilities
    return {
        "clip": check.clip,
        "start_s": check.start_s,
        "end_s": check.end_s,
        "self": check.group,
        "self_state": check.said,
        "face": check.face,
        "verdict": check.verdict,
        "coverage": check.coverage,
        "probabilities": None if three is None else dict(zip(_groups(), three, strict=True)),
        "remains": check in found.remaining,
        "why": check.why or None,
    }


def _line(check: Check) -> str:
    p = f"{check.confidence:.2f}" if check.confidence else "-"
    coverage = "-" if check.coverage is None else f"{check.coverage:.0%}"
    why = f"  ({check.why})" if check.why else ""
    said = check.group or "-"
    return f"{check.clip[:23]:<24}{said:<10}{check.face:<10}{p:>5}{coverage:>10}  {check.verdict}{why}"


def _figure(figure: Agreement) -> dict[str, float | int | None]:
    named = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {**{name: None if math.isnan(v) else v for name, v in named.items()}, "clips": figure.units}


def _shown(figure: Agreement) -> str:
    if math.isnan(figure.value):
        return "undefined (everything was called the same)"
    interval = "" if math.isnan(figure.low) else f" [{figure.low:.2f}, {figure.high:.2f}]"
    return f"{figure.value:.2f}{interval} over {figure.units} clips"


def _groups() -> tuple[str, ...]:
    from emolab.faces.fer import GROUPS

    return GROUPS


def _tell(done: int, total: int) -> None:
    print(f"\r{done / max(total, 1):4.0%} of the video", end="", file=sys.stderr, flush=True)
