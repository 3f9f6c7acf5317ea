"""What the console says and when it lets a session start, as rules over plain values."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from emolab.gui.console import planning
from emolab.gui.console.banner import concern
from emolab.gui.console.memory import Memory
from emolab.gui.console.readiness import Form, blockers, pseudonym_error, used_error
from emolab.gui.widgets import words
from emolab.recording.header import SessionHeader
from emolab.recording.writer import SessionWriter
from emolab.study.sessions import session_path
from tests.gui import engine_states as states

GOOD = Form(participant="P014", session=0, protocol="emomusic.yaml")


def reasons(form=GOOD, plan_error="", used=(), snapshot=None):
    return [b.message for b in blockers(form, plan_error, used, snapshot or states.setup())]


def test_nothing_stands_in_the_way_when_all_is_well():
    assert reasons() == []


@pytest.mark.parametrize("name", ["Anna", "Anna Meyer", "P 14", "王小明", "P14/..", "ü1", "a" * 40 + "1"])
def test_a_name_or_a_broken_pseudonym_is_refused(name):
    assert "never a name" in pseudonym_error(name)


@pytest.mark.parametrize("pseudonym", ["P014", "p1", "lab2-07", "A" * 30 + "12"])
def test_a_pseudonym_with_a_number_is_taken(pseudonym):
    assert pseudonym_error(pseudonym) == ""


def test_a_used_session_is_refused_with_the_next_free_one():
    used = {("P014", 0), ("P014", 1), ("P015", 0)}
    assert "Take session 2" in used_error("P014", 1, used)
    assert used_error("P014", 2, used) == ""


def test_a_pseudonym_that_differs_in_case_only_is_the_same_folder_on_some_systems():
    assert used_error("p014", 0, {("P014", 0)})


def test_a_pseudonym_of_somebody_who_withdrew_is_refused_with_the_day():
    gone = {"P014": "2026-05-04T10:00:00+00:00"}
    (found,) = blockers(replace(GOOD, participant="p014"), "", (), states.setup(), gone)
    assert found.level == "act" and "P014 withdrew on 2026-05-04" in found.message
    assert not blockers(replace(GOOD, participant="P015"), "", (), states.setup(), gone)


def test_each_red_instrument_is_named_with_its_remedy():
    assert reasons(snapshot=states.one_red()) == ["Camera is not answering. Check the USB cable, then Retry."]


def test_an_instrument_that_only_asks_for_a_look_does_not_hold_the_session():
    thermal = replace(states.THERMAL, level="look", message="few frames")
    assert reasons(snapshot=states.setup(streams=(thermal,))) == []


def test_instruments_that_have_not_delivered_yet_are_waited_for():
    assert "first samples of board, camera" in reasons(snapshot=states.loading())[0]


def test_an_instrument_left_out_is_not_waited_for():
    out = replace(states.CAMERA, level="look", age_s=None, is_left_out=True)
    assert reasons(snapshot=states.setup(streams=(states.BOARD, out))) == []


def test_a_full_disk_is_told_before_the_session():
    assert "make room" in reasons(snapshot=states.setup(free_bytes=900_000_000))[0]


def test_what_the_engine_waits_for_is_passed_on():
    composing = states.setup(message="Composing the clips, once: 3 of 35 are ready")
    assert reasons(snapshot=composing) == ["Composing the clips, once: 3 of 35 are ready"]


def test_only_what_is_broken_is_red():
    levels = {b.field: b.level for b in blockers(Form(), "", (), None)}
    assert set(levels.values()) == {"look"}
    broken = blockers(replace(GOOD, participant="Anna"), "no such clip", (), states.one_red())
    assert {b.level for b in broken} == {"act"}


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00"), (462.9, "07:42"), (1200, "20:00"), (3723, "1:02:03"), (-3, "00:00"), (None, "--:--")],
)
def test_times_are_told_as_on_a_clock(seconds, shown):
    assert words.clock(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(17.2, "18 s"), (0.0, "0 s"), (89.5, "1:30"), (240, "4:00")])
def test_a_countdown_rounds_up_and_ends_on_nought(seconds, shown):
    assert words.countdown(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (1_240_000_000, "1.2 GB"), (99_960_000, "100 MB"), (999_600, "1.0 MB")]
)
def test_sizes_have_three_figures_at_most(size, shown):
    assert words.size(size) == shown


def test_the_step_is_named_with_its_number_and_state():
    now = states.running(trial=7)
    assert words.step_name(words.current_step(now), words.trials(now)) == "clip 7 of 15 · neutral"
    assert words.step_name(words.next_step(now), words.trials(now)) == "report 7 of 15"


def test_the_most_urgent_concern_comes_first():
    assert concern(states.running()) is None
    assert concern(states.paused())[:2] == ("look", "Paused")
    assert concern(states.unwell())[:2] == ("act", "Act")
    level, word, sentence = concern(states.holding())
    assert (level, word) == ("act", "Holding")
    assert "Plug its cable in again" in sentence


def test_a_pause_the_program_made_says_why_and_how_to_go_on():
    slept = "The computer stood still for 60 min. See that all is well, and go on with P."
    assert concern(replace(states.paused(), message=slept)) == ("act", "Paused", slept)


def test_what_will_hold_the_session_is_told_before_it_holds():
    gone = "The participant's screen is gone. Plug it in again; the session then goes on."
    level, word, sentence = concern(states.running(phase="pausing", screen="", message=gone))
    assert (level, word, sentence) == ("act", "Act", gone)


def test_the_plan_of_the_paper_is_fifteen_planned_and_fourteen_guaranteed():
    protocols = planning.shipped_protocols()
    assert protocols[0].stem == "emomusic"
    plan = planning.lay_out(protocols[0], "P014", 0, 0)
    assert (plan.planned, plan.guaranteed, plan.error) == (15, 14, "")
    assert "1230 s > 1200 s" in " ".join(plan.arithmetic)
    assert {"en", "zh"} <= set(plan.languages)


def test_the_plan_shown_is_that_of_the_rule_by_which_the_participant_began(tmp_path):
    path = session_path(tmp_path, "P001", 0)
    path.parent.mkdir()
    writer = SessionWriter(path, SessionHeader("P001", 0, protocol_text="name: emomusic\n"))
    writer.open([])
    writer.close()
    protocol = planning.shipped_protocols()[0]
    old, new = (planning.lay_out(protocol, who, 1, 0, tmp_path) for who in ("P001", "P002"))
    assert "by which this participant began" in old.arithmetic[-1]
    assert "by which this participant began" not in " ".join(new.arithmetic)


def test_a_protocol_that_cannot_be_read_is_a_sentence_not_a_crash(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("schema: 1\nname: [", encoding="utf-8")
    assert "mine.yaml" in planning.lay_out(path, "P014", 0, 0).error


def test_choices_are_remembered_study_by_study(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    Memory(tmp_path / "state" / "console.json").keep(study, seed=7, screen="PART")
    again = Memory(tmp_path / "state" / "console.json")
    again.keep(study, seed=8)
    assert again.study == study
    assert Memory(tmp_path / "state" / "console.json").of(study) == {"seed": 8, "screen": "PART"}


def test_a_damaged_memory_or_a_study_that_is_gone_is_forgotten(tmp_path):
    path = tmp_path / "console.json"
    path.write_text("{", encoding="utf-8")
    memory = Memory(path)
    assert memory.study is None
    memory.keep(tmp_path / "gone")
    assert Memory(path).study is None


def test_a_memory_that_holds_something_else_is_started_anew(tmp_path):
    (tmp_path / "memory.json").write_text("[]")
    assert Memory(tmp_path / "memory.json").study is None


def test_how_a_device_keeps_time_is_told_in_words():
    assert words.drift(states.BOARD) == "−12 ppm"
    told = words.timekeeping(states.BOARD)
    assert "254.902 Hz" in told and "off by −12 ppm" in told and "0.31 ms" in told
    assert words.drift(states.CAMERA) == words.timekeeping(states.CAMERA) == ""
    without_clock = replace(states.BOARD, timekeeping=replace(states.BOARD.timekeeping, drift_ppm=None))
    assert words.drift(without_clock) == "" and "ppm" not in words.timekeeping(without_clock)


def test_a_console_loads_nothing_heavy_to_open():
    program = "import emolab.gui.app, sys; print({'scipy', 'pandas', 'matplotlib', 'torch'} & {*sys.modules})"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()", "opening a console takes seconds more"
