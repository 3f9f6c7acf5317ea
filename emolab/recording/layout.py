"""The file format: schema 1, readable with h5py and numpy alone.

One HDF5 file (format of HDF5 1.10 or newer) holds one session. All times are whole microseconds
(int64) from the file's time zero; `/` tells when that was (`started_utc`). Running quantities
are stored as steps because steps of a steady clock compress to almost nothing; a running sum
gives them back exactly:

    import h5py, json, numpy as np
    file = h5py.File("session.h5")
    board = file["streams/board"]
    times_s = np.cumsum(board["step_us"][:]) / 1e6
    fit = board["fit/knots"][:]                     # the best times, made when the session had ended
    if len(fit) and json.loads(bytes(board["fit/facts"][:]))["by"] == "row":   # or counter, device_us
        times_s = np.interp(np.arange(len(times_s)), fit["tick"], fit["time_us"]) / 1e6
    raw = board["samples"][:]                       # (n, channels); value = raw * scale + offset
    video = file["streams/camera"]["packets"][:]    # a plain .h264 stream: open("v.h264", "wb").write(video)

    /                       attributes: format "emolab session", schema, participant (pseudonym),
                            session, seed, order_rule (of the clips; 1 where it is not there), language,
                            study, protocol, started_utc (ISO 8601), speed,
                            zero_engine_s (the engine's clock at time zero), commit, software (JSON);
                            texts are UTF-8 of fixed length: file.attrs["participant"].decode()
    /protocol_text          uint8  the protocol file, UTF-8, verbatim: bytes(file["protocol_text"][:])
    /devices_text           uint8  the device file, likewise
    /outcome                S16    [1] "recording" | "complete" | "aborted" | "interrupted"
    /events/lines           uint8  one JSON object a line: time_s, kind, planned_s, data
    /events/index           (time_us, offset, size) of each line
    /answers                (time_us, clip, state, word, response_s, changes); "" and NaN = none
    /streams/NAME           attributes: channels (JSON: name, kind, unit, scale, offset of each,
                            and falls, where the device file says which way skin conductance goes),
                            nominal_rate_hz (NaN = irregular), dtype, sample_shape, instrument (JSON)
      step_us               int64  (n,) time of each sample less that of the one before
      counter               int64  (n,) the device's own sample counter, unwrapped
      device_step_us        int64  (n,) the device's own clock, as steps
      samples               (n, channels) or (n, height, width); absent for RGB video
      packets               uint8  RGB only: H.264 in Annex B form, one packet a frame, parameter
                            sets repeated at each key frame, a key frame at least once a second
      offset, size, is_key  (n,)   RGB only: where each frame's packet lies
      arrivals              (row, arrival_us): from this row on, samples were in hand at this time
      tally                 (time_us, lost, corrupt, duplicated, reopened): the instrument's counts
                            since it was opened, a row whenever one changed
      fit/knots             (tick, time_us): corners of a polyline that gives the best times, made at the
                            end from the whole recording; empty where times stay as stamped. The tick
                            of a row is its number, its counter or its device clock, as facts say
      fit/facts             uint8  JSON: `refined`, `why` not, `by` (row, counter, device_us),
                            `stretches` of one clock, `rate_hz`, `drift_ppm` and `drift_of` what,
                            `jitter_ms` (SD) and `jitter_p95_ms` of the stamps about the fit,
                            `lost_estimate` (value, low, high; null where a counter is exact)
    /recovery               JSON, only in files that were mended: what was found and dropped

`counter` and `device_step_us` hold MISSING (-2**63) where the instrument gave none (leave those
rows out of the running sum); where it never gave any they are empty or not there.

While it is recorded, and in files that were not packed afterwards, two things more are there.
Full blocks of rows are compressed and written once; the newest rows wait, uncompressed, in

    /streams/NAME/tail/COLUMN      the first rows of the next block
    /committed              int64  (tables, 2): rows in full blocks, rows in the tail, which are safe
                            to read; attribute `tables` (JSON) names the lines

and rows beyond `committed` are not to be trusted: they were on their way when the process died.
A file that was closed in order has all rows in the columns themselves, the tail counts are zero.
A file whose process was killed opens with `h5py.File(path, "r", swmr=True)`; `emolab recover`
makes it ordinary.

This module is the only one that knows these names.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import SchemaMismatch
from emolab.core.stream import Channel, StreamInfo
from emolab.recording.header import SessionHeader

FORMAT = "emolab session"
SCHEMA = 1
LIBVER = ("v110", "v110")  # oldest format with SWMR: readable by every HDF5 since 2016
MISSING = np.iinfo(np.int64).min
OPTIONAL = ("counter", "device_step_us")
OUTCOMES = ("recording", "complete", "aborted", "interrupted")

BLOCK_ROWS = 1024  # rows compressed together while recording; their tail is 32 kB a stream
FAST_BLOCK_ROWS = 16384  # for audio
FAST_HZ = 2000
PACKED_BLOCK_ROWS = 8192  # a fifth smaller than 1024, measured; only where nothing waits in a tail
PACKET_CHUNK_BYTES = 262144
FILTERS: dict[str, Any] = {"shuffle": True, "compression": "gzip", "compression_opts": 4, "fletcher32": True}
FRAME_FILTERS: dict[str, Any] = {
    "shuffle": True,
    "compression": "gzip",
    "compression_opts": 1,
    "fletcher32": True,
}
FRAME_FILTER_LIMIT = 4e6  # bytes per second beyond which compressing frames costs too much CPU

EVENT_INDEX = np.dtype([("time_us", "i8"), ("offset", "i8"), ("size", "i4")])
ANSWER = np.dtype(
    [
        ("time_us", "i8"),
        ("clip", "S64"),
        ("state", "S24"),
        ("word", "S24"),
        ("response_s", "f8"),
        ("changes", "i4"),
    ]
)
ARRIVAL = np.dtype([("row", "i8"), ("arrival_us", "i8")])
TALLY = np.dtype(
    [("time_us", "i8"), ("lost", "i8"), ("corrupt", "i8"), ("duplicated", "i8"), ("reopened", "i8")]
)

KNOT = np.dtype([("tick", "f8"), ("time_us", "f8")])

EVENT_LINES = "events/lines"
EVENTS = "events/index"
ANSWERS = "answers"
COMMITTED = "committed"
OUTCOME = "outcome"
RECOVERY = "recovery"
STREAMS = "streams"
SAMPLES = "samples"
PACKETS = "packets"
ARRIVALS = "arrivals"
KNOTS = "fit/knots"
FACTS = "fit/facts"
TALLIES = "tally"
TAIL = "tail"


def to_us(times_s: NDArray[np.float64] | float, zero_s: float) -> NDArray[np.int64]:
    """Whole microseconds from the file's time zero; half a microsecond is the error."""
    return np.rint((np.asarray(times_s, np.float64) - zero_s) * 1e6).astype(np.int64)


