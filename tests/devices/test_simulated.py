"""The simulated instrument as a source: configuration, chunks, clocks, pictures and sound."""

from __future__ import annotations

import threading
import tracemalloc
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from emolab.core.clock import PacedClock, SessionClock, SteppedClock
from emolab.core.errors import ConfigError, DeviceError
from emolab.core.stream import Chunk
from emolab.devices import config
from emolab.devices.radiometry import to_celsius
from emolab.devices.simulated import Simulated, demo_device_file, frame_number, participant_for
from emolab.devices.simulation.portrait import is_blinking
from emolab.devices.simulation.scenes import BoardScene
from emolab.devices.source import Source
from tests.devices.simulated_bench import SimulatedBench
from tests.fakes import FakeClock

STREAMS = ("board", "rgb", "thermal", "audio")


def session(stream: str, step_s: float, seed: int = 1, **keys) -> SimulatedBench:
    """The same nine seconds, read in steps of `step_s`."""
    bench = SimulatedBench(stream, seed, **keys)
    bench.person.rest(0.0)
    bench.source.open()
    bench.advance(4.0, step_s)
    bench.person.hear("clip", "less_positive", 4.0, 3.0)
    bench.advance(9.0, step_s)
    return bench


def read_until(source: Simulated, until_s: float) -> list[Chunk]:
    chunks: list[Chunk] = []
    while not chunks or chunks[-1].times_s[-1] < until_s:
        chunk = source.read(1.0)
        assert chunk is not None
        chunks.append(chunk)
    return chunks


def test_the_demo_file_names_one_instrument_for_each_stream():
    clock = FakeClock()
    device_file = config.parse(demo_device_file(), "demo.toml")
    assert config.is_simulated(device_file)
    sources = config.build(device_file, clock)
    assert [source.info.name for source in sources] == ["board", "camera", "thermal", "microphone"]
    kinds = {channel.kind for source in sources for channel in source.info.channels}
    assert kinds == {"eda", "respiration", "ppg", "rgb", "thermal", "audio"}
    assert all(isinstance(source, Source) for source in sources)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "key 'stream' is missing"),
        ({"stream": "smell"}, "'stream'"),
        ({"stream": "board", "rate": 250}, "did you mean 'rate_hz'"),
        ({"stream": "board", "rate_hz": 0}, "'rate_hz'"),
        ({"stream": "board", "width": 320}, "'width' and 'height' mean nothing"),
        ({"stream": "rgb", "width": 4}, "'width'"),
        ({"stream": "rgb", "faults": [{"kind": "fire", "at_s": 1}]}, "faults.0.kind"),
        ({"stream": "rgb", "faults": [{"kind": "unplug"}]}, "'faults.0.at_s' is missing"),
        ({"stream": "rgb", "faults": [{"kind": "wrong_rate", "at_s": 1}]}, "needs 'rate_hz'"),
        ({"stream": "rgb", "faults": [{"kind": "stall", "at_s": 1, "ppm": 3}]}, "'ppm' has no meaning"),
    ],
)
def test_a_wrong_key_is_named_with_its_remedy(keys, words):
    with pytest.raises(ConfigError, match="instrument 'x'") as caught:
        Simulated.from_config({"kind": "simulated", "name": "x", **keys}, FakeClock())
    assert words in str(caught.value)


@pytest.mark.parametrize("stream", STREAMS)
def test_samples_are_the_same_however_they_are_asked_for(stream):
    keys = {"rate_hz": 8000.0} if stream == "audio" else {}
    whole, crumbs = session(stream, 9.0, **keys), session(stream, 0.037, **keys)
    assert crumbs.delivered().chunks > whole.delivered().chunks
    n = min(len(whole.delivered().times_s), len(crumbs.delivered().times_s))
    assert n > 70
    assert np.array_equal(whole.delivered().times_s[:n], crumbs.delivered().times_s[:n])
    assert np.array_equal(whole.delivered().samples[:n], crumbs.delivered().samples[:n])
    assert np.array_equal(
        session(stream, 0.5, **keys).delivered().samples[:n], crumbs.delivered().samples[:n]
    )


@pytest.mark.parametrize("stream", STREAMS[:3])
def test_another_seed_is_another_person(stream):
    one, other = session(stream, 0.5, seed=1), session(stream, 0.5, seed=2)
    assert not np.array_equal(one.delivered().samples, other.delivered().samples)


def test_all_instruments_of_a_clock_watch_the_same_person():
    clock, other = FakeClock(), FakeClock()
    assert participant_for(clock) is participant_for(clock)
    assert participant_for(clock) is not participant_for(other)


def test_the_board_announces_a_rate_it_does_not_keep():
    bench = session("board", 0.5)
    delivered = bench.delivered()
    assert bench.source.info.nominal_rate_hz == 250.0
    assert len(delivered.times_s) == pytest.approx(9.0 * 254.9, abs=1)
    assert np.allclose(np.diff(delivered.times_s), 1 / 254.9, rtol=1e-9)
    assert np.array_equal(delivered.counter, np.arange(len(delivered.times_s)))
    assert np.allclose(delivered.device_us * 1e-6, delivered.times_s - delivered.times_s[0], atol=1e-6)
    assert delivered.tally == delivered.tally.__class__()


