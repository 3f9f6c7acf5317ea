"""What the participant's page is told of a report."""

from __future__ import annotations

from emolab.core import shipped
from emolab.protocol import texts
from emolab.session.stage import stage_view
from tests.protocol.test_runner import CLIP_2_S, RATE_1_S, Story


def test_a_page_that_comes_after_the_confirmation_is_told_of_it() -> None:
    story, words = Story(ends_early=False), texts.load(shipped.folder("protocols") / "texts", "en")
    story.until(RATE_1_S)
    for kind, state, chosen, is_confirmed in (
        ("choose", "neutral", "neutral", False),
        ("confirm", None, "neutral", True),
    ):
        story.answer(kind, RATE_1_S + 2.0, state)
        view = stage_view(story.runner.status, words)
        assert (view.page, view.chosen, view.is_confirmed) == ("rate", chosen, is_confirmed)
    story.until(CLIP_2_S)
    assert not stage_view(story.runner.status, words).is_confirmed
