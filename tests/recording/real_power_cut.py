"""Power cuts on a real file system: what its disk held at an instant, mounted again.

    python -m tests.recording.real_power_cut [--fs ext4|xfs|btrfs] [--cuts 100] [--alone]   as root, Linux

A recording process writes to a file system on a loop device, whose disk is a file on btrfs. A cut is
a clone of that file (FICLONE): all that has reached the disk and nothing of what the kernel still
keeps in memory, as the loop device reads and writes past the page cache. Each clone is mounted, so that the
file system replays its own log, `emolab recover` runs on the session, and what is left is compared
with what the process had been offered just before the cut.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emolab.recording.recover import recover
from tests.recording.filmed import missing_ms

DISK_BYTES = 640 << 20  # sparse; xfs wants 300 MB
MAKE = {"ext4": ["mkfs.ext4", "-q"], "xfs": ["mkfs.xfs", "-q"], "btrfs": ["mkfs.btrfs", "-q"]}
CUTS_A_RUN = 25


@dataclass
class Cut:
    """A disk as it was left, and until when all had been offered to the recorder."""

    disk: Path
    offered_s: float


def why_not(kind: str = "ext4") -> str:
    """Why this cannot be done here; empty when it can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "mounting needs root on Linux"
    tools = ("losetup", "mount", "cp", "mkfs.btrfs", MAKE[kind][0])
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        return f"{', '.join(missing)} not installed (apt-get install btrfs-progs xfsprogs e2fsprogs)"
    known = Path("/proc/filesystems").read_text().split()
    if missing := [each for each in ("btrfs", kind) if each not in known]:
        return f"this kernel knows no {', '.join(missing)}"
    found = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    return "" if found.returncode == 0 else "there is no loop device"


@contextlib.contextmanager
def mounted(disk: Path, at: Path) -> Iterator[Path]:
    """The file system in the file `disk`, through a loop device that caches nothing."""
    at.mkdir(exist_ok=True)
    device = _do("losetup", "--find", "--show", "--direct-io=on", disk)
    try:
        options = ["-o", "nouuid"] if _kind(device) == "xfs" else []
        _do("mount", *options, device, at)
        try:
            yield at
        finally:
            _unmount(at)
    finally:
        _do("losetup", "--detach", device)


@contextlib.contextmanager
def disks(folder: Path) -> Iterator[Path]:
    """A folder whose files can be cloned in an instant."""
    outer = folder / "outer.img"
    _make(outer, "btrfs", 16 * DISK_BYTES)
    with mounted(outer, folder / "outer") as here:
        yield here


def record(here: Path, kind: str, cuts: int, chance: random.Random) -> list[Cut]:
    """Cut a recording on a disk in `here` at so many moments, a second apart in the mean; then kill it."""
    disk = here / "disk.img"
    disk.unlink(missing_ok=True)
    _make(disk, kind, DISK_BYTES)
    made = []
    with mounted(disk, here / "mnt") as place, _recorder(place) as told:
        for number in range(cuts):
            time.sleep(chance.uniform(0.2, 1.8))
            offered_s = float(told[-1])
            clone = here / f"cut{number}.img"
            _do("cp", "--reflink=always", disk, clone)
            made.append(Cut(clone, offered_s))
    return made


@contextlib.contextmanager
def _recorder(place: Path) -> Iterator[list[str]]:
    """What a recording process that writes to `place` has told so far."""
    told = ["0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.recording.filmed", str(place / "P001" / "s.h5")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "XDG_STATE_HOME": str(place / "state")},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n"
        lines = process.stdout
        reader = threading.Thread(target=lambda: told.extend(line for line in lines if "\n" in line))
        reader.start()
        yield told
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def look(cut: Cut, folder: Path, *, alone: bool = False) -> tuple[str, dict[str, float]]:
    """`whole`, `unreadable` or `wrong`, and what lacks of each stream, ms; `alone`: without the journal."""
    with mounted(cut.disk, folder) as place:
        path = place / "P001" / "s.h5"
        for file in path.parent.glob("*s.h5*"):
            os.utime(file, (time.time() - 3600,) * 2)  # nobody writes to it any more
        if alone:
            (path.parent / ".s.h5.journal").unlink()
        try:
            recover(path)
            return "whole", missing_ms(path, cut.offered_s)
        except AssertionError as error:
            return f"wrong: {error}", {}
        except Exception as error:
            return f"unreadable: {str(error)[:200]}", {}


def _make(disk: Path, kind: str, size: int) -> None:
    with disk.open("wb") as file:
        file.truncate(size)
    _do(*MAKE[kind], disk)


def _kind(device: str) -> str:
    return _do("blkid", "-o", "value", "-s", "TYPE", "-p", device)


def _unmount(at: Path) -> None:
    """A file that was let go of just now may keep a file system busy for a moment."""
    ends_s = time.monotonic() + 15.0
    while time.monotonic() < ends_s:
        if subprocess.run(["umount", str(at)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    _do("umount", at)


def _do(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout.strip()


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--fs", choices=sorted(MAKE), default="ext4")
    options.add_argument("--cuts", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--alone", action="store_true", help="the session file without its journal")
    told = options.parse_args()
    if why := why_not(told.fs):
        sys.exit(why)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # nothing stays mounted
    chance = random.Random(told.seed)
    verdicts: Counter[str] = Counter()
    losses: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name, disks(Path(name)) as here:
        for first in range(0, told.cuts, CUTS_A_RUN):
            for cut in record(here, told.fs, min(CUTS_A_RUN, told.cuts - first), chance):
                verdict, lacks = look(cut, here / "mnt", alone=told.alone)
                verdicts[verdict.split(":")[0]] += 1
                if verdict != "whole":
                    print(f"   a cut after {cut.offered_s:.2f} s: {verdict}")
                losses += [lacks] if lacks else []
                cut.disk.unlink()
    print(f"{told.fs}: {dict(verdicts)}")
    for stream in losses[0] if losses else ():
        ms = sorted(loss[stream] for loss in losses)
        print(f"   {stream:<11} lost, ms: median {ms[len(ms) // 2]:4.0f}, worst {ms[-1]:4.0f}")


if __name__ == "__main__":
    main()
