"""What must be asked of the disk by hand."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Have the disk keep which files are in `folder`, so that a rename survives a power cut.

    Systems that do not let folders be opened do so by themselves.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
