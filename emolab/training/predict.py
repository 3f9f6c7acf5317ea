"""A classifier over a whole session: what it says of each clip, or of windows of a stated length and hop.

    model = open_model(Path("runs/rtcag"))              # a run, a classifier's folder, or `default`
    found = predict(Path("STUDY/P014/P014_session-0.h5"), model)
    [(guess.said.clip, guess.said.state, guess.confidence) for guess in found.guesses]

Skin conductance is decomposed once, whole, and cut afterwards (see `recorded`); hand-crafted figures are of
their window, as they were when the model learnt. Where half of a window cannot be used, or it is too short or
flat, the guess is `unknown` and says why. Nothing is written here: the lane is written by who has asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError, DataError, EmolabError, ModelError
from emolab.core.label import PredictedLabel
from emolab.datasets.sessions import line
from emolab.models.classifier import Input
from emolab.models.eda_inputs import IMAGE_FROM_S, SignalImages
from emolab.models.examples import Rows, taken
from emolab.recording.predicted import UNKNOWN, Guess
from emolab.recording.reader import Session
from emolab.recording.recover import is_growing
from emolab.recording.trials import BASELINE, trials
from emolab.signals.audio_features import FeatureTable
from emolab.signals.eda.conductance import Conductance
from emolab.signals.eda.features import SHORTEST_S, hand_crafted
from emolab.training import looked, trial_inputs
from emolab.training.opened import Model
from emolab.training.recorded import Recorded, even
from emolab.training.trial_inputs import FIGURES_HZ, Skin

SHORTEST_WINDOW_S = SHORTEST_S  # what the figures need; curves need 8 s, pictures 20
LEAST_HOP_S = 0.5
MOST_WINDOWS = 20_000
AT_ONCE = 256  # windows between two looks at whether to stop

Progress = Callable[[int, str], None]  # percent, what is done now
Array = NDArray[Any]


class Cancelled(EmolabError):
    """Somebody wanted it to stop; nothing was written."""


@dataclass(frozen=True)
class Stretch:
    """What is judged at once, on the session clock; `clip`: heard throughout it, None for none."""

    start_s: float
    end_s: float
    clip: str | None = None


@dataclass(frozen=True)
class Prediction:
    """All guesses of a session, in order of time. `window_s`, `hop_s`: 0 where each clip is a window.

    `in_training`: the participant is one of those the model has learnt from, None where that is not known.
    `damage`: what of the recording cannot be read.
    """

    session: Path
    model: Model
    participant: str
    window_s: float
    hop_s: float
    guesses: tuple[Guess, ...]
    in_training: bool | None = None
    damage: tuple[str, ...] = field(default=())

    @property
    def windows(self) -> str:
        """How the session was cut, in words."""
        if not self.window_s:
            return "clips as windows"
        return f"windows of {self.window_s:g} s every {self.hop_s:g} s"


def predict(
    path: Path,
    model: Model,
    *,
    window_s: float = 0.0,
    hop_s: float = 0.0,
    music: FeatureTable | None = None,
    progress: Progress = lambda percent, what: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Prediction:
    """Let a model judge a recording. `window_s`, `hop_s`: 0 for clips as windows. `music`: figures by clip.

    Raises as `Session.open`, `Cancelled`, `DataError` where there is no skin conductance, no clip, or the
    figures of the music that the model needs are not there, `ConfigError` for windows that are none,
    `ModelError` where its weights give no numbers.
    """
    _check_windows(window_s, hop_s)
    progress(0, "reading the recording")
    with Session.open(path) as session:
        events, lost = session.sound_events()
        participant, is_whole = session.header.participant, session.finished
        study = session.header.study
        last_s, unread = session.last_s()
        skin = skin_of(session)
    end_s = max([last_s, *(event.time_s for event in events)])
    heard = [one for one in trials(events, end_s) if one.clip != BASELINE]
    clips = [Stretch(one.start_s, one.end_s, one.clip) for one in heard]
    if window_s:
        every = sliding(float(skin.times_s[0]), float(skin.times_s[-1]), window_s, hop_s, clips)
    else:
        every = clips
    if not every:
        why = "is shorter than one window" if window_s else "heard no clip; judge windows with --window"
        raise DataError(f"the participant of {path} {why}" if not window_s else f"{path} {why}")
    check_music(model, every, music)
    looks = ceil(window_s / hop_s) if window_s else 1  # once at each moment, where windows overlap
    found = judge(model, skin, every, music=music, looks=looks, progress=progress, cancelled=cancelled)
    damage = [f"{lost} events are damaged and left out"] if lost else []
    if unread:
        damage.append(f"of {', '.join(unread)} not even the times can be read; they are not needed here")
    if not is_whole:
        state = "it is still being recorded" if is_growing(path) else "the recording was not closed in order"
        damage.append(f"{state}; it is judged as far as it goes")
    return Prediction(
        path,
        model,
        participant,
        window_s,
        hop_s,
        found,
        model.known.learnt_from(path, participant, study),
        tuple(damage),
    )


def skin_of(session: Session) -> Conductance:
    """The skin conductance of a whole recording on an even grid. Raises `DataError` where there is none."""
    found = line(session, "eda")
    if found is None:
        raise DataError(f"{session.path} has no skin conductance, which the model needs")
    return even(found)


def sliding(
    begin_s: float, end_s: float, window_s: float, hop_s: float, clips: Sequence[Stretch] = ()
) -> list[Stretch]:
    """Windows from `begin_s` on; a window that lies within a clip bears its name."""
    _check_windows(window_s, hop_s)
    count = int((end_s - begin_s - window_s) / hop_s + 1e-9) + 1 if end_s - begin_s >= window_s else 0
    if count > MOST_WINDOWS:
        raise ConfigError(f"{count} windows are too many to look at; take a longer hop than {hop_s:g} s")
    found = []
    for k in range(count):
        start_s = begin_s + k * hop_s
        stop_s = start_s + window_s
        clip = next((one.clip for one in clips if one.start_s <= start_s and stop_s <= one.end_s), None)
        found.append(Stretch(start_s, stop_s, clip))
    return found


def check_music(model: Model, every: Sequence[Stretch], music: FeatureTable | None) -> None:
    """Raise `DataError` where a model needs figures of music that are not there."""
    if all(one.modality != "music" for one in model.classifier.spec.inputs):
        return
    if music is None:
        raise DataError(
            f"{model.name} also listens to the music, whose figures are not there; give --music with a table "
            "of them, or a folder with the clips, or take a model of skin conductance alone"
        )
    missing = sorted({one.clip for one in every if one.clip} - set(music.ids))
    if missing:
        few = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise DataError(f"the figures of the music lack {few}; make a table of all clips that were heard")


def judge(
    model: Model,
    skin: Conductance,
    every: Sequence[Stretch],
    *,
    music: FeatureTable | None = None,
    looks: int = 1,
    progress: Progress = lambda percent, what: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Guess, ...]:
    """What a model says of each stretch. `looks`: at every how many-th a network tells where; 0 for none."""
    progress(10, "cutting windows")
    cut = _Cut(model, Recorded(skin), music)
    guesses: list[Guess] = []
    for at in range(0, len(every), AT_ONCE):
        if cancelled():
            raise Cancelled("stopped before all windows were judged; nothing was written")
        which = [looks > 0 and k % looks == 0 for k in range(at, min(at + AT_ONCE, len(every)))]
        guesses += _judged(model, cut, every[at : at + AT_ONCE], which)
        progress(10 + 90 * len(guesses) // len(every), f"{len(guesses)} of {len(every)} windows")
    return tuple(guesses)


@dataclass(frozen=True)
class _Cut:
    """What windows are cut from."""

    model: Model
    whole: Recorded
    music: FeatureTable | None

    def part(self, wanted: Input, one: Stretch, own: Skin) -> Array:
        """One input of a window; of figures the samples they are of, since those are read many at a time."""
        if wanted.modality == "music":
            if one.clip is None or self.music is None:
                raise DataError("no clip was heard throughout it, whose music the model needs")
            return self.music.rows([one.clip])[0].astype(np.float32)
        if wanted.modality == "eda_features":
            return trial_inputs.at_50_hz(own.values, own.rate_hz)
        if wanted.modality != "eda":
            raise ConfigError(
                f"{self.model.name} wants {wanted.modality!r}, which no session is read for; take another"
            )
        channels = self.whole.channels(one.start_s, one.end_s)
        return trial_inputs.networks_input(wanted, own, channels, self.model.known.variant)


def _judged(model: Model, cut: _Cut, every: Sequence[Stretch], looks: Sequence[bool]) -> list[Guess]:
    wanted = model.classifier.spec.inputs
    skin = cut.whole.skin
    shares = [skin.good_share(one.start_s, one.end_s) for one in every]
    nothing = PredictedLabel(None, UNKNOWN, (), model.name)
    found = [
        Guess(one.start_s, one.end_s, replace(nothing, clip=one.clip), (), share)
        for one, share in zip(every, shares, strict=True)
    ]
    kept, parts = [], []
    for at, one in enumerate(every):
        try:
            own = cut.whole.window(one.start_s, one.end_s)
            parts.append([cut.part(what, one, own) for what in wanted])
            kept.append(at)
        except DataError as error:
            found[at] = replace(found[at], why=str(error))
    if not kept:
        return found
    inputs = [
        _together(what, [part[k] for part in parts], skin.rate_hz, model) for k, what in enumerate(wanted)
    ]
    likely = model.classifier.predict_proba(inputs)
    if not np.isfinite(likely).all():
        raise ModelError(f"{model.known.folder} gives no numbers, its weights are lost; train it again")
    heats = _heats(model, inputs, np.flatnonzero([looks[at] for at in kept]))
    for row, at in enumerate(kept):
        said = PredictedLabel(
            every[at].clip,
            model.classes[int(likely[row].argmax())],
            tuple(float(p) for p in likely[row]),
            model.name,
        )
        heat = _over(heats[row], model, every[at], _reach_s(skin, every[at])) if row in heats else ()
        found[at] = replace(found[at], said=said, classes=model.classes, heat=heat)
    return found


def _heats(model: Model, inputs: Sequence[Rows], rows: NDArray[np.intp]) -> dict[int, Array]:
    """Where the network looked, of some rows; empty for models that do not tell."""
    if not len(rows):
        return {}
    found = looked.heats(model.classifier, [taken(one, rows) for one in inputs])
    return {} if found is None else dict(zip(rows.tolist(), found, strict=True))


def _reach_s(skin: Conductance, one: Stretch) -> tuple[float, float]:
    """From when to when there is skin conductance in a stretch: it may begin later, or end before."""
    first, last = skin.rows(one.start_s, one.end_s)
    return skin.start_s + first / skin.rate_hz, skin.start_s + last / skin.rate_hz


def _over(heat: Array, model: Model, one: Stretch, reach_s: tuple[float, float]) -> tuple[float, ...]:
    """A heat over a whole stretch: 0 where there was nothing to see, and in the seconds it does not see."""
    from_s, to_s = reach_s[0] + model.unseen_s, reach_s[1]
    each_s = max(to_s - from_s, 1e-9) / len(heat)
    before, after = (max(round(gap_s / each_s), 0) for gap_s in (from_s - one.start_s, one.end_s - to_s))
    return (0.0,) * before + tuple(float(value) for value in heat) + (0.0,) * after


def _together(wanted: Input, parts: list[Array], rate_hz: float, model: Model) -> Any:
    if wanted.modality == "eda_features":
        return _figures(parts, model)
    if wanted.modality == "eda" and len(wanted.shape) == 3:
        return SignalImages(parts, [rate_hz] * len(parts), IMAGE_FROM_S)
    return np.stack(parts)


def _figures(windows: list[Array], model: Model) -> NDArray[np.float32]:
    """The 128 figures of each window; those of one length together."""
    found: dict[int, Array] = {}
    lengths = np.array([len(one) for one in windows])
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        figures = hand_crafted(np.stack([windows[row] for row in rows]), FIGURES_HZ, model.known.variant)
        found |= dict(zip(rows.tolist(), figures, strict=True))
    return np.stack([found[row] for row in range(len(windows))]).astype(np.float32)


def _check_windows(window_s: float, hop_s: float) -> None:
    if not window_s and not hop_s:
        return
    if not window_s:
        raise ConfigError(f"--hop {hop_s:g} needs --window, which is the length of a window in seconds")
    if not (SHORTEST_WINDOW_S <= window_s < np.inf and LEAST_HOP_S <= hop_s < np.inf):
        raise ConfigError(
            f"windows of {window_s:g} s every {hop_s:g} s are none; give --window of {SHORTEST_WINDOW_S:g} s "
            f"or more and --hop of {LEAST_HOP_S:g} s or more"
        )
