"""XDF files of known content, put together byte by byte from the specification."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

MARK = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
FORMS = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "float32": "f", "double64": "d"}


def chunk(tag: int, content: bytes, width: int = 4) -> bytes:
    """One chunk; `width`: how many bytes its length takes."""
    size = {1: "<B", 4: "<I", 8: "<Q"}[width]
    return struct.pack("<B", width) + struct.pack(size, len(content) + 2) + struct.pack("<H", tag) + content


def file_header(datetime: str = "2026-03-17T14:25:36+01:00") -> bytes:
    date = f"<datetime>{datetime}</datetime>" if datetime else ""
    return b"XDF:" + chunk(1, f'<?xml version="1.0"?><info><version>1.0</version>{date}</info>'.encode(), 1)


def header(
    number: int,
    name: str,
    form: str,
    rate_hz: float = 0.0,
    channels: int = 1,
    kind: str = "EEG",
    desc: str = "",
) -> bytes:
    text = (
        f'<?xml version="1.0"?><info><name>{name}</name><type>{kind}</type>'
        f"<channel_count>{channels}</channel_count>"
        f"<nominal_srate>{rate_hz}</nominal_srate><channel_format>{form}</channel_format>"
        f"<source_id>src-{number}</source_id><hostname>lab-pc</hostname><desc>{desc}</desc></info>"
    )
    return chunk(2, struct.pack("<I", number) + text.encode())


def samples(
    number: int, form: str, stamps: Sequence[float | None], rows: Sequence[Sequence[float]], width: int = 4
) -> bytes:
    """Numbers; a stamp of None is left to be deduced."""
    body = b""
    for stamp, row in zip(stamps, rows, strict=True):
        body += b"\0" if stamp is None else struct.pack("<Bd", 8, stamp)
        body += struct.pack(f"<{len(row)}{FORMS[form]}", *row)
    count = struct.pack("<B" + {1: "B", 4: "I", 8: "Q"}[width], width, len(stamps))
    return chunk(3, struct.pack("<I", number) + count + body)


def texts(number: int, stamps: Sequence[float | None], rows: Sequence[Sequence[str]]) -> bytes:
    body = b""
    for stamp, row in zip(stamps, rows, strict=True):
        body += b"\0" if stamp is None else struct.pack("<Bd", 8, stamp)
        for text in row:
            raw = text.encode()
            width, form = (1, "B") if len(raw) < 256 else (4, "I")
            body += struct.pack(f"<B{form}", width, len(raw)) + raw
    return chunk(3, struct.pack("<I", number) + struct.pack("<BB", 1, len(stamps)) + body)


def offset(number: int, when_s: float, value_s: float) -> bytes:
    return chunk(4, struct.pack("<Idd", number, when_s, value_s))


def boundary() -> bytes:
    return chunk(5, MARK)


def footer(number: int, count: int) -> bytes:
    text = f'<?xml version="1.0"?><info><sample_count>{count}</sample_count></info>'
    return chunk(6, struct.pack("<I", number) + text.encode())


def write(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path