def is_video(info: StreamInfo) -> bool:
    """True for streams stored as H.264 packets."""
    return info.is_image and info.kind == "rgb"


def columns(info: StreamInfo) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """Columns kept as blocks with a tail: name to (dtype, shape of one row)."""
    always: dict[str, tuple[np.dtype, tuple[int, ...]]] = {
        "step_us": (np.dtype("i8"), ()),
        "counter": (np.dtype("i8"), ()),
        "device_step_us": (np.dtype("i8"), ()),
    }
    if is_video(info):
        return {
            **always,
            "offset": (np.dtype("i8"), ()),
            "size": (np.dtype("i4"), ()),
            "is_key": (np.dtype("u1"), ()),
        }
    if info.is_image:
        return always
    return {SAMPLES: (np.dtype(info.dtype), info.sample_shape), **always}


def block_rows(info: StreamInfo) -> int:
    """Rows compressed together while recording."""
    return FAST_BLOCK_ROWS if (info.nominal_rate_hz or 0) > FAST_HZ else BLOCK_ROWS


def group(info_or_name: StreamInfo | str) -> str:
    """Path of a stream's group."""
    return f"{STREAMS}/{info_or_name if isinstance(info_or_name, str) else info_or_name.name}"


def make_header(file: h5py.File, header: SessionHeader, zero_s: float) -> None:
    """Write what is known before the first sample."""
    set_text(file, "format", FORMAT)
    file.attrs["schema"] = SCHEMA
    for name in ("session", "seed", "order_rule", "speed"):
        file.attrs[name] = getattr(header, name)
    for name in ("participant", "language", "study", "protocol", "commit"):
        set_text(file, name, getattr(header, name))
    set_text(file, "started_utc", header.started_utc.isoformat())
    file.attrs["zero_engine_s"] = zero_s
    set_text(file, "software", json.dumps(dict(header.software)))
    make_text(file, "protocol_text", header.protocol_text)
    make_text(file, "devices_text", header.devices_text)
    file.create_dataset(OUTCOME, data=np.array([OUTCOMES[0]], "S16"))
    file.create_group(STREAMS, track_order=True)


def knots(ticks: NDArray[np.float64], times_us: NDArray[np.float64]) -> NDArray[Any]:
    """Rows of a stream's `fit/knots`."""
    rows = np.zeros(len(ticks), KNOT)
    rows["tick"], rows["time_us"] = ticks, times_us
    return rows


def text_bytes(text: str) -> NDArray[np.uint8]:
    """A text as it is stored."""
    return np.frombuffer(text.encode(), np.uint8)


def set_text(where: h5py.Group | h5py.Dataset, name: str, text: str) -> None:
    """Store a text as an attribute.

    Of fixed length: those of varying length lie in a heap without checksum, and HDF5 2.0 searches a damaged
    one for ever.
    """
    raw = text.encode("utf-8", "replace") or b"\0"
    where.attrs.create(name, np.bytes_(raw), dtype=h5py.string_dtype("utf-8", len(raw)))


