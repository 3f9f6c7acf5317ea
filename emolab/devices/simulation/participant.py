"""The simulated participant of a session, shared by all its simulated instruments.

The engine tells what happens (`begin`, `rest`, `hear`) and asks for answers; the instruments look
at the body; `truth` is everything an analyst would give much to know of a real one.
"""

from __future__ import annotations

import json
import threading
import weakref
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from emolab.core.clock import Clock
from emolab.core.label import state as state_of
from emolab.devices.simulation import answers
from emolab.devices.simulation.answers import SimulatedAnswer
from emolab.devices.simulation.body import PULSE_DELAY_S, SYSTOLE_S, Body
from emolab.devices.simulation.countenance import Countenance, Look
from emolab.devices.simulation.ease import Array
from emolab.devices.simulation.effect import PLAIN
from emolab.devices.simulation.responses import CALM, Response, traits

LATENCY_S = 0.8  # nothing in the body moves sooner after a clip's onset; Kreibig 2010: one to three seconds
SOUND_FADE_S = 1.0
MEAN_STEP_S = 0.1


@dataclass
class Heard:
    """A clip as it was played. `sounds_s`: from when a microphone has it; `felt_s`: the body.

    `felt`: the state the body answers to, by `response`. `look`: what the face shows of it.
    """

    clip: str
    state: str
    onset_s: float
    duration_s: float
    sounds_s: float
    felt_s: float
    felt: str
    response: Response
    look: Look

    @property
    def end_s(self) -> float:
        return self.onset_s + self.duration_s


