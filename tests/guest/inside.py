"""What runs in the guest: `python -m tests.guest.inside /mnt [PART …]` loads the drivers, runs the parts.

Each part is a function `(folder) -> facts`; the facts go to `results.json` in the folder, where the
recordings go too. A part that fails leaves its traceback and hinders no other.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from emolab.core.errors import RecordingError
from tests.guest.real_sound import prepare

DRIVERS = (
    ("vivid", "n_devs=1"),
    ("dummy_hcd",),
    ("cdc_acm",),
    ("g_serial", "use_acm=1", "idVendor=0x2341", "idProduct=0x0043", "iProduct=Uno"),
    ("snd_aloop",),
)
PARTS = ("doctor", "camera", "thermal", "board", "sound")
NODES = ("/dev/video0", "/dev/ttyACM0", "/dev/ttyGS0", "/dev/snd/pcmC0D1c")


def doctor(folder: Path) -> dict[str, Any]:
    """`emolab doctor --json --write`, as a newcomer would run it."""
    from emolab.cli.doctor import doctor as verb

    proposed = folder / "devices.toml"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = verb(["/tmp", "--json", "--write", str(proposed)])
    return {"status": status, **json.loads(said.getvalue()), "proposed": proposed.read_text()}


def warm_up() -> None:
    """Record a simulated board for a moment: the first recording loads libraries for half a minute here."""
    from emolab.devices.simulated import Simulated
    from tests.guest.recorded import recorded

    table = {"kind": "simulated", "name": "board", "stream": "board"}
    with (
        tempfile.TemporaryDirectory() as memory,
        contextlib.suppress(RecordingError, TimeoutError),
        recorded("board", lambda clock: Simulated.from_config(table, clock), Path(memory) / "s.h5") as take,
    ):
        take.wait_for_samples(100)


def part(name: str, folder: Path) -> dict[str, Any]:
    """The facts of one part."""
    if name == "doctor":
        return doctor(folder)
    with tempfile.TemporaryDirectory() as memory:  # HDF5 does not like a file on 9p
        found: dict[str, Any] = importlib.import_module(f"tests.guest.real_{name}").measure(Path(memory))
        for path in Path(memory).iterdir():
            shutil.copyfile(path, folder / path.name)
    return found


def main() -> int:
    folder, wanted = Path(sys.argv[1]), sys.argv[2:] or PARTS
    for driver in DRIVERS:
        subprocess.run(["modprobe", *driver], check=True)
    ends_s = time.monotonic() + 30
    while not all(Path(node).exists() for node in NODES) and time.monotonic() < ends_s:
        time.sleep(0.1)
    prepare()
    began_s = time.monotonic()
    warm_up()
    results: dict[str, Any] = {"warm_up": {"took_s": round(time.monotonic() - began_s, 1)}}
    for name in wanted:
        began_s = time.monotonic()
        try:
            results[name] = part(name, folder)
        except Exception:
            results[name] = {"failed": traceback.format_exc()}
        results[name]["took_s"] = round(time.monotonic() - began_s, 1)
        print(json.dumps({name: results[name]}, indent=1, default=str), flush=True)
        (folder / "results.json").write_text(json.dumps(results, default=str))
    subprocess.run("dmesg | tail -n 60", shell=True, check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
