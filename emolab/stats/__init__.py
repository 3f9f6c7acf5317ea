"""Tests and agreement on tables: arrays of numbers in, figures with their uncertainty out.

    agreement   Cohen, Fleiss, Krippendorff and intraclass correlation, each with an interval
    table       what all others ask of the tidy table; an estimate and its bootstrap
    labels      what was reported, overall, by participant and against what was intended
    effects     how far a state's features lie from neutral's, or from another's
    logit       the EmoMusic paper's multinomial logit; logit_rows its clips, likelihood, separation
                and sandwich its arithmetic, wald its tests
    mixed       the same question with a random intercept for each participant
    folds       is one classifier better than another, over the same folds or rows
    correction  Holm, Benjamini and Hochberg

No recording and no window is known here, and every figure comes with an interval. A new statistic
brings a published worked example as its test.
"""
