"""A network camera that is a program of its own, and video files: every frame once, or counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emolab.core.clock import Clock, SessionClock
from emolab.core.errors import ConfigError, DeviceError, DeviceNotFound, DeviceTimeout
from emolab.core.stream import Chunk
from emolab.devices import camera_link
from emolab.devices.addresses import is_live, shown, without_passwords
from emolab.devices.camera_link import BufferStamps, whole_jpeg
from emolab.devices.rgb_camera import RgbCamera
from emolab.devices.source import Source
from tests.fakes import FakeClock
from tests.simulators.mjpeg_camera import draw_number, read_number, running_camera

PATIENCE_S = 60.0


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, "waited a minute in vain"
        time.sleep(0.005)


def camera(source: int | str, clock: Clock | None = None, **keys: object) -> RgbCamera:
    table = {"kind": "rgb_camera", "name": "face", "source": source, **keys}
    return RgbCamera.from_config(table, clock or SessionClock())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither camera nor reader is given up because the machine is busy."""
    monkeypatch.setattr(camera_link, "OPEN_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(camera_link, "SILENCE_TIMEOUT_S", PATIENCE_S)


def frames(source: RgbCamera, until: int) -> dict[int, Chunk]:
    """Chunks by the number in the picture, up to number `until`."""
    found: dict[int, Chunk] = {}
    while not found or max(found) < until:
        chunk = source.read(1.0)
        if chunk is not None:
            number = read_number(chunk.samples[0])
            assert number not in found, "a frame came twice"
            found[number] = chunk
    return found


def write_video(path: Path, n: int, fps: int = 25) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        for number in range(n):
            picture = np.full((240, 320, 3), 90, dtype=np.uint8)
            picture[..., 0] = 200  # reddish, so that swapped colours show
            draw_number(picture, number)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.usefixtures("patient")
def test_every_frame_of_a_network_camera_arrives_once_stamped_when_it_was_sent(tmp_path: Path):
    clock = SessionClock()
    log = tmp_path / "sent.csv"
    with running_camera("--fps", "25", "--size", "320x240", "--log", str(log)) as (address, _):
        source = camera(address, clock)
        assert isinstance(source, Source)
        source.open()
        assert source.info.sample_shape == (240, 320, 3)
        assert source.info.nominal_rate_hz is None, "nobody announced a rate"
        found = frames(source, until=50)
        source.close()
        numbers = sorted(found)
        wait(lambda: f"{numbers[-1] + 1}," in log.read_text())  # what was seen is on record
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert found[numbers[-1]].tally.lost == 0
    sent = dict(line.split(",") for line in log.read_text().split())
    late_s = np.array([found[n].times_s[0] - clock.at(int(sent[str(n)])) for n in numbers])
    assert late_s.min() > 0
    assert np.median(late_s) < 0.1
    assert all(chunk.samples.shape == (1, 240, 320, 3) for chunk in found.values())


@pytest.mark.usefixtures("patient")
def test_frames_the_camera_left_out_are_counted_as_lost_and_cut_ones_as_corrupt():
    with running_camera("--fps", "25", "--size", "320x240", "--skip", "35,45-46", "--cut", "40") as (url, _):
        source = camera(url)
        source.open()
        found = frames(source, until=140)
        source.close()
    assert set(range(min(found), 141)) - set(found) == {35, 40, 45, 46}
    assert (found[140].tally.lost, found[140].tally.corrupt) == (3, 1)


@pytest.mark.usefixtures("patient")
def test_a_camera_that_dies_is_noticed_and_one_that_comes_back_is_counted():
    with running_camera("--size", "320x240", "--die-after", "30") as (address, process):
        source = camera(address)
        source.open()
        with pytest.raises(
            DeviceError, match=f'camera "face" is not answering at {address}; check the cable'
        ):
            frames(source, until=1000)
        process.wait(PATIENCE_S)
        source.close()
        source.close()
        with pytest.raises(DeviceNotFound, match="then Retry"):
            source.open()
        port = address.split(":")[2].split("/")[0]
        with running_camera("--size", "320x240", "--port", port):
            source.open()
            chunk = source.read(PATIENCE_S)
            assert chunk is not None
            assert chunk.tally.reopened == 1
            source.close()


def test_a_camera_that_falls_silent_is_reported_within_seconds_and_read_never_hangs():
    with running_camera("--fps", "20", "--size", "320x240", "--stall-after", "15") as (address, _):
        source = camera(address)
        source.open()
        longest_s = 0.0
        with pytest.raises(DeviceTimeout, match=r"no frame for|is not answering"):
            while True:
                start_s = time.monotonic()
                source.read(0.1)
                longest_s = max(longest_s, time.monotonic() - start_s)
        assert longest_s < 5.0, "OpenCV alone would wait for thirty seconds"
        source.close()


def test_a_camera_that_gives_another_size_than_asked_for_is_refused():
    with running_camera("--size", "320x240") as (address, _):
        source = camera(address, width=1280, height=720)
        with pytest.raises(DeviceError, match="320×240 pixels where 1280×720 were expected"):
            source.open()


def test_a_file_is_played_at_its_own_pace(tmp_path: Path):
    write_video(tmp_path / "face.mkv", 10)
    source = camera(str(tmp_path / "face.mkv"), FakeClock(100.0))
    source.open()
    assert source.info.nominal_rate_hz == 25
    chunks = [source.read(1.0) for _ in range(10)]
    assert [read_number(chunk.samples[0]) for chunk in chunks if chunk] == list(range(10))
    np.testing.assert_allclose([c.times_s[0] for c in chunks if c], 100 + np.arange(10) / 25, atol=1e-3)
    red, _, blue = chunks[0].samples[0, 200, 300] if chunks[0] else (0, 0, 0)
    assert red > blue + 50
    with pytest.raises(DeviceError, match="has ended after 10 frames"):
        source.read(1.0)


def test_a_source_that_is_not_there_is_told_with_what_to_write_instead(tmp_path: Path):
    with pytest.raises(DeviceNotFound, match=r"there is no file .*face.mp4; correct 'source'"):
        camera(str(tmp_path / "face.mp4")).open()
    with pytest.raises(DeviceNotFound, match='camera "face" is not answering at number 61'):
        camera(61).open()
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(DeviceError, match="is no video OpenCV can read"):
        camera(str(tmp_path / "notes.txt")).open()


def test_a_wrong_key_is_named():
    with pytest.raises(ConfigError, match="'widht'; did you mean 'width'"):
        camera(0, widht=640)


def test_a_password_never_reaches_message_or_recording():
    source = camera("rtsp://user:secret@10.0.0.5:554/face")
    assert source.info.instrument["source"] == "rtsp://10.0.0.5:554/face"
    assert shown("http://10.0.0.5/a@b") == "http://10.0.0.5/a@b"


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("rtsp://admin:p@ss/w@10.0.0.5/s", "rtsp://10.0.0.5/s"),
        ("rtsp://admin:a[b@10.0.0.5/s", "rtsp://10.0.0.5/s"),
        ("http://lab@10.0.0.5/a@b", "http://10.0.0.5/a@b"),
        (
            "http://10.0.0.5/v.cgi?user=admin&size=2&PWD=a:b@c",
            "http://10.0.0.5/v.cgi?user=***&size=2&PWD=***",
        ),
        (
            "rtsp://10.0.0.5:554/user=admin&password=x&channel=1",
            "rtsp://10.0.0.5:554/user=***&password=***&channel=1",
        ),
    ],
)
def test_whatever_is_in_a_password_it_is_taken_out(address: str, bare: str) -> None:
    assert shown(address) == bare
    assert without_passwords(f"a = '{address}'  # user@lab\r\n") == f"a = '{bare}'  # user@lab\r\n"


