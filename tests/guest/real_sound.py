"""The kernel's loopback sound card: what the player plays into one end, the microphone hears at the other.

Both ends go through ALSA's own converter (`plug`), for the card insists on one number of channels at
both and the player plays two where the microphone takes one.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from emolab.devices.microphone import Microphone
from emolab.session.player import RATE_HZ, SoundPlayer
from tests.guest.recorded import recorded

ASOUNDRC = """
pcm.emolab_out { type plug slave.pcm "hw:Loopback,0,0" }
pcm.emolab_in { type plug slave.pcm "hw:Loopback,1,0" }
"""
CLIPS, CLIP_S, CLICK_EVERY_S = 6, 1.5, 0.25
TAKES = 3
SETTLING_S = 4.0  # the player's first stamps are let go after three


def clicks(folder: Path) -> Path:
    """A clip of clicks a quarter of a second apart, each another noise, so that none is taken for another."""
    chance = np.random.default_rng(7)
    sound = np.zeros(round(CLIP_S * RATE_HZ))
    for at in np.arange(0, CLIP_S, CLICK_EVERY_S):
        first = round(at * RATE_HZ)
        sound[first : first + 960] = chance.normal(0, 0.2, 960) * np.linspace(1, 0, 960)
    path = folder / "clicks.wav"
    soundfile.write(path, sound.clip(-1, 1), RATE_HZ, subtype="PCM_16")
    return path


def prepare() -> None:
    """Name the two ends; before PortAudio looks around."""
    (Path.home() / ".asoundrc").write_text(ASOUNDRC)


def measure(folder: Path) -> dict[str, Any]:
    """Record into `sound.h5` what is played, up to three times until the guest was fast enough for it."""
    clip = clicks(folder)
    for _ in range(TAKES):
        facts = play_and_record(clip, folder / "sound.h5")
        if not (facts["underruns"] or facts["lost"]):
            break
    return facts


def play_and_record(clip: Path, path: Path) -> dict[str, Any]:
    """The facts of one recording, and the onsets as the player fitted them."""
    path.unlink(missing_ok=True)
    table = {"kind": "microphone", "name": "ear", "device": "emolab_in", "latency_s": 0.2}
    with recorded("ear", lambda clock: Microphone.from_config(table, clock), path) as take:
        player = SoundPlayer(take.clock, "emolab_out")
        try:
            player.prepare(clip, CLIP_S)
            take.wait_for_samples(1)
            time.sleep(SETTLING_S)
            fitted = []
            for _ in range(CLIPS):
                player.play(clip, CLIP_S, take.clock.now_s())
                time.sleep(CLIP_S + 0.3)
                onset = player.onset()
                fitted.append(None if onset is None else [onset.time_s, onset.residual_ms])
                player.stop()
            take.wait_for_samples(RATE_HZ // 2)
            return {
                **take.facts(),
                "fitted": fitted,
                "underruns": player.underruns(),
                "failure": player.failure(),
            }
        finally:
            player.close()
