"""`emolab study`: who takes part, what they agreed to, who they are, and erasing who withdraws.

new        make a study folder, and say how its pseudonyms look
list       who takes part, with their sessions
add        give the next pseudonym (or more), before anybody comes
consent    list the versions of the consent text, or add one
identity   names and contacts by pseudonym, in an encrypted file outside the study
withdraw   erase all there is of one participant; a tombstone stays
check      is all in order: consents, damaged files, what is left of who withdrew

'emolab study WORD --help' tells more. A passphrase is asked for; without a terminal it is the first
line of the file descriptor named by --passphrase-fd, or the environment's EMOLAB_PASSPHRASE.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json
from emolab.core.errors import ConfigError

if TYPE_CHECKING:
    from emolab.protocol.texts import PageText


def study(arguments: list[str]) -> int:
    """Run one of them."""
    cli = parser("study", __doc__ or "")
    words = cli.add_subparsers(
        dest="word", required=True, metavar="{new,list,add,consent,identity,withdraw,check}"
    )
    new = _word(words, "new", "make a study folder, or give an existing one its list", _new)
    new.add_argument("--title", default="", help="what it is called (default: the folder's name)")
    new.add_argument(
        "--pattern",
        default="",
        metavar="P###",
        help="# a digit of the participant's number, * a random letter or digit: P###, MUS-****",
    )
    _word(words, "list", "who takes part", _list)
    add = _word(words, "add", "give pseudonyms", _add)
    add.add_argument("--count", type=int, default=1, metavar="N", help="how many (default 1)")
    add.add_argument("--id", default="", help="a pseudonym of your own instead, with a number in it")
    texts = _word(words, "consent", "the versions of the consent text; --add makes a new one", _consent)
    texts.add_argument("--add", type=Path, metavar="FILE", help="text (.txt, .md), or title, text … (.yaml)")
    texts.add_argument("--language", default="en", metavar="CODE", help="of FILE (default en)")
    texts.add_argument("--protocol", default="", metavar="NAME", help="whose own texts have that language")
    names = _word(words, "identity", "who is who, encrypted, outside the study", _identity)
    names.add_argument("deed", choices=("show", "set", "forget", "passphrase"))
    names.add_argument("participant", nargs="?", default="", metavar="ID")
    names.add_argument("--replace", action="store_true", help="set: put them in the place of who is there")
    gone = _word(words, "withdraw", "erase all there is of a participant", _withdraw)
    gone.add_argument("participant", metavar="ID")
    gone.add_argument("--look", action="store_true", help="tell what would be erased, and erase nothing")
    gone.add_argument("--yes-erase", default="", metavar="ID", help="erase without asking; ID once more")
    gone.add_argument(
        "--key", type=Path, metavar="FILE", help="of de-identified exports: which code is whose"
    )
    gone.add_argument("--keep-identity", action="store_true", help="leave the identity map as it is")
    for each in (names, gone):
        each.add_argument("--map", type=Path, metavar="FILE", help="identity map (default: the user's data)")
        each.add_argument("--passphrase-fd", type=int, metavar="N", help="read the passphrase from there")
    _word(words, "check", "is all in order", _check)
    options = cli.parse_args(arguments)
    if options.word != "new" and not options.study.is_dir():
        raise ConfigError(f"there is no study folder {options.study}; make it with 'emolab study new'")
    return int(options.run(options))


def _word(words: Any, name: str, what: str, run: Any) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = words.add_parser(name, help=what, description=what)
    made.add_argument("study", type=Path, metavar="STUDY", help="study folder")
    made.add_argument("--json", action="store_true", help="facts as JSON")
    made.set_defaults(run=run)
    return made


def _new(options: argparse.Namespace) -> int:
    from emolab.study import participants, study_file
    from emolab.study.sessions import sessions

    if options.study.is_file():
        raise ConfigError(f"{options.study} is a file; give the study a folder of its own")
    pattern = options.pattern or participants.pattern_in_use(options.study)
    made = study_file.make(options.study, options.title, pattern)
    for who in dict.fromkeys(who for who, _, _ in sessions(options.study)):
        participants.admit(options.study, who)
    following = participants.next_pseudonym(options.study)
    if options.json:
        print_json(asdict(made) | {"folder": str(options.study), "next": following})
    else:
        print(f"{made.title}: {options.study}; the next participant is {following}")
    return 0


def _list(options: argparse.Namespace) -> int:
    from emolab.study import participants, tombstone
    from emolab.study.sessions import is_shut, sessions

    recorded = sessions(options.study)
    everyone = participants.everyone(options.study)
    held = {
        one.id: sorted({number for who, number, _ in recorded if who.casefold() == one.id.casefold()})
        for one in everyone
    }
    shut = {one.id for one in everyone if is_shut(options.study, one.id)}
    stones = {one.id: tombstone.read(options.study, one.id) for one in everyone if one.withdrawn_utc}
    unfinished = {
        who: f", not finished: emolab study withdraw {options.study} {who}"
        for who, stone in stones.items()
        if stone is None or stone.state != "done"
    }
    following = participants.next_pseudonym(options.study)
    if options.json:
        rows = [
            {
                "id": one.id,
                "number": one.number,
                "since": one.utc[:10],
                "sessions": held[one.id],
                "is_readable": one.id not in shut,
                "withdrawn": one.withdrawn_utc[:10],
                "is_erased": one.id in stones and one.id not in unfinished,
            }
            for one in everyone
        ]
        print_json({"participants": rows, "next": following})
        return 0
    print(f"{'pseudonym':<16}{'number':>7}  {'since':<12}{'sessions':<16}")
    for one in everyone:
        none = "folder cannot be read" if one.id in shut else "none yet"
        state = ", ".join(map(str, held[one.id])) or none
        if one.withdrawn_utc:
            state = f"withdrew {one.withdrawn_utc[:10]}{unfinished.get(one.id, '')}"
        print(f"{one.id:<16}{one.number:>7}  {one.utc[:10] or '-':<12}{state}")
    print(f"next: {following}")
    return 0


def _add(options: argparse.Namespace) -> int:
    from emolab.study import participants

    if not 1 <= options.count <= 1000:
        raise ConfigError(f"--count {options.count} is none; give 1 to 1000")
    if options.id:
        made = [participants.admit(options.study, options.id)]
    else:
        made = [participants.allocate(options.study) for _ in range(options.count)]
    if options.json:
        print_json([{"id": one.id, "number": one.number} for one in made])
    else:
        print("\n".join(one.id for one in made))
    return 0


def _consent(options: argparse.Namespace) -> int:
    from emolab.study import consent

    if options.add is not None:
        page = consent.from_file(options.add, _page_like(options))
        made = consent.keep(options.study, options.language, page)
        if options.json:
            print_json(asdict(made))
        else:
            print(f"{made.words} is shown from now on: {consent.folder_of(options.study) / made.file}")
        return 0
    rows, is_sound = [], True
    for version in consent.versions(options.study):
        try:
            consent.page(options.study, version)
            state = "as it was kept"
        except ConfigError as error:
            is_sound, state = False, str(error)
        rows.append(asdict(version) | {"state": state})
    if options.json:
        print_json(rows)
    for row in [] if options.json else rows:
        print(f"{row['file']:<12}{row['utc'][:10]:<12}{row['source']:<10}{row['sha256']}  {row['state']}")
    if not rows and not options.json:
        print("none yet: the first session keeps the protocol's text, or add yours with --add FILE")
    return 0 if is_sound else 1


def _page_like(options: argparse.Namespace) -> PageText:
    """The page that is to be replaced, where a session asks for it in this language; else `ConfigError`."""
    from emolab.core import shipped
    from emolab.protocol import texts
    from emolab.protocol.load import load
    from emolab.study import consent

    code, folder = options.language, shipped.folder("protocols") / "texts"
    own = load(shipped.protocol(options.protocol)).texts if options.protocol else {}
    shown = {one.language: one for one in consent.versions(options.study) if one.source == "protocol"}
    known = sorted({*own, *texts.languages(folder), *shown})
    if code not in known:
        begins = code.casefold().replace("_", "-").partition("-")[0]
        near = next((one for one in known if one.casefold().partition("-")[0] == begins), "")
        raise ConfigError(
            f"no session asks for a text in {code!r};{f' did you mean {near}?' if near else ''} there are "
            f"{', '.join(known)}; name a protocol that has texts of its own with --protocol FILE"
        )
    if code in own:
        return own[code].consent
    if code in texts.languages(folder):
        return texts.load(folder, code).consent
    return consent.page(options.study, shown[code])


def _identity(options: argparse.Namespace) -> int:
    from emolab.cli import study_private

    return study_private.identity(options)


def _withdraw(options: argparse.Namespace) -> int:
    from emolab.cli import study_private

    return study_private.withdraw(options)


def _check(options: argparse.Namespace) -> int:
    from emolab.study.check import check

    def on_file(path: Path) -> None:
        if sys.stderr.isatty():
            print(f"  {path.name}", file=sys.stderr, flush=True)

    found = check(options.study, on_file)
    if options.json:
        print_json([asdict(one) | {"where": str(one.where)} for one in found])
    else:
        for one in found:
            print(f"{one.kind:<10}{one.participant:<16}{one.where}: {one.what}\n    {one.remedy}")
        print(f"{len(found)} findings" if found else "all is in order")
    return 1 if found else 0
