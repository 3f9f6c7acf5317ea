"""The demonstration shows every verdict: the recorded face, judged, is what the truth beside it tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emolab.faces.fer import ExpressionModel, load
from emolab.faces.verdict import LEAST_VALID, VERDICTS
from emolab.review.checks import Validation
from tests.faces.people import ByLight

GROUP_OF = {"smile": "positive", "frown": "negative", "neutral": "neutral"}


def judged(path: Path, model: ExpressionModel) -> Validation:
    pytest.importorskip("facenet_pytorch", reason="pip install 'emolab[faces]'")
    pytest.importorskip("skimage", reason="pip install scikit-image, which ships the photograph")
    from emolab.review.validate import validate

    return validate(path, model, keep=False)


def truth(path: Path) -> list[dict[str, Any]]:
    clips: list[dict[str, Any]] = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))["clips"]
    return clips


def test_a_face_is_seen_but_where_the_truth_says_that_nobody_was_there(recorded: Path) -> None:
    for check, clip in zip(judged(recorded, ByLight()).clips, truth(recorded), strict=True):
        assert check.clip == clip["clip"] and check.coverage is not None
        if clip["face"]["manner"] == "away":
            assert check.coverage < LEAST_VALID and check.verdict == "unknown"
        else:
            assert check.coverage > 0.95


def test_our_own_model_reads_the_face_as_it_was_meant(recorded: Path) -> None:
    found = judged(recorded, load("small")).clips
    for check, clip in zip(found, truth(recorded), strict=True):
        if clip["face"]["manner"] != "away":
            assert check.face == GROUP_OF[clip["face"]["expression"]]
    assert {check.verdict for check in found} == set(VERDICTS)
