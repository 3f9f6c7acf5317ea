"""Which state comes when: the paper's rule, counterbalanced, the same on every machine.

Clips of one state stand together in a run. Neutral stands between the negative and the positive
runs, so that no opposite follows its opposite directly: 2 · 2 · 2 = 8 sequences. They form four
mirror pairs; pairs and the order inside each are shuffled into a list of eight, a new one for
every block of eight participants (1 to 8, 9 to 16, ...). So each sequence is used once a block,
each state but neutral stands twice at each of positions 1, 2, 4 and 5, and after every second
participant as many began with the negative half as with the positive. Number 0, which a typed P000
brings, is the last of the block before: whoever counts from 0 is one participant off balance.

With neutral `first` or `last` the two halves touch and a wash-out separates them; `rotate` uses
all three places: 24 sequences, blocks of 24.

That is rule 2. Rule 1 counted the blocks from 0 (0 to 7, 8 to 15, ...), of which P001 to P008 are no
block. A recording says in its header by which rule it was laid out, so that what was begun by rule 1
goes on by it. Only the order of states differs: which clips are heard, and their order within a state,
are the same by both.

Draws come from SHA-256 of the key in words, so they depend neither on the platform nor on the
version of Python or numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import count
from typing import TypeVar

from emolab.core.errors import ConfigError
from emolab.core.label import STATES, state
from emolab.protocol.steps import NeutralPosition

T = TypeVar("T")
Sequence5 = tuple[str, ...]  # five state keys, in the order their runs are played

RULE = 2  # by which new participants' orders are laid out
_FIRST_NUMBER = {1: 0, 2: 1}  # of each rule: where its first block begins

_NEGATIVE = tuple(s.key for s in STATES if s.group == "negative")
_POSITIVE = tuple(s.key for s in STATES if s.group == "positive")
_NEUTRAL = "neutral"
_PLACES = {"first": (0,), "middle": (2,), "last": (4,), "rotate": (0, 2, 4)}


def shuffled(items: Sequence[T], *key: object) -> list[T]:
    """`items` in an order that `key` alone decides. `key`: numbers and words without `|`."""
    mixed = list(items)
    draws = _draws(key)
    for last in range(len(mixed) - 1, 0, -1):
        other = next(draws) % (last + 1)  # 64 bits: the bias is below 1e-17
        mixed[last], mixed[other] = mixed[other], mixed[last]
    return mixed


def _draws(key: tuple[object, ...]) -> Iterator[int]:
    words = "|".join(str(part) for part in ("emolab order 1", *key))
    for n in count():
        yield int.from_bytes(sha256(f"{words}|{n}".encode()).digest()[:8], "big")


def sequences(neutral_position: NeutralPosition = "middle") -> tuple[Sequence5, ...]:
    """Every sequence of states the rule allows: 8, or 24 for `rotate`."""
    return tuple(sequence for pair in mirror_pairs(neutral_position) for sequence in pair)


def mirror_pairs(neutral_position: NeutralPosition = "middle") -> tuple[tuple[Sequence5, Sequence5], ...]:
    """Each allowed sequence with its mirror: the four others reversed, neutral where it was."""
    if neutral_position not in _PLACES:
        raise ConfigError(
            f"neutral_position {neutral_position!r} is none of {', '.join(_PLACES)}; write one of them"
        )
    pairs = []
    for place in _PLACES[neutral_position]:
        for negative in (_NEGATIVE, _NEGATIVE[::-1]):
            for positive in (_POSITIVE, _POSITIVE[::-1]):
                four = [*negative, *positive]
                forward, backward = list(four), four[::-1]
                forward.insert(place, _NEUTRAL)
                backward.insert(place, _NEUTRAL)
                pairs.append((tuple(forward), tuple(backward)))
    return tuple(pairs)


def state_sequence(
    participant: int, seed: int, neutral_position: NeutralPosition = "middle", rule: int = RULE
) -> Sequence5:
    """The order of states for one participant (numbered from 1); the same in all their sessions.

    Raises `ConfigError` for a rule that is not known here.
    """
    if rule not in _FIRST_NUMBER:
        raise ConfigError(
            f"the order was laid out by rule {rule}, this emolab knows {', '.join(map(str, _FIRST_NUMBER))}; "
            "use a newer emolab"
        )
    pairs = mirror_pairs(neutral_position)
    block, place = divmod(participant - _FIRST_NUMBER[rule], 2 * len(pairs))
    pair_index, member = divmod(place, 2)
    drawn = shuffled(range(len(pairs)), seed, "pairs", neutral_position, block)[pair_index]
    return shuffled(pairs[drawn], seed, "inside", neutral_position, block, pair_index)[member]


def run_order(clips: Sequence[T], seed: int, participant: int, session: int, state_key: str) -> list[T]:
    """The clips of one run in the order they are played."""
    return shuffled(clips, seed, "run", participant, session, state_key)


def needs_washout(before: str, after: str) -> bool:
    """True between states of opposite sign."""
    return state(before).rank * state(after).rank < 0
