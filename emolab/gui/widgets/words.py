"""Numbers as the experimenter reads them: clock times, sizes, rates, and the word for each phase."""

from __future__ import annotations

from emolab.session.snapshot import Phase, Snapshot, StepView, StreamHealth

PHASE_WORDS: dict[Phase, str] = {
    "setup": "setting up",
    "running": "running",
    "pausing": "pausing at the next step",
    "paused": "paused",
    "holding": "holding",
    "finished": "finished",
    "failed": "failed",
}
STEP_WORDS = {
    "instruct": "instruction",
    "rest": "rest",
    "play": "clip",
    "rate": "report",
    "pause": "wash-out",
    "mark": "mark",
}


def clock(seconds: float | None) -> str:
    """`07:42`, or `1:02:03` from an hour on; `--:--` when not known. Negative counts as zero."""
    if seconds is None:
        return "--:--"
    whole = max(int(seconds), 0)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes:02d}:{whole % 60:02d}"


def countdown(seconds: float | None) -> str:
    """`18 s` under a minute and a half, `4:12` above; rounded up so that it ends on `0 s`."""
    if seconds is None:
        return ""
    left = max(-int(-seconds // 1), 0)
    return f"{left} s" if left < 90 else f"{left // 60}:{left % 60:02d}"


def size(bytes_: int) -> str:
    """`1.2 GB`: three figures at most, powers of ten as disks are sold."""
    value, unit = float(bytes_), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def rate(hertz: float | None) -> str:
    """`254.9 Hz`, `48.0 kHz`, or a dash before anything arrived."""
    if not hertz:
        return "– Hz"
    return f"{hertz / 1000:.1f} kHz" if hertz >= 10_000 else f"{hertz:.1f} Hz"


def drift(stream: StreamHealth) -> str:
    """`+80 ppm`, where the device tells its own clock; empty where it does not."""
    found = stream.timekeeping
    return "" if found is None or found.drift_ppm is None else f"{found.drift_ppm:+.0f} ppm".replace("-", "−")


def timekeeping(stream: StreamHealth) -> str:
    """What a fit over the last minutes says of a device's clock; empty before there is one."""
    found = stream.timekeeping
    if found is None:
        return ""
    off = f", its clock off by {drift(stream)}" if drift(stream) else ""
    return (
        f"True rate {found.rate_hz:.3f} Hz{off}, jitter of its times {found.jitter_ms:.2f} ms; "
        f"of the last {countdown(found.over_s)}"
    )


def counted(number: int, thing: str) -> str:
    """`1 clip`, `15 clips`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def state_name(key: str) -> str:
    """`less positive` for `less_positive`."""
    return key.replace("_", " ")


def elapsed_s(snapshot: Snapshot) -> float | None:
    """Seconds since the rest began, what the cap counts; None before."""
    return None if snapshot.run_started_s is None else snapshot.now_s - snapshot.run_started_s


def step_left_s(snapshot: Snapshot) -> float | None:
    """Seconds until the current step ends by itself; None when it waits for somebody."""
    return None if snapshot.step_closes_s is None else max(snapshot.step_closes_s - snapshot.now_s, 0.0)


def trials(snapshot: Snapshot) -> int:
    """Clips planned in this session."""
    return sum(step.kind == "play" for step in snapshot.steps)


def current_step(snapshot: Snapshot) -> StepView | None:
    """The step that runs now."""
    return next((step for step in snapshot.steps if step.index == snapshot.step), None)


def next_step(snapshot: Snapshot) -> StepView | None:
    """The step that follows the current one."""
    return next((step for step in snapshot.steps if step.index > snapshot.step), None)


def step_name(step: StepView, total: int) -> str:
    """`clip 7 of 15 · less positive`, `report 7 of 15`, or the step's own name."""
    if not step.trial:
        return step.name or STEP_WORDS.get(step.kind, step.kind)
    name = f"{STEP_WORDS.get(step.kind, step.kind)} {step.trial} of {total}"
    return f"{name} · {state_name(step.state)}" if step.kind == "play" and step.state else name
