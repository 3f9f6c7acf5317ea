"""What leaves the laboratory de-identified holds nothing of who it was."""

from __future__ import annotations

import csv
import gzip
import itertools
import platform
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
import pyxdf

from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.core.stream import Channel, StreamInfo
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk
from emolab.study import exports_made
from emolab.study.export import FORMATS, Hide, export, export_all
from emolab.study.export.blurred import FaceBlur, coarse
from emolab.study.export.deidentify import Codes
from tests.cli.command import emolab
from tests.recording import made
from tests.study.made import TRACE, record

HEARD_UTC = datetime(2026, 3, 17, 14, 25, 36, tzinfo=UTC)
SECRETS = (
    "P077", "Bellweather", "Huxtable", "lab-pc-9", "SN-4711-XY", "/dev/ttyACM3", "/home/huxtable",
    "192.168.7.7",
    "2026-03-17", "14:25", "20260317", "diary of", "mumbles", "sniffles", "her sister",
)  # fmt: skip
BOARD = replace(
    made.BOARD,
    instrument={
        "model": "PhysioKit", "port": "/dev/ttyACM3", "serial_number": "SN-4711-XY",
        "address": "http://192.168.7.7/", "firmware": "built by Huxtable",
    },
)  # fmt: skip
EEG = StreamInfo(
    "eeg lab-pc-9", (Channel("P077 left", "lsl"), Channel("right", "lsl")), 100.0, "float32", (2,),
    {"model": "LSL", "host": "lab-pc-9", "source_id": "P077", "description": "<desc>Bellweather</desc>"},
)  # fmt: skip
FAST = StreamInfo("room", (Channel("x", "lsl"),), 8000.0, "float32", (1,), {"model": "LSL"})
STREAMS = (BOARD, made.CAMERA, made.THERMAL, made.MICROPHONE, EEG, FAST)
EVENTS = [
    Event(0.0, "session_started", data={"planned": 1, "file": "/home/huxtable/P077", "left_out": ["board"]}),
    Event(0.1, "consent", data={"language": "en", "who": "Bellweather"}),
    Event(
        0.3, "clip_onset", data={"clip": "calm_1", "state": "neutral", "requested_s": 0.3, "fitted_s": 0.31}
    ),
    Event(0.9, "clip_ended", data={"clip": "calm_1", "fitted_s": 0.31, "how": "done"}),
    Event(1.0, "answer", 0.9, {"clip": "calm_1", "state": "neutral", "word": "calm", "response_s": 0.5}),
    Event(1.1, "mark", data={"text": "diary of her sister"}),
    Event(1.2, "note", data={"text": "P077 mumbles"}),
    Event(1.3, "device_lost", data={"stream": "eeg lab-pc-9", "reason": "/dev/ttyACM3 is gone"}),
    Event(1.4, "clock_set", data={"by_s": 3600.0, "utc": HEARD_UTC.isoformat()}),
    Event(1.5, "error", data={"where": "/home/huxtable/x.py", "message": "lab-pc-9"}),
    Event(1.9, "session_ended", data={"outcome": "complete"}),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one session that tells all it can of its participant, wherever there is room."""
    study = tmp_path_factory.mktemp("home") / "Bellweather"
    (study / ".emolab").mkdir(parents=True)
    header = replace(
        made.HEADER, participant="P077", study="Bellweather", protocol="quick", started_utc=HEARD_UTC,
        protocol_text="# by Huxtable", devices_text='port = "/dev/ttyACM3"',
    )  # fmt: skip
    recording = record(study / "P077" / "P077_session-2.h5", header, STREAMS, EVENTS, seconds=2)
    desk = Desk(recording, "Huxtable")
    desk.add(
        TimedLabel(0.5, 2.0, "calm_1", "neutral", "calm", 0.25, tags=("sniffles",), note="mumbles"),
        "her sister",
    )
    desk.add(TimedLabel(0.5, 2.0, "P077", trace=TRACE))
    model = Desk(recording, "face")
    model.add(TimedLabel(0.3, 0.9), by={"model": "/home/huxtable/own.onnx", "weights_sha256": "cd" * 32})
    return study


def residue(folder: Path, *more: str) -> list[tuple[str, str]]:
    """Every secret found in names and contents, whatever they are packed in: file and secret."""
    host = platform.node()
    secrets = [*SECRETS, *more, *([host] if len(host) > 3 else [])]
    found = []
    for path in folder.rglob("*"):
        inside = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".gz":
            inside += gzip.decompress(inside)
        text = f"{path.relative_to(folder)}\n".encode() + inside
        found += [
            (path.name, secret)
            for secret in secrets
            for coded in (secret.encode(), secret.encode("utf-16-le"))
            if coded.lower() in text.lower()
        ]
    return found


@pytest.mark.parametrize("to", sorted(FORMATS))
def test_nothing_of_who_it_was_is_in_any_file(told: Path, tmp_path: Path, to: str) -> None:
    plain, hidden = tmp_path / "plain", tmp_path / "hidden"
    export_all(told, to, plain)
    assert residue(plain)  # there is something to be found
    hide = Hide(Codes(), blurs=to == "mp4")
    done = export_all(told, to, hidden, hide)
    assert all(one.files and not one.troubles for one in done)
    assert residue(hidden, str(told), str(tmp_path)) == []


def test_sound_and_pictures_are_left_out(told: Path, tmp_path: Path) -> None:
    recording = told / "P077" / "P077_session-2.h5"
    hide = Hide(Codes())
    for to in ("csv", "xdf", "bids", "eaf"):
        files = export(recording, to, tmp_path / to, hide)
        assert not [path for path in files if path.suffix in (".flac", ".mp4", ".mkv")]
    found, _ = pyxdf.load_xdf(str(next((tmp_path / "xdf").glob("*.xdf"))), dejitter_timestamps=False)
    streams = {stream["info"]["name"][0]: stream for stream in found}
    assert not {"microphone", "room"} & set(streams)
    assert streams["camera"]["time_series"].shape[1] == 1  # a number a frame
    said = emolab("export", recording, "--to", "mp4", "--out", tmp_path / "mp4", "--deidentify")
    assert said.code == 2 and "has none unless faces are blurred" in said.err
    assert "X" not in said.err.replace("XDF", "")  # no code beside the pseudonym


def test_what_remains_is_as_it_was(told: Path, tmp_path: Path) -> None:
    recording = told / "P077" / "P077_session-2.h5"
    (plain,) = export(recording, "xdf", tmp_path / "plain")
    (hidden,) = export(recording, "xdf", tmp_path / "hidden", Hide(Codes()))
    before, after = (
        {s["info"]["name"][0]: s for s in pyxdf.load_xdf(str(path), dejitter_timestamps=False)[0]}
        for path in (plain, hidden)
    )
    for name, other in (("board", "board"), ("eeg lab-pc-9", "lsl-4"), ("trace-Huxtable", "trace-analyst-1")):
        np.testing.assert_array_equal(before[name]["time_series"], after[other]["time_series"])
        np.testing.assert_array_equal(before[name]["time_stamps"], after[other]["time_stamps"])
    events = [Event.from_json(row[0]) for row in after["events"]["time_series"]]
    assert [(event.time_s, event.kind) for event in events] == [(e.time_s, e.kind) for e in EVENTS]
    assert events[4] == EVENTS[4]
    assert events[5].data == {"text": "[removed]"}
    assert events[7].data == {"stream": "lsl-4", "reason": "[removed]"}


def test_codes_are_new_each_time_unless_a_key_is_kept(told: Path, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "key.csv"
    names = []
    for at, more in enumerate(((), (), ("--key", key), ("--key", key))):
        out = tmp_path / str(at)
        said = emolab("export", told, "--to", "eaf", "--out", out, "--deidentify", *more)
        assert said.code == 0, said.err
        names += [path.name for path in out.iterdir() if path.is_dir()]
    assert len(set(names)) == 3 and names[2] == names[3]
    with key.open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"pseudonym": "P077", "code": names[2]}]
    assert key.stat().st_mode & 0o077 == 0
    noted = exports_made.list_path(told).read_text()
    assert not any(name in noted for name in names)  # the study itself keeps no key


def test_nobody_comes_to_stand_in_a_folder_twice(told: Path, tmp_path: Path) -> None:
    key, out = tmp_path / "key.csv", tmp_path / "out"
    first = emolab("export", told, "--to", "bids", "--out", out, "--deidentify", "--key", key)
    again = emolab("export", told, "--to", "bids", "--out", out, "--deidentify")
    assert (first.code, again.code) == (0, 2) and "stand in it twice" in again.complaint
    with_key = emolab("export", told, "--to", "bids", "--out", out, "--deidentify", "--key", key)
    assert with_key.code == 0
    assert len((out / "participants.tsv").read_text().splitlines()) == 2


def test_a_key_that_another_program_saved_gives_the_codes_it_gave(tmp_path: Path) -> None:
    key = tmp_path / "key.csv"
    codes = {who: Codes(key).of(who) for who in ("P001", "P002")}
    quoted = "".join(f'"{who}","{code}"\r\n' for who, code in codes.items())
    key.write_bytes(f'\ufeff"pseudonym","code"\r\n{quoted}"P003",\r\n'.encode())
    read = Codes(key)
    assert {who: read.of(who) for who in codes} == codes and read.of("P003") not in ("", *codes.values())


def test_a_key_among_the_data_is_refused(told: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = emolab("export", told, "--to", "csv", "--out", out, "--deidentify", "--key", out / "key.csv")
    assert said.code == 2 and "keep it elsewhere" in said.complaint


def test_the_two_kinds_are_never_mixed_in_one_folder(told: Path, tmp_path: Path) -> None:
    export_all(told, "csv", tmp_path / "hidden", Hide(Codes()))
    with pytest.raises(ConfigError, match="holds de-identified data"):
        export_all(told, "csv", tmp_path / "hidden")
    export_all(told, "csv", tmp_path / "plain")
    with pytest.raises(ConfigError, match="is not empty"):
        export_all(told, "csv", tmp_path / "plain", Hide(Codes()))
    assert "What remains" in (tmp_path / "hidden" / "DEIDENTIFIED.txt").read_text()


def test_the_help_tells_what_is_removed_and_what_remains() -> None:
    said = emolab("export", "--help")
    assert "What is removed, always:" in said.out and "What remains" in said.out


class Found:
    def __init__(self, boxes: list[tuple[float, ...]], confidence: list[float]) -> None:
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)
        self.confidence = np.array(confidence, np.float32)


class Scripted:
    """A detector that says what it was told to, frame by frame."""

    def __init__(self, found: list[Found]) -> None:
        self._found = iter(found)

    def find(self, frame: np.ndarray) -> Found:
        return next(self._found)


def checked(seed: int = 0) -> np.ndarray:
    """A frame with detail everywhere."""
    return np.random.default_rng(seed).integers(0, 256, (120, 160, 3), np.uint8)


def is_kept(frame: np.ndarray, out: np.ndarray) -> np.ndarray:
    return (frame == out).all(-1)


def test_a_face_is_blurred_with_its_surroundings_and_the_rest_stays() -> None:
    frame = checked()
    blur = FaceBlur(Scripted([Found([(60, 40, 80, 70)], [0.99])]))
    (out,) = blur([frame])
    kept = is_kept(frame, out)
    assert not kept[25:85, 50:90].mean() > 0.01
    assert kept[:25].all() and kept[85:].all() and kept[:, :50].all() and kept[:, 90:].all()
    assert (blur.frames, blur.whole) == (1, 0)


@pytest.mark.parametrize(
    "found", [Found([], []), Found([(60, 40, 80, 70)], [0.6]), Found([(np.nan, 0, 9, 9)], [0.99])]
)
def test_a_frame_without_a_sure_face_is_blurred_whole(found: Found) -> None:
    frame = checked()
    (out,) = FaceBlur(Scripted([found]))([frame])
    assert is_kept(frame, out).mean() < 0.01
    cells = np.abs(np.diff(out.astype(int), axis=1)).max()
    assert cells < 40  # no edge is left


def test_without_a_detector_every_frame_is_blurred_whole() -> None:
    frames = [checked(seed) for seed in range(8)]
    blur = FaceBlur(None)
    for frame, out in zip(frames, blur(frames), strict=True):
        assert is_kept(frame, out).mean() < 0.01
    assert (blur.frames, blur.whole) == (8, 8)


def test_a_frame_with_fewer_faces_than_just_before_is_blurred_whole() -> None:
    two = Found([(10, 10, 20, 20), (100, 80, 110, 90)], [0.99, 0.98])
    one = Found([(10, 10, 20, 20), (100, 80, 110, 90)], [0.99, 0.7])
    frames = [checked(seed) for seed in range(4)]
    blur = FaceBlur(Scripted([one, two, one, two]))
    kept = [is_kept(frame, out).mean() > 0.5 for frame, out in zip(frames, blur(frames), strict=True)]
    assert kept == [True, True, False, True]


def test_where_a_face_was_just_before_or_after_is_blurred_too() -> None:
    here, there = Found([(10, 10, 20, 20)], [0.99]), Found([(100, 80, 110, 90)], [0.99])
    frames = [checked(seed) for seed in range(14)]
    outs = list(FaceBlur(Scripted([here] * 7 + [there] * 7))(frames))
    assert len(outs) == 14
    for at, (frame, out) in enumerate(zip(frames, outs, strict=True)):
        kept = is_kept(frame, out)
        assert (kept[10:20, 10:20].mean() < 0.05) == (at < 7 + 5)
        assert (kept[80:90, 100:110].mean() < 0.05) == (at >= 7 - 5)


def test_a_coarse_picture_knows_nothing_of_what_was_inside_its_cells() -> None:
    frame = checked()
    shuffled = frame.copy()
    blocks = shuffled[:120, :120].reshape(6, 20, 6, 20, 3)
    blocks[:] = blocks[:, ::-1, :, ::-1]  # turned about inside each cell
    np.testing.assert_allclose(coarse(frame[:120, :120], 6), coarse(shuffled[:120, :120], 6), atol=1)


def test_a_blurred_film_has_every_frame_at_its_time_and_no_thermal_picture(
    told: Path, tmp_path: Path
) -> None:
    recording = told / "P077" / "P077_session-2.h5"
    files = export(recording, "mp4", tmp_path, Hide(Codes(), blurs=True))
    assert [path.suffix for path in files] == [".mp4", ".json"]
    with av.open(str(files[0])) as film:
        frames = list(film.decode(video=0))
    times_s = [float(frame.pts * frame.time_base) for frame in frames]
    np.testing.assert_allclose(times_s, np.arange(60) / 30, atol=1e-3)
    for at, frame in itertools.islice(enumerate(frames), 0, 60, 10):
        pixels = frame.to_ndarray(format="rgb24")
        assert abs(pixels.mean() - made.picture(at).mean()) < 3  # the mean is the picture's own


def test_no_face_is_found_any_more_where_one_was() -> None:
    """The real detector and a real face: it is found, blurred, and not found again."""
    pytest.importorskip("facenet_pytorch")
    data = pytest.importorskip("skimage.data")
    from emolab.faces.detect import Mtcnn

    face = np.ascontiguousarray(data.astronaut()[:300, 100:400])
    detector = Mtcnn()
    before = detector.find(face)
    assert before.confidence.max() > 0.99
    blur = FaceBlur(detector)
    outs = list(blur([face, np.roll(face, 15, 1), np.full_like(face, 90)]))
    assert blur.whole == 1  # the one without a face
    for out in outs:
        assert not (detector.find(out).confidence > 0.9).any()
    left, top, right, bottom = before.boxes[0].astype(int)
    inside = np.asarray(outs[0][top:bottom, left:right], float)
    detail = np.abs(inside - coarse(outs[0][top:bottom, left:right], 4)).mean()
    assert detail < np.abs(face[top:bottom, left:right] - inside).mean()