def test_a_text_without_addresses_stays_as_it_is() -> None:
    text = '\ufeff[[instrument]]\r\nport = "COM3" # password=x, ask a:b@c.org\n\tpath = "C:/a@b"\n'
    assert without_passwords(text) == text


class SlowCamera:
    """OpenCV's capture of a camera that opens when the test lets it, as some take long to on Windows."""

    may_open: threading.Event
    opened, held = 0, 0
    is_there = True

    def __init__(self, *_: object) -> None:
        type(self).opened += 1
        self.may_open.wait(PATIENCE_S)
        type(self).held += self.is_there

    def isOpened(self) -> bool:
        return self.is_there

    def getBackendName(self) -> str:
        return "MSMF"

    def set(self, *_: object) -> bool:
        return True

    def get(self, _: int) -> float:
        return 30.0

    def grab(self) -> bool:
        time.sleep(0.03)
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((48, 64, 3), np.uint8)

    def release(self) -> None:
        type(self).held -= 1


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> type[SlowCamera]:
    """A camera that takes longer to open than one `open` waits for it."""

    class Slow(SlowCamera):
        may_open = threading.Event()

    monkeypatch.setattr(camera_link.cv2, "VideoCapture", Slow)
    monkeypatch.setattr(camera_link, "OPEN_TIMEOUT_S", 0.25 - 2)
    monkeypatch.setattr(camera_link, "LINGER_S", PATIENCE_S)  # the machine may be busy
    return Slow


