"""What set-up compiles is all that a session needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from emolab.analysis.measure import Measured
from emolab.study.sessions import session_path

# in a process of its own: in this one other tests have compiled
COUNTED = """
import gc, pathlib, sys
from numba.core.dispatcher import Dispatcher
from emolab.analysis.measure import Job, measure
from emolab.analysis.ready import ready

def compiled():
    every = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
    ours = [one for one in every if one.py_func.__module__.startswith("emolab.")]
    return sorted((one.py_func.__qualname__, str(types)) for one in ours for types in one.signatures)

ready()
before = compiled()
troubles = [measure(Job(pathlib.Path(path))).trouble for path in sys.argv[1:]]
print(len(before), troubles, [new for new in compiled() if new not in before])
"""


def test_after_set_up_no_session_waits_for_a_compiler(rehearsed: Path, heard: tuple[Path, Measured]):
    recordings = [str(session_path(rehearsed, "P001", 0)), str(heard[0])]
    told = subprocess.run(
        [sys.executable, "-c", COUNTED, *recordings], capture_output=True, text=True, check=True
    )
    count, _, rest = told.stdout.partition(" ")
    assert int(count) >= 5
    assert rest.strip() == "['', ''] []"
