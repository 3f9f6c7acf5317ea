"""Skin conductance: from counts to microsiemens, to level and responses, to figures.

    front_end     how a board's counts become microsiemens: `Linear`, `Divider`, `GroveGsr`
    conductance   samples as they came, on an even grid; artefacts, gaps and the converter's ends masked
    responses     onsets, peaks, heights and recoveries, from the driver of a decomposition
    skin          `read_skin`: a whole session, asked for any window afterwards
    features      the 128 hand-crafted figures of thousands of windows at once

`convex` splits it into level and responses: `cvxeda`, over `interior` (the interior point), `smoother` and
`sweeps` (in time), `knots` (between them) and `lanes` (eight numbers as one), which alone load numba.
"""

from emolab.signals.eda.convex import Decomposition, cvxeda, standardise

__all__ = ["Decomposition", "cvxeda", "standardise"]
