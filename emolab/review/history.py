"""Acts in words: what an analyst did to a label, as the history tells it."""

from __future__ import annotations

from emolab.recording.label_ledger import Act
from emolab.recording.labels import Change, TimedLabel


def told(act: Act) -> str:
    """One act as a clause: `neutral → less negative at 07:42, "frown throughout"`."""
    verb = {"edit": "", "undo": f"undid act {act.of}: ", "redo": f"did act {act.of} again: "}[act.do]
    if len(act.changes) == 2 and act.changes[0].before and act.changes[0].after and not act.changes[1].before:
        what = f"split {name_of(act.changes[0].before)} at {moment(act.changes[0].after.end_s)}"
    elif len(act.changes) > 2:
        added = sum(change.before is None for change in act.changes)
        what = f"{len(act.changes)} labels {'added' if added == len(act.changes) else 'changed'}"
    else:
        what = "; ".join(_change(change) for change in act.changes) or "the same labels again"
    why = f", “{act.why}”" if act.why else ""
    return f"{verb}{what}{why}"


def moment(time_s: float) -> str:
    """`07:42.3` of the session."""
    tenths = round(max(time_s, 0.0) * 10)
    minutes, rest = divmod(tenths, 600)
    return f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"


def _change(change: Change) -> str:
    before, after = change.before, change.after
    if before is None and after is not None:
        return f"{name_of(after)} {_where(after)}"
    if before is not None and after is None:
        return f"removed {name_of(before)} {_where(before)}"
    assert before is not None and after is not None
    if name_of(before) != name_of(after):
        return f"{name_of(before)} → {name_of(after)} {_where(after)}"
    if (before.start_s, before.end_s) != (after.start_s, after.end_s):
        return f"{name_of(after)} now {moment(after.start_s)} to {moment(after.end_s)}"
    if before.note != after.note:
        return f"note on {name_of(after)} {_where(after)}"
    return f"changed {name_of(after)} {_where(after)}"


def _where(label: TimedLabel) -> str:
    return f"at {moment(label.start_s)}"


def name_of(label: TimedLabel) -> str:
    """What a label says, shortest first: state and word, valence and arousal, tags, a trace."""
    parts = []
    if label.state:
        parts.append(label.state.replace("_", " ") + (f" ({label.word})" if label.word else ""))
    if label.valence is not None or label.arousal is not None:
        numbers = (label.valence, label.arousal)
        parts.append(
            " ".join(
                f"{sign} {value:+.1f}".replace("-", "−")
                for sign, value in zip("VA", numbers, strict=True)
                if value is not None
            )
        )
    if label.trace:
        parts.append(f"trace of {len(label.trace)} points")
    parts += [f"#{tag}" for tag in label.tags]
    if not parts and label.note:
        parts.append(f"“{label.note}”")
    return ", ".join(parts) or "a moment without words"