class SimulatedParticipant:
    """Somebody who sits there from time 0 and can be told what is played. Thread-safe.

    Until `begin` it is nobody in particular. The same seed and pseudonym give the same answers and
    the same body: to the last bit when `begin` comes before any instrument has looked, else the
    same levels and responses on top of the rhythms that were going on. `effect`: what clips do to the
    body; set before `begin`.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.RLock()
        self.effect = PLAIN
        self.streams: dict[str, dict[str, Any]] = {}  # kept up to date by each simulated instrument
        self.body = Body(traits(np.random.default_rng(seed)), np.random.default_rng([seed, 1]))
        self._start(seed, "")

    def _start(self, seed: int, participant: str) -> None:
        self.seed, self.participant = seed, participant
        self.rest_s: float | None = None
        self.heard: list[Heard] = []
        self.answers: list[SimulatedAnswer] = []
        self.face = Countenance(self._rng("face"))

    # what the engine says

    def begin(self, seed: int, participant: str) -> None:
        """A session begins: take on the body and the mind that belong to `seed` and pseudonym."""
        with self._lock:
            self._start(seed, participant)
            drawn, rng = traits(self._rng("body")), self._rng("responses")
            if self.body.seen_s > 0.0:
                self.body.tau_s = self.effect.time_constants_s()
                self.body.become(drawn, rng)
            else:
                self.body = Body(drawn, rng, self.effect.time_constants_s())

    def rest(self, onset_s: float) -> None:
        """The rest begins: settle down, over a minute or two."""
        with self._lock:
            self.rest_s = onset_s
            self._cut(onset_s)
            self.body.feel(self.effect.rest(self._rng("rest")), onset_s, settling=True)

    def hear(self, clip_id: str, state: str, onset_s: float, duration_s: float) -> None:
        """A clip of `state` sounds from `onset_s` on. Raises `DataError` for an unknown state."""
        # what will be said of it does not depend on when one is asked
        said = state_of(self._answer(clip_id, state, onset_s, duration_s).state or "neutral")
        felt = self.effect.felt(state_of(state), said)
        clip_rng, person_rng = self._rng(f"clip {clip_id}"), self._rng(f"person {felt.key}")
        response = self.effect.response(felt, clip_rng, person_rng)
        with self._lock:
            self._cut(onset_s)
            shows_s = max(onset_s + LATENCY_S, self.body.frontier_s)
            look = self.face.meet(response.valence, said.rank, shows_s, duration_s)
            felt_s = self.body.feel(replace(response, valence=look.valence), onset_s + LATENCY_S)
            self.body.feel(CALM, max(onset_s + duration_s + LATENCY_S, felt_s))
            sounds_s = max(onset_s, self.body.seen_s)
            self.heard.append(
                Heard(clip_id, state, onset_s, duration_s, sounds_s, felt_s, felt.key, response, look)
            )

    def answer(
        self,
        clip_id: str | None,
        state: str | None,
        opened_s: float,
        window_s: float,
        policy: str = "simulated",
    ) -> SimulatedAnswer:
        """What will be done in a report window; `clip_id` and `state` are None for the baseline.

        The same seed, pseudonym and clip give the same answer, whatever was asked before.
        """
        given = self._answer(clip_id, state, opened_s, window_s, policy)
        with self._lock:
            self.answers.append(given)
        return given

    # what the instruments see beside the body

    def loudness(self, times_s: Array) -> Array | None:
        """How loud the clip is in the room at each of `times_s`, 0..1; None for silence throughout."""
        self.body.reach(times_s)
        with self._lock:
            sounding = [h for h in self.heard[-3:] if h.end_s > times_s[0] and h.sounds_s <= times_s[-1]]
        if not sounding:
            return None
        loud = np.zeros(len(times_s))
        for heard in sounding:
            rise = (times_s - heard.onset_s) / SOUND_FADE_S
            fall = (heard.end_s - times_s) / SOUND_FADE_S
            loud += np.where(times_s >= heard.sounds_s, np.clip(np.minimum(rise, fall), 0.0, 1.0), 0.0)
        return loud

    def presence(self, times_s: Array) -> Array:
        """Whether the camera has the participant in its picture: 1, 0, or between on the way out and in."""
        with self._lock:
            return self.face.presence(times_s)

    # what is known afterwards

    def truth(self, zero_s: float = 0.0) -> dict[str, Any]:
        """Everything that was really so, JSON-able; moments are `*_s` less `zero_s`."""
        with self._lock:
            heard, given, body = list(self.heard), list(self.answers), self.body
            until_s = body.seen_s
        rest: dict[str, Any] | None = None
        if self.rest_s is not None:
            after_s = [h.onset_s for h in heard] + [a.opened_s for a in given]
            end_s = min([moment for moment in after_s if moment > self.rest_s] + [until_s])
            rest = {"onset_s": self.rest_s - zero_s, "duration_s": end_s - self.rest_s}
            rest |= self._means(self.rest_s, end_s)
        return {
            "seed": self.seed,
            "participant": self.participant,
            "zero_s": zero_s,
            "until_s": until_s - zero_s,
            "latency_s": LATENCY_S,
            "effect": self.effect.facts(),
            "beats_s": [t - zero_s for t in body.beats()],
            "systole_after_beat_s": {k: v + SYSTOLE_S for k, v in PULSE_DELAY_S.items()},
            "breaths_s": [t - zero_s for t in body.breaths()],
            "scrs": [{"onset_s": t - zero_s, "amplitude_us": size} for t, size in body.scrs()],
            "rest": rest,
            "clips": [self._clip_truth(h, zero_s, until_s) for h in heard],
            "answers": [_answer_truth(a, zero_s) for a in given],
            "away": [
                [start_s - zero_s, end_s - zero_s] for start_s, end_s in self.face.away(zero_s, until_s)
            ],
            "streams": {name: _stream_truth(facts, zero_s) for name, facts in self.streams.items()},
        }

    def write_truth(self, path: Path, zero_s: float = 0.0) -> None:
        """`truth` as JSON in `path`."""
        path.write_text(json.dumps(self.truth(zero_s), ensure_ascii=False, indent=1), encoding="utf-8")

    def means(self, start_s: float, end_s: float) -> dict[str, Any]:
        """What the body did in `[start_s, end_s)`, as an analyst would put it; None where too short."""
        with self._lock:
            return self._means(start_s, min(end_s, self.body.seen_s))

    def _means(self, start_s: float, end_s: float) -> dict[str, Any]:
        if end_s - start_s < MEAN_STEP_S:
            return {}
        body = self.body
        times_s = np.arange(start_s, end_s, MEAN_STEP_S)
        breaths = np.diff(body.breath_phase(np.array([start_s, end_s])))[0]
        between_s = np.diff(body.beats(start_s, end_s))
        return {
            "heart_bpm": float(np.mean(60.0 / between_s)) if len(between_s) else None,
            "breath_per_min": float(60.0 * breaths / (end_s - start_s)),
            "scr_count": len(body.scrs(start_s, end_s)),
            "tonic_us": float(np.mean(body.tonic(times_s))),
            "face_c": float(np.mean(body.level("face_c", times_s))),
            "nose_c": float(np.mean(body.level("nose_c", times_s))),
        }

    def _clip_truth(self, heard: Heard, zero_s: float, until_s: float) -> dict[str, Any]:
        facts: dict[str, Any] = {"clip": heard.clip, "state": heard.state, "duration_s": heard.duration_s}
        facts |= {"onset_s": heard.onset_s - zero_s, "felt_s": heard.felt_s - zero_s}
        facts |= {"felt": heard.felt, "response": asdict(heard.response)}
        face: dict[str, Any] = {"manner": heard.look.manner, "expression": heard.look.expression}
        face |= {"valence": heard.look.valence, "contradicts": heard.look.manner == "contrary"}
        facts["face"] = face | {"away": _spans(self.face.away(heard.onset_s, heard.end_s), zero_s)}
        return facts | self._means(heard.onset_s, min(heard.end_s, until_s))

    def _answer(
        self,
        clip_id: str | None,
        state: str | None,
        opened_s: float,
        window_s: float,
        policy: str = "simulated",
    ) -> SimulatedAnswer:
        rng = self._rng(f"answer {clip_id or 'baseline'}")
        return answers.answer(rng, clip_id, state, opened_s, window_s, policy)

    def _cut(self, at_s: float) -> None:
        """What was still sounding ends when something else begins."""
        self.face.stop(max(at_s, self.body.frontier_s))
        if self.heard and self.heard[-1].end_s > at_s:
            self.heard[-1].duration_s = max(at_s - self.heard[-1].onset_s, 0.0)

    def _rng(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32(self.participant.encode()), crc32(purpose.encode())])


_participants: weakref.WeakKeyDictionary[Clock, SimulatedParticipant] = weakref.WeakKeyDictionary()
_registry_lock = threading.Lock()


def participant_for(clock: Clock) -> SimulatedParticipant:
    """The one participant of the session that lives on `clock`, made when first asked for."""
    with _registry_lock:
        return _participants.setdefault(clock, SimulatedParticipant())


def _spans(spans: list[tuple[float, float]], zero_s: float) -> list[list[float]]:
    return [[start_s - zero_s, end_s - zero_s] for start_s, end_s in spans]


def _answer_truth(given: SimulatedAnswer, zero_s: float) -> dict[str, Any]:
    confirmed_s = given.acts[-1].time_s - zero_s if given.acts else None
    return {
        "clip": given.clip,
        "intended": given.intended,
        "state": given.state,
        "word": given.word,
        "opened_s": given.opened_s - zero_s,
        "confirmed_s": confirmed_s,
        "response_s": given.response_s,
        "changes": given.changes,
    }


def _stream_truth(facts: dict[str, Any], zero_s: float) -> dict[str, Any]:
    faults = [dict(fault) for fault in facts["faults"]]
    for fault in faults:
        fault["at_s"] -= zero_s
        if fault["until_s"] is not None:
            fault["until_s"] -= zero_s
    return {**facts, "faults": faults}
