"""What could not be recorded is counted by stream and told a stretch at a time."""

from __future__ import annotations

from emolab.recording.losses import OVERRUN, UNFIT, Losses


def test_a_stretch_is_one_gap_from_its_first_sample_to_its_last() -> None:
    losses = Losses(OVERRUN)
    assert losses.add("board", 25, 1.0, 1.1) == 0
    assert losses.add("board", 25, 1.1, 1.2) == 25
    assert "board" in losses and losses.streams == ["board"]
    gap = losses.gap("board")
    assert (gap.time_s, gap.kind) == (1.0, "gap")
    assert gap.data == {"stream": "board", "lost": 50, "seconds": 0.2, "reason": "writer overrun"}
    assert "board" not in losses and losses.streams == []


def test_each_stretch_counts_anew_and_all_are_in_the_total() -> None:
    refused, unfit = Losses(OVERRUN), Losses(UNFIT)
    for at_s in (1.0, 5.0):
        refused.add("board", 10, at_s, at_s + 1)
        assert refused.gap("board").data["lost"] == 10
    unfit.add("board", 3, 9.0, 9.0)
    unfit.add("camera", 1, 9.0, 9.0)
    assert refused.total == {"board": 20} and unfit.total == {"board": 3, "camera": 1}
    assert "board" not in refused and unfit.gap("board").data["reason"] == "not recordable"
