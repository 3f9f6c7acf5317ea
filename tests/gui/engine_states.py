"""Every state an engine can be in, as the snapshot a window would get of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from emolab.core.label import STATES
from emolab.session.snapshot import (
    CheckView,
    Choice,
    LogLine,
    Snapshot,
    StageView,
    StepView,
    StreamHealth,
    Timekeeping,
)

LONG_PATH = Path("/home/laboratory/studies", "folder-with-a-long-name-" * 5, "emomusic-2026-音乐诱发情绪")
RUN_STARTED_S = 60.0
REST_S, CLIP_S, REPORT_S = 300.0, 30.0, 30.0

BOARD = StreamHealth(
    name="board",
    kind="mixed",
    level="well",
    message="",
    channels=("skin", "breath", "pulse_finger", "pulse_ear"),
    kinds=("eda", "respiration", "ppg", "ppg"),
    units=("µS", "counts", "counts", "counts"),
    nominal_rate_hz=250.0,
    rate_hz=254.9,
    samples=117_254,
    age_s=0.01,
    timekeeping=Timekeeping(254.902, -12.3, 0.31, 300.0),
)
CAMERA = StreamHealth(
    name="camera",
    kind="rgb",
    level="well",
    message="",
    channels=("frame",),
    kinds=("rgb",),
    units=("",),
    nominal_rate_hz=30.0,
    rate_hz=29.97,
    samples=13_800,
    age_s=0.02,
    is_image=True,
)
THERMAL = replace(
    CAMERA,
    name="thermal",
    kind="thermal",
    kinds=("thermal",),
    units=("°C",),
    rate_hz=8.7,
    nominal_rate_hz=9.0,
)
MICROPHONE = StreamHealth(
    name="microphone",
    kind="audio",
    level="well",
    message="",
    channels=("level",),
    kinds=("audio",),
    units=("dBFS",),
    nominal_rate_hz=48_000.0,
    rate_hz=48_000.1,
    samples=22_128_000,
    age_s=0.05,
)
STREAMS = (BOARD, CAMERA, THERMAL, MICROPHONE)

ENGLISH = tuple(Choice(state.key, state.rank, state.words, state.words) for state in STATES)


def steps(trials: int = 15, now: int = -1) -> tuple[StepView, ...]:
    """The steps of an EmoMusic session; those before index `now` are done, those after wait."""
    found: list[StepView] = []
    at_s = 0.0

    def add(kind: str, name: str, duration_s: float | None, **facts: Any) -> None:
        nonlocal at_s
        index = len(found)
        status = "waiting" if now < 0 or index > now else "now" if index == now else "done"
        found.append(StepView(index, kind, name, status, at_s, duration_s, **facts))
        at_s += duration_s or 0.0

    add("instruct", "consent", None)
    add("instruct", "welcome", None)
    at_s = 0.0
    add("rest", "rest", REST_S)
    add("rate", "baseline report", REPORT_S)
    order = [STATES[i] for i in (1, 0, 2, 3, 4)]
    for trial in range(1, trials + 1):
        state = order[(trial - 1) * 5 // trials]
        facts = {
            "trial": trial,
            "clip": f"{state.words[0]}-{trial:02d}",
            "state": state.key,
            "title": f"{state.words[0].title()} no. {trial}",
        }
        add("play", f"clip {trial}", CLIP_S, **facts)
        add("rate", f"report {trial}", REPORT_S, **facts)
    add("instruct", "thanks", None)
    return tuple(found)


def step_of_trial(trial: int, kind: str = "play") -> int:
    return next(step.index for step in steps() if step.kind == kind and step.trial == trial)


LOG = (
    LogLine(12.0, "window attached on screen EXP"),
    LogLine(60.0, "rest began"),
    LogLine(361.2, "baseline: neutral (calm), 4.1 s"),
    LogLine(368.0, "clip 1 · fear-01 began, 3 ms late"),
    LogLine(398.0, "clip 1 ended"),
    LogLine(404.4, "answer 1: less negative (nervous), 6.4 s"),
    LogLine(431.0, "thermal: 4 frames lost", "look"),
    LogLine(522.0, "mark: participant coughed"),
)


def setup(**changes: Any) -> Snapshot:
    """All instruments well, nothing started."""
    return replace(
        Snapshot(
            phase="setup",
            now_s=42.0,
            study="/home/lab/emomusic-2026",
            free_bytes=412_000_000_000,
            streams=STREAMS,
            engine_pid=4711,
            screen="",
            log=LOG[:1],
        ),
        **changes,
    )


def loading() -> Snapshot:
    """Instruments opened a moment ago, no sample yet."""
    return setup(
        streams=tuple(
            replace(s, level="look", message="opening", age_s=None, samples=0, rate_hz=0.0) for s in STREAMS
        )
    )


def one_red() -> Snapshot:
    """The camera does not answer, the thermal camera sees no face."""
    camera = replace(
        CAMERA,
        level="act",
        age_s=None,
        samples=0,
        rate_hz=0.0,
        message="Camera is not answering. Check the USB cable, then Retry.",
    )
    thermal = replace(
        THERMAL, level="look", message="7 % of the frames are missing. Use another USB port.", lost=31
    )
    return setup(streams=(BOARD, camera, thermal, MICROPHONE))


CHECKS = (
    CheckView("board", "well", "board delivers 254.9 Hz, nothing lost", stream="board"),
    CheckView("board: skin", "well", "skin is at 4.2 µS", stream="board"),
    CheckView(
        "board: breath",
        "act",
        "breath lies at the upper rail of the converter for 98 % of the time",
        "Loosen the belt by one hole, and see that its plug sits firmly.",
        "board",
    ),
    CheckView("board: pulse_finger", "well", "pulse_finger shows a pulse, 72 a minute", stream="board"),
    CheckView(
        "board: pulse_ear",
        "look",
        "pulse_ear is noisy at 50 Hz",
        "Move the board away from power supplies, and unplug the laptop's.",
        "board",
    ),
    CheckView("camera", "well", "camera delivers 30.0 Hz, nothing lost", stream="camera"),
    CheckView(
        "camera: picture",
        "look",
        "the face is lit from one side",
        "Switch the left lamp on, or turn the participant's chair a little.",
        "camera",
    ),
    CheckView("thermal", "well", "thermal delivers 8.7 Hz, nothing lost", stream="thermal"),
    CheckView("thermal: picture", "well", "thermal shows a warm face", stream="thermal"),
    CheckView("microphone", "well", "microphone delivers 48000.1 Hz, nothing lost", stream="microphone"),
    CheckView("microphone: level", "well", "microphone hears the room at -52 dBFS", stream="microphone"),
    CheckView("sound output", "well", "the sound output is open and keeps up"),
    CheckView("screens", "well", "EXP 1366×768, PART 1920×1080"),
    CheckView("clock", "well", "date and clock are steady"),
    CheckView("power", "well", "nothing puts this computer to sleep during a session"),
    CheckView("disk", "well", "412.0 GB are free; a session of 20 min takes 1.9 GB"),
    CheckView("write speed", "well", "the disk takes 480 MB/s; the streams bring 1.6 MB/s"),
    CheckView("clips", "well", "all 15 clips sound as the manifest says"),
)


def checked(**changes: Any) -> Snapshot:
    """The pre-flight has found the breathing belt too tight."""
    return setup(preflight=CHECKS, **changes)


def running(trial: int = 7, **changes: Any) -> Snapshot:
    """In the clip of `trial`, 12 s in."""
    index = step_of_trial(trial)
    opened_s = RUN_STARTED_S + REST_S + 10 + (trial - 1) * 37.0
    return replace(
        Snapshot(
            phase="running",
            now_s=opened_s + 12.0,
            study="/home/lab/emomusic-2026",
            protocol="EmoMusic",
            participant="P014",
            session=1,
            path="/home/lab/emomusic-2026/P014/P014_session-1.h5",
            bytes_written=612_000_000,
            free_bytes=412_000_000_000,
            run_started_s=RUN_STARTED_S,
            cap_s=1200.0,
            ends_s=RUN_STARTED_S + 1158.0,
            step=index,
            step_opened_s=opened_s,
            step_closes_s=opened_s + CLIP_S,
            steps=steps(now=index),
            stage=StageView(page="listen", step=index, opened_s=opened_s, closes_s=opened_s + CLIP_S),
            streams=(BOARD, CAMERA, replace(THERMAL, lost=4), MICROPHONE),
            log=LOG,
            screen="PART",
            engine_pid=4711,
        ),
        **changes,
    )


def reporting(trial: int = 7) -> Snapshot:
    """The participant has chosen and not yet confirmed."""
    index = step_of_trial(trial, "rate")
    base = running(trial)
    opened_s = base.step_opened_s + CLIP_S
    stage = StageView(
        page="rate",
        step=index,
        title="How did the music make you feel?",
        opened_s=opened_s,
        closes_s=opened_s + REPORT_S,
        hint="Choose with keys 1 to 5, then Enter",
        choices=ENGLISH,
        chosen="less_positive",
        word="excited",
    )
    return replace(
        base,
        now_s=opened_s + 9.0,
        step=index,
        step_opened_s=opened_s,
        step_closes_s=opened_s + REPORT_S,
        steps=steps(now=index),
        stage=stage,
    )


def paused() -> Snapshot:
    base = reporting()
    return replace(
        base, phase="paused", step_closes_s=None, stage=StageView(page="pause", title="A short break")
    )


def holding() -> Snapshot:
    """The participant's screen was unplugged."""
    return replace(
        running(),
        phase="holding",
        screen="",
        step_closes_s=None,
        stage=StageView(page="hold", title="One moment, please."),
        message="The participant's screen (PART) is gone. Plug its cable in again; the session then goes on.",
        log=(*LOG, LogLine(661.0, "screen lost: PART", "act")),
    )


