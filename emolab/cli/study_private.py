"""`emolab study identity` and `emolab study withdraw`: what needs a passphrase, or a second movement."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import print_json
from emolab.core.errors import ConfigError

if TYPE_CHECKING:
    from emolab.study.identity import IdentityMap, Person
    from emolab.study.remains import Remains
    from emolab.study.withdrawal import Withdrawn

PASSPHRASE = "EMOLAB_PASSPHRASE"
NEW_PASSPHRASE = "EMOLAB_NEW_PASSPHRASE"  # where it is changed


class Passphrases:
    """Where passphrases come from: a file descriptor, the environment, or whoever sits there."""

    def __init__(self, descriptor: int | None) -> None:
        self._lines: list[str] = []
        if descriptor is not None:
            try:
                with os.fdopen(descriptor, encoding="utf-8", closefd=False) as file:
                    self._lines = file.read().splitlines()
            except (OSError, ValueError) as error:
                raise ConfigError(f"--passphrase-fd {descriptor} cannot be read ({error})") from error

    def next(self, question: str, variable: str = PASSPHRASE, *, twice: bool = False) -> str:
        """The next passphrase. Raises `ConfigError` when there is nowhere to take it from."""
        if self._lines:
            return self._lines.pop(0)
        if told := os.environ.pop(variable, ""):  # so that no child of ours inherits it
            return told
        if not sys.stdin.isatty():
            raise ConfigError(
                f"there is no terminal to ask for a passphrase; give it by --passphrase-fd, or in {variable}"
            )
        given = getpass.getpass(f"{question}: ")
        if twice and getpass.getpass("once more: ") != given:
            raise ConfigError("the two are not the same; nothing was changed")
        return given


def identity(options: argparse.Namespace) -> int:
    """Show, set or forget who is behind a pseudonym, or change the passphrase."""
    from emolab.study import participants
    from emolab.study.withdrawal import entries_of

    if options.deed in ("set", "forget") and not options.participant:
        raise ConfigError(
            f"'{options.deed}' needs a pseudonym: emolab study identity STUDY {options.deed} P014"
        )
    if options.deed == "set":
        participants.check_open(options.study, options.participant)
        if participants.find(options.study, options.participant) is None:
            raise ConfigError(
                f"{options.study} knows no {options.participant}; 'emolab study add' gives pseudonyms"
            )
    words = Passphrases(options.passphrase_fd)
    opened = _map(options, words, may_make=options.deed == "set")
    if options.deed == "show":
        return _show(opened, options)
    if options.deed == "passphrase":
        opened.change_passphrase(words.next("new passphrase", NEW_PASSPHRASE, twice=True))
        return _told(options, opened, [], f"{opened.path} has a new passphrase")
    who = options.participant
    entries = entries_of(opened, who)
    if options.deed == "forget":
        if not entries:
            raise ConfigError(f"{opened.path} has no {who}; 'show' tells whom it has")
        for name in entries:
            del opened.persons[name]
        opened.save()
        said = f"{' and '.join(entries)} is nobody any more in {opened.path}"
        return _told(options, opened, entries, said)
    if entries and not options.replace:
        since = opened.persons[entries[0]].since_utc[:10]
        raise ConfigError(
            f"{opened.path} has somebody as {entries[0]}{f', since {since}' if since else ''}; look with "
            f"'show {who}', and say --replace to put somebody else there"
        )
    person = _ask_person()
    for name in entries:  # p014, of an older emolab, is P014
        del opened.persons[name]
    opened.persons[who] = person
    opened.save()
    return _told(options, opened, [who], f"{who} is kept in {opened.path}")


def _told(options: argparse.Namespace, opened: IdentityMap, changed: Sequence[str], said: str) -> int:
    """Say what was done to the map: whose entries, none where the passphrase alone is another."""
    if options.json:
        print_json({"deed": options.deed, "map": str(opened.path), "participants": list(changed)})
    else:
        print(said)
    return 0


def withdraw(options: argparse.Namespace) -> int:
    """Erase a participant, after a second movement; exit code 1 when something was left."""
    from emolab.session import occupied, rings
    from emolab.study import withdrawal

    found = withdrawal.look(options.study, options.participant, options.key)
    who = found.participant
    if options.look:
        if options.json:
            print_json(_plan_facts(found))
        else:
            print(_plan(found))
        return 0
    opened = _map_if_any(options)
    has_entry = opened is not None and bool(withdrawal.entries_of(opened, who))
    _confirm(who, found, options.yes_erase, has_entry=has_entry)
    done = withdrawal.withdraw(
        options.study, who, opened, options.key, lambda name: occupied.why_not(options.study, name)
    )
    rings.sweep(rings.memory_folder())  # of a killed engine: the last seconds that it showed
    if options.json:
        print_json(_done_facts(done))
    else:
        print(_done(done, options.study, has_map=opened is not None))
    return 1 if done.residue or done.computed or done.stone.left or done.unsure else 0


def _confirm(who: str, found: Remains, said: str, *, has_entry: bool) -> None:
    """A second, different movement: the pseudonym itself."""
    if said:
        if said != who:
            raise ConfigError(f"--yes-erase {said} is not {who}; nothing was erased")
        return
    print(_plan(found), file=sys.stderr)
    if has_entry:
        print("  the entry in the identity map", file=sys.stderr)
    if not sys.stdin.isatty():
        raise ConfigError(f"nothing was erased: say '--yes-erase {who}', too, to erase all this for ever")
    print(f"Type {who} to erase all this for ever: ", end="", file=sys.stderr, flush=True)
    if input().strip() != who:
        raise ConfigError("that was another word; nothing was erased")


def _plan(found: Remains) -> str:
    lines = [f"Of {found.participant} there is:"]
    counted = found.counted()
    for kind, count in counted.items():
        size = f", {count['bytes'] / 1e6:.1f} MB" if "bytes" in count else ""
        lines.append(f"  {kind}: {count['files']} files{size}")
        lines += [f"    {path}" for path in found.files.get(kind, ())[:8]]
        if (more := len(found.files.get(kind, ())) - 8) > 0:
            lines.append(f"    and {more} more")
    lines += ["  nothing"] if not counted else []
    lines += [f"  not at hand: {left['format']} in {left['folder']}" for left in found.left]
    lines += [f"  cannot be read, and is to be done again: {path}" for path, _ in found.shut]
    lines += [f"  may be theirs, and would be left alone: {path}" for path in found.unsure]
    return "\n".join(lines)


def _plan_facts(found: Remains) -> dict[str, Any]:
    return {
        "participant": found.participant,
        "counted": found.counted(),
        "files": {kind: [str(path) for path in paths] for kind, paths in found.files.items()},
        "tables": [str(path) for path in found.tables],
        "logs": [str(path) for path in found.logs],
        "left": [dict(left) for left in found.left],
        "unsure": [str(path) for path in found.unsure],
        "shut": [str(path) for path, _ in found.shut],
    }


def _what_then(left: Mapping[str, Any]) -> str:
    """What to do about an export that was not there."""
    if left["format"] == "analysis":
        return "make it anew, or erase it, where it is now"
    return "do this again then" if left["files"] else "only the key tells which are theirs: --key FILE"


def _done(done: Withdrawn, study: Path, *, has_map: bool) -> str:
    from emolab.study.withdrawal import BEYOND_REACH

    stone = done.stone
    lines = [f"{stone.participant} is erased:"]
    for kind, count in stone.erased.items():
        size = f", {count['bytes'] / 1e6:.1f} MB" if "bytes" in count else ""
        lines.append(f"  {kind}: {count.get('files', count.get('entries', 0))}{size}")
    if not has_map:
        lines.append("No identity map was opened: if there is one, name it with --map and do this again.")
    for left in stone.left:
        lines.append(f"Not at hand, and not erased: {left['format']} in {left['folder']}; {_what_then(left)}")
    for folder in done.computed:
        lines.append(
            f"{stone.participant} still counts in the figures and tables of {folder}: make them anew with "
            f"'emolab analyse {study} --out {folder}', or erase that folder"
        )
    lines += [f"May be theirs, and was left alone: {path}" for path in done.unsure]
    lines += [f"Had another name or led elsewhere, look there, too: {path}" for path in done.linked]
    lines += [f"Still names {stone.participant}; look at it: {path}" for path in done.residue]
    lines += [f"Was not looked into: {path}" for path in done.unseen]
    lines += ["What no program can reach:", *(f"  {each}" for each in BEYOND_REACH)]
    return "\n".join(lines)


def _done_facts(done: Withdrawn) -> dict[str, Any]:
    from emolab.study.withdrawal import BEYOND_REACH

    told = asdict(done)
    return {
        "tombstone": told["stone"],
        **{
            key: [str(path) for path in told[key]]
            for key in ("unsure", "linked", "residue", "unseen", "computed")
        },
        "beyond_reach": list(BEYOND_REACH),
    }


def _place(options: argparse.Namespace) -> Path | None:
    from emolab.study import identity

    place: Path | None = options.map or identity.default_path(options.study)
    return identity.check_place(place, options.study) if place is not None else None


def _map(options: argparse.Namespace, words: Passphrases, *, may_make: bool) -> IdentityMap:
    """The study's map; made, with its passphrase asked for twice, when it may be and is not there."""
    from emolab.study import identity, participants, study_file

    facts = study_file.read(options.study)
    if facts is None and may_make:
        facts = study_file.make(options.study, pattern=participants.pattern_in_use(options.study))
    if facts is None:
        raise ConfigError(
            f"{options.study} has no identity map yet; begin one with 'emolab study identity STUDY set ID'"
        )
    place = _place(options)
    assert place is not None
    if not place.exists() and may_make:
        return identity.IdentityMap.make(place, facts.id, words.next("a new passphrase", twice=True))
    return identity.IdentityMap.open(place, facts.id, words.next(f"passphrase of {place.name}"))


