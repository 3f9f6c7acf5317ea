"""Session files, sound and damaged, and what becomes of the program when it reads one."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from emolab.core.errors import EmolabError
from emolab.core.event import Event
from emolab.core.stream import Tally
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.recover import recover
from emolab.recording.writer import SessionWriter
from tests.recording.made import BOARD, CAMERA, HEADER, THERMAL, chunk

READ, REFUSED, RAISED = 0, 10, 11  # exit codes of a reading


def write_session(path: Path, *, packed: bool) -> None:
    """A session of two seconds with all kinds of data; `packed` False: as a kill would leave it."""
    writer = SessionWriter(path, HEADER, pack_below_bytes=1 << 30 if packed else 0, pack_within_s=60.0)
    writer.open([BOARD, CAMERA, THERMAL])
    writer.mark(Event(0.0, "session_started", data={"planned": ["neutral-1"]}))
    for first in range(0, 2000, 250):
        writer.write(
            chunk(
                BOARD,
                first,
                250,
                1000.0,
                counter=np.arange(first, first + 250),
                device_us=np.arange(first, first + 250) * 1000,
                tally=Tally(lost=first // 500),
            )
        )
        writer.write(chunk(CAMERA, first // 50, 5, 20.0))
        writer.write(chunk(THERMAL, first // 125, 2, 8.0))
        writer.mark(Event(first / 1000, "mark", data={"text": str(first)}))
        writer.flush()
    answer = {"clip": "neutral-1", "state": "neutral", "word": "calm", "response_s": 1.5, "changes": 0}
    writer.mark(Event(1.9, "answer", data=answer))
    writer.mark(Event(2.0, "session_ended", data={"outcome": "complete"}))
    writer.flush()
    if packed:
        writer.close()
    else:
        whole = path.read_bytes()
        writer.close()
        path.write_bytes(whole)


def damage(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """The file with bytes changed, cut off, doubled, zeroed or taken from another."""
    found = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16, 64))):
        at = dice.randrange(len(found))
        # what holds the tree together lies at the beginning and the end
        if dice.random() < 0.5:
            at = min(int(dice.expovariate(1 / 2000)), len(found) - 1)
        size = min(dice.choice((1, 2, 8, 64, 512, 4096)), len(found) - at)
        match dice.randrange(8):
            case 0 | 1:
                found[at] ^= 1 << dice.randrange(8)
            case 2:
                found[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 3:
                found[at : at + size] = dice.randbytes(size)
            case 4:
                found[at : at + size] = bytes(size)
            case 5:
                found[at : at + size] = other[at : at + size].ljust(size, b"\0")
            case 6:
                found[at : at + 8] = dice.choice((2**63 - 1, 2**64 - 1, 2**32, 10**15)).to_bytes(8, "little")
            case 7 if dice.random() < 0.3:
                del found[max(at, 48) :]
            case 7:
                target = dice.randrange(len(found))
                found[target : target + size] = found[at : at + size]
    return bytes(found)


def read_everything(path: Path) -> None:
    """Everything the program would do with a file somebody gave it."""
    reasons: list[EmolabError] = []
    with contextlib.suppress(EmolabError):
        inspect(path)
    try:
        with Session.open(path) as session:
            for look in _looks(session):
                try:
                    look()
                except EmolabError as error:
                    reasons.append(error)
    except EmolabError as error:
        reasons.append(error)
    recover(path)
    if reasons:
        raise reasons[0]


def _looks(session: Session) -> list[Callable[[], object]]:
    looks: list[Callable[[], object]] = [
        lambda: session.events,
        lambda: session.answers,
        lambda: session.outcome,
        lambda: session.recovery,
        lambda: session.signal("eda"),
    ]
    for name, stream in session.streams.items():
        looks += [stream.times_s, stream.counter, stream.device_us, stream.arrivals, stream.tally]
        looks.append(partial(_see, session, name) if stream.info.kind == "rgb" else stream.samples)
    return looks


def _see(session: Session, name: str) -> None:
    for _ in session.video(name).frames():
        pass


def in_a_fork(work: Callable[[], None], *, seconds: float, more_bytes: int) -> tuple[int, str]:
    """Do work in a copy of this process: its exit code (negative: the signal it died of), what it said."""
    out, mouth = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        code = 70
        try:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + more_bytes,) * 2)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, seconds)  # of work, and ten times that of waiting
            signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
            work()
            code = READ
        except EmolabError as error:
            code = REFUSED
            os.write(mouth, f"{type(error).__name__}: {error}".encode()[:4000])
        except BaseException as error:
            code = RAISED
            os.write(mouth, "".join(traceback.format_exception(error))[-4000:].encode())
        finally:
            os._exit(code)
    os.close(mouth)
    with os.fdopen(out, "rb") as ear:
        said = ear.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said


def bodies(folder: Path) -> list[bytes]:
    """A packed session and one as a kill leaves it, made once in a folder."""
    found = []
    for packed in (True, False):
        path = folder / f"whole-{packed}.h5"
        if not path.exists():
            write_session(path, packed=packed)
        found.append(path.read_bytes())
    return found


def outcome(folder: Path, body: bytes, *, seconds: float = 3.0) -> tuple[int, str]:
    """What becomes of the program when it reads `body`, and what it said."""
    for old in folder.glob("*damaged*"):
        old.unlink()
    path = folder / "damaged.h5"
    path.write_bytes(body)
    os.utime(path, (1e9, 1e9))  # not being recorded at this moment
    return in_a_fork(lambda: read_everything(path), seconds=seconds, more_bytes=1 << 30)


def main(folder: Path, seconds: float, seed: int) -> None:
    """Damage files until the time is over, keep those that bring the program down, print a count."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = bodies(folder)
    counts: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        dice = random.Random(seed)
        body = damage(dice.choice(sources), dice.choice(sources), dice)
        code, said = outcome(folder, body)
        kind = {READ: "read", REFUSED: "told", RAISED: said.strip().split("\n")[-1]}.get(code, f"died {code}")
        if code not in (READ, REFUSED):
            (folder / f"kept-{seed}.bin").write_bytes(body)
            print(seed, kind, said, flush=True)
        counts[kind] += 1
        seed += 1
    print(sum(counts.values()), "files:", dict(counts))


if __name__ == "__main__":  # python -m tests.fuzz.files FOLDER SECONDS SEED
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
