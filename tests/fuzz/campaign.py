"""A long campaign with atheris (`pip install atheris`, no dependency of the project), guided by coverage.

    python -m tests.fuzz.campaign --seconds 300 [--only lines frames yaml toml csv snapshot event link]

Each target runs in a process of its own for its share of the time and ends with one line: runs,
runs a second, branches covered, crashes. A crash prints the input; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY_MB = 2048
SLOWEST_S = 10


def _lines() -> Callable[[bytes], None]:
    from emolab.devices.physiokit import LineParser

    def one(data: bytes) -> None:
        whole, cut = LineParser(4, 1023), LineParser(4, 1023)
        at = data[0] if data else 0
        numbers, rows = whole.feed(data)
        first, second = cut.feed(data[:at]), cut.feed(data[at:])
        assert (first[0] + second[0], first[1] + second[1]) == (numbers, rows)
        assert (cut.lines, cut.corrupt) == (whole.lines, whole.corrupt)

    return one


def _frames() -> Callable[[bytes], None]:
    from emolab.devices.framing import FrameParser, Hello, encode, encode_hello

    hello = b"\0" + encode_hello(Hello((1, 0), 2, 16, 250.0))

    def one(data: bytes) -> None:
        """The first byte says whether the rest is the wire, or bodies that get their checksum."""
        framed = bool(data) and data[0] % 2
        wire = b"".join(encode(body) for body in data[1:].split(b"\xff\xff") if body) if framed else data[1:]
        whole, cut = FrameParser(), FrameParser()
        expected = whole.feed(hello + wire)
        at = len(hello) + (data[0] if data else 0)
        found = cut.feed((hello + wire)[:at]) + cut.feed((hello + wire)[at:])
        assert found + cut.feed(b"\0") == expected + whole.feed(b"\0")
        for count in ("lost", "corrupt", "duplicated", "restarts", "hello", "hellos"):
            assert getattr(cut, count) == getattr(whole, count)

    return one


def _file(read: Callable[[Path], object], name: str) -> Callable[[bytes], None]:
    """A reader of files, which may refuse with a `ConfigError` and nothing else."""
    from emolab.core.errors import ConfigError

    folder = "/dev/shm" if Path("/dev/shm").is_dir() else None
    path = Path(tempfile.mkdtemp(dir=folder)) / name

    def one(data: bytes) -> None:
        path.write_bytes(data)
        try:
            read(path)
        except ConfigError:
            return

    return one


def _yaml() -> Callable[[bytes], None]:
    from emolab.protocol import load

    return _file(load.load, "p.yaml")


def _toml() -> Callable[[bytes], None]:
    from emolab.core.clock import SessionClock
    from emolab.devices import config

    return _file(lambda path: config.build(config.load(path), SessionClock()), "d.toml")


def _csv() -> Callable[[bytes], None]:
    from emolab.protocol import bank

    return _file(bank.read_manifest, "manifest.csv")


def _text(read: Callable[[str], object]) -> Callable[[bytes], None]:
    from emolab.core.errors import DataError

    def one(data: bytes) -> None:
        try:
            read(data.decode("utf-8", "replace"))
        except DataError:
            return

    return one


def _snapshot() -> Callable[[bytes], None]:
    from emolab.session.snapshot import Snapshot

    return _text(Snapshot.from_json)


def _event() -> Callable[[bytes], None]:
    from emolab.core.event import Event

    return _text(lambda line: Event.from_json(line).to_json())


def _link() -> Callable[[bytes], None]:
    """An engine's end of a connection, the bytes being all that a stranger with the token sends."""
    import socket

    from emolab.session.address import read_address
    from emolab.session.link import Server

    study = Path(tempfile.mkdtemp())
    Server(study, study, lambda asked, _: json.dumps(asked.get("do")), lambda _: None)
    address = read_address(study)
    assert address is not None
    greeting = json.dumps({"token": address.token}).encode() + b"\n"

    def one(data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", address.port), timeout=5) as line:
            try:
                line.sendall(greeting + data)
                line.shutdown(socket.SHUT_WR)
                while line.recv(65536):
                    pass
            except ConnectionError:
                return

    return one


# target: what it runs, and its share of the time
TARGETS: dict[str, tuple[Callable[[], Callable[[bytes], None]], float]] = {
    "lines": (_lines, 0.2),
    "frames": (_frames, 0.2),
    "yaml": (_yaml, 0.15),
    "toml": (_toml, 0.15),
    "csv": (_csv, 0.1),
    "snapshot": (_snapshot, 0.08),
    "event": (_event, 0.07),
    "link": (_link, 0.05),
}


def _seeds(name: str) -> list[bytes]:
    from emolab.core import shipped
    from emolab.core.event import Event
    from emolab.devices.framing import encode_sample
    from emolab.devices.simulated import demo_device_file
    from emolab.session.snapshot import Snapshot

    match name:
        case "lines":
            return [b"\n512,498,77,1023\r\n0,1,2,3\r\n", b"9" * 60]
        case "frames":
            return [b"\0" + encode_sample(n, n * 4000, (n, 7), 2) for n in (0, 1, 65535)] + [b"\x01S\1\0" * 4]
        case "yaml":
            return [path.read_bytes() for path in shipped.folder("protocols").glob("*.yaml")]
        case "toml":
            return [demo_device_file().encode()]
        case "csv":
            manifest = (shipped.folder("stimuli") / "manifest.csv").read_bytes()
            return [b"\n".join(manifest.split(b"\n")[:4])]
        case "snapshot":
            return [Snapshot().to_json().encode()]
        case "event":
            return [Event(1.5, "answer", 1.0, {"clip": "c", "state": None}).to_json().encode()]
        case _:
            return [b'{"do": "snapshot"}\n{"do": "mark", "text": "x"}\n', b"[]\n"]


def fuzz(name: str, seconds: int) -> None:
    """Run one target in this process; atheris ends it."""
    import atheris

    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["emolab", "yaml", "tomllib"]):
        one = TARGETS[name][0]()
    corpus = Path(tempfile.mkdtemp())
    for at, seed in enumerate(_seeds(name)):
        (corpus / str(at)).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MB}", f"-timeout={SLOWEST_S}"]
    kept = f"-artifact_prefix={corpus}/"
    atheris.Setup([sys.argv[0], *options, kept, "-max_len=4096", str(corpus)], one)
    atheris.Fuzz()


