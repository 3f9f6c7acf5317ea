"""A corpus as examples: labels by a target, each trial's inputs as a model wants them, what was left out.

    corpus = open_corpus("hku956", folder, "valence")
    found = examples_of(corpus, make("rtcag").spec, "valence", ArrayCache())
    found.examples, found.left_out

Targets are `valence` and `arousal` (low, high), and of emolab's own studies `state` (five), `group` (three).
High begins at each subject's own threshold (`by="own"`), found from all that it rated; at the middle of the
scale with `by="fixed"`; `by="corpus"` takes the classes that HKU956 gives and leaves its neutral ones out.
Music comes from a table, the corpus's own or one given; `clip_music` makes one of clips.
Of a public corpus each trial is decomposed as it was stored, and the cache keeps that; of our own studies
each recording as a whole, as for a prediction, and nothing is kept outside the study (`recorded`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError, DataError
from emolab.core.registry import resolve
from emolab.datasets import DATASETS
from emolab.datasets.cache import ArrayCache
from emolab.datasets.dataset import Dataset, LeftOut, Trial
from emolab.datasets.rated import RatedCorpus
from emolab.datasets.reasons import by_reason
from emolab.datasets.sessions import Sessions
from emolab.datasets.thresholds import AXES
from emolab.models.classifier import Input, Spec
from emolab.models.eda_inputs import IMAGE_FROM_S, SignalImages
from emolab.models.examples import Examples, Rows, whole_trials
from emolab.signals.audio_features import FeatureTable
from emolab.training import trial_inputs
from emolab.training.corpus_labels import FACTS, By, Facts, Labelled, Labels, check_target, labels_of
from emolab.training.fewer_people import drawn
from emolab.training.recorded import Recordings
from emolab.training.trial_inputs import Skin, Variant

STUDY = "study"
OF_PARTS = {
    f"eda_{component}_{word}": (component, taken)
    for component in get_args(trial_inputs.Component)
    for word, taken in (
        ("features", trial_inputs.component_figures_of),
        ("waveform", trial_inputs.component_waveform_of),
    )
}


@dataclass(frozen=True)
class Found:
    """Examples out of a corpus, and the account of the trials that are not among them.

    `how`: corpus, target, labels and variant, in words that JSON can hold; whether the labels come of what
    each participant said (`is_own`), or of a song's means; and which of the participants have their threshold
    from the others (`population`, names in order); of trials left out that have a label, how many are of
    which class (`lost`); of a study of our own, what the headers of each participant's recordings call it
    (`studies`), and which trials are of simulated participants (`simulated`, keys in order); of how many
    participants how many were drawn (`people`: `of` and `drawn`), None where nobody was.
    """

    examples: Examples
    left_out: tuple[LeftOut, ...]
    how: dict[str, Any] = field(default_factory=dict)

    def account(self, root: Path) -> dict[str, Any]:
        """What was left out, in numbers: `n` `of` how many, how many for each reason (`why`, the commonest
        first) and of each class (`of_class`).

        A recording that cannot be read counts once. Paths are told as in the folder `root`. Reasons that
        differ by names or numbers are one, with `…` for what differs.
        """
        lost = self.how.get("lost", {})
        return {
            "n": len(self.left_out),
            "of": len(self.left_out) + len(self.examples),
            "why": {why: len(keys) for why, keys in by_reason(self.left_out, root).items()},
            "of_class": {name: lost.get(name, 0) for name in self.examples.classes},
        }


@dataclass(frozen=True)
class _Asked:
    """What is asked of each trial."""

    dataset: Any
    facts: Facts | None
    cache: ArrayCache
    variant: Variant
    music: FeatureTable | None
    recordings: Recordings | None


@dataclass(frozen=True, eq=False)
class _Part:
    """A trial's skin conductance. `channels` decomposes it; `cache` is None where nothing may be kept."""

    skin: Skin
    channels: Callable[[], NDArray[np.float64]]
    cache: ArrayCache | None


