"""What one figure of a stretch of signal is: its name, its unit, what it says, where that is from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One column of the feature table, in words.

    `what`: one line for a person who never saw the code. `source`: the paper or spec it follows.
    `is_extra`: not among the features of the EmoMusic paper. `is_total`: grows with the window, as a
    count does; windows are compared after scaling by their length and by how much of them can be used.
    """

    name: str
    unit: str
    what: str
    source: str = ""
    is_extra: bool = False
    is_total: bool = False
