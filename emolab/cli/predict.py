"""`emolab predict RUN SESSION`: what a classifier says of each clip, or of windows of a stated length."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli.arguments import parser, print_json
from emolab.cli.display import as_alarm
from emolab.core.errors import ConfigError, EmolabError
from emolab.study.sessions import named
from emolab.training import people

if TYPE_CHECKING:
    from emolab.signals.audio_features import FeatureTable
    from emolab.training.predict import Prediction

WHAT = """Let a trained classifier judge a session by its skin conductance, and keep what it says in a lane.

RUN is the folder of 'emolab train', or 'default': a small model of arousal that comes with emolab; a folder
of that name is './default'. Clips are windows, or --window seconds every --hop seconds are. What
participants and analysts said is never touched."""
LIVE_WINDOW_S, LIVE_HOP_S = 30.0, 2.0


def predict(arguments: list[str]) -> int:
    """Judge a session, or the one being recorded in a study (`--live`): 1 when its lane was not written."""
    options = _options(arguments)
    if options.live is not None:
        from emolab.cli.predict_live import read_out

        return read_out(
            options.run,
            options.live,
            options.window or LIVE_WINDOW_S,
            options.hop or LIVE_HOP_S,
            options.json,
        )
    from emolab.training.opened import open_model
    from emolab.training.predict import predict

    _check_is_file(options.session)
    is_watched = options.progress or sys.stderr.isatty()
    tell = _tell if is_watched else lambda percent, what: None
    tell(0, "loading the model")
    model = open_model(options.run)
    found = predict(
        options.session,
        model,
        window_s=options.window,
        hop_s=options.hop or options.window / 2,
        music=_music(options.music),
        progress=tell,
    )
    if is_watched:
        print("\r" + " " * 50 + "\r", end="", file=sys.stderr)
    lane, not_kept = ("", "") if options.dry else _kept(found)
    if options.json:
        print_json(facts(found, lane, not_kept))
    else:
        print(text(found, lane))
        told = people.told(found.in_training, found.participant)
        for words in (*found.model.known.alarms, *([told] if told else [])):
            print(as_alarm(words))
    if not_kept:
        print(f"emolab: the lane was not written: {not_kept}", file=sys.stderr)
    return 1 if not_kept else 0


def facts(found: Prediction, lane: str, not_kept: str = "") -> dict[str, Any]:
    """A prediction as JSON; the state of a window that cannot be judged is null.

    `in_training` is null where it is not known. `alarms`: what was wrong with the run that made the model.
    """
    model = found.model
    return {
        "session": str(found.session),
        "participant": found.participant,
        "in_training": found.in_training,
        "warning": people.told(found.in_training, found.participant) or None,
        "alarms": list(model.known.alarms),
        "model": {
            "name": model.name,
            "what": model.classifier.spec.name,
            "folder": str(model.known.folder),
            "weights_sha256": model.known.weights,
            "target": model.target or None,
            "classes": list(model.classes),
            "notes": list(model.known.notes),
        },
        "window_s": found.window_s or None,
        "hop_s": found.hop_s or None,
        "windows": [
            {
                "clip": guess.said.clip,
                "start_s": guess.start_s,
                "end_s": guess.end_s,
                "predicted": guess.said.state if guess.is_known else None,
                "probabilities": dict(zip(guess.classes, guess.said.probabilities, strict=True)) or None,
                "usable": guess.usable,
                "why": guess.why or None,
            }
            for guess in found.guesses
        ],
        "lane": lane or None,
        "not_kept": not_kept or None,
        "damage": list(found.damage),
    }


def text(found: Prediction, lane: str) -> str:
    """A prediction as people read it."""
    from emolab.training.opened import CARD_TEXT

    model = found.model
    lines = [f"{'from':>8}{'to':>8}  {'clip':<20}{'predicted':<16}{'p':>5}{'usable':>8}"]
    for guess in found.guesses:
        p = f"{guess.confidence:.2f}" if guess.is_known else "-"
        why = f"  ({guess.why})" if guess.why else ""
        lines.append(
            f"{guess.start_s:8.1f}{guess.end_s:8.1f}  {(guess.said.clip or '-')[:19]:<20}"
            f"{guess.said.state:<16}{p:>5}{guess.usable:>8.0%}{why}"
        )
    counts = Counter(guess.said.state for guess in found.guesses)
    target = f" of {model.target}" if model.target else ""
    lines += ["", f"{', '.join(f'{n} {name}' for name, n in counts.most_common())}{target}; {found.windows}"]
    lines.append(f"by {model.classifier.spec.name}, weights {model.known.weights[:12]}")
    card = model.known.card_place
    unknown = f"what it is worth is not known: {model.known.folder} has no {CARD_TEXT}"
    lines.append(f"what it is worth: {card}" if card else unknown)
    lines += [f"    {note}" for note in model.known.notes]
    lines += [f"damage: {told}" for told in found.damage]
    if lane:
        lines.append(f"kept in the lane {lane}")
    return "\n".join(lines)


def _check_is_file(place: Path) -> None:
    """Raises `ConfigError` for a folder, naming a session file in it."""
    if not place.is_dir():
        return
    every = [path for pattern in ("*.h5", "*/*.h5") for path in sorted(place.glob(pattern)) if named(path)]
    more = f" and {len(every) - 1} more" if len(every) > 1 else ""
    there = f": {every[0]}{more}" if every else ", and no session file lies in it"
    raise ConfigError(f"{place} is a folder, and a session file is wanted{there}")


def _kept(found: Prediction) -> tuple[str, str]:
    """The lane that was written, or why none was; what was found is not lost with it."""
    from emolab import __version__
    from emolab.review.guesses import LEARNT_FROM, keep

    model = found.model
    by = {
        "model": model.name,
        "weights": model.known.weights,
        "target": model.target,
        "windows": found.windows,
        "run": str(model.known.folder.resolve()),
        "participant": LEARNT_FROM[found.in_training],
        "emolab": __version__,
    }
    try:
        return keep(found.session, found.guesses, by), ""
    except EmolabError as error:
        return "", str(error)


def _music(place: Path | None) -> FeatureTable | None:
    """Figures of the music, out of a table or a folder with the clips."""
    if place is None:
        return None
    if place.is_dir():
        from emolab.training.clip_music import music_table

        return music_table(place)
    from emolab.signals.audio_features import read_table

    return read_table(place)


def _options(arguments: list[str]) -> argparse.Namespace:
    cli = parser("predict", WHAT)
    cli.add_argument("run", metavar="RUN", help="folder of a run or of a classifier, or 'default'")
    cli.add_argument("session", type=Path, nargs="?", help="a recording, STUDY/P014/P014_session-0.h5")
    cli.add_argument("--window", type=float, default=0.0, metavar="S", help="length of a window, in seconds")
    cli.add_argument("--hop", type=float, default=0.0, metavar="S", help="from one window to the next")
    cli.add_argument(
        "--music", type=Path, metavar="FILE|DIR", help="figures of the clips' music, or the clips themselves"
    )
    cli.add_argument(
        "--live", type=Path, metavar="STUDY", help="read out what is being recorded there, line by line"
    )
    cli.add_argument("--dry", action="store_true", help="print only, write no lane")
    cli.add_argument("--json", action="store_true", help="all of it as JSON")
    cli.add_argument("--progress", action="store_true", help="tell how far it is, even where nobody looks")
    options = cli.parse_args(arguments)
    if (options.session is None) == (options.live is None):
        cli.error("give a SESSION, or --live STUDY")
    if options.live is not None and (options.music is not None or options.dry):
        cli.error("--music and --dry are for a SESSION: of what is live no lane is written anyway")
    return options


def _tell(percent: int, what: str) -> None:
    print(f"\r{percent:3d}% {what:<40}", end="", file=sys.stderr, flush=True)
