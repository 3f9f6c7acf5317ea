"""A session's labels as an ELAN file: tiers for each lane, linked to the film that the mp4 export writes.

Tiers: `intended`, `reported`, `events`, and one for each analyst's ledger. Annotations of one tier cannot
overlap, so what overlaps lies on further tiers of its lane, `anna (2)`, `anna (3)`: each label on the first
that is free where it begins, at its own times. ELAN counts whole milliseconds from the film's first frame,
or from the session's zero when there is no film; a moment lasts 40 of them. It has no negative time: of a
label that has begun by then the rest is shown, and one that is over is left out and told. A label's state
and word are the annotation's text, with valence, arousal, tags and note where there are any.

Source: the EAF 3.0 schema, mpi.nl/tools/elan/EAFv3.0.xsd.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as xml
from collections.abc import Iterable
from pathlib import Path

from emolab.recording.labels import TimedLabel
from emolab.study.export.outgoing import Outgoing
from emolab.study.export.whole import whole

LEAST_MS = 40  # a moment, so that it can be seen and clicked
EVENT_KINDS = (
    "mark", "note", "paused", "resumed", "device_lost", "device_found", "screen_lost", "stood_still"
)  # fmt: skip
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

_Annotation = tuple[int, int, str]  # begin, end, text


def write(session: Outgoing, folder: Path) -> list[Path]:
    """Write `NAME.eaf`; returns the file."""
    name = session.name
    film = next((stream for stream in session.films if stream.info.kind == "rgb"), None)
    zero_s = float(film.times_s(0, 1)[0]) if film else 0.0
    root = xml.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "emolab",
            "DATE": session.header.started_utc.isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            f"{{{XSI}}}noNamespaceSchemaLocation": SCHEMA,
        },
    )
    head = xml.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if film is not None:
        media = f"./{name}_{film.name}.mp4"
        described = {"MEDIA_URL": media, "RELATIVE_MEDIA_URL": media, "MIME_TYPE": "video/mp4"}
        xml.SubElement(head, "MEDIA_DESCRIPTOR", described)
    slots = xml.SubElement(root, "TIME_ORDER")
    spans: list[tuple[int, int]] = []
    for tier_id, said in _tiers(session, zero_s):
        tier = xml.SubElement(root, "TIER", {"TIER_ID": tier_id, "LINGUISTIC_TYPE_REF": "label"})
        for begin_ms, end_ms, text in said:
            spans.append((begin_ms, end_ms))
            number = len(spans)
            around = xml.SubElement(tier, "ANNOTATION")
            about = {"ANNOTATION_ID": f"a{number}"}
            about |= {"TIME_SLOT_REF1": f"ts{2 * number - 1}", "TIME_SLOT_REF2": f"ts{2 * number}"}
            annotation = xml.SubElement(around, "ALIGNABLE_ANNOTATION", about)
            xml.SubElement(annotation, "ANNOTATION_VALUE").text = text
    at_ms = [moment for span in spans for moment in span]
    for index in sorted(range(len(at_ms)), key=lambda place: at_ms[place]):
        xml.SubElement(
            slots, "TIME_SLOT", {"TIME_SLOT_ID": f"ts{index + 1}", "TIME_VALUE": str(at_ms[index])}
        )
    xml.SubElement(root, "LINGUISTIC_TYPE", {"LINGUISTIC_TYPE_ID": "label", "TIME_ALIGNABLE": "true"})
    xml.indent(root)
    path = folder / f"{name}.eaf"
    with whole(path) as beside:
        xml.ElementTree(root).write(beside, encoding="UTF-8", xml_declaration=True)
    return [path]


def _lanes(session: Outgoing) -> Iterable[tuple[str, list[TimedLabel]]]:
    """Each lane's name and its labels; events stand between what nobody edits and what people do."""
    read_only = [lane for lane in session.lanes if lane.kind in ("intended", "reported")]
    for lane in read_only:
        yield lane.name, [placed.label for placed in lane.labels]
    told = [e for e in session.events if e.kind in EVENT_KINDS]
    yield (
        "events",
        [
            TimedLabel(e.time_s, e.time_s, note=f"{e.kind} {e.data.get('text', '')}".strip()[:200])
            for e in told
        ],
    )
    for lane in session.lanes:
        if lane not in read_only:
            yield lane.name, [placed.label for placed in lane.labels]


def _tiers(session: Outgoing, zero_s: float) -> Iterable[tuple[str, list[_Annotation]]]:
    """Each tier's name, of which no two are the same, and what is on it."""
    lanes = [(lane, _apart(_timed(lane, labels, zero_s, session))) for lane, labels in _lanes(session)]
    used = {lane for lane, _ in lanes}  # an analyst may be called `anna (2)`
    seen: set[str] = set()
    for lane, tiers in lanes:
        for number, said in enumerate(tiers):
            names = (f"{lane} ({count})" for count in itertools.count(2))
            is_own = number == 0 and lane not in seen
            name = lane if is_own else next(name for name in names if name not in used)
            used.add(name)
            seen.add(name)
            yield name, said


def _timed(lane: str, labels: Iterable[TimedLabel], zero_s: float, session: Outgoing) -> list[_Annotation]:
    """The labels in whole milliseconds, by when they begin."""
    found: list[_Annotation] = []
    past = 0
    for label in labels:
        begin_ms, end_ms = (round((at_s - zero_s) * 1000) for at_s in (label.start_s, label.end_s))
        if begin_ms < 0 and end_ms <= 0:
            past += 1
            continue
        begin_ms = max(begin_ms, 0)
        found.append((begin_ms, end_ms if end_ms > begin_ms else begin_ms + LEAST_MS, _text(label)))
    if past:
        session.troubles.append(f"{past} of {lane} left out: over before the time of the ELAN file begins")
    return sorted(found, key=lambda one: one[0])


def _apart(said: Iterable[_Annotation]) -> list[list[_Annotation]]:
    """The annotations on as few tiers as they need, at least one, none over another."""
    tiers: list[list[_Annotation]] = [[]]
    for one in said:
        free = (tier for tier in tiers if not tier or tier[-1][1] <= one[0])
        tier = next(free, None)
        if tier is None:
            tiers.append(tier := [])
        tier.append(one)
    return tiers


def _text(label: TimedLabel) -> str:
    words = [label.state or "", f"({label.word})" if label.word else ""]
    words += [
        f"{name} {value:+.2f}"
        for name, value in (("v", label.valence), ("a", label.arousal))
        if value is not None
    ]
    words += [*label.tags, label.note]
    return " ".join(word for word in words if word) or "·"
