"""What a thread brings to a window that may have been closed meanwhile."""

from __future__ import annotations

import contextlib
from typing import Any


def tell(signal: Any, *facts: Any) -> None:
    """Emit `signal` from a thread; nobody is told where its object has gone with the window."""
    with contextlib.suppress(RuntimeError):  # "Signal source has been deleted"
        signal.emit(*facts)
