"""`emolab stimuli check|add|render`: the clip bank.

check    verify a bank: one line a finding, exit code 1 when there is one
add      cut 30 s of a piece of your own, fade and normalise it, and enter it in your bank
render   compose the shipped clips into this machine's folder

A bank is a manifest.csv with its clips beside it. 'add' enters into your own one, in the user's data
folder, unless told otherwise; a protocol uses it by 'bank: PATH OF THE MANIFEST' below 'clips'.
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from emolab.cli.arguments import parser, print_json, settings
from emolab.core import shipped
from emolab.core.errors import ConfigError, DataError, shown
from emolab.core.label import STATE_KEYS, STATES, state_of_word

if TYPE_CHECKING:
    from emolab.protocol.bank import ClipEntry


def stimuli(arguments: list[str]) -> int:
    """Run one of the three."""
    cli = parser("stimuli", __doc__ or "")
    words = cli.add_subparsers(dest="word", required=True, metavar="{check,add,render}")
    check = words.add_parser("check", help="verify a bank")
    check.add_argument("--bank", type=Path, help="manifest.csv (default: the shipped bank)")
    check.add_argument("--json", action="store_true")
    add = words.add_parser("add", help="enter a piece of your own")
    add.add_argument("file", type=Path, help="any sound file of 30 s or more")
    add.add_argument(
        "--state", required=True, help="what it is chosen for: one of the five states, or a word of Table I"
    )
    add.add_argument(
        "--bank",
        type=Path,
        help="manifest.csv, made when absent (default: own/manifest.csv in the data folder)",
    )
    add.add_argument("--start", type=float, default=0.0, metavar="S", help="where the 30 s begin")
    add.add_argument("--id", metavar="NAME", help="the clip's name (default: of its state and its file)")
    add.add_argument("--title", default="")
    add.add_argument("--source", default="", help="who made it, where it is from")
    add.add_argument("--licence", default="", help="on what terms it may be played")
    render = words.add_parser("render", help="compose the shipped clips")
    render.add_argument("--out", type=Path, metavar="DIR", help="folder (default: the user's data folder)")
    render.add_argument("--force", action="store_true", help="compose anew what is there already")
    options = cli.parse_args(arguments)
    if options.word == "check":
        return _check(options.bank, as_json=options.json)
    if options.word == "add":
        return _add(options)
    return _render(options.out, force=options.force)


def _manifest(bank: Path | None) -> Path:
    return bank or shipped.folder("stimuli") / "manifest.csv"


def _check(manifest: Path | None, *, as_json: bool) -> int:
    from emolab.composer.clipcheck import check_clip, duplicate_findings
    from emolab.protocol.bank import read_manifest
    from emolab.session.stimuli import clip_path

    bank, user = read_manifest(_manifest(manifest)), settings()
    paths = {entry.id: clip_path(bank, entry.id, user) for entry in bank.entries}
    found = [
        finding
        for entry in bank.entries
        for finding in check_clip(paths[entry.id], expected_sha256=entry.sha256 or None, piece_id=entry.id)
    ]
    found += duplicate_findings(path for path in paths.values() if path.is_file())
    grave = [finding for finding in found if finding.grave]
    if as_json:
        facts = [{"file": str(f.path), "code": f.code, "text": f.text, "grave": f.grave} for f in found]
        print_json({"bank": str(bank.path), "clips": len(bank.entries), "findings": facts, "good": not grave})
    else:
        for finding in found:
            print(finding)
        print(f"{bank.path}: {len(bank.entries)} clips, {len(grave) or 'nothing'} to mend")
        if any(finding.code == "missing" for finding in found):
            print("'emolab stimuli render' composes the shipped clips on this machine")
    return 1 if grave else 0


def _add(options: argparse.Namespace) -> int:
    from emolab.composer.adopt import own
    from emolab.composer.clipcheck import check_clip
    from emolab.session.stimuli import own_bank

    state = _state(options.state)
    _check_words(options)
    manifest: Path = options.bank or own_bank(settings())
    with own(manifest.parent):
        entry, number = _enter(options, state, manifest)
    path = manifest.parent / entry.file
    for finding in check_clip(path, expected_sha256=entry.sha256):
        print(finding)
    print(f"{entry.id} is clip {number} of {manifest}; a protocol uses that bank by")
    print(f"  bank: {manifest.resolve()}")
    print(path)
    return 0


def _check_words(options: argparse.Namespace) -> None:
    """Whether what is to be entered can stand in a manifest. Raises `ConfigError` before any work."""
    from emolab.protocol.bank import is_one_line

    for name in ("title", "source", "licence"):
        if not is_one_line(text := getattr(options, name)):
            raise ConfigError(f"--{name} {shown(text)} is no text of one line; type it again")
    if not is_one_line(options.file.name):
        raise ConfigError(
            f"the file's name {shown(options.file.name)} is no text of one line (UTF-8); rename the file"
        )


def _enter(options: argparse.Namespace, state: str, manifest: Path) -> tuple[ClipEntry, int]:
    """The new entry, and which clip of the bank it is."""
    from emolab.composer.adopt import UNSTATED_LICENCE, adopt_clip
    from emolab.protocol.bank import ClipEntry, read_manifest, write_manifest

    def entries() -> list[ClipEntry]:
        return list(read_manifest(manifest).entries) if manifest.exists() else []

    entries()  # a manifest with a mistake is told of before there is work
    row = adopt_clip(
        options.file,
        state,
        manifest.parent,
        options.start,
        title=options.title or None,
        clip_id=options.id,
        licence=options.licence or UNSTATED_LICENCE,
    )
    facts = vars(row) | {"source": options.source or row.source}
    try:
        known = entries()  # as they are now: where a drive knows no locks, another may have entered one
        entry = ClipEntry(**facts, position=sum(other.state == state for other in known))
        write_manifest(manifest, [*known, entry])
    except BaseException:
        (manifest.parent / row.file).unlink(missing_ok=True)  # a clip in no manifest would block its name
        raise
    return entry, len(known) + 1


def _state(word: str) -> str:
    """The state meant by its key or by one of its words. Raises `ConfigError` with all of them."""
    word = word.strip().lower()
    if word in STATE_KEYS:
        return word
    try:
        return state_of_word(word).key
    except DataError as error:
        known = "; ".join(f"{state.key} ({', '.join(state.words)})" for state in STATES)
        raise ConfigError(f"--state {word!r} is no state and no word of one; there are: {known}") from error


def _render(out: Path | None, *, force: bool) -> int:
    from emolab.composer import bank as composer_bank
    from emolab.composer import catalogue
    from emolab.session.stimuli import render_folder

    folder = out or render_folder(settings())
    pieces = [piece for piece in catalogue() if force or not (folder / piece.file).is_file()]
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no half of a clip is left
    try:
        composer_bank.render_bank(
            folder, pieces, lambda done, total, piece: print(f"{done:>3} of {total}  {piece.id}", flush=True)
        )
    finally:
        signal.signal(signal.SIGTERM, before)
    print(f"{len(catalogue()) - len(pieces)} were there, {len(pieces)} composed; they lie in")
    print(folder / "clips")
    return 0
