"""Which converter counts came from is guessed of what is usual, whatever a garbled line adds."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.signals.window import guess_adc_range, strays, without_strays

BELT = np.rint(600.0 + 200.0 * np.sin(np.arange(0.0, 60.0, 0.1)))


@pytest.mark.parametrize("garbled", [4200.0, 49498.0, 60000.0, 3e8, 1e300])
@pytest.mark.parametrize("lines", [1, 5])
def test_garbled_lines_are_told_from_the_signal_and_move_no_range(garbled: float, lines: int) -> None:
    values = BELT.copy()
    at = np.arange(lines) * 97 + 20
    values[at] = garbled
    assert guess_adc_range(values) == (0.0, 1023.0)
    np.testing.assert_array_equal(np.flatnonzero(strays(values)), at)
    told = without_strays(values)
    assert np.isnan(told[at]).all() and np.nansum(told) == BELT.sum() - BELT[at].sum()


def test_a_board_with_several_channels_is_guessed_as_one() -> None:
    board = np.stack([BELT, BELT + 2000.0, BELT / 2 // 1], axis=1)
    assert guess_adc_range(board) == (0.0, 4095.0)
    board[7] = (512.0, 49498.0, 77.0)
    assert guess_adc_range(board) == (0.0, 4095.0) and strays(board).sum() == 1


def test_what_a_signal_may_do_is_no_stray() -> None:
    late = np.where(np.arange(1000) > 995, 1000.0, 5.0)  # put on at the end: any converter gives as much
    deep = np.where(np.arange(1000) % 200 == 0, 2400.0, 800.0)
    larger = np.rint(200_000.0 + 20_000.0 * np.sin(np.arange(1000) / 10.0))
    high = np.where(np.arange(1000) > 980, 4000.0, 900.0)  # of one in fifty
    for values in (late, deep, larger, high, BELT / 7.0, BELT - 500.0, np.array([]), np.full(9, np.nan)):
        assert not strays(values).any() and without_strays(values) is values
    assert guess_adc_range(larger) == (0.0, 2.0**24 - 1)
