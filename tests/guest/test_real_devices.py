"""Real drivers, in a guest: `EMOLAB_GUEST=1 pytest -m guest tests/guest`, three minutes on an idle machine.

One boot serves all tests; what the guest saw and recorded is judged here. Its processor is emulated
and slow, so counts and order are held to the letter, times only roughly.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from emolab.core.stream import Chunk
from emolab.devices.config import parse
from emolab.recording.reader import Session
from emolab.session.loopback import Ear
from tests.devices.boards import logged
from tests.guest import real_board, real_camera, real_sound
from tests.guest.guest import NoGuest, run

pytestmark = [
    pytest.mark.guest,
    pytest.mark.slow,
    pytest.mark.timeout(1000),
    pytest.mark.xdist_group("guest"),
]
NOT_ASKED = "real drivers run in a guest when they are asked for: EMOLAB_GUEST=1 pytest -m guest tests/guest"
LIMIT_S = 900.0
TOLD_WITHIN_S = 3.0
BACK_WITHIN_S = 3.0  # one second on a real processor
PIXELS_A_FRAME = 2


@dataclass(frozen=True)
class Seen:
    """What the guest saw: the facts of its parts, and the folder with its recordings."""

    results: dict[str, Any]
    folder: Path

    def part(self, name: str) -> dict[str, Any]:
        """The facts of one part, which must not have failed."""
        found: dict[str, Any] = self.results[name]
        assert "failed" not in found, found["failed"]
        return found


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    if os.environ.get("EMOLAB_GUEST") != "1":
        pytest.skip(NOT_ASKED)
    folder = tmp_path_factory.mktemp("guest")
    try:
        ended = run("tests.guest.inside", folder, LIMIT_S)
    except NoGuest as reason:
        pytest.skip(f"no guest can run here: {reason}")
    assert ended.status == 0, f"{ended.console[-3000:]}\n{ended.output[-3000:]}"
    return Seen(json.loads((folder / "results.json").read_text()), folder)


def moment(facts: dict[str, Any], kind: str) -> float:
    """When the one event of a kind happened."""
    [event] = [event for event in facts["events"] if event["kind"] == kind]
    return float(event["time_s"])


def test_the_doctor_names_camera_board_and_sound_card(seen: Seen) -> None:
    facts = seen.part("doctor")
    assert [camera["name"] for camera in facts["cameras"]] == ["vivid-000-vid-cap"]
    [board] = [port for port in facts["serial_ports"] if port["maker"]]
    assert (board["device"], board["usb_id"], board["maker"]) == (real_board.PORT, "2341:0043", "Arduino")
    assert any("Loopback" in device["name"] for device in facts["audio_devices"])
    proposed = parse(facts["proposed"], "devices.toml").instruments
    assert [table["kind"] for table in proposed] == ["physiokit", "rgb_camera", "microphone"]
    assert (proposed[0]["port"], proposed[1]["source"]) == (real_board.PORT, 0)


@dataclass(frozen=True)
class Act:
    """One act of the camera's recording. `numbers`: the frames' own; `told`: how many were told as lost."""

    times_s: NDArray[np.float64]
    arrivals_s: NDArray[np.float64]
    numbers: NDArray[np.int64]
    told: int

    @property
    def missing(self) -> int:
        return int(self.numbers[-1] - self.numbers[0] + 1 - len(self.numbers))


@pytest.fixture(scope="module")
def acts(seen: Seen) -> dict[str, Act]:
    """The acts by name, each with its frames as they were recorded."""
    facts = seen.part("camera")
    with Session.open(seen.folder / "camera.h5") as session:
        stream = session.streams["face"]
        rows, arrivals_s = stream.arrivals()
        times_s = stream.times_s()
        numbers = frame_numbers(np.stack([frame for _, frame in session.video("face").frames()]))
    assert np.array_equal(rows, np.arange(len(times_s))), "each frame is a chunk of its own"
    found, first, told = {}, 0, 0
    for act in facts["acts"]:
        after = int(np.searchsorted(arrivals_s, act["until_s"]))
        part = slice(max(first - 1, 0), after)  # with the last one before: what lies between counts
        found[act["act"]] = Act(times_s[part], arrivals_s[part], numbers[part], act["lost"] - told)
        first, told = after, act["lost"]
    return found


def frame_numbers(frames: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The numbers of `(n, h, w, 3)` pictures, from 0, by how far their coloured bars have moved."""
    rows = frames[:, frames.shape[1] * 7 // 10 : frames.shape[1] * 95 // 100].mean(axis=1)
    spectra = np.fft.rfft(rows - rows.mean(axis=1, keepdims=True), axis=1)
    match = np.fft.irfft(spectra * np.conj(spectra[0]), rows.shape[1], axis=1).sum(axis=2)
    moved = np.diff(np.argmax(match, axis=1)) % rows.shape[1] // PIXELS_A_FRAME
    return np.concatenate([[0], np.cumsum(moved)])


def test_a_webcam_is_recorded_at_its_rate_by_the_kernels_stamps(seen: Seen, acts: dict[str, Act]) -> None:
    instrument = seen.part("camera")["acts"][0]["instrument"]
    assert (instrument["backend"], instrument["stamps"]) == ("V4L2", "kernel buffer")
    assert instrument["fps"] == real_camera.RATE_HZ
    well = acts["well"]
    assert len(well.numbers) > real_camera.WELL_FRAMES
    assert well.missing <= 2
    assert np.all(well.arrivals_s > well.times_s)
    period_s = np.polyfit(well.numbers, well.times_s, 1)[0]
    assert abs(period_s * real_camera.RATE_HZ - 1) < 0.1


def test_frames_wait_in_the_driver_while_the_program_is_held_up(acts: dict[str, Act]) -> None:
    stalled = acts["stalled"]
    assert np.max(stalled.arrivals_s - stalled.times_s) > 0.9 * real_camera.STALL_S - 0.2
    assert np.all(np.diff(stalled.times_s) > 0)
    kept_waiting = real_camera.STALLS * real_camera.STALL_S * real_camera.RATE_HZ
    assert stalled.missing < kept_waiting / 3


def test_frames_a_camera_leaves_out_are_told(acts: dict[str, Act]) -> None:
    dropping = acts["dropping"]
    assert dropping.missing >= 3
    assert 0.25 * dropping.missing <= dropping.told <= 2 * dropping.missing


def test_an_unplugged_webcam_is_told_and_taken_again(seen: Seen) -> None:
    facts = seen.part("camera")
    last = facts["acts"][-1]
    assert moment(last, "device_lost") - facts["pulled_s"] < TOLD_WITHIN_S
    assert moment(last, "device_found") - facts["back_s"] < BACK_WITHIN_S
    assert last["reopened"] == 1


def test_a_y16_camera_gives_16_bit_frames(seen: Seen) -> None:
    facts = seen.part("thermal")
    assert (facts["dtype"], facts["shape"]) == ("uint16", [480, 640])
    with Session.open(seen.folder / "thermal.h5") as session:
        stream = session.streams["warmth"]
        frames = stream.samples()
        assert np.all(np.diff(stream.times_s()) > 0)
    assert frames.dtype == np.uint16 and len(np.unique(frames[-1])) > 4
    assert np.any(frames > 0xFF), "the driver fills the upper byte"


def test_a_board_pulled_from_usb_is_told_and_back_with_its_gap_counted(seen: Seen) -> None:
    facts = seen.part("board")["emolab"]
    assert facts["ports"] == {"away": ["/dev/ttyS0"], "back": ["/dev/ttyACM0", "/dev/ttyS0"]}
    assert moment(facts, "device_lost") - facts["pulled_s"] < TOLD_WITHIN_S
    assert moment(facts, "device_found") - facts["back_s"] < BACK_WITHIN_S
    sent = {row[0]: row[2:] for _, row in logged(seen.folder / "emolab.log", "sent")}
    with Session.open(seen.folder / "emolab.h5") as session:
        stream = session.streams["board"]
        counter, rows, times_s = stream.counter(), stream.samples(), stream.times_s()
    assert counter is not None
    assert rows.tolist() == [sent[number] for number in counter.tolist()]
    assert np.all(np.diff(counter) > 0) and np.all(np.diff(times_s) > 0)
    missed = facts["lost"] - real_board.RATE_HZ * real_board.AWAY_S
    assert facts["lost"] >= counter[-1] - counter[0] + 1 - len(counter) and missed > 0
    assert (facts["reopened"], facts["duplicated"]) == (1, 0)


def test_a_board_that_comes_back_under_another_name_is_followed(seen: Seen) -> None:
    facts = seen.part("board")["physiokit"]
    assert facts["ports"] == {"away": ["/dev/ttyS0"], "back": ["/dev/ttyACM1", "/dev/ttyS0"]}
    assert moment(facts, "device_lost") - facts["pulled_s"] < TOLD_WITHIN_S
    settling_s = [event["settling_s"] for event in facts["events"] if event["kind"] == "device_found"]
    assert moment(facts, "device_found") - settling_s[0] - facts["back_s"] < BACK_WITHIN_S
    with Session.open(seen.folder / "physiokit.h5") as session:
        rows = session.streams["board"].samples().astype(np.int64)
    numbers = rows[:, 0] + 1024 * rows[:, 1]
    assert np.all(np.diff(numbers) > 0)
    sent = [row for _, row in logged(seen.folder / "physiokit.log", "line")]
    assert set(map(tuple, rows.tolist())) <= set(map(tuple, sent))
    assert facts["reopened"] == 1


def test_clicks_come_back_through_the_card_to_the_sample(seen: Seen) -> None:
    facts = seen.part("sound")
    if facts["underruns"] or facts["lost"] or None in facts["fitted"]:
        pytest.skip(f"this machine is too busy for sound in a guest: {facts['underruns']} underruns")
    clip, rate_hz = soundfile.read(seen.folder / "clicks.wav", dtype="int16", always_2d=True)
    with Session.open(seen.folder / "sound.h5") as session:
        stream = session.streams["ear"]
        times_s, sound = stream.times_s(), stream.samples()
    late_ms = []
    for fitted_s, _ in facts["fitted"]:
        span = (times_s > fitted_s - 2) & (times_s < fitted_s + 3)
        ear = Ear(rate_hz)
        ear.take(Chunk("ear", times_s[span], sound[span], float(times_s[span][-1])))
        heard = ear.find(clip, rate_hz, fitted_s)
        assert heard is not None and heard.match > 0.98
        late_ms.append(1e3 * (heard.time_s - fitted_s))
        at = int(np.argmin(np.abs(times_s - heard.time_s)))
        assert click_places(sound[at:, 0], clip[:, 0]) == click_places(clip[:, 0], clip[:, 0])
    print(f"measured − fitted: {np.mean(late_ms):.2f} ms, SD {np.std(late_ms):.2f} ms, n {len(late_ms)}")
    assert np.std(late_ms) < 5.0, "the card's clock ticks 250 times a second"


def click_places(sound: NDArray[np.int16], clip: NDArray[np.int16]) -> list[int]:
    """Where each click of the clip lies in the sound, in samples from the first one."""
    every, length = round(real_sound.CLICK_EVERY_S * real_sound.RATE_HZ), 960
    places = []
    for first in range(0, len(clip), every):
        click = clip[first : first + length].astype(np.float64)
        near = slice(max(first - 100, 0), first + length + 100)
        places.append(
            near.start + int(np.argmax(np.correlate(sound[near].astype(np.float64), click, "valid")))
        )
    return [place - places[0] for place in places]
