"""The report's own sentences: what was done and nothing else, in counts that are the data's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from emolab.analysis import table
from emolab.analysis.findings import FACE_HEAT, PULSE_RATE, TEST, find
from emolab.analysis.measure import Measured
from emolab.analysis.page import Page, Table, Words
from emolab.analysis.report import page
from emolab.analysis.sections.figures import count, number, words
from emolab.analysis.sections.labels import _by_chance
from emolab.analysis.sections.methods import _comparisons, _statistics
from emolab.analysis.sections.tests import sentences
from emolab.core.label import STATE_KEYS
from emolab.stats import logit
from emolab.stats.table import NOTHING


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("table", "agreement"):  # sentences are looked at here, not intervals
        monkeypatch.setattr(f"emolab.stats.{room}.RESAMPLES", 60)


SIZELESS: dict[str, Any] = dict.fromkeys(("median", "hedges_g", "rank_biserial"), NOTHING)
ASKED = {"lane": "reported", "drop_conflicts": False, "z": "table"}


def _page(every: Sequence[Measured], **asked: Any) -> Page:
    told = {**ASKED, **asked}
    clips = table.clips(every, told["drop_conflicts"])
    # no recording is opened for more than one session
    return page(Path("study"), [Path("P001_session-0.h5")] * len(every), every, clips, told)


def _words(made: Page, key: str) -> str:
    section = next(one for one in made.sections if one.key == key)
    return " ".join([section.lead, *(part.text for part in section.parts if isinstance(part, Words))])


def _facts(made: Page) -> dict[str, str]:
    return {fact.what: fact.number for fact in made.facts}


def _with_rows(one: Measured, **values: Any) -> Measured:
    return replace(one, rows=tuple({**row, **values} for row in one.rows))


def _without(one: Measured, kind: str) -> Measured:
    sources = {name: told for name, told in one.sources.items() if name != kind}
    return replace(one, absent={**one.absent, kind: "none was recorded"}, sources=sources)


def test_counts_of_the_report_are_those_of_the_data(measured: list[Measured]):
    rows = list(measured[0].rows)
    rows[0] = {**rows[0], "is_whole": False, "state_reported": None}
    rows[1] = {**rows[1], "state_reported": None}
    made = _page([replace(measured[0], rows=tuple(rows)), *measured[1:]])
    assert _facts(made) == {
        "participants": "3",
        "sessions": "3",
        "clips heard": "44",
        "reports on them": "43",
        "sessions in bad health": "0",
    }
    assert "44 of 45 planned clips" in _words(made, "protocol")
    assert "1 clip was not heard to the end, and 1 clip has no report" in _words(made, "deviations")
    assert "43 of the 44 clips that count have a report" in _words(made, "labels")
    assert "Of 45 clips begun, 44 were heard to the end and 43 reported on" in _words(made, "methods")


def test_what_was_not_heard_is_in_the_table_and_in_no_test(measured: list[Measured]):
    rows = tuple({**row, "is_whole": row["number"] > 3} for row in measured[0].rows)
    clips = table.clips([replace(measured[0], rows=rows), *measured[1:]])
    found = find(clips)
    assert len(clips) == 45 and clips["is_used"].sum() == 42
    assert found.labels is not None and found.labels.clips == 42
    assert found.crossing is not None and found.crossing.counts.to_numpy().sum() == 42
    assert all(
        sum(level.clips + level.missing for level in one.levels) == 42 for one in found.effects.values()
    )
    assert all(one.rows <= 42 for one in found.mixed.values())


def test_two_sessions_of_one_participant_are_one_participant(measured: list[Measured]):
    again = _with_rows(replace(measured[1], participant="P001", session=1), participant="P001", session=1)
    made = _page([measured[0], again])
    assert _facts(made)["participant"] == "1" and _facts(made)["sessions"] == "2"
    assert "1 simulated participant took part in 2 sessions" in _words(made, "methods")
    assert "clustered by participant cannot be told" in _words(made, "tests")
    assert "clustered" not in _words(made, "methods")
    assert "mixed" not in _words(made, "methods")


def test_methods_tell_nothing_that_was_not_done(measured: list[Measured]):
    bare = [_without(_without(one, "thermal"), "eda") for one in measured]
    bare = [_with_rows(one, d_face_t_mean=math.nan, face_t_mean=math.nan) for one in bare]
    told = _words(_page(bare), "methods")
    assert "thermal frame" not in told and "cvxEDA" not in told
    assert "logistic regression on the changes of heart rate, z-scored" in told  # no word of the face
    bare = [_with_rows(one, d_hr_mean=math.nan) for one in bare]
    assert "logistic" not in _words(_page(bare), "methods")  # nothing is left to test
    assert "read from board/ppg_ear." in told


def test_methods_tell_no_test_that_too_few_participants_had(measured: list[Measured]):
    again = _with_rows(replace(measured[1], participant="P001", session=1), participant="P001", session=1)
    alone = _words(_page([measured[0], again]), "methods")
    assert "medians of the participants' means" in alone
    for untold in ("Wilcoxon", "Friedman", "compared within", "Holm's correction. "):
        assert untold not in alone
    several = _words(_page(measured), "methods")
    assert "effect sizes with 95 % intervals, and compared within participants by Wilcoxon's" in several


def test_methods_tell_each_test_that_was_done_and_no_other(measured: list[Measured]):
    found = find(table.clips(measured))
    compared = list(found.effects.values())
    no_friedman = [replace(one, friedman=replace(one.friedman, p=math.nan)) for one in compared]
    assert "by Wilcoxon's test with Holm's" in _comparisons(no_friedman)
    no_wilcoxon = [
        replace(one, contrasts=tuple(replace(contrast, p=math.nan) for contrast in one.contrasts))
        for one in [replace(one, friedman=replace(one.friedman, p=0.2)) for one in compared]
    ]
    assert "by Friedman's test with Holm's" in _comparisons(no_wilcoxon)
    bare = [
        replace(one, levels=(), contrasts=tuple(replace(each, **SIZELESS) for each in one.contrasts))
        for one in no_friedman
    ]
    assert "effect sizes" not in _comparisons(bare) and "interval" not in _comparisons(bare)
    both = [*no_friedman, *no_wilcoxon]
    assert "by Wilcoxon's and Friedman's tests with Holm's" in _comparisons(both)


def test_two_participants_have_no_hedges_g_in_the_report(measured: list[Measured]):
    made = _page(measured[:2])
    section = next(one for one in made.sections if one.key == "changes")
    (sizes,) = [part for part in section.parts if isinstance(part, Table) and "Effect sizes" in part.caption]
    at = sizes.head.index("Hedges g")
    assert sizes.rows and {row[at] for row in sizes.rows} == {"–"}
    assert any(row[at + 1] != "–" for row in sizes.rows)
    assert "Hedges g: of three participants or more." in sizes.note


def test_methods_tell_in_how_many_sessions_a_signal_was(measured: list[Measured]):
    told = _words(_page([_without(measured[0], "thermal"), *measured[1:]]), "methods")
    assert "Face temperature: in 2 of 3 sessions." in told


def test_which_channel_the_pulse_was_read_from_is_told(measured: list[Measured]):
    finger = replace(measured[0], sources={**measured[0].sources, "ppg": "board/ppg_finger"})
    told = _words(_page([finger, *measured[1:]]), "methods")
    assert "board/ppg_finger (1 session) and board/ppg_ear (2 sessions)" in told


def test_no_rest_is_no_rest(measured: list[Measured]):
    bare = [_with_rows(replace(one, window=None, baseline={}), d_hr_mean=math.nan) for one in measured]
    told = _words(_page(bare), "methods")
    assert "rest" not in told


def test_participants_who_were_simulated_are_told_apart(measured: list[Measured]):
    person = replace(
        measured[0], header={**measured[0].header, "instruments": {"board": {"model": "emolab"}}}
    )
    made = _page([person, *measured[1:]])
    assert "3 participants took part in 3 sessions (protocol emomusic). 2 of them were simulated." in _words(
        made, "methods"
    )
    assert "2 of 3 sessions have simulated instruments" in _words(made, "found")


def test_protocols_of_several_studies_are_all_named(measured: list[Measured]):
    other = replace(measured[0], header={**measured[0].header, "protocol": "quick", "study": "another"})
    made = _page([other, *measured[1:]])
    assert made.lead.startswith("Protocols emomusic and quick, recorded")
    assert "another" in made.title
    assert "(protocol emomusic and quick)" in _words(made, "methods")


def test_labels_of_an_analyst_and_clips_left_out_are_told(measured: list[Measured]):
    rows = tuple({**row, "is_conflict": row["number"] == 1} for row in measured[0].rows)
    made = _page([replace(measured[0], rows=rows), *measured[1:]], lane="anna", drop_conflicts=True)
    assert "1 clip contradicted by a model of facial expression was left out" in _words(made, "methods")
    assert "reviewed by an analyst (anna)" in _words(made, "methods")
    assert "'anna' decided" in _words(made, "found")
    assert "1 clip is contradicted by a face and left out, as asked" in _words(made, "deviations")


def test_nothing_is_said_to_be_alike_that_was_not_compared(measured: list[Measured]):
    told = _words(_page([measured[0], _with_rows(measured[1], d_hr_mean=math.nan)]), "found")
    people = [{row["state_reported"] for row in one.rows} for one in measured[:2]]
    assert ("cannot be compared within people" in told) == any(states != people[0] for states in people)
    lonely = [_with_rows(measured[0], state_reported="neutral"), measured[1]]
    assert "cannot be compared within people" in _words(_page(lonely), "found")


def test_labels_that_are_not_sound_are_told(measured: list[Measured]):
    made = _page([replace(measured[0], unsound=("anna.jsonl: line 2",)), *measured[1:]])
    section = next(one for one in made.sections if one.key == "deviations")
    (remarks,) = (part for part in section.parts if isinstance(part, Table))
    assert ["P001 · 0", "Labels that are not sound and were not used: anna.jsonl: line 2"] in [
        list(row) for row in remarks.rows
    ]


def test_a_session_in_two_bad_files_is_one_bad_session(measured: list[Measured]):
    health = tuple({**one, "verdict": "bad"} for one in measured[0].health * 2)
    assert _facts(_page([replace(measured[0], health=health), *measured[1:]]))["session in bad health"] == "1"


def test_chance_is_that_of_the_states_in_use():
    neutral = pd.DataFrame(0, index=list(STATE_KEYS), columns=[*STATE_KEYS, "missing"])
    alike = neutral.copy()
    alike.loc[:, list(STATE_KEYS)] = 3
    assert _by_chance(alike) == pytest.approx(0.2)
    neutral.loc["neutral", "neutral"] = 9
    neutral.loc["neutral", "missing"] = 9
    assert _by_chance(neutral) == 1.0
    assert _by_chance(neutral * 0) == 0.0


def test_what_nobody_measured_is_left_out_of_the_test_and_told(measured: list[Measured]):
    blind = [_with_rows(one, d_face_t_mean=math.nan) for one in measured]
    found = find(table.clips(blind))
    assert found.logit is not None and found.logit.predictors == (PULSE_RATE,)
    told = found.troubles[f"{TEST} on the change of mean face temperature"]
    assert told == "no clip with a report has it, so it is left out"
    assert f"{TEST} on the change of mean face temperature: {told}" in _words(_page(blind), "found")
    assert find(table.clips(measured)).troubles == {}


def test_a_remedy_is_one_that_can_be_followed(measured: list[Measured]):
    silent = find(table.clips([_with_rows(one, state_reported=None) for one in measured]))
    assert "no clip has a report" in silent.troubles[TEST] and "leave out" not in silent.troubles[TEST]
    nothing = dict.fromkeys((PULSE_RATE, FACE_HEAT), math.nan)
    bare = find(table.clips([_with_rows(one, **nothing) for one in measured]))
    assert "the change of heart rate or mean face temperature" in bare.troubles[TEST]
    assert "record a rest" in bare.troubles[TEST] and "leave out" not in bare.troubles[TEST]


def test_without_a_report_nothing_is_said_of_clips_reported_as_they_were_meant(measured: list[Measured]):
    silent = [_with_rows(one, state_reported=None) for one in measured]
    told = _words(_page(silent), "labels")
    assert "0 of the 45 clips that count have a report." in told
    assert "nan" not in told.lower() and "as the clip was meant" not in told
    assert "as the clip was meant" in _words(_page(measured), "labels")


def test_two_participants_are_not_said_to_be_one(measured: list[Measured]):
    rng = np.random.default_rng(0)
    who = ["P001"] * 30 + ["P002"] * 2
    said = [STATE_KEYS[at % 5] for at in range(32)]
    clips = pd.DataFrame({"participant": who, "state_reported": said, "d_hr": rng.normal(size=32)})
    clips["d_face"] = rng.normal(size=32)
    test = logit.fit(clips, ("d_hr", "d_face"))
    assert test.participants == 2
    told = " ".join(sentences(test))
    assert "clips of one person" not in told and "one participant has nearly all of the clips" in told
    assert "too few to judge" not in told and told.count("Nor can the change of") == 2
    assert not test.is_clustered
    alone = logit.fit(clips[clips["participant"] == "P001"], ("d_hr", "d_face"))
    assert "clips of one person say nothing about people" in sentences(alone)[0]


def test_numbers_and_lists_read_as_english():
    assert [count(many, "clip") for many in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]
    assert [words(["a", "b", "c"][:many]) for many in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_what_no_session_was_meant_to_have_is_not_missed(measured: list[Measured]):
    made = _page(measured)
    assert all("audio" in one.absent for one in measured)
    assert "missing" not in _words(made, "health")
    deviations = next(one for one in made.sections if one.key == "deviations")
    assert not any("microphone" in cell for part in deviations.parts if isinstance(part, Table)
                   for row in part.rows for cell in row)  # fmt: skip
    without = _page([_without(measured[0], "thermal"), *measured[1:]])
    assert "Face temperature is missing in 1 of 3 sessions" in _words(without, "health")


def test_a_number_has_a_true_minus_and_none_before_a_nought():
    assert [number(value) for value in (-1.234, -0.004, 0.0, math.nan)] == ["−1.23", "0.00", "0.00", "–"]


def test_methods_tell_of_clustered_errors_only_where_they_could_be_told(measured: list[Measured]):
    found = find(table.clips(measured))
    assert found.logit is not None and found.logit.is_clustered
    assert "clustered by participant" in _statistics(found)
    lost = [
        replace(one, by_participant=replace(one.by_participant, p=math.nan, p_holm=math.nan))
        for one in found.logit.coefficients
    ]
    bare = replace(found, logit=replace(found.logit, coefficients=tuple(lost)))
    assert "clustered by participant" not in _statistics(bare) and "Holm's correction" in _statistics(bare)