def open_corpus(name: str, folder: Path, target: str, by: By = "own", **more: Any) -> Dataset:
    """The corpus registered as `name`, or with `study` one of our own, opened for a target.

    `by`: what its labels are to be, so that nobody's own threshold is asked for where none is needed. Raises
    `ConfigError` for an unknown name, or a target that the corpus does not have.
    """
    check_target(target)
    if name == STUDY:
        if target in AXES:
            raise ConfigError(
                f"in a study of our own nobody rated {target}; take the target 'state' or 'group'"
            )
        return Sessions(folder, "state" if target == "state" else "group")
    kind = resolve({key: DATASETS[key] for key in DATASETS if key != "fer2013"}, name, "corpus")
    if target not in AXES:
        raise ConfigError(f"{name} has no target {target!r}; it has {' and '.join(AXES)}")
    if not issubclass(kind, RatedCorpus):
        given: Dataset = kind(folder, **more)
        return given
    if by == "fixed":
        more["threshold"] = FACTS[kind.spec.name].middle
    rated: Dataset = kind(folder, target, **more)
    return rated


def examples_of(
    dataset: Dataset,
    spec: Spec,
    target: str,
    cache: ArrayCache,
    variant: Variant = "reference",
    *,
    by: By = "own",
    music: FeatureTable | None = None,
    people: tuple[int | float, int] | None = None,
    on_trial: Callable[[int, int], None] | None = None,
) -> Found:
    """Every usable trial of a corpus as `spec.inputs` want it, and why others are left out.

    `cache`: keeps what was decomposed of public corpora. `music`: takes the place of the corpus's own table.
    `people`: only so many participants, or that share, drawn by a seed; labels are as they are among all, and
    trials of the others count as not there. `on_trial`: told how many of how many trials are done. Raises
    `ConfigError` for a target or labels that the corpus does not have, `DataError` when no trial can be used.
    """
    check_target(target)
    left_out = {one.key: one for one in getattr(dataset, "left_out", ())}
    labels = labels_of(dataset, target, by)
    recordings = Recordings(dataset) if isinstance(dataset, Sessions) else None
    asked = _Asked(dataset, FACTS.get(dataset.spec.name), cache, variant, music, recordings)
    refs = [ref for ref in dataset.trials() if ref.key not in left_out]
    draw = None
    if people is not None:
        everybody = {ref.subject for ref in refs if ref.subject is not None}
        who = drawn(everybody, *people)
        refs = [ref for ref in refs if ref.subject in who]
        left_out = {key: one for key, one in left_out.items() if _is_of(dataset, key, who)}
        draw = {"of": len(everybody), "drawn": len(who)}
    kept: list[Labelled] = []
    rows: list[list[Any]] = []
    skins: list[Skin] = []
    for number, ref in enumerate(refs, 1):
        try:
            one = labels.by_key[ref.key]
            if isinstance(one, str):
                raise DataError(one)
            trial = dataset.load(ref)
            part = _part(trial, asked)
            rows.append(list(_inputs(trial, part, one, spec, asked)))
        except DataError as error:
            left_out[ref.key] = LeftOut(ref.key, str(error))
        else:
            kept.append(one)
            skins.append(part.skin)
        if on_trial is not None:
            on_trial(number, len(refs))
    if not kept:
        first = next(iter(left_out.values()), None)
        why = f"; the first is left out because {first.why}" if first else ""
        raise DataError(f"{dataset.spec.name} has no trial that can be used for {spec.name}{why}")
    inputs = tuple(_together(one, [row[k] for row in rows], skins) for k, one in enumerate(spec.inputs))
    examples = _examples(inputs, kept, skins, labels.classes)
    how = {
        "corpus": dataset.spec.name,
        "target": target,
        "labels": by,
        "variant": variant,
        "is_own": labels.is_own,
        "population": sorted({one.subject for one in kept} & labels.population),
        "studies": dataset.studies() if isinstance(dataset, Sessions) else {},
        "lost": dict(_lost(left_out, labels)),
        "simulated": sorted(dataset.simulated()) if isinstance(dataset, Sessions) else [],
        "people": draw,
    }
    return Found(examples, tuple(left_out.values()), how)


