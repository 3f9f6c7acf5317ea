"""What every entry of `DEVICES` owes: a new line there brings these tests along."""

from __future__ import annotations

import sys
from typing import Any, get_type_hints

import pytest

from emolab.core.errors import ConfigError
from emolab.core.registry import resolve
from emolab.core.stream import StreamInfo
from emolab.devices import DEVICES
from emolab.devices.source import Source
from tests.fakes import FakeClock

# the least a table of each kind must say beside kind and name; nothing is opened here
LEAST: dict[str, dict[str, Any]] = {
    "physiokit": {"port": "loop://"},
    "emolab_board": {"port": "loop://"},
    "rgb_camera": {"source": "nowhere.avi"},
    "thermal_camera": {"source": "nowhere.mkv"},
    "microphone": {},
    "lsl": {"stream": "Nowhere"},
    "simulated": {"stream": "board"},
}


def table_of(kind: str) -> dict[str, Any]:
    assert kind in LEAST, f"DEVICES has the new kind {kind!r}: say in LEAST what its table needs"
    return {"kind": kind, "name": "it", **LEAST[kind]}


@pytest.fixture(params=sorted(DEVICES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_resolves_to_a_class_that_reads_device_files(kind: str) -> None:
    maker = resolve(DEVICES, kind, "instrument kind")
    assert callable(maker.from_config)
    assert set(get_type_hints(maker.from_config)) >= {"config", "clock"}


def test_its_docstring_gives_the_wiring_and_an_example(kind: str) -> None:
    maker = resolve(DEVICES, kind, "instrument kind")
    page = sys.modules[maker.__module__].__doc__ or ""
    assert "Wiring" in page
    assert f'kind = "{kind}"' in page
    assert maker.__doc__


def test_it_is_a_source_named_as_the_file_says_with_a_stream_described(kind: str) -> None:
    source = resolve(DEVICES, kind, "instrument kind").from_config(table_of(kind), FakeClock())
    assert isinstance(source, Source)
    assert isinstance(source.info, StreamInfo)
    assert source.info.name == "it"
    assert source.info.instrument, "two years on somebody will ask what it was"


def test_it_refuses_a_key_it_does_not_know_by_name(kind: str) -> None:
    maker = resolve(DEVICES, kind, "instrument kind")
    with pytest.raises(ConfigError, match=r"'it'.*'flavour'"):
        maker.from_config({**table_of(kind), "flavour": "sweet"}, FakeClock())


def test_closing_it_twice_or_unopened_is_fine(kind: str) -> None:
    source = resolve(DEVICES, kind, "instrument kind").from_config(table_of(kind), FakeClock())
    source.close()
    source.close()
