"""The ends of a channel's converter, and which way it goes: told, guessed, or unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest

from emolab.core.stream import Channel, StreamInfo
from emolab.devices.channels import Scaling, make_channels
from emolab.recording import converter, layout
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from tests.recording import made


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


@pytest.mark.parametrize(
    ("told", "model", "expected"),
    [
        (None, "PhysioKit", True), (False, "PhysioKit", False),
        (None, "LSL", None), (True, "LSL", True), (False, "emolab board", False), ("no", "LSL", None),
    ],
)  # fmt: skip
def test_which_way_skin_conductance_goes_is_what_the_device_file_says(
    told: bool | None, model: str, expected: bool | None
) -> None:
    channel = Channel("gsr", "eda", falls=told)
    info = StreamInfo("board", (channel,), 250.0, "int16", (1,), {"model": model})
    assert converter.is_falling(info, channel) is expected


@pytest.mark.parametrize(
    ("told", "model", "expected"),
    [(None, "PhysioKit", True), (False, "PhysioKit", False), (True, "LSL", True), (None, "LSL", None)],
)
def test_counts_fall_whatever_they_were_made_into(
    told: bool | None, model: str, expected: bool | None
) -> None:
    channel = Channel("gsr", "eda", "uS", 0.0195, -0.4, told)
    info = StreamInfo("board", (channel,), 250.0, "int16", (1,), {"model": model})
    assert converter.counts_fall(info, channel) is expected
    assert converter.is_falling(info, channel) is told  # of values only what was said


@pytest.mark.parametrize("scale", [0.01, -0.01])
@pytest.mark.parametrize("falls", [True, False])
def test_what_a_device_file_says_of_counts_is_kept_of_values(falls: bool, scale: float) -> None:
    """In a unit that says nothing of skin: a negative scale has turned the values."""
    (channel,) = make_channels(["gsr"], {"gsr": Scaling(unit="mV", scale=scale, falls=falls)})
    info = StreamInfo("board", (channel,), 250.0, "int16", (1,))
    assert converter.counts_fall(info, channel) is falls
    assert converter.is_falling(info, channel) is (falls != (scale < 0))


def test_a_recording_keeps_which_way_skin_conductance_goes(tmp_path: Path) -> None:
    channels = (Channel("gsr", "eda", falls=True), Channel("wrist", "eda", falls=False), Channel("x", "eda"))
    info = StreamInfo("board", channels, 250.0, "uint16", (3,))
    writer = SessionWriter(tmp_path / "P1_session-0.h5", made.HEADER)
    writer.open([info])
    writer.close()
    with Session.open(tmp_path / "P1_session-0.h5") as session:
        assert session.streams["board"].info.channels == channels
    with h5py.File(tmp_path / "P1_session-0.h5") as file:
        told = json.loads(layout.get_text(file["streams/board"], "channels"))
    # where nothing is said nothing is written: an older emolab knows no such fact and reads the file
    assert [channel.get("falls", "not told") for channel in told] == [True, False, "not told"]


def test_a_guess_does_not_outdo_the_instrument() -> None:
    info = board(bits=12)
    assert converter.ends(info, info.channels[0], (0.0, 1023.0)) == (0.0, 4095.0)
