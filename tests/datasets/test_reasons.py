"""Trials left out for the same reason are told together, whatever their names."""

from __future__ import annotations

from pathlib import Path

from emolab.datasets.dataset import LeftOut
from emolab.datasets.reasons import by_reason


def test_reasons_that_differ_by_names_alone_are_one_the_commonest_first(tmp_path: Path) -> None:
    root = tmp_path / "hku956"
    whys = {
        "P1_session-0/01_joy": f"{root}/P1/P1_session-0.h5 has no skin conductance while joy was heard",
        "P1_session-0/02_joy-3": f"{root}/P1/P1_session-0.h5 has no skin conductance while joy-3 was heard",
        "P5/8": f"{root}/1. signals/P5/EDA/8_x.csv is not there",
        "P6/9": f"{root}/1. signals/P6/EDA/9_x.csv is not there",
        "a/1": "8.0 s are too short; 10 s are needed",
        "P2/5": "the table has no song sad-1; it has 20 others",
        "P2/6": "the table has no song sad-2; it has 20 others",
        "P3/7": "the table has no song calm-1; it has 20 others",
        "P3/8": f"the signals of P3/8 in {root} are none",
        "P4": f"{root}/P4/P4_session-0.h5 is no HDF5 file",
    }
    found = by_reason((LeftOut(key, why) for key, why in whys.items()), root)
    assert found == {
        "the table has no song …; it has 20 others": ["P2/5", "P2/6", "P3/7"],
        "1. signals/…/EDA/… is not there": ["P5/8", "P6/9"],
        "P1/P1_session-0.h5 has no skin conductance while … was heard": [
            "P1_session-0/01_joy",
            "P1_session-0/02_joy-3",
        ],
        "8.0 s are too short; 10 s are needed": ["a/1"],
        "P4/P4_session-0.h5 is no HDF5 file": ["P4"],
        "the signals of P3/8 in hku956 are none": ["P3/8"],
    }
    assert list(map(len, found.values())) == [3, 2, 2, 1, 1, 1]
