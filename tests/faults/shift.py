"""A wall clock that a test may set, for one process and its children: the machine's own is never touched.

    with shifted_clock(folder) as shift:
        subprocess.Popen(..., env={**os.environ, **shift.environment})
        shift.set(3600)                # from now on these processes believe it is an hour later

A shim of a few lines of C, compiled here and preloaded, adds what a mapped file holds to what
`clock_gettime(CLOCK_REALTIME)`, `gettimeofday` and `time` say. The monotonic clock is left alone.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static const volatile long long *shift_ns;  /* in a file shared with the test */

__attribute__((constructor)) static void map(void)
{
    const char *path = getenv("EMOLAB_TEST_SHIFT");
    int file = path ? open(path, O_RDONLY) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) shift_ns = at;
}

static void add(struct timespec *t)
{
    long long ns = t->tv_sec * 1000000000LL + t->tv_nsec + (shift_ns ? *shift_ns : 0);
    t->tv_sec = ns / 1000000000LL;
    t->tv_nsec = ns % 1000000000LL;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, t);
    if (!code && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) add(t);
    return code;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) { t->tv_sec = now.tv_sec; t->tv_usec = now.tv_nsec / 1000; }
    return 0;
}

time_t time(time_t *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"""


def why_not() -> str:
    """Why no clock can be shifted here, as a reason to skip; empty when one can."""
    if not sys.platform.startswith("linux"):
        return "LD_PRELOAD needs Linux"
    return "" if shutil.which("cc") else "cc not installed (apt-get install gcc)"


class ShiftedClock:
    """The shim, compiled into `folder`. `environment`: what a process needs to be under it."""

    def __init__(self, folder: Path) -> None:
        source, shim, self._file = folder / "shift.c", folder / "shift.so", folder / "shift.ns"
        source.write_text(SHIM)
        self._file.write_bytes(struct.pack("=q", 0))
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(source), "-ldl"], check=True, timeout=60
        )
        self.environment = {"LD_PRELOAD": str(shim), "EMOLAB_TEST_SHIFT": str(self._file)}

    def set(self, seconds: float) -> None:
        """Let these processes believe that it is so much later than it is."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", round(seconds * 1e9)))
