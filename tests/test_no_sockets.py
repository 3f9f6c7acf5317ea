"""A session talks to nobody: no socket beyond this machine, unless LSL or a network camera is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

# put into every Python process that is started: tells what Python does with sockets, and, ten times
# a second, which ones the process really has, those of libraries in C included
WITNESS = """
import json, os, sys, threading, time

LOG = os.environ["EMOLAB_TEST_WITNESS"]
SOCKETS = ("socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
           "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo", "urllib.Request")

def tell(*facts):
    with open(LOG, "a", encoding="utf-8") as file:
        file.write(json.dumps(facts, default=repr) + "\\n")

def hear(event, arguments):
    if event in SOCKETS:
        address = arguments[1 if event.split(".")[1] in ("bind", "connect", "sendto", "sendmsg") else 0]
        tell(event, list(address) if isinstance(address, tuple) else address)

def watch():
    import psutil
    me, seen = psutil.Process(), set()
    while True:
        for each in me.net_connections("inet"):
            if each not in seen:
                seen.add(each)
                tell("open", [list(each.laddr), list(each.raddr), each.status])
        time.sleep(0.1)

tell("process", sys.argv)
sys.addaudithook(hear)
threading.Thread(target=watch, daemon=True).start()
"""


def witnessed(folder: Path, *command: str) -> list[tuple[str, Any]]:
    """What every process of a command did with sockets."""
    (folder / "witness").mkdir()
    (folder / "witness" / "sitecustomize.py").write_text(WITNESS, encoding="utf-8")
    log = folder / "log"
    path = os.pathsep.join([str(folder / "witness"), str(ROOT)])
    subprocess.run(
        [sys.executable, *command],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "EMOLAB_TEST_WITNESS": str(log)},
        stdout=subprocess.DEVNULL,
    )
    return [tuple(json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines()]


def beyond(told: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Those that reach beyond this machine."""
    return [(event, what) for event, what in told if not _is_within(event, what)]


def _is_within(event: str, what: Any) -> bool:
    if event == "process" or (isinstance(what, str) and event in ("socket.bind", "socket.connect")):
        return True  # a name in the file system
    if event == "open":
        return all(_is_loopback(address[0]) for address in what[:2] if address)
    return _is_loopback(what[0] if isinstance(what, list) else what)


def _is_loopback(host: Any) -> bool:
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return host == "localhost"


def test_a_session_opens_no_socket_beyond_this_machine(tmp_path: Path, stimuli: Path) -> None:
    study = tmp_path / "study"
    told = witnessed(
        tmp_path,
        "-m",
        "emolab",
        "demo",
        "--headless",
        "--protocol",
        "quick",
        "--speed",
        "40",
        "--out",
        str(study),
    )
    assert list(study.rglob("*.h5")), "nothing was recorded"
    assert any(event == "socket.bind" and what[0] == "127.0.0.1" for event, what in told), "nothing listened"
    assert any(event == "open" and what[0][0] == "127.0.0.1" and what[2] == "LISTEN" for event, what in told)
    assert beyond(told) == []


@pytest.mark.parametrize("verb", ["plan quick --participant P001", "doctor --json", "stimuli --help"])
def test_other_verbs_open_none_either(tmp_path: Path, verb: str) -> None:
    code = "import sys; from emolab.cli.main import run; run(sys.argv[1:])"  # whatever the doctor finds
    told = witnessed(tmp_path, "-c", f"try:\n    {code}\nexcept SystemExit:\n    pass", *verb.split())
    assert ("process", ["-c", *verb.split()]) in told
    assert beyond(told) == []


def test_the_witness_sees_what_is_done_in_a_process_that_is_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', '''"
        'import socket, time; s = socket.socket(); s.bind(("0.0.0.0", 0)); s.listen(); time.sleep(1.5)'
        "'''], check=True)"
    )
    told = witnessed(tmp_path, "-c", code)
    assert {event for event, _ in beyond(told)} == {"socket.bind", "open"}
    assert sum(event == "process" for event, _ in told) == 2