def unwell() -> Snapshot:
    """Running, and the board fell silent."""
    board = replace(
        BOARD,
        level="act",
        age_s=6.2,
        rate_hz=0.0,
        message="Board is silent for 6 s. Check the USB cable; it reconnects by itself.",
    )
    return running(streams=(board, *STREAMS[1:]), log=(*LOG, LogLine(650.0, "board: no answer", "act")))


def _summary(good: bool) -> dict[str, Any]:
    rows = []
    for health in STREAMS:
        several = len(health.channels) > 1
        lost = 0 if good or health.name != "camera" else 212
        for channel, kind in zip(health.channels, health.kinds, strict=True):
            rows.append(
                {
                    "name": f"{health.name}/{channel}" if several else health.name,
                    "kind": kind,
                    "samples": health.samples,
                    "nominal_rate_hz": health.nominal_rate_hz,
                    "true_rate_hz": health.rate_hz,
                    "first_s": 0.4,
                    "last_s": 1132.7,
                    "gaps": lost // 100,
                    "lost": lost,
                    "corrupt": lost % 7,
                }
            )
    done = 15 if good else 13
    plays = [step for step in steps() if step.kind == "play"]
    answers = [
        {
            "clip": step.clip,
            "state": step.state if good or i % 5 else None,
            "word": "calm" if good or i % 5 else None,
            "response_s": 4.2 + i * 0.3 if good or i % 5 else None,
        }
        for i, step in enumerate(plays[:done])
    ]
    reasons = (
        []
        if good
        else [
            "camera lost 212 frames in 2 gaps",
            "2 clips were skipped: the cap of 20 minutes",
            "3 answers are missing",
        ]
    )
    return {
        "file": "/home/lab/emomusic-2026/P014/P014_session-1.h5",
        "complete": True,
        "duration_s": 1132.7,
        "streams": rows,
        "trials": {"planned": 15, "done": done, "skipped": 15 - done},
        "answers": answers,
        "verdict": "good" if good else "look",
        "reasons": reasons,
    }


