"""Where a camera is: its number, device node, address or file; and how that may stand in what is kept.

shown("rtsp://lab:secret@10.0.0.5/live")            # "rtsp://10.0.0.5/live"
without_passwords(device_file_text)                 # the same for every address in it
"""

from __future__ import annotations

import re

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtp", "udp", "tcp")
DEVICE_NODE = re.compile(r"/dev/[A-Za-z0-9_./:+-]+")
ADDRESS = re.compile(r"""(?<=://)[^\s"']+""")
CREDENTIAL = re.compile(r"(?<=[?&/;])((?:pwd|password|passwd|pass|user|usr)=)[^&]*", re.IGNORECASE)


def check_source(source: int | str) -> int | str:
    """The source as it is. Raises `ValueError` for what OpenCV would take for more than a camera or file.

    One of its backends carries out whatever is written after a `!`, another opens addresses of any sort.
    """
    if isinstance(source, int):
        return source
    scheme, mark, _ = source.partition("://")
    if mark and scheme not in SCHEMES:
        raise ValueError(
            f"unknown sort of address {scheme}://; known are {', '.join(SCHEMES)}, or a file's path"
        )
    if not mark and source.startswith("/dev/") and not DEVICE_NODE.fullmatch(source):
        raise ValueError("is no device; write e.g. /dev/video0")
    if not source.strip() or not source.isprintable():
        raise ValueError("is no camera; give its number, its address or a file")
    return source


def is_live(source: int | str) -> bool:
    """True for a camera's index, device node or address; False for a file."""
    if isinstance(source, int) or source.isdecimal() or source.startswith("/dev/"):
        return True
    return "://" in source and not source.startswith("file://")


def shown(source: int | str) -> str:
    """The source as it may stand in messages and files: an address without its password."""
    scheme, mark, address = str(source).partition("://")
    return f"{scheme}{mark}{_bare(address)}" if mark else str(source)


def without_passwords(text: str) -> str:
    """The text, say of a device file, with the addresses in it as `shown` gives them, and else as it was.

    An address ends at a quote or at whitespace. Rather too much of one is taken out than too little.
    """
    return ADDRESS.sub(lambda address: _bare(address[0]), text)


def _bare(address: str) -> str:
    """What stands behind the `://` of an address, without user and password."""
    address = CREDENTIAL.sub(r"\1***", address)
    before, _, behind = address.rpartition("@")
    if ":" in before:  # in a password there may be any sign, even a slash
        return behind
    host, slash, path = address.partition("/")
    return host.rpartition("@")[2] + slash + path
