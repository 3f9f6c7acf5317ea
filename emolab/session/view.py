"""The engine as a window sees it: one frozen snapshot."""

from __future__ import annotations

import os
from dataclasses import replace

from emolab.session.laboratory import Laboratory
from emolab.session.snapshot import Phase, Snapshot

_PHASES: dict[str, Phase] = {"paused": "paused", "holding": "holding"}


def snapshot_of(lab: Laboratory) -> Snapshot:
    """How things stand, on the clock of the file: time zero is the start of the recording."""
    zero_s = lab.zero_s
    now_s = lab.clock.now_s() - zero_s
    waits_for = next(iter(lab.holds.values()), lab.sound_fault)
    look = lab.preflight
    progress = look.progress if look is not None and look.is_busy else None  # first: results end it
    common = Snapshot(
        phase=lab.phase,
        now_s=now_s,
        study=str(lab.study),
        free_bytes=lab.free_bytes,
        streams=lab.health(),
        log=tuple(lab.log),
        preflight=look.checks if look is not None else (),
        preflight_progress=progress,
        preflight_number=look.number if look is not None else 0,
        screen=lab.screen,
        message=lab.message or _grave(lab) or lab.rendering.progress or waits_for,
        speed=lab.clock.speed,
        engine_pid=os.getpid(),
        summary=lab.summary,
    )
    return common if lab.run is None else _with_run(common, lab)


def _grave(lab: Laboratory) -> str:
    """What is wrong with the session file while it is recorded, if anything."""
    trouble = None if lab.recorder is None or lab.phase != "running" else lab.recorder.trouble
    return trouble.text if trouble is not None and trouble.is_grave else ""


def _with_run(common: Snapshot, lab: Laboratory) -> Snapshot:
    run, recorder = lab.run, lab.recorder
    assert run is not None and recorder is not None
    prepared, status, zero_s = run.prepared, run.runner.status, lab.zero_s
    phase = lab.phase
    if phase == "running":
        phase = _PHASES.get(status.phase, "pausing" if status.will_pause else "running")
    started_s = None if status.run_started_s is None else status.run_started_s - zero_s
    stage = run.stage()
    saved = recorder.saved
    return replace(
        common,
        streams=tuple(replace(light, saved=saved.get(light.name, 0)) for light in common.streams),
        phase=phase,
        protocol=prepared.study.title,
        participant=prepared.request.participant,
        session=prepared.request.session,
        path=str(recorder.path),
        bytes_written=recorder.bytes_written,
        run_started_s=started_s,
        cap_s=prepared.plan.cap_s,
        ends_s=None if status.ends_s is None else status.ends_s - zero_s,
        step=status.index,
        step_opened_s=status.opened_s - zero_s,
        step_closes_s=None if status.closes_s is None else status.closes_s - zero_s,
        steps=run.steps(),
        stage=replace(
            stage,
            opened_s=stage.opened_s - zero_s,
            closes_s=None if stage.closes_s is None else stage.closes_s - zero_s,
        ),
    )