def get_text(where: h5py.Group | h5py.Dataset, name: str) -> str:
    """The text `set_text` stored, or a text of varying length."""
    found = where.attrs[name]
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)


def make_text(file: h5py.File, name: str, text: str) -> None:
    """Store a text as bytes: strings of varying length cannot be read while a file is written."""
    file.create_dataset(name, data=text_bytes(text))


def read_text(file: h5py.File, name: str) -> str:
    """The text `make_text` stored."""
    return bytes(file[name][:]).decode(errors="replace")


def make_stream(file: h5py.File, info: StreamInfo) -> h5py.Group:
    """Make a stream's group with its description; the columns are made by whoever writes them."""
    made = file.create_group(group(info))
    told = [{name: fact for name, fact in vars(each).items() if fact is not None} for each in info.channels]
    set_text(made, "channels", json.dumps(told, ensure_ascii=False))
    made.attrs["nominal_rate_hz"] = float("nan") if info.nominal_rate_hz is None else info.nominal_rate_hz
    set_text(made, "dtype", np.dtype(info.dtype).str)
    made.attrs["sample_shape"] = np.array(info.sample_shape, np.int64)
    set_text(made, "instrument", json.dumps(dict(info.instrument), ensure_ascii=False, default=str))
    return made


def make_column(
    where: h5py.Group, name: str, dtype: np.dtype, shape: tuple[int, ...], rows: int
) -> h5py.Dataset:
    """Make a compressed column, chunked in blocks of `rows`; each channel has chunks of its own."""
    chunks = (rows, *(1 for _ in shape))  # a channel beside its neighbours compresses a fifth worse
    fill = MISSING if name in OPTIONAL else None
    whole = (None, *shape)
    return where.create_dataset(
        name, (0, *shape), dtype, maxshape=whole, chunks=chunks, fillvalue=fill, **FILTERS
    )


def make_log(where: h5py.Group, name: str, dtype: np.dtype, rows: int) -> h5py.Dataset:
    """Make an uncompressed column that may end anywhere in a chunk."""
    return where.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(rows,))


def make_frames(where: h5py.Group, info: StreamInfo) -> h5py.Dataset:
    """Make the frames of a thermal camera: a chunk a frame, compressed unless that costs too much."""
    rate = (info.nominal_rate_hz or 30.0) * info.sample_bytes
    filters = FRAME_FILTERS if rate <= FRAME_FILTER_LIMIT else {}
    shape = info.sample_shape
    return where.create_dataset(
        SAMPLES, (0, *shape), np.dtype(info.dtype), maxshape=(None, *shape), chunks=(1, *shape), **filters
    )


def check(file: h5py.File, path: object) -> None:
    """Raise `SchemaMismatch` unless `file` is a session this version can read."""
    if "format" not in file.attrs or get_text(file, "format") != FORMAT:
        raise SchemaMismatch(
            f"{path} is an HDF5 file but no emolab session; choose a file that emolab recorded"
        )
    if (schema := int(file.attrs.get("schema", 0))) != SCHEMA:
        raise SchemaMismatch(
            f"{path} has schema {schema}, this emolab reads schema {SCHEMA}; open it with a newer emolab"
        )


def read_header(file: h5py.File) -> SessionHeader:
    """What `make_header` wrote."""
    where, attrs = file, file.attrs
    return SessionHeader(
        participant=get_text(where, "participant"),
        session=int(attrs["session"]),
        seed=int(attrs["seed"]),
        language=get_text(where, "language"),
        study=get_text(where, "study"),
        protocol=get_text(where, "protocol"),
        protocol_text=read_text(file, "protocol_text"),
        devices_text=read_text(file, "devices_text"),
        started_utc=datetime.fromisoformat(get_text(where, "started_utc")),
        speed=float(attrs["speed"]),
        software=_facts(get_text(where, "software")),
        commit=get_text(where, "commit"),
        order_rule=int(attrs.get("order_rule", 1)),
    )


def read_info(file: h5py.File, name: str) -> StreamInfo:
    """What `make_stream` wrote."""
    where = file[group(name)]
    attrs = where.attrs
    rate_hz = float(attrs["nominal_rate_hz"])
    return StreamInfo(
        name=name,
        channels=tuple(Channel(**channel) for channel in json.loads(get_text(where, "channels"))),
        nominal_rate_hz=None if np.isnan(rate_hz) else rate_hz,
        dtype=np.dtype(get_text(where, "dtype")).name,
        sample_shape=tuple(int(size) for size in attrs["sample_shape"]),
        instrument=_facts(get_text(where, "instrument")),
    )


def _facts(text: str) -> dict[str, Any]:
    """JSON that is kept for people; where it is damaged, what is left of it."""
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return {"damaged": text}
