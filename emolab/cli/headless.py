"""A session without windows, in this very process."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli import preflight
from emolab.cli.arguments import settings
from emolab.cli.engine import STOPPED, is_simulated, make_engine, wait_for_instruments
from emolab.core.errors import EmolabError

if TYPE_CHECKING:
    from emolab.session.engine import Engine
    from emolab.session.prepare import StartRequest


def run(
    request: StartRequest, study: Path, devices: Path, speed: float, *, tell: bool, look: bool = False
) -> int:
    """Record; 0 for a whole session, 1 for a file that falls short.

    `tell`: print all that it holds. `look`: look at everything before, and do not start on red.
    """
    from emolab.session import live_session

    engine = make_engine(study, devices, speed, hears=not is_simulated(devices))
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, lambda *_: engine.interrupt("signal")) for number in numbers}
    try:
        _compose(request, engine)
        engine.arm(render=False)
        wait_for_instruments(engine)
        if look:
            preflight.show(preflight.look(engine, request), sys.stderr)
        live_session.start(engine, request)
        engine.serve(until=lambda: engine.phase in ("finished", "failed"))
    finally:
        engine.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
    return _conclude(engine, tell=tell)


def _conclude(engine: Engine, *, tell: bool) -> int:
    if engine.prepared is None:
        raise EmolabError(STOPPED)
    if engine.message:
        print(f"emolab: {engine.message}", file=sys.stderr, flush=True)
    if engine.summary:
        from emolab.recording.inspect import text

        print(text(engine.summary) if tell else _one_line(engine.summary))
    print(engine.prepared.path if engine.recorder is None else engine.recorder.path, flush=True)
    return 0 if is_whole(engine.summary) else 1


def is_whole(summary: dict[str, Any]) -> bool:
    """Whether what `inspect` says of a file is what one records for."""
    return bool(summary.get("complete")) and summary.get("verdict") != "bad"


def _one_line(summary: dict[str, Any]) -> str:
    trials = summary["trials"]
    return (
        f"{summary['outcome']}, {summary['verdict']}: {trials['done']} of {trials['planned']} trials, "
        f"{summary['duration_s']:.1f} s, {len(summary['streams'])} channels"
    )


def _compose(request: StartRequest, engine: Engine) -> None:
    from emolab.session import stimuli
    from emolab.session.prepare import lay_out

    def progress(clip: str) -> None:
        print(f"  {clip}", file=sys.stderr, flush=True)
        if engine.is_interrupted:
            raise EmolabError(STOPPED)

    user = settings()
    _, bank, plan = lay_out(request, engine.study)
    clips = stimuli.missing(bank, [clip.id for clip in plan.trials], user)
    if clips:
        print(f"Composing {len(clips)} clips, once …", file=sys.stderr, flush=True)
        stimuli.render(clips, user, progress)
