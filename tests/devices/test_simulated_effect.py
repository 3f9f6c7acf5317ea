"""What is planted in a simulated body is what it does, and nothing else differs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from emolab.core.errors import ConfigError
from emolab.core.label import STATES, state
from emolab.devices.simulated import SimulatedParticipant
from emolab.devices.simulation.effect import EFFECTS, NATURAL, PLAIN, Change, Effect, Spread, load, parse
from emolab.devices.simulation.responses import RESPONSES, TAU_S, Response

QUANTITIES = tuple(asdict(RESPONSES["neutral"]))


def responses(effect: Effect, people: int = 120, clips: int = 3) -> dict[str, list[Response]]:
    """What each state felt does to many people, by the state reported."""
    found: dict[str, list[Response]] = {one.key: [] for one in STATES}
    for number in range(people):
        person = SimulatedParticipant()
        person.effect = effect
        person.begin(7, f"P{number:03d}")
        for one in STATES:
            for clip in range(clips):
                person.hear(f"{one.key}-{clip}", one.key, 1.0, 30.0)
                said = person.answer(f"{one.key}-{clip}", one.key, 31.0, 30.0).state
                assert said is not None
                found[said].append(person.heard[-1].response)
    return found


def quantity(name: str, of: list[Response]) -> np.ndarray:
    return np.array([getattr(one, name) for one in of])


def test_only_the_planted_quantity_moves_and_only_in_the_state_reported():
    found = responses(EFFECTS["surprise"])
    for name in QUANTITIES:
        sd = getattr(NATURAL, name)
        for key, those in found.items():
            planted = 0.25 if (key, name) == ("less_positive", "face_c") else 0.0
            at_rest = 1.0 if name.endswith("ratio") else 0.0
            mean = quantity(name, those).mean()
            assert mean == pytest.approx(at_rest + planted, abs=max(4.5 * sd / len(those) ** 0.5, 1e-12))
            assert quantity(name, those).std() == pytest.approx(sd, rel=0.2, abs=1e-12)


def test_the_same_seed_varies_alike_under_every_effect():
    none, surprise = responses(EFFECTS["none"], 3), responses(EFFECTS["surprise"], 3)
    for key in none:
        by = quantity("face_c", surprise[key]) - quantity("face_c", none[key])
        assert by == pytest.approx(0.25 if key == "less_positive" else 0.0)
        assert np.array_equal(quantity("heart_bpm", surprise[key]), quantity("heart_bpm", none[key]))


def test_a_body_may_answer_to_the_stimulus_instead():
    person = SimulatedParticipant()
    person.effect = EFFECTS["surprise"].model_copy(update={"follows": "stimulus", "spread": Spread()})
    person.begin(3, "P001")
    told = []
    for clip in range(40):
        person.hear(f"surprise-{clip}", "less_positive", 1.0, 30.0)
        told.append(person.answer(f"surprise-{clip}", "less_positive", 31.0, 30.0).state)
    assert {heard.felt for heard in person.heard} == {"less_positive"} < set(told)
    assert {heard.response.face_c for heard in person.heard} == {0.25}


def test_people_may_differ_in_what_a_state_does_to_them():
    effect = parse("[states.less_positive]\nface_c = 0.2\n[spread]\n[persons]\nface_c = 0.3", "own.toml")
    assert effect.name == "own"
    by_person = quantity("face_c", responses(effect, 100, 1)["less_positive"])
    assert by_person.std() == pytest.approx(0.3, rel=0.25)
    person = SimulatedParticipant()
    person.effect = effect
    person.begin(1, "P001")
    for clip in range(9):
        person.hear(f"surprise-{clip}", "less_positive", 1.0, 30.0)
    felt = {(heard.felt, heard.response.face_c) for heard in person.heard}
    assert len(felt) == len({key for key, _ in felt})  # the same person answers alike each time


def test_live_sessions_do_exactly_what_the_literature_says():
    person = SimulatedParticipant()
    person.begin(1, "P001")
    for key, response in RESPONSES.items():
        person.hear(key, key, 1.0, 30.0)
        assert person.heard[-1].response == response
    assert person.effect is PLAIN and person.body.tau_s == TAU_S


def test_time_constants_are_those_of_the_effect():
    person = SimulatedParticipant()
    person.effect = EFFECTS["surprise"]
    person.begin(1, "P001")
    assert person.body.tau_s == TAU_S | {"face_c": 2.0}


def test_no_state_takes_a_body_where_none_is():
    effect = Effect(
        states={"neutral": Change(heart_bpm=-20.0, scr_per_min=-2.0, breath_per_min=-6.0)},
        spread=Spread(heart_bpm=10.0, scr_per_min=5.0, breath_per_min=4.0, tonic_us=2.0, pulse_ratio=0.5),
    )
    for number in range(20):
        person = SimulatedParticipant()
        person.effect = effect
        person.begin(2, f"P{number:03d}")
        for clip in range(10):
            person.hear(f"neutral-{clip}", "neutral", clip * 40.0, 30.0)
            times_s = np.arange(clip * 40.0, clip * 40.0 + 40.0, 0.5)
            assert person.body.level("heart_bpm", times_s).min() >= 40.0
            assert person.body.level("scr_per_min", times_s).min() >= 0.0
            assert person.body.conductance(times_s).min() > 0.3


def test_effects_are_known_by_name_or_by_file(tmp_path: Path):
    assert load("none") is EFFECTS["none"]
    own = tmp_path / "cold.toml"
    own.write_text('follows = "stimulus"\n[states.most_negative]\nnose_c = -0.6\n', encoding="utf-8")
    effect = load(str(own))
    assert (effect.name, effect.follows, effect.spread) == ("cold", "stimulus", NATURAL)
    felt = effect.response(state("most_negative"), np.random.default_rng(0), np.random.default_rng(1))
    assert felt.nose_c == pytest.approx(-0.6, abs=4 * NATURAL.nose_c)
    assert Effect.model_validate(effect.facts()) == effect  # what a truth file tells is all of it


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[states.bliss]\nface_c = 1", "'bliss' is no state; the states are most_negative"),
        ("[states.neutral]\nface_c = 9", "states.neutral.face_c: input should be less than or equal to 3"),
        ("[states.neutral]\nfaec_c = 1", "states.neutral.faec_c: extra inputs are not permitted"),
        ("[spread]\nface_c = -1", "spread.face_c: input should be greater than or equal to 0"),
        ("[spread]\nface_c = nan", "spread.face_c"),
        ("tau_s = { face_c = 0 }", "tau_s.face_c: input should be greater than 0"),
        ("states = 3", "states: input should be a valid"),
        ('follows = "nobody"', "follows: input should be 'report' or 'stimulus'"),
        ("states = [", "is no TOML"),
    ],
)
def test_what_is_no_effect_is_told_with_its_place(text: str, said: str):
    with pytest.raises(ConfigError, match=r"^own\.toml") as refused:
        parse(text, "own.toml")
    assert said in str(refused.value)


def test_an_effect_nobody_knows_lists_the_known_ones(tmp_path: Path):
    with pytest.raises(ConfigError, match="known are lively, none, surprise"):
        load("lovely")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path / "none.toml"))
