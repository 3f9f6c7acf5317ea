"""emolab's own studies as a corpus: a trial is a clip heard by a participant who then reported a state.

    corpus = Sessions(Path("study"))             # labels: the five states; by="group": the three groups
    trial = corpus.load(corpus.trials()[0])
    trial.arrays["eda"], trial.arrays["eda_times_s"], trial.arrays["eda_rate_hz"]     # (n,), (n,), (1,)
    corpus.whole(trial.ref).values                # (n,): of the whole recording

Read are the recordings `STUDY/P014/P014_session-0.h5`, also those in which a session went on, and rehearsed
ones. Times are seconds from the clip's onset, as each sample was taken; the rate is that measured over the
recording, pauses left out. A clip that was skipped, broken off or not reported on is left out, and told; so
is a recording that cannot be read, that is a copy of another, or that bears the name of another. `P001` and
`p001` are one participant, called as in the first of their recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, RecordingError, shown
from emolab.core.label import state
from emolab.datasets.dataset import Account, LeftOut, Spec, Trial, TrialRef
from emolab.recording import converter
from emolab.recording.copies import Identity, copies, identity, is_at_home
from emolab.recording.reader import Session
from emolab.recording.trials import BASELINE, trials
from emolab.recording.trials import Trial as Playing

KINDS = ("eda", "ppg", "respiration")
PREFERRED = {"ppg": "ear"}  # in a channel's name, where a kind has several
FEWEST = 2  # samples of a trial
PAUSE = 20.0  # mean steps: what lasts longer is no step
By = Literal["state", "group"]


class Line(NamedTuple):
    """A channel of a whole recording; `known` of it, by name: its unit, its converter."""

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    known: dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Recording:
    """Which recording it is, whose, what its header calls the study, and what was heard in it."""

    identity: Identity
    participant: str
    study: str
    playings: tuple[Playing, ...]
    is_simulated: bool


@dataclass(frozen=True)
class Heard:
    """A clip heard: by whom, in which recording, and what the recording knows of it."""

    participant: str
    recording: Path
    playing: Playing
    study: str = ""  # as the recording's header names it
    is_simulated: bool = False


class Sessions:
    """The study in `folder`; labels `by` state or by group of states."""

    spec = Spec(
        name="emolab study",
        citation="the study's own",
        licence="as the participants consented",
        where="recorded with emolab, or rehearsed: emolab rehearse",
    )

    def __init__(self, folder: Path, by: By = "state") -> None:
        if by not in ("state", "group"):
            raise DataError(f"{shown(by)} is no label of a study; known are state and group")
        self.place = Path(folder)
        self.by: By = by
        self._recordings = _recordings(self.place)
        self._heard: dict[str, Heard] | None = None
        self._left_out = Account(str(self.place))
        self._whose: dict[str, str] = {}
        self._open: tuple[Path, dict[str, Line]] | None = None

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What cannot be used, as far as it was looked at."""
        self.heard()
        return self._left_out.every()

    def whose(self, key: str) -> str | None:
        """The participant of a trial, also of one left out; None of recordings that may be anyone's."""
        self.heard()
        return self._whose.get(key)

    def heard(self) -> Mapping[str, Heard]:
        """Every clip heard to its end and reported on, by its trial's key: `P014_session-0/03_joy-2`."""
        if self._heard is None:
            self._heard = {}
            read = self._read()
            twice = copies([(path, [one.identity]) for path, one in read.items()])
            names: dict[str, Path] = {}
            for path in sorted(read, key=lambda path: not is_at_home(path, read[path].identity)):
                if path not in twice:
                    names.setdefault(path.stem, path)
            spelt: dict[str, str] = {}  # capitals make nobody another participant
            for path, one in read.items():
                key = f"{path.parent.name}/{path.stem}"
                who = spelt.setdefault(one.participant.casefold(), one.participant)
                self._whose[key] = who
                if (other := twice.get(path)) is not None:
                    self._left_out.leave_out(key, f"{path} is a copy of {other}")
                elif (other := names[path.stem]) != path:
                    self._left_out.leave_out(key, f"{path} is another recording of the same name as {other}")
                else:
                    self._heard |= self._of(path, one, who)
            for path in (path for path in self._recordings if path not in read):
                # its folder is named after somebody
                if (named := spelt.get(path.parent.name.casefold())) is not None:
                    self._whose[path.stem] = named
        return self._heard

    def _read(self) -> dict[Path, Recording]:
        """Every recording that can be read."""
        read = {}
        for path in self._recordings:
            try:
                read[path] = _recording(path)
            except (RecordingError, DataError) as error:
                self._left_out.leave_out(path.stem, str(error))
        return read

    def trials(self) -> Sequence[TrialRef]:
        """One per clip that can be used, labelled with what the participant said."""
        return [
            TrialRef(key, one.participant, self._label(one))
            for key, one in self.heard().items()
            if key not in self._left_out
        ]

    def studies(self) -> dict[str, list[str]]:
        """By participant, the names by which the headers of their recordings call the study."""
        found: dict[str, set[str]] = {}
        for one in self.heard().values():
            found.setdefault(one.participant, set()).add(one.study)
        return {who: sorted(names) for who, names in found.items()}

    def simulated(self) -> frozenset[str]:
        """The keys of trials that are of no person: who answered was simulated, or what measured."""
        return frozenset(key for key, one in self.heard().items() if one.is_simulated)

    def load(self, ref: TrialRef) -> Trial:
        """`eda`, `ppg`, `respiration` `(n,)` in their own units, as far as they were recorded.

        Beside each `NAME_times_s` `(n,)` from the clip's onset, `NAME_rate_hz` and `NAME_unit` `(1,)`, and,
        where they are known, the ends of its converter, `NAME_ends` `(2,)`, and whether it falls when skin
        conductance rises, `eda_falls` `(1,)`. Raises `DataError` when there is no such trial, its recording
        cannot be read, or has no skin conductance there.
        """
        one = self.one(ref)
        arrays: dict[str, NDArray[np.generic]] = {}
        for kind, (times_s, values, known) in self._lines(one.recording).items():
            start, stop = np.searchsorted(times_s, [one.playing.start_s, one.playing.end_s])
            if stop - start < FEWEST:
                continue
            arrays[kind] = values[start:stop].copy()
            arrays[f"{kind}_times_s"] = times_s[start:stop] - one.playing.start_s
            arrays[f"{kind}_rate_hz"] = np.array([_rate_hz(times_s)])
            arrays |= {f"{kind}_{name}": fact for name, fact in known.items()}
        if KINDS[0] not in arrays or not np.isfinite(arrays[KINDS[0]]).any():
            raise DataError(f"{one.recording} has no skin conductance while {one.playing.clip} was heard")
        return Trial(ref, arrays)

    def one(self, ref: TrialRef) -> Heard:
        """Who heard which clip in which recording. Raises `DataError` when there is no such trial."""
        found = self.heard().get(ref.key)
        if found is None:
            first = next(iter(self.heard()), "none")
            raise DataError(f"the study in {self.place} has no trial {ref.key!r}; its first is {first}")
        return found

    def whole(self, ref: TrialRef, kind: str = KINDS[0]) -> Line:
        """A kind's channel of the whole recording in which a trial was heard, on the session clock.

        Raises `DataError` when there is no such trial, its recording cannot be read, or has no such channel.
        """
        one = self.one(ref)
        found = self._lines(one.recording).get(kind)
        if found is None:
            raise DataError(f"{one.recording} has no {kind} that can be read; known are {', '.join(KINDS)}")
        return found

    def each(self) -> Iterator[Trial]:
        """All trials, loaded one after the other; what cannot be loaded is left out, and told."""
        return self._left_out.each(self)

    def _label(self, one: Heard) -> str:
        said = one.playing.said
        assert said is not None and said.state is not None  # others are left out
        return said.state if self.by == "state" else state(said.state).group

    def _of(self, path: Path, one: Recording, who: str) -> dict[str, Heard]:
        found = {}
        for playing in one.playings:
            if playing.clip == BASELINE:
                continue
            key = f"{path.stem}/{playing.number:02d}_{playing.clip}"
            self._whose[key] = who
            if playing.how != "done":
                self._left_out.leave_out(key, f"the clip was {playing.how or 'not heard to its end'}")
            elif playing.said is None or playing.said.state is None:
                self._left_out.leave_out(key, "nothing was reported in time")
            else:
                found[key] = Heard(who, path, playing, one.study, one.is_simulated)
        return found

    def _lines(self, path: Path) -> dict[str, Line]:
        """Times and values of each kind; one recording at a time is held.

        What cannot be read of others than skin conductance is as if it were not there.
        """
        if self._open is None or self._open[0] != path:
            try:
                with Session.open(path) as session:
                    lines = {kind: _line_if_read(session, kind) for kind in KINDS}
            except RecordingError as error:
                raise DataError(f"{path} cannot be read ({error})") from error
            self._open = path, {kind: one for kind, one in lines.items() if one is not None}
        return self._open[1]


