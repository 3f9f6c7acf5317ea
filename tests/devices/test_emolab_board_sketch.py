"""The Arduino sketch itself: compiled for an Uno, and compiled for this machine, run and listened to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from emolab.devices.framing import FrameParser

SKETCH = Path(__file__).parents[2] / "packaging" / "firmware" / "emolab_board" / "emolab_board.ino"

# as much of the Arduino core as the sketch uses, only declared
ARDUINO_H = """
#pragma once
#include <stddef.h>
#include <stdint.h>
enum { A0 = 14, A1, A2, A3, A4, A5, A6, A7 };
uint32_t micros();
int analogRead(uint8_t pin);
void analogReadResolution(int bits);
struct Port {
  void begin(uint32_t baud);
  size_t write(uint8_t byte);
  size_t write(const uint8_t* data, size_t n);
};
extern Port Serial;
"""

# a board on which each micros() takes 10 us and each conversion 104 us, late once for 20.5 ms
HOST = """
#include "Arduino.h"
#include <cstdio>
#include <cstdlib>
static uint32_t clock_us = START_US, calls = 0, tick = 0;
Port Serial;
uint32_t micros() { clock_us += 10; return clock_us; }
int analogRead(uint8_t pin) {
  clock_us += 104;
  if (++calls == 4000) clock_us += 20500;
  return (pin - A0) * 256 + (calls / 8) % 256;
}
void analogReadResolution(int bits) { if (bits != 10) abort(); }
void Port::begin(uint32_t baud) { if (baud != 250000) abort(); }
size_t Port::write(uint8_t byte) { putchar(byte); return 1; }
size_t Port::write(const uint8_t* data, size_t n) { return fwrite(data, 1, n, stdout); }
#include "sketch.cpp"
int main() { setup(); while (tick++ < TURNS) loop(); }
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A folder with the sketch as C++ and the stand-in for Arduino.h."""
    (tmp_path / "Arduino.h").write_text(ARDUINO_H)
    (tmp_path / "host.cpp").write_text(HOST)
    shutil.copy(SKETCH, tmp_path / "sketch.cpp")
    return tmp_path


def compiled(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    shutil.which("avr-gcc") is None, reason="avr-gcc is not installed (apt-get install gcc-avr avr-libc)"
)
@pytest.mark.parametrize("mcu", ["atmega328p", "atmega32u4"])  # Uno and Nano, Leonardo
def test_sketch_compiles_for_the_arduino_without_a_warning(workshop: Path, mcu: str) -> None:
    options = ["-std=gnu++11", "-Os", "-Wall", "-Wextra", "-Werror", "-I."]  # the Arduino IDE's standard
    compiled(["avr-gcc", f"-mmcu={mcu}", "-DF_CPU=16000000L", *options, "-c", "sketch.cpp"], workshop)


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed (apt-get install g++)")
def test_bytes_of_the_running_sketch_are_read_by_our_parser(workshop: Path) -> None:
    # the clock starts two seconds before it goes round
    wraps_in_us = 2_000_000
    options = ["-std=c++17", "-Wall", "-Werror", f"-DSTART_US={2**32 - wraps_in_us}u", "-DTURNS=400000"]
    compiled(["g++", *options, "-I.", "host.cpp", "-o", "board"], workshop)
    sent = subprocess.run([str(workshop / "board")], capture_output=True, timeout=60, check=True).stdout
    parser = FrameParser()
    samples = parser.feed(sent)
    hello = parser.hello
    assert hello is not None
    assert (hello.firmware, hello.channels, hello.bits, hello.rate_hz) == ((1, 0), 4, 10, 250.0)
    assert parser.hellos == 1 + len(samples) // 250
    assert (parser.corrupt, parser.duplicated, parser.restarts) == (0, 0, 0)
    # one sample took 21.3 ms: the ticks at 4, 8, 12 and 16 ms are left out, that at 20 is taken late
    assert parser.lost == 4
    assert samples[-1].counter == len(samples) - 1 + 4
    elapsed_us = samples[-1].device_us - samples[0].device_us
    assert elapsed_us == pytest.approx(4000 * samples[-1].counter, abs=200)
    assert samples[-1].device_us > 2**32  # it went round and was unwrapped
    for sample in samples[:100]:
        assert [value // 256 for value in sample.values] == [0, 1, 2, 3]