def finished(good: bool = True) -> Snapshot:
    last = len(steps())
    return running(
        15,
        phase="finished",
        step=last,
        now_s=RUN_STARTED_S + 1132.7,
        step_closes_s=None,
        steps=steps(now=last),
        stage=StageView(page="thanks", title="Thank you", text="That was all."),
        summary=_summary(good),
        bytes_written=1_240_000_000,
    )


def failed() -> Snapshot:
    return running(
        phase="failed",
        message="The disk is full. What was recorded until 07:02 is kept; make room and start again.",
    )


def long_names() -> Snapshot:
    """Three boards, the longest pseudonym, Chinese titles and long messages: nothing may break."""
    boards = tuple(replace(BOARD, name=f"physiology-board-number-{n}", lost=1_234_567) for n in (1, 2, 3))
    silent = "physiology-board-number-2 has been silent for 1234 s. Check its cable and its power supply, "
    boards = (
        boards[0],
        replace(boards[1], level="act", message=silent + "try another port, then Retry."),
        boards[2],
    )
    return running(
        participant="Participant-0123456789-ABCDEFGHI",
        protocol="EmoMusic 音乐诱发情绪的多模态生理信号采集实验方案（完整版）",
        streams=(*boards, CAMERA, THERMAL, MICROPHONE),
        log=(*LOG, LogLine(655.0, "note: 参与者说耳机有点紧，调整之后继续；" * 3, "look")),
    )


ALL = {
    "setup": setup,
    "loading": loading,
    "one_red": one_red,
    "running": running,
    "reporting": reporting,
    "paused": paused,
    "holding": holding,
    "unwell": unwell,
    "finished_well": finished,
    "finished_badly": lambda: finished(False),
    "failed": failed,
}
