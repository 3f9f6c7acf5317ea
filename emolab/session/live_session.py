"""A session in a laboratory: begun, gone on with, and ended so that its file is whole, whatever happens.

    setup ──start──▸ running ──the runner ends──▸ finished
                        └──────the recorder fails──▸ failed

One session a laboratory; the engine's thread alone calls these. Each change of phase is published at once:
before a command is answered, and before anything is done that relies on others having seen it.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from pathlib import Path

from emolab.core.errors import ConfigError, EmolabError, RecordingError
from emolab.core.event import Event
from emolab.recording.inspect import inspect
from emolab.recording.recorder import Recorder
from emolab.session import folder, readiness
from emolab.session.laboratory import Laboratory
from emolab.session.loopback import search_with
from emolab.session.player import SoundPlayer
from emolab.session.prepare import Prepared, StartRequest, check, prepare
from emolab.session.respondent import respondent_for
from emolab.session.run import Run
from emolab.session.stimuli import missing
from emolab.study import participants

log = logging.getLogger(__name__)

CLOSE_S = 30.0
LEAST_FREE_BYTES = 100 << 20  # the recorder stops at 16 MB


def start(lab: Laboratory, request: StartRequest) -> None:
    """Start recording. Raises `ConfigError` or `RecordingError` with the remedy, changing nothing."""
    if lab.phase != "setup":
        raise ConfigError("this engine has begun its session already; the next one needs a new engine")
    _, bank, plan, _ = check(request, lab.study)
    if lab.rendering.is_busy and missing(bank, [clip.id for clip in plan.trials], lab.settings):
        raise ConfigError(f"{lab.rendering.progress}; start when they are ready")
    if (free_bytes := shutil.disk_usage(lab.study).free) < LEAST_FREE_BYTES:
        raise ConfigError(
            f"the disk of {lab.study} has only {free_bytes / 1e6:.0f} MB left; free some, or choose "
            "a study folder on another disk"
        )
    if request.answers == "window" and lab.sound_fault:
        raise ConfigError(f"The participant would hear nothing: {lab.sound_fault}")
    overridden = readiness.gate(lab, request.override)
    lab.rendering.stop()  # the other clips can wait until the session is over
    prepared = prepare(request, lab.study, lab.settings)
    for step_path in {clip.path for clip in prepared.plan.trials if clip.path}:
        lab.player.prepare(step_path, prepared.study.clip_s)
    _begin(lab, prepared)
    if overridden is not None:
        lab.record(overridden)
    try:  # who withdrew in this very moment: withdrawing looks for a running session after its first mark
        participants.check_open(lab.study, request.participant)
    except ConfigError as error:
        _break_off(lab, str(error))


def tick(lab: Laboratory, now_s: float) -> None:
    """Let the session do what is due; whatever goes wrong in it, its recording is ended in order."""
    if lab.run is None or lab.recorder is None or lab.phase != "running":
        return
    try:
        lab.run.tick(now_s)
    except Exception as error:
        log.exception("the session cannot go on")
        _break_off(lab, f"the session's course failed: {type(error).__name__}: {error}")
        return
    if lab.recorder.error is not None:
        _fail(lab, lab.recorder.error)
    elif lab.run.outcome:
        _finish(lab)


def end(lab: Laboratory) -> None:
    """End a session that runs, in order: complete file, marked as interrupted."""
    if lab.run is None or lab.phase != "running":
        return
    lab.run.runner.abort(lab.clock.now_s(), outcome="interrupted")
    tick(lab, lab.clock.now_s())
    if lab.phase == "running":
        _finish(lab)


def _begin(lab: Laboratory, prepared: Prepared) -> None:
    left_out = lab.left_out()
    header = prepared.header(lab.study.resolve().name, lab.devices.text, lab.clock.speed)
    streams = [lab.hub.streams[name].info for name in lab.pumps if name not in left_out]
    participants.admit(lab.study, prepared.request.participant)
    prepared.path.parent.mkdir(parents=True, exist_ok=True)
    with lab.hub.keep() as hand_over:
        now_s = lab.clock.now_s()  # from here on every sample is kept
        recorder = Recorder(prepared.path, header, streams, now_s, clock=lab.clock, on_event=lab.tell)
        hand_over(recorder.put)
    lab.zero_s, lab.prepared, lab.recorder = now_s, prepared, recorder
    ear = lab.hub.listen() if isinstance(lab.player, SoundPlayer) else None
    respondent = respondent_for(prepared.request.answers, lab.clock)
    search = search_with(ear, lab.report)
    lab.run = Run(prepared, lab.clock, lab.player, respondent, lab.record, search)
    facts = {**prepared.facts(), "left_out": left_out}
    lab.record(Event(now_s, "session_started", data=facts))
    if lab.screen:  # the window came before there was a file to tell it
        lab.record(Event(now_s, "window_attached", data={"screen": lab.screen}))
    lab.phase = "running"
    for what, reason in lab.holds.items():
        if what != "sound" or lab.is_answered_at_window:
            lab.run.runner.hold(now_s, reason)
    lab.run.begin(now_s)
    lab.publish()


def _finish(lab: Laboratory) -> None:
    """Protocol, pumps, drain, writer: in this order, each with its time limit."""
    assert lab.run is not None and lab.recorder is not None and lab.prepared is not None
    outcome = lab.run.outcome or "interrupted"
    lab.record(Event(lab.clock.now_s(), "session_ended", data={"outcome": outcome}))
    lab.stop_pumps()
    lab.take_reports()  # a marker belongs to its row, even the last
    lab.hub.leave_off()
    path = lab.prepared.path
    try:
        lab.recorder.close(outcome, CLOSE_S)
        if lab.recorder.path != path:
            lab.message = (
                f"The disk of {path} did not come back. The whole recording is in {lab.recorder.path}; "
                f"when the disk is back, 'emolab recover {path}' puts it there, too."
            )
            path = lab.recorder.path
        lab.run.write_truth(folder.truth_path(path), lab.zero_s)
        lab.summary = inspect(path)
        lab.phase = "finished"
    except Exception as error:  # whatever it is, the console must hear where the file stands
        lab.phase = "failed"
        lab.message = _why_it_stopped(error, path)
    lab.publish()


def _break_off(lab: Laboratory, why: str) -> None:
    """The session cannot go on, but its recording is sound: finish the file, and say why."""
    assert lab.run is not None and lab.prepared is not None
    lab.record(Event(lab.clock.now_s(), "error", data={"where": "session", "message": why}))
    lab.player.stop()
    lab.run.outcome = "interrupted"
    _finish(lab)
    if lab.phase == "finished":
        lab.message = (
            f"The session was ended early because {why}. All that was recorded is in "
            f"{lab.prepared.path}; please report this, with the engine's log."
        )
        lab.publish()


def _fail(lab: Laboratory, error: Exception) -> None:
    """The recorder cannot go on: stop, and say what is safe."""
    assert lab.recorder is not None and lab.prepared is not None
    lab.stop_pumps()
    lab.hub.leave_off()
    lab.player.stop()
    with suppress(EmolabError, OSError):
        lab.recorder.close("interrupted", CLOSE_S)
    if lab.recorder.trouble is None or not lab.recorder.trouble.is_grave:  # else it may never answer
        with suppress(EmolabError, OSError):
            lab.summary = inspect(lab.prepared.path)
    lab.phase = "failed"
    lab.message = _why_it_stopped(error, lab.prepared.path)
    lab.publish()


def _why_it_stopped(error: Exception, path: Path) -> str:
    """For the experimenter; the recorder's own errors say already what is safe and what to do."""
    if isinstance(error, RecordingError):
        return f"The recording stopped: {error}."
    log.error("the recording stopped", exc_info=error)
    what = str(error) if isinstance(error, EmolabError) else f"{type(error).__name__}: {error}"
    return (
        f"The recording stopped: {what}. What was recorded until then is safe in {path}; 'emolab recover' "
        "makes it whole."
    )
