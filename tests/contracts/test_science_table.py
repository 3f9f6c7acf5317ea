"""The README's figures are those that were kept when the cells were learnt, and the kept ones are whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.bench.bench_cells import README, cells, kept, table

ROWS = kept()


def test_readme_shows_the_kept_cells() -> None:
    text = README.read_text(encoding="utf-8")
    missing = [line for line in table(ROWS) if line not in text]
    assert not missing, "run 'python -m tests.bench.bench_cells table' and put its lines into README.md"


def test_every_kept_cell_is_known_and_there_once_in_the_readmes_order() -> None:
    place = {tuple(one.words()): at for at, one in enumerate(cells())}
    order = [place[tuple(row)] for row in ROWS.iloc[:, :5].itertuples(index=False, name=None)]
    assert all(one < other for one, other in pairwise(order))


def test_mean_and_spread_are_those_of_the_kept_folds() -> None:
    with_folds = ROWS.dropna(subset=["folds"])
    assert len(with_folds) >= 42
    for row in with_folds.itertuples(index=False):
        folds = np.array([float(one) for one in row.folds.split()])
        assert len(folds) == 10
        assert row.macro_f1 == pytest.approx(folds.mean(), abs=6e-4)
        assert row.sd == pytest.approx(folds.std(), abs=1.1e-3)
