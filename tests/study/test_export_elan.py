"""Labels as ELAN sees them: all there, at their own times, none over another on one tier."""

from __future__ import annotations

import itertools
import tempfile
import xml.etree.ElementTree as xml
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as some

from emolab.core.event import Event
from emolab.recording.labels import TimedLabel
from emolab.recording.reader import Session
from emolab.review.desk import Desk
from emolab.study.export import eaf, export
from emolab.study.export.outgoing import Lane, Outgoing, Placed, outgoing
from tests.recording import made
from tests.study.made import record

Said = list[tuple[int, int, str]]


def tiers(path: Path) -> dict[str, Said]:
    """Begin, end and text of what is on each tier, in ms; the file is what its schema and ELAN ask for."""
    root = xml.parse(path).getroot()
    assert [part.tag for part in root if part.tag != "TIER"] == ["HEADER", "TIME_ORDER", "LINGUISTIC_TYPE"]
    slots = [(slot.get("TIME_SLOT_ID", ""), int(slot.get("TIME_VALUE", "-1"))) for slot in root[1]]
    at_ms = dict(slots)
    assert len(at_ms) == len(slots) and [at for _, at in slots] == sorted(at_ms.values())
    found: dict[str, Said] = {}
    ids: list[str] = []
    used: list[str] = []
    for tier in root.iter("TIER"):
        said = []
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            ids.append(one.attrib["ANNOTATION_ID"])
            begin, end = one.attrib["TIME_SLOT_REF1"], one.attrib["TIME_SLOT_REF2"]
            used += [begin, end]
            said.append((at_ms[begin], at_ms[end], one.findtext("ANNOTATION_VALUE") or ""))
        assert tier.attrib["TIER_ID"] not in found
        found[tier.attrib["TIER_ID"]] = said
        assert all(0 <= begin < end for begin, end, _ in said)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(said))
    assert len(set(ids)) == len(ids) and sorted(used) == sorted(at_ms)
    return found


def written(
    folder: Path, lanes: Mapping[str, Sequence[TimedLabel]], events: Sequence[Event] = ()
) -> dict[str, Said]:
    """The tiers of a session without film that has these labels."""
    told = [
        Lane(name, "analyst", name, tuple(Placed(str(at), label) for at, label in enumerate(labels)))
        for name, labels in lanes.items()
    ]
    (path,) = eaf.write(Outgoing("P1_session-0", made.HEADER, {}, events, [], told, 2000.0), folder)
    return tiers(path)


def test_what_lies_inside_a_label_is_on_the_next_tier_at_its_own_time(tmp_path: Path) -> None:
    path = record(tmp_path / "P1" / "P1_session-0.h5", streams=(made.BOARD,), seconds=1)
    desk = Desk(path, "anna")
    desk.add(TimedLabel(0.0, 30.0, note="whole"))
    desk.add(TimedLabel(10.0, 10.0, note="moment"))
    desk.add(TimedLabel(12.0, 20.0, note="inside"))
    desk.add(TimedLabel(15.0, 35.0, note="across"))
    desk.add(TimedLabel(30.0, 40.0, note="next"))
    (out,) = export(path, "eaf", tmp_path / "out")
    found = tiers(out)
    assert list(found) == ["intended", "reported", "events", "anna", "anna (2)", "anna (3)"]
    assert found["anna"] == [(0, 30_000, "whole"), (30_000, 40_000, "next")]
    assert found["anna (2)"] == [(10_000, 10_040, "moment"), (12_000, 20_000, "inside")]
    assert found["anna (3)"] == [(15_000, 35_000, "across")]


def test_a_trace_over_the_whole_session_takes_no_label_away(tmp_path: Path) -> None:
    trace = TimedLabel(0.0, 1200.0, note="drawn", trace=((0.0, 0.1, 0.2), (1200.0, 0.3, 0.4)))
    clips = [TimedLabel(at, at + 30.0, note=str(at)) for at in range(60, 1200, 60)]
    found = written(tmp_path, {"anna": [trace, *clips]})
    assert found["anna"] == [(0, 1_200_000, "drawn")]
    assert found["anna (2)"] == [(at * 1000, (at + 30) * 1000, str(at)) for at in range(60, 1200, 60)]


def test_no_two_tiers_have_one_name_whatever_analysts_are_called(tmp_path: Path) -> None:
    twice = [TimedLabel(0.0, 2.0, note="one"), TimedLabel(1.0, 3.0, note="two")]
    mark = Event(5.0, "mark", data={"text": "x"})
    found = written(tmp_path, {"anna": twice, "anna (2)": twice, "events": twice}, [mark])
    assert {name: [text for *_, text in said] for name, said in found.items()} == {
        "events": ["mark x"],
        "anna": ["one"], "anna (3)": ["two"],
        "anna (2)": ["one"], "anna (2) (2)": ["two"],
        "events (2)": ["one"], "events (3)": ["two"],
    }  # fmt: skip


def test_events_are_in_order_of_time_not_as_they_were_written(tmp_path: Path) -> None:
    events = [Event(9.0, "device_found"), Event(4.0, "device_lost"), Event(4.01, "mark", data={"text": "x"})]
    found = written(tmp_path, {}, events)
    assert found == {
        "events": [(4000, 4040, "device_lost"), (9000, 9040, "device_found")],
        "events (2)": [(4010, 4050, "mark x")],
    }


def test_what_is_over_before_the_film_is_told_and_not_moved_into_it(tmp_path: Path) -> None:
    path = record(tmp_path / "P1" / "P1_session-0.h5", streams=(made.CAMERA,), seconds=1)  # begins at 0.25 s
    desk = Desk(path, "anna")
    desk.add(TimedLabel(0.1, 0.1, note="early moment"))
    desk.add(TimedLabel(0.0, 0.2, note="early"))
    desk.add(TimedLabel(0.0, 1.25, note="reaches in"))
    with Session.open(path) as session:
        told = outgoing(session)
        (out,) = eaf.write(told, tmp_path)
    assert tiers(out)["anna"] == [(0, 1000, "reaches in")]
    assert told.troubles == ["2 of anna left out: over before the time of the ELAN file begins"]


MOMENT_OR_STRETCH = some.tuples(some.integers(0, 300), some.sampled_from([0.0, 0.0002, 0.01, 1.0, 5.0, 80.0]))


@settings(max_examples=100, deadline=None)
@given(some.lists(MOMENT_OR_STRETCH, max_size=25))
def test_every_label_is_there_at_its_own_times(drawn: list[tuple[int, float]]) -> None:
    labels = [
        TimedLabel(at / 10, at / 10 + long_s, note=str(number)) for number, (at, long_s) in enumerate(drawn)
    ]
    with tempfile.TemporaryDirectory() as folder:
        found = written(Path(folder), {"anna": sorted(labels, key=lambda label: label.start_s)})
    said = {text: (begin, end) for tier in found.values() for begin, end, text in tier}
    assert len(said) == len(labels) == sum(map(len, found.values()))
    for label in labels:
        begin, end = round(label.start_s * 1000), round(label.end_s * 1000)
        assert said[label.note] == (begin, end if end > begin else begin + eaf.LEAST_MS)
    assert list(found)[1:] == ["anna", *(f"anna ({at})" for at in range(2, len(found)))]


def test_labels_that_meet_share_a_tier(tmp_path: Path) -> None:
    labels = [TimedLabel(at / 3, (at + 1) / 3, state="neutral") for at in range(9)]
    found = written(tmp_path, {"anna": labels})
    assert len(found["anna"]) == 9 and list(found) == ["events", "anna"]
