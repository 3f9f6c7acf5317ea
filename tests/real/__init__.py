"""Tests on real recordings, which are not ours to ship: they skip, and say so, without them.

`EMOLAB_REAL_DATA` names a folder with copies of the public repositories, each in a folder of its
name, e.g. `PhysioKit/sample_data/P12`.
"""
