"""`emolab plan`: what a participant will hear, in which order, and how the time adds up."""

from __future__ import annotations

from pathlib import Path

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import ConfigError


def plan(arguments: list[str]) -> int:
    """Print the plan of one session."""
    cli = parser("plan", __doc__)
    cli.add_argument("protocol", help="a shipped protocol (emomusic, quick) or a YAML file")
    cli.add_argument("--participant", required=True, metavar="N", help="number, or pseudonym with a number")
    cli.add_argument("--study", type=Path, metavar="DIR", help="whose list gives the participant's number")
    cli.add_argument("--session", type=int, default=0, metavar="N", help="counted from 0, the first")
    cli.add_argument("--seed", type=int, default=0, metavar="S", help="the study's seed")
    cli.add_argument("--json", action="store_true", help="facts as JSON")
    options = cli.parse_args(arguments)
    if options.study is not None and not options.study.is_dir():
        raise ConfigError(f"there is no study folder {options.study}; make it with 'emolab study new'")

    from emolab.session.folder import check_pseudonym
    from emolab.session.prepare import StartRequest, lay_out

    check_pseudonym(options.participant)
    request = StartRequest(options.protocol, options.participant, options.session, options.seed)
    study, _, laid_out = lay_out(request, options.study)
    if options.json:
        print_json(laid_out.to_dict())
        return 0
    who = f"participant {options.participant}, session {options.session}, seed {laid_out.seed}"
    print(f"{study.title}: {who}")
    print(laid_out.arithmetic)
    for number, clip in enumerate(laid_out.trials, start=1):
        print(f"{number:>4}  {clip.id:<18} {clip.state:<15} {clip.title}")
    return 0
