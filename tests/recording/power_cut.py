"""Power cuts by the hundred: what a disk may hold afterwards, made from what was really written.

    python -m tests.recording.power_cut [--cuts 100] [--seconds 12] [--sector 4096]

A recording runs, and its files are filmed while it does. A cut at a random moment leaves of each file
what had been fsynced before; of what was written since, each sector is as any earlier moment had it
since then, at random and independent of the others, and the file is as long as at one of them. That
is more than journalling file systems may do. `emolab recover` must make a readable file of each.
The table tells this for the file alone, without its journal, too. See `real_power_cut` for a real
file system.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emolab.recording import journal
from emolab.recording.recorder import Recorder
from emolab.recording.recover import recover
from tests.recording.filmed import INFOS, missing_ms, offer
from tests.recording.made import HEADER

SECTOR = 4096


@dataclass
class Frame:
    """Both files at one moment. `synced`: bytes of the journal that were on the disk for good.

    `safe_s`: until when all was safe, by the journal's own words.
    """

    offered_s: float
    safe_s: float
    session: bytes
    journal: bytes
    synced: int


@dataclass
class Film:
    """A recording as it grew."""

    frames: list[Frame] = field(default_factory=list)
    slowest_sync_s: float = 0.0

    def cut(self, at: int, folder: Path, chance: random.Random, sector: int = SECTOR) -> Path:
        """What is left in `folder` after a cut at frame `at`."""
        now = self.frames[at]
        path = folder / "s.h5"
        before = self.frames[: at + 1]
        path.write_bytes(_mixed([b"", *(frame.session for frame in before)], 0, chance, sector))
        grown = [frame.journal for frame in before if len(frame.journal) >= now.synced]
        left = _mixed([now.journal[: now.synced], *grown], now.synced, chance, sector)
        (folder / ".s.h5.journal").write_bytes(left)
        for file in (path, folder / ".s.h5.journal"):
            os.utime(file, (time.time() - 3600,) * 2)  # nobody writes to it any more
        return path


def film(folder: Path, seconds: float) -> Film:
    """Record for so long, looking at both files twenty times a second."""
    made = Film()
    beside = folder / ".s.h5.journal"
    with _noting_syncs(made) as synced:
        recorder = Recorder(folder / "s.h5", HEADER, INFOS, with_journal=beside)

        def look(now_s: float) -> bool:
            assert recorder._journal is not None
            safe_s, safe = recorder._journal.safe_until_s, synced[-1]  # first: it can only grow
            made.frames.append(
                Frame(now_s, safe_s, (folder / "s.h5").read_bytes(), beside.read_bytes(), safe)
            )
            return now_s > seconds

        offer(recorder, look)
        recorder.close()
    return made


@contextlib.contextmanager
def _noting_syncs(made: Film) -> Iterator[list[int]]:
    """How long the journal was when its newest finished fsync began."""
    lengths, sync = [0], journal.sync

    def noting(handle: int) -> None:
        length, begun = os.fstat(handle).st_size, time.monotonic()
        sync(handle)
        made.slowest_sync_s = max(made.slowest_sync_s, time.monotonic() - begun)
        lengths.append(length)

    journal.sync = noting
    try:
        yield lengths
    finally:
        journal.sync = sync


def _mixed(versions: list[bytes], safe: int, chance: random.Random, sector: int) -> bytes:
    """A file of which all before `safe` is as it was, and each sector behind that as any version had it."""
    size = len(chance.choice(versions))
    left = bytearray(versions[-1][:safe].ljust(size, b"\0"))
    for at in range(safe // sector * sector, size, sector):
        start, stop = max(at, safe), min(at + sector, size)
        if start < stop:
            left[start:stop] = chance.choice(versions)[start:stop].ljust(stop - start, b"\0")
    return bytes(left)


def judge(path: Path, offered_s: float) -> tuple[str, dict[str, float]]:
    """`whole`, `unreadable` or `wrong`, and what lacks of each stream, ms."""
    try:
        recover(path)
    except Exception:
        return "unreadable", {}
    try:
        return "whole", missing_ms(path, offered_s)
    except AssertionError:
        return "wrong", {}
    except Exception:
        return "unreadable", {}


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    options.add_argument("--cuts", type=int, default=100)
    options.add_argument("--seconds", type=float, default=12.0)
    options.add_argument("--sector", type=int, default=SECTOR)
    options.add_argument("--seed", type=int, default=1)
    told = options.parse_args()
    chance = random.Random(told.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "film"
        folder.mkdir()
        filmed = film(folder, told.seconds)
        print(f"{told.cuts} cuts, slowest fsync of the journal {filmed.slowest_sync_s * 1000:.0f} ms")
        for with_journal in (False, True):
            verdicts: Counter[str] = Counter()
            worst: dict[str, float] = {}
            begun = time.monotonic()
            for number in range(told.cuts):
                here = Path(name) / f"{with_journal}{number}"
                here.mkdir()
                at = chance.randrange(len(filmed.frames))
                path = filmed.cut(at, here, chance, told.sector)
                if not with_journal:
                    (here / ".s.h5.journal").unlink()
                verdict, lacks = judge(path, filmed.frames[at].offered_s)
                verdicts[verdict] += 1
                for key, ms in lacks.items():
                    worst[key] = max(worst.get(key, 0.0), ms)
                for file in here.iterdir():
                    file.unlink()
            took_s = (time.monotonic() - begun) / told.cuts
            print(
                "with its journal" if with_journal else "the file alone",
                dict(verdicts),
                f"{took_s:.2f} s each",
            )
            print("   worst loss, ms:", {key: round(ms) for key, ms in worst.items()})


if __name__ == "__main__":
    main()
