"""`emolab merge SESSION COPY`: the labels of a copy, brought home."""

from __future__ import annotations

from pathlib import Path

from emolab.cli.arguments import parser, print_json

WORDS = {
    "new": "new here, {acts} acts",
    "longer": "went on where this one ended: {acts} acts more",
    "same": "the same in both",
    "behind": "this one is further",
    "apart": "both went on from the same act: laid beside for its analyst to reconcile, {acts} acts",
}


def merge(arguments: list[str]) -> int:
    """Bring the ledgers of a copy home, and say what became of each."""
    cli = parser("merge", "Bring home the labels that analysts made on a copy of a session.")
    cli.add_argument("session", type=Path, help="the recording at home, STUDY/P014/P014_session-0.h5")
    cli.add_argument("copy", type=Path, help="the same recording elsewhere; it is only read")
    cli.add_argument("--json", action="store_true", help="what became of each, as JSON")
    options = cli.parse_args(arguments)
    from emolab.review.merge import merge

    met = merge(options.session, options.copy)
    if options.json:
        print_json({"lanes": [{"name": one.name, "how": one.how, "acts": one.acts} for one in met]})
    elif not met:
        print(f"{options.copy} has no labels")
    for one in [] if options.json else met:
        print(f"{one.name}: {WORDS[one.how].format(acts=one.acts)}")
    return 0