def _told(text: str) -> dict[str, Any]:
    """libFuzzer's figures."""

    def last(pattern: str) -> int:
        return int((re.findall(pattern, text) or [0])[-1])

    return {
        "runs": last(r"#(\d+)"),
        "branches": last(r"cov: (\d+)"),
        "memory_mb": last(r"rss: (\d+)Mb"),
    }


def main() -> int:
    """Run the targets one after the other and print a table."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--seconds", type=int, default=300, help="for all targets together")
    cli.add_argument("--only", nargs="+", choices=TARGETS, default=list(TARGETS))
    cli.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = cli.parse_args()
    if options.here:
        fuzz(options.only[0], options.seconds)
        return 0
    shares = sum(TARGETS[name][1] for name in options.only)
    crashes = 0
    for name in options.only:
        seconds = max(1, round(options.seconds * TARGETS[name][1] / shares))
        command = [
            sys.executable,
            "-m",
            "tests.fuzz.campaign",
            "--here",
            "--only",
            name,
            "--seconds",
            str(seconds),
        ]
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=Path(__file__).parents[2],
            check=False,
        )
        figures = _told(ended.stderr)
        crashes += bool(ended.returncode)
        print(
            f"{name:<10}{figures['runs']:>10} runs{figures['runs'] / seconds:>9.0f}/s"
            f"{figures['branches']:>7} branches{figures['memory_mb']:>6} MB"
            f"   {'CRASHED' if ended.returncode else 'no crash'}",
            flush=True,
        )
        if ended.returncode:
            print((ended.stdout + ended.stderr)[-4000:])
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
