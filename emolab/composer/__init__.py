"""Sound: the default clip bank, composed here, and the checks any bank must pass.

    pieces      the 35 pieces by name              states/     what each state sounds like: recipes
    compose     a recipe becomes a score           harmony     scales, chords, voicings
    synth       a score becomes sound              voices, room, exact   instruments, reverb, arithmetic
    audio       files, loudness, peaks, fades      clipcheck   what is wrong with a clip, in one line
    bank        pieces become files and rows       adopt       a laboratory's own piece
    recipe, score   the two forms a piece takes

A piece goes recipe → score → samples → FLAC, and each step is a plain function of the one before:
no state, no clock, and no arithmetic that differs between machines (`exact` says how).

One more piece is one more `Recipe` in its state's file; one more instrument is one line in `voices.VOICES`.
What may enter: sound as arrays and files. What may not: playing it (session), the protocol's bank and
manifest reading (protocol), windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emolab.composer.pieces import Piece, catalogue

if TYPE_CHECKING:
    from emolab.composer.audio import Samples

__all__ = ["Piece", "catalogue", "render"]


def render(piece_id: str, seconds: float = 30.0, rate_hz: int = 48_000) -> Samples:
    """A piece as sound, see `bank.render`; the libraries it needs are loaded only now."""
    from emolab.composer import bank

    return bank.render(piece_id, seconds, rate_hz)
