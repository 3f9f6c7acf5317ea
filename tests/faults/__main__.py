"""Run the campaign and print the table: fault → expected → found → seconds until all was well."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults import sessions
from tests.faults.table import FAULTS, SESSIONS, Fault, Found

WIDTHS = (26, 68, 88)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("session", nargs="*", help=f"of {', '.join(SESSIONS)}; all when none is named")
    parser.add_argument("--list", action="store_true", help="what is expected; nothing is run")
    parser.add_argument("--elsewhere", action="store_true", help="also run the tests that cover the rest")
    options = parser.parse_args()
    chosen = options.session or list(SESSIONS)
    if unknown := set(chosen) - set(SESSIONS):
        parser.error(f"no session {', '.join(unknown)}; there are {', '.join(SESSIONS)}")
    faults = [f for f in FAULTS if f.session in chosen or (f.check is None and not options.session)]
    print(_line("fault", "what is done", "what the file must say"), "what the light says", sep="  ")
    for fault in faults:
        print(_line(fault.name, fault.done, fault.record), fault.light, sep="  ")
    if options.list:
        return 0
    print(f"\n{'fault':<{WIDTHS[0]}}  {'':4}  {'found':<96}{'back after':>11}")
    fell_short = 0
    for name in chosen:
        fell_short += _run(name, [fault for fault in faults if fault.session == name])
    for fault in faults:
        if fault.check is None:
            fell_short += _elsewhere(fault, is_run=options.elsewhere)
    print(f"\n{fell_short} fell short")
    return int(fell_short > 0)


def _run(name: str, faults: list[Fault]) -> int:
    began_s = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix=f"emolab-fault-{name}-") as folder:
            evidence = getattr(sessions, name)(Path(folder) / "room")
            results = [_judge(fault, lambda fault=fault: fault.check(evidence)) for fault in faults]
    except Exception:
        traceback.print_exc()
        results = [_tell(fault, False, Found(f"session {name} did not come to its end")) for fault in faults]
    print(f"  ({name}: {time.monotonic() - began_s:.0f} s)", flush=True)
    return results.count(False)


def _judge(fault: Fault, check) -> bool:  # type: ignore[no-untyped-def]
    try:
        return _tell(fault, True, check())
    except (AssertionError, ValueError, KeyError, IndexError) as error:
        return _tell(fault, False, Found(f"{type(error).__name__}: {error}"[:200]))


def _tell(fault: Fault, is_met: bool, found: Found) -> bool:
    seconds = "" if found.recovered_s is None else f"{found.recovered_s:.1f} s"
    print(
        f"{fault.name:<{WIDTHS[0]}}  {'ok' if is_met else 'NOT':4}  {found.told:<96}{seconds:>11}", flush=True
    )
    return is_met


def _elsewhere(fault: Fault, *, is_run: bool) -> int:
    if not is_run:
        _tell(fault, True, Found(f"see {fault.session.split('::')[0]}"))
        return 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", fault.session], capture_output=True, text=True
    )
    return int(not _tell(fault, done.returncode == 0, Found(done.stdout.strip().splitlines()[-1])))


def _line(*cells: str) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True))


if __name__ == "__main__":
    sys.exit(main())
