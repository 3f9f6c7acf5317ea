"""A thread that comes back to a window that was closed tells nobody, and does not fail."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QCoreApplication

from emolab.gui.console.chores import Chores
from emolab.gui.errand import tell


def test_what_is_told_is_heard_while_there_is_a_window_and_no_more_afterwards(qapp: QCoreApplication) -> None:
    chores, heard = Chores(), []
    chores.failed.connect(heard.append)
    failed = chores.failed
    tell(failed, "once")
    shiboken6.delete(chores)
    tell(failed, "twice")
    assert heard == ["once"]
