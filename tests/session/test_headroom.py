"""Room gets little: what is shown goes first, comes back by itself, and the recording never notices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emolab.core.ring import FrameSlot, SampleRing
from emolab.recording.inspect import inspect
from emolab.session.engine import Engine
from emolab.session.headroom import (
    CALM_LOOKS,
    SHORT_BYTES,
    TIGHT_BYTES,
    Headroom,
    Room,
    group_limits,
    measure,
)
from tests.session.live import BOARD, CAMERA, engine_on, events, finish, go_on, start, trial

PLENTY = 8 << 30


class Meter:
    """Room as a test sets it."""

    def __init__(self) -> None:
        self.free_bytes, self.own_bytes = PLENTY, 200 << 20

    def __call__(self) -> Room:
        return Room(self.free_bytes, "this computer", self.own_bytes)


def test_pictures_go_first_then_plots_and_all_comes_back_when_there_is_room_for_some_seconds() -> None:
    meter = Meter()
    headroom = Headroom(meter)
    assert headroom.look() is None and headroom.shown == "all"
    meter.free_bytes, meter.own_bytes = TIGHT_BYTES - 1, 300 << 20
    assert headroom.look() == {
        "shown": "plots",
        "free_mb": 268,
        "whose": "this computer",
        "own_mb": 315,
        "grown_mb": 105,
        "queue": 0.0,
    }
    assert headroom.why == "this computer leaves only 268 MB of memory; close other programs"
    assert headroom.look() is None, "told once"
    meter.free_bytes = SHORT_BYTES - 1
    told = headroom.look()
    assert told is not None and told["shown"] == "nothing"
    meter.free_bytes = PLENTY
    looks = [headroom.look() for _ in range(CALM_LOOKS)]
    assert looks[:-1] == [None] * (CALM_LOOKS - 1)
    assert looks[-1] is not None and looks[-1]["shown"] == "all" and headroom.why == ""


def test_room_that_comes_and_goes_does_not_make_pictures_flicker() -> None:
    meter = Meter()
    headroom = Headroom(meter)
    meter.free_bytes = TIGHT_BYTES - 1
    assert headroom.look() is not None
    for free_bytes in (TIGHT_BYTES + 1, PLENTY, PLENTY, TIGHT_BYTES - 1) * 3:
        meter.free_bytes = free_bytes
        assert headroom.look() is None
    meter.free_bytes = TIGHT_BYTES + 1
    assert not any(headroom.look() for _ in range(3 * CALM_LOOKS)), "a hair more than too little is not room"


def test_a_recorder_that_falls_behind_is_lack_of_room_too() -> None:
    headroom = Headroom(Meter())
    told = headroom.look(queue=0.6)
    assert told is not None and (told["shown"], told["queue"]) == ("plots", 0.6)
    assert headroom.why.startswith("60% of what can wait to be written waits")
    told = headroom.look(queue=0.95)
    assert told is not None and told["shown"] == "nothing"


def test_this_process_has_room_and_some_memory_of_its_own() -> None:
    room = measure()
    assert room.free_bytes > 1 << 20 and room.own_bytes > 1 << 20 and room.whose


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of groups are read on Linux")
def test_a_group_is_as_narrow_as_the_narrowest_above_it_and_pages_of_files_do_not_count(
    tmp_path: Path,
) -> None:
    inner = tmp_path / "laboratory" / "emolab"
    inner.mkdir(parents=True)
    for place, most, used in ((inner, "max", "100"), (inner.parent, "1000", "900"), (tmp_path, "5000", "1")):
        (place / "memory.max").write_text(most + "\n")
        (place / "memory.current").write_text(used + "\n")
        (place / "memory.stat").write_text("anon 1\ninactive_file 250\n")
    found = list(group_limits(tmp_path, "/laboratory/emolab", "memory.max", "memory.current"))
    assert [free for free, _ in found] == [1000 - 900 + 250, 5000 - 1 + 250]
    assert list(group_limits(tmp_path, "/../..", "memory.max", "memory.current")) == found[1:]


@pytest.mark.usefixtures("stimuli")
def test_an_engine_short_of_memory_shows_less_and_records_all(tmp_path: Path) -> None:
    with engine_on(tmp_path, BOARD + CAMERA) as engine:
        meter = Meter()
        engine.watch.headroom = Headroom(meter)
        path = start(engine)
        go_on(engine, lambda: trial(engine) == 1)
        meter.free_bytes = SHORT_BYTES // 2
        go_on(engine, lambda: engine.watch.headroom.shown == "nothing")
        lights = {light.name: light for light in engine.health()}
        for name in ("board", "camera"):
            assert lights[name].level == "look"
            assert lights[name].message.startswith(
                f"{name} is recorded but not shown: this computer leaves only"
            )
        stands_still(engine)
        meter.free_bytes = PLENTY
        for _ in range(CALM_LOOKS):  # they are a second apart, and this session is soon over
            engine.watch.look(engine)
        assert engine.watch.headroom.shown == "all"
        picture = engine.hub.streams["camera"].ring
        assert isinstance(picture, FrameSlot)
        go_on(engine, lambda: (seen := picture.read()) is not None and seen[1].any())
        assert not any("not shown" in light.message for light in engine.health())
        finish(engine)
    facts = inspect(path)
    assert facts["outcome"] == "complete" and facts["trials"]["done"] == 5
    assert all((stream["gaps"], stream["lost"]) == (0, 0) for stream in facts["streams"])
    less, more = events(path, "memory")
    assert (less.data["shown"], more.data["shown"]) == ("nothing", "all")
    assert less.data["free_mb"] == 67 and less.data["whose"] == "this computer"


def stands_still(engine: Engine) -> None:
    """No plot grows and the picture is black, while samples come in."""
    ring, picture = (engine.hub.streams[name].ring for name in ("board", "camera"))
    assert isinstance(ring, SampleRing) and isinstance(picture, FrameSlot)
    go_on(engine, lambda: (seen := picture.read()) is not None and not seen[1].any())
    blank = engine.hub.streams["board"].samples
    go_on(engine, lambda: engine.hub.streams["board"].samples > blank + 300)  # what was under way is shown
    shown, recorded = ring.written, engine.hub.streams["board"].samples
    go_on(engine, lambda: engine.hub.streams["board"].samples > recorded + 500)
    assert ring.written == shown


def test_what_cannot_be_measured_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Room:
        raise OSError("no /proc here")

    with engine_on(tmp_path) as engine:
        engine.watch.headroom = Headroom(broken)
        engine.watch.look(engine)
        assert engine.phase == "setup"
    assert "the room left cannot be measured" in caplog.text
