"""The console under test, shown, and gone at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emolab.core.settings import Settings
from emolab.gui import app as program
from emolab.gui.console.flow import Flow
from emolab.gui.console.memory import Memory
from tests.gui.windows import destroy


@contextmanager
def under_console(folder: Path) -> Iterator[Flow]:
    """The console with a memory of its own in `folder`; what it holds is let go before its window."""
    flow = program.open_console(Settings(), Memory(folder / "memory.json"))
    flow.window.resize(1366, 768)
    flow.window.show()
    yield flow
    flow.seat.close()
    flow.desk.hang_up()
    flow.window.leave()
    destroy(flow.window)
