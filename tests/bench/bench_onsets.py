"""How well the onset of a clip is known: fitted from the sound card's clock against heard.

    python -m tests.bench.bench_onsets [--clips 100] [--load 0] [--json]

Plays clips through a private sound server's null sink, records its monitor with the microphone
driver, and compares each fitted onset with the one found in the sound. The constant part of the
difference is the server's buffering; what matters for a study is that it is constant: its standard
deviation. `--load` starts so many processes that do nothing but burn a core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import numpy as np

from tests.simulators.sound_server import SoundServer, why_not

SECONDS = 1.0
RATE_HZ = 48_000
WARM_UP_S = 60.0  # a session rests five minutes before its first clip


def measure(clips: int) -> dict[str, object]:
    """Runs in a child process, inside the sound server's environment."""
    import tempfile
    import threading
    from pathlib import Path

    import soundfile

    from emolab.core.clock import SessionClock
    from emolab.devices.microphone import Microphone
    from emolab.session.loopback import Ear
    from emolab.session.player import SoundPlayer

    clock = SessionClock()
    rng = np.random.default_rng(0)
    clip = np.zeros((round(SECONDS * RATE_HZ), 2), np.int16)
    times_s = np.arange(len(clip)) / RATE_HZ
    for hz in rng.uniform(150, 4000, 20):
        clip += (900 * np.sin(2 * np.pi * hz * times_s + rng.uniform(0, 6)))[:, None].astype(np.int16)
    path = Path(tempfile.mkdtemp()) / "clip.flac"
    soundfile.write(path, clip, RATE_HZ)
    player = SoundPlayer(clock)
    microphone = Microphone.from_config({"kind": "microphone", "name": "mic", "device": "pulse"}, clock)
    microphone.open()
    ear, stop = Ear(RATE_HZ), threading.Event()

    def listen() -> None:
        while not stop.is_set():
            if (chunk := microphone.read(0.1)) is not None:
                ear.take(chunk)

    threading.Thread(target=listen, daemon=True).start()
    player.prepare(path, SECONDS)
    time.sleep(WARM_UP_S)
    found, slips, before = [], 0, player.underruns()
    player.slip_ms()
    for _ in range(clips):
        requested_s = clock.now_s()
        player.play(path, SECONDS, requested_s)
        time.sleep(SECONDS + 0.3 + rng.uniform(0, 0.05))
        onset = player.onset()
        assert onset is not None
        while not ear.has(onset.time_s + SECONDS + 0.4):
            time.sleep(0.02)
        heard = ear.find(clip, RATE_HZ, onset.time_s)
        slips += bool(player.slip_ms())
        if heard is not None:
            found.append((requested_s, onset.time_s, heard.time_s, heard.match, onset.residual_ms))
    stop.set()
    player.close()
    rows = np.array(found)
    error_ms = (rows[:, 2] - rows[:, 1]) * 1e3
    return {
        "clips": clips,
        "heard": len(rows),
        "underruns": player.underruns() - before,
        "slips": slips,
        "measured_minus_fitted_ms": {
            "median": round(float(np.median(error_ms)), 3),
            "sd": round(float(error_ms.std()), 3),
            "min": round(float(error_ms.min()), 3),
            "max": round(float(error_ms.max()), 3),
        },
        "fitted_minus_requested_ms": {
            "median": round(float(np.median(rows[:, 1] - rows[:, 0]) * 1e3), 1),
            "sd": round(float(np.std(rows[:, 1] - rows[:, 0]) * 1e3), 2),
        },
        "fit_residual_ms": round(float(np.median(rows[:, 4])), 3),
        "least_match": round(float(rows[:, 3].min()), 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--load", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(measure(options.clips)))
        return 0
    if reason := why_not():
        print(reason)
        return 1
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.load)]
    try:
        with SoundServer() as server:
            inside = [
                sys.executable,
                "-m",
                "tests.bench.bench_onsets",
                "--inside",
                "--clips",
                str(options.clips),
            ]
            done = subprocess.run(
                inside, env=server.environment, stdout=subprocess.PIPE, check=True, text=True
            )
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    facts = json.loads(done.stdout.splitlines()[-1]) | {"load": options.load}
    if options.json:
        print(json.dumps(facts))
    else:
        for key, value in facts.items():
            print(f"{key:<28} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