def _examples(
    inputs: tuple[Rows, ...], kept: list[Labelled], skins: list[Skin], classes: tuple[str, ...]
) -> Examples:
    return whole_trials(
        inputs,
        [one.label for one in kept],
        classes,
        [one.subject for one in kept],
        [one.song for one in kept],
        [one.key for one in kept],
        [skin.length_s for skin in skins],
        [one.ratings for one in kept],
    )


def _is_of(dataset: Any, key: str, who: frozenset[str]) -> bool:
    """Is a trial that was left out one of theirs? A recording that nobody could read may be anyone's."""
    whose = dataset.whose(key)
    return whose is None or whose in who


def _lost(keys: Iterable[str], labels: Labels) -> Counter[str]:
    """How many of some trials are of which class."""
    known = (labels.by_key.get(key) for key in keys)
    return Counter(labels.classes[one.label] for one in known if isinstance(one, Labelled))


def _part(trial: Trial, asked: _Asked) -> _Part:
    if asked.recordings is not None:
        whole, heard = asked.recordings.of(trial.ref), asked.dataset.one(trial.ref).playing
        own = whole.window(heard.start_s, heard.end_s)
        return _Part(own, lambda: whole.channels(heard.start_s, heard.end_s), None)
    assert asked.facts is not None
    arrays: dict[str, Any] = trial.arrays
    rest = arrays.get("rest", np.zeros(0))
    values = np.concatenate([rest, arrays["eda"]]).astype(np.float64)
    skin = Skin(values, asked.facts.rate_hz, len(rest))
    return _Part(skin, lambda: trial_inputs.channels_of(skin, asked.cache), asked.cache)


def _inputs(trial: Trial, part: _Part, one: Labelled, spec: Spec, asked: _Asked) -> Iterator[Any]:
    """What goes in, input by input; of a signal image only what it is drawn from."""
    for wanted in spec.inputs:
        if wanted.modality == "music":
            yield _music(trial, one, wanted, asked)
        elif wanted.modality == "eda_features":
            yield trial_inputs.figures_of(part.skin, part.cache, asked.variant).astype(np.float32)
        elif wanted.modality in OF_PARTS:
            component, taken = OF_PARTS[wanted.modality]
            yield taken(part.skin, part.channels(), component).astype(np.float32)
        elif wanted.modality == "eda":
            row, rows = (asked.facts.row, asked.facts.rows) if asked.facts else (None, None)
            yield trial_inputs.networks_input(wanted, part.skin, part.channels(), asked.variant, row, rows)
        else:
            raise ConfigError(f"{spec.name} wants {wanted.modality!r}, which no corpus is read for")


def _music(trial: Trial, one: Labelled, wanted: Input, asked: _Asked) -> NDArray[np.float32]:
    if asked.music is not None:
        found = asked.music.rows([one.song])[0]
    elif "music" in trial.arrays:
        found = np.asarray(trial.arrays["music"], np.float64)
    else:
        raise DataError(
            f"no figures of the music of {one.song} are there; give a table of them, or a folder "
            "with the clips, with --music"
        )
    if found.shape != wanted.shape:
        raise DataError(f"the table of music has {len(found)} figures a song, not {wanted.shape[0]}")
    return found.astype(np.float32)


def _together(wanted: Input, parts: list[Any], skins: list[Skin]) -> Rows:
    if wanted.modality == "eda" and len(wanted.shape) == 3:
        return SignalImages(parts, [skin.rate_hz for skin in skins], IMAGE_FROM_S + skins[0].lead_s)
    return np.stack(parts)
