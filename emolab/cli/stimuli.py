"""`emolab stimuli check|add|render`: the clip bank.

check    verify a bank: one line a finding, exit code 1 when there is one
add      cut, fade, normalise and enter a piece of the laboratory's own
render   compose the shipped clips into this machine's folder
"""

from __future__ import annotations

import argparse
from pathlib import Path

from emolab.cli.arguments import parser, print_json, settings
from emolab.core import shipped
from emolab.core.errors import ConfigError
from emolab.core.label import STATE_KEYS, state_of_word


def stimuli(arguments: list[str]) -> int:
    """Run one of the three."""
    cli = parser("stimuli", __doc__ or "")
    words = cli.add_subparsers(dest="word", required=True)
    check = words.add_parser("check", help="verify a bank")
    check.add_argument("--bank", type=Path, help="manifest.csv (default: the shipped bank)")
    check.add_argument("--json", action="store_true")
    add = words.add_parser("add", help="enter a piece of your own")
    add.add_argument("file", type=Path)
    add.add_argument("--state", required=True, help="what it is chosen for")
    add.add_argument("--bank", type=Path, required=True, help="manifest.csv, made when absent")
    add.add_argument("--start", type=float, default=0.0, metavar="S", help="where the 30 s begin")
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
    from emolab.composer import audio
    from emolab.composer.clipcheck import check_clip, prepare_clip
    from emolab.composer.pieces import RATE_HZ
    from emolab.protocol.bank import ClipEntry, read_manifest, write_manifest

    if options.state not in STATE_KEYS:
        options.state = state_of_word(options.state).key
    samples = audio.to_pcm(prepare_clip(options.file, options.start))
    manifest: Path = options.bank
    entries = list(read_manifest(manifest).entries) if manifest.exists() else []
    checksum = audio.pcm_sha256(samples)
    if same := [entry.id for entry in entries if entry.sha256 == checksum]:
        raise ConfigError(f"{options.file} is in the bank already, as {same[0]}; nothing was added")
    taken = {entry.id for entry in entries}
    number = next(n for n in range(1, 10_000) if f"{options.state}-{n}" not in taken)
    clip = f"{options.state}-{number}"
    file = f"clips/{clip}.flac"
    path = manifest.parent / file
    if path.exists():
        raise ConfigError(f"{path} is there already but not in {manifest.name}; move it away first")
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write_flac(path, samples, RATE_HZ)
    entry = ClipEntry(
        id=clip,
        state=options.state,
        title=options.title or options.file.stem,
        source=options.source or options.file.name,
        licence=options.licence or "not stated",
        sha256=checksum,
        loudness_lufs=audio.loudness_lufs(samples / 32768.0, RATE_HZ),
        file=file,
        position=sum(other.state == options.state for other in entries),
    )
    write_manifest(manifest, [*entries, entry])
    for finding in check_clip(path, expected_sha256=checksum):
        print(finding)
    print(path)
    return 0


def _render(out: Path | None, *, force: bool) -> int:
    from emolab.composer import bank as composer_bank
    from emolab.composer import catalogue
    from emolab.session.stimuli import render_folder

    folder = out or render_folder(settings())
    pieces = [piece for piece in catalogue() if force or not (folder / piece.file).is_file()]
    composer_bank.render_bank(
        folder, pieces, lambda done, total, piece: print(f"{done:>3} of {total}  {piece.id}", flush=True)
    )
    print(f"{len(catalogue()) - len(pieces)} were there, {len(pieces)} composed; they lie in")
    print(folder / "clips")
    return 0
