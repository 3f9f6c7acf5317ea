"""A tone played into a private sound server is heard by the real driver, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.core.errors import ConfigError, DeviceError, MissingExtra
from emolab.devices import microphone
from emolab.devices.microphone import Microphone, SoundDevice, choose_input
from emolab.devices.source import Source
from tests.fakes import FakeClock
from tests.simulators.sound_server import SoundServer, why_not

TONE_HZ = 1000.0

LISTENER = """
import json, subprocess, sys, time
import numpy as np
from emolab.core.clock import SessionClock
from emolab.core.errors import DeviceError, DeviceNotFound
from emolab.devices.microphone import Microphone

def make(device):
    return Microphone.from_config({"kind": "microphone", "name": "voice", "device": device}, clock)

clock = SessionClock()
facts = {}
try:
    make("no such thing").open()
except DeviceNotFound as error:
    facts["missing"] = str(error)
source = make("pulse")
source.open()
facts["opened_s"] = clock.now_s()
facts["instrument"] = dict(source.info.instrument)
chunks = []
while sum(len(chunk) for chunk in chunks) < 9 * 48000:
    chunk = source.read(0.2)
    if chunk is not None:
        chunks.append(chunk)
times_s = np.concatenate([chunk.times_s for chunk in chunks])
samples = np.concatenate([chunk.samples for chunk in chunks])
np.savez(sys.argv[1], times_s=times_s, samples=samples)
facts["lost"] = chunks[-1].tally.lost
facts["held_back_s"] = len(chunks[0]) / 48000
facts["longest_chunk_s"] = max(len(chunk) for chunk in chunks[1:]) / 48000
facts["shortest_chunk_s"] = min(len(chunk) for chunk in chunks[1:]) / 48000
subprocess.run(["pactl", "exit"], check=False)
gone_s = time.monotonic()
try:
    while time.monotonic() < gone_s + 30:
        source.read(0.2)
except DeviceError as error:
    facts["gone"], facts["noticed_s"] = str(error), time.monotonic() - gone_s
source.close()
source.close()
print(json.dumps(facts))
"""


def table(**keys: object) -> dict[str, object]:
    return {"kind": "microphone", "name": "voice", **keys}


@pytest.mark.slow
@pytest.mark.skipif(why_not() != "", reason=why_not() or "it can")
def test_a_tone_is_heard_at_its_pitch_on_the_session_clock_and_the_end_is_noticed(tmp_path: Path):
    tone = 0.4 * np.sin(2 * np.pi * TONE_HZ * np.arange(20 * 48000) / 48000)
    soundfile.write(tmp_path / "tone.wav", tone, 48000)
    with SoundServer() as server:
        player = server.play(tmp_path / "tone.wav")
        try:
            command = [sys.executable, "-c", LISTENER, str(tmp_path / "heard.npz")]
            done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=60)
        finally:
            player.kill()
            player.wait(5)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    heard = np.load(tmp_path / "heard.npz")
    times_s, samples = heard["times_s"], heard["samples"][:, 0]
    assert heard["samples"].dtype == np.int16
    rate_hz = (times_s.size - 1) / (times_s[-1] - times_s[0])
    assert rate_hz == pytest.approx(48000, rel=1e-3)
    assert np.all(np.diff(times_s) > 0)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    assert np.argmax(spectrum) * rate_hz / samples.size == pytest.approx(TONE_HZ, abs=1.0)
    assert samples.max() / 32768 == pytest.approx(0.4, abs=0.02)
    assert facts["lost"] == 0
    # what came while the stamps settled is there, too: PulseAudio takes up to two seconds to begin
    assert facts["held_back_s"] > 2
    assert -0.6 < times_s[0] - facts["opened_s"] < 2.5
    assert 0.05 <= facts["shortest_chunk_s"] <= facts["longest_chunk_s"] <= 0.1
    assert facts["instrument"]["device"] == "pulse"
    assert "there is no device 'no such thing'; the inputs there are: 0 'pulse'" in facts["missing"]
    assert facts["gone"].startswith('microphone "voice"')
    assert facts["gone"].endswith("then Retry")


def device(index: int, name: str, inputs: int = 1, is_default: bool = False) -> SoundDevice:
    return SoundDevice(index, name, "ALSA", inputs, 0, 48000.0, is_default, False)


def test_an_input_is_chosen_by_number_by_name_or_by_default():
    devices = (
        device(0, "Loudspeaker", inputs=0),
        device(1, "USB Audio Pro"),
        device(2, "USB Audio", is_default=True),
    )
    assert choose_input(devices, None) == devices[2]
    assert choose_input(devices, 1) == devices[1]
    assert choose_input(devices, "usb audio") == devices[2], "the whole name before a part of one"
    assert choose_input(devices, "pro") == devices[1]
    assert choose_input(devices, "Loudspeaker") is None, "it has no input"
    assert choose_input((), None) is None


def test_without_portaudio_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    source = Microphone.from_config(table(), FakeClock())
    with pytest.raises(MissingExtra, match="apt-get install libportaudio2"):
        source.open()


def test_before_it_is_opened_it_says_what_it_will_deliver():
    source = Microphone.from_config(table(device="pulse"), FakeClock())
    assert isinstance(source, Source)
    assert (source.info.dtype, source.info.sample_shape, source.info.nominal_rate_hz) == (
        "int16",
        (1,),
        48000.0,
    )
    assert source.info.kind == "audio"
    with pytest.raises(DeviceError, match="is not open"):
        source.read(0.1)
    source.close()


def test_a_wrong_key_is_named():
    with pytest.raises(ConfigError, match="'devise'; did you mean 'device'"):
        Microphone.from_config(table(devise="pulse"), FakeClock())


def test_a_block_is_stamped_by_its_longest_part():
    parts = [
        microphone._Block(np.zeros((10, 1), np.int16), 0, False),
        microphone._Block(np.zeros((4800, 1), np.int16), 1_000_000_000, False),
    ]
    assert microphone._first_sample_ns(parts, 48000) == 1_000_000_000 - 10 * 1_000_000_000 // 48000
