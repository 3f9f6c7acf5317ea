"""Tests and agreement on tables: arrays of numbers in, figures with their uncertainty out.

    agreement   Cohen, Fleiss, Krippendorff and intraclass correlation, each with an interval

No recording and no window is known here, and every figure comes with an interval. A new statistic
brings a published worked example as its test.
"""
