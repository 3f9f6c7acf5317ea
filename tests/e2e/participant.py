"""A participant with a mouse and a keyboard before the second screen.

Places are parts of the screen's width and height, as the pages lie at 1024 × 768.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from emolab.core.label import STATES
from emolab.session.snapshot import Snapshot
from tests.e2e.laboratory import Laboratory

TICK, CONTINUE = (0.156, 0.776), (0.774, 0.776)  # of the consent page
CARDS = [((127.5 + 192 * number) / 1024, 0.372) for number in range(5)]  # the circles, most negative first
WORD_ROWS = (0.436, 0.504, 0.569)
CONFIRM = (0.5, 0.679)
AGAIN_AFTER_S = 12.0  # what nothing came of is done once more: the page was not painted yet


class Participant:
    """Does what one would do; each deed waits until the engine has heard of it."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._lab = laboratory
        self._desktop = laboratory.desktop

    def agree(self) -> None:
        """Tick the box and go on, with the mouse."""
        self._see("consent")

        def tick_and_continue() -> None:
            self._click(TICK)
            self._click(CONTINUE)

        self._until("left the consent page", lambda seen: seen.stage.page != "consent", tick_and_continue)

    def go_on(self) -> None:
        """Read the instructions and press Enter."""
        self._see("instruct")
        self._until(
            "left the instructions",
            lambda seen: seen.stage.page != "instruct",
            lambda: self._desktop.key("Return"),
        )

    def choose(self, rank: int) -> None:
        """Click one of the five cards; 0 is the most negative."""
        self._see("rate")
        self._hears_of(rank, lambda: self._click(CARDS[rank]))

    def choose_by_key(self, rank: int) -> None:
        """The same with a key, 1 to 5."""
        self._see("rate")
        self._hears_of(rank, lambda: self._desktop.key(str(rank + 1)))

    def pick_word(self, rank: int, row: int) -> str:
        """Click a word of the card chosen; returns it as it is stored."""
        word = STATES[rank].words[row]
        self._until(
            f"had {word} picked",
            lambda seen: seen.stage.word == word,
            lambda: self._click((CARDS[rank][0], WORD_ROWS[row])),
        )
        return word

    def confirm(self, by_mouse: bool = False) -> None:
        """Stand by the choice."""
        step = self._lab.snapshot().step

        def stand_by_it() -> None:
            if by_mouse:
                self._click(CONFIRM)
            else:
                self._desktop.key("Return")

        self._until(
            "took the answer", lambda seen: seen.step != step or seen.phase == "finished", stand_by_it
        )

    def _hears_of(self, rank: int, do: Callable[[], None]) -> None:
        state = STATES[rank].key
        self._until(f"had {state} chosen", lambda seen: seen.stage.chosen == state, do)

    def _until(self, what: str, comes_true: Callable[[Snapshot], bool], do: Callable[[], None]) -> None:
        do()
        try:
            self._lab.wait(what, comes_true, AGAIN_AFTER_S)
        except AssertionError:
            do()
            self._lab.wait(what, comes_true)

    def _see(self, page: str) -> None:
        """Wait for a page, and a blink until it can be seen."""
        self._lab.wait(f"showed the page {page}", lambda seen: seen.stage.page == page)
        time.sleep(0.3)

    def _click(self, place: tuple[float, float]) -> None:
        self._desktop.click(*self._desktop.on("PART", *place))