def _map_if_any(options: argparse.Namespace) -> IdentityMap | None:
    """The study's map, None for a study without; one that is named must be there."""
    place = None if options.keep_identity else _place(options)
    if place is None or not (place.exists() or options.map):
        return None
    if not place.exists():
        raise ConfigError(
            f"there is no identity map {place}; nothing was erased. Look how it is written, or say "
            "--keep-identity to leave names alone"
        )
    return _map(options, Passphrases(options.passphrase_fd), may_make=False)


def _ask_person() -> Person:
    from emolab.study import kept
    from emolab.study.identity import Person

    is_asked = sys.stdin.isatty()
    answers = {}
    for question in ("name", "contact", "note"):
        if is_asked:
            print(f"{question}: ", end="", file=sys.stderr, flush=True)
        answers[question] = sys.stdin.readline().strip()
    if not answers["name"]:
        raise ConfigError("no name was given; nothing was kept")
    return Person(answers["name"], answers["contact"], answers["note"], kept.now())


def _show(opened: IdentityMap, options: argparse.Namespace) -> int:
    from emolab.study.withdrawal import entries_of

    persons = opened.persons
    if options.participant:
        persons = {who: persons[who] for who in entries_of(opened, options.participant)}
        if not persons:
            raise ConfigError(f"{opened.path} has no {options.participant}")
    if options.json:
        print_json({who: asdict(person) for who, person in sorted(persons.items())})
    else:
        for who, person in sorted(persons.items()):
            print(" · ".join(filter(None, (who, person.name, person.contact, person.note))))
    return 0
