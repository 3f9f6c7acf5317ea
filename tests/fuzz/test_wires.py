"""What comes over a wire: bytes of boards, lines of windows; nothing makes the program crash or grow."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.devices.framing import FrameParser, Hello, encode, encode_hello, encode_sample
from emolab.devices.physiokit import LineParser
from emolab.session import link
from emolab.session.address import EngineAddress, address_path, read_address
from emolab.session.client import EngineClient
from emolab.session.link import Line, Server, is_alive
from emolab.session.snapshot import Snapshot

QUICKLY = settings(max_examples=80, deadline=None)
PATIENCE_S = 60.0
ENDLESS = 64  # megabytes sent where a line or frame never ends

LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.lists(st.integers(0, 70_000), min_size=1, max_size=5).map(
            lambda r: b",".join(b"%d" % n for n in r)
        ),
        st.just(b"9" * 90),
        st.just(b""),
    ),
    max_size=20,
).map(lambda lines: b"\n".join(lines))

FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=90),
        st.binary(min_size=1, max_size=40).map(encode),
        st.builds(
            lambda major, channels, bits, mhz: encode_hello(Hello((major, 0), channels, bits, mhz / 1000)),
            st.integers(0, 255),
            st.integers(0, 255),
            st.integers(0, 255),
            st.integers(0, 2**32 - 1),
        ),
        st.builds(
            lambda counter, us, value: encode_sample(counter, us, (value,) * 2, 2),
            st.integers(0, 2**16),
            st.integers(0, 2**32),
            st.integers(0, 2**16 - 1),
        ),
    ),
    max_size=20,
).map(b"".join)


def pieces(wire: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    return [wire[left:right] for left, right in pairwise(edges)]


CUTS = st.lists(st.integers(0, 900), max_size=12)


@QUICKLY
@given(LINES, CUTS, st.integers(1, 4), st.sampled_from([1023, 65535, 2**32 - 1]))
def test_lines_give_the_same_rows_however_they_are_cut(
    wire: bytes, cuts: list[int], fields: int, limit: int
) -> None:
    whole, cut = LineParser(fields, limit), LineParser(fields, limit)
    numbers, rows = whole.feed(wire)
    found: tuple[list[int], list[tuple[int, ...]]] = ([], [])
    for piece in pieces(wire, cuts):
        more = cut.feed(piece)
        found[0].extend(more[0])
        found[1].extend(more[1])
    assert found == (numbers, rows)
    assert (cut.lines, cut.corrupt) == (whole.lines, whole.corrupt)
    assert all(len(row) == fields and 0 <= max(row) <= limit for row in rows)


@QUICKLY
@given(FRAMES, CUTS)
def test_frames_give_the_same_samples_however_they_are_cut(wire: bytes, cuts: list[int]) -> None:
    wire = b"\0" + encode_hello(Hello((1, 0), 2, 16, 250.0)) + wire + b"\0"
    whole, cut = FrameParser(), FrameParser()
    expected = whole.feed(wire)
    found = [sample for piece in pieces(wire, cuts) for sample in cut.feed(piece)]
    assert found == expected
    assert vars(cut) == vars(whole)  # nothing waits for its end any more
    assert all(after.counter > before.counter for before, after in pairwise(expected))
    assert all(after.device_us >= before.device_us for before, after in pairwise(expected))


@pytest.mark.parametrize("parser", [LineParser(4, 1023), FrameParser()], ids=["lines", "frames"])
def test_a_line_without_end_takes_no_memory(parser: LineParser | FrameParser) -> None:
    parser.feed(b"\n\0")
    piece = b"7" * (1 << 20)
    tracemalloc.start()
    for _ in range(ENDLESS):
        parser.feed(piece)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    parser.feed(b"\n\0")
    assert parser.corrupt == 1


class Engine:
    """A server that answers everything with what it was asked."""

    def __init__(self, study: Path) -> None:
        self.gone: list[int] = []
        self.server = Server(study, study, lambda asked, _: json.dumps(asked), self.gone.append)
        address = read_address(study)
        assert address is not None
        self.address = address

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.address.port), timeout=PATIENCE_S)

    def answers(self) -> bool:
        """Whether a window is served by and by; a machine that is busy may need several calls."""
        wait_until(lambda: is_alive(self.address))
        return True


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.server.close()


def wait_until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def say(connection: socket.socket, words: bytes) -> None:
    """Send this to an engine that may have hung up before the end of it."""
    with suppress(ConnectionError):
        connection.sendall(words)


def is_hung_up(connection: socket.socket) -> bool:
    """Whether the engine closes the connection instead of serving it."""
    try:
        while piece := connection.recv(65536):
            assert b"wrong token" in piece
    except ConnectionError:
        pass
    return True


GREETINGS = [
    b"\n",
    b"{}\n",
    b"[]\n",
    b"null\n",
    b"7\n",
    b"\xff\xfe\n",
    b'{"token": null}\n',
    b'{"token": ["a"]}\n',
    b'{"token": "\\ud800"}\n',
    b'{"token": ""}\n',
    b"[" * 4000 + b"\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"9" * 4000 + b"\n",
    b"x" * 100_000,
    b'{"token": "' + b"a" * 32 + b'"}\n{"do": "shutdown"}\n',
]


@pytest.mark.parametrize("greeting", GREETINGS, ids=lambda greeting: repr(greeting[:20]))
def test_a_stranger_is_hung_up_on(engine: Engine, greeting: bytes) -> None:
    with engine.connect() as connection:
        say(connection, greeting)
        assert is_hung_up(connection)
    wait_until(lambda: engine.server.connections == 0)
    assert engine.answers()


@pytest.mark.parametrize(
    "line", [b"[]\n" * 3, b"\xff\n", b"nonsense\n", b"[" * 100_000 + b"\n", b"1" * 9000 + b"\n"]
)
def test_a_window_that_talks_nonsense_harms_only_itself(engine: Engine, line: bytes) -> None:
    good = Line.dial(engine.address, PATIENCE_S)
    with engine.connect() as bad:
        say(bad, json.dumps({"token": engine.address.token}).encode() + b"\n" + line)
        good.send_text('{"do": "x"}')
        assert good.receive_text() == '{"do": "x"}\n'
    good.close()


def test_a_line_without_end_is_not_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tracemalloc.start()
    with engine.connect() as connection:
        connection.sendall(json.dumps({"token": engine.address.token}).encode() + b"\n")
        assert connection.recv(100) == b'{"ok": true}\n'
        with pytest.raises(OSError):
            for _ in range(200):
                connection.sendall(b"x" * (1 << 20))
    assert tracemalloc.get_traced_memory()[1] < 4 * link.LINE_BYTES
    tracemalloc.stop()
    assert engine.answers()


def test_who_says_nothing_is_hung_up_on_and_windows_are_served_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "GREETING_S", 1.0)
    silent = [engine.connect() for _ in range(20)]
    half = engine.connect()
    say(half, b'{"tok')
    assert engine.answers()
    for connection in [*silent, half]:
        assert is_hung_up(connection)
        connection.close()
    wait_until(lambda: engine.server.connections == 0)


def test_a_crowd_is_turned_away_and_threads_do_not_grow(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "CONNECTIONS", 8)
    monkeypatch.setattr(link, "GREETING_S", PATIENCE_S)  # the first eight stay
    before = threading.active_count()
    crowd = []
    for number in range(8):
        crowd.append(engine.connect())
        wait_until(lambda so_many=number + 1: engine.server.connections == so_many)
    crowd += [engine.connect() for _ in range(52)]
    assert all(is_hung_up(connection) for connection in crowd[8:])
    assert engine.server.connections == 8 and threading.active_count() <= before + 8
    for connection in crowd:
        connection.close()
    wait_until(lambda: engine.server.connections == 0)
    assert engine.answers()


def test_a_window_stays_though_it_is_silent_for_long(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "GREETING_S", 0.2)
    lines = list[Line]()

    def is_let_in() -> bool:  # a busy machine may take longer than that to say the token
        with suppress(ConnectionError):
            lines.append(Line.dial(engine.address, PATIENCE_S))
        return bool(lines)

    wait_until(is_let_in)
    time.sleep(0.6)
    lines[0].send_text('{"do": "x"}')
    assert lines[0].receive_text() == '{"do": "x"}\n'
    lines[0].close()


def test_the_engine_listens_on_this_machine_only(engine: Engine) -> None:
    assert engine.server._socket.getsockname()[0] == "127.0.0.1"


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@QUICKLY
@given(st.one_of(st.text(max_size=60), JSON.map(json.dumps)))
def test_what_is_no_snapshot_is_told(line: str) -> None:
    with pytest.raises(DataError, match="no engine of this version"):
        Snapshot.from_json(line)


@QUICKLY
@given(st.sampled_from([*json.loads(Snapshot().to_json()), "other"]), JSON)
def test_a_snapshot_with_a_strange_field_is_taken_or_told(field: str, value: Any) -> None:
    fields = json.loads(Snapshot().to_json()) | {field: value}
    with contextlib.suppress(DataError):
        Snapshot.from_json(json.dumps(fields))


def test_what_another_program_answers_is_no_snapshot(engine: Engine) -> None:
    client = EngineClient(engine.address)
    with pytest.raises(DataError, match="no engine of this version"):
        client.snapshot()
    client.close()


@QUICKLY
@given(
    st.one_of(
        st.text(max_size=60),
        st.fixed_dictionaries({"port": JSON, "token": JSON, "pid": JSON, "rings": JSON}).map(json.dumps),
    )
)
def test_an_address_file_of_any_content_is_read_or_ignored(tmp_path_factory: Any, content: str) -> None:
    study = tmp_path_factory.getbasetemp()
    path = address_path(study)
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8", errors="surrogatepass")
    address = read_address(study)
    assert address is None or isinstance(address, EngineAddress)
    if address is not None:
        assert type(address.port) is int and 0 < address.port < 65536
