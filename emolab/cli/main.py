"""`emolab`: the verbs, and the one place where the command line catches errors."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from difflib import get_close_matches
from io import TextIOWrapper
from pathlib import Path

from emolab import __version__
from emolab.core.errors import EmolabError

# verb: (module:function, what it does)
VERBS: dict[str, tuple[str, str]] = {
    "console": ("emolab.cli.console:console", "open the program (also: emolab, emolab STUDY)"),
    "demo": ("emolab.cli.demo:demo", "a whole session with the simulated participant"),
    "rehearse": ("emolab.cli.rehearse:rehearse", "a whole study of simulated participants, in a minute"),
    "record": ("emolab.cli.record:record", "record one session from the command line"),
    "preflight": ("emolab.cli.preflight:preflight", "is everything there for a session, ten seconds long"),
    "synctest": ("emolab.cli.synctest:synctest", "how late each instrument is, by flashes and clicks"),
    "calibrate": ("emolab.cli.calibrate:calibrate", "how the thermal camera lies to the colour camera"),
    "plan": ("emolab.cli.plan:plan", "what a participant will hear, with the arithmetic"),
    "inspect": ("emolab.cli.inspect:inspect", "what a session file holds, and whether it is whole"),
    "review": ("emolab.cli.review:review", "replay a session, check it against the face, and label it"),
    "merge": ("emolab.cli.merge:merge", "bring home the labels made on a copy of a session"),
    "agreement": ("emolab.cli.agreement:agreement", "how far participant, face and analysts agree"),
    "recover": ("emolab.cli.inspect:recover", "make a damaged session file normally readable"),
    "export": ("emolab.cli.export:export_session", "write a session as csv, bids, xdf, mp4 or eaf"),
    "analyse": ("emolab.cli.analyse:analyse", "figures, tests and a report, of a session or a whole study"),
    "data": ("emolab.cli.data:data", "which corpora are known, where to ask for them, is a download whole"),
    "train": ("emolab.cli.train:train", "a model learns from a corpus, and is judged on what it never saw"),
    "compare": ("emolab.cli.compare:compare", "runs of 'train' side by side, and whether they differ"),
    "models": ("emolab.cli.models:models", "the models that read states from a body, with their papers"),
    "predict": ("emolab.cli.predict:predict", "what a trained classifier says of a session's clips"),
    "validate": ("emolab.cli.validate:validate", "what the face says of each clip, beside the report"),
    "import": ("emolab.cli.import_xdf:import_xdf", "make a session of an XDF recording"),
    "study": ("emolab.cli.study:study", "participants, consent texts, identities; erase who withdraws"),
    "doctor": ("emolab.cli.doctor:doctor", "what this machine has, and what to fix"),
    "stimuli": ("emolab.cli.stimuli:stimuli", "check, extend or render the clip bank"),
    "engine": ("emolab.cli.engine:engine", ""),  # what the console spawns; not for people
}

OK, FALLS_SHORT, WRONG, STOPPED = 0, 1, 2, 130
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def main() -> None:
    """Run the command line and exit with its code."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):  # an old terminal must not fail over a sign it cannot show
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = run(sys.argv[1:])
    except SystemExit as leaving:  # argparse
        code = int(leaving.code or OK)
    sys.exit(_handed_over(code))


def run(arguments: list[str]) -> int:
    """Run a command line; returns the exit code."""
    # read by numpy when it is loaded: its threads wait for one another, sixty times longer than the
    # sum itself takes when the other cores are busy
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    level = os.environ.get("EMOLAB_LOG", "WARNING").upper()
    logging.basicConfig(
        level=level if level in LEVELS else "WARNING", format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        return _obey(arguments)
    except EmolabError as error:
        print(f"emolab: {error}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:  # the reader of our output has enough
        _mute()
        return OK
    except OSError as error:
        logging.getLogger(__name__).debug("where it came from", exc_info=True)
        place = f" ({error.filename})" if error.filename else ""
        print(f"emolab: {error.strerror or error}{place}; EMOLAB_LOG=DEBUG tells more", file=sys.stderr)
        return WRONG
    except EOFError:
        print("\nemolab: the input ended where an answer was needed", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        return STOPPED


def _obey(arguments: list[str]) -> int:
    """What the arguments ask for; its exit code."""
    if arguments and arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return OK
    if arguments and arguments[0] == "--version":
        print(f"emolab {__version__}")
        return OK
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("console", [])
    if verb not in VERBS:
        if not _is_place(verb):
            near = get_close_matches(verb, VERBS, n=1)
            hint = f"did you mean 'emolab {near[0]}'?" if near else "'emolab --help' lists the commands"
            print(f"emolab: there is no command {verb!r}; {hint}", file=sys.stderr)
            return WRONG
        verb, rest = "console", arguments
    module, _, function = VERBS[verb][0].partition(":")
    return int(getattr(importlib.import_module(module), function)(rest) or OK)


def overview() -> str:
    """The help text."""
    lines = [f"  {verb:<10} {what}" for verb, (_, what) in VERBS.items() if what]
    return "\n".join(
        [
            "emolab: run a music-emotion study, from the first consent to the last figure.",
            "",
            "usage: emolab [STUDY]            open the program",
            "       emolab COMMAND --help     how to use one command",
            "",
            *lines,
            "",
            "exit codes: 0 well; 1 the thing checked or recorded falls short (a session interrupted, a",
            "clip damaged); 2 wrong use, or nothing could be done; 130 stopped by Ctrl-C",
        ]
    )


def _is_place(word: str) -> bool:
    """Whether a first argument is a study folder or an option of the console rather than a verb."""
    try:
        return word.startswith("-") or os.sep in word or Path(word).is_dir()
    except OSError:  # longer than a name can be
        return False


def _open_streams() -> None:
    """Put nothing where a stream was closed before: the next file opened would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _handed_over(code: int) -> int:
    """The exit code, once all that was printed is out: its reader may be gone, its disk full."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _mute()
    except OSError as error:
        _mute()
        print(f"emolab: what was to be printed cannot be written ({error.strerror})", file=sys.stderr)
        return WRONG
    return code


def _mute() -> None:
    """Let what is still to be printed go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