def test_a_rate_that_is_given_is_kept():
    bench = session("board", 0.5, rate_hz=1000)
    assert bench.source.info.nominal_rate_hz == 1000
    assert len(bench.delivered().times_s) == pytest.approx(9000, abs=1)
    lying = session("board", 0.5, rate_hz=1000, true_rate_hz=990)
    assert lying.source.info.nominal_rate_hz == 1000
    assert len(lying.delivered().times_s) == pytest.approx(9 * 990, abs=1)


def test_frames_are_numbered_and_none_is_missing():
    frames = session("rgb", 0.5).delivered().samples
    assert frames.shape == (90, 240, 320, 3)
    assert [frame_number(frame) for frame in frames] == list(range(90))
    large = SimulatedBench("rgb", width=640, height=480, rate_hz=30)
    large.source.open()
    large.advance(2.0)
    assert [frame_number(frame) for frame in large.delivered().samples] == list(range(60))


def test_the_skin_loses_green_with_every_beat():
    bench = SimulatedBench("rgb", rate_hz=30)
    bench.source.open()
    bench.advance(8.0)
    delivered = bench.delivered()
    cheek = delivered.samples[:, 112:124, 180:190, :].astype(float).mean(axis=(1, 2))
    tone = cheek[:, 1] / cheek[:, 0]  # the head moves, and light and shade with it

    def quick(values: np.ndarray) -> np.ndarray:
        """What changes faster than the head moves."""
        return values[15:-15] - np.convolve(values, np.ones(31) / 31, "valid")

    green = quick(tone / tone.mean())
    still = quick(bench.person.body.pulse(delivered.times_s, "face"))
    share = -(green @ still) / (still @ still)
    assert 0.003 < share < 0.007
    assert np.corrcoef(green, still)[0, 1] < -0.8


def test_the_face_smiles_and_frowns_and_blinks():
    def mouth(state: str) -> np.ndarray:
        bench = SimulatedBench("rgb")
        bench.source.open()
        bench.person.hear("clip", state, 0.0, 30.0)
        bench.advance(10.0)
        return bench.delivered().samples[-1][120:170, 120:200].astype(int)

    assert np.abs(mouth("most_positive") - mouth("most_negative")).max() > 40
    closed = [is_blinking(t) for t in np.arange(0.0, 60.0, 0.01)]
    starts = sum(now and not before for before, now in pairwise(closed))
    assert starts == 15


def test_temperatures_come_back_in_degrees():
    bench = SimulatedBench("thermal")
    bench.person.rest(0.0)
    bench.source.open()
    bench.advance(60.0)
    bench.person.hear("clip", "less_negative", 60.0, 30.0)
    bench.advance(95.0)
    delivered, info = bench.delivered(), bench.source.info
    celsius = to_celsius(delivered.samples, info)
    assert np.allclose(celsius, delivered.samples * info.channels[0].scale + info.channels[0].offset)
    truth = bench.person.truth()["clips"][0]
    during = (delivered.times_s >= 60.0) & (delivered.times_s < 90.0)
    for region, fact in (("nose", "nose_c"), ("forehead", "face_c")):
        x, y, width, height = info.instrument["roi"][region]
        found_c = celsius[during, y : y + height, x : x + width].mean()
        assert found_c == pytest.approx(truth[fact], abs=0.02)
    x, y, width, height = info.instrument["roi"]["nose"]
    nose_c = celsius[:, y : y + height, x : x + width].mean(axis=(1, 2))
    assert nose_c[during][-20:].mean() - nose_c[~during][400:500].mean() == pytest.approx(-0.47, abs=0.1)


def test_the_microphone_hears_the_clip_and_nothing_else():
    bench = session("audio", 0.5)
    sound, times_s = bench.delivered().samples[:, 0].astype(float), bench.delivered().times_s
    assert len(sound) == pytest.approx(9 * 48000, abs=1)
    level = {
        when: sound[(times_s >= when) & (times_s < when + 0.5)].std() for when in (1.0, 3.4, 5.2, 7.1, 8.0)
    }
    assert level[5.2] > 20 * level[1.0]
    assert max(level[3.4], level[7.1], level[8.0]) < 2 * level[1.0]


def test_in_real_time_a_chunk_comes_every_few_hundredths():
    clock = SessionClock()
    source = Simulated.from_config({"kind": "simulated", "name": "b", "stream": "board"}, clock)
    source.open()
    chunks = read_until(source, clock.now_s() + 0.5)
    source.close()
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    assert np.allclose(np.diff(times_s), 1 / 254.9, rtol=1e-6)
    assert len(chunks) > 3
    assert all(chunk.times_s[-1] <= chunk.arrival_s for chunk in chunks)


