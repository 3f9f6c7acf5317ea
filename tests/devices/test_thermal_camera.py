"""16-bit frames come out bit for bit as they were stored, at the times they were stored for."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from emolab.core.clock import SessionClock
from emolab.core.errors import ConfigError, DeviceError, DeviceNotFound
from emolab.core.stream import Chunk
from emolab.devices import camera_link
from emolab.devices.source import Source
from emolab.devices.thermal_camera import ThermalCamera
from tests.fakes import FakeClock
from tests.simulators.thermal_file import FACE_C, WALL_C, thermal_frame, write_thermal_file

LINEAR = {"form": "linear", "kelvin_per_count": 0.01}


def camera(source: object, clock: FakeClock | None = None, **keys: object) -> ThermalCamera:
    table = {"kind": "thermal_camera", "name": "thermal", "source": str(source), **keys}
    return ThermalCamera.from_config(table, clock or FakeClock())


def chunks(source: ThermalCamera, n: int) -> list[Chunk]:
    found: list[Chunk] = []
    while len(found) < n:
        chunk = source.read(1.0)
        if chunk is not None:
            found.append(chunk)
    return found


def test_an_ffv1_file_comes_out_bit_for_bit_at_its_rate(tmp_path: Path):
    write_thermal_file(tmp_path / "t.mkv", 27)
    source = camera(tmp_path / "t.mkv", FakeClock(5.0))
    assert isinstance(source, Source)
    source.open()
    assert source.info.sample_shape == (120, 160)
    assert source.info.nominal_rate_hz == 9
    found = chunks(source, 27)
    for number, chunk in enumerate(found):
        assert chunk.samples.dtype == np.uint16
        np.testing.assert_array_equal(chunk.samples[0], thermal_frame(number))
    np.testing.assert_allclose([c.times_s[0] for c in found], 5 + np.arange(27) / 9, atol=1e-3)
    with pytest.raises(DeviceError, match="has ended after 27 frames"):
        source.read(1.0)


def test_linear_radiometry_is_the_channels_scale_and_is_stored(tmp_path: Path):
    write_thermal_file(tmp_path / "t.mkv", 2, size=(60, 80))
    source = camera(tmp_path / "t.mkv", radiometry=LINEAR)
    source.open()
    channel = source.info.channels[0]
    assert channel.unit == "degC"
    assert source.info.instrument["radiometry"] == LINEAR
    celsius = chunks(source, 1)[0].samples[0] * channel.scale + channel.offset
    assert celsius[30, 40] == pytest.approx(FACE_C, abs=0.3)
    assert celsius[5, 5] == pytest.approx(WALL_C, abs=0.3)


def test_planck_radiometry_keeps_counts_and_stores_every_parameter(tmp_path: Path):
    write_thermal_file(tmp_path / "t.mkv", 1)
    source = camera(
        tmp_path / "t.mkv", radiometry={"form": "planck", "R": 16556, "B": 1428, "F": 1, "O": -342}
    )
    channel = source.info.channels[0]
    assert (channel.unit, channel.scale, channel.offset) == ("counts", 1.0, 0.0)
    assert source.info.instrument["radiometry"]["emissivity"] == 0.98


def test_tiff_pictures_play_in_the_order_of_their_numbers(tmp_path: Path):
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"warm_{number}.tiff"), thermal_frame(number, (24, 32)))
    (tmp_path / "notes.txt").write_text("not a picture")
    for place in (tmp_path, tmp_path / "warm_*.tiff"):
        source = camera(place, rate_hz=8)
        source.open()
        found = chunks(source, 12)
        assert [int(chunk.samples[0, 0, 0]) for chunk in found] == list(range(12))
        np.testing.assert_allclose([c.times_s[0] for c in found], np.arange(12) / 8, atol=1e-9)
        np.testing.assert_array_equal(found[7].samples[0], thermal_frame(7, (24, 32)))


def test_one_tiff_file_may_hold_many_pages(tmp_path: Path):
    cv2.imwritemulti(str(tmp_path / "all.tif"), [thermal_frame(number, (24, 32)) for number in range(5)])
    source = camera(tmp_path / "all.tif", rate_hz=9, loop=True)
    source.open()
    assert [int(chunk.samples[0, 0, 0]) for chunk in chunks(source, 7)] == [0, 1, 2, 3, 4, 0, 1]


def test_pictures_without_a_rate_are_refused_with_the_key_to_add(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "a.tif"), thermal_frame(0))
    with pytest.raises(DeviceError, match="add rate_hz"):
        camera(tmp_path).open()


def test_an_ordinary_picture_or_video_is_no_thermal_recording(tmp_path: Path):
    cv2.imwrite(str(tmp_path / "a.tif"), np.zeros((8, 8, 3), dtype=np.uint8))
    with pytest.raises(DeviceError, match="is not 16-bit grey"):
        camera(tmp_path / "a.tif", rate_hz=9).open()
    with av.open(str(tmp_path / "v.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=9)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuvj420p")))
        container.mux(stream.encode(None))
    with pytest.raises(DeviceError, match=r'holds yuvj420p frames.*kind = "rgb_camera"'):
        camera(tmp_path / "v.mkv").open()


def test_a_source_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(DeviceNotFound, match="correct 'source'"):
        camera(tmp_path / "nothing").open()
    (tmp_path / "broken.mkv").write_bytes(b"this is no video")
    with pytest.raises(DeviceError, match="is no video"):
        camera(tmp_path / "broken.mkv").open()
    with pytest.raises(DeviceNotFound, match='camera "thermal" is not answering at number 61'):
        camera(61).open()


def test_a_slow_camera_on_the_network_delivers_at_once():
    """FFmpeg would listen to twenty frames first, four seconds of these."""
    command = [sys.executable, "-m", "tests.simulators.thermal_network", "--fps", "5"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as camera:
        try:
            assert camera.stdout is not None
            source = ThermalCamera.from_config(
                {"kind": "thermal_camera", "name": "thermal", "source": camera.stdout.readline().strip()},
                SessionClock(),
            )
            begun_s = time.monotonic()
            source.open()
            chunks = []
            while len(chunks) < 3:
                if (chunk := source.read(0.02)) is not None:
                    chunks.append(chunk)
            took_s = time.monotonic() - begun_s
            source.close()
        finally:
            camera.kill()
    assert np.array_equal(chunks[0].samples[0], thermal_frame(int(chunks[0].samples[0, 0, 0])))
    assert took_s < 3


def test_what_took_long_to_connect_is_not_silent_yet(monkeypatch: pytest.MonkeyPatch):
    now_s = [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now_s[0])

    class Capture:
        def grab(self) -> bool:
            time.sleep(0.01)
            now_s[0] += 0.3
            return True

        def retrieve(self) -> tuple[bool, np.ndarray]:
            return True, np.zeros((4, 4), np.uint16)

        def release(self) -> None: ...

    def connect(_self: object) -> Capture:
        now_s[0] += 2 * camera_link.SILENCE_TIMEOUT_S
        return Capture()

    monkeypatch.setattr(camera_link, "time", clock)
    monkeypatch.setattr(camera_link, "OPEN_TIMEOUT_S", 60.0)
    monkeypatch.setattr(camera_link._Session, "_connect", connect)
    link = camera_link.CameraLink(
        "camera", "tcp://127.0.0.1:1", SessionClock(), lambda _: None, lambda image: image
    )
    link.open()
    while (frame := link.take(0.01)) is None:
        pass
    link.close()
    assert frame.image.shape == (4, 4)


def test_a_wrong_radiometric_key_is_named():
    with pytest.raises(ConfigError, match="kelvin_per_count"):
        camera(1, radiometry={"form": "linear", "kelvin_per_count": -1})


def test_pairs_of_bytes_from_a_y16_camera_are_counts_and_colour_is_refused():
    counts = thermal_frame(3, (24, 32))
    pairs = counts.view(np.uint8).reshape(24, 32, 2)
    source = camera(1)
    np.testing.assert_array_equal(source._to_counts(counts), counts)
    np.testing.assert_array_equal(source._to_counts(pairs), counts)
    with pytest.raises(DeviceError, match=r"radiometric \(Y16\) mode"):
        source._to_counts(np.zeros((24, 32, 3), dtype=np.uint8))
