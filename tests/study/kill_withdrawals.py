"""Withdrawals killed with SIGKILL after a random number of erased files, then done again: is anything left?

    python -m tests.study.kill_withdrawals [RUNS] [SEED]

Prints how many kills found which state of the tombstone and how many files with traces were still there;
exit code 1 when a finished withdrawal left any, or took anything of somebody else.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from emolab.study import identity, study_file, tombstone, withdrawal
from tests.study.people import WORDS, Place, fill, mentioned, secret

ALLOWED = ["study/participants.jsonl", "study/withdrawn/P014.json"]
_ERASES = """
import sys, time
from pathlib import Path
from emolab.study import identity, study_file, withdrawal
study, place, words = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
names = identity.IdentityMap.open(place, study_file.read(study).id, words)
unlink = withdrawal._unlink
def told(path):
    print(path, flush=True)
    time.sleep(0.002)
    unlink(path)
withdrawal._unlink = told
print("begun", flush=True)
withdrawal.withdraw(study, "P014", names)
"""


def main(runs: int = 40, seed: int = 1) -> int:
    """Run the campaign."""
    chance = random.Random(seed)
    root = Path(tempfile.mkdtemp(prefix="emolab-withdrawals-")) / "lab"
    os.environ["XDG_STATE_HOME"] = str(root / "state")
    identity.SCRYPT["n"] = 1 << 10
    place = Place(root)
    fill(place, "P014", "P0145")
    kept = root.with_name("kept")
    shutil.copytree(root, kept)
    others = set(mentioned(root, "P0145"))
    states: Counter[str] = Counter()
    bad = 0
    for run in range(runs):
        states[_kill(place, chance)] += 1
        facts = study_file.read(place.study)
        assert facts is not None
        names = identity.IdentityMap.open(place.map, facts.id, WORDS)
        done = withdrawal.withdraw(place.study, "P014", names)
        left = [*mentioned(root, "P014", "P0145"), *mentioned(root, secret("P014"))]
        is_well = left == ALLOWED and done.stone.state == "done" and not done.stone.left
        if not is_well or set(mentioned(root, "P0145")) != others or "P0145" not in names.persons:
            bad += 1
            print(f"run {run}: {left} {done.stone}")
        shutil.rmtree(root)
        shutil.copytree(kept, root)
    shutil.rmtree(root.parent)
    print(f"{runs} kills: {dict(states)}; {bad} bad")
    return 1 if bad else 0


def _kill(place: Place, chance: random.Random) -> str:
    """Begin a withdrawal and kill it; what was left then."""
    with subprocess.Popen(
        [sys.executable, "-c", _ERASES, str(place.study), str(place.map), WORDS], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(chance.randint(1, 45)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.004))
        process.kill()
    stone = tombstone.read(place.study, "P014")
    traces = len(mentioned(place.root, secret("P014")))
    return f"{stone.state if stone else 'no stone'}, {traces // 5 * 5} to {traces // 5 * 5 + 4} traces"


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