def _recording(path: Path) -> Recording:
    """Raises as `Session.open`."""
    with Session.open(path) as session:
        events, header = session.events, session.header
        last_s, _ = session.last_s()
        is_simulated = _is_simulated(session)
    told = identity(header.participant, header.session, header.started_utc)
    end_s = max([last_s, *(event.time_s for event in events)])
    return Recording(told, header.participant, header.study, tuple(trials(events, end_s)), is_simulated)


def _is_simulated(session: Session) -> bool:
    """Did nobody take part? So it is when answers were simulated, or an instrument of a signal that is read.

    A camera that was simulated beside a person's skin changes nothing of that.
    """
    begun = [event.data for event in session.events if event.kind == "session_started"]
    if any(facts.get("answers") == "simulated" or "rehearsal" in facts for facts in begun):
        return True
    return any(
        stream.info.instrument.get("simulated") and any(one.kind in KINDS for one in stream.info.channels)
        for stream in session.streams.values()
    )


def _rate_hz(times_s: NDArray[np.float64]) -> float:
    """Samples a second, without the pauses."""
    steps_s = np.diff(times_s)
    usual_s = steps_s[steps_s <= PAUSE * steps_s.mean()]
    return float(len(usual_s) / usual_s.sum())


def _recordings(folder: Path) -> list[Path]:
    found = [path for path in sorted(folder.glob("*/*_session-*.h5")) if not path.name.startswith(".")]
    if not found:
        raise DataError(
            f"{folder} is no study with recordings: expected are files like P014/P014_session-0.h5; "
            "record one, or make one with 'emolab rehearse'"
        )
    return found


def _line_if_read(session: Session, kind: str) -> Line | None:
    """A kind's line; None where it cannot be read, but of skin conductance that is raised."""
    try:
        return line(session, kind)
    except RecordingError:
        if kind == KINDS[0]:
            raise
        return None


def line(session: Session, kind: str) -> Line | None:
    """Times and values of a kind's channel, the preferred one where there are several; None without any."""
    names = [
        f"{stream.name}/{channel.name}"
        for stream in session.streams.values()
        for channel in stream.info.channels
        if channel.kind == kind and not stream.info.is_image
    ]
    if not names:
        return None
    wanted = PREFERRED.get(kind, "")
    signal = session.signal(
        next((name for name in names if wanted in name.rpartition("/")[2].lower()), names[0])
    )
    if len(signal.times_s) < FEWEST:
        return None
    info, channel = session.streams[signal.stream].info, signal.channel
    known: dict[str, NDArray[np.generic]] = {"unit": np.array([channel.unit])}
    if (ends := converter.ends(info, channel)) is not None:
        known["ends"] = np.array(ends)
    if kind == KINDS[0] and (falls := converter.is_falling(info, channel)) is not None:
        known["falls"] = np.array([falls])
    return Line(signal.times_s, signal.values, known)
