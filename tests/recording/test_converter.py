"""The ends of a channel's converter: told by the instrument, guessed, or unknown."""

from __future__ import annotations

from typing import Any

import pytest

from emolab.core.stream import Channel, StreamInfo
from emolab.recording import converter


def board(scale: float = 1.0, offset: float = 0.0, **instrument: Any) -> StreamInfo:
    return StreamInfo(
        "board", (Channel("gsr", "eda", "uS", scale, offset),), 250.0, "int16", (1,), instrument
    )


@pytest.mark.parametrize("key", ["adc_bits", "bits"])
def test_a_converter_ends_at_its_bits_in_the_channel_s_unit(key: str) -> None:
    info = board(0.01, -2.0, **{key: 12})
    assert converter.ends(info, info.channels[0]) == (-2.0, pytest.approx(38.95))


def test_the_least_value_comes_first_also_where_counts_fall() -> None:
    info = board(-0.01, 40.0, bits=12)
    assert converter.ends(info, info.channels[0]) == (pytest.approx(-0.95), 40.0)


@pytest.mark.parametrize("bits", [None, 0, -12, 4000, "sixteen", float("nan"), [12]])
def test_bits_that_are_none_leave_the_ends_unknown(bits: object) -> None:
    info = board(bits=bits)
    assert converter.counts(info) is None and converter.ends(info, info.channels[0]) is None
    assert converter.ends(info, info.channels[0], (0.0, 1023.0)) == (0.0, 1023.0)


def test_a_guess_does_not_outdo_the_instrument() -> None:
    info = board(bits=12)
    assert converter.ends(info, info.channels[0], (0.0, 1023.0)) == (0.0, 4095.0)
