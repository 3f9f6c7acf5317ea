"""Acts in words."""

from __future__ import annotations

from datetime import UTC, datetime

from emolab.recording.label_ledger import Act
from emolab.review.history import told


def test_an_act_that_changes_no_label_is_told_as_one() -> None:
    act = Act(2, datetime(2026, 11, 22, tzinfo=UTC), "edit", (), "predict", by={"weights": "c0ffee"})
    assert told(act) == "the same labels again, “predict”"
