"""Skin conductance: from counts to microsiemens, to level and responses, to figures.

`convex` splits it into level and responses: `cvxeda`, over `interior` (the interior point), `smoother` and
`sweeps` (in time), `knots` (between them) and `lanes` (eight numbers as one), which alone load numba.
"""

from emolab.signals.eda.convex import Decomposition, cvxeda, standardise

__all__ = ["Decomposition", "cvxeda", "standardise"]