@pytest.fixture
def opening(slow: type[SlowCamera], monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the camera open, and `open` wait for it."""

    def let() -> None:
        slow.may_open.set()
        monkeypatch.setattr(camera_link, "OPEN_TIMEOUT_S", PATIENCE_S)

    return let


def readers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == 'camera "face" reader'}


def open_as_a_pump_does(source: RgbCamera, opening: Callable[[], None]) -> list[str]:
    """Try until it is open, which is after the third time; what was said meanwhile."""
    said: list[str] = []
    for _ in range(10):
        try:
            source.open()
            return said
        except DeviceError as error:
            said.append(str(error))
            source.close()
            if len(said) == 3:
                opening()
            time.sleep(0.05)
    raise AssertionError(said)


def test_a_camera_that_takes_long_to_open_is_waited_for_and_not_opened_twice(
    slow: type[SlowCamera], opening: Callable[[], None]
) -> None:
    source = camera(0)
    said = open_as_a_pump_does(source, opening)
    assert len(said) == 3
    assert all('camera "face" at number 0 is still being opened' in words for words in said)
    assert source.read(PATIENCE_S) is not None
    assert slow.opened == 1
    source.close()
    wait(lambda: slow.held == 0)


def test_a_camera_that_opens_between_two_attempts_is_not_let_go(
    slow: type[SlowCamera], opening: Callable[[], None]
) -> None:
    source = camera(0)
    with pytest.raises(DeviceTimeout):
        source.open()
    opening()
    wait(lambda: slow.held == 1)
    source.open()
    assert source.read(PATIENCE_S) is not None and slow.opened == 1
    source.close()


def test_a_camera_that_takes_long_to_say_no_is_told_as_not_answering(
    slow: type[SlowCamera], opening: Callable[[], None]
) -> None:
    slow.is_there = False
    source, others = camera(0), readers()
    with pytest.raises(DeviceTimeout, match="at number 0 is still being opened"):
        source.open()
    opening()
    wait(lambda: not readers() - others)
    with pytest.raises(DeviceNotFound, match="is not answering at number 0"):
        source.open()
    assert slow.opened == 1


def test_a_camera_given_up_while_it_was_being_opened_is_let_go(
    slow: type[SlowCamera], opening: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_link, "LINGER_S", 0.1)
    source, others = camera(0), readers()
    with pytest.raises(DeviceTimeout):
        source.open()
    source.close()
    (reader,) = readers() - others
    opening()
    reader.join(PATIENCE_S)
    assert not reader.is_alive() and (slow.opened, slow.held) == (1, 0)
    source.open()
    assert source.read(PATIENCE_S) is not None and slow.opened == 2
    source.close()


def test_frames_that_waited_in_the_driver_keep_their_times_and_their_order():
    second_ns, driver = 1_000_000_000, BufferStamps()
    captured_ns = [100 * second_ns + n * second_ns // 5 for n in range(12)]
    held_until_ns = captured_ns[2] + 7 * second_ns // 5  # the program was, after the third frame
    in_hand_ns = captured_ns[:3] + [max(at, held_until_ns) for at in captured_ns[3:]]
    stamps_ns = [driver.captured_ns(*pair) for pair in zip(captured_ns, in_hand_ns, strict=True)]
    assert stamps_ns == captured_ns


def test_a_driver_that_reckons_a_little_ahead_is_believed_up_to_the_moment_the_frame_is_there():
    driver = BufferStamps()
    assert driver.captured_ns(1_003_000_000, 1_000_000_000) == 1_000_000_000
    assert driver.captured_ns(1_203_000_000, 2_000_000_000) == 1_203_000_000


@pytest.mark.parametrize("off_s", [-3600, 5, 1.7e9])
def test_a_driver_that_stamps_with_another_clock_is_not_believed(off_s: float):
    driver, off_ns = BufferStamps(), int(off_s * 1e9)
    in_hand_ns = [100_000_000_000 + n * 33_000_000 for n in range(5)]
    assert [driver.captured_ns(at + off_ns, at) for at in in_hand_ns] == in_hand_ns
    assert driver.is_kernels is False


def test_what_is_a_camera_and_what_a_file():
    assert all(
        is_live(source) for source in (0, "0", "/dev/video0", "http://10.0.0.5/a", "rtsp://10.0.0.5/a")
    )
    assert not any(is_live(source) for source in ("face.mp4", "C:/films/face.mp4", "file:///films/face.mp4"))


def test_bytes_that_are_no_whole_picture_are_recognised():
    assert whole_jpeg(np.zeros(1000, dtype=np.uint8)) is None
    assert whole_jpeg(np.zeros(0, dtype=np.uint8)) is None
    assert whole_jpeg(np.frombuffer(b"no picture at all\xff\xd9", dtype=np.uint8)) is None
