"""Whatever is altered in a ledger of random edits is found: any byte, any line gone, moved, doubled, put in.

What a chain of hashes cannot tell: a ledger forged anew from its first line, hashes, `heads.json` and all.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from emolab.core.errors import RecordingError
from emolab.core.label import STATES
from emolab.recording import label_ledger as ledger
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk


def edited(recording: Path, seed: int, acts: int) -> Path:
    """A ledger of random acts."""
    chance = random.Random(seed)
    desk = Desk(recording, "anna")
    while len(desk.ledger.acts) < acts:
        names = sorted(desk.labels)
        match chance.choice(["add", "add", "undo", "redo", "split", "remove"]):
            case "add":
                state = chance.choice(STATES)
                start_s = chance.uniform(0, 100)
                desk.add(
                    TimedLabel(
                        start_s, start_s + 1, state=state.key, note=chance.choice(["", "ü „x“", '","hash":"'])
                    ),
                    chance.choice(["", "because"]),
                )
            case "split" if names:
                name = chance.choice(names)
                desk.split(name, (desk.labels[name].start_s + desk.labels[name].end_s) / 2)
            case "remove" if names:
                desk.remove(chance.choice(names))
            case "undo":
                desk.undo()
            case "redo":
                desk.redo()
    return desk.ledger.path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of twelve acts."""
    return edited(tmp_path_factory.mktemp("ledger") / "P1_session-0.h5", 1, 12)


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of another ledger of the same analyst for the same session."""
    path = edited(tmp_path_factory.mktemp("ledger") / "P1_session-0.h5", 2, 12)
    return path.read_bytes().splitlines(keepends=True)


def is_found(path: Path, content: bytes) -> bool:
    sound = path.read_bytes()
    try:
        path.write_bytes(content)
        ledger.read(path)
    except RecordingError:
        return True
    finally:
        path.write_bytes(sound)
    return False


def test_every_byte_that_is_altered_is_found(written: Path) -> None:
    sound = written.read_bytes()
    chance = random.Random(3)
    missed = []
    for at in range(len(sound)):
        altered = bytearray(sound)
        altered[at] ^= 1 << chance.randrange(8)
        if not is_found(written, bytes(altered)):
            missed.append((at, sound[max(at - 20, 0) : at + 20]))
    assert missed == []
    assert len(ledger.read(written).acts) == 12


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=some.data())
def test_every_other_order_or_number_of_lines_is_found(
    written: Path, another: list[bytes], data: some.DataObject
) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    altered = list(lines)
    for _ in range(data.draw(some.integers(1, 3))):
        at = data.draw(some.integers(0, len(altered) - 1)) if altered else 0
        match data.draw(some.sampled_from(["remove", "swap", "double", "put", "cut"])):
            case "remove" if altered:
                del altered[at]
            case "swap" if altered:
                other = data.draw(some.integers(0, len(altered) - 1))
                altered[at], altered[other] = altered[other], altered[at]
            case "double" if altered:
                altered.insert(data.draw(some.integers(0, len(altered))), altered[at])
            case "put":
                altered.insert(at, data.draw(some.sampled_from(another)))
            case _:
                altered = altered[:at]
    assume(altered != lines)
    assert is_found(written, b"".join(altered))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=some.floats(0, 1), put=some.binary(min_size=1, max_size=40), length=some.integers(0, 40))
def test_bytes_written_over_any_part_are_found(written: Path, at: float, put: bytes, length: int) -> None:
    sound = written.read_bytes()
    place = int(at * (len(sound) - 1))
    altered = sound[:place] + put + sound[place + length :]
    assume(altered != sound)
    assume(not altered.startswith(sound))  # half a line at the end is what a kill leaves, and is set aside
    assert is_found(written, altered)


def test_a_ledger_from_which_the_end_was_cut_is_found_wherever_it_was_cut(written: Path) -> None:
    sound = written.read_bytes()
    kept = [size for size in range(0, len(sound), 3) if not is_found(written, sound[:size])]
    assert kept == []
