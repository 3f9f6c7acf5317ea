"""A few kills in the midst of editing; `python -m tests.review.kill_edits 50` is the campaign."""

from __future__ import annotations

from pathlib import Path

from emolab.recording import label_ledger
from emolab.review.desk import Desk
from tests.review.kill_edits import Plain, check, forward, kills


def test_kill_9_in_mid_edit_loses_at_most_the_last_act(tmp_path: Path) -> None:
    found = list(kills(tmp_path, count=5, seed=7, longest_s=0.2))
    assert len(found) == 5 and found[-1][1] >= 5


def test_half_a_line_of_whatever_length_costs_that_act_alone(tmp_path: Path) -> None:
    """A kill may leave any part of the line that was being written, its hash not yet kept."""
    recording = tmp_path / "P1_session-0.h5"
    desk, plain = Desk(recording, "anna"), Plain(3)
    plain.step()
    for _ in range(4):
        desk.add(plain.labels["1.0"])
    path, heads = desk.ledger.path, desk.ledger.path.with_name(label_ledger.HEADS)
    before, head = path.read_bytes(), heads.read_bytes()
    desk.undo()
    line = path.read_bytes()[len(before) :]
    for size in range(len(line)):
        path.write_bytes(before + line[:size])
        heads.write_bytes(head)
        again = Desk(recording, "anna")
        assert len(again.ledger.acts) == 4 and len(again.labels) == 4 and again.can_undo
        assert path.read_bytes() == before
    path.write_bytes(before + line)  # the act is whole, only its hash was not kept
    heads.write_bytes(head)
    assert len(Desk(recording, "anna").labels) == 3


def test_what_should_be_is_told_the_same_every_time(tmp_path: Path) -> None:
    assert forward(5, 40).states == forward(5, 40).states
    Desk(tmp_path / "P1_session-0.h5", "anna").add(forward(5, 1).labels["1.0"])
    check(tmp_path / "P1_session-0.h5", forward(5, 1))
