"""The head of the run page: what it says of the present step, and which buttons it offers with a concern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from emolab.gui.console.run_page import RunPage
from emolab.session.snapshot import Snapshot
from tests.gui import engine_states as states
from tests.gui.windows import destroy

SOUND_GONE = "The sound output is gone. Plug it in again."
SCREEN_GONE = "The participant's screen is gone. Plug it in again."
RED = (replace(states.BOARD, level="act", message="Board is silent."), *states.STREAMS[1:])


@pytest.fixture
def page(qtbot: Any, dressed: Any) -> Iterator[RunPage]:
    made = RunPage()
    made.resize(1366, 700)
    made.show()
    yield made
    destroy(made)


def test_a_step_the_session_waits_before_is_the_next_one_not_the_present(page: RunPage) -> None:
    index = states.step_of_trial(8)
    before = tuple(replace(s, status="done" if s.index < index else "waiting") for s in states.steps())
    page.show_snapshot(replace(states.paused(), step=index, steps=before))
    assert page.header._step.text() == "paused"
    assert page.header._next.text().startswith("next: clip 8 of 15")


@pytest.mark.parametrize(
    ("snapshot", "retries", "moves"),
    [
        (states.running(message=SOUND_GONE), False, False),  # nothing can be tried before the clip is over
        (replace(states.holding(), message=SOUND_GONE, screen="PART"), True, False),
        (replace(states.holding(), message=SCREEN_GONE, streams=RED), True, True),
        (states.running(screen="", streams=RED), True, False),
        (states.unwell(), True, False),
    ],
    ids=["running without sound", "holding", "screen gone and board silent", "no page yet", "silent"],
)
def test_a_button_is_offered_only_for_what_it_can_do(
    page: RunPage, snapshot: Snapshot, retries: bool, moves: bool
) -> None:
    page.show_snapshot(snapshot)
    assert (page.banner.retry_button.isVisible(), page.banner.move_button.isVisible()) == (retries, moves)
