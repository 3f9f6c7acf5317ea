"""Skin conductance: from counts to microsiemens, to level and responses, to figures."""
