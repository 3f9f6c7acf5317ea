"""The pieces that come with emolab, by name: `most_negative-1` … `most_positive-7`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from emolab.composer.recipe import Recipe
from emolab.composer.states import less_negative, less_positive, most_negative, most_positive, neutral
from emolab.core.errors import ConfigError

SOURCE = "emolab composer"
LICENCE = "CC0-1.0"
SECONDS = 30.0
RATE_HZ = 48_000

# in the order of the five steps, most negative first
_RECIPES: dict[str, tuple[Recipe, ...]] = {
    "most_negative": most_negative.RECIPES,
    "less_negative": less_negative.RECIPES,
    "neutral": neutral.RECIPES,
    "less_positive": less_positive.RECIPES,
    "most_positive": most_positive.RECIPES,
}


@dataclass(frozen=True)
class Piece:
    """One clip of the default bank: `number` counts from 1 within its intended `state`."""

    id: str
    state: str
    number: int
    title: str
    source: str = SOURCE
    licence: str = LICENCE

    @property
    def file(self) -> str:
        """Where the clip lies, relative to the bank's manifest."""
        return f"clips/{self.id}.flac"


@cache
def catalogue() -> tuple[Piece, ...]:
    """All 35 pieces, by state and number."""
    return tuple(
        Piece(f"{state}-{number}", state, number, recipe.title)
        for state, recipes in _RECIPES.items()
        for number, recipe in enumerate(recipes, start=1)
    )


def piece(piece_id: str) -> Piece:
    """The piece of that id. Raises `ConfigError` for an id that is none of the 35."""
    for each in catalogue():
        if each.id == piece_id:
            return each
    raise ConfigError(
        f"{piece_id!r} is no piece of the emolab composer; "
        f"its pieces are {catalogue()[0].id} to {catalogue()[-1].id}"
    )


def recipe_of(each: Piece) -> Recipe:
    """How the piece is made."""
    return _RECIPES[each.state][each.number - 1]


def seed_of(each: Piece) -> int:
    """The number that settles the piece's chances."""
    return 100 * (1 + list(_RECIPES).index(each.state)) + each.number
