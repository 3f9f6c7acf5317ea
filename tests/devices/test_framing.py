"""Frames as bytes: every count of the protocol is met with a stream that was damaged on purpose."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolab.devices import emolab_board
from emolab.devices.framing import FrameParser, Hello, crc16, decode, encode, encode_hello, encode_sample

HELLO = Hello((1, 0), 2, 10, 250.0)
PERIOD_US = 4000


def frame(index: int, *, counter: int | None = None, us: int | None = None) -> bytes:
    """Sample `index` of a board that started at zero."""
    counter = index if counter is None else counter
    return encode_sample(counter, index * PERIOD_US if us is None else us, (index % 1024, 7), 2)


def opened(hello: Hello = HELLO) -> FrameParser:
    parser = FrameParser()
    parser.feed(b"\0" + encode_hello(hello))
    return parser


def counts(parser: FrameParser) -> tuple[int, int, int, int]:
    return parser.lost, parser.corrupt, parser.duplicated, parser.restarts


def test_crc_is_the_one_called_ccitt_false() -> None:
    assert crc16(b"123456789") == 0x29B1


def test_example_of_the_specification_is_true_to_the_byte() -> None:
    text = re.sub(r"\s+", " ", emolab_board.__doc__ or "")
    example = re.search(r"on the wire ((?:[0-9A-F]{2} )+[0-9A-F]{2})\.", text)
    assert example is not None
    assert encode_sample(1, 4096, (513,), 2) == bytes.fromhex(example[1])


def test_hello_has_the_bytes_of_the_specification() -> None:
    body = decode(encode_hello(Hello((3, 9), 8, 24, 1000.0))[:-1])
    assert body == bytes([0x48, 1, 3, 9, 8, 24]) + (1_000_000).to_bytes(4, "little")


@given(st.binary(min_size=1, max_size=600))
def test_decoding_undoes_encoding_and_no_zero_is_inside(body: bytes) -> None:
    wire = encode(body)
    assert wire.index(0) == len(wire) - 1
    assert decode(wire[:-1]) == body


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_are_refused_but_never_raise(data: bytes) -> None:
    decode(data.replace(b"\0", b""))


@given(st.lists(st.integers(0, 2000), max_size=8), st.binary(max_size=80))
def test_samples_do_not_depend_on_how_the_bytes_are_cut(cuts: list[int], noise: bytes) -> None:
    wire = b"half\0" + encode_hello(HELLO) + b"".join(frame(i) for i in range(40))
    wire += noise + b"\0" + b"x" * 90 + b"\0" + b"".join(frame(i) for i in range(43, 60))
    whole, cut = FrameParser(), FrameParser()
    expected = whole.feed(wire)
    edges = [0, *sorted(min(cut_at, len(wire)) for cut_at in cuts), len(wire)]
    found = [sample for left, right in pairwise(edges) for sample in cut.feed(wire[left:right])]
    assert found == expected
    assert counts(cut) == counts(whole)


def test_what_precedes_the_first_zero_is_dropped_and_not_counted() -> None:
    parser = FrameParser()
    assert parser.feed(b"\x07\x53half a frame\0" + encode_hello(HELLO) + frame(5))[0].counter == 5
    assert counts(parser) == (0, 0, 0, 0)


def test_samples_before_the_first_hello_are_not_counted() -> None:
    parser = FrameParser()
    assert parser.feed(b"\0" + frame(0) + frame(5)) == []
    assert counts(parser) == (0, 0, 0, 0)


def test_left_out_samples_are_lost_exactly() -> None:
    parser = opened()
    parser.feed(b"".join(frame(i) for i in range(100) if i not in (3, 4, 50)))
    assert counts(parser) == (3, 0, 0, 0)


def test_damaged_sample_is_one_corrupt_frame_and_one_lost_sample() -> None:
    parser = opened()
    bad = bytearray(frame(1))
    bad[5] ^= 0x55
    parser.feed(frame(0) + bytes(bad) + frame(2))
    assert counts(parser) == (1, 1, 0, 0)


def test_damaged_hello_is_a_corrupt_frame_only() -> None:
    parser = opened()
    bad = bytearray(encode_hello(HELLO))
    bad[3] ^= 0x55
    parser.feed(frame(0) + bytes(bad) + frame(1))
    assert counts(parser) == (0, 1, 0, 0)


def test_a_lost_delimiter_costs_one_corrupt_frame_and_two_samples() -> None:
    parser = opened()
    parser.feed(frame(0) + frame(1)[:-1] + frame(2) + frame(3))
    assert counts(parser) == (2, 1, 0, 0)


def test_repeats_are_kept_once() -> None:
    parser = opened()
    samples = parser.feed(frame(0) + frame(1) + frame(1) + frame(2) + frame(0) + frame(3))
    assert [sample.counter for sample in samples] == [0, 1, 2, 3]
    assert counts(parser) == (0, 0, 2, 0)


def test_counter_and_clock_are_unwrapped() -> None:
    parser = opened()
    first_us = 2**32 - 3 * PERIOD_US
    wire = [encode_sample(65530 + i, first_us + i * PERIOD_US, (i, 0), 2) for i in range(12)]
    samples = parser.feed(b"".join(wire))
    assert [sample.counter for sample in samples] == list(range(65530, 65542))
    assert [sample.device_us for sample in samples] == [first_us + i * PERIOD_US for i in range(12)]
    assert counts(parser) == (0, 0, 0, 0)


@pytest.mark.parametrize("missing", [1, 64, 65_535, 65_536, 65_600, 200_000])
def test_losses_are_exact_though_the_counter_went_round(missing: int) -> None:
    parser = opened()
    parser.feed(b"".join(frame(i) for i in range(300)))
    sample = parser.feed(frame(300 + missing))[0]
    assert sample.counter == 300 + missing
    assert counts(parser) == (missing, 0, 0, 0)


@pytest.mark.parametrize("ran", [300, 5_000, 65_536, 70_000, 1_073_000])
def test_reset_in_mid_session_is_no_loss_of_thousands(ran: int) -> None:
    parser = opened()
    before = parser.feed(b"".join(frame(i) for i in range(ran - 100, ran)))[-1]
    after = parser.feed(b"\0" + encode_hello(HELLO) + frame(0, us=900) + frame(1, us=4900))
    assert counts(parser) == (0, 0, 0, 1)
    assert [sample.is_first for sample in after] == [True, False]
    assert [sample.counter for sample in after] == [before.counter + 1, before.counter + 2]
    assert after[0].device_us > before.device_us
    assert after[0].device_us % 2**32 == 900


def test_reset_by_opening_the_port_is_not_counted_twice() -> None:
    parser = opened()
    parser.feed(b"".join(frame(i) for i in range(1000)))
    parser.resync()
    # bytes of the old run still come, then the board starts
    parser.feed(b"\0" + frame(1002) + b"\0" + encode_hello(HELLO) + frame(0, us=900))
    assert counts(parser) == (2, 0, 0, 0)


def test_board_that_ran_on_while_unplugged_tells_what_was_lost() -> None:
    parser = opened()
    parser.feed(b"".join(frame(i) for i in range(1000)))
    parser.resync()
    parser.feed(b"rest\0" + b"".join(frame(i) for i in range(3000, 3100)))
    assert counts(parser) == (2000, 0, 0, 0)


@pytest.mark.parametrize("bits", [10, 16, 17, 24])
def test_values_of_every_width_come_through(bits: int) -> None:
    top = 2**bits - 1
    hello = Hello((1, 0), 3, bits, 250.0)
    parser = opened(hello)
    assert parser.feed(encode_sample(0, 0, (0, 1, top), hello.width))[0].values == (0, 1, top)


def test_value_beyond_the_converter_is_corrupt() -> None:
    parser = opened()
    assert parser.feed(encode_sample(0, 0, (1024, 0), 2)) == []
    assert counts(parser) == (0, 1, 0, 0)