def test_reading_gives_up_after_its_timeout():
    bench = SimulatedBench("rgb", rate_hz=1)
    bench.source.open()
    bench.advance(0.5)
    started_s = bench.clock.now_s()
    assert bench.source.read(0.2) is None
    assert bench.clock.now_s() - started_s == pytest.approx(0.2, abs=0.01)


def test_reading_what_is_not_open_says_so():
    source = SimulatedBench("board").source
    with pytest.raises(DeviceError, match="not open"):
        source.read(0.1)
    source.open()
    source.close()
    source.close()
    with pytest.raises(DeviceError, match="not open"):
        source.read(0.1)


def test_a_session_at_two_hundred_times_its_speed_loses_nothing():
    clock = PacedClock(200)
    starting = clock.follow("test")  # time stands until all are open
    sources = config.build(config.parse(demo_device_file(), "demo.toml"), clock)
    for source in sources:
        source.open()
    counted: dict[str, np.ndarray] = {}

    def pump(source: Source) -> None:
        times_s: list[np.ndarray] = []
        while not times_s or times_s[-1][-1] < 60.0:
            chunk = source.read(1.0)
            if chunk is not None:
                times_s.append(chunk.times_s)
        source.close()
        counted[source.info.name] = np.concatenate(times_s)

    threads = [threading.Thread(target=pump, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    starting.leave()
    for thread in threads:
        thread.join(60.0)
    rates_hz = {"board": 254.9, "camera": 10.0, "thermal": 9.0, "microphone": 48000.0}
    for name, rate_hz in rates_hz.items():
        times_s = counted[name]
        assert np.allclose(np.diff(times_s), 1 / rate_hz, rtol=1e-6, atol=1e-9), name
        expected = np.ceil(60.0 * rate_hz - 1e-6)
        assert (times_s < times_s[0] + 60.0 - 1e-9).sum() == expected, name
        assert participant_for(clock).truth()["streams"][name]["lost"] == 0
    assert clock.holding() is None


def test_the_clock_waits_for_what_was_not_delivered():
    clock = PacedClock(1000)
    source = Simulated.from_config({"kind": "simulated", "name": "b", "stream": "board"}, clock)
    source.open()
    opened_s = clock.now_s()
    clock.sleep(20.0)
    assert clock.now_s() <= opened_s + 1.01
    source.close()
    clock.sleep(20.0)
    assert clock.now_s() > opened_s + 5.0


def test_memory_stays_flat_over_a_session():
    bench = SimulatedBench("board")
    bench.source.open()

    def hear_minutes(n: int) -> None:
        for _ in range(n):
            start_s = bench.clock.now_s()
            bench.person.hear("clip", "less_positive", start_s, 30.0)
            while bench.clock.now_s() < start_s + 60.0:
                bench.clock.advance(0.5)
                while bench.source.read(0.0) is not None:
                    pass

    hear_minutes(1)
    tracemalloc.start()
    hear_minutes(3)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000


def test_samples_may_come_early_and_their_stamps_say_so():
    plain, early = SimulatedBench("board"), SimulatedBench("board", jitter_ms=0.5)
    for bench in (plain, early):
        bench.source.open()
        bench.advance(10.0)
    even, odd = plain.delivered(), early.delivered()
    before_s = even.times_s - odd.times_s
    assert before_s.min() >= 0.0 and 0.49e-3 < before_s.max() < 0.5e-3
    assert np.diff(odd.times_s).std() > 1e-4 and np.diff(odd.times_s).min() > 0.003
    assert odd.device_us is not None
    assert np.abs(np.diff(odd.device_us) * 1e-6 - np.diff(odd.times_s)).max() < 2e-6
    expected = BoardScene().render(early.person, odd.times_s, np.arange(len(odd.times_s)))
    assert np.array_equal(expected, odd.samples)  # seen when it says, not when its turn was


def test_earlier_than_the_sample_before_none_can_be():
    with pytest.raises(
        ConfigError, match=r"'jitter_ms': 4 is longer than the 3\.92 ms from sample to sample"
    ):
        SimulatedBench("board", jitter_ms=4.0)


def test_on_a_stepped_clock_a_chunk_holds_all_since_the_last():
    clock = SteppedClock(datetime(2000, 1, 1, tzinfo=UTC))
    board = Simulated.from_config({"kind": "simulated", "name": "board", "stream": "board"}, clock)
    board.open()
    assert board.read(0.0) is None
    chunks = []
    for until_s in (0.1, 7.0, 7.003, 30.0):
        clock.go_to(until_s)
        while (chunk := board.read(0.0)) is not None:
            assert chunk.arrival_s == until_s and until_s - 0.004 < chunk.times_s[-1] < until_s
            chunks.append(chunk)
    assert len(chunks) == 4
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    assert np.allclose(times_s, np.arange(len(times_s)) / 254.9)
    clock.go_to(1.0)
    assert clock.now_s() == 30.0  # it never goes back
