"""The whole of FER2013 is read with its published counts, and a peer's known accuracy comes out on it.

RecepTahirGunlu/Duygu-Tanima @ 9c8c822db, `train`, `validation`, `test`; oarriaga/face_classification @
b861d21, `trained_models/emotion_models/fer2013_mini_XCEPTION.102-0.66.hdf5` (public 65.23 %).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emolab.datasets.fer2013 import COUNTS, SPLITS, Fer2013, twins
from tests.bench.bench_fer import MiniXception

ROOT = Path(os.environ.get("EMOLAB_REAL_DATA") or "nowhere")
FACES = ROOT / "Duygu-Tanima"
PEER = ROOT / "face_classification/trained_models/emotion_models/fer2013_mini_XCEPTION.102-0.66.hdf5"

pytestmark = pytest.mark.skipif(
    not (FACES / "train").is_dir(), reason="set EMOLAB_REAL_DATA to a folder with Duygu-Tanima"
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Fer2013:
    return Fer2013(FACES, tmp_path_factory.mktemp("cache"))


def test_all_faces_are_there(corpus: Fer2013) -> None:
    assert {split: len(corpus.faces(split)) for split in SPLITS} == COUNTS
    assert corpus.is_whole()
    assert np.bincount(corpus.faces("train").labels).tolist() == [3995, 436, 4097, 7215, 4830, 3171, 4965]


def test_some_faces_lie_in_two_parts(corpus: Fer2013) -> None:
    train, public, private = (corpus.faces(split) for split in SPLITS)
    assert (twins(public, train).sum(), twins(private, train).sum()) == (280, 288)


@pytest.mark.skipif(not PEER.is_file(), reason="set EMOLAB_REAL_DATA to a folder with face_classification")
def test_the_known_accuracy_of_mini_xception_comes_out(corpus: Fer2013) -> None:
    public = corpus.faces("public")
    right = MiniXception(PEER).probabilities(public.pictures).argmax(1) == public.labels
    assert right.mean() == pytest.approx(0.6523, abs=0.0005)
